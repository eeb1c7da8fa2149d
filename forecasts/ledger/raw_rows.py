"""Rows as the driver has them, for hashing: a third of the time that Python's types take.

A row that cannot be read (text that is not UTF-8, a time out of range, a damaged page) comes with
the reason in its place, and so does not hide the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    CursorResult,
    Dialect,
    Integer,
    Select,
    func,
    literal_column,
    select,
)
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, SQLModel

from forecasts.ledger.chain import contents, rows_of
from forecasts.ledger.driver_errors import is_of_a_value, raised
from forecasts.ledger.malformed import first_broken, malformed, never_stored
from forecasts.ledger.stored_forms import looks_right, rules

T = TypeVar("T")
# The id of a row, its question, the two parts of its JSON that are hashed (``contents``), its
# values, and a predicate if it cannot be read or has a value out of form; otherwise "".
RawRow = tuple[int, int | None, str, str, Any, str]


def fetch(connection: Connection, sql: str) -> list[tuple[Any, ...]]:
    """Return rows as the driver has them, without the engine's row around each."""
    return _rows(connection, connection.exec_driver_sql(sql))


def read(session: Session, statement: Select[Any]) -> list[tuple[Any, ...]]:
    """Return the rows of a statement as the driver has them."""
    connection = session.connection()
    return _rows(connection, connection.execute(statement))


def _rows(connection: Connection, result: CursorResult[Any]) -> list[tuple[Any, ...]]:
    cursor: Any = result.cursor
    try:
        return list(cursor.fetchall())
    except connection.dialect.loaded_dbapi.Error as error:
        raise raised(connection, result.context.statement, error) from error
    finally:
        cursor.close()


def rows_between(session: Session, kind: str, low: int, high: int) -> list[RawRow]:
    """Return the rows of a table of the chain with ids above ``low`` up to ``high``, by id."""

    def read(low: int, high: int) -> list[RawRow]:
        found, columns, faults = _between(session.connection(), kind, low, high)
        if not found:
            return []
        ids, (rest, personal) = columns["id"], zip(*contents(kind, columns), strict=True)
        said = [faults.get(id_, "") for id_ in ids] if faults else [""] * len(ids)
        return list(zip(ids, columns["of_question"], rest, personal, found, said, strict=True))

    return _readable(read, lambda row, said: (row, None, "", "", None, said), low, high)


def faults_between(session: Session, kind: str, low: int, high: int) -> list[tuple[int, str]]:
    """Return such rows of any table that cannot be read or are out of form, with predicates."""

    def read(low: int, high: int) -> list[tuple[int, str]]:
        _, _, faults = _between(session.connection(), kind, low, high)
        return list(faults.items())

    return _readable(read, lambda row, said: (row, said), low, high)


def _readable(
    read: Callable[[int, int], list[T]], unreadable: Callable[[int, str], T], low: int, high: int
) -> list[T]:
    """Return all that can be read between two ids, with ``unreadable`` in place of the rest."""
    try:
        return read(low, high)
    except Exception as error:
        if not is_of_a_value(error):
            raise
        if high - low <= 1:
            return [unreadable(high, f"cannot be read: {reason(error)}")]
    middle = (low + high) // 2
    parts = ((low, middle), (middle, high))
    return [row for part in parts for row in _readable(read, unreadable, *part)]


def _between(
    connection: Connection, kind: str, low: int, high: int
) -> tuple[list[tuple[Any, ...]], Mapping[str, Sequence[Any]], Mapping[int, str]]:
    """Return rows, their columns, and the predicates of those that are out of form."""
    table, dialect = SQLModel.metadata.tables[kind], connection.dialect
    found = fetch(connection, _statement(kind, dialect).format(low=low, high=high))
    if not found:
        return [], {}, {}
    names = (*table.c.keys(), "of_question", "broken")
    columns = dict(zip(names, zip(*found, strict=True), strict=True))
    if not any(columns["broken"]) and all(
        looks_right(column, columns[column.name], dialect.name) for column in table.c
    ):
        return found, columns, {}
    wrong = malformed(connection, table, len(found), f"id > {low} AND id <= {high}")
    return found, columns, {row: never_stored(subject) for row, subject in wrong.items()}


@lru_cache(100)  # to build one takes longer than to run it
def _statement(kind: str, dialect: Dialect) -> str:
    table = SQLModel.metadata.tables[kind]
    low, high = (literal_column(name, Integer) for name in ("{low}", "{high}"))
    broken: ColumnElement[Any] = literal_column(first_broken(rules(table, dialect.name)))
    rows = rows_of(kind).add_columns(broken.label("broken"))
    return str(rows.where(table.c.id > low, table.c.id <= high).compile(dialect=dialect))


def rows_outside(session: Session, kind: str, last: int, most: int) -> list[tuple[int, int | None]]:
    """Return up to ``most`` rows with ids above ``last`` or below 1: id and question."""
    connection = session.connection()
    sql = _statement_outside(kind, connection.dialect)
    return fetch(connection, sql.format(last=last, most=most))


@lru_cache(100)
def _statement_outside(kind: str, dialect: Dialect) -> str:
    rows, id_ = rows_of(kind), SQLModel.metadata.tables[kind].c.id
    last, most = (literal_column(name, Integer) for name in ("{last}", "{most}"))
    ids = rows.with_only_columns(id_, rows.selected_columns.of_question)
    ids = ids.where((id_ > last) | (id_ < 1)).limit(most)
    return str(ids.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))


def ends(session: Session, kind: str) -> tuple[int, int]:
    """Return the id before a table's first row, and that of its last: all rows are between them."""
    id_ = SQLModel.metadata.tables[kind].c.id
    first, last = session.execute(select(func.min(id_), func.max(id_))).one()
    return (0, 0) if first is None else (first - 1, last)


def reason(error: Exception) -> str:
    """Return a driver's or a reader's words about a value, on one line."""
    said = str(error.orig if isinstance(error, DBAPIError) else error) or type(error).__name__
    return " ".join(said.split())[:200]
