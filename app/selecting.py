"""Which questions a page counts: by their close, by their tags, by when they were to close."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time

import streamlit as st

from forecasts.reports.report import Cohort

_COHORTS: dict[str, Cohort] = {
    "Scheduled close has passed": "scheduled",
    "All resolved": "resolved",
}


@dataclass(frozen=True)
class Choice:
    """What was chosen, as the builders of reports and comparisons take it."""

    cohort: Cohort
    tags: tuple[str, ...]
    since: datetime | None
    until: datetime | None


def pick_questions(known_tags: list[str]) -> Choice:
    """Show the choice, which stands in the address; return it."""
    cohort = st.selectbox(
        "Questions",
        list(_COHORTS),
        key="cohort",
        bind="query-params",
        help="Questions that are resolved early lean to “yes”. Those whose scheduled close has "
        "passed are a fair sample; all resolved ones are more, and tilted.",
    )
    with st.expander("Only some of them"):
        tags = st.multiselect(
            "With a tag", known_tags, key="tags", bind="query-params", placeholder="Any"
        )
        left, right = st.columns(2)
        since, until = (
            column.date_input(
                label,
                value=None,
                min_value=date.min,
                max_value=date.max,
                key=label.split()[-1],
                format="YYYY-MM-DD",
                help="By the scheduled close, which does not depend on what happened.",
            )
            for column, label in ((left, "Scheduled to close since"), (right, "… until"))
        )
    return Choice(
        _COHORTS[cohort],
        tuple(tags),
        None if since is None else datetime.combine(since, time.min, UTC),
        None if until is None else datetime.combine(until, time.max, UTC),
    )
