"""The other forms of a report or a comparison, to take away."""

from __future__ import annotations

from functools import partial

import streamlit as st

from forecasts.reports import Report
from forecasts.reports.comparison import Comparison
from forecasts.reports.render.formats import renderer

_TYPES = {
    "pdf": "application/pdf",
    "html": "text/html",
    "csv": "text/csv",
    "md": "text/markdown",
    "json": "application/json",
}


def downloads(made: Report | Comparison, stem: str) -> None:
    """Show a button for each form, which is made when it is asked for."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Download", width="content")
        for form, mime in _TYPES.items():
            st.download_button(
                form.upper(),
                data=partial(_document, made, form),
                file_name=f"{stem}.{form}",
                mime=mime,
                key=f"download-{form}",
                on_click="ignore",
            )


def _document(made: Report | Comparison, form: str) -> str | bytes:
    return renderer(made, form)(made)
