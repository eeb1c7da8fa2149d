"""Back up and restore a ledger in a file; both verify the backup's chain.

A backup is made by SQLite's online copy while others write, and moved to its place when complete.
A restore copies it into the ledger's file under an exclusive lock, held from before the old ledger
is set aside until the backup is in place, so that no write can get lost in between. A server has
better tools of its own: ``on_a_server`` names them.
"""

from __future__ import annotations

import itertools
import os
import shlex
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from forecasts.common.errors import BadInput, DatabaseError, NoLedger, Refused, Remedy
from forecasts.common.private_files import create_private
from forecasts.common.settings import sqlite_url
from forecasts.common.times import utc
from forecasts.ledger import head
from forecasts.ledger.database import open_engine, reading
from forecasts.ledger.driver_errors import damaged_file, is_damage
from forecasts.ledger.schema import make_ready
from forecasts.ledger.sqlite_file import Kind, kind_of, read_only
from forecasts.ledger.urls import place, sqlite_path
from forecasts.ledger.verification import Verified, verify

PATIENCE = 10.0  # seconds to wait for other users of the file

OnProgress = Callable[[int, int], None]


@dataclass(frozen=True)
class Restored:
    """The contents of the restored ledger, and the path of the old one, if there was one."""

    found: Verified
    aside: Path | None


def back_up(
    engine: Engine,
    file: Path,
    *,
    force: bool = False,
    on_progress: OnProgress = lambda _done, _all: None,
) -> Verified:
    """Return the verification of the backup, which is written to ``file``.

    It is written even if its history is ``broken``. Refused for a ledger on a server, and without
    ``force`` if the file exists; BadInput if it cannot be written.
    """
    source = sqlite_path(engine)
    if source is None:
        raise on_a_server(engine, file)
    if file.exists() and not force:
        raise _exists_already(file)
    with _draft(file) as draft:
        with reading(engine) as session, closing(sqlite3.connect(draft)) as copy:
            driver: Any = session.connection().connection.dbapi_connection
            _copied(driver, copy, source)
        found = _verified(draft, on_progress)
        sync(draft)
        _put(draft, file, force=force)
    return found


def restore(
    engine: Engine, file: Path, *, now: datetime, on_progress: OnProgress = lambda _done, _all: None
) -> Restored:
    """Return the restored ledger: the contents of the backup in ``file``, migrated if needed.

    The old ledger is set aside under a new name. NoLedger for a file without a ledger, Refused for
    a ledger on a server. DatabaseError if the backup's history is broken, or the ledger is in use;
    it is then unchanged.
    """
    target = sqlite_path(engine)
    if target is None:
        raise on_a_server(engine, file)
    engine.dispose()  # or this process itself would hold it open
    if kind_of(file) is Kind.damaged:
        raise _damaged_backup(file)
    if kind_of(file) not in (Kind.ledger, Kind.demonstration):
        raise NoLedger(
            f"{str(file)!r} is not a backup of a ledger.",
            remedy="Nothing was changed. Choose another file.",
        )
    aside = None
    if kind_of(target) is not Kind.nothing:
        aside = _unused(target.with_name(f"{target.name}.before-{utc(now):%Y%m%dT%H%M%SZ}"))
    with _draft(target) as draft:
        # Through SQLite, since a ledger copied as a file may have a journal beside it.
        with closing(read_only(file)) as backup, closing(sqlite3.connect(draft)) as copy:
            _copied(backup, copy, file)
        try:
            found = _verified(draft, on_progress)
        except DatabaseError as error:
            raise _damaged_backup(file) if is_damage(_driver_error(error)) else error from error
        if found.broken is not None:
            raise DatabaseError(
                f"History in the backup {str(file)!r} is not whole: it was {found.broken.fault}, "
                f"first where {found.broken.said}. Nothing was restored.",
                remedy=(
                    Remedy("To check it: {};", "verify", database="FILE"),
                    "and try an older one.",
                ),
            )
        if aside is None:
            sync(draft)
            _put(draft, target, force=False)
        elif kind_of(target) is Kind.damaged:
            _replace_damaged(draft, target, aside)
        else:
            _exchange(draft, target, aside)
    head.accept(engine)  # whatever the old one had beyond the backup
    engine.dispose()
    return Restored(found, aside)


