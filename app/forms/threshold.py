"""The score from which the inbox suggests articles for a question, shown and set by the reader."""

from __future__ import annotations

import streamlit as st

from app.session import act, current_member, form, now, reading
from forecasts.common.text import count
from forecasts.news import inbox
from forecasts.news.matches import LEAST
from forecasts.questions.standing import QuestionState


def threshold_form(state: QuestionState) -> None:
    """Show the reader's threshold of a question, and the form that sets it."""
    name = f"threshold-{state.slug}"
    opened = st.expander("Suggested articles", key=name, on_change="rerun")
    if not opened.open:  # which the page then does not read
        return
    with reading() as ledger:
        member = current_member(ledger)
        if member is None:
            return
        held = inbox.threshold(ledger, state.question, member=member, now=now())
    with opened, form(name, border=False) as key:
        score = st.number_input(
            "Suggest from a score of",
            LEAST,
            1.0,
            held.score,
            0.05,
            "%.2f",
            key=f"{key}-score",
            help="The score says how well an article fits the question. News suggests articles "
            "with at least this score; a higher score means fewer suggestions.",
        )
        answers = f"{count(held.accepted, 'article')} accepted, {held.dismissed} dismissed"
        if held.is_own:
            st.caption(f"Your own score: {answers}.")
        elif held.accepted or held.dismissed:
            st.caption(f"Learned from your answers: {answers}.")
        else:
            st.caption("Usual score: you have no answers to learn from yet.")
        with st.container(horizontal=True):
            own = st.form_submit_button("Save score", key=f"{key}-save")
            learned = held.is_own and st.form_submit_button("Use learned score", key=f"{key}-learn")
    if own or learned:
        with act(key) as doing:
            wanted = score if own else None
            set_to = inbox.set_threshold(doing.ledger, state.question, wanted, **doing.by).score
            doing.say(f"Articles are suggested from a score of {set_to:.2f}.")
