"""Send the page that one is reading to Articles: a bookmarklet, and the system's share menu.

The bookmarklet passes the page's address, title and selected text in the query of a link; nothing
is fetched. The share menu of a phone passes the same (``web/routes.py``).
"""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote

import streamlit as st

_mount = st.components.v2.component(
    "share",
    js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8"),
    css="a { color: var(--st-link-color); font: 600 1rem var(--st-font); cursor: grab; }",
)
_CODE = (
    "(()=>{const q=new URLSearchParams({url:location.href,title:document.title.slice(0,300),"
    "text:String(getSelection()).slice(0,4000)});window.open(%s+'/articles?'+q)})()"
)


def bookmarklet(base: str) -> str:
    """Return the bookmarklet's address, for the app at ``base``."""
    return "javascript:" + quote(_CODE % json.dumps(base), safe="()[]{}=>.,;:'+?!/")


def share_link(base: str) -> None:
    """Show the bookmarklet as a link to drag; it also lets phones install the app to share with."""
    _mount(key="share-link", data={"href": bookmarklet(base), "label": "Ask about this page"})
