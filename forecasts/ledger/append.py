"""Append rows to the ledger: the one way to write history.

``append`` writes rows of one table, in order, and enters them in the chain (``chain``). Rows that
are added to the session are entered the same way when it is flushed. All of an act's rows and
entries are stored with its commit, or none. One forecast is a batch of one.

Only one act writes at a time, so the next ids and the ends of the chains are known, and rows are
hashed before they are stored.

Rejected: entries written by each verb (one that forgets them would only be found by a test), and
ORM objects for imported rows (they take longer than hashing and storing together).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import Connection, Dialect, String, Table, orm, select, text
from sqlmodel import Session, SQLModel
from sqlmodel.sql.sqltypes import AutoString

from forecasts.common.text import require_storable, unstorable_character
from forecasts.ledger.chain import (
    NOTHING,
    PARENTS,
    SEALED,
    WORDS,
    contents,
    each,
    entry_hash,
    row_hash,
    words_hash,
)
from forecasts.ledger.driver_errors import raised
from forecasts.ledger.facts import FACTS, KINDS, NEWEST, Facts

Row = TypeVar("Row", bound=SQLModel)

# Options of a statement: its texts were checked, so the engine need not check them again.
CHECKED = "ledger_checked"
_END, _WITH_COMMIT = "ledger_end", "ledger_with_commit"
_BATCH = 10_000  # rows hashed, or entries written, at a time
_MANY = 1_000  # rows that are worth preparing the database for
_FEW = 20  # rows that go to a server in a statement each
_SALT = 16  # bytes
_CACHE = 100_000  # KiB, for SQLite while it takes many rows
_LAST_OF = text(
    "SELECT number, hash FROM entry WHERE question_id = :question_id ORDER BY number DESC LIMIT 1"
)


@dataclass
class _End:
    """The end of the chain as an act extends it, and its entries that are not yet written."""

    place: int
    last: str
    questions: dict[int, tuple[int, str]]
    entries: list[tuple[Any, ...]] = field(default_factory=list)


def written(session: Session, row: Row) -> Row:
    """Return ``row``, which is written at once, so that it has its id."""
    session.add(row)
    session.flush()
    return row


def append(session: Session, kind: str, columns: Mapping[str, Sequence[Any]]) -> range:
    """Return the ids of the new rows of a sealed table, which are written and entered.

    ``columns``: all columns of the table but ``id``, each with one value a row.
    """
    table = SQLModel.metadata.tables[kind]
    count = len(next(iter(columns.values())))
    session.flush()
    connection = session.connection()
    if count == 1 and connection.dialect.name == "postgresql":
        ids = _insert_one(connection, table, columns)
        _enter(session, kind, {**columns, "id": ids})
        return ids
    ids = _next_ids(connection, kind, count)
    with _prepared(connection, ("entry", kind), count):
        for start in range(0, count, _BATCH):
            some = slice(start, start + _BATCH)
            batch = {name: values[some] for name, values in columns.items()} | {"id": ids[some]}
            _insert(connection, table, [batch[name] for name in _names(table)])
            _enter(session, kind, batch)
    return ids


def enter_flushed(session: Session, _context: Any = None) -> None:
    """Enter the rows that a flush has just written; listens to ``after_flush``."""
    new: dict[str, list[Any]] = {}
    for row in session.new:
        new.setdefault(str(row.__tablename__), []).append(row)
    for kind in SEALED:
        if rows := sorted(new.get(kind, ()), key=lambda row: row.id):
            names = _names(SQLModel.metadata.tables[kind])
            _enter(session, kind, {name: [getattr(row, name) for row in rows] for name in names})


def write_entries(session: Session, *, commits: bool = False) -> None:
    """Write the act's entries that are not yet written.

    If the act ``commits`` with them, a server gets a few of them with the commit.
    """
    end: _End | None = session.info.get(_END)
    if end is None or not end.entries:
        return
    connection, entries = session.connection(), end.entries
    end.entries = []
    table = SQLModel.metadata.tables["entry"]
    if commits and len(entries) <= _FEW and connection.dialect.name == "postgresql":
        from psycopg import ClientCursor  # only teams have the driver

        cursor = ClientCursor(connection.connection.driver_connection)  # type: ignore[arg-type]
        sql, _ = _statement(connection.dialect, table.name)
        connection.info[_WITH_COMMIT] = "".join(
            f"{cursor.mogrify(sql, entry)};" for entry in entries
        )
    else:
        _insert(connection, table, list(zip(*entries, strict=True)))


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
    connection, ids = session.connection(), columns["id"]
    session.info.setdefault(KINDS, set()).add(kind)
    end = session.info.get(_END) or session.info.setdefault(_END, _end(session))
    salts: list[str | None] = [None] * len(ids)
    if kind in WORDS:
        digits = secrets.token_hex(_SALT * len(ids))
        size = 2 * _SALT
        salts = [digits[at : at + size] for at in range(0, len(digits), size)]
    place, last, ends = end.place, end.last, end.questions
    for row_id, question, salt, (rest, personal) in zip(
        ids, _questions(connection, kind, columns), salts, contents(kind, columns), strict=True
    ):
        number, previous, words = None, None, None
        if question is not None:
            known = ends.get(question) or _last_of(connection, question)
            number, previous = known[0] + 1, known[1]
        if salt is not None and personal:
            words = words_hash(salt, personal)
        else:
            salt = None
        row = row_hash(rest, words)
        place += 1
        last = entry_hash(
            place, question, number, kind, row_id, row, before=last, previous=previous
        )
        if question is not None:
            ends[question] = number, last
        end.entries.append((place, question, number, kind, row_id, salt, words, row, last))
    end.place, end.last = place, last
    if len(end.entries) >= _BATCH:
        write_entries(session)


def _end(session: Session) -> _End:
    """Return the end of the chain as this act finds it."""
    facts: Facts | None = session.info.get(FACTS)
    if facts is not None:
        return _End(facts.place, facts.last, dict(facts.ends))
    last = session.connection().exec_driver_sql(NEWEST).first()
    return _End(last.id, last.hash, {}) if last else _End(0, NOTHING, {})


def _last_of(connection: Connection, question_id: int) -> tuple[int, str]:
    found = connection.execute(_LAST_OF, {"question_id": question_id}).first()
    return (0, NOTHING) if found is None else (found.number, found.hash)


def _questions(
    connection: Connection, kind: str, columns: Mapping[str, Sequence[Any]]
) -> Sequence[int | None]:
    """Return the question of each row."""
    if kind == "question":
        return columns["id"]
    if kind in PARENTS:
        parent = SQLModel.metadata.tables[PARENTS[kind]]
        parents = columns[f"{parent.name}_id"]
        found = select(parent.c.id, parent.c.question_id).where(parent.c.id.in_(set(parents)))
        of_parent = dict(connection.execute(found).all())
        return [of_parent[parent_id] for parent_id in parents]
    return columns.get("question_id") or [None] * len(columns["id"])


def write_rows(connection: Connection, kind: str, columns: Mapping[str, Sequence[Any]]) -> range:
    """Return the ids of the new rows of a table, which are written; history needs ``append``.

    ``columns``: all columns of the table but ``id``, each with one value a row.
    """
    table = SQLModel.metadata.tables[kind]
    ids = _next_ids(connection, kind, len(next(iter(columns.values()))))
    given = {**columns, "id": ids}
    _insert(connection, table, [given[name] for name in _names(table)])
    return ids


def _names(table: Table) -> list[str]:
    return [column.name for column in table.c]


def _next_ids(connection: Connection, kind: str, count: int) -> range:
    """Return the ids that the table's next rows get; a server keeps them for these rows."""
    if connection.dialect.name == "sqlite":
        last = connection.exec_driver_sql(f"SELECT coalesce(max(id), 0) FROM {kind}").scalar_one()  # noqa: S608 a table of ours
        return range(last + 1, last + 1 + count)
    first, last = connection.exec_driver_sql(
        "SELECT min(id), max(id) FROM (SELECT nextval(pg_get_serial_sequence(%s, 'id')) AS id"
        " FROM generate_series(1, %s)) AS next",
        (kind, count),
    ).one()
    assert last - first + 1 == count  # no one else writes meanwhile
    return range(first, last + 1)


