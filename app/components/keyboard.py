"""The keyboard on every page: focus after a save, Enter, shortcuts, and typed text kept.

The script is ``keyboard.js``. It finds elements by the class that Streamlit makes of their key. A
container with the key ``act-…`` holds the fields of one act and its button, whose key ends in
``-save``: Enter in any of the fields presses it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from app.session import page_state

_mount = st.components.v2.component(
    "keyboard", js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
)

_SHORTCUTS = """
| key | action |
|---|---|
| `n` | new question |
| `f` | first forecast on the page |
| `/` | search |
| `Enter` | save, in a field of a forecast |
| `Ctrl+S`, `Ctrl+Enter` | save, in any field |
| `F1` | help on the field |
| `?` | this list |
"""


@dataclass
class _Focus:
    """The element to focus once: its key, and the number of the request."""

    place: str = ""
    following: bool = False
    turn: int = 0


def focus_on(place: str, *, following: bool = False) -> None:
    """Focus the first field in the element with the key ``place`` after the next run.

    ``following``: the act after it instead, in the order that the page had before the run.
    """
    focus = page_state(_Focus)
    focus.place, focus.following, focus.turn = place, following, focus.turn + 1


def keyboard() -> None:
    """Mount the script, which shows nothing, and the list of its shortcuts."""
    focus = page_state(_Focus)
    with st.container(key="keyboard"):
        _mount(
            key="keyboard-script",
            data={"place": focus.place, "following": focus.following, "turn": focus.turn},
        )
    with st.container(key="shortcuts"), st.popover("?", help="Keyboard shortcuts"):
        st.markdown(_SHORTCUTS)
