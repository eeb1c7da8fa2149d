"""Insert rows as the driver takes them: one, a few, or very many (see ``append``)."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from functools import cache, lru_cache, partial
from itertools import chain, repeat
from typing import Any

from sqlalchemy import Connection, Dialect, String
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString

from forecasts.common.text import require_storable, unstorable_character
from forecasts.ledger.chain import each
from forecasts.ledger.driver_errors import raised
from forecasts.ledger.models import Time

Rows = Sequence[tuple[Any, ...]]

# Options of a statement: its texts were checked, so the engine need not check them again.
CHECKED = "ledger_checked"
MANY = 1_000  # rows that are worth a thread
_VALUES = 32_766  # that SQLite takes in a statement
_CACHE = 32_000  # KiB for SQLite during a large insert; sorting an index takes as much again
_TURN = 0.0005  # seconds that Python runs one thread while others wait
_USUAL_TURN = sys.getswitchinterval()


def names_of(kind: str) -> Sequence[str]:
    """Return the columns of a table, in their order."""
    return SQLModel.metadata.tables[kind].c.keys()


def next_ids(connection: Connection, kind: str, count: int) -> range:
    """Return the ids that the table's next rows get; a server keeps them for these rows."""
    if connection.dialect.name == "sqlite":
        last = connection.exec_driver_sql(f"SELECT coalesce(max(id), 0) FROM {kind}").scalar_one()  # noqa: S608 a table of ours
        return range(last + 1, last + 1 + count)
    # Not by setval, which a role that may only add rows cannot call.
    first, last = connection.exec_driver_sql(
        "SELECT min(id), max(id) FROM (SELECT nextval(pg_get_serial_sequence(%s, 'id')) AS id"
        " FROM generate_series(1, %s)) AS next",
        (kind, count),
    ).one()
    assert last - first + 1 == count  # no one else writes meanwhile
    return range(first, last + 1)


def insert_one(connection: Connection, kind: str, columns: Mapping[str, Sequence[Any]]) -> range:
    """Return the id that the database gives to a row: a message less than to ask for it first."""
    names = [name for name in names_of(kind) if name != "id"]
    stored = stored_columns(connection.dialect, kind, {name: columns[name] for name in names})
    [row] = zip(*stored.values(), strict=True)
    sql = f"{insert_statement(connection.dialect, kind, tuple(names))} RETURNING id"
    id_ = connection.exec_driver_sql(sql, row, {CHECKED: True}).scalar_one()
    return range(id_, id_ + 1)


def insert_rows(connection: Connection, kind: str, rows: Rows) -> None:
    """Write rows as the driver takes them."""
    names, dialect = names_of(kind), connection.dialect
    if len(rows) < MANY:
        sql = insert_statement(dialect, kind)
        connection.exec_driver_sql(sql, rows if len(rows) > 1 else rows[0], {CHECKED: True})
    elif dialect.name == "sqlite":
        # Statements of many rows: other threads run while SQLite takes one.
        size = _VALUES // len(names)
        for start in range(0, len(rows), size):
            some = rows[start : start + size]
            sql = insert_statement(dialect, kind, count=len(some))
            connection.exec_driver_sql(sql, tuple(chain.from_iterable(some)), {CHECKED: True})
    else:
        copies = f"COPY {kind} ({', '.join(names)}) FROM STDIN"
        driver: Any = connection.connection
        try:
            with driver.cursor() as cursor, cursor.copy(copies) as copy:
                for row in rows:
                    copy.write_row(row)
        except dialect.loaded_dbapi.Error as error:
            raise raised(connection, copies, error) from error


def stored_columns(
    dialect: Dialect, kind: str, columns: Mapping[str, Sequence[Any]]
) -> dict[str, Sequence[Any]]:
    """Return columns as the driver takes them; BadInput for a text that cannot be stored.

    A column of times may be texts in UTC as SQLite has them, 2025-10-30 14:00:00.000000: both
    drivers take those.
    """
    stored, table = {}, SQLModel.metadata.tables[kind]
    for name in (name for name in names_of(kind) if name in columns):
        values, type_ = columns[name], table.c[name].type
        if isinstance(type_, Time) and isinstance(values[0], str):
            stored[name] = values
            continue
        if isinstance(type_, (String, AutoString)) and unstorable_character(
            "".join(filter(None, values))
        ):
            require_storable(values)
        convert = _conversion(dialect, type_)
        stored[name] = each(convert, values) if convert else values
    return stored


