"""First steps: the ways to start with an empty ledger, and the sample ledger beside the own one."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.forms.one_line import one_line_entry
from app.session import engine, memory, now, open_ledger, reading, rights_here, shown_errors
from app.views.widgets import page_link, progress
from forecasts.access.oidc_settings import configured_sign_in
from forecasts.access.roles import Action
from forecasts.ledger.urls import sqlite_path
from forecasts.samples import demonstration

EXAMPLE = "Will it rain in London tomorrow? 30%"
_STEPS = 7  # that the demonstration announces while it is built


def ways_in() -> None:
    """Show the line for the first question, and the other ways to start."""
    with reading() as ledger:
        may_ask = rights_here(ledger).allows(Action.ask)
    if not may_ask:
        st.info("No questions yet. Asking the first one requires the forecaster role.")
        return
    st.header("Ask your first question", anchor=False)
    one_line_entry(example=EXAMPLE)
    st.header("Or start here", anchor=False)
    ways = st.columns(3 if sample_offered() else 2, border=True)
    with ways[0]:
        page_link("articles", "Capture an article")
        st.caption("Its sentences about the future become questions.")
    with ways[1]:
        page_link("exchange", "Bring your record")
        st.caption("From Metaculus, Fatebook and others, or a spreadsheet.")
    if sample_offered():
        with ways[2]:
            sample_button()
            st.caption("Simulated people and data, in a ledger of their own.")


def sample_offered() -> bool:
    """Return whether the sample can be opened: only beside one's own file, not on a server."""
    own = sqlite_path(engine())
    return own not in (None, demonstration.ledger_path()) and configured_sign_in() is None


def sample_button() -> None:
    """Show the button that opens the sample ledger."""
    if st.button(
        label="Open the sample ledger",
        help="300 simulated questions and 28 real ones. Your own ledger is not changed.",
        key="open-sample",
        type="tertiary",
    ):
        with shown_errors():
            open_ledger(_sample_url(), demonstration.READER)


def _sample_url() -> str:
    with progress("Building the sample ledger") as tell:

        def follow(line: str) -> None:
            step, _, words = line.partition(". ")
            if step.isdigit():
                tell(words, int(step) / (_STEPS + 1))

        return demonstration.opened(now=now(), echo=follow)


def sample_banner() -> None:
    """Show that this is the sample ledger, and the way back if it was opened from the own one."""
    how: Any = {"horizontal_alignment": "distribute", "vertical_alignment": "center"}
    with st.container(key="sample", horizontal=True, **how):
        st.markdown("**Sample ledger**: simulated people and data")
        # Not a callback: it would run before the page, and hand a form's save to the other ledger.
        if memory().sample and st.button("Back to your ledger", key="leave-sample"):
            open_ledger()
