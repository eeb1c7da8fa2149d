"""The upload of an import: its files, their format, and the answers that the files lack.

The format is recognised once a file is chosen, and can be changed. Nothing is stored before the
preview but the ledger's secret for aliases, if the files are anonymised.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import streamlit as st

from app.markdown_text import as_lines, as_text
from app.remedies import names_columns, said
from app.session import (
    current_member,
    engine,
    form_key,
    my_handle,
    now,
    reading,
    show,
    shown_errors,
)
from app.views.progress import progress
from forecasts.access.members import handles
from forecasts.access.roles import Rights
from forecasts.common import limits
from forecasts.common.errors import BadInput, LedgerError
from forecasts.folder.folder import is_ledger_folder, read_folder
from forecasts.folder.frames import Frames
from forecasts.importing.aliases import aliases
from forecasts.importing.frames import Imported, import_frames
from forecasts.importing.record import Preview, import_record
from forecasts.ledger import database
from forecasts.ledger.clock import act_time
from forecasts.ledger.models import Member
from forecasts.platforms import formats
from forecasts.platforms.column_guesses import SCALE, USUAL, are_usual
from forecasts.platforms.record import Choices, PlatformRecord
from forecasts.platforms.source import opened
from forecasts.values.typed_dates import read_date

FOLDER = "folder"  # the format of a ledger folder
_ENDINGS = ["zip", "csv", "json", "jsonl"]
_AUTOMATIC, _NONE = "recognise", "none"
_SCALES = {_AUTOMATIC: "", "0 to 1": "1", "0 to 100": "100"}
_AS_SHEET = "For a spreadsheet, choose Spreadsheet under Format, then its columns."
_WIDE = {"forecaster": "One column a forecaster", "option": "One column an option"}


@dataclass(frozen=True)
class Seen:
    """The format of the chosen files, blank if unknown, and the header if there is one CSV.

    ``anonymised``: a CSV has anonymised accounts.
    """

    files: tuple[str, ...]
    format: str
    fault: str
    header: Sequence[str] = ()
    anonymised: bool = False


@dataclass(frozen=True)
class Asked:
    """The answers of the person who imports.

    For an account elsewhere ``files`` is blank, and ``mine`` leaves out the forecasts of others.
    ``owner``: the member whose record the file is; blank for the one who imports.
    """

    files: tuple[str, ...]
    format: str
    zone: str = "UTC"
    account: str = ""
    owner: str = ""
    aggregates: bool = False
    real_ids: bool = False
    mine: bool = False
    vouch: bool = False
    columns: Mapping[str, str] = field(default_factory=dict)
    closes: str = ""


@dataclass(frozen=True)
class Ready:
    """Files compared with the ledger: a ledger folder's frames, or a platform's record."""

    key: str
    asked: Asked
    additions: Imported
    frames: Frames | None = None
    warnings: Sequence[str] = ()
    record: PlatformRecord | None = None
    preview: Preview | None = None


@dataclass
class ImportState:
    """The import under way in this browser session, and the result of the last one.

    ``fault``: an error that names columns, until it is shown. ``of_columns``: the files that had
    such an error, whose fields for columns are open.
    """

    seen: Seen | None = None
    ready: Ready | None = None
    done: Preview | None = None
    fault: LedgerError | None = None
    of_columns: tuple[str, ...] = ()


def upload_form(state: ImportState, rights: Rights) -> None:
    """Show the upload and its choices; compare the files with the ledger on a click."""
    key = form_key("import")
    files = st.file_uploader(
        "Files",
        type=_ENDINGS,
        accept_multiple_files=True,
        key=f"{key}-file",
        help="A ledger folder as a ZIP, or a platform’s export as you downloaded it. Up to 10 MB a "
        "file. Import larger ones with: forecasts import PATH",
    )
    if not files:
        state.seen = state.ready = None
    ids = tuple(file.file_id for file in files)
    if files and (state.seen is None or state.seen.files != ids):
        state.seen = _recognised(files, ids)
    asked = None if state.seen is None else _choices(key, state, state.seen, rights)
    if state.ready is not None and state.ready.asked != asked:
        state.ready = None  # the preview is not of these choices
    wanted = st.button("Preview", type="primary", key=f"{key}-look", disabled=asked is None)
    if not wanted or asked is None:
        return
    state.ready = state.done = None
    if not asked.format:
        st.warning("Choose the format of the file first.")
    else:
        with _shown_errors(state, asked), progress("Reading") as tell, _on_disk(files) as path:
            state.ready = _compared(key, path, asked, rights, tell)
        if state.fault is not None:
            st.rerun()


@contextmanager
def _shown_errors(state: ImportState, asked: Asked) -> Iterator[None]:
    """Show an error; one that names columns is kept for the next run, with their fields open."""
    with shown_errors():
        try:
            yield
        except LedgerError as error:
            if not (_has_columns(asked.format) and names_columns(error.advice)):
                raise
            state.fault, state.of_columns = error, asked.files


def _has_columns(format_: str) -> bool:
    return format_ != FOLDER and "columns" in formats.FORMATS[format_].asks


@contextmanager
def _on_disk(files: Sequence[Any]) -> Iterator[Path]:
    """Yield the path of the only file, or of a folder with several, whose name messages give."""
    with tempfile.TemporaryDirectory(prefix="import-") as aside:
        folder, paths = Path(aside) / "The upload", []
        folder.mkdir()
        for file in files:
            name = Path(file.name).name.lstrip(".") or "file"
            paths.append(folder / name)
            paths[-1].write_bytes(file.getbuffer())
        yield paths[0] if len(files) == 1 else folder


def _recognised(files: Sequence[Any], ids: tuple[str, ...]) -> Seen:
    with _on_disk(files) as path:
        try:
            if is_ledger_folder(path):
                return Seen(ids, FOLDER, "")
            with opened(path, most_bytes=limits.MEMBER_BYTES) as source:
                headers = list(source.headers.values())
                header = headers[0] if len(headers) == 1 else []
                hidden = any("anonymized" in name.lower() for each in headers for name in each)
                try:
                    return Seen(ids, formats.recognised(source)[0], "", header, hidden)
                except BadInput as error:
                    remedy = _AS_SHEET if header else ""
                    if len(files) > 1:
                        remedy = said(error.advice)
                    fault = f"{error.message}\n{remedy}".strip()
                    return Seen(ids, "", fault, header, hidden)
        except BadInput as error:
            return Seen(ids, "", f"{error.message} {said(error.advice)}")


def _choices(key: str, state: ImportState, seen: Seen, rights: Rights) -> Asked:
    """Show the choices that the files need; return the answers."""
    of_these = f"{key}-{abs(hash(seen.files))}"
    titles = {FOLDER: "Ledger folder"} | {name: f.title for name, f in formats.FORMATS.items()}
    if seen.fault:
        st.warning(as_lines(seen.fault))
    with st.container(horizontal=True, vertical_alignment="bottom", key="import-choices"):
        format_ = st.selectbox(
            "Format",
            list(titles),
            index=list(titles).index(seen.format) if seen.format else None,
            format_func=lambda name: titles[name],
            placeholder="Choose",
            key=f"{of_these}-format",
            help="Recognised from the content.",
            width=220,
        )
        if format_ == FOLDER or format_ is None:
            return Asked(seen.files, format_ or "", vouch=vouch(key, rights))
        asks = formats.FORMATS[format_].asks
        zone = _zone(key) if "zone" in asks else "UTC"
        account = st.text_input(
            "Your name in the file",
            key=f"{key}-account",
            placeholder="recognised if blank",
            help="If the file has forecasts by several people: yours become "
            f"{as_text(my_handle())}’s. Importing the others’ requires an admin.",
            width=220,
        )
        owner = _record_owner(key, rights)
        closes = "closes" in asks and st.text_input(
            "Closes",
            key=f"{key}-closes",
            placeholder="end of March",
            help="The last day of open questions for which neither the sheet nor the title names "
            "one. Without it they are left out.",
            width=220,
        )
    aggregates = "aggregates" in asks and st.checkbox(
        "Import the platform’s crowd forecasts, as bots", key=f"{key}-aggregates"
    )
    real_ids = (
        "alias" in asks
        and seen.anonymised
        and st.checkbox(
            "Keep anonymised ids",
            key=f"{key}-real",
            help="Otherwise aliases replace them, because these hashes can be reversed.",
        )
    )
    columns = _columns(of_these, state, seen) if "columns" in asks else {}
    return Asked(
        files=seen.files,
        format=format_,
        zone=zone,
        account=account.strip(),
        owner=owner,
        aggregates=aggregates,
        real_ids=real_ids,
        vouch=vouch(key, rights),
        columns=columns,
        closes=closes or "",
    )


def _record_owner(key: str, rights: Rights) -> str:
    """Show the members; return the owner of an imported record, '' for the importer.

    Only admins import other members' forecasts. Someone alone in a ledger is not asked.
    """
    if not rights.unrestricted:
        return ""
    me = my_handle()
    with reading() as ledger:
        others = [handle for handle in handles(ledger).values() if handle != me]
    if rights.unshared and not others:
        return ""
    chosen = st.selectbox(
        "Record owner",
        [me, *others],
        key=f"{key}-owner",
        accept_new_options=True,
        help="The member whose account or sheet it is. Type the name of a new member.",
        width=220,
    )
    return "" if chosen in (None, me) else chosen.strip()


def _zone(key: str) -> str:
    zones = sorted(available_timezones())
    return st.selectbox(
        "Time zone",
        zones,
        index=zones.index("UTC"),
        key=f"{key}-zone",
        help="For times without one, as in Fatebook’s export.",
        width=220,
    )


def vouch(key: str, rights: Rights) -> bool:
    """Show an admin of a shared ledger the box to vouch; return whether it is ticked."""
    return (rights.unrestricted and not rights.unshared) and st.checkbox(
        "I vouch for the forecasts’ times",
        key=f"{key}-vouch",
        help="Otherwise the forecasts count from now, and the claimed times are only recorded.",
    )


def _columns(key: str, state: ImportState, seen: Seen) -> dict[str, str]:
    """Show the columns of a spreadsheet; return the choices, without the recognised ones.

    An error about them is shown above them, once.
    """
    chosen: dict[str, str] = {}
    header = seen.header
    if state.fault is not None:
        show(state.fault)
        state.fault = None
    is_open = state.of_columns == seen.files or not are_usual(header)
    with st.expander("Columns", expanded=is_open):
        st.caption("Choose only the columns that are not recognised by name.")
        with st.container(horizontal=True, key="import-columns"):
            for ours in USUAL:
                theirs = st.selectbox(
                    ours.replace("_", " ").capitalize(),
                    [_AUTOMATIC, _NONE, *header],
                    key=f"{key}-column-{ours}",
                    width=170,
                )
                if theirs != _AUTOMATIC:
                    chosen[ours] = "" if theirs == _NONE else theirs
            scale = st.selectbox("Scale", list(_SCALES), key=f"{key}-scale", width=170)
            if _SCALES[scale]:
                chosen[SCALE] = _SCALES[scale]
        for kind, label in _WIDE.items():
            for column in st.multiselect(label, header, key=f"{key}-wide-{kind}"):
                chosen[f"{kind}:{column}"] = column
    return chosen


def _compared(
    key: str, path: Path, asked: Asked, rights: Rights, tell: Callable[[str, float], None]
) -> Ready:
    moment = now()
    most = limits.FILE_BYTES if rights.unrestricted else limits.MEMBER_BYTES
    if asked.format == FOLDER:
        warnings: list[str] = []
        frames = read_folder(path, warn=warnings.append, most_bytes=most)
        who = importer(moment)
        with reading() as ledger:
            additions = import_frames(
                ledger,
                frames,
                member=who,
                now=moment,
                vouch=asked.vouch,
                dry_run=True,
                on_progress=tell,
            )
        return Ready(key, asked, additions, frames, warnings)
    who = importer(moment)
    zone = ZoneInfo(asked.zone)
    choices = Choices(
        owner=asked.owner or who.handle,
        zone=zone,
        alias=str if asked.real_ids else _aliases(),
        aggregates=asked.aggregates,
        columns=asked.columns,
        closes=read_date(asked.closes, now=moment, zone=zone) if asked.closes.strip() else None,
        now=moment,
    )
    with opened(path, most_bytes=most) as source:
        record = formats.read(source, choices, asked.format)
    return compared(key, record, asked, who, moment, tell)


def importer(moment: datetime) -> Member:
    """Return the current member; one who has done nothing yet is not stored."""
    with reading() as ledger:
        return current_member(ledger) or Member(handle=my_handle(), created_at=moment)


def compared(
    key: str,
    record: PlatformRecord,
    asked: Asked,
    who: Member,
    moment: datetime,
    tell: Callable[[str, float], None],
) -> Ready:
    """Return a platform's record with its preview."""
    with reading() as ledger:
        seen = import_record(
            ledger,
            record,
            member=who,
            now=moment,
            vouch=asked.vouch,
            account=asked.account or None,
            owner=asked.owner,
            dry_run=True,
            on_progress=tell,
        )
    return Ready(key, asked, seen.counts, record=record, preview=seen)


def _aliases() -> Callable[[str], str]:
    """Return the alias of an anonymised id; the ledger's secret is written for the first one."""

    @cache
    def made() -> Callable[[str], str]:
        with database.writing(engine(), now) as ledger:
            return aliases(ledger, now=act_time(ledger))

    return lambda id_: made()(id_)
