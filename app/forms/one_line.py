"""The one line: a question, its date and a probability; Enter saves them."""

from __future__ import annotations

import streamlit as st


def one_line_entry(*, example: str = "") -> None:
    """Show the line that registers and forecasts a question, and the last one saved with it.

    Call it first on a page: the confirmation then appears before the page has read anything else.
    ``example``: a line that one click fills in, for an empty ledger.
    """
    with st.container(key="act-one-line", horizontal=True):
        st.text_input("New question", key="one-line-title", placeholder=example or "Will … by …?")
