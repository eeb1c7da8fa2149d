"""The theme of the member's settings, in this browser.

Streamlit keeps the choice of its own menu in the browser, for each address by which the app was
opened. The script ``theme.js`` writes it there for every page, and reloads once if it differed.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from app.session import my_preferences

_mount = st.components.v2.component(
    "theme", js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
)


def apply_theme(current: str, pages: Sequence[str]) -> None:
    """Mount the script; it shows nothing. The arguments are paths below the app's root."""
    chosen = my_preferences().theme
    theme = "System" if chosen is None else chosen.value.capitalize()
    data = {"theme": theme, "current": current, "pages": list(pages)}
    with st.container(key="theme"):
        _mount(key="theme-script", data=data)
