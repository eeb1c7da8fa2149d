"""The chain: every row of history has an entry, and every entry holds the hash of those before it.

An act ends by ``seal``: each row that it has written to one of ``SEALED`` gets an entry, in the
same transaction, whichever verb wrote it. An entry is a link in two chains: that of the whole
ledger, in the order in which things were stored, and that of its question. Its hash is

    hash     = SHA-256 of {"before", "kind", "number", "place", "previous", "question", "row",
               "row_id"}
    row      = SHA-256 of the row as it is stored, without what a person has written in it,
               and with "words": the next
    words    = SHA-256 of the salt, followed by what a person has written in the row

each over canonical JSON (see ``canonical``): ``before`` is the hash of the ledger's entry before
this one, ``previous`` that of the question's, and the first of each has ``NOTHING`` there. Whoever
changes, removes, adds or moves a row afterwards has to change the hash of every later entry too,
and so the digest that was published (``verifying``).

Words are kept apart, under a salt of their own, so that they can be forgotten (``privacy``): with
the salt gone, nobody can find out by trying what was written, and the row hash is what it was.

A value that is null is left out of the JSON, and so is one of a column that a later schema has
added while it says what all rows said before (``LATER``): rows hash alike under every schema.

Considered and rejected: one entry an update, with its citations in it (an entry a row needs no
rule on what belongs to what); a table of the chains' ends (who can cut a chain can cut that too,
and the writer's turn, see ``database``, makes it needless as a lock); entries written by each verb
(one that forgets is found by a test at best, and here cannot be).
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from itertools import islice
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Connection,
    Float,
    Insert,
    Integer,
    Row,
    Select,
    String,
    Table,
    Text,
    bindparam,
    insert,
    orm,
    select,
    text,
)
from sqlmodel import Session, SQLModel
from sqlmodel.sql.sqltypes import AutoString

from forecasts.common.times import utc
from forecasts.ledger import models
from forecasts.ledger.short_insert import prepare, put, put_last

assert models.APPEND_ONLY  # the import fills SQLModel.metadata

NOTHING = "0" * 64  # the hash before the first entry
# The tables whose rows have entries, each behind those that it refers to: the order in which the
# rows of one act are entered.
SEALED = (
    "member",
    "token",
    "token_revocation",
    "team",
    "membership",
    "appointment",
    "team_rule",
    "article",
    "evidence",
    "question",
    "question_revision",
    "question_source",
    "forecast",
    "citation",
    "resolution",
    "policy",
    "exhibit",
    "dispute",
    "removal",
)
# Of a row that belongs to a question by another row only: that row's table, and its column.
_BY: Mapping[str, str] = {"citation": "forecast", "exhibit": "resolution", "dispute": "resolution"}
# What a person has written, or is known by, in a row of each table.
WORDS: Mapping[str, tuple[str, ...]] = {
    "member": ("handle",),
    "evidence": ("key", "note", "title"),
    "question_revision": ("reason",),
    "forecast": ("import_key", "rationale"),
    "resolution": ("note",),
    "dispute": ("reason",),
}
# A column that was added to a table that is sealed, with what every row said before it was there.
LATER: Mapping[str, Mapping[str, Any]] = {}
_NOTED, _CHAIN = "rows to seal", "chain"  # of an act, in its session
_BATCH = 5_000  # rows to read, or entries to write, at a time
_SALT = 16  # bytes

# Made once, since to make a statement takes longer than to run it.
_LAST = text("SELECT id, hash FROM entry ORDER BY id DESC LIMIT 1")
_LAST_OF = text(
    "SELECT number, hash FROM entry WHERE question_id = :question_id ORDER BY number DESC LIMIT 1"
)

_encode = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, check_circular=False
).encode


def canonical(value: Any) -> bytes:
    """Return the JSON that is hashed: UTF-8, keys sorted, no spaces, floats as Python's repr."""
    return _encode(value).encode("utf-8", "surrogatepass")


def sha256(data: bytes) -> str:
    """Return the SHA-256 of ``data`` in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def said(kind: str, values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what a row of that table says, as it is hashed: (all the rest, a person's words).

    Times are ISO 8601 in UTC to the microsecond; blank words are left out.
    """
    words, later = WORDS.get(kind, ()), LATER.get(kind, {})
    rest: dict[str, Any] = {}
    personal: dict[str, Any] = {}
    for name, value in values.items():
        if value is None or (name in later and later[name] == value):
            continue
        if name in words:
            if value != "":
                personal[name] = value
        elif isinstance(value, datetime):
            rest[name] = _time(value)
        elif isinstance(value, float):
            rest[name] = value + 0.0  # no database tells -0.0 from it
        else:
            rest[name] = value
    return rest, personal


