"""Import and export: a ledger folder as a ZIP, in and out."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

import streamlit as st

from app.markdown_text import added, as_text
from app.session import (
    Looked,
    act,
    acting,
    current_member,
    engine,
    form_key,
    memory,
    now,
    reading,
    rights_here,
    shown_errors,
)
from app.views.progress import progress
from forecasts.access.roles import Action
from forecasts.exchange.export import as_zip, exported
from forecasts.exchange.folder.folder import read_folder
from forecasts.exchange.import_ import import_frames, rehearse

moment = now()
remembered = memory()


def look_form(vouching: bool) -> None:
    """Show the form in which a ledger folder is handed over, and read what was."""
    key = form_key("import")
    with st.form(key):
        upload = st.file_uploader(
            "ZIP of a ledger folder",
            type=["zip"],
            key=f"{key}-file",
            help="Up to 10 MB. A larger one is imported with: forecasts import FOLDER",
        )
        vouch = vouching and st.checkbox(
            "I vouch that the forecasts were made when the folder says",
            key=f"{key}-vouch",
            help="Otherwise they count from now on, and the claimed times are kept beside.",
        )
        looked = st.form_submit_button("See what it would add", type="primary", key=f"{key}-look")
    if not looked:
        return
    remembered.folder = None
    if upload is None:
        st.warning("Choose a file first.")
        return
    said: list[str] = []
    with shown_errors(), progress("Reading") as tell, tempfile.TemporaryDirectory() as aside:
        archive = Path(aside) / "folder.zip"
        archive.write_bytes(upload.getvalue())
        frames = read_folder(archive, warn=said.append)
        would = rehearse(
            engine(),
            frames,
            acting=partial(acting, moment=moment),
            now=moment,
            vouch=vouch,
            tell=tell,
        )
        remembered.folder = Looked(key, frames, said, would, vouch)


def looked_at(folder: Looked) -> None:
    """Show what the folder would add; import it once that is confirmed."""
    with st.container(border=True):
        st.markdown("**This would be added**")
        would = folder.would
        st.table(
            {
                "What": [
                    "New questions",
                    "Questions reworded",
                    "Forecasts",
                    "Resolutions",
                    "Pieces of evidence",
                    "Articles",
                ],
                "How many": [
                    f"{number:,}"
                    for number in (
                        would.questions,
                        would.revised,
                        would.forecasts,
                        would.resolutions,
                        would.evidence,
                        would.articles,
                    )
                ],
            },
            hide_index=True,
            border="horizontal",
        )
        for sentence in folder.said:
            st.caption(as_text(sentence))
        if would.unvouched:
            st.caption(
                f"{would.unvouched:,} of the forecasts would count as made now: nobody vouches for "
                "when they were."
            )
        st.caption("What is imported stays: a ledger is only ever added to.")
        with st.container(horizontal=True):
            go = st.button("Import it", type="primary", key=f"{folder.key}-go")
            if st.button("Discard", key=f"{folder.key}-discard"):
                remembered.folder = None
                st.rerun()
    if go:
        with act(folder.key) as doing, progress("Importing") as tell:
            done = import_frames(
                doing.ledger,
                folder.frames,
                member=doing.member,
                now=doing.now,
                vouch=folder.vouch,
                tell=tell,
            )
            remembered.folder = None
            doing.say(f"Imported: {added(done)}.")


def archive() -> bytes:
    """Return the ledger, as far as the reader may see it, as the ZIP of a ledger folder."""
    with reading() as ledger:
        frames, _ = exported(ledger, member=current_member(ledger), now=now())
    return as_zip(frames)


st.title("Import and export", anchor=False)
with reading() as ledger:
    rights = rights_here(ledger)
st.header("Import", anchor=False)
if rights.allow(Action.ask):
    st.caption(
        "Nothing is imported before you have seen what it would add. It is all or nothing, and the "
        "same folder twice changes nothing."
    )
    look_form(rights.free and not rights.own)
    if remembered.folder is not None:
        looked_at(remembered.folder)
else:
    st.info("You may look at this ledger. To import into it takes a forecaster’s role.")
st.header("Export", anchor=False)
st.caption(
    "Everything that you may see, as plain files (CSV) that any program reads: questions, "
    "forecasts, evidence, articles, teams. Earlier wordings, resolvers and roles have no place in "
    "it; for those there is a backup of the database."
)
st.download_button(
    "Download the ledger (ZIP)",
    data=archive,
    file_name="ledger-folder.zip",
    mime="application/zip",
    key="export",
    on_click="ignore",
)
