"""The three ways to start with an empty ledger."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.markdown_text import added
from app.session import act, form_key
from app.views.links import ask_link
from app.views.progress import progress
from forecasts.exchange.import_ import Imported
from forecasts.exchange.samples import starters


def ways_in() -> None:
    """Show the sample questions, the sample tournament and the links to ask a first question."""
    st.info("This ledger is empty. Start in one of three ways.")
    with st.container(key="card-ways"):
        columns = st.columns(3, border=True)
    with _card(
        columns[0],
        "Sample questions",
        "Three articles of July 2025 and 28 real questions drawn from them, many of them resolved.",
    ):
        _add_button("article-questions", "Open the sample questions", starters.article_questions)
    with _card(
        columns[1],
        "Sample tournament",
        "Three teams of **simulated** forecasters, one of them overconfident, on 300 invented "
        "questions. Good for exploring the reports.",
    ):
        _add_button("tournament", "Open the sample tournament", starters.sample_tournament)
    own = "Anything with an answer on a known day. Or find one in an article."
    with _card(columns[2], "Your own question", own), st.container(gap="xsmall"):
        ask_link()
        st.page_link("app_pages/articles.py", label="Capture an article")
    st.caption(
        "Samples cannot be removed from a ledger. To see them in a separate ledger, run this in a "
        "terminal: forecasts demo"
    )
    st.page_link("app_pages/exchange.py", label="Import a ledger folder")


def _card(column: DeltaGenerator, title: str, text: str) -> DeltaGenerator:
    """Show a card's text; return the card, whose button goes to its foot."""
    card = column.container(height="stretch", vertical_alignment="distribute")
    with card.container():
        st.header(title, anchor=False)
        st.write(text)
    return card


def _add_button(name: str, label: str, add: Callable[..., Imported]) -> None:
    """Show the button that adds a sample to the ledger."""
    key = form_key(name)
    if st.button(label, key=f"{key}-go", type="primary", width="stretch"):
        with act(key) as doing, progress("Adding the sample") as tell:
            done = add(doing.ledger, on_progress=tell, **doing.by)
            doing.say(f"Added: {added(done)}.")
