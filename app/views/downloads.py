"""The download buttons: a report or a comparison in each format, a ledger folder, receipts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import streamlit as st

from app.session import current_member, now, reading
from app.views.widgets import download
from forecasts.exporting.export import as_zip, exported, packed_folder
from forecasts.ledger.receipts import receipts
from forecasts.reports import Report, formats
from forecasts.reports.comparison import Comparison

_FORMATS: tuple[formats.Format, ...] = ("pdf", "html", "csv", "md", "json")


def downloads(
    made: Report | Comparison, stem: str, tables: Mapping[str, Callable[[], str]] = {}
) -> None:
    """Show a button per table, in CSV, and per file format; a click makes the file."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Download", width="content")
        for label, table in tables.items():
            name = f"{stem}-{label.lower()}.csv"
            download(f"{label} (CSV)", table, name, key=f"download-{label}")
        for form in _FORMATS:
            content = partial(formats.rendered, made, form)
            download(form.upper(), content, f"{stem}.{form}", key=f"download-{form}")


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

    kind = "primary" if primary else "secondary"
    download(label, archive, "ledger-folder.zip", key=key, type=kind)


def receipts_button(ids: Sequence[int], stem: str) -> None:
    """Show the button that downloads the receipts of the reader's own forecasts."""

    def made() -> str:
        with reading() as ledger:
            return json.dumps([one.model_dump() for one in receipts(ledger, ids)], indent=2)

    proves = "They prove that your forecasts are unchanged: `forecasts verify --receipt FILE`"
    label = "Receipts of your forecasts"
    download(label, made, f"{stem}.json", key="download-receipts", help=proves)
