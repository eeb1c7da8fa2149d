"""Import and export: a ledger folder as a ZIP."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from app.markdown_text import added, as_text
from app.session import (
    act,
    current_member,
    form_key,
    my_handle,
    now,
    page_state,
    reading,
    rights_here,
    shown_errors,
)
from app.views.downloads import ledger_folder_button
from app.views.lists import table
from app.views.progress import progress
from forecasts.access.roles import Action, Rights
from forecasts.common import limits
from forecasts.exchange.folder.folder import read_folder
from forecasts.exchange.import_ import Imported, import_frames, rehearse
from forecasts.ledger.models import Member
from forecasts.scores.frames import Frames


@dataclass(frozen=True)
class Upload:
    """A ledger folder compared with the ledger, ready to import."""

    key: str
    frames: Frames
    warnings: list[str]
    additions: Imported
    vouch: bool


@dataclass
class ImportState:
    """The upload that awaits confirmation in this browser session."""

    upload: Upload | None = None


moment = now()
state = page_state(ImportState)


def upload_form(rights: Rights) -> None:
    """Show the upload form; compare a submitted folder with the ledger."""
    key = form_key("import")
    with st.form(key):
        upload = st.file_uploader(
            "Ledger folder (ZIP)",
            type=["zip"],
            key=f"{key}-file",
            help="Up to 10 MB. Import a larger one with: forecasts import FOLDER",
        )
        vouch = (rights.unrestricted and not rights.unshared) and st.checkbox(
            "I vouch for the forecasts’ times",
            key=f"{key}-vouch",
            help="Otherwise the forecasts count from now, and the claimed times are only recorded.",
        )
        submitted = st.form_submit_button("Preview", type="primary", key=f"{key}-look")
    if not submitted:
        return
    state.upload = None
    if upload is None:
        st.warning("Choose a file first.")
        return
    warnings: list[str] = []
    with shown_errors(), progress("Reading") as tell, tempfile.TemporaryDirectory() as aside:
        archive = Path(aside) / "folder.zip"
        archive.write_bytes(upload.getvalue())
        most = limits.FILE_BYTES if rights.unrestricted else limits.MEMBER_BYTES
        frames = read_folder(archive, warn=warnings.append, most_bytes=most)
        with reading() as ledger:
            who = current_member(ledger) or Member(handle=my_handle(), created_at=moment)
            additions = rehearse(
                ledger, frames, member=who, now=moment, vouch=vouch, on_progress=tell
            )
        state.upload = Upload(key, frames, warnings, additions, vouch)


def preview(upload: Upload) -> None:
    """Show the additions that the folder would make; import it once confirmed."""
    additions = upload.additions
    rows = {
        "New questions": additions.questions,
        "Reworded questions": additions.revised,
        "Forecasts": additions.forecasts,
        "Resolutions": additions.resolutions,
        "Evidence": additions.evidence,
        "Articles": additions.articles,
    }
    with st.container(border=True):
        st.markdown("**Preview**")
        table({"Adds": list(rows), "Count": [f"{number:,}" for number in rows.values()]})
        for warning in upload.warnings:
            st.caption(as_text(warning))
        if additions.unvouched:
            st.caption(
                f"{additions.unvouched:,} forecasts would count as made now, because nobody "
                "vouches for their times."
            )
        if additions.private_note:
            st.caption(as_text(additions.private_note))
        st.caption("Imported rows cannot be removed: a ledger only grows.")
        with st.container(horizontal=True):
            go = st.button("Import", type="primary", key=f"{upload.key}-go")
            if st.button("Discard", key=f"{upload.key}-discard"):
                state.upload = None
                st.rerun()
    if go:
        with act(upload.key) as doing, progress("Importing") as tell:
            done = import_frames(
                doing.ledger, upload.frames, vouch=upload.vouch, on_progress=tell, **doing.by
            )
            state.upload = None
            doing.say(f"Imported: {added(done)}.")


st.title("Import and export", anchor=False)
with reading() as ledger:
    rights = rights_here(ledger)
st.header("Import", anchor=False)
if rights.allows(Action.ask):
    st.caption(
        "You see a preview before anything is imported. An import is all or nothing, and importing "
        "the same folder again changes nothing."
    )
    upload_form(rights)
    if state.upload is not None:
        preview(state.upload)
else:
    st.info("You can read this ledger. Importing requires the forecaster role.")
st.header("Export", anchor=False)
st.caption(
    "Everything you may see, as CSV files: questions, forecasts, evidence, articles, teams. "
    "Earlier wordings, resolvers and roles are not included; back up the database to keep those. "
    "Texts are exact: a spreadsheet may run one that begins with = as a formula."
)
ledger_folder_button("Download the ledger (ZIP)", key="export")
