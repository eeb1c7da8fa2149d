"""Append rows to the ledger: the one way to write history.

``append`` writes rows of one table, in order, and enters them in the chain (``chain``). Rows that
are added to the session are entered the same way when it is flushed. All of an act's rows and
entries are stored with its commit, or none. One forecast is a batch of one.

Only one act writes at a time, so the next ids and the ends of the chains are known.

Rejected: entries written by each verb (one that forgets them would only be found by a test), and
ORM objects for imported rows (they take longer than hashing and storing together).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any, TypeVar

from sqlalchemy import Connection, Dialect, bindparam, insert, orm, select, text, update
from sqlalchemy import delete as sql_delete
from sqlalchemy.sql.compiler import SQLCompiler
from sqlmodel import Session, SQLModel

from forecasts.ledger import current_forecasts
from forecasts.ledger.chain import (
    NOTHING,
    PARENTS,
    SEALED,
    STATES,
    contents,
    each,
    entry_hash,
    row_hash,
    time_member,
    words_hash,
)
from forecasts.ledger.clock import TIME
from forecasts.ledger.facts import FACTS, KINDS, NEWEST, Facts

Row = TypeVar("Row", bound=SQLModel)
Columns = Mapping[str, Sequence[Any]]  # each with one value a row
_Entry = tuple[Any, ...]  # the columns of _ENTRY
_Convert = Callable[[Any], Any] | None

_END = "ledger_end"  # in the session of an act
BATCH = 5_000  # rows written together with their entries
_MANY = 1_000  # ids in a statement
_SALT = 16  # bytes
_ENTRY = (
    *("id", "question_id", "number", "kind", "row_id"),
    *("row_hash", "hash", "at", "salt", "words_hash"),
)
_LASTS_OF = text(
    "SELECT e.question_id, e.number, e.hash FROM entry e JOIN ("
    "SELECT question_id, max(number) AS number FROM entry WHERE question_id IN :questions"
    " GROUP BY question_id"
    ") last ON last.question_id = e.question_id AND last.number = e.number"
).bindparams(bindparam("questions", expanding=True))


@dataclass
class _End:
    """The end of the chain as an act extends it, and the ends of the questions that it knows."""

    place: int
    last: str
    questions: dict[int, tuple[int, str]]
    at: datetime | None

    def __post_init__(self) -> None:
        self.began = self.place

    def entries(self, kind: str, columns: Columns, questions: Sequence[int | None]) -> list[_Entry]:
        """Return the next entries: of rows with rising ids, whose questions' ends are known."""
        found = []
        for row_id, question, (rest, personal) in zip(
            columns["id"], questions, contents(kind, columns), strict=True
        ):
            salt = new_salt()
            words = words_hash(salt, personal)
            found.append(self.entry(kind, row_id, row_hash(rest, words), question, salt, words))
        return found

    def entry(
        self,
        kind: str,
        row_id: int,
        row: str,
        question: int | None = None,
        salt: str | None = None,
        words: str | None = None,
    ) -> _Entry:
        """Return the next entry, of a row with that hash."""
        self.place += 1
        number, previous = None, None
        if question is not None:
            before, previous = self.questions[question]
            number = before + 1
        link = (self.place, question, number, kind, row_id, row)
        self.last = entry_hash(link, self.last, previous, self._time)
        if question is not None and number is not None:
            self.questions[question] = number, self.last
        return (*link, self.last, self.at, salt, words)

    @cached_property
    def _time(self) -> str:
        return time_member(self.at)


def written(session: Session, row: Row) -> Row:
    """Return ``row``, which is written at once, so that it has its id."""
    session.add(row)
    session.flush()
    return row


def append(session: Session, kind: str, columns: Columns) -> range:
    """Return the ids of the new rows of a sealed table, which are written and entered.

    ``columns``: all columns of the table but ``id``. If it raises, the act is rolled back, and
    cannot continue.
    """
    session.flush()
    connection = session.connection()
    ids = _next_ids(connection, kind, len(next(iter(columns.values()))))
    columns = {**columns, "id": ids}
    try:
        for start in range(0, len(ids), BATCH):
            some = {name: column[start : start + BATCH] for name, column in columns.items()}
            write(connection, kind, some)
            enter(session, kind, some)
    except BaseException:
        if not connection.invalidated:  # a lost connection has nothing to roll back
            driver: Any = connection.connection.driver_connection
            driver.rollback()  # some rows may be written: ``database`` refuses the rest of the act
        raise
    return ids


def write(connection: Connection, kind: str, columns: Columns) -> None:
    """Write rows of a table, given by all of its columns.

    Each column is converted as a whole. SQLAlchemy converts row by row, which takes a third of the
    time of an import.
    """
    sql, by_place, converts = _insert(kind, connection.dialect)
    rows = list(
        zip(
            *(each(to, columns[name]) if to else columns[name] for name, to in converts.items()),
            strict=True,
        )
    )
    connection.exec_driver_sql(
        sql, rows if by_place else [dict(zip(converts, row, strict=True)) for row in rows]
    )


