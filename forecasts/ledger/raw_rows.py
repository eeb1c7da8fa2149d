"""Rows as the driver has them, for hashing: a third of the time that Python's types take.

A row that cannot be read (text that is not UTF-8, a time out of range, a damaged page) comes with
the reason in its place, and so does not hide the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Integer,
    Select,
    bindparam,
    func,
    literal_column,
    select,
)
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, SQLModel

from forecasts.ledger.chain import OUTSIDE, contents, rows_of
from forecasts.ledger.driver_errors import is_of_a_value, raised
from forecasts.ledger.malformed import first_broken, malformed, never_stored
from forecasts.ledger.stored_forms import looks_right, rules

# The id of a row, its question, the two parts of its JSON that are hashed (``contents``), its
# values, and a predicate if it cannot be read or has a value out of form; otherwise "".
RawRow = tuple[int, int | None, str, str, Any, str]


def read(session: Session, statement: Select[Any], **values: int) -> list[tuple[Any, ...]]:
    """Return the rows of a statement, without the engine's row around each."""
    connection = session.connection()
    result: CursorResult[Any] = connection.execute(statement, values)
    cursor: Any = result.cursor
    try:
        return list(cursor.fetchall())
    except connection.dialect.loaded_dbapi.Error as error:
        raise raised(connection, str(result.context.statement), error) from error
    finally:
        cursor.close()


def rows_between(session: Session, kind: str, low: int, high: int) -> list[RawRow]:
    """Return the rows of a table with ids from ``low`` to ``high``, by id.

    Those of a table outside the chain without their JSON.
    """
    try:
        return _rows_between(session, kind, low, high)
    except Exception as error:
        if not is_of_a_value(error):
            raise
        if low >= high:
            return [(high, None, "", "", None, f"cannot be read: {reason(error)}")]
    middle = (low + high) // 2
    return [
        *rows_between(session, kind, low, middle),
        *rows_between(session, kind, middle + 1, high),
    ]


def _rows_between(session: Session, kind: str, low: int, high: int) -> list[RawRow]:
    connection, table = session.connection(), SQLModel.metadata.tables[kind]
    dialect = connection.dialect.name
    found = read(session, _statement(kind, dialect), low=low, high=high)
    if not found:
        return []
    names = (*table.c.keys(), "of_question", "broken")
    columns = dict(zip(names, zip(*found, strict=True), strict=True))
    ids, said = columns["id"], [""] * len(found)
    if any(columns["broken"]) or not all(
        looks_right(column, columns[column.name], dialect) for column in table.c
    ):
        wrong = malformed(connection, table, len(found), f"id BETWEEN {low} AND {high}")
        said = [never_stored(wrong[id_]) if id_ in wrong else "" for id_ in ids]
    hashed = [("", "")] * len(found) if kind in OUTSIDE else contents(kind, columns)
    rest, personal = zip(*hashed, strict=True)
    return list(zip(ids, columns["of_question"], rest, personal, found, said, strict=True))


@lru_cache(100)  # to build one takes longer than to run it
def _statement(kind: str, dialect: str) -> Select[Any]:
    table = SQLModel.metadata.tables[kind]
    broken: ColumnElement[Any] = literal_column(first_broken(rules(table, dialect)))
    rows = rows_of(kind).add_columns(broken.label("broken"))
    low, high = (bindparam(name, type_=Integer) for name in ("low", "high"))
    return rows.where(table.c.id.between(low, high))


def rows_outside(session: Session, kind: str, last: int, most: int) -> Sequence[tuple[Any, ...]]:
    """Return up to ``most`` rows with ids above ``last`` or below 1: id and question."""
    rows, id_ = rows_of(kind), SQLModel.metadata.tables[kind].c.id
    ids = rows.with_only_columns(id_, rows.selected_columns.of_question)
    return read(session, ids.where((id_ > last) | (id_ < 1)).limit(most))


def ends(session: Session, kind: str) -> tuple[int, int]:
    """Return the ids of a table's first row and its last; of an empty one (1, 0)."""
    id_ = SQLModel.metadata.tables[kind].c.id
    first, last = session.execute(select(func.min(id_), func.max(id_))).one()
    return (1, 0) if first is None else (int(first), int(last))


def reason(error: Exception) -> str:
    """Return a driver's or a reader's words about a value, on one line."""
    said = str(error.orig if isinstance(error, DBAPIError) else error) or type(error).__name__
    return " ".join(said.split())[:200]
