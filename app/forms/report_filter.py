"""The filters that choose a report's questions and forecasts."""

from __future__ import annotations

from datetime import UTC, datetime, time

import streamlit as st

from app.forms.dates import date_field
from app.markdown_text import as_text
from app.session import now
from forecasts.common.errors import BadInput
from forecasts.reports.selection import Choice, Cohort

ALL_RESOLVED = "All resolved"
_COHORTS: dict[str, Cohort] = {
    "Scheduled close has passed": "scheduled",
    ALL_RESOLVED: "resolved",
}


def pick_all_resolved() -> None:
    """Choose all resolved questions, as a button's callback."""
    st.session_state["cohort"] = ALL_RESOLVED


def pick_questions(known_tags: list[str]) -> Choice:
    """Show the filters, kept in the address; return them. An invalid choice stops the page."""
    cohort = st.selectbox(
        "Questions",
        list(_COHORTS),
        key="cohort",
        bind="query-params",
        help="Questions whose scheduled close has passed are a fair sample. All resolved questions "
        "are more, but biased: early resolutions are mostly “yes”.",
    )
    with st.expander("Filters"):
        tags = st.multiselect(
            "Tags", known_tags, key="tags", bind="query-params", placeholder="Any"
        )
        left, right = st.columns(2)
        close_help = "The scheduled close, which does not depend on the outcome."
        with left:
            since = date_field("Closes from", key="since", help=close_help, past=True, live=True)
        with right:
            until = date_field("Closes to", key="until", help=close_help, past=True, live=True)
        made_before = date_field(
            "Forecasts made before",
            key="made-before",
            help="Later forecasts do not count, for example those made after an article appeared.",
            past=True,
            live=True,
        )
        lead = st.number_input(
            "Days before scheduled close",
            value=None,
            min_value=0.0,
            step=1.0,
            format="%g",
            key="lead",
            bind="query-params",
            placeholder="all times",
            help="Blank: each forecast counts for as long as it was active. A number: only the "
            "forecast active so many days before the scheduled close counts.",
        )
    try:
        first, last, before = (one.day(now()) for one in (since, until, made_before))
        return Choice(
            cohort=_COHORTS[cohort],
            tags=tuple(tags),
            since=None if first is None else datetime.combine(first, time.min, UTC),
            until=None if last is None else datetime.combine(last, time.max, UTC),
            lead=lead,
            made_before=None if before is None else datetime.combine(before, time.min, UTC),
        )
    except BadInput as error:
        st.warning(as_text(str(error)))
        st.stop()
