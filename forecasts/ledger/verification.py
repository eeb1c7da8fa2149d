"""Verify the history: walk the chain, hash every row again, name the faults.

Entries are read in the order of the ledger's chain, and the rows of each table by id; both rise
together, so one pass (``_Walk``) finds rows and entries that were altered, removed, inserted or
reordered. It goes on after a fault of a row, and ends at a fault of the chain, since no later entry
can be verified then. A row with the right hash could still read differently in another stored form,
so each value's form is proven too (``malformed``). A row that cannot be read is altered. So is one
that an index of a file leaves out: readers find rows by indexes. A server lets no one alter those.
Differences of the database from the ledger's schema are named apart (``catalogue``).

The digest is the place of the last entry and its hash. If you keep it outside the ledger (in a mail
or on a public page), it later proves that nothing up to that entry has changed, even if someone
could rewrite the whole ledger with its chain.
"""

from __future__ import annotations

import sqlite3
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import LargeBinary, Table, cast, func, inspect, select
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, SQLModel

from forecasts.common.limits import EXHIBIT_BYTES
from forecasts.ledger import catalogue, current_forecasts, head, moved
from forecasts.ledger.chain import (
    NOTHING,
    SEALED,
    STATES,
    WORDS,
    entry_hash,
    read_digest,
    row_hash,
    sha256,
    time_member,
    words_hash,
)
from forecasts.ledger.driver_errors import is_of_a_value, is_of_the_schema
from forecasts.ledger.erasure import Erasures
from forecasts.ledger.malformed import malformed, orphans, out_of_form
from forecasts.ledger.raw_rows import RawRow, ends, read, reason, rows_between, rows_outside
from forecasts.ledger.stored_forms import looks_right
from forecasts.ledger.urls import sqlite_path

# The columns of the table entry, as the driver has them.
_Entry = tuple[int, int | None, int | None, str, int, str | None, str | None, str, str, Any]

MOST_FAULTS = 20
BATCH = 4_000  # entries
_CONTENTS = 20  # documents of resolvers, of a megabyte each at most


class Fault(StrEnum):
    """A kind of change to history."""

    altered = "altered"
    removed = "removed"
    inserted = "inserted"
    reordered = "reordered"


@dataclass(frozen=True)
class Broken:
    """A fault in the history.

    ``entry``: its place in the ledger's chain; None for a row without an entry. ``question``: the
    slug, with ``number`` in that question's chain; None for a row without a question.
    """

    fault: Fault
    said: str
    entry: int | None = None
    question: str | None = None
    number: int | None = None
    kind: str | None = None
    row: int | None = None


@dataclass(frozen=True)
class Verified:
    """The result of verifying a ledger.

    ``digest``: of the intact entries, up to the first fault if one was found (``broken``).
    ``more``: further faults, if the chain could be followed. ``forgotten``: the entries of words
    that were removed with their member. ``against``: the place of the newest earlier digest that
    was compared. ``weakened``: clauses about the database's protection, where it differs from the
    schema's, and ``added`` about further objects, which do no harm; history can be intact.
    ``derived``: clauses about rows that are not as history gives them (``current_forecasts``).
    """

    digest: str
    entries: int
    rows: Mapping[str, int]
    questions: int
    forgotten: int
    against: int | None = None
    broken: Broken | None = None
    more: tuple[Broken, ...] = ()
    weakened: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    derived: tuple[str, ...] = ()


