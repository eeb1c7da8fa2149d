"""Imports up to their preview: from files, or from an account on another platform.

The format of files is recognised once they are chosen, and can be changed. Nothing is stored before
the preview but the ledger's secret for aliases, if the files are anonymised.

With an account's token, requests go only to the platform's own address. The token is sent there and
is not stored; its field is blank after the fetch. The answers stay in the memory of the browser
session until they are imported, so that an interrupted fetch continues.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

import streamlit as st
from pydantic import SecretStr

from app import session
from app.markdown_text import as_lines
from app.remedies import names_columns, said
from app.views.widgets import progress
from forecasts.access.members import handles
from forecasts.access.oidc_settings import configured_sign_in
from forecasts.access.roles import Rights
from forecasts.accounts import tokens
from forecasts.accounts.accounts import ACCOUNTS, Account, own, settled
from forecasts.accounts.client import Client, Site
from forecasts.accounts.kept import Kept
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
_AUTOMATIC, _NONE = "recognise", "none"
_MOST_WAITING = 60.0  # seconds that a page waits for a busy platform
_SCALES = {_AUTOMATIC: "", "0 to 1": "1", "0 to 100": "100"}
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
        label="Files",
        type=["zip", "csv", "json", "jsonl"],
        help="A ledger folder as a ZIP, or a platform’s export as you downloaded it. Larger than "
        "10 MB: forecasts import PATH",
        key=f"{key}-file",
        accept_multiple_files=True,
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
        with session.shown_errors():
            try:
                with progress("Reading") as tell, _on_disk(files) as path:
                    state.ready = _compared(path, asked, rights, tell)
            except LedgerError as error:
                if not names_columns(error.advice):
                    raise
                # Kept for the next run, which shows it with the fields for columns open.
                state.fault, state.of_columns = error, asked.files
                st.rerun()


def preview_button(state: ImportState, asked: Asked | None, key: str) -> bool:
    """Show the button that makes the preview; forget one of other choices."""
    if state.ready is not None and state.ready.asked != asked:
        state.ready = None
    return st.button("Preview", type="primary", key=f"{key}-look", disabled=asked is None)


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
                    as_sheet = header and len(files) == 1
                    remedy = (
                        "For a spreadsheet, choose Spreadsheet under Format, then its columns."
                        if as_sheet
                        else said(error.advice)
                    )
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
            label="Format",
            placeholder="Choose",
            help="Recognised from the content.",
            width=220,
            key=f"{of_these}-format",
            options=list(titles),
            index=list(titles).index(seen.format) if seen.format else None,
            format_func=lambda name: titles[name],
        )
        if format_ == FOLDER or format_ is None:
            return Asked(seen.files, format_ or "", vouch=vouch(key, rights))
        asks = formats.FORMATS[format_].asks
        zone = _zone(key) if "zone" in asks else "UTC"
        account = st.text_input(
            label="Your name in the file",
            placeholder="recognised if blank",
            help="For a file of several people. In a shared ledger only admins import the others.",
            width=220,
            key=f"{key}-account",
        )
        owner = _record_owner(key, rights)
        closes = "closes" in asks and st.text_input(
            label="Closes",
            placeholder="end of March",
            help="For open questions that name no last day. Blank: they are left out.",
            width=220,
            key=f"{key}-closes",
        )
    aggregates = "aggregates" in asks and st.checkbox(
        label="Import the platform’s crowd forecasts, as bots", key=f"{key}-aggregates"
    )
    hidden = "alias" in asks and seen.anonymised
    real_ids = hidden and st.checkbox(
        label="Keep anonymised ids",
        help="Otherwise aliases replace them, because these hashes can be reversed.",
        key=f"{key}-real",
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
    me = session.my_handle()
    with session.reading() as ledger:
        others = [handle for handle in handles(ledger).values() if handle != me]
    if rights.unshared and not others:
        return ""
    chosen = st.selectbox(
        label="Record owner",
        accept_new_options=True,
        help="The member whose account or sheet this is, or a new one.",
        width=220,
        key=f"{key}-owner",
        options=[me, *others],
    )
    return "" if chosen in (None, me) else chosen.strip()


def _zone(key: str) -> str:
    zones = sorted(available_timezones())
    return str(
        st.selectbox(
            label="Time zone",
            help="For times without one, as in Fatebook’s export.",
            width=220,
            key=f"{key}-zone",
            options=zones,
            index=zones.index("UTC"),
        )
    )


def vouch(key: str, rights: Rights) -> bool:
    """Show an admin of a shared ledger the box to vouch; return whether it is ticked."""
    may = rights.unrestricted and not rights.unshared
    return may and st.checkbox(
        label="I vouch for the forecasts’ times",
        help="Otherwise the forecasts count from now, and the claimed times are only recorded.",
        key=f"{key}-vouch",
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


@dataclass
class Answers:
    """The answers fetched for a form.

    ``of``: the form and the platform. ``account``: a digest of the token that fetched them.
    ``fetches``: how many ended; each gives the field for a token a new key, so that it is blank.
    """

    of: tuple[str, str] = ("", "")
    account: str = ""
    kept: Kept | None = None
    whole: bool = False
    fetches: int = 0


def account_form(state: ImportState, rights: Rights) -> None:
    """Show the platforms and the token; fetch the account and compare it on a click."""
    key = session.form_key("import")
    answers = session.page_state(Answers)
    with st.container(horizontal=True, vertical_alignment="bottom", key="import-account"):
        platform = st.selectbox(
            "Platform",
            list(ACCOUNTS),
            format_func=lambda name: ACCOUNTS[name].SITE.title,
            key="import-platform",
            width=220,
        )
        if answers.of != (key, platform):
            answers.of, answers.kept, answers.whole = (key, platform), None, False
        source = ACCOUNTS[platform]
        site = source.SITE
        token_key = f"{key}-token-{platform}-{answers.fetches}"
        example = _placeholder(site, answers, rights)
        given = st.text_input(
            label="Token",
            type="password",
            autocomplete="new-password",
            width=320,
            key=token_key,
            placeholder=example,
        )
        name = ""
        if site.lists_others:
            label = f"Your name on {site.title}"
            name = st.text_input(
                label, placeholder="recognised if blank", width=220, key=f"{key}-name"
            ).strip()
    address, _, where = site.token_page.partition(" ")
    host = urlsplit(site.base).hostname
    st.caption(f"[Get a token]({address}) {where}  \nIt is sent only to {host} and is not stored.")
    others = f"{site.title} also sends others’ forecasts on your questions."
    mine = site.lists_others and st.checkbox("Only my forecasts", key=f"{key}-mine", help=others)
    asked = Asked((), platform, account=name, mine=mine, vouch=vouch(key, rights))
    if not preview_button(state, asked, key):
        return
    state.ready = state.done = None
    with session.shown_errors():
        with progress(site.title) as tell:
            if given or not answers.whole:
                _fetch(source, answers, _token(site, given, rights), tell)
            state.ready = _ready(source, answers, asked, tell)
        st.rerun()  # with a blank field for the token


def _placeholder(site: Site, answers: Answers, rights: Rights) -> str:
    if answers.whole:
        return "only to fetch again"
    if _is_own(rights) and getattr(session.settings(), f"{site.name}_token") is not None:
        return f"from {site.setting}"
    return ""


def _is_own(rights: Rights) -> bool:
    """Return whether the settings and the keyring belong to the person at the page.

    On a server they belong to its operator.
    """
    return rights.unshared and not session.memory().sample and configured_sign_in() is None


def _token(site: Site, given: str, rights: Rights) -> SecretStr:
    if given:
        return SecretStr(given.strip())
    if _is_own(rights):
        with suppress(BadInput):  # its remedy is for the command line
            return tokens.find(site, session.settings())
    raise BadInput(f"There is no token for {site.title}.", remedy=_remedy(site))


def _remedy(site: Site) -> str:
    return f"Get one at {site.token_page} and paste it into the Token field."


def _fetch(source: Account, answers: Answers, token: SecretStr, tell: Tell) -> None:
    """Fetch the account, or the rest of it after an interruption."""
    site, platform = source.SITE, source.SITE.name
    account = sha256(token.get_secret_value().encode()).hexdigest()
    if answers.kept is None or answers.whole or answers.account != account:
        answers.kept, answers.whole, answers.account = Kept(None, session.now()), False, account
    reached = ("", 0.0)

    def show(name: str, count: int, total: int | None) -> None:
        nonlocal reached
        of, share = (f" of {total:,}", count / total) if total else ("", 0.0)
        reached = f"{name}, {count:,}{of}", share
        tell(*reached)

    def wait(seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            tell(f"{reached[0]} · waiting {left:.0f} s", reached[1])  # where Stop takes effect
            time.sleep(min(left, 1.0))

    def known() -> set[str]:
        with session.reading() as ledger:
            who = session.current_member(ledger)
            return set() if who is None else settled(ledger, platform, who)

    answers.kept.shown = show
    client = Client(
        site,
        token,
        tell=lambda fault: tell(fault, reached[1]),
        wait=wait,
        clock=session.now,
        allow_private=session.settings().allow_private_addresses,
        remedy=_remedy(site),
        most_waiting=_MOST_WAITING,
    )
    source.fetch(client, answers.kept, known)
    answers.whole = True
    answers.fetches += 1


def _ready(source: Account, answers: Answers, asked: Asked, tell: Tell) -> Ready:
    assert answers.kept is not None
    who = importer(answers.kept.begun)
    record = source.read(answers.kept, Choices(who.handle, now=answers.kept.begun))
    if asked.mine:
        record = own(record, asked.account or who.handle)
    return compared(record, asked, who, session.now(), tell)
