"""Work that takes more than a moment: how far it is, and a way to stop it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import streamlit as st


@contextmanager
def progress(doing: str) -> Iterator[Callable[[str, float], None]]:
    """Yield what tells how far the work is. A click on Stop ends it at the next word of it.

    That is Streamlit's doing: any click runs the page anew, and the run that works is ended from
    within, wherever it next shows something; the transaction that it is in is undone with it.
    """
    place = st.empty()
    with place.container(border=True):
        bar = st.progress(0.0, text=f"{doing} …")
        st.button("Stop", key="stop", help="Nothing of it is stored then.")
    try:
        yield lambda words, share: _show(bar, f"{doing}: {words}", share)
    finally:
        place.empty()


def _show(bar: st.delta_generator.DeltaGenerator, words: str, share: float) -> None:
    bar.progress(min(max(share, 0.0), 1.0), text=words)
