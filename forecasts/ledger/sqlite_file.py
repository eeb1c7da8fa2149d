"""SQLite ledger files: recognising them, and replacing one that is in use.

Opening a ledger writes to its file, so a file is first checked here, read-only.
"""

from __future__ import annotations

import errno
import os
import random
import shutil
import sqlite3
import time
from collections.abc import Collection
from contextlib import closing
from enum import Enum
from pathlib import Path
from typing import Any

from forecasts.common.errors import DatabaseError, NoLedger, Remedy
from forecasts.common.limits import format_bytes
from forecasts.common.private_files import create_private

NAME_ANOTHER = Remedy("Name another with {} or FORECASTS_DATABASE_URL.", "", database="URL")
_HEADER = b"SQLite format 3\x00"
OURS = {"alembic_version", "question_revision"}
# The table that an unfinished copy has (see ``transfer``).
UNFINISHED = "unfinished_copy"
_BETWEEN_TRIES = (0.05, 0.05)  # seconds
BETWEEN_LOOKS = (0.001, 0.012)  # seconds, while another process writes to the file
PATIENCE = 10.0  # seconds to wait for a writer
_NO_ROOM = 1_000_000  # bytes; with fewer, an error of the disk is that it is full


class Kind(Enum):
    """The contents of a file or database."""

    nothing = "no file, or an empty one"
    ledger = "a ledger"
    demonstration = "a demonstration ledger"
    unfinished = "a copy of a ledger that was not finished"
    damaged = "a file of SQLite that is not whole"
    other = "something else"


def kind_of(path: Path) -> Kind:
    """Return the kind of file at ``path``; nothing is written, not even by SQLite itself.

    NoLedger for a folder and for an unreadable file.
    """
    try:
        if path.exists() and not path.is_file():
            what = "a folder" if path.is_dir() else "not a file"
            raise NoLedger(f"{str(path)!r} is {what}, and a ledger is a file.", remedy=NAME_ANOTHER)
        if not path.exists() or path.stat().st_size == 0:
            return Kind.nothing
        beside = [path.with_name(path.name + end) for end in ("-wal", "-shm")]
        # A process that closes a file loses its locks on it, those of its connections too: another
        # process would then take itself for the last one, and delete the journal. So a file that
        # may be in use, which has a journal beside it, is opened by SQLite alone.
        if not beside[0].exists():
            with path.open("rb") as file:
                if file.read(len(_HEADER)) != _HEADER:
                    return Kind.other
        for one in (path, *beside):
            if one.exists() and not os.access(one, os.R_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(one))
    except OSError as error:
        raise NoLedger(
            f"The ledger {error.filename or str(path)!r} cannot be read: "
            f"{error.strerror or error}.",
            remedy=NAME_ANOTHER,
        ) from None
    try:
        return _kind_with_or_without_room(path)
    except sqlite3.OperationalError as error:
        is_full = is_out_of_room(path, error)
        raise DatabaseError(
            f"The ledger {str(path)!r} could not be checked: "
            f"{full_disk(path) if is_full else error}.",
            remedy="Free some space, and try again." if is_full else "Try again.",
        ) from None
    except sqlite3.DatabaseError:
        return Kind.damaged


def _kind_with_or_without_room(path: Path) -> Kind:
    try:
        with closing(read_only(path)) as connection:
            return _kind(connection)
    except sqlite3.OperationalError as error:
        if not is_out_of_room(path, error):
            raise
    with closing(connected(path, PATIENCE, alone=True)) as connection:
        return _kind(connection)


def _kind(connection: sqlite3.Connection) -> Kind:
    tables = {
        name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")
    }
    kind = kind_by_tables(tables)
    if kind is not Kind.ledger:
        return kind
    is_true = "SELECT count(*) FROM ledger WHERE demonstration = 1"  # whatever is there
    [demonstration] = connection.execute(is_true).fetchone()
    return Kind.demonstration if demonstration else Kind.ledger


def kind_by_tables(names: Collection[str]) -> Kind:
    """Return the kind of a database with these tables, in a file or on a server."""
    tables = set(names)
    if not tables:
        return Kind.nothing
    if not tables >= OURS:
        return Kind.other
    return Kind.unfinished if UNFINISHED in tables else Kind.ledger


def why_read_only(path: Path) -> str:
    """Return the file or the folder that this user may not write to; blank if there is none.

    SQLite writes to both: its journal is beside the file.
    """
    for place, what in ((path, "file"), (path.parent, "folder")):
        if os.access(path, os.F_OK) and not os.access(place, os.W_OK):
            return f"the {what} {str(place)!r}"
    return ""


