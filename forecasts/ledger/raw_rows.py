"""Rows as the driver has them, for hashing: a third of the time that Python's types take.

A row that cannot be read (text that is not UTF-8, a time out of range, a damaged page) comes with
the reason in its place, and so does not hide the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Dialect, Integer, Select, func, literal_column, select
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, SQLModel

from forecasts.ledger.chain import contents, rows_of
from forecasts.ledger.driver_errors import is_of_a_value


class RawRow(NamedTuple):
    """A row with its question, and the two parts of its JSON that are hashed (``contents``).

    ``unreadable``: the reason why there is none of it; blank if there is.
    """

    id: int
    question: int | None
    rest: str
    personal: str
    values: Any
    unreadable: str = ""


def read(session: Session, statement: Select[Any]) -> Sequence[Any]:
    """Return rows as the driver has them; the statement's parameters are ids."""
    connection = session.connection()
    sql = statement.compile(connection.engine, compile_kwargs={"literal_binds": True})
    return connection.exec_driver_sql(str(sql)).all()


def rows_between(session: Session, kind: str, low: int, high: int) -> list[RawRow]:
    """Return the rows of a table of the chain with ids above ``low`` up to ``high``, by id."""
    table, connection = SQLModel.metadata.tables[kind], session.connection()
    try:
        statement = _between(kind, connection.dialect).format(low=low, high=high)
        found = connection.exec_driver_sql(statement).all()
        columns = dict(zip(table.c.keys(), zip(*found, strict=True), strict=False))
        hashed = contents(kind, columns) if found else []
        id_ = table.c.keys().index("id")
        return [
            RawRow(row[id_], row[-1], rest, personal, row)
            for row, (rest, personal) in zip(found, hashed, strict=True)
        ]
    except Exception as error:
        if not is_of_a_value(error):
            raise
        if high - low <= 1:
            return [RawRow(high, None, "", "", None, reason(error))]
    middle = (low + high) // 2
    return [*rows_between(session, kind, low, middle), *rows_between(session, kind, middle, high)]


@lru_cache(100)  # to build one takes longer than to run it
def _between(kind: str, dialect: Dialect) -> str:
    id_ = SQLModel.metadata.tables[kind].c.id
    low, high = (literal_column(name, Integer) for name in ("{low}", "{high}"))
    return str(rows_of(kind).where(id_ > low, id_ <= high).compile(dialect=dialect))


def ends(session: Session, kind: str) -> tuple[int, int]:
    """Return the id before a table's first row, and that of its last: all rows are between them."""
    id_ = SQLModel.metadata.tables[kind].c.id
    first, last = session.execute(select(func.min(id_), func.max(id_))).one()
    return (0, 0) if first is None else (first - 1, last)


def reason(error: Exception) -> str:
    """Return a driver's or a reader's words about a value, on one line."""
    said = str(error.orig if isinstance(error, DBAPIError) else error) or type(error).__name__
    return " ".join(said.split())[:200]
