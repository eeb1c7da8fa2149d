"""The three ways into an empty ledger."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from app.markdown_text import added
from app.session import act, form_key
from app.views.progress import progress
from forecasts.exchange.import_ import Imported
from forecasts.exchange.samples import starters


def ways_in() -> None:
    """Show how an empty ledger begins."""
    st.info("This ledger is empty. There are three ways in.")
    with st.container(key="card-ways"):
        columns = st.columns(3, border=True)
    # What leads on stands at the foot of each, side by side.
    articles, tournament, question = (
        column.container(height="stretch", vertical_alignment="distribute") for column in columns
    )
    with articles:
        _says(
            "Questions from articles",
            "Three articles of July 2025 in our own words, and 28 real questions drawn from them; "
            "those whose outcome is known are resolved.",
        )
        _way("article-questions", "Take in the questions", starters.article_questions)
    with tournament:
        _says(
            "A sample tournament",
            "Three teams of **simulated** forecasters, one of them overconfident, on 300 invented "
            "questions; every name says so. It shows what reports are like.",
        )
        _way("tournament", "Take in the tournament", starters.sample_tournament)
    with question:
        _says(
            "A question of your own",
            "Something that will have an answer, and when; or take one from an article.",
        )
        with st.container(gap="xsmall"):
            st.page_link(
                "app_pages/questions.py",
                label="Ask a question",
                query_params={"view": "Ask a question"},
            )
            st.page_link("app_pages/articles.py", label="Capture an article")
    st.caption(
        "What is taken in stays: a ledger is only ever added to. To look at all of it in a ledger "
        "of its own instead, run in a terminal: forecasts demo"
    )
    st.page_link("app_pages/exchange.py", label="Or import a ledger folder")


def _says(title: str, words: str) -> None:
    """Show what a way in is."""
    with st.container():
        st.header(title, anchor=False)
        st.write(words)


def _way(name: str, label: str, take_in: Callable[..., Imported]) -> None:
    """Show the button that takes something in."""
    key = form_key(name)
    if st.button(label, key=f"{key}-go", type="primary", width="stretch"):
        with act(key) as doing, progress("Taking it in") as tell:
            done = take_in(doing.ledger, member=doing.member, now=doing.now, tell=tell)
            doing.say(f"Taken in: {added(done)}.")
