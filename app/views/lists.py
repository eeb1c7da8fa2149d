"""The search and the pages of a long list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import streamlit as st

Item = TypeVar("Item")


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