@lru_cache
def _insert(kind: str, dialect: Dialect) -> tuple[str, bool, dict[str, _Convert]]:
    """Return the statement that adds a row, and whether it takes the values by place.

    And for each column, in that order, the function from a value to the one the driver takes.
    """
    table = SQLModel.metadata.tables[kind]
    compiled = insert(table).compile(dialect=dialect, column_keys=table.c.keys())
    assert isinstance(compiled, SQLCompiler)
    converts: dict[str, _Convert] = {
        name: table.c[name].type.dialect_impl(dialect).bind_processor(dialect)
        for name in compiled.positiontup or table.c.keys()
    }
    return str(compiled), compiled.positional, converts


def enter(session: Session, kind: str, columns: Columns) -> None:
    """Write the entries of rows to the end of the chain, and what follows from them; ids rise."""
    connection = session.connection()
    questions = _questions(connection, kind, columns)
    entries = _end(session, kind, questions).entries(kind, columns, questions)
    _write_entries(connection, entries)
    if kind == "forecast":
        current_forecasts.follow(connection, columns["id"])


def _write_entries(connection: Connection, entries: Sequence[_Entry]) -> None:
    write(connection, "entry", dict(zip(_ENTRY, zip(*entries, strict=True), strict=True)))


def count_entered(session: Session) -> int:
    """Return how many rows the act has entered so far."""
    session.flush()
    end: _End | None = session.info.get(_END)
    return 0 if end is None else end.place - end.began


def new_salt() -> str:
    """Return a random salt for a row's words."""
    return secrets.token_hex(_SALT)


def enter_flushed(session: Session, _context: Any = None) -> None:
    """Enter the rows that a flush has just written; listens to ``after_flush``."""
    new: dict[str, list[Any]] = {}
    for row in session.new:
        new.setdefault(str(row.__tablename__), []).append(row)
    for row in session.dirty:
        if (kind := str(row.__tablename__)) in STATES and session.is_modified(row):
            new.setdefault(kind, []).append(row)
    for kind in (*SEALED, *STATES):
        if rows := sorted(new.get(kind, ()), key=lambda row: row.id):
            names = SQLModel.metadata.tables[kind].c.keys()
            enter(session, kind, {name: [getattr(row, name) for row in rows] for name in names})


def delete(session: Session, kind: str, ids: Sequence[int]) -> None:
    """Delete a removed member's rows of a table of states, and enter that they are gone.

    The salts of all their states are removed, so that no one can find the words by guessing.
    """
    table, entry = (SQLModel.metadata.tables[name] for name in (kind, "entry"))
    session.execute(sql_delete(table).where(table.c.id.in_(ids)))
    states = (entry.c.kind == kind) & entry.c.row_id.in_(ids)
    session.execute(update(entry).where(states).values(salt=None))
    end = _end(session, kind, ())
    if entries := [end.entry(kind, row_id, NOTHING) for row_id in ids]:
        _write_entries(session.connection(), entries)


def enter_found(connection: Connection, kinds: Sequence[str]) -> None:
    """Enter the rows of tables that had no entries so far, as they are found."""
    session = Session(connection)
    for kind in kinds:
        table = SQLModel.metadata.tables[kind]
        rows = connection.execute(select(table).order_by(table.c.id)).all()
        if rows:
            enter(session, kind, dict(zip(table.c.keys(), zip(*rows, strict=True), strict=True)))


def undo(session: orm.Session) -> None:
    """Forget the end of the chain of a rolled-back act; listens to ``after_rollback``."""
    session.info.pop(_END, None)
    session.info.pop(KINDS, None)


def last_of(session: orm.Session) -> tuple[int, str, datetime | None] | None:
    """Return the number, hash and time of an act's last entry so far; None if it has none."""
    end: _End | None = session.info.get(_END)
    return None if end is None else (end.place, end.last, end.at)


def _next_ids(connection: Connection, kind: str, count: int) -> range:
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


def _end(session: Session, kind: str, questions: Collection[int | None]) -> _End:
    """Return the end of the chain as this act finds it, with these questions' ends."""
    session.info.setdefault(KINDS, set()).add(kind)
    connection, end = session.connection(), session.info.get(_END)
    if end is None:
        facts: Facts | None = session.info.get(FACTS)
        place, last, ends = (facts.place, facts.last, facts.ends) if facts else (0, NOTHING, {})
        if facts is None and (newest := connection.exec_driver_sql(NEWEST).first()):
            place, last = newest.id, newest.hash
        end = session.info[_END] = _End(place, last, dict(ends), session.info.get(TIME))
    others = [one for one in set(questions) if one is not None and one not in end.questions]
    for some in _parts(others):
        end.questions |= dict.fromkeys(some, (0, NOTHING))
        for question, number, hash_ in connection.execute(_LASTS_OF, {"questions": some}):
            end.questions[question] = number, hash_
    return end


def _questions(connection: Connection, kind: str, columns: Columns) -> Sequence[int | None]:
    """Return the question of each row."""
    if kind == "question":
        return columns["id"]
    if kind in PARENTS:
        parent = SQLModel.metadata.tables[PARENTS[kind]]
        parents = columns[f"{parent.name}_id"]
        of_parent: dict[int, int] = {}
        for some in _parts(parents):
            found = select(parent.c.id, parent.c.question_id).where(parent.c.id.in_(set(some)))
            of_parent.update(connection.execute(found).all())
        return [of_parent[parent_id] for parent_id in parents]
    return columns.get("question_id") or [None] * len(columns["id"])


def _parts(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), _MANY):
        yield ids[start : start + _MANY]
