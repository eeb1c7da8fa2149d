"""The forms that dispute an outcome and uphold it."""

from __future__ import annotations

import streamlit as st

from app.markdown_text import as_text, paragraphs, shortened
from app.session import act, form_key
from app.times import when
from app.views.links import question_link
from forecasts.ledger.models import Dispute, Resolution
from forecasts.questions.standing import QuestionState
from forecasts.resolution import disputes


def dispute_form(state: QuestionState) -> None:
    """Show the form that disputes the outcome."""
    key = form_key(f"dispute-{state.slug}")
    with st.form(key, border=False):
        reason = st.text_area(
            "Reason to dispute",
            key=f"{key}-reason",
            height=90,
            help="A resolver reads it and decides. It is kept.",
        )
        submitted = st.form_submit_button("Dispute outcome", key=f"{key}-go")
    if submitted:
        with act(key) as doing:
            disputes.dispute(doing.ledger, state.question, reason=reason, **doing.by)
            doing.say("Disputed. Scores on this question are not final until a resolver decides.")


def disputed(
    row: Dispute, resolution: Resolution, state: QuestionState, who: str, *, may: bool
) -> None:
    """Show one dispute by ``who``, and the two ways to settle it if the reader ``may``."""
    key = form_key(f"disputed-{row.id}")
    with st.container(border=True, gap="small"):
        question_link(state)
        st.markdown(f"Resolved: **{as_text(resolution.outcome)}**, and disputed")
        st.caption(f"{as_text(who)} · {when(row.recorded_at)}")
        st.markdown(paragraphs(row.reason))
        if not may:
            st.caption("Only the author or a resolver can decide on it.")
            return
        with st.form(key, border=False):
            reason = st.text_input(
                "Reason to uphold", key=f"{key}-reason", help="Kept with the decision. Optional."
            )
            upheld = st.form_submit_button("Uphold outcome", key=f"{key}-uphold")
        question_link(state, "resolve", "Correct the outcome")
    if upheld:
        with act(key) as doing:
            disputes.uphold(doing.ledger, state.question, reason=reason, **doing.by)
            doing.say(f"Upheld: {resolution.outcome} on “{shortened(state.text.title, 60)}”.")
