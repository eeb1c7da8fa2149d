"""The three ways into an empty ledger."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from app.progress import progress
from app.session import act, form_key
from app.words import added
from forecasts import beginnings
from forecasts.exchange.importing import Imported


def ways_in() -> None:
    """Show how an empty ledger begins."""
    st.info("This ledger is empty. There are three ways in.")
    articles, tournament, question = st.columns(3, border=True)
    with articles:
        st.header("Questions from articles", anchor=False)
        st.write(
            "Three articles of July 2025 in our own words, and 28 real questions drawn from them; "
            "those whose outcome is known are resolved."
        )
        _way("article-questions", "Take them in", beginnings.article_questions)
    with tournament:
        st.header("A sample tournament", anchor=False)
        st.write(
            "Three teams of **simulated** forecasters, one of them overconfident, on 300 invented "
            "questions; every name says so. It shows what reports are like."
        )
        _way("tournament", "Take it in", beginnings.sample_tournament)
    with question:
        st.header("A question of your own", anchor=False)
        st.write("Something that will have an answer, and when; or take one from an article.")
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


def _way(name: str, label: str, take_in: Callable[..., Imported]) -> None:
    """Show the button that takes something in."""
    key = form_key(name)
    if st.button(label, key=f"{key}-go", type="primary", width="stretch"):
        with act(key) as doing, progress("Taking it in") as tell:
            done = take_in(doing.ledger, member=doing.member, now=doing.now, tell=tell)
            doing.say(f"Taken in: {added(done)}.")
