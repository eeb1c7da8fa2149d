"""Backups of an embedded ledger, and the way back; each is proven by the chain before it counts.

A backup is a ledger in a file of its own, made by SQLite's online copy while others write, and put
in its place when it is finished. A restore copies it into the ledger's file under SQLite's
exclusive lock, from before the ledger that is there is put aside until the backup is in its place:
nothing that somebody writes meanwhile can be lost, since nobody can. On a server its own tools do
all of this, and better: ``on_a_server`` names them.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from forecasts.common.errors import BadInput, DatabaseError, NoLedger, Refused
from forecasts.common.settings import sqlite_url
from forecasts.common.times import utc
from forecasts.ledger.database import make_ready, open_engine, reading
from forecasts.ledger.sqlite_file import Kind, kind_of
from forecasts.ledger.urls import place, sqlite_path
from forecasts.ledger.verification import Verified, verify

_PATIENCE = 10.0  # seconds to wait for whoever has the file

Tell = Callable[[int, int], None]


@dataclass(frozen=True)
class Restored:
    """What stands in the ledger now, and where the one is that stood there before, if any."""

    found: Verified
    aside: Path | None


def back_up(
    engine: Engine, file: Path, *, force: bool = False, tell: Tell = lambda _done, _all: None
) -> Verified:
    """Return what a walk along the backup's chain found; the backup is in ``file``.

    It is there whether or not its history is whole: look at ``broken``. Refused for a ledger on a
    server, and, without ``force``, where there is such a file; BadInput where it cannot be written.
    """
    source = sqlite_path(engine)
    if source is None:
        raise on_a_server(engine, file)
    if file.exists() and not force:
        raise _there_already(file)
    with _draft(file) as draft:
        with reading(engine) as session, closing(sqlite3.connect(draft)) as copy:
            driver: Any = session.connection().connection.dbapi_connection
            driver.backup(copy)
        found = _look(draft, tell)
        shutil.copymode(source, draft)
        _sync(draft)
        _put(draft, file, force=force)
    return found


def restore(
    engine: Engine, file: Path, *, now: datetime, tell: Tell = lambda _done, _all: None
) -> Restored:
    """Return what is in the ledger now: what the backup in ``file`` has, brought up to date.

    The ledger that was there is put aside under a name of its own. NoLedger for a file that is no
    ledger, Refused for a ledger on a server. DatabaseError where history in the backup is not
    whole, and where somebody has the ledger open: it is then as it was.
    """
    target = sqlite_path(engine)
    if target is None:
        raise on_a_server(engine, file)
    engine.dispose()  # else this process itself would have it open
    if kind_of(file) not in (Kind.ledger, Kind.demonstration):
        raise NoLedger(
            f"{str(file)!r} is no backup of a ledger.", remedy="Nothing was changed. Name another."
        )
    aside = None if kind_of(target) is Kind.nothing else _aside(target, now)
    with _draft(target) as draft:
        _copy(file, draft)
        found = _look(draft, tell)
        if found.broken is not None:
            raise DatabaseError(
                f"History in the backup {str(file)!r} is not whole: it was {found.broken.fault}, "
                f"first where {found.broken.said}. Nothing was restored.",
                remedy="Look at it with: forecasts verify --database FILE, and try an older one.",
            )
        if aside is None:
            _sync(draft)
            _put(draft, target, force=False)
        else:
            _exchange(draft, target, aside)
    return Restored(found, aside)


def on_a_server(engine: Engine, file: Path) -> Refused:
    """Return the error that says how a ledger on a server is backed up, and restored."""
    name = place(engine)
    return Refused(
        f"The ledger {name} is on a server, which has tools of its own for that.",
        remedy=f"Back up with: pg_dump --format=custom --file={file} {name}\n"
        f"Restore into an empty database with: pg_restore --dbname=URL {file}, and prove it with: "
        "forecasts verify --database URL",
    )


@contextmanager
def _draft(file: Path) -> Iterator[Path]:
    """Yield a place beside ``file`` to make it in; whatever is left there is removed."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f".{file.name}-", dir=file.parent))
        try:
            yield folder / "ledger.sqlite3"
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    except (OSError, sqlite3.Error) as error:
        said = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise BadInput(
            f"{str(file)!r} cannot be written: {said}.",
            remedy="Nothing was changed. Make room, or name another place.",
        ) from error


def _copy(file: Path, draft: Path) -> None:
    # Read through SQLite, as a ledger that was simply copied may have a journal beside it.
    with (
        closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as source,
        closing(sqlite3.connect(draft)) as copy,
    ):
        source.backup(copy)


def _look(draft: Path, tell: Tell) -> Verified:
    """Return what a walk along the chain of a copy finds, which is brought up to date first."""
    engine = open_engine(sqlite_url(draft), begin=False)
    try:
        make_ready(engine)
        with reading(engine) as session:
            return verify(session, tell=tell)
    finally:
        engine.dispose()


def _exchange(draft: Path, target: Path, aside: Path) -> None:
    """Put the ledger aside and what is in the draft in its place, with nobody else at it."""
    try:
        with (
            closing(sqlite3.connect(draft)) as new,
            closing(sqlite3.connect(target, timeout=_PATIENCE)) as ledger,
        ):
            # From the first write on, and between transactions too, until the connection closes.
            ledger.execute("PRAGMA locking_mode = EXCLUSIVE")
            ledger.execute("BEGIN IMMEDIATE")
            ledger.execute("COMMIT")
            with closing(sqlite3.connect(aside)) as old:
                ledger.backup(old)
            _sync(aside)
            new.backup(ledger)
    except sqlite3.OperationalError as error:
        with suppress(OSError):
            aside.unlink(missing_ok=True)
        raise DatabaseError(
            f"The ledger {str(target)!r} could not be exchanged: {error}.",
            remedy="Nothing was changed. Close the app and what else has it open, and try again.",
        ) from None


def _aside(target: Path, now: datetime) -> Path:
    return target.with_name(f"{target.name}.before-{utc(now):%Y%m%dT%H%M%SZ}")


def _sync(file: Path) -> None:
    with file.open("rb") as opened:
        os.fsync(opened.fileno())


def _put(draft: Path, file: Path, *, force: bool) -> None:
    """Let the finished draft be ``file``, in one step; Refused where another came first."""
    if force:
        os.replace(draft, file)
    else:
        try:
            os.link(draft, file)
        except FileExistsError:
            raise _there_already(file) from None
    with suppress(PermissionError):  # not every system opens a folder
        folder = os.open(file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _there_already(file: Path) -> Refused:
    return Refused(
        f"There is {str(file)!r} already; nothing was written.",
        remedy="Name another file, or add --force to replace that one.",
    )
