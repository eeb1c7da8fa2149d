"""The progress of slow work, with a button that stops it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import streamlit as st


@contextmanager
def progress(doing: str) -> Iterator[Callable[[str, float], None]]:
    """Yield a function that shows the progress. A click on Stop ends the work at its next call.

    Streamlit does this: any click starts a new run of the page and ends the working run at its
    next output, which rolls its transaction back.
    """
    place = st.empty()
    with place.container(border=True):
        bar = st.progress(0.0, text=f"{doing} …")
        st.button("Stop", key="stop", help="Nothing is stored.")

    def show(words: str, share: float) -> None:
        bar.progress(min(max(share, 0.0), 1.0), text=f"{doing}: {words}")

    try:
        yield show
    finally:
        place.empty()
