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
from functools import cache, partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import streamlit as st

from app import session
from app.markdown_text import as_lines
from app.remedies import names_columns, said
from app.views.widgets import progress
from forecasts.access.members import handles
from forecasts.access.roles import Rights
from forecasts.common import limits
from forecasts.common.errors import BadInput, LedgerError
from forecasts.folder.folder import is_ledger_folder, read_folder
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
Tell = Callable[[str, float], None]
Write = Callable[..., Preview | Imported]
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
    """Files compared with the ledger: their additions, and the function that writes them.

    ``found``: a preview of a platform's record, the numbers of a ledger folder's additions.
    """

    asked: Asked
    found: Preview | Imported
    write: Write
    warnings: Sequence[str] = ()


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
    key = session.form_key("import")
    files = st.file_uploader(
        "Files",
        type=_ENDINGS,
        accept_multiple_files=True,
        key=f"{key}-file",
        help="A ledger folder as a ZIP, or a platform’s export as you downloaded it. Larger than "
        "10 MB: forecasts import PATH",
    )
    if not files:
        state.seen = state.ready = None
    ids = tuple(file.file_id for file in files)
    if files and (state.seen is None or state.seen.files != ids):
        state.seen = _recognised(files, ids)
    asked = None if state.seen is None else _choices(key, state, state.seen, rights)
    wanted = preview_button(state, asked, key)
    if not wanted or asked is None:
        return
    state.ready = state.done = None
    if not asked.format:
        st.warning("Choose the format of the file first.")
    else:
        with _shown_errors(state, asked), progress("Reading") as tell, _on_disk(files) as path:
            state.ready = _compared(path, asked, rights, tell)
        if state.fault is not None:
            st.rerun()


def preview_button(state: ImportState, asked: Asked | None, key: str) -> bool:
    """Show the button that makes the preview; forget one of other choices."""
    if state.ready is not None and state.ready.asked != asked:
        state.ready = None
    return st.button("Preview", type="primary", key=f"{key}-look", disabled=asked is None)


@contextmanager
def _shown_errors(state: ImportState, asked: Asked) -> Iterator[None]:
    """Show an error; one that names columns is kept for the next run, with their fields open."""
    with session.shown_errors():
        try:
            yield
        except LedgerError as error:
            if not names_columns(error.advice):
                raise
            state.fault, state.of_columns = error, asked.files


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
                    remedy = _AS_SHEET if header and len(files) == 1 else said(error.advice)
                    return Seen(ids, "", f"{error.message}\n{remedy}".strip(), header, hidden)
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
            help="In a file of several people. Importing the others’ requires an admin.",
            width=220,
        )
        owner = _record_owner(key, rights)
        closes = "closes" in asks and st.text_input(
            "Closes",
            key=f"{key}-closes",
            placeholder="end of March",
            help="Of open questions that name no last day. Without it they are left out.",
            width=220,
        )
    label = "Import the platform’s crowd forecasts, as bots"
    aggregates = "aggregates" in asks and st.checkbox(label, key=f"{key}-aggregates")
    hidden = "alias" in asks and seen.anonymised
    reversible = "Otherwise aliases replace them, because these hashes can be reversed."
    real_ids = hidden and st.checkbox("Keep anonymised ids", key=f"{key}-real", help=reversible)
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
    me = session.my_handle()
    with session.reading() as ledger:
        others = [handle for handle in handles(ledger).values() if handle != me]
    if rights.unshared and not others:
        return ""
    chosen = st.selectbox(
        "Record owner",
        [me, *others],
        key=f"{key}-owner",
        accept_new_options=True,
        help="The member with this account or sheet, or a new one.",
        width=220,
    )
    return "" if chosen in (None, me) else chosen.strip()


def _zone(key: str) -> str:
    zones = sorted(available_timezones())
    utc, without = zones.index("UTC"), "For times without one, as in Fatebook’s export."
    return st.selectbox("Time zone", zones, utc, key=f"{key}-zone", help=without, width=220)


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
        session.show(state.fault)
        state.fault = None
    is_open = state.of_columns == seen.files or not are_usual(header)
    with st.expander("Columns", expanded=is_open):
        st.caption("Choose only the columns that are not recognised by name.")
        with st.container(horizontal=True, key="import-columns"):
            for ours in USUAL:
                label, offered = ours.replace("_", " ").capitalize(), [_AUTOMATIC, _NONE, *header]
                theirs = st.selectbox(label, offered, key=f"{key}-column-{ours}", width=170)
                if theirs != _AUTOMATIC:
                    chosen[ours] = "" if theirs == _NONE else theirs
            scale = st.selectbox("Scale", list(_SCALES), key=f"{key}-scale", width=170)
            if _SCALES[scale]:
                chosen[SCALE] = _SCALES[scale]
        for kind, label in _WIDE.items():
            for column in st.multiselect(label, header, key=f"{key}-wide-{kind}"):
                chosen[f"{kind}:{column}"] = column
    return chosen


def _compared(path: Path, asked: Asked, rights: Rights, tell: Tell) -> Ready:
    moment = session.now()
    who = importer(moment)
    most = limits.FILE_BYTES if rights.unrestricted else limits.MEMBER_BYTES
    if asked.format == FOLDER:
        warnings: list[str] = []
        frames = read_folder(path, warn=warnings.append, most_bytes=most)
        write = partial(import_frames, frames=frames, vouch=asked.vouch)
        return _rehearsed(asked, write, who, moment, tell, warnings)
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
    return compared(record, asked, who, moment, tell)


def importer(moment: datetime) -> Member:
    """Return the current member; one who has done nothing yet is not stored."""
    with session.reading() as ledger:
        return session.current_member(ledger) or Member(
            handle=session.my_handle(), created_at=moment
        )


def compared(
    record: PlatformRecord, asked: Asked, who: Member, moment: datetime, tell: Tell
) -> Ready:
    """Return a platform's record with its preview."""
    how: Any = {"vouch": asked.vouch, "account": asked.account or None, "owner": asked.owner}
    return _rehearsed(asked, partial(import_record, record=record, **how), who, moment, tell)


def _rehearsed(
    asked: Asked,
    write: Write,
    who: Member,
    moment: datetime,
    tell: Tell,
    warnings: Sequence[str] = (),
) -> Ready:
    with session.reading() as ledger:
        found = write(ledger, member=who, now=moment, dry_run=True, on_progress=tell)
    return Ready(asked, found, write, warnings)


def _aliases() -> Callable[[str], str]:
    """Return the alias of an anonymised id; the ledger's secret is written for the first one."""

    @cache
    def made() -> Callable[[str], str]:
        with database.writing(session.engine(), session.now) as ledger:
            return aliases(ledger, now=act_time(ledger))

    return lambda id_: made()(id_)
