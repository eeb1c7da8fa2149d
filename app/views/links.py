"""Links to the pages of questions and articles."""

from __future__ import annotations

import streamlit as st

from app.markdown_text import as_text, shortened
from forecasts.ledger.models import Article
from forecasts.questions.standing import QuestionState

_LONGEST = 160  # characters of a title in a list; the question's page has it in full


def question_link(state: QuestionState, page: str = "question", label: str = "") -> None:
    """Show ``label``, or else the question's title, as a link to ``page``."""
    label = label or as_text(shortened(state.text.title, _LONGEST))
    st.page_link(f"app_pages/{page}.py", label=label, query_params={"slug": state.slug})


def article_link(article: Article) -> None:
    """Show the article's title as a link to it."""
    query = {"article": str(article.id)}
    st.page_link("app_pages/articles.py", label=as_text(article.title), query_params=query)
