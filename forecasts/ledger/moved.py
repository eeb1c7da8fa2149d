"""The mark of a ledger in a file that was moved away: the place where it goes on.

Such a ledger can be read, backed up and verified, but takes no acts, which would be missing at the
new place. An operator can remove the mark (``forecasts move --reopen``). On a server nothing is
marked: its owner can make a database read-only.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Connection, Engine, MetaData, Table, Text, insert
from sqlmodel import Session

from forecasts.common.errors import DatabaseError, Remedy
from forecasts.ledger.driver_errors import reported
from forecasts.ledger.urls import is_embedded

MOVED = "moved_ledger"
THOUGH_MOVED = "ledger_though_moved"  # among an engine's options: the mark is not obeyed
_TABLE = Table(MOVED, MetaData(), Column("place", Text, nullable=False))


def moved_to(engine: Engine) -> str:
    """Return the place that the ledger was moved to; blank if it was not moved."""
    if not is_embedded(engine):
        return ""
    with reported(engine), engine.connect() as connection:
        return place_in(connection)


def mark(session: Session, place: str) -> None:
    """Write that the ledger goes on at ``place``, which must have no secrets."""
    connection = session.connection()
    _TABLE.create(connection, checkfirst=True)
    connection.execute(_TABLE.delete())
    connection.execute(insert(_TABLE), {"place": place})


def unmark(session: Session) -> str:
    """Let the ledger take acts again; return the place that it was moved to, blank if to none."""
    there = _place(session.connection().connection)
    if there:
        _TABLE.drop(session.connection())
    return there


def require_here(connection: Any, path: Path, is_forged: Callable[[str], bool]) -> None:
    """Raise DatabaseError if the ledger in a file was moved away. ``connection``: the driver's.

    ``is_forged``: tells whether no move from here has written a mark with that place.
    """
    if there := _place(connection):
        connection.rollback()
        raise DatabaseError(
            f"The ledger {str(path)!r} was moved to {there!r}, so nothing more is stored in it.",
            remedy=remedy(str(path), forged=is_forged(there)),
        )


def remedy(file: str, *, forged: bool) -> Remedy:
    """Return the two ways on from a ledger that was moved away."""
    sentence = "Set FORECASTS_DATABASE_URL to the new place. To continue here instead: {}"
    if forged:
        sentence = (
            "No move from here has written that mark. Find out who wrote it before "
            "you use the new place. To go on here: {}"
        )
    return Remedy(sentence, "move", reopen=True, database=file)


def place_in(connection: Connection) -> str:
    """Return the place that the ledger was moved to; blank if it was not moved."""
    return _place(connection.connection) if is_embedded(connection) else ""


def _place(connection: Any) -> str:
    find = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
    if connection.execute(find, (MOVED,)).fetchone() is None:
        return ""
    try:
        found = connection.execute(f"SELECT place FROM {MOVED}").fetchone()  # noqa: S608
    except sqlite3.Error:  # somebody else has made the table
        return "an unreadable place"
    return "" if found is None else str(found[0])
