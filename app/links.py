"""A question in a list: its title, which leads to one of its pages."""

from __future__ import annotations

import streamlit as st

from app.words import as_text, link_to, shortened
from forecasts.questions import Stands

_LONGEST = 160  # signs of a title in a list; it is whole on the question's own page


def question_link(stands: Stands, page: str = "question") -> None:
    """Show the question's title as a link to its page of that name."""
    st.page_link(
        f"app_pages/{page}.py",
        label=as_text(shortened(stands.text.title, _LONGEST)),
        query_params=link_to(stands.question),
    )