def on_a_server(engine: Engine, file: Path) -> Refused:
    """Return the error that names the commands to back up and restore a ledger on a server."""
    name, dump = place(engine), shlex.quote(str(file))
    return Refused(
        f"The ledger {name} is on a server, which has its own backup tools.",
        remedy=(
            "Back up, as the role that owns its tables, with: "
            f"pg_dump --format=custom --file={dump} {shlex.quote(name)}\n"
            f"Restore into an empty database with: pg_restore --no-owner --dbname=URL {dump},",
            Remedy("and verify it: {}", "verify", database="URL"),
        ),
    )


def _unused(path: Path) -> Path:
    """Return the path, with a number if there is a file: of a restore in the same second."""
    numbered = (path.with_name(f"{path.name}-{number}") for number in itertools.count(2))
    return next(one for one in itertools.chain([path], numbered) if not one.exists())


@contextmanager
def _draft(file: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``file``; BadInput if it cannot be written."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(
            prefix=f".{file.name}-", dir=file.parent, ignore_cleanup_errors=True
        ) as folder:
            draft = Path(folder) / "ledger.sqlite3"
            create_private(draft)
            yield draft
    except (OSError, sqlite3.Error) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise BadInput(
            f"{str(file)!r} cannot be written: {reason}.",
            remedy="Nothing was changed. Free some space, or choose another path.",
        ) from error


def _verified(draft: Path, on_progress: OnProgress) -> Verified:
    """Return the verification of a copy, which is migrated first."""
    engine = open_engine(sqlite_url(draft), begin=False)
    try:
        make_ready(engine)
        with reading(engine) as session:
            return verify(session, tell=on_progress)
    finally:
        engine.dispose()


def _exchange(draft: Path, target: Path, aside: Path) -> None:
    """Set the old ledger aside and put the draft in its place, under an exclusive lock."""
    try:
        with (
            closing(sqlite3.connect(draft)) as new,
            closing(sqlite3.connect(target, timeout=PATIENCE)) as ledger,
        ):
            # Held from the first write until the connection closes, between transactions too.
            ledger.execute("PRAGMA locking_mode = EXCLUSIVE")
            ledger.execute("BEGIN IMMEDIATE")
            ledger.execute("COMMIT")
            create_private(aside)
            with closing(sqlite3.connect(aside)) as old:
                ledger.backup(old)
            sync(aside)
            new.backup(ledger)
    except sqlite3.OperationalError as error:
        with suppress(OSError):
            aside.unlink()
        raise DatabaseError(
            f"The ledger {str(target)!r} could not be replaced: {error}.",
            remedy="Nothing was changed. Close the app and other users of it, and try again.",
        ) from None


def _replace_damaged(draft: Path, target: Path, aside: Path) -> None:
    """Rename a damaged ledger with its journal, and put the draft in its place.

    SQLite cannot lock or copy it.
    """
    for journal in ("-wal", "-shm"):
        with suppress(FileNotFoundError):
            os.replace(f"{target}{journal}", f"{aside}{journal}")
    os.replace(target, aside)
    sync(draft)
    _put(draft, target, force=False)


def _copied(source: sqlite3.Connection, copy: sqlite3.Connection, file: Path) -> None:
    """Copy a ledger through SQLite; DatabaseError if its file is damaged."""
    try:
        source.backup(copy)
    except sqlite3.DatabaseError as error:
        raise damaged_file(str(file), error) if is_damage(error) else error from error


def _damaged_backup(file: Path) -> DatabaseError:
    return DatabaseError(
        f"The backup {str(file)!r} is damaged: its pages do not fit together.",
        remedy="Nothing was changed. Try an older backup.",
    )


def _driver_error(error: DatabaseError) -> object:
    return getattr(error.__cause__, "orig", None)


def sync(path: Path) -> None:
    """Wait until a file or a folder is on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _put(draft: Path, file: Path, *, force: bool) -> None:
    """Move the complete draft to ``file`` in one step; Refused if it exists by now."""
    if force:
        os.replace(draft, file)
    else:
        try:
            os.link(draft, file)
        except FileExistsError:
            raise _exists_already(file) from None
    with suppress(PermissionError):  # not every system can open a folder
        sync(file.parent)


def _exists_already(file: Path) -> Refused:
    return Refused(
        f"{str(file)!r} exists already; nothing was written.",
        remedy=Remedy("Choose another file, or replace it: {}", "", force=True),
    )
