"""A question in a list, whose title leads to one of its pages; and the page of a list."""

from __future__ import annotations

import streamlit as st

from app.markdown_text import as_text, link_to, shortened
from forecasts.questions.standing import QuestionState

_LONGEST = 160  # signs of a title in a list; it is whole on the question's own page


def question_link(state: QuestionState, page: str = "question") -> None:
    """Show the question's title as a link to its page of that name."""
    st.page_link(
        f"app_pages/{page}.py",
        label=as_text(shortened(state.text.title, _LONGEST)),
        query_params=link_to(state.question),
    )


def page_asked() -> int:
    """Return which page is asked for, by a click or by the address."""
    asked = str(st.session_state.get("page") or st.query_params.get("page", ""))
    return int(asked) if asked.isdecimal() and len(asked) < 7 else 1
