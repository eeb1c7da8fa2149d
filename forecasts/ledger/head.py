"""The newest entry that was acknowledged, kept outside the database.

The chain shows every change but one: a ledger that lost its newest entries is a whole ledger. So
after each act the number, hash and time of its last entry are written to a small file: beside a
ledger's file (``ledger.sqlite3.head``), and in the data folder for a ledger on a server, where each
machine knows the acts that it has acknowledged. A ledger that ends before that entry, or has
another in its place, takes no acts until somebody has restored a backup or accepted the loss;
otherwise the next act would hide it. The file has nothing secret. It also says where the ledger was
moved, so that a mark of a move (``moved``) that nobody here has made is not believed.

It is one line of a disk sector, written in one step and not synced: after a power cut it may be of
an earlier entry, which proves less but nothing wrong. An act is not refused if it cannot be
written. Rejected: a new file renamed to the old one's place (up to a millisecond for each act).
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine

from forecasts.common.errors import DatabaseError, Remedy
from forecasts.common.settings import data_folder
from forecasts.common.times import iso
from forecasts.ledger.chain import sha256
from forecasts.ledger.driver_errors import reported
from forecasts.ledger.facts import FIRST, NEWEST
from forecasts.ledger.moved import place_in
from forecasts.ledger.urls import address, is_embedded, place, sqlite_path

_LENGTH = 512
_FLAGS = os.O_WRONLY | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)


class Head(NamedTuple):
    """An entry's number and hash, the time of its act (blank for none), and its ledger's id.

    ``moved_to``: where the ledger went on after it; blank if it was not moved.
    """

    entry: int
    hash: str
    at: str
    ledger: str
    moved_to: str = ""

    @property
    def said(self) -> str:
        """The entry in words."""
        return f"entry {self.entry:,}, which was acknowledged" + (self.at and f" at {self.at}")


def beside(file: Path) -> Path:
    """Return the path for a ledger in a file; links to the file share it."""
    resolved = file.resolve()
    return resolved.with_name(f"{resolved.name}.head")


def path_of(engine: Engine, ledger: str) -> Path | None:
    """Return the path for a ledger with that id; None for one in memory.

    A ledger that was moved keeps its id, so on a server the place counts too.
    """
    if is_embedded(engine):
        file = sqlite_path(engine)
        return None if file is None else beside(file)
    return data_folder() / "heads" / sha256(f"{address(engine)} {ledger}".encode())[:24]


def known(path: Path | None) -> Head | None:
    """Return the content of the file; None without one, and for one that cannot be read."""
    try:
        found = Head(**json.loads(path.read_text("utf-8"))) if path is not None else None
        return found and found._replace(entry=int(found.entry))
    except (OSError, TypeError, ValueError, RecursionError):
        return None


def keep(engine: Engine, ledger: str, entry: int, hash_: str, at: datetime | None) -> None:
    """Keep the last entry of an act that was just stored."""
    _write(path_of(engine, ledger), Head(entry, hash_, "" if at is None else iso(at), ledger))


def forget(engine: Engine, ledger: str = "") -> None:
    """Forget the last entry of a ledger that somebody replaces on purpose."""
    path = path_of(engine, ledger)
    if path is not None:
        path.unlink(missing_ok=True)


def accept(engine: Engine) -> None:
    """Keep the ledger's last entry as it is now, whatever was known before; with a move's mark."""
    with reported(engine), engine.connect() as connection:
        newest, first = (connection.exec_driver_sql(sql).first() for sql in (NEWEST, FIRST))
        there = place_in(connection)
    ledger = "" if first is None else str(first[0])
    if newest is None:
        forget(engine, ledger)
    else:
        last = Head(newest.id, str(newest.hash), "", ledger, there)
        _write(path_of(engine, ledger), last)


def _write(path: Path | None, head: Head) -> None:
    if path is None:
        return
    line = f"{json.dumps(head._asdict()):<{_LENGTH - 1}}\n".encode()
    with suppress(OSError):
        if not path.parent.exists():
            path.parent.mkdir(parents=True)
        descriptor = os.open(path, _FLAGS, 0o600)
        try:
            os.write(descriptor, line)
            os.ftruncate(descriptor, len(line))
        finally:
            os.close(descriptor)


def missing(connection: Connection) -> str:
    """Return the sentence that the newest acknowledged entry is not there; blank if it is."""
    first: Any = connection.exec_driver_sql(FIRST).scalar()
    head = known(path_of(connection.engine, str(first or "")))
    if head is None:
        return ""
    there = connection.exec_driver_sql(
        f"SELECT max(id), max(CASE WHEN id = {head.entry} THEN hash END) FROM entry"  # noqa: S608 a number
        f" WHERE id >= {head.entry}"
    ).one()
    if there[1] == head.hash:
        return ""
    if first not in (None, head.ledger):
        return f"the ledger is another one than that of {head.said}"
    if there[0] is None:
        return f"the ledger ends before {head.said}"
    return f"the ledger has another entry in the place of {head.said}"


def is_forged(file: Path | None, there: str) -> bool:
    """Return whether no move from here has written the mark that a ledger was moved ``there``."""
    head = None if file is None else known(beside(file))
    return head is not None and head.moved_to != there


def require_whole(connection: Connection) -> None:
    """Refuse an act on a ledger without the newest acknowledged entry; DatabaseError."""
    said = missing(connection)
    if said:
        driver: Any = connection.connection
        driver.rollback()
        raise DatabaseError(
            f"At {place(connection.engine)!r} {said}, so nothing more is stored in it.",
            remedy=ways_on(connection.engine),
        )


def ways_on(engine: Engine) -> tuple[str | Remedy, ...]:
    """Return the ways on from a ledger without its newest entries."""
    return (
        "Find out what replaced or cut it: a lost file ending in -wal, an older copy.",
        Remedy("Bring the whole one back, or restore the newest backup: {}.", "restore", "FILE"),
        Remedy("To go on from here without those entries: {}", "verify", accept=True),
    )
