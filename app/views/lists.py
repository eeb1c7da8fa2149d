"""Tables, and the search and pages of a long list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

import streamlit as st

from app.markdown_text import as_text
from forecasts.documents.document import Table

Item = TypeVar("Item")


def table(columns: Mapping[str, Sequence[str]]) -> None:
    """Show ``columns``, Markdown cells under their headings."""
    st.table(columns, hide_index=True, border="horizontal")


def report_table(shown: Table) -> None:
    """Show a table of a report with its note below."""
    table(
        {
            name or " ": [as_text(row[place]) for row in shown.rows]
            for place, name in enumerate(shown.head)
        }
    )
    if shown.note:
        st.caption(as_text(shown.note))


def shown_page(items: Sequence[Item], key: str, size: int) -> Sequence[Item]:
    """Show the choice of a page if there are several; return the page's items."""
    pages = -(-len(items) // size)
    number = st.pagination(pages, key=key) if pages > 1 else 1
    return items[(number - 1) * size : number * size]


def page_asked() -> int:
    """Return the requested page number of a list, from a click or the address."""
    asked = str(st.session_state.get("page") or st.query_params.get("page", ""))
    return int(asked) if asked.isdecimal() and len(asked) < 7 else 1


def search_field(label: str, key: str, placeholder: str) -> str:
    """Show a search field, kept in the address; return its words."""
    return st.text_input(
        label,
        key=key,
        type="search",
        placeholder=placeholder,
        bind="query-params",
        label_visibility="collapsed",
    )