def _insert(connection: Connection, table: Table, columns: Sequence[Sequence[Any]]) -> None:
    """Write rows; BadInput for a text that cannot be stored. ``columns``: in the table's order."""
    sql, _ = _statement(connection.dialect, table.name)
    rows = _converted(connection.dialect, table, columns)
    if len(rows) <= _MANY or connection.dialect.name == "sqlite":
        connection.exec_driver_sql(
            sql, rows if len(rows) > 1 else rows[0], execution_options={CHECKED: True}
        )
        return
    driver: Any = connection.connection
    copies = f"COPY {table.name} ({', '.join(_names(table))}) FROM STDIN"
    try:
        with driver.cursor() as cursor, cursor.copy(copies) as copy:
            for row in rows:
                copy.write_row(row)
    except connection.dialect.loaded_dbapi.Error as error:
        raise raised(connection, copies, error) from error


def _insert_one(
    connection: Connection, table: Table, columns: Mapping[str, Sequence[Any]]
) -> range:
    """Return the id that a server gives to a row: a message less than to ask for it first."""
    [row] = _converted(
        connection.dialect, table, [columns.get(name, [None]) for name in _names(table)]
    )
    sql, _ = _statement(connection.dialect, table.name)
    place = _names(table).index("id")
    head = sql.partition("VALUES")[0]
    marks = ["DEFAULT" if n == place else "%s" for n in range(len(row))]
    id_ = connection.exec_driver_sql(
        f"{head}VALUES ({', '.join(marks)}) RETURNING id", row[:place] + row[place + 1 :]
    ).scalar_one()
    return range(id_, id_ + 1)


