"""Put one row into a table by the shortest way.

While an act writes all others wait, and for a row by itself most of the time would go into what
SQLAlchemy does for any statement at all. Here the statement is made once a table; the values are
turned into what the driver takes by their columns' types, as ever, and before the act's turn.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Dialect, Table, insert
from sqlalchemy.orm import make_transient_to_detached
from sqlmodel import SQLModel

from forecasts.common.text import require_storable
from forecasts.ledger.driver_errors import raised, undone
from forecasts.ledger.urls import place


@dataclass(frozen=True)
class _Statement:
    """The statement of a table for one driver, and what turns the value of each column."""

    sql: str
    columns: list[tuple[str, Callable[[Any], Any] | None]]
    by_place: bool
    returns: bool

    def given(self, row: Mapping[str, Any]) -> Any:
        """Return the row's values as the driver takes them."""
        values = [row[name] if turn is None else turn(row[name]) for name, turn in self.columns]
        require_storable(values)
        if self.by_place:
            return tuple(values)
        return dict(zip((name for name, _ in self.columns), values, strict=True))


@dataclass(frozen=True)
class Prepared:
    """A row that can go into its table at once; ``id`` where that is known before."""

    statement: _Statement
    values: Any
    id: int | None

    def spelled(self, connection: Connection) -> str:
        """Return the statement with its values in it, for a connection to PostgreSQL."""
        if _SPELLER not in connection.info:
            from psycopg import ClientCursor

            connection.info[_SPELLER] = ClientCursor(connection.connection.driver_connection)  # type: ignore[arg-type]
        spelled: str = connection.info[_SPELLER].mogrify(self.statement.sql, self.values)
        return spelled


_LAST, _SPELLER = "sent with the commit", "spells statements"
_made: dict[tuple[str, str], _Statement] = {}


def number_it(made: SQLModel, number: int) -> None:
    """Give ``made`` its number; it is what a session would have read that has ended since."""
    vars(made)["id"] = number
    make_transient_to_detached(made)


def prepare(dialect: Dialect, table: Table, row: Mapping[str, Any]) -> Prepared:
    """Return the row, which has a value for each column but perhaps ``id``, as it can be put in."""
    statement = _statement(dialect, table, row)
    return Prepared(statement, statement.given(row), row.get("id"))


def put(connection: Connection, row: Prepared) -> int:
    """Return the number of the new row."""
    if connection.dialect.name == "sqlite":
        number = _put_into_file(connection, row)
    else:
        result = connection.exec_driver_sql(row.statement.sql, row.values)
        number = result.scalar_one() if row.statement.returns else row.id
    assert number is not None
    return number


def _put_into_file(connection: Connection, row: Prepared) -> int | None:
    driver: Any = connection.connection
    if not driver.in_transaction:
        raise undone(place(connection.engine))
    try:
        number: int | None = driver.execute(row.statement.sql, row.values).lastrowid
    except sqlite3.Error as error:
        raise raised(connection, row.statement.sql, error) from error
    return number


def put_last(connection: Connection, row: Prepared) -> None:
    """Put in a row, with its ``id``, that nothing in the act asks for any more.

    A server gets it with the commit (`taken_along`): a message more would take as long again.
    """
    if connection.dialect.name == "sqlite":
        put(connection, row)
        return
    connection.info[_LAST] = f"{connection.info.get(_LAST, '')}{row.spelled(connection)};"


def taken_along(connection: Connection) -> str:
    """Return what is to be sent with the commit, if there is anything, and forget it."""
    last: str = connection.info.pop(_LAST, "")
    return last


def _statement(dialect: Dialect, table: Table, row: Mapping[str, Any]) -> _Statement:
    key = (f"{table.name} {'id' in row}", dialect.name)
    if key not in _made:
        columns = [column for column in table.c if column.name in row]
        made = insert(table).values(dict.fromkeys(columns)).inline()
        # Rows that come back take longer than the insert; where nobody needs them, none do.
        returns = "id" not in row and dialect.name != "sqlite"
        if returns:
            made = made.returning(table.c.id)
        compiled = made.compile(dialect=dialect)
        by_place = compiled.positiontup is not None
        names = compiled.positiontup or [column.name for column in columns]
        turn = {c.name: c.type.dialect_impl(dialect).bind_processor(dialect) for c in columns}
        _made[key] = _Statement(
            str(compiled), [(name, turn[name]) for name in names], by_place, returns
        )
    return _made[key]
