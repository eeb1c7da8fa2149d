"""Move a ledger to another database: from a file to a server, or back.

Table after table, in batches of rows by their numbers, each batch one transaction; then every row
is read again from both and compared by its hash; then the copy is declared finished. Until it is,
a table in the target tells that it is a copy, and of what, and nothing else opens it (see
``ledger_file.Kind.unfinished``). Whoever ends the move in between, by whatever means, loses
nothing: the same move goes on behind the last row that the target has.

The source is left as it is. The move holds the turn to write in it from beginning to end and
writes nothing, so whoever would write meanwhile waits, and is told when that takes too long;
readers go on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    MetaData,
    Row,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
)
from sqlmodel import Session, SQLModel

from forecasts.common.errors import DatabaseError, Refused
from forecasts.ledger import models
from forecasts.ledger.database import migrate, reading, schema_revision, writing
from forecasts.ledger.schema import newest_revision
from forecasts.ledger.sqlite_file import UNFINISHED
from forecasts.ledger.urls import is_embedded, place, sqlite_path

_BATCH = 1_000  # rows; an article has its whole text in one
# What is not appended to can have changed since an earlier attempt, so it is copied anew.
_CHANGES = ("score", "notice", "channel", "watch")
assert models.APPEND_ONLY  # the import fills SQLModel.metadata
_MARK = Table(UNFINISHED, MetaData(), Column("source", Text, nullable=False))


@dataclass(frozen=True)
class Step:
    """How far the move has come: rows of a table that are copied, or compared, of how many."""

    act: str
    table: str
    done: int
    rows: int


@dataclass(frozen=True)
class Moved:
    """How many rows of each table stand in both ledgers, compared one by one."""

    rows: dict[str, int]
    resumed: bool


def move(source: Engine, target: Engine, *, tell: Callable[[Step], None] = lambda _: None) -> Moved:
    """Return what is in both ledgers now; the target is written, the source only read.

    Refused where they are the same, where the target has anything in it that is not this very
    move's own unfinished copy, and where the source has another schema than this release's.
    DatabaseError where a row of the copy differs from its original: it is then not finished.
    """
    _require_another(source, target)
    _require_newest(source)
    with writing(source) as original:
        original.connection()  # from here on it is this move's turn to write there
        if schema_revision(target) is None:
            migrate(target)
        _require_newest(target)
        resumed = _begin(target, place(source))
        counts = {table.name: _count(original, table) for table in _tables()}
        for table in _tables():
            _copy(original, target, table, counts[table.name], tell)
        for table in _tables():
            _compare(original, target, table, counts[table.name], tell)
        _finish(target)
    return Moved(counts, resumed)


def _tables() -> Sequence[Table]:
    """Return the tables, each behind those that it refers to."""
    return SQLModel.metadata.sorted_tables


def _require_another(source: Engine, target: Engine) -> None:
    files = [sqlite_path(engine) for engine in (source, target)]
    here, there = (
        str(Path(file).resolve()) if file is not None else place(engine)
        for file, engine in zip(files, (source, target), strict=True)
    )
    if here == there:
        raise Refused(
            f"The ledger is at {place(source)!r} already.", remedy="Name another place with --to."
        )


def _require_newest(engine: Engine) -> None:
    revision = schema_revision(engine)
    if revision != newest_revision():
        raise Refused(
            f"The ledger at {place(engine)!r} has schema {revision}, and this release moves "
            f"schema {newest_revision()}.",
            remedy="Bring it up to date first, with: forecasts migrate",
        )


def _begin(target: Engine, source: str) -> bool:
    """Return whether this move was begun before; else mark the target, which must be empty."""
    with writing(target) as session:
        connection = session.connection()
        if _has_mark(connection):
            begun = session.execute(select(_MARK.c.source)).scalar_one()
            if begun != source:
                raise Refused(
                    f"{place(target)!r} holds an unfinished copy of the ledger at {begun!r}, not "
                    f"of the one at {source!r}.",
                    remedy="Finish that move, or name an empty database with --to.",
                )
            for name in _CHANGES:
                connection.execute(delete(SQLModel.metadata.tables[name]))
            return True
        for table in _tables():
            if _count(session, table):
                raise Refused(
                    f"{place(target)!r} is not empty: it has rows in the table {table.name}.",
                    remedy="Name an empty database with --to; nothing was changed.",
                )
        _MARK.create(connection)
        connection.execute(insert(_MARK), {"source": source})
    return False


def _has_mark(connection: Connection) -> bool:
    return connection.dialect.has_table(connection, UNFINISHED)


def _count(session: Session, table: Table) -> int:
    return int(session.execute(select(func.count()).select_from(table)).scalar_one())


def _copy(
    original: Session, target: Engine, table: Table, rows: int, tell: Callable[[Step], None]
) -> None:
    with reading(target) as session:
        last = session.execute(select(func.max(table.c.id))).scalar_one() or 0
        done = _count(session, table)
    tell(Step("copy", table.name, done, rows))
    for batch in _batches(original, table, after=last):
        with writing(target) as session:
            session.connection().execute(insert(table), [dict(row._mapping) for row in batch])
        done += len(batch)
        tell(Step("copy", table.name, done, rows))


def _batches(session: Session, table: Table, *, after: int = 0) -> Iterator[Sequence[Row[Any]]]:
    """Yield the rows of a table in the order of their numbers, a batch at a time."""
    while True:
        batch = session.execute(
            select(table).where(table.c.id > after).order_by(table.c.id).limit(_BATCH)
        ).all()
        if not batch:
            return
        yield batch
        after = batch[-1].id


def _compare(
    original: Session, target: Engine, table: Table, rows: int, tell: Callable[[Step], None]
) -> None:
    """Read every row of both; DatabaseError for the first that differs, is missing or too many."""
    done = 0
    with reading(target) as copy:
        copies = (row for batch in _batches(copy, table) for row in batch)
        for batch in _batches(original, table):
            for row in batch:
                _require_same(target, table, row, next(copies, None))
            done += len(batch)
            tell(Step("compare", table.name, done, rows))
        _require_same(target, table, None, next(copies, None))


def _require_same(
    target: Engine, table: Table, row: Row[Any] | None, copied: Row[Any] | None
) -> None:
    if _digest(row) == _digest(copied):
        return
    if copied is None:
        what = f"Row {row.id if row else None} of the table {table.name} is missing"
    elif row is None:
        what = f"Row {copied.id} of the table {table.name} is in none but the copy"
    else:
        what = f"Row {copied.id} of the table {table.name} is another than row {row.id}"
    raise DatabaseError(
        f"{what}, so the copy at {place(target)!r} was not finished.",
        remedy="The original is as it was. Begin anew with an empty database.",
    )


def _digest(row: Row[Any] | None) -> bytes:
    """Return the hash of a row's values; those of one row are alike whatever holds it."""
    values = None if row is None else tuple(row)
    return hashlib.sha256(repr(values).encode("utf-8", "surrogatepass")).digest()


def _finish(target: Engine) -> None:
    """Let the target be a ledger: numbers go on behind those copied, and the mark is gone."""
    with writing(target) as session:
        connection = session.connection()
        if not is_embedded(target):
            for table in _tables():
                last = func.max(table.c.id)
                sequence = func.pg_get_serial_sequence(table.name, "id")
                # Where nothing was copied the first number is still to be given.
                connection.execute(select(func.setval(sequence, last)).having(last.is_not(None)))
        _MARK.drop(connection)