def _converted(
    dialect: Dialect, table: Table, columns: Sequence[Sequence[Any]]
) -> list[tuple[Any, ...]]:
    """Return rows as the driver takes them; BadInput for a text that cannot be stored."""
    for column, values in zip(table.c, columns, strict=True):
        if isinstance(column.type, (String, AutoString)) and unstorable_character(
            "".join(filter(None, values))
        ):
            require_storable(values)
    _, conversions = _statement(dialect, table.name)
    return list(zip(*map(each, conversions, columns), strict=True))


@cache
def _statement(dialect: Dialect, kind: str) -> tuple[str, list[Callable[[Any], Any] | None]]:
    """Return the driver's INSERT of a row, and the conversion of each column's values."""
    columns = SQLModel.metadata.tables[kind].c
    values = ", ".join(["?" if dialect.name == "sqlite" else "%s"] * len(columns))
    return (
        f"INSERT INTO {kind} ({', '.join(columns.keys())}) VALUES ({values})",  # noqa: S608 as above
        [column.type.dialect_impl(dialect).bind_processor(dialect) for column in columns],
    )


@contextmanager
def _prepared(connection: Connection, kinds: Sequence[str], count: int) -> Iterator[None]:
    """Let SQLite take many rows in half the time.

    Its triggers look for each row's keys, since a REPLACE would delete the old row. This INSERT
    replaces nothing, and no one else can write before the act ends, so these triggers are dropped
    and created again in the act's own transaction. If the act fails, they are there as before.
    """
    if count < _MANY or connection.dialect.name != "sqlite":
        yield
        return
    names = ", ".join(f"'{kind}_refuses_replace'" for kind in kinds)
    found = f"SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name IN ({names})"  # noqa: S608
    triggers = connection.exec_driver_sql(found).all()
    [size] = connection.exec_driver_sql("PRAGMA cache_size").one()
    connection.exec_driver_sql(f"PRAGMA cache_size = -{_CACHE}")
    for trigger in triggers:
        connection.exec_driver_sql(f"DROP TRIGGER {trigger.name}")
    try:
        yield
    finally:
        connection.exec_driver_sql(f"PRAGMA cache_size = {size}")
    for trigger in triggers:
        connection.exec_driver_sql(trigger.sql)
