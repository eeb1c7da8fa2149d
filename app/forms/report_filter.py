"""Which questions and forecasts a page counts: by close, by tags, by when they were to close."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import streamlit as st

from app.markdown_text import as_text
from forecasts.common.errors import BadInput
from forecasts.reports.selection import Choice, Cohort

_COHORTS: dict[str, Cohort] = {
    "Scheduled close has passed": "scheduled",
    "All resolved": "resolved",
}


def pick_questions(known_tags: list[str]) -> Choice:
    """Show the choice, which stands in the address; return it. The page ends where it is none."""
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
        lead = st.number_input(
            "Forecasts as they stood so many days before the scheduled close",
            value=None,
            min_value=0.0,
            step=1.0,
            format="%g",
            key="lead",
            bind="query-params",
            placeholder="at all times",
            help="Blank: forecasts count for as long as they stood. A number of days: only the one "
            "that stood then, so that nobody gains by what was learned after.",
        )
    try:
        return Choice(
            cohort=_COHORTS[cohort],
            tags=tuple(tags),
            since=None if since is None else datetime.combine(since, time.min, UTC),
            until=None if until is None else datetime.combine(until, time.max, UTC),
            lead=lead,
        )
    except BadInput as error:
        st.warning(as_text(str(error)))
        st.stop()
