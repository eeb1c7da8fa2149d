"""Append rows to the ledger: the one way to write history.

``append`` writes rows of one table, in order, and enters them in the chain (``chain``). Rows that
are added to the session are entered the same way when it is flushed. All of an act's rows and
entries are stored with its commit, or none. One forecast is a batch of one.

Only one act writes at a time, so the next ids and the ends of the chains are known, and rows are
hashed before they are stored: many rows are hashed while a thread stores the rows before them.

Rejected: entries written by each verb (one that forgets them would only be found by a test), and
ORM objects for imported rows (they take longer than hashing and storing together).
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Connection, bindparam, orm, select, text, update
from sqlalchemy import delete as sql_delete
from sqlmodel import Session, SQLModel

from forecasts.ledger.chain import (
    NOTHING,
    PARENTS,
    SEALED,
    STATES,
    contents,
    entry_hash,
    row_hash,
    time_member,
    words_hash,
)
from forecasts.ledger.clock import TIME
from forecasts.ledger.facts import FACTS, KINDS, NEWEST, Facts
from forecasts.ledger.insertion import (
    MANY,
    Rows,
    insert_one,
    insert_rows,
    insert_statement,
    inserting,
    names_of,
    next_ids,
    stored_columns,
    stored_time,
)

Row = TypeVar("Row", bound=SQLModel)

_END, _WITH_COMMIT = "ledger_end", "ledger_with_commit"
_BATCH = 5_000  # rows hashed at a time, while those before are stored
_FEW = 20  # rows that go to a server in a statement each
_SALT = 16  # bytes
_LAST_OF = text(
    "SELECT number, hash FROM entry WHERE question_id = :question_id ORDER BY number DESC LIMIT 1"
)
_LASTS_OF = text(
    "SELECT e.question_id, e.number, e.hash FROM entry e JOIN ("
    "SELECT question_id, max(number) AS number FROM entry WHERE question_id IN :questions"
    " GROUP BY question_id"
    ") last ON last.question_id = e.question_id AND last.number = e.number"
).bindparams(bindparam("questions", expanding=True))


@dataclass
class _End:
    """The end of the chain as an act extends it, and its entries that are not yet written."""

    place: int
    last: str
    questions: dict[int, tuple[int, str]]
    at: Any = None  # as the driver takes it
    entries: list[tuple[Any, ...]] = field(default_factory=list)

    def take(self) -> Rows:
        """Return the entries, to be written."""
        entries, self.entries = self.entries, []
        return entries

    def enter(
        self, kind: str, columns: Mapping[str, Sequence[Any]], questions: Sequence[int | None]
    ) -> None:
        """Add the entries of rows with rising ids; the ends of their questions are known."""
        hashed = contents(kind, columns)
        salts = _salts(len(hashed))
        place, last, ends, add = self.place, self.last, self.questions, self.entries.append
        at, time = self.at, time_member(self.at)
        for row_id, question, salt, (rest, personal) in zip(
            columns["id"], questions, salts, hashed, strict=True
        ):
            words = words_hash(salt, personal)
            row = row_hash(rest, words)
            place += 1
            if question is None:
                number = None
                last = entry_hash(place, None, None, kind, row_id, row, last, None, time)
            else:
                number, previous = ends[question]
                number += 1
                last = entry_hash(place, question, number, kind, row_id, row, last, previous, time)
                ends[question] = number, last
            add((place, question, number, kind, row_id, salt, words, row, last, at))
        self.place, self.last = place, last

    def enter_gone(self, kind: str, ids: Sequence[int]) -> None:
        """Add the entries of rows that are deleted."""
        for row_id in ids:
            self.place += 1
            gone = (self.place, None, None, kind, row_id)
            self.last = entry_hash(*gone, NOTHING, self.last, None, time_member(self.at))
            self.entries.append((*gone, None, None, NOTHING, self.last, self.at))


def written(session: Session, row: Row) -> Row:
    """Return ``row``, which is written at once, so that it has its id."""
    session.add(row)
    session.flush()
    return row


def append(session: Session, kind: str, columns: Mapping[str, Sequence[Any]]) -> range:
    """Return the ids of the new rows of a sealed table, which are written and entered.

    ``columns``: all columns of the table but ``id``, each with one value a row; times may be texts
    as ``insertion.stored_columns`` takes them. If it raises, the act is rolled back, and cannot
    continue.
    """
    count = len(next(iter(columns.values())))
    if count > 1:
        return append_parts(session, kind, [columns], count)
    session.flush()
    ids = insert_one(session.connection(), kind, columns)
    _enter(session, kind, {**columns, "id": ids})
    return ids


def append_parts(
    session: Session,
    kind: str,
    parts: Iterable[Mapping[str, Sequence[Any]]],
    count: int,
    questions: Collection[int] | None = None,
) -> range:
    """Return the ids of ``count`` rows, given in parts, which are appended as by ``append``.

    With several parts, ``questions`` are those of all rows together. A part is made while a thread
    stores the one before, so making it must not use the session.
    """
    session.flush()
    connection = session.connection()
    dialect = connection.dialect
    ids = rest = next_ids(connection, kind, count)
    end = None if questions is None else _end(session, kind, questions)
    try:
        with inserting(connection, kind, count) as insert:
            for part in parts:
                size = len(next(iter(part.values())))
                columns, rest = {**part, "id": rest[:size]}, rest[size:]
                of_rows = _questions(connection, kind, columns)
                end = end or _end(session, kind, of_rows)
                for start in range(0, size, _BATCH):
                    some = slice(start, start + _BATCH)
                    batch = {name: columns[name][some] for name in names_of(kind)}
                    stored = stored_columns(dialect, kind, batch)
                    insert(kind, list(zip(*stored.values(), strict=True)))
                    hashed = stored if dialect.name == "sqlite" else batch
                    end.enter(kind, hashed, of_rows[some])
                    if len(end.entries) >= _BATCH:
                        insert("entry", end.take())
    except BaseException:
        driver: Any = connection.connection.driver_connection
        driver.rollback()  # some rows may be written: ``database`` refuses the rest of the act
        raise
    return ids


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
            _enter(session, kind, {n: [getattr(row, n) for row in rows] for n in names_of(kind)})


def delete(session: Session, kind: str, ids: Sequence[int]) -> None:
    """Delete a removed member's rows of a table of states, and enter that they are gone.

    The salts of all their states are removed, so that no one can find the words by guessing.
    """
    table, entry = (SQLModel.metadata.tables[name] for name in (kind, "entry"))
    session.execute(sql_delete(table).where(table.c.id.in_(ids)))
    states = (entry.c.kind == kind) & entry.c.row_id.in_(ids)
    session.execute(update(entry).where(states).values(salt=None))
    _end(session, kind, ()).enter_gone(kind, ids)


def enter_found(connection: Connection, kinds: Sequence[str]) -> None:
    """Enter the rows of tables that had no entries so far, as they are found."""
    session = Session(connection)
    for kind in kinds:
        table = SQLModel.metadata.tables[kind]
        rows = connection.execute(select(table).order_by(table.c.id)).all()
        if rows:
            columns = dict(zip(table.c.keys(), zip(*rows, strict=True), strict=True))
            _enter(session, kind, columns)
    write_entries(session)


def write_entries(session: Session, *, commits: bool = False) -> None:
    """Write the act's entries that are not yet written.

    If the act ``commits`` with them, a server gets a few of them with the commit.
    """
    end: _End | None = session.info.get(_END)
    if end is None or not end.entries:
        return
    connection, entries = session.connection(), end.take()
    if commits and len(entries) <= _FEW and connection.dialect.name == "postgresql":
        from psycopg import ClientCursor  # only teams have the driver

        cursor = ClientCursor(connection.connection.driver_connection)  # type: ignore[arg-type]
        sql = insert_statement(connection.dialect, "entry")
        connection.info[_WITH_COMMIT] = "".join(
            f"{cursor.mogrify(sql, entry)};" for entry in entries
        )
    else:
        insert_rows(connection, "entry", entries)


def with_commit(connection: Connection) -> str:
    """Return the statements to send with the commit, and forget them."""
    statements: str = connection.info.pop(_WITH_COMMIT, "")
    return statements


def undo(session: orm.Session) -> None:
    """Forget the entries of a rolled-back act; listens to ``after_rollback``."""
    session.info.pop(_END, None)
    session.info.pop(KINDS, None)


def _enter(session: Session, kind: str, columns: Mapping[str, Sequence[Any]]) -> None:
    """Add the entries of rows to the end of the chain; ids rise."""
    questions = _questions(session.connection(), kind, columns)
    end = _end(session, kind, questions)
    end.enter(kind, columns, questions)
    if len(end.entries) >= _BATCH:
        write_entries(session)


def _end(session: Session, kind: str, questions: Collection[int | None]) -> _End:
    """Return the end of the chain as this act finds it, with these questions' ends."""
    session.info.setdefault(KINDS, set()).add(kind)
    connection, end = session.connection(), session.info.get(_END)
    if end is None:
        facts: Facts | None = session.info.get(FACTS)
        if facts is not None:
            end = _End(facts.place, facts.last, dict(facts.ends))
        else:
            last = connection.exec_driver_sql(NEWEST).first()
            end = _End(last.id, last.hash, {}) if last else _End(0, NOTHING, {})
        end.at = stored_time(connection.dialect, session.info.get(TIME))
        session.info[_END] = end
    others = [one for one in set(questions) if one is not None and one not in end.questions]
    if len(others) == 1:  # as one forecast has
        found = connection.execute(_LAST_OF, {"question_id": others[0]}).first()
        end.questions[others[0]] = (0, NOTHING) if found is None else (found.number, found.hash)
        return end
    for start in range(0, len(others), MANY):
        some = others[start : start + MANY]
        end.questions |= dict.fromkeys(some, (0, NOTHING))
        for question, number, hash_ in connection.execute(_LASTS_OF, {"questions": some}):
            end.questions[question] = number, hash_
    return end


