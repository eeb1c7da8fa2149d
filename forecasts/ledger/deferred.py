"""Rows that an act puts into their tables at its end, when all is checked that it checks.

Everybody waits while one act has its turn, so what it can do before it does before (``following``).
A row is made ready when its verb has it, and put into its table when the act next asks the
database for anything, or ends. Where it is the first thing that a server is asked for, it goes
there in one message with the turn itself.

Considered and rejected: SQLAlchemy's unit of work, which waits as well, and then takes longer to
write one row than all else that an act does with its turn.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from sqlalchemy import Connection, orm
from sqlalchemy.orm.attributes import manager_of_class
from sqlmodel import Session, SQLModel

from forecasts.ledger import chain, following
from forecasts.ledger.short_insert import Prepared, number_it, prepare, put

T = TypeVar("T", bound=SQLModel)

FIRST = "ledger_first"  # the row that is sent with the turn, among the options of a connection
_ROWS, _FAILED, _NUMBER = "rows to put in", "what kept one from it", "number of the first row"


def later(session: Session, model: type[T], row: Mapping[str, Any]) -> T:
    """Return the object of a question's row, which gets its number once it is in its table."""
    # The model's own way takes a seventh of an act.
    made: T = manager_of_class(model).new_instance()
    vars(made).update(row, id=None)
    kind = str(model.__tablename__)
    ready = prepare(session.get_bind().dialect, SQLModel.metadata.tables[kind], row)
    told = chain.tell(kind, chain.as_stored(kind, row), row["question_id"])
    session.info.setdefault(_ROWS, []).append((ready, told, made))
    return made


def write(session: orm.Session) -> None:
    """Put the rows into their tables, in the order in which their verbs had them.

    What keeps one of them from it ends the act, whoever catches it (``require_whole``): by then a
    row may be there that has no entry, or one be missing.
    """
    rows = session.info.pop(_ROWS, ())
    try:
        for row, told, made in rows:
            number = _put(session, row)
            number_it(made, number)
            chain.note(session, told.kind, {number: told})
    except BaseException as error:
        session.info[_FAILED] = error
        raise


def require_whole(session: orm.Session) -> None:
    """Raise what has kept a row of the act from its table, where anything has."""
    if (error := session.info.get(_FAILED)) is not None:
        raise error


def _put(session: orm.Session, row: Prepared) -> int:
    if following.has_turn(session):
        return put(session.connection(), row)
    connection = session.connection(execution_options={FIRST: row})
    number: int | None = connection.info.pop(_NUMBER, None)
    return put(connection, row) if number is None else number


def sent_with_turn(connection: Connection) -> str:
    """Return the statement that goes to a server with the turn, if there is one."""
    row: Prepared | None = connection.get_execution_options().get(FIRST)
    return "" if row is None else row.spelled(connection)


def answered(connection: Connection, number: int) -> None:
    """Keep the number that the server gave the row that was sent with the turn."""
    connection.info[_NUMBER] = number


def drop(session: orm.Session) -> None:
    """Forget the rows of an act that came to nothing."""
    session.info.pop(_ROWS, None)