def _time(value: datetime) -> str:
    # SQLite gives times without a zone where the column's type is not known.
    value = value.replace(tzinfo=UTC) if value.tzinfo is None else utc(value)
    return value.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def words_hash(salt: str, personal: Mapping[str, Any]) -> str:
    """Return the hash of a person's words under that salt."""
    return sha256(salt.encode() + canonical(personal))


def row_hash(rest: Mapping[str, Any], words: str | None) -> str:
    """Return the hash of a row: of what it says, and of the hash of the words in it, if any."""
    return sha256(canonical(rest if words is None else {**rest, "words": words}))


def entry_hash(entry: Mapping[str, Any], *, before: str, previous: str | None) -> str:
    """Return the hash of an entry behind ``before`` in the ledger, ``previous`` of its question."""
    link = {
        "before": before,
        "kind": entry["kind"],
        "number": entry["number"],
        "place": entry["id"],
        "previous": previous,
        "question": entry["question_id"],
        "row": entry["row_hash"],
        "row_id": entry["row_id"],
    }
    return sha256(canonical({name: value for name, value in link.items() if value is not None}))


@dataclass(frozen=True)
class Told:
    """What a row says, ready to be entered as soon as the row has a number."""

    kind: str
    rest: Mapping[str, Any]
    salt: str | None
    words: str | None
    question_id: int | None


def tell(kind: str, values: Mapping[str, Any], question_id: int | None) -> Told:
    """Return what a row of that table and question says; the words in it under a new salt."""
    rest, personal = said(kind, values)
    rest.pop("id", None)
    salt = secrets.token_hex(_SALT) if personal else None
    words = None if salt is None else words_hash(salt, personal)
    return Told(kind, rest, salt, words, question_id)


class Chain:
    """The end of a ledger's chain, and of its questions' chains, where entries are added."""

    def __init__(
        self, place: int, last: str, last_of: Callable[[int], tuple[int, str] | None]
    ) -> None:
        """Go on behind the entry at ``place`` with the hash ``last`` (0 and NOTHING: none).

        ``last_of`` returns number and hash of the last entry of a question, None where there is
        none; it is asked once a question.
        """
        self._place, self._last, self._last_of = place, last, last_of
        self._questions: dict[int, tuple[int, str]] = {}

    def add(self, told: Told, row_id: int) -> dict[str, Any]:
        """Return the entry of the row with that number, which is the last one now."""
        number, previous = self._end_of(told.question_id)
        self._place += 1
        entry = {
            "id": self._place,
            "question_id": told.question_id,
            "number": number,
            "kind": told.kind,
            "row_id": row_id,
            "salt": told.salt,
            "words_hash": told.words,
            "row_hash": row_hash({**told.rest, "id": row_id}, told.words),
        }
        entry["hash"] = self._last = entry_hash(entry, before=self._last, previous=previous)
        if told.question_id is not None:
            self._questions[told.question_id] = number, self._last
        return entry

    def _end_of(self, question_id: int | None) -> tuple[Any, str | None]:
        if question_id is None:
            return None, None
        end = self._questions.get(question_id) or self._last_of(question_id)
        return (1, NOTHING) if end is None else (end[0] + 1, end[1])


def note_new(session: Session, _context: Any = None) -> None:
    """Note the rows that a flush has just written, to be sealed; listens to ``after_flush``."""
    for row in session.new:
        if row.__tablename__ in SEALED:
            _noted(session).setdefault(row.__tablename__, {})[row.id] = row


def note_nothing(session: Session) -> None:
    """Note that nothing has been written after all; listens to ``after_rollback``."""
    for what in (_NOTED, _CHAIN):
        session.info.pop(what, None)


def note(session: orm.Session, kind: str, rows: Iterable[int] | Mapping[int, Told]) -> None:
    """Note rows that were written around the unit of work, by their numbers or what they say."""
    given = rows if isinstance(rows, Mapping) else dict.fromkeys(rows)
    _noted(session).setdefault(kind, {}).update(given)


def noted(session: Session) -> Set[str]:
    """Return of which kinds this act has written rows so far."""
    return _noted(session).keys()


def _noted(session: orm.Session) -> dict[str, dict[int, SQLModel | Told | None]]:
    """Return what this act has written and not sealed yet, by table and number; None: in bulk."""
    noted: dict[str, dict[int, SQLModel | Told | None]] = session.info.setdefault(_NOTED, {})
    return noted


def seal(session: Session, *, ends: bool = False) -> int:
    """Return how many entries were written: one for each row that this act has written so far.

    Where the act ``ends`` with them, a server may get them with the commit.

    It is this act's turn to write, so that its rows have the numbers between the least and the
    greatest of them to themselves, and no other entry comes in between.
    """
    noted = _noted(session)
    if not any(noted.values()):
        return 0
    connection = session.connection()
    chain = session.info.get(_CHAIN) or _end(connection)
    written = write(
        connection,
        (
            chain.add(told, row_id)
            for kind in SEALED
            if noted.get(kind)
            for row_id, told in _in_memory(kind, noted) or _rows(connection, kind, noted[kind])
        ),
        ends=ends,
    )
    session.info[_NOTED] = {kind: {} for kind in noted}
    return written


