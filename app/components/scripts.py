"""The few scripts of our own in the browser: keyboard and focus, the theme, sharing of pages.

**Keyboard** (``keyboard.js`` and the three scripts joined to it): focus after a save,
Enter, shortcuts, and typed text kept. It finds elements by the class that Streamlit makes of their
key. A container with the key ``act-…``, the same before and after a save, holds the fields of one
act and its button, whose key ends in ``-save``: Enter in any of the fields presses it. A container
with the key ``around-…`` holds a form, which Enter in any field of it submits. A field is replaced
by a save, with a new key, and never blanked: what is typed meanwhile is put into the new one. Cards
of Today are saved one after the other. A press of a button counts, once, however short it is
(``presses.js``).

**Theme** (``theme.js``): Streamlit keeps the choice of its own menu in the browser, for each
address by which the app was opened. The script writes the member’s there for every page, and
reloads once if it differed. It also registers the app's worker, without which phones do not
install it.

**Share** (``share.js``): a bookmarklet sends the page that one is reading to Articles: its address,
title and selected text in the query of a link; nothing is fetched. The share menu of a phone passes
the same (``web/routes.py``). ``copy_link.js`` copies the address of a question.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import streamlit as st

from app.session import my_preferences, page_state

_mount_keyboard = st.components.v2.component(
    "keyboard",
    js="".join(
        Path(__file__).with_name(name).read_text(encoding="utf-8")
        for name in ("keyboard.js", "typed_ahead.js", "entered_ahead.js", "presses.js")
    ),
)
_mount_theme = st.components.v2.component(
    "theme", js=Path(__file__).with_name("theme.js").read_text(encoding="utf-8")
)
_mount_share = st.components.v2.component(
    "share",
    js=Path(__file__).with_name("share.js").read_text(encoding="utf-8"),
    css="a { color: var(--st-link-color); font: 600 1rem var(--st-font); cursor: grab; }",
)
_mount_copy_link = st.components.v2.component(
    "copy_link",
    js=Path(__file__).with_name("copy_link.js").read_text(encoding="utf-8"),
    css="button { padding: 0; border: 0; background: none; color: var(--st-link-color);"
    " font: 400 0.875rem var(--st-font); text-decoration: underline; cursor: pointer; }",
)
_BOOKMARKLET = (
    "(()=>{const q=new "
    "URLSearchParams({url:location.href,title:document.title.slice(0,300),text:String(getSelection()).slice(0,4000)});window.open(%s+'/articles?'+q)})()"
)


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
    name: str = "page",
    lists: Sequence[Sequence[tuple[str, str]]] | None = None,
    *,
    longest: int = 0,
    on_pasted: Callable[[str], None] | None = None,
) -> None:
    """Mount the script, which shows nothing; a fragment mounts it again for its own runs.

    ``lists``: the page's lists of cards, those yet to be drawn too: an act's key and its title.
    ``on_pasted``: called with a text of several lines, an address, or more than ``longest``
    characters, that was pasted into the blank line.
    """
    focus, key = page_state(Focus), f"keyboard-script-{name}"
    data = {**asdict(focus), "lists": lists, "longest": longest}
    calls: dict[str, Any] = {}
    if on_pasted is not None:
        calls["on_pasted_change"] = lambda: on_pasted(st.session_state[key]["pasted"])
    with st.container(key=f"keyboard-{name}"):
        _mount_keyboard(key=key, data=data, **calls)


def keyboard() -> None:
    """Mount the script, and show the list of its shortcuts."""
    mount_keyboard()
    with st.container(key="shortcuts"), st.popover("?", help="Keyboard shortcuts"):
        st.markdown(
            "| key | action |\n|---|---|\n| `n` | new question |\n| `f` | first forecast on the "
            "page |\n| `/` | search |\n| `Esc` | leave the field |\n| `u` | go to Undo, after "
            "an update or an outcome |\n| `d` | go to Discard, for a value not saved yet |\n"
            "| `Enter` | save, in a field of a forecast or a new question |\n"
            "| `Ctrl+S`, `Ctrl+Enter` | save, in any field |\n"
            "| `F1` | help on the field |\n| `?` | this list |\n"
        )


def apply_theme(current: str, place: str, pages: Sequence[str]) -> None:
    """Mount the script; it shows nothing. The arguments are paths below the app's root.

    ``place``: the page to mark in the navigation.
    """
    chosen = my_preferences().theme
    theme = "System" if chosen is None else chosen.value.capitalize()
    data = {"theme": theme, "current": current, "place": place, "pages": list(pages)}
    with st.container(key="theme"):
        _mount_theme(key="theme-script", data=data)


def bookmarklet(base: str) -> str:
    """Return the bookmarklet's address, for the app at ``base``."""
    return "javascript:" + quote(_BOOKMARKLET % json.dumps(base), safe="()[]{}=>.,;:'+?!/")


def copy_link(address: str) -> None:
    """Show the button that copies an address, given relative to the page."""
    said = {"label": "Copy link", "done": "Link copied", "failed": "Copy by hand:"}
    data = {"address": address, **said}
    _mount_copy_link(key="copy-link", data=data, width="content")


def share_link(base: str) -> None:
    """Show the bookmarklet as a link to drag."""
    _mount_share(key="share-link", data={"href": bookmarklet(base), "label": "Ask about this page"})
