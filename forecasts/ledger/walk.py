"""One pass along the entries of the chain and their rows (see ``verification``)."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Table, func, inspect, select
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, SQLModel

from forecasts.ledger.chain import (
    NOTHING,
    SEALED,
    STATES,
    WORDS,
    entry_hash,
    read_digest,
    row_hash,
    time_member,
    words_hash,
)
from forecasts.ledger.driver_errors import is_of_a_value
from forecasts.ledger.erasure import Erasures
from forecasts.ledger.malformed import malformed, orphans, out_of_form
from forecasts.ledger.raw_rows import RawRow, ends, read, reason, rows_between, rows_outside
from forecasts.ledger.stored_forms import looks_right

# The columns of the table entry, as the driver has them.
_Entry = tuple[int, int | None, int | None, str, int, str | None, str | None, str, str, Any]

MOST_FAULTS = 20
BATCH = 4_000  # entries


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


class Stop(Exception):
    """Ends the walk: no later entry can be verified, or there are enough faults."""


class Walk:
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
        """Verify everything; ``Stop`` at a fault of the chain, or without one of the tables."""
        there = inspect(self.session.connection()).get_table_names()
        if gone := sorted(SQLModel.metadata.tables.keys() - set(there)):
            tables = f"the table {gone[0]} is" if len(gone) == 1 else f"{', '.join(gone)} are"
            raise self._stop(Broken(Fault.removed, f"{tables} gone, or replaced by a view"))
        with self._readable("the table removal", note=False):
            self._erasures.read()
        entry = SQLModel.metadata.tables["entry"]
        entries = 0
        with self._readable("the table entry", note=False):
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
            with self._readable(f"the table {kind}"):
                self._no_more(kind)
        for kind in STATES:
            with self._readable(f"the table {kind}"):
                self._compare_states(kind)
        covered = max(self.against, default=0)
        if covered > self.place:
            what = (
                f"the entries from {self.place + 1} to {covered}, which the digest covers, are "
                "gone from the end of the chain"
            )
            raise self._stop(Broken(Fault.removed, what, self.place + 1))

    def note(self, broken: Broken) -> None:
        """Take note of a fault; ``Stop`` if there are enough."""
        if not self.faults:
            self.intact = self.place, self.last
        self.faults.append(broken)
        if len(self.faults) >= MOST_FAULTS:
            raise Stop

    def _stop(self, broken: Broken) -> Stop:
        self.note(broken)
        return Stop()

    @contextmanager
    def _readable(self, what: str, *, note: bool = True) -> Iterator[None]:
        """Note that something cannot be read, and go on."""
        try:
            yield
        except Exception as error:
            if not is_of_a_value(error):
                raise
            if note:
                self.note(Broken(Fault.altered, f"{what} cannot be read: {reason(error)}"))

    def _batch_after(self, low: int | None) -> list[_Entry]:
        """Return the next entries, at least one up to the end; ``Stop`` at an unreadable one."""
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
        """Return the entries before the first that is out of form; ``Stop`` if there is none."""
        entry, connection = SQLModel.metadata.tables["entry"], self.session.connection()
        columns, dialect = zip(entry.c, zip(*batch, strict=True)), connection.dialect.name  # noqa: B905 none without entries
        if all(looks_right(column, values, dialect) for column, values in columns):
            return batch
        first = f"id >= {batch[0][0]}"
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
        place, question, number, kind, row_id, _, _, row, hash_, at = entry
        if place != self.place + 1:
            self._misplaced(entry)
        faults: Sequence[Broken] = ()
        if kind in self._states:
            self._states[kind][row_id] = entry
        elif kind not in self._seen:
            what = f"history has no table {kind!r}"
            raise self._stop(self._fault(Fault.altered, entry, what))
        elif row_id <= self._seen[kind]:
            what = (
                f"row {row_id} of {kind} comes after row {self._seen[kind]}, which was written "
                "later"
            )
            raise self._stop(self._fault(Fault.reordered, entry, what))
        else:
            faults = self._faults_at(entry, kind, row_id)
            self._seen[kind] = row_id
        before, previous = self.questions.get(question, (0, NOTHING))
        time = time_member(at)
        expected = entry_hash(place, question, number, kind, row_id, row, self.last, previous, time)
        if hash_ != expected or number != (None if question is None else before + 1):
            what = (
                "it does not follow the entry before it: entries were reordered, or this entry "
                "was altered"
            )
            raise self._stop((*faults, self._fault(Fault.reordered, entry, what))[0])
        if time and time < self.time:
            what = "its time is before that of the entry before it"
            raise self._stop(self._fault(Fault.reordered, entry, what))
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
        """Stop at an entry that is not the next one."""
        place, expected = entry[0], self.place + 1
        if place < expected:
            what = "it comes before the first entry"
            raise self._stop(self._fault(Fault.inserted, entry, what))
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
        _, question, _, kind, row_id, salt, words, hash_, _, _ = entry
        if row is None:
            return self._fault(Fault.removed, entry, f"{_named(entry)} is gone")
        _, of_question, rest, personal, _, fault = row
        what = ""
        if fault:
            what = f"{_named(entry)} {fault}"
        elif row_hash(rest, words) != hash_:
            what = f"{_named(entry)} is not as recorded"
        elif of_question != question:
            what = f"{_named(entry)} belongs to another question"
        elif salt is None or words_hash(salt, personal) != words:
            what = self._words_fault(entry, row)
        elif self._erasures.must_be_gone(kind, row_id):
            what = (
                f"the words of {_named(entry)} are back, though they were removed with their member"
            )
        return self._fault(Fault.altered, entry, what) if what else None

    def _words_fault(self, entry: _Entry, row: RawRow) -> str:
        """Return why words are not as written; "" if they are blank, or went with their member."""
        _, _, _, kind, _, salt, words, *_ = entry
        _, _, _, personal, found, _ = row
        the_words = f"the words of {_named(entry)} ({', '.join(WORDS.get(kind, ()))}) are"
        if salt is None and words is None and not personal:
            return ""
        if salt is not None or words is None:
            return f"{the_words} not as written"
        self.forgotten += 1
        values = dict(zip(SQLModel.metadata.tables[kind].c.keys(), found, strict=False))
        if kind in SEALED and self._erasures.explain(kind, values):
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
            with self._readable(f"the table {table.name}"):
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
        raise self._stop(self._fault(Fault.altered, entry, what))

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