def _questions(
    connection: Connection, kind: str, columns: Mapping[str, Sequence[Any]]
) -> Sequence[int | None]:
    """Return the question of each row."""
    if kind == "question":
        return columns["id"]
    if kind in PARENTS:
        parent = SQLModel.metadata.tables[PARENTS[kind]]
        parents = columns[f"{parent.name}_id"]
        of_parent: dict[int, int] = {}
        for some in range(0, len(parents), MANY):
            known = parent.c.id.in_(set(parents[some : some + MANY]))
            found = select(parent.c.id, parent.c.question_id).where(known)
            of_parent.update(connection.execute(found).all())
        return [of_parent[parent_id] for parent_id in parents]
    return columns.get("question_id") or [None] * len(columns["id"])


def write_rows(connection: Connection, kind: str, columns: Mapping[str, Sequence[Any]]) -> None:
    """Write rows of a table; history needs ``append``.

    ``columns``: all columns of the table but ``id``, each with one value a row.
    """
    ids = next_ids(connection, kind, len(next(iter(columns.values()))))
    stored = stored_columns(connection.dialect, kind, {**columns, "id": ids})
    insert_rows(connection, kind, list(zip(*stored.values(), strict=True)))


def _salts(count: int) -> list[str]:
    """Return that many random salts."""
    digits, size = secrets.token_hex(_SALT * count), 2 * _SALT
    return [digits[at : at + size] for at in range(0, len(digits), size)]
