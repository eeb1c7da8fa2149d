"""The download buttons: a report or a comparison in each format, a ledger folder, receipts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import streamlit as st

from app.session import current_member, now, reading
from forecasts.exporting.export import as_zip, exported, packed_folder
from forecasts.ledger.receipts import receipts
from forecasts.reports import Report, formats
from forecasts.reports.comparison import Comparison

_TYPES: dict[formats.Format, str] = {
    "pdf": "application/pdf",
    "html": "text/html",
    "csv": "text/csv",
    "md": "text/markdown",
    "json": "application/json",
}


def downloads(
    made: Report | Comparison, stem: str, tables: Mapping[str, Callable[[], str]] = {}
) -> None:
    """Show a button per table, in CSV, and per file format; a click makes the file."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Download", width="content")
        for label, table in tables.items():
            st.download_button(
                f"{label} (CSV)",
                data=table,
                file_name=f"{stem}-{label.lower()}.csv",
                mime="text/csv",
                key=f"download-{label}",
                on_click="ignore",
            )
        for form, mime in _TYPES.items():
            st.download_button(
                form.upper(),
                data=partial(formats.rendered, made, form),
                file_name=f"{stem}.{form}",
                mime=mime,
                key=f"download-{form}",
                on_click="ignore",
            )


def ledger_folder_button(
    label: str, *, key: str, questions: Sequence[str] | None = None, primary: bool = False
) -> None:
    """Show the button that downloads the reader's part of the ledger, or of some questions."""

    def archive() -> bytes:
        with reading() as ledger:
            member = current_member(ledger)
            if questions is None:
                return packed_folder(ledger, member=member, now=now())
            frames, _ = exported(ledger, member=member, now=now(), questions=questions)
            return as_zip(frames)

    st.download_button(
        label,
        data=archive,
        file_name="ledger-folder.zip",
        mime="application/zip",
        key=key,
        on_click="ignore",
        type="primary" if primary else "secondary",
    )


def receipts_button(ids: Sequence[int], stem: str) -> None:
    """Show the button that downloads the receipts of the reader's own forecasts."""

    def made() -> str:
        with reading() as ledger:
            return json.dumps([one.as_json() for one in receipts(ledger, ids)], indent=2)

    st.download_button(
        "Receipts of your forecasts",
        data=made,
        file_name=f"{stem}.json",
        mime="application/json",
        key="download-receipts",
        on_click="ignore",
        help="They prove later that your forecasts are unchanged: "
        "`forecasts verify --receipt FILE`",
    )
