"""Disputes: who holds an outcome to be wrong says so, and whoever may resolve it decides."""

from __future__ import annotations

import streamlit as st

from app.markdown_text import as_text, link_to, paragraphs, shortened, when
from app.session import act, form_key
from app.views.links import question_link
from forecasts.ledger.models import Dispute, Resolution
from forecasts.questions.standing import QuestionState
from forecasts.resolution import disputes


def dispute_form(state: QuestionState) -> None:
    """Show the form in which the outcome is disputed."""
    key = form_key(f"dispute-{state.slug}")
    with st.form(key, border=False):
        reason = st.text_area(
            "What is wrong with it",
            key=f"{key}-reason",
            height=90,
            help="Whoever may resolve the question reads it, and decides. It is kept.",
        )
        submitted = st.form_submit_button("Dispute the outcome", key=f"{key}-go")
    if submitted:
        with act(key) as doing:
            disputes.dispute(
                doing.ledger,
                state.question,
                member=doing.member,
                now=doing.now,
                reason=reason or "",
            )
            doing.say("Disputed. It waits for a decision, and until then no score on it is final.")


def disputed(
    row: Dispute, resolution: Resolution, state: QuestionState, who: str, *, may: bool
) -> None:
    """Show one dispute with the two ways to end it."""
    key = form_key(f"disputed-{row.id}")
    with st.container(border=True, gap="small"):
        question_link(state)
        st.markdown(f"Resolved: **{as_text(resolution.outcome)}**, and disputed")
        st.caption(f"{as_text(who)} · {when(row.recorded_at)}")
        st.markdown(paragraphs(row.reason))
        if not may:
            st.caption("It takes its author or a resolver to decide on it.")
            return
        with st.form(key, border=False):
            reason = st.text_input(
                "Why the outcome stands", key=f"{key}-reason", help="It is kept. It may be blank."
            )
            upheld = st.form_submit_button("Uphold the outcome", key=f"{key}-uphold")
        st.page_link(
            "app_pages/resolve.py",
            label="It came out otherwise: correct it",
            query_params=link_to(state.question),
        )
    if upheld:
        with act(key) as doing:
            disputes.uphold(
                doing.ledger,
                state.question,
                member=doing.member,
                now=doing.now,
                reason=reason or "",
            )
            doing.say(f"Upheld: {resolution.outcome} on “{shortened(state.text.title, 60)}”.")
