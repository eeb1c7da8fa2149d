"""Import and export: ledger folders, other platforms' files and accounts, with a preview."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from app.forms.account_import import account_form
from app.forms.import_upload import ImportState, Ready, upload_form
from app.forms.same_questions import same_questions
from app.markdown_text import as_text
from app.session import act, current_member, now, page_state, reading, rights_here, shown_errors
from app.views import import_preview
from app.views.downloads import ledger_folder_button
from app.views.links import question_link
from app.views.progress import progress
from forecasts.access.roles import Action
from forecasts.exporting import export
from forecasts.exporting.export import Packed, packed_as
from forecasts.importing.frames import import_frames
from forecasts.importing.record import Preview, import_record
from forecasts.platforms.formats import EXPORTS
from forecasts.questions.origins import in_words, platform_name
from forecasts.questions.standing import listing

LINKS = 10  # of imported questions
FILES, ACCOUNT = "From files", "From an account"
FOLDER = "folder"
TITLES = (
    {FOLDER: "Ledger folder"}
    | {name: one.title for name, one in EXPORTS.items()}
    | {export.FORMAT: export.TITLE}
)
CONTENTS = {name: one.files for name, one in EXPORTS.items()} | {export.FORMAT: export.FILES}

moment = now()
state = page_state(ImportState)


def preview(ready: Ready) -> None:
    """Show the additions that the files would make; import them once confirmed."""
    seen = ready.preview
    with st.container(border=True):
        st.markdown("**Preview**" + (f" · {platform_name(seen.platform)}" if seen else ""))
        if seen is not None:
            import_preview.whose(seen)
        import_preview.additions(ready.additions, seen.printed if seen else 0)
        if seen is not None:
            import_preview.rows(seen)
        for warning in ready.warnings:
            st.caption(as_text(warning))
        nothing = (ready.additions if seen is None else seen).changes_nothing
        if not nothing:
            st.caption(
                "An import cannot be undone. For a day, a question of yours without an outcome can "
                "be discarded on its page."
            )
        with st.container(horizontal=True):
            go = st.button("Import", type="primary", key=f"{ready.key}-go", disabled=nothing)
            if st.button("Cancel", key=f"{ready.key}-cancel"):
                state.ready = None
                st.rerun()
    if go:
        import_(ready)


def import_(ready: Ready) -> None:
    """Import the files in one transaction."""
    asked, done = ready.asked, None
    with act(ready.key) as doing, progress("Importing") as tell:
        how: dict[str, Any] = {"vouch": asked.vouch, "on_progress": tell, **doing.by}
        if ready.record is None:
            assert ready.frames is not None
            counts = import_frames(doing.ledger, ready.frames, **how)
        else:
            done = import_record(
                doing.ledger, ready.record, account=asked.account or None, owner=asked.owner, **how
            )
            counts = done.counts
        state.ready, state.done = None, done
        added = import_preview.added(counts, done.printed if done else 0)
        doing.say(f"Imported: {', '.join(added) or 'nothing new'}.")


def result(done: Preview) -> None:
    """Show the imported questions and the next steps."""
    slugs = [row.question_id for row in done.questions]
    with reading() as ledger:
        found = {one.slug: one for one in listing(ledger, now=moment, only=slugs)}
    with st.container(border=True):
        st.markdown(f"**Imported from {in_words(done.platform)}**")
        for slug in slugs[:LINKS]:
            if slug in found:
                question_link(found[slug])
        if (more := len(slugs) + done.more - LINKS) > 0:
            st.page_link(
                "app_pages/questions.py",
                label=f"{more:,} more on Questions",
                query_params={"platform": platform_name(done.platform)},
            )
        lacking = sum(
            not one.text.has_criteria and one.resolution is None for one in found.values()
        )
        if lacking:
            st.caption(import_preview.without_criteria(lacking))
        same_questions(slugs if not done.more else None)  # those not listed have pairs too
        if st.button("Done", key="import-done"):
            state.done = None
            st.rerun()


@dataclass
class Exported:
    """The export that was prepared last, and its format."""

    format: str = ""
    packed: Packed | None = None


def export_download() -> None:
    """Show the formats; prepare the chosen one on a click, and name its omissions."""
    export = page_state(Exported)
    name = st.selectbox(
        "Export as",
        list(TITLES),
        format_func=lambda one: TITLES[one],
        key="export-format",
        width=280,
    )
    if name == FOLDER:
        st.caption(
            "Everything you may see, as CSV files: questions, forecasts, evidence, articles, "
            "teams. Earlier wordings, resolvers and roles are not included; back up the database "
            "to keep those. Texts are exact: a spreadsheet may run one that begins with = as a "
            "formula."
        )
        ledger_folder_button("Download the ledger (ZIP)", key="export")
        return
    files = CONTENTS[name]
    st.caption(f"{files[:1].upper()}{files[1:]}, with everything you may see that fits in it.")
    if export.format != name:
        export.format, export.packed = name, None
    if st.button("Prepare", key="export-prepare"):
        export.packed = None
        with shown_errors(), st.spinner("Preparing the export …"), reading() as ledger:
            export.packed = packed_as(ledger, name, member=current_member(ledger), now=now())
    if export.packed is None:
        return
    left_out = ", ".join(export.packed.left_out)
    st.caption(f"Left out: {as_text(left_out)}." if left_out else "Nothing is left out.")
    st.download_button(
        f"Download {as_text(export.packed.name)}",
        data=export.packed.data,
        file_name=export.packed.name,
        key="export-as",
        on_click="ignore",
        type="primary",
    )


st.title("Import and export", anchor=False)
with reading() as ledger:
    rights = rights_here(ledger)
st.header("Import", anchor=False)
if rights.allows(Action.ask):
    st.caption(
        "Import your record from Metaculus, Fatebook, Manifold and others, from a spreadsheet "
        "or from a ledger folder. You see a preview before anything is imported. An import is all "
        "or nothing, and the same record again changes nothing."
    )
    where = st.segmented_control(
        "From",
        [FILES, ACCOUNT],
        default=FILES,
        required=True,
        key="import-from",
        label_visibility="collapsed",
    )
    if where == FILES:
        upload_form(state, rights)
    else:
        account_form(state, rights)
    if state.ready is not None:
        preview(state.ready)
    elif state.done is not None:
        result(state.done)
else:
    st.info("You can read this ledger. Importing requires the forecaster role.")
st.header("Export", anchor=False)
export_download()