def _in_memory(
    kind: str, noted: Mapping[str, Mapping[int, SQLModel | Told | None]]
) -> list[tuple[int, Told]]:
    """Return what the rows say as the act has them; nothing where it has not all."""
    found = []
    for id_ in sorted(noted[kind]):
        row = noted[kind][id_]
        if isinstance(row, Told):
            found.append((id_, row))
            continue
        source: SQLModel | Told | None = row
        if kind in _BY:
            source = noted.get(_BY[kind], {}).get(getattr(row, f"{_BY[kind]}_id", 0))
        if row is None or source is None:
            return []
        question = id_ if kind == "question" else getattr(source, "question_id", None)
        values = {name: getattr(row, name) for name in _as_stored(kind)}
        found.append((id_, tell(kind, as_stored(kind, values), question)))
    return found


def as_stored(kind: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row as it will come out of the database, whatever a verb has put in."""
    stored = _as_stored(kind)
    return {name: None if value is None else stored[name](value) for name, value in row.items()}


@cache
def _as_stored(kind: str) -> dict[str, Callable[[Any], Any]]:
    return {column.name: _STORED[type(column.type)] for column in _table(kind).c}


def go_on(session: orm.Session, end: Chain) -> None:
    """Let the act add its entries to ``end``, where that is known."""
    session.info[_CHAIN] = end


def _end(connection: Connection) -> Chain:
    last = connection.execute(_LAST).first()
    look = partial(last_of, connection)
    return Chain(0, NOTHING, look) if last is None else Chain(last.id, last.hash, look)


def last_of(connection: Connection, question_id: int) -> tuple[int, str] | None:
    """Return number and hash of the last entry of a question; None where there is none."""
    found = connection.execute(_LAST_OF, {"question_id": question_id}).first()
    return None if found is None else (found.number, found.hash)


def _table(name: str) -> Table:
    return SQLModel.metadata.tables[name]


def rows_of(kind: str) -> Select[Any]:
    """Return the statement for a table's rows in the order of their numbers.

    Behind their own columns stands ``of_question``, the question that each belongs to.
    """
    table = _table(kind)
    if kind == "question":
        return select(table, table.c.id.label("of_question")).order_by(table.c.id)
    if kind in _BY:
        other = _table(_BY[kind])
        return (
            select(table, other.c.question_id.label("of_question"))
            .join(other, other.c.id == table.c[f"{_BY[kind]}_id"])
            .order_by(table.c.id)
        )
    if "question_id" in table.c:
        return select(table, table.c.question_id.label("of_question")).order_by(table.c.id)
    return select(table).order_by(table.c.id)


def values_of(row: Row[Any]) -> tuple[dict[str, Any], int | None]:
    """Return a row of ``rows_of`` as its own columns, and the question that it belongs to."""
    values = dict(row._mapping)
    return values, values.pop("of_question", None)


_STORED: Mapping[type, Callable[[Any], Any]] = {
    Integer: int,
    Boolean: bool,
    Float: float,
    String: str,
    AutoString: str,
    Text: str,
    models.Time: utc,
    JSON: lambda value: json.loads(json.dumps(value)),
}


@cache
def _some_of(kind: str) -> Select[Any]:
    numbers = _table(kind).c.id.between(bindparam("low"), bindparam("high"))
    return rows_of(kind).where(numbers).limit(bindparam("most"))


@cache
def _new_entry() -> Insert:
    return insert(_table("entry"))


def _rows(connection: Connection, kind: str, ids: Collection[int]) -> Iterator[tuple[int, Told]]:
    low, high = min(ids), max(ids)
    while low <= high:
        batch = connection.execute(_some_of(kind), {"low": low, "high": high, "most": _BATCH}).all()
        for row in batch:
            yield row.id, tell(kind, *values_of(row))
        if len(batch) < _BATCH:
            return
        low = batch[-1].id + 1


def write(connection: Connection, entries: Iterable[dict[str, Any]], *, ends: bool = False) -> int:
    """Return how many entries were written, some thousand at a time."""
    written, rest = 0, iter(entries)
    while batch := list(islice(rest, _BATCH)):
        if len(batch) == 1:  # as most acts have it
            row = prepare(connection.dialect, _table("entry"), batch[0])
            put_last(connection, row) if ends else put(connection, row)
        else:
            connection.execute(_new_entry(), batch)
        written += len(batch)
    return written
