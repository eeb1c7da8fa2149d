"""Which questions a page counts: those whose scheduled close has passed, or all resolved ones."""

from __future__ import annotations

import streamlit as st

from forecasts.reports.report import Cohort

_COHORTS: dict[str, Cohort] = {
    "Scheduled close has passed": "scheduled",
    "All resolved": "resolved",
}


def pick_cohort() -> Cohort:
    """Show the choice, which stands in the address; return it."""
    picked = st.selectbox(
        "Questions",
        list(_COHORTS),
        key="cohort",
        bind="query-params",
        help="Questions that are resolved early lean to “yes”. Those whose scheduled close has "
        "passed are a fair sample; all resolved ones are more, and tilted.",
    )
    return _COHORTS[picked]
