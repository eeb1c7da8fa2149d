"""The download buttons of a report or a comparison."""

from __future__ import annotations

from functools import partial

import streamlit as st

from forecasts.reports import Report, formats
from forecasts.reports.comparison import Comparison

_TYPES: dict[formats.Format, str] = {
    "pdf": "application/pdf",
    "html": "text/html",
    "csv": "text/csv",
    "md": "text/markdown",
    "json": "application/json",
}


def downloads(made: Report | Comparison, stem: str) -> None:
    """Show a button per file format; a file is made when its button is clicked."""
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


def _document(made: Report | Comparison, form: formats.Format) -> str | bytes:
    return formats.rendered(made, form)
