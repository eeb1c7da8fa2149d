"""Widgets that pages share: links, pages of a list, switches, metrics, downloads, progress."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.markdown_text import as_text, link, paragraphs, picture, shortened
from forecasts.ledger.models import Article
from forecasts.questions.standing import QuestionState

Item = TypeVar("Item")
LIVE = "100ms"  # of rest until a search is read
_LONGEST = 160  # characters of a title in a list; the question's page has it in full
_MOST_DRAWN = 16  # points of a sparkline
# Of it: pixels, and colours that are seen on the pages of both themes.
_STEP, _HEIGHT, _STROKE, _DASHED = 6, 20, "#3d8dbb", "#808a94"
_TYPES = {
    ".csv": "text/csv",
    ".html": "text/html",
    ".json": "application/json",
    ".md": "text/markdown",
    ".pdf": "application/pdf",
    ".zip": "application/zip",
}


def page_link(page: str, label: str, help: str | None = None, **query: str) -> None:
    """Show ``label``, in Markdown, as a link to a page; ``query``: parameters of its address."""
    st.page_link(f"app_pages/{page}.py", label=label, help=help, query_params=query or None)


def question_link(state: QuestionState, page: str = "question", label: str = "") -> None:
    """Show ``label``, or else the question's title, as a link to ``page``."""
    page_link(page, label or as_text(shortened(state.text.title, _LONGEST)), slug=state.slug)


def question_line(
    state: QuestionState, caption: str, page: str = "question", *, border: bool = False
) -> None:
    """Show a question as a link to ``page`` with a ``caption``, in Markdown, below it."""
    with st.container(border=border, gap=None):
        question_link(state, page)
        st.caption(caption)


def sparkline(
    points: Sequence[float | None],
    alt: str = "",
    *,
    between: tuple[float, float] = (0.0, 1.0),
    middle: bool = False,
) -> str:
    """Return a line of points ``between`` two values, as an image in Markdown.

    None: nothing at that place. Of many points, some are drawn, among them the last. ``middle``:
    with a dashed line halfway up.
    """
    low, high = between
    scale = (_HEIGHT - 4) / ((high - low) or 1.0)
    points = points[:: -math.ceil(len(points) / _MOST_DRAWN)][::-1]
    path = " ".join(
        f"{place * _STEP + 2},{round(_HEIGHT - 2 - (p - low) * scale, 1)}"
        for place, p in enumerate(points)
        if p is not None
    )
    width = (len(points) - 1) * _STEP + 4
    dashed = f"<path d='M0 {_HEIGHT / 2}H{width}' stroke='{_DASHED}' stroke-dasharray='4 3'/>"
    svg = (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='{_HEIGHT}'>"
        f"{dashed if middle else ''}"
        f"<polyline points='{path}' fill='none' stroke='{_STROKE}' stroke-width='1.5'/></svg>"
    )
    return picture(svg, alt)


def titled(title: str, *said: str) -> None:
    """Show a header with captions, in Markdown, beside it."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.header(title, anchor=False, width="content")
        st.caption(" · ".join(said))


def article_link(article: Article) -> None:
    """Show the article's title as a link to it."""
    page_link("articles", as_text(article.title), article=str(article.id))


def note_and_source(note: str, source: str = "") -> None:
    """Show a note and the address of its source, if there are such."""
    if note:
        st.markdown(paragraphs(note))
    if source:
        st.markdown(link(source, source))


def shown_page(items: Sequence[Item], key: str, size: int) -> Sequence[Item]:
    """Show the choice of a page if there are several; return the page's items."""
    pages = -(-len(items) // size)
    number = st.pagination(pages, key=key) if pages > 1 else 1
    return items[(number - 1) * size : number * size]


def page_asked(key: str) -> int:
    """Return the requested page number of a list, from a click or the address."""
    asked = str(st.session_state.get(key) or st.query_params.get(key, ""))
    return int(asked) if asked.isdecimal() and len(asked) < 7 else 1


def search_field(
    label: str, key: str, placeholder: str, pages: str = "", *, width: int | None = None
) -> str:
    """Show a search field, read at each pause in typing, kept in the address; return its words.

    Streamlit lets pages share a ``key``, so each has its own. ``pages``: that of its pages.
    """
    return st.text_input(
        label,
        key=key,
        type="search",
        placeholder=placeholder,
        bind="query-params",
        live=LIVE,
        on_change=_first_page,
        args=(pages,),
        label_visibility="collapsed",
        width=width or "stretch",
    )


def _first_page(key: str) -> None:
    """Show the results of another search from their first page on."""
    if key and key in st.session_state:
        st.session_state[key] = 1


def switch(label: str, options: Sequence[str], key: str, **how: Any) -> str:
    """Show options side by side, one of them always chosen, at first the first; return it.

    It is kept in the address. ``how``: as in ``st.segmented_control``.
    """
    how = {"default": options[0], "bind": "query-params", **how}
    chosen: str | None = st.segmented_control(label, options, required=True, key=key, **how)
    return chosen or str(how["default"])


def metrics(key: str, shown: Mapping[str, tuple[str, str]]) -> list[DeltaGenerator]:
    """Show numbers side by side, each a name with its value and help; return their columns."""
    with st.container(key=f"figures-{key}"):
        columns = st.columns(len(shown))
    for column, (name, (value, help_text)) in zip(columns, shown.items(), strict=True):
        column.metric(name, value, help=help_text)
    return columns


def download(label: str, data: Any, name: str, *, key: str, **how: Any) -> None:
    """Show the button that downloads a file; ``data``: its content, or a function that makes it.

    ``how``: as in ``st.download_button``.
    """
    how = {"mime": _TYPES.get(Path(name).suffix), **how}
    st.download_button(label, data, name, key=key, on_click="ignore", **how)


@contextmanager
def progress(
    doing: str, help: str = "Nothing is stored."
) -> Iterator[Callable[[str, float], None]]:
    """Yield a function that shows the progress. A click on Stop ends the work at its next call.

    Streamlit does this: any click starts a new run of the page and ends the working run at its
    next output, which rolls its transaction back.
    """
    place = st.empty()
    with place.container(border=True):
        bar = st.progress(0.0, text=f"{doing} …")
        st.button("Stop", key="stop", help=help)

    def show(words: str, share: float) -> None:
        bar.progress(min(max(share, 0.0), 1.0), text=f"{doing}: {words}")

    try:
        yield show
    finally:
        place.empty()
