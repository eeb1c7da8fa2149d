"""The download of the ledger, in its own format or in another one."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from app.markdown_text import as_text
from app.session import current_member, now, page_state, reading, shown_errors
from app.views.downloads import ledger_folder_button
from forecasts.exporting import question_files
from forecasts.exporting.formats import Packed, packed_as
from forecasts.platforms.export_formats import FORMATS

_FOLDER = "folder"
_TITLES = (
    {_FOLDER: "Ledger folder"}
    | {name: one.title for name, one in FORMATS.items()}
    | {question_files.FORMAT: question_files.TITLE}
)
_FILES = {name: one.files for name, one in FORMATS.items()} | {
    question_files.FORMAT: question_files.FILES
}


@dataclass
class Exported:
    """The export that was prepared last, and its format."""

    format: str = ""
    packed: Packed | None = None


def export_download() -> None:
    """Show the formats; prepare the chosen one on a click, and name its omissions."""
    state = page_state(Exported)
    name = st.selectbox(
        "Export as",
        list(_TITLES),
        format_func=lambda one: _TITLES[one],
        key="export-format",
        width=280,
    )
    if name == _FOLDER:
        st.caption(
            "Everything you may see, as CSV files: questions, forecasts, evidence, articles, "
            "teams. Earlier wordings, resolvers and roles are not included; back up the database "
            "to keep those. Texts are exact: a spreadsheet may run one that begins with = as a "
            "formula."
        )
        ledger_folder_button("Download the ledger (ZIP)", key="export")
        return
    files = _FILES[name]
    st.caption(f"{files[:1].upper()}{files[1:]}, with everything you may see that fits in it.")
    if state.format != name:
        state.format, state.packed = name, None
    if st.button("Prepare", key="export-prepare"):
        state.packed = None
        with shown_errors(), st.spinner("Preparing the export …"), reading() as ledger:
            state.packed = packed_as(ledger, name, member=current_member(ledger), now=now())
    if state.packed is not None:
        _ready(state.packed)


def _ready(packed: Packed) -> None:
    left_out = ", ".join(packed.left_out)
    st.caption(f"Left out: {as_text(left_out)}." if left_out else "Nothing is left out.")
    st.download_button(
        f"Download {as_text(packed.name)}",
        data=packed.data,
        file_name=packed.name,
        key="export-as",
        on_click="ignore",
        type="primary",
    )
