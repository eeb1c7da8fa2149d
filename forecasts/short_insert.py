"""Put one row into a table by the shortest way.

While an act writes all others wait, and for a row by itself most of the time would go into what
SQLAlchemy does for any statement at all. Here the statement is made once a table; the values are
turned into what the driver takes by their columns' types, as ever.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, Table, insert
from sqlalchemy.orm import make_transient_to_detached
from sqlalchemy.orm.attributes import manager_of_class
from sqlmodel import Session

T = TypeVar("T")


@dataclass(frozen=True)
class _Insert:
    """The statement of a table for one driver, and what turns the value of each column."""

    sql: str
    columns: list[tuple[str, Callable[[Any], Any] | None]]
    by_place: bool
    returns: bool

    def given(self, row: Mapping[str, Any]) -> Any:
        """Return the row's values as the driver takes them."""
        values = [(name, row[name] if f is None else f(row[name])) for name, f in self.columns]
        return tuple(value for _, value in values) if self.by_place else dict(values)


_LAST = "sent with the commit"
_made: dict[tuple[str, str], _Insert] = {}


def as_loaded(session: Session, model: type[T], row: Mapping[str, Any]) -> T:
    """Return the object of a row, in the session, as if that had read it from the database."""
    made: T = manager_of_class(model).new_instance()
    vars(made).update(row)
    make_transient_to_detached(made)
    session.add(made)
    return made


def insert_row(connection: Connection, table: Table, row: Mapping[str, Any]) -> int:
    """Return the number of the new row, which has a value for each column but perhaps ``id``."""
    how = _how(connection, table, row)
    result = connection.exec_driver_sql(how.sql, how.given(row))
    if "id" in row:
        return int(row["id"])
    return int(result.scalar_one() if how.returns else result.lastrowid)


def insert_last(connection: Connection, table: Table, row: Mapping[str, Any]) -> None:
    """Put in a row, with its ``id``, that nothing in the act asks for any more.

    A server gets it with the commit (`taken_along`): a message more would take as long again.
    """
    if connection.dialect.name == "sqlite":
        insert_row(connection, table, row)
        return
    from psycopg import ClientCursor

    how = _how(connection, table, row)
    driver: Any = connection.connection.driver_connection
    statement = ClientCursor(driver).mogrify(how.sql, how.given(row))
    connection.info[_LAST] = f"{connection.info.get(_LAST, '')}{statement};"


def taken_along(connection: Connection) -> str:
    """Return what is to be sent with the commit, if there is anything, and forget it."""
    last: str = connection.info.pop(_LAST, "")
    return last


def _how(connection: Connection, table: Table, row: Mapping[str, Any]) -> _Insert:
    dialect = connection.dialect
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
        _made[key] = _Insert(
            str(compiled), [(name, turn[name]) for name in names], by_place, returns
        )
    return _made[key]