def verify(
    session: Session,
    *,
    against: str | Sequence[str] | None = None,
    tell: Callable[[int, int], None] = lambda _done, _entries: None,
) -> Verified:
    """Return the digest of an intact chain, or the faults; nothing is written.

    ``against``: earlier digests of this ledger; a different or missing entry at the place of one is
    a fault. BadInput if it is not a digest. ``tell`` is called with the numbers of verified and of
    all entries.
    """
    compared, weakened = catalogue.Compared((), ()), tuple[str, ...]()
    derived: list[str] = []
    walk = _Walk(session, [against] if isinstance(against, str) else against or ())
    try:
        compared = catalogue.compare(session.connection())
        walk.all(tell)
        with walk.readable("the table exhibit_content"):
            for broken in _altered_documents(walk):
                walk.note(broken)
        walk.others()
        for said in _index_faults(session):
            what = f"readers can miss rows, since an index does not fit its table: {said}"
            walk.note(Broken(Fault.altered, what))
        if said := head.missing(session.connection()):
            walk.note(Broken(Fault.removed, said, walk.place + 1))
        file = sqlite_path(session.connection().engine)
        marked = moved.place_in(session.connection())
        if marked and head.is_forged(file, marked):
            weakened = (f"the ledger is marked as moved to {marked!r}, by no move from here",)
        if not walk.faults:  # rows that follow from altered ones would differ for that reason
            derived = current_forecasts.differences(session.connection())
    except _Stop:
        pass
    except Exception as error:
        if not (is_of_a_value(error) or is_of_the_schema(error)):
            raise
        walk.faults.append(Broken(Fault.altered, f"the database is damaged: {reason(error)}"))
        session.rollback()  # a server takes no statement after an error
    place, last = walk.intact if walk.faults else (walk.place, walk.last)
    return Verified(
        digest=f"{place}-{last}",
        entries=place,
        rows={kind: walk.rows[kind] for kind in (*SEALED, *STATES) if walk.rows[kind]},
        questions=len(walk.questions),
        forgotten=walk.forgotten,
        against=max(walk.against, default=None),
        broken=walk.faults[0] if walk.faults else None,
        more=tuple(walk.faults[1:]),
        weakened=(*compared.faults, *weakened),
        added=compared.added,
        derived=tuple(derived),
    )


def newest(session: Session) -> str:
    """Return the digest of the last entry, without verifying it."""
    entry = SQLModel.metadata.tables["entry"]
    last = session.execute(
        select(entry.c.id, entry.c.hash).order_by(entry.c.id.desc()).limit(1)
    ).first()
    return f"0-{NOTHING}" if last is None else f"{last.id}-{last.hash}"


def _index_faults(session: Session) -> list[str]:
    """Return the differences between the rows of a file and its indexes."""
    if sqlite_path(session.connection().engine) is None:
        return []
    connection: Any = session.connection().connection.driver_connection
    try:
        # The forms of values are proven by the walk, in less time.
        connection.execute("PRAGMA ignore_check_constraints = ON")
        found = connection.execute("PRAGMA integrity_check").fetchall()
    except sqlite3.DatabaseError as error:  # a damaged page, say
        return [str(error)]
    finally:
        connection.execute("PRAGMA ignore_check_constraints = OFF")
    return [said for (said,) in found if " index " in said]


def _altered_documents(walk: _Walk) -> Iterator[Broken]:
    """Yield the documents that resolvers read and that differ from their hashes in the chain."""
    session = walk.session
    exhibit, content = (SQLModel.metadata.tables[n] for n in ("exhibit", "exhibit_content"))
    # SQLite may have another type there.
    data = cast(content.c.data, LargeBinary).label("data")
    some = select(content.c.id, content.c.sha256, data).order_by(content.c.id).limit(_CONTENTS)
    last = None
    while kept := session.execute(some if last is None else some.where(content.c.id > last)).all():
        for row in kept:
            if sha256(row.data or b"") != row.sha256:
                yield _broken_document(walk, Fault.altered, row.sha256, "is not as stored")
        last = kept[-1].id
    gone = (
        select(exhibit.c.sha256)
        .outerjoin(content, content.c.sha256 == exhibit.c.sha256)
        .where(content.c.id.is_(None), exhibit.c.size <= EXHIBIT_BYTES)
        .order_by(exhibit.c.id)
        .limit(1)
    )
    digest = session.scalar(gone)
    if digest is not None:
        yield _broken_document(walk, Fault.removed, digest, "is gone")


def _broken_document(walk: _Walk, fault: Fault, digest: str, what: str) -> Broken:
    exhibit, resolution = (SQLModel.metadata.tables[n] for n in ("exhibit", "resolution"))
    found = walk.session.execute(
        select(exhibit.c.id, exhibit.c.address, resolution.c.question_id)
        .join(resolution, resolution.c.id == exhibit.c.resolution_id)
        .where(exhibit.c.sha256 == digest)
        .order_by(exhibit.c.id)
        .limit(1)
    ).first()
    shown, row, question = ("something", None, None)
    if found is not None:
        shown, row, question = found.address, found.id, walk.slug(found.question_id)
    said = f"the document that a resolver read at {shown} {what}"
    return Broken(fault, said, question=question, kind="exhibit", row=row)


class _Stop(Exception):
    """Ends the walk: no later entry can be verified, or there are enough faults."""