def stored_time(dialect: Dialect, at: datetime | None) -> Any:
    """Return the time of an entry as the driver takes it."""
    convert = _conversion(dialect, SQLModel.metadata.tables["entry"].c.at.type)
    return convert(at) if convert else at


@cache
def _conversion(dialect: Dialect, type_: Any) -> Callable[[Any], Any] | None:
    conversion: Callable[[Any], Any] | None = type_.dialect_impl(dialect).bind_processor(dialect)
    return conversion


@lru_cache(100)  # those of many rows are long
def insert_statement(
    dialect: Dialect, kind: str, names: tuple[str, ...] | None = None, count: int = 1
) -> str:
    """Return the driver's INSERT of ``count`` rows, by default of all columns."""
    names = names or tuple(names_of(kind))
    row = f"({', '.join(repeat('?' if dialect.name == 'sqlite' else '%s', len(names)))})"
    return f"INSERT INTO {kind} ({', '.join(names)}) VALUES {', '.join([row] * count)}"  # noqa: S608 as above


@contextmanager
def inserting(
    connection: Connection, kind: str, count: int
) -> Iterator[Callable[[str, Rows], None]]:
    """Yield the function that inserts rows: if they are many, in a thread.

    Only the thread uses the connection meanwhile.
    """
    if count < MANY:
        yield partial(insert_rows, connection)
        return
    pending: list[Future[None]] = []

    def next_rows(before: Sequence[Future[None]], kind: str, rows: Rows) -> None:
        for one in before:
            one.result()  # an error may have ended the transaction, and what follows would stay
        insert_rows(connection, kind, rows)

    def insert(kind: str, rows: Rows) -> None:
        if len(pending) > 1:  # so the next rows are ready when the thread is
            pending.pop(0).result()
        pending.append(thread.submit(next_rows, pending[-1:], kind, rows))

    with lightened(connection, kind, count), uncollected(), _short_turns():
        with ThreadPoolExecutor(1) as thread:
            yield insert
        for last in pending:
            last.result()


@contextmanager
def lightened(connection: Connection, kind: str, count: int) -> Iterator[None]:
    """Prepare for many rows of a table, in one batch or several.

    SQLite takes them in half the time with a larger cache, without the table's indexes (if most
    rows are new), and without the triggers that look for each row's keys, since a REPLACE would
    delete the old row. They are dropped and created again in the same transaction: an INSERT
    replaces nothing, and no one else can write.
    """
    if count < MANY or connection.dialect.name != "sqlite":
        yield
        return
    run = connection.exec_driver_sql
    [size] = run("PRAGMA cache_size").one()
    try:
        run(f"PRAGMA cache_size = -{_CACHE}")
        names = (f"{kind}_refuses_replace", "entry_refuses_replace")
        dropped = [*run("SELECT * FROM sqlite_master WHERE name IN (?, ?)", names)]
        if next_ids(connection, kind, count).start <= count:
            indexes = "SELECT * FROM sqlite_master WHERE type = 'index' AND tbl_name = ?"
            dropped += [index for index in run(indexes, (kind,)) if index.sql]
        for made in dropped:
            run(f"DROP {made.type} {made.name}")
        yield
        for made in dropped:
            run(made.sql)
    finally:
        run(f"PRAGMA cache_size = {size}")


@contextmanager
def uncollected() -> Iterator[None]:
    """Keep the garbage collector from going through very many rows again and again."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


@contextmanager
def _short_turns() -> Iterator[None]:
    """Let a thread continue sooner after a statement; by default it can wait ten times as long."""
    sys.setswitchinterval(_TURN)
    try:
        yield
    finally:
        sys.setswitchinterval(_USUAL_TURN)  # not the last one, which may be another import's
