"""Import and export: ledger folders, other platforms' files and accounts, with a preview."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from app import session
from app.forms.imports import ImportState, Ready, account_form, upload_form
from app.forms.question import audience_field, teams_to_ask_in
from app.forms.same_questions import same_questions
from app.markdown_text import as_text
from app.views import import_preview
from app.views.downloads import ledger_folder_button
from app.views.widgets import download, page_link, progress, question_link, switch
from forecasts.access.roles import Action
from forecasts.exporting import export
from forecasts.importing.frames import Imported
from forecasts.importing.record import Preview
from forecasts.ledger.models import Visibility
from forecasts.platforms.formats import EXPORTS
from forecasts.questions.origins import in_words, platform_name
from forecasts.questions.standing import listing

LINKS = 10  # of imported questions
FOLDER = "folder"
# The title of each format, and its files.
OFFERED = {
    FOLDER: ("Ledger folder", ""),
    **{name: (one.title, one.files) for name, one in EXPORTS.items()},
    export.FORMAT: (export.TITLE, export.FILES),
}

moment = session.now()
state = session.page_state(ImportState)


def preview(ready: Ready) -> None:
    """Show the additions that the files would make; import them once confirmed."""
    found, seen = ready.found, ready.found if isinstance(ready.found, Preview) else None
    with st.container(border=True):
        st.markdown("**Preview**" + (f" · {platform_name(seen.platform)}" if seen else ""))
        if seen is not None:
            import_preview.whose(seen)
        import_preview.additions(found)
        if seen is not None:
            import_preview.rows(seen)
        for warning in ready.warnings:
            st.caption(as_text(warning))
        visible_to, asking = _visible_to(found.counts if isinstance(found, Preview) else found)
        if not (nothing := found.changes_nothing):
            st.caption(
                "An import cannot be undone, but a question without an outcome can be discarded "
                "on its page for a day."
            )
        with st.container(horizontal=True):
            key = session.form_key("import")
            go = st.button("Import", type="primary", key=f"{key}-go", disabled=nothing or asking)
            if st.button("Cancel", key=f"{key}-cancel"):
                state.ready = None
                st.rerun()
    if go:
        import_(ready, visible_to)


def _visible_to(counts: Imported) -> tuple[str | None, bool]:
    """Ask for the audience of the new questions in a shared ledger; return it, and if it is open.

    Only of those for which the sheet names none. Without an answer only the importer would see
    those that lack criteria.
    """
    if rights.unshared or not counts.audiences.get(""):
        if note := counts.audience_note():
            st.caption(as_text(note))
        return None, False
    with session.reading() as ledger:
        to_ask = teams_to_ask_in(ledger)
    lacking = counts.kept_private
    chosen = audience_field(
        to_ask or [],
        "Only me",
        key=f"{session.form_key('import')}-visible",
        index=None if lacking else 0,
        help="Only for new questions without an audience in the sheet.",
    )
    st.caption(as_text(counts.audience_note(chosen)))
    return chosen, chosen is None


def import_(ready: Ready, visible_to: str | None) -> None:
    """Import the files in one transaction."""
    with session.act(session.form_key("import")) as doing, progress("Importing") as tell:
        done = ready.write(doing.ledger, visible_to=visible_to, on_progress=tell, **doing.by)
        state.ready, state.done = None, done if isinstance(done, Preview) else None
        doing.say(f"Imported: {', '.join(import_preview.added(done)) or 'nothing new'}.")


def result(done: Preview) -> None:
    """Show the imported questions and the next steps."""
    slugs = [row.question_id for row in done.questions]
    with session.reading() as ledger:
        found = {one.slug: one for one in listing(ledger, now=moment, only=slugs)}
    with st.container(border=True):
        st.markdown(f"**Imported from {in_words(done.platform)}**")
        for slug in slugs[:LINKS]:
            if slug in found:
                question_link(found[slug])
        if (more := len(slugs) + done.more - LINKS) > 0:
            platform = platform_name(done.platform)
            page_link("questions", f"{more:,} more on Questions", platform=platform)
        lacking = sum(
            not one.text.has_criteria
            and one.resolution is None
            and (rights.unshared or one.text.visibility == Visibility.author)
            for one in found.values()
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
    packed: export.Packed | None = None


def export_download() -> None:
    """Show the formats; prepare the chosen one on a click, and name its omissions."""
    last = session.page_state(Exported)
    name: str = st.selectbox(
        label="Export as",
        width=280,
        options=list(OFFERED),
        format_func=lambda one: OFFERED[one][0],
        key="export-format",
    )
    if name == FOLDER:
        st.caption(
            "Everything you may see, as CSV files, without earlier wordings, resolvers and roles. "
            "In a spreadsheet, a text that begins with = may run as a formula."
        )
        ledger_folder_button("Download the ledger (ZIP)", key="export")
        return
    _, files = OFFERED[name]
    st.caption(f"{files[:1].upper()}{files[1:]}, with everything you may see that fits in it.")
    if last.format != name:
        last.format, last.packed = name, None
    if st.button("Prepare", key="export-prepare"):
        last.packed = None
        busy = st.spinner("Preparing the export …")
        with session.shown_errors(), busy, session.reading() as ledger:
            member = session.current_member(ledger)
            last.packed = export.packed_as(ledger, name, member=member, now=session.now())
    if last.packed is None:
        return
    left_out = ", ".join(last.packed.left_out)
    st.caption(f"Left out: {as_text(left_out)}." if left_out else "Nothing is left out.")
    label = f"Download {as_text(last.packed.name)}"
    download(label, last.packed.data, last.packed.name, key="export-as", type="primary")


st.title("Import and export", anchor=False)
with session.reading() as ledger:
    rights = session.rights_here(ledger)
st.header("Import", anchor=False)
if rights.allows(Action.ask):
    st.caption(
        "From Metaculus, Fatebook, Manifold and others, a spreadsheet or a ledger folder. You see "
        "a preview first. An import is all or nothing; the same record again changes nothing."
    )
    sources = {"From files": upload_form, "From an account": account_form}
    where = switch("From", list(sources), "import-from", bind=None, label_visibility="collapsed")
    sources[where](state, rights)
    if state.ready is not None:
        preview(state.ready)
    elif state.done is not None:
        result(state.done)
else:
    st.info("You can read this ledger. Importing requires the forecaster role.")
st.header("Export", anchor=False)
export_download()