class _Walk:
    """The state of the pass: the faults so far, and the end of both chains."""

    def __init__(self, session: Session, against: Sequence[str]) -> None:
        self.session = session
        self.against: dict[int, set[str]] = {}
        for place, hash_ in map(read_digest, against):
            self.against.setdefault(place, set()).add(hash_)
        self.faults: list[Broken] = []
        self.place, self.last, self.time = 0, NOTHING, ""
        self.intact = (self.place, self.last)  # at the first fault
        self.questions: dict[int | None, tuple[int, str]] = {}
        self.rows: Counter[str] = Counter()
        self.forgotten = 0
        # For each table: the last row with an entry, and the rows read ahead.
        self._seen = dict.fromkeys(SEALED, 0)
        self._ahead: dict[str, deque[RawRow]] = {kind: deque() for kind in SEALED}
        self._erasures = Erasures(session)
        # For each row that may change: the entry of its newest state.
        self._states: dict[str, dict[int, Any]] = {kind: {} for kind in STATES}

    def all(self, tell: Callable[[int, int], None]) -> None:
        """Verify everything; ``_Stop`` at a fault of the chain, or without one of the tables."""
        there = inspect(self.session.connection()).get_table_names()
        if gone := sorted(SQLModel.metadata.tables.keys() - set(there)):
            tables = f"the table {gone[0]} is" if len(gone) == 1 else f"{', '.join(gone)} are"
            raise self._stop(Broken(Fault.removed, f"{tables} gone, or replaced by a view"))
        with self.readable("the table removal", note=False):
            self._erasures.read()
        entry = SQLModel.metadata.tables["entry"]
        entries = 0
        with self.readable("the table entry", note=False):
            entries = self.session.scalar(select(func.count()).select_from(entry)) or 0
        self._compare_digest()
        low = None
        while batch := self._batch_after(low):
            for kind, high in self._highest(batch).items():
                rows = rows_between(self.session, kind, self._seen[kind] + 1, high)
                self._ahead[kind] = deque(rows)
            for one in batch:
                self._entry(one)
            tell(self.place, entries)
            low = batch[-1][0]
        for kind in SEALED:
            with self.readable(f"the table {kind}"):
                self._no_more(kind)
        for kind in STATES:
            with self.readable(f"the table {kind}"):
                self._compare_states(kind)
        covered = max(self.against, default=0)
        if covered > self.place:
            what = (
                f"the entries from {self.place + 1} to {covered}, which the digest covers, are "
                "gone from the end of the chain"
            )
            raise self._stop(Broken(Fault.removed, what, self.place + 1))

    def note(self, broken: Broken) -> None:
        """Take note of a fault; ``_Stop`` if there are enough."""
        if not self.faults:
            self.intact = self.place, self.last
        self.faults.append(broken)
        if len(self.faults) >= MOST_FAULTS:
            raise _Stop

    def _stop(self, broken: Broken) -> _Stop:
        self.note(broken)
        return _Stop()

    def _stop_at(self, entry: _Entry, fault: Fault, what: str) -> _Stop:
        return self._stop(self._fault(fault, entry, what))

    @contextmanager
    def readable(self, what: str, *, note: bool = True) -> Iterator[None]:
        """Note that something cannot be read, and go on."""
        try:
            yield
        except Exception as error:
            if not is_of_a_value(error):
                raise
            if note:
                self.note(Broken(Fault.altered, f"{what} cannot be read: {reason(error)}"))

    def _batch_after(self, low: int | None) -> list[_Entry]:
        """Return the next entries, at least one up to the end; ``_Stop`` at an unreadable one."""
        entry, size = SQLModel.metadata.tables["entry"], BATCH
        while True:
            statement = select(entry).order_by(entry.c.id).limit(size)
            if low is not None:
                statement = statement.where(entry.c.id > low)
            try:
                return self._in_form(read(self.session, statement))
            except DBAPIError as error:
                if not is_of_a_value(error):
                    raise
                if size == 1:
                    what = f"entry {self.place + 1} cannot be read: {reason(error)}"
                    raise self._stop(Broken(Fault.altered, what, self.place + 1)) from None
                size = max(1, size // 16)

    def _in_form(self, batch: list[_Entry]) -> list[_Entry]:
        """Return the entries before the first that is out of form; ``_Stop`` if there is none."""
        entry, connection = SQLModel.metadata.tables["entry"], self.session.connection()
        columns, dialect = zip(entry.c, zip(*batch, strict=True)), connection.dialect.name  # noqa: B905 none without entries
        if all(looks_right(column, values, dialect) for column, values in columns):
            return batch
        lowest: Any = batch[0][0]
        if not isinstance(lowest, int):
            what = f"the place {lowest!r} of an entry is not a number"
            raise self._stop(Broken(Fault.altered, what, self.place + 1))
        first = f"id >= {lowest}"
        for place, subject in malformed(connection, entry, 1, first).items():
            batch = [one for one in batch if one[0] < place]
            if not batch:
                what = out_of_form("entry", place, subject)
                raise self._stop(Broken(Fault.altered, what, place))
        return batch

    def _highest(self, batch: list[_Entry]) -> Mapping[str, int]:
        """Return the highest row of each table that these entries refer to."""
        highest = dict(sorted((kind, row) for _, _, _, kind, row, *_ in batch))
        return {kind: row for kind, row in highest.items() if row > self._seen.get(kind, row)}

    def _entry(self, entry: _Entry) -> None:
        """Compare an entry with its place in both chains, and with its row."""
        place, question, number, kind, row_id, salt, words, row, hash_, at = entry
        if place != self.place + 1:
            self._misplaced(entry)
        faults: Sequence[Broken] = ()
        if kind in self._states:
            self._states[kind][row_id] = entry
            if row == NOTHING and (salt, words) != (None, None):
                faults = [
                    self._fault(Fault.altered, entry, f"the end of {_named(entry)} has words")
                ]
        elif kind not in self._seen:
            raise self._stop_at(entry, Fault.altered, f"history has no table {kind!r}")
        elif row_id <= self._seen[kind]:
            what = f"{_named(entry)} comes after row {self._seen[kind]}, which was written later"
            raise self._stop_at(entry, Fault.reordered, what)
        else:
            faults = self._faults_at(entry, kind, row_id)
            self._seen[kind] = row_id
        before, previous = self.questions.get(question, (0, NOTHING))
        time = time_member(at)
        link = (place, question, number, kind, row_id, row)
        expected = entry_hash(link, self.last, previous, time)
        if hash_ != expected or number != (None if question is None else before + 1):
            what = (
                "it does not follow the entry before it: entries were reordered, or this entry "
                "was altered"
            )
            raise self._stop((*faults, self._fault(Fault.reordered, entry, what))[0])
        if time and time < self.time:
            what = "its time is before that of the entry before it"
            raise self._stop_at(entry, Fault.reordered, what)
        for fault in faults:
            self.note(fault)
        self.place, self.last, self.time = place, hash_, time or self.time
        if kind in self._seen:
            self.rows[kind] += 1
        if question is not None:
            self.questions[question] = number or 0, hash_
        if place in self.against:
            self._compare_digest(entry)

    def _misplaced(self, entry: _Entry) -> None:
        """_Stop at an entry that is not the next one."""
        place, expected = entry[0], self.place + 1
        if place < expected:
            raise self._stop_at(entry, Fault.inserted, "it comes before the first entry")
        gone = (
            f"entry {expected} is"
            if place == expected + 1
            else f"the entries from {expected} to {place - 1} are"
        )
        between = f"between entry {self.place} and entry {place}"
        raise self._stop(Broken(Fault.removed, f"{gone} gone, {between}", expected))

    def _faults_at(self, entry: _Entry, kind: str, row_id: int) -> list[Broken]:
        """Return the faults of the entry's row, and of rows without an entry before it."""
        ahead, faults = self._ahead[kind], []
        while ahead and ahead[0][0] < row_id:
            where = f", and comes before that of entry {entry[0]}"
            stray, question, *_ = ahead.popleft()
            faults.append(self._stray(kind, stray, question, where))
        row = ahead.popleft() if ahead and ahead[0][0] == row_id else None
        if fault := self._fault_of(entry, row):
            faults.append(fault)
        return faults

    def _fault_of(self, entry: _Entry, row: RawRow | None) -> Broken | None:
        """Return the fault of a row that is not as its entry says, if it has one."""
        if row is None:
            return self._fault(Fault.removed, entry, f"{_named(entry)} is gone")
        try:
            what = self._difference(entry, row)
        except Exception as error:
            if not is_of_a_value(error):
                raise
            what = f"{_named(entry)} cannot be compared: {reason(error)}"
        return self._fault(Fault.altered, entry, what) if what else None

    def _difference(self, entry: _Entry, row: RawRow) -> str:
        """Return how a row differs from its entry; blank if it does not."""
        _, question, _, kind, row_id, salt, words, hash_, _, _ = entry
        _, of_question, rest, personal, _, fault = row
        named, what = _named(entry), ""
        if fault:
            what = f"{named} {fault}"
        elif row_hash(rest, words) != hash_:
            what = f"{named} is not as recorded"
        elif of_question != question:
            what = f"{named} belongs to another question"
        elif salt is None or words_hash(salt, personal) != words:
            what = self._words_fault(entry, row)
        elif self._erasures.must_be_gone(kind, row_id):
            what = f"the words of {named} are back, though they were removed with their member"
        return what

    def _words_fault(self, entry: _Entry, row: RawRow) -> str:
        """Return why words are not as written; "" if they are blank, or went with their member."""
        _, _, _, kind, _, salt, words, *_ = entry
        _, _, _, personal, found, _ = row
        the_words = f"the words of {_named(entry)} ({', '.join(WORDS.get(kind, ()))}) are"
        if kind not in WORDS:
            the_words = f"the salt of {_named(entry)} is"
        if salt is None and words is None and not personal:
            return ""
        if salt is not None or words is None:
            return f"{the_words} not as written"
        values = dict(zip(SQLModel.metadata.tables[kind].c.keys(), found, strict=False))
        if kind in SEALED and kind in WORDS and self._erasures.explain(kind, values):
            self.forgotten += 1
            return ""
        return f"{the_words} gone, and no removal of their member did that"

    def _no_more(self, kind: str) -> None:
        """Refuse rows after the last one with an entry, or before the first."""
        for row, question in rows_outside(self.session, kind, self._seen[kind], MOST_FAULTS):
            self.note(self._stray(kind, row, question))

    def _compare_states(self, kind: str) -> None:
        """Compare rows that may change with the entries of their newest states."""
        newest = {row: one for row, one in self._states[kind].items() if one[7] != NOTHING}
        for row in rows_between(self.session, kind, *ends(self.session, kind)):
            id_, question, *_ = row
            entry = newest.pop(id_, None)
            if entry is None:
                self.note(self._stray(kind, id_, question))
                continue
            self.rows[kind] += 1
            if fault := self._fault_of(entry, row):
                self.note(fault)
        for entry in newest.values():
            self.note(self._fault(Fault.removed, entry, f"{_named(entry)} is gone"))

    def others(self) -> None:
        """Prove the form and the references of rows that have no entries."""
        for table in SQLModel.metadata.sorted_tables:
            if table.name in (*SEALED, *STATES, "entry"):
                continue
            with self.readable(f"the table {table.name}"):
                for row, what in self._faulty(table):
                    self.note(Broken(Fault.altered, what, kind=table.name, row=row))

    def _faulty(self, table: Table) -> Iterator[tuple[int, str]]:
        """Yield the rows of a table that cannot be read, are out of form, or lost a reference."""
        connection, kind, id_ = self.session.connection(), table.name, table.c.id
        if kind == "exhibit_content":  # the documents themselves are compared
            for row, subject in malformed(connection, table, MOST_FAULTS).items():
                yield row, out_of_form(kind, row, subject)
        low, last = (1, 0) if kind == "exhibit_content" else ends(self.session, kind)
        while low <= last:
            some = select(id_).where(id_ >= low).order_by(id_).limit(BATCH).subquery()
            high = self.session.scalar(select(func.max(some.c.id)))
            high = last if high is None else high
            for row, *_, fault in rows_between(self.session, kind, low, high):
                if fault:
                    yield row, f"row {row} of {kind} {fault}"
            low = high + 1
        for orphan in orphans(connection, table, MOST_FAULTS):
            yield orphan.row, orphan.said(kind)

    def _compare_digest(self, entry: _Entry | None = None) -> None:
        if self.against.get(self.place, {self.last}) == {self.last}:
            return
        what = (
            "the chain is intact, but is not the one that the digest is of: everything was "
            "rewritten, or the digest is of another ledger"
        )
        if entry is None:
            raise self._stop(Broken(Fault.altered, what, 0))
        raise self._stop_at(entry, Fault.altered, what)

    def _stray(self, kind: str, row: int, question: Any, where: str = "") -> Broken:
        what = f"row {row} of {kind} has no entry{where}"
        return Broken(Fault.inserted, what, question=self.slug(question), kind=kind, row=row)

    def _fault(self, fault: Fault, entry: _Entry, what: str) -> Broken:
        place, question, number, kind, row_id, *_ = entry
        return Broken(fault, what, place, self.slug(question), number, kind, row_id)

    def slug(self, question_id: Any) -> str | None:
        """Return the name of a question for a fault, if it can be read."""
        if question_id is None:
            return None
        question = SQLModel.metadata.tables["question"]
        with suppress(DBAPIError):
            return self.session.scalar(select(question.c.slug).where(question.c.id == question_id))
        return None


def _named(entry: _Entry) -> str:
    _, _, _, kind, row_id, *_ = entry
    return f"row {row_id} of {kind}"
