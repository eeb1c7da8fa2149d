"""The keyboard on every page: focus after a save, Enter, shortcuts, and typed text kept.

The script is ``keyboard.js`` with ``typed_ahead.js`` and ``entered_ahead.js``. It finds elements by
the class that Streamlit makes of their key. A container with the key ``act-…``, the same before and
after a save, holds the fields of one act and its button, whose key ends in ``-save``: Enter in any
of the fields presses it. A container with the key ``around-…`` holds a form, which Enter in any
field of it submits. A field is replaced by a save, with a new key, and never blanked: what is typed
meanwhile is put into the new one. Cards of Today are saved one after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import streamlit as st

from app.session import page_state

_mount = st.components.v2.component(
    "keyboard",
    js="".join(
        Path(__file__).with_name(name).read_text(encoding="utf-8")
        for name in ("keyboard.js", "typed_ahead.js", "entered_ahead.js")
    ),
)

_SHORTCUTS = """
| key | action |
|---|---|
| `n` | new question |
| `f` | first forecast on the page |
| `/` | search |
| `u` | to Undo, after an update |
| `d` | to Discard, of a value not saved yet |
| `Enter` | save, in a field of a forecast or a new question |
| `Ctrl+S`, `Ctrl+Enter` | save, in any field |
| `F1` | help on the field |
| `?` | this list |
"""


@dataclass
class Focus:
    """The element to focus once: its key, and the number of the request."""

    place: str = ""
    following: bool = False
    turn: int = 0


def focus_on(place: str, *, following: bool = False) -> None:
    """Focus the first field in the element with the key ``place`` after the next run.

    ``following``: the act after it instead, in the order that the page had before the run.
    """
    focus = page_state(Focus)
    focus.place, focus.following, focus.turn = place, following, focus.turn + 1


def mount_keyboard(
    name: str = "page", lists: Sequence[Sequence[tuple[str, str]]] | None = None
) -> None:
    """Mount the script, which shows nothing; a fragment mounts it again for its own runs.

    ``lists``: the page's lists of cards, those yet to be drawn too: an act's key and its title.
    """
    focus = page_state(Focus)
    with st.container(key=f"keyboard-{name}"):
        _mount(key=f"keyboard-script-{name}", data={**asdict(focus), "lists": lists})


def keyboard() -> None:
    """Mount the script, and show the list of its shortcuts."""
    mount_keyboard()
    with st.container(key="shortcuts"), st.popover("?", help="Keyboard shortcuts"):
        st.markdown(_SHORTCUTS)
