"""The form for a comment on a question that explains no forecast."""

from __future__ import annotations

import streamlit as st

from app.session import act, form_key
from forecasts.questions.standing import QuestionState
from forecasts.updates.comments import comment


def comment_form(state: QuestionState) -> None:
    """Show the form, and submit it."""
    key = form_key(f"comment-{state.slug}")
    with st.form(key):
        text = st.text_area("Comment", key=f"{key}-text", height=80)
        submitted = st.form_submit_button("Add comment", key=f"{key}-save")
    if submitted:
        with act(key) as doing:
            comment(doing.ledger, state.question, text, **doing.by)
            doing.say("Added your comment.")