def read_only_error(path: Path) -> DatabaseError:
    """Return the error for an act in a ledger that can only be read."""
    return DatabaseError(
        f"The ledger {str(path)!r} can only be read: you may not write to {why_read_only(path)}.",
        remedy=Remedy(
            "Nothing was written. Ask for permission to write to the file and its folder, or copy "
            "the ledger: {}",
            "backup",
            "FILE",
        ),
    )


def read_only(path: Path) -> sqlite3.Connection:
    """Return a connection that writes nothing.

    A file that is not in use is opened as immutable, since SQLite would otherwise create two files
    beside it in WAL mode. A file in use has its newest pages in those two.
    """
    in_use = path.with_name(f"{path.name}-wal").exists()
    mode = "mode=ro" if in_use else "mode=ro&immutable=1"
    address = f"{path.absolute().as_uri()}?{mode}"
    return sqlite3.connect(address, uri=True, timeout=PATIENCE, check_same_thread=False)


def connect(path: Path, patience: float) -> sqlite3.Connection:
    """Return a connection to a ledger's file; others are waited for.

    On a full disk it is alone: SQLite cannot make the journal's index beside the file (``-shm``,
    32 KB), so it is kept in memory, and others wait until the connection is closed. Rejected:
    opening the file as immutable. If space is freed meanwhile, another process can write, and the
    reader would see parts of two moments.
    """
    try:
        return connected(path, patience, alone=False)
    except sqlite3.OperationalError as error:
        if not is_out_of_room(path, error):
            raise
    return connected(path, patience, alone=True)


def connected(path: Path, patience: float, *, alone: bool) -> sqlite3.Connection:
    """Return a connection to a ledger's file; ``alone``: while it is open, others wait."""
    create_private(path)  # SQLite gives its journal the same permissions
    connection = sqlite3.connect(path, timeout=patience, check_same_thread=False)
    try:
        if alone:
            connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        # SQLite does not wait if two switch a new file at once, as each could wait for the other.
        _execute_when_free(connection, "PRAGMA journal_mode=WAL", patience, _BETWEEN_TRIES)
        for pragma in ("synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")
    except BaseException:
        connection.close()
        raise
    return connection


def is_alone(connection: sqlite3.Connection) -> bool:
    """Return whether others wait until the connection is closed."""
    [mode] = connection.execute("PRAGMA locking_mode").fetchone()
    return str(mode) == "exclusive"


def is_out_of_room(path: Path, error: object) -> bool:
    """Return whether SQLite's error is of a disk with no space left for its files."""
    code = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF == sqlite3.SQLITE_IOERR and _free(path) < _NO_ROOM


def full_disk(path: Path) -> str:
    """Return the reason why a ledger on a full disk cannot be used."""
    return f"its disk is full, with {format_bytes(_free(path))} free"


def _free(path: Path) -> int:
    return shutil.disk_usage(path.absolute().parent).free


def replace_contents(path: Path, source: Path) -> None:
    """Replace the contents of the ledger at ``path`` by those of ``source``, in one step.

    The file stays the same file: other processes that have it open see the new contents from their
    next transaction on. DatabaseError if another process writes for too long or the disk fails; the
    ledger is then unchanged.
    """

    def wait(state: int, _remaining: int, _total: int) -> None:
        # The connection has already waited, so waiting longer would not help.
        if state in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise sqlite3.OperationalError("another process is writing to it")

    try:
        with (
            closing(sqlite3.connect(source)) as new,
            closing(sqlite3.connect(path, timeout=PATIENCE)) as ledger,
        ):
            new.backup(ledger, progress=wait)
    except sqlite3.Error as error:
        raise DatabaseError(
            f"The ledger {str(path)!r} could not be replaced: {error}.",
            remedy="Nothing was changed. Close what has it open, and try again.",
        ) from None


def take_turn(connection: Any, patience: float) -> None:
    """Begin to write once no one else does; OperationalError if that takes too long.

    SQLite's own waits grow longer: then the turn is free most of the time, and who has waited
    longest is least likely to get it. With short random waits all are equally likely to be next.
    """
    [before] = connection.execute("PRAGMA busy_timeout").fetchone()
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        _execute_when_free(connection, "BEGIN IMMEDIATE", patience, BETWEEN_LOOKS)
    finally:
        connection.execute(f"PRAGMA busy_timeout = {before}")


def _execute_when_free(
    connection: Any, statement: str, patience: float, pauses: tuple[float, float]
) -> None:
    """Execute a statement for which SQLite itself does not wait, as soon as no one has the lock."""
    until = time.monotonic() + patience
    while True:
        try:
            connection.execute(statement)
            return
        except sqlite3.OperationalError as error:
            is_busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not is_busy or time.monotonic() >= until:
                raise
        time.sleep(random.uniform(*pauses))  # noqa: S311 a pause, not a secret
