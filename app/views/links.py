"""Links to questions, and the page number of a list."""

from __future__ import annotations

import streamlit as st

from app.markdown_text import as_text, link_to, shortened
from forecasts.questions.standing import QuestionState

_LONGEST = 160  # characters of a title in a list; the question's page has it in full


def question_link(state: QuestionState, page: str = "question") -> None:
    """Show the question's title as a link to ``page``."""
    st.page_link(
        f"app_pages/{page}.py",
        label=as_text(shortened(state.text.title, _LONGEST)),
        query_params=link_to(state.question),
    )


def page_asked() -> int:
    """Return the requested page number of a list, from a click or the address."""
    asked = str(st.session_state.get("page") or st.query_params.get("page", ""))
    return int(asked) if asked.isdecimal() and len(asked) < 7 else 1
