"""One pass along the entries of the chain and their rows (see ``verification``)."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import func, inspect, select
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
    rows_of,
    time_member,
    words_hash,
)
from forecasts.ledger.driver_errors import is_of_a_value
from forecasts.ledger.erasure import Erasures
from forecasts.ledger.faults import Broken, Fault
from forecasts.ledger.malformed import malformed, orphans, out_of_form
from forecasts.ledger.raw_rows import RawRow, ends, read, reason, rows_between

MOST_FAULTS = 20
_BATCH = 2_000  # entries


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
        self.questions: dict[int, tuple[int, str]] = {}
        self.rows: Counter[str] = Counter()
        self.forgotten = 0
        # For each table: the last row with an entry, the rows read ahead, and those out of form.
        self._seen = dict.fromkeys(SEALED, 0)
        self._ahead: dict[str, deque[RawRow]] = {kind: deque() for kind in SEALED}
        self._malformed: dict[str, dict[int, str]] = {}
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
        for table in SQLModel.metadata.sorted_tables:
            with self._readable(f"the table {table.name}", note=False):
                found = malformed(self.session.connection(), table, MOST_FAULTS)
                self._malformed[table.name] = found
        entry = SQLModel.metadata.tables["entry"]
        entries = 0
        with self._readable("the table entry", note=False):
            entries = self.session.scalar(select(func.count()).select_from(entry)) or 0
        self._compare_digest()
        low = None
        while batch := self._batch_after(low):
            for kind, high in self._highest(batch).items():
                rows = rows_between(self.session, kind, self._seen[kind], high)
                self._ahead[kind] = deque(rows)
            for one in batch:
                self._entry(one)
            tell(self.place, entries)
            low = batch[-1].id
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

    def _batch_after(self, low: int | None) -> Sequence[Any]:
        """Return the next entries, at least one up to the end; ``Stop`` at an unreadable one."""
        entry, size = SQLModel.metadata.tables["entry"], _BATCH
        while True:
            statement = select(entry).order_by(entry.c.id).limit(size)
            try:
                return read(
                    self.session, statement if low is None else statement.where(entry.c.id > low)
                )
            except DBAPIError as error:
                if not is_of_a_value(error):
                    raise
                if size == 1:
                    what = f"entry {self.place + 1} cannot be read: {reason(error)}"
                    raise self._stop(Broken(Fault.altered, what, self.place + 1)) from None
                size = max(1, size // 16)

    def _highest(self, batch: Sequence[Any]) -> Mapping[str, int]:
        """Return the highest row of each table that these entries refer to."""
        highest: dict[str, int] = {}
        altered = self._malformed.get("entry", {})
        for place, _, _, kind, row_id, *_ in batch:
            if place in altered:
                break
            if kind in self._seen and row_id > highest.get(kind, self._seen[kind]):
                highest[kind] = row_id
        return highest

    def _entry(self, entry: Any) -> None:
        """Compare an entry with its place in both chains, and with its row."""
        place, question, number, kind, row_id, _, _, row, hash_, at = entry
        if place in self._malformed.get("entry", ()):
            what = out_of_form("entry", place, self._malformed["entry"][place])
            raise self._stop(Broken(Fault.altered, what, place))
        if place != self.place + 1:
            self._misplaced(entry)
        faults: list[Broken] = []
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
            self._seen[kind] = row_id
            self.rows[kind] += 1
        if question is not None:
            self.questions[question] = number, hash_
        if place in self.against:
            self._compare_digest(entry)

    def _misplaced(self, entry: Any) -> None:
        """Stop at an entry that is not the next one."""
        expected = self.place + 1
        if entry.id < expected:
            what = "it comes before the first entry"
            raise self._stop(self._fault(Fault.inserted, entry, what))
        gone = (
            f"entry {expected} is"
            if entry.id == expected + 1
            else f"the entries from {expected} to {entry.id - 1} are"
        )
        between = f"between entry {self.place} and entry {entry.id}"
        raise self._stop(Broken(Fault.removed, f"{gone} gone, {between}", expected))

    def _faults_at(self, entry: Any, kind: str, row_id: int) -> list[Broken]:
        """Return the faults of the entry's row, and of rows without an entry before it."""
        ahead, strays = self._ahead[kind], []
        while ahead and ahead[0].id < row_id:
            where = f", and comes before that of entry {entry.id}"
            strays.append(self._stray(kind, ahead[0].id, ahead.popleft().question, where))
        row = ahead.popleft() if ahead and ahead[0].id == row_id else None
        return strays + self._faults_of(entry, row)

    def _faults_of(self, entry: Any, row: RawRow | None) -> list[Broken]:
        """Return the fault of a row that is not as its entry says, if it has one."""
        _, question, _, kind, row_id, salt, words, hash_, *_ = entry
        named = f"row {row_id} of {kind}"
        if row is None:
            return [self._fault(Fault.removed, entry, f"{named} is gone")]
        what = ""
        if row.unreadable:
            what = f"{named} cannot be read: {row.unreadable}"
        elif row_hash(row.rest, words) != hash_:
            what = f"{named} is not as recorded"
        elif row.question != question:
            what = f"{named} belongs to another question"
        elif row_id in self._malformed.get(kind, ()):
            what = out_of_form(kind, row_id, self._malformed[kind][row_id])
        elif salt is None or words_hash(salt, row.personal) != words:
            what = self._words_fault(entry, row)
        elif self._erasures.must_be_gone(kind, row_id):
            what = f"the words of {named} are back, though they were removed with their member"
        return [self._fault(Fault.altered, entry, what)] if what else []

    def _words_fault(self, entry: Any, row: RawRow) -> str:
        """Return why words are not as written; "" if they are blank, or went with their member."""
        kind, names = entry.kind, ", ".join(WORDS.get(entry.kind, ()))
        the_words = f"the words of row {entry.row_id} of {kind} ({names}) are"
        if entry.salt is None and entry.words_hash is None and not row.personal:
            return ""
        if entry.salt is not None or entry.words_hash is None:
            return f"{the_words} not as written"
        self.forgotten += 1
        columns = SQLModel.metadata.tables[kind].c.keys()
        values = dict(zip(columns, row.values, strict=False))
        if kind in SEALED and self._erasures.explain(kind, values):
            return ""
        return f"{the_words} gone, and no removal of their member did that"

    def _no_more(self, kind: str) -> None:
        """Refuse rows after the last one with an entry, or before the first."""
        rows, id_ = rows_of(kind), SQLModel.metadata.tables[kind].c.id
        outside = (id_ > self._seen[kind]) | (id_ <= 0)
        ids = rows.with_only_columns(id_, rows.selected_columns.of_question)
        for row, question in read(self.session, ids.where(outside).limit(MOST_FAULTS)):
            self.note(self._stray(kind, row, question))

    def _compare_states(self, kind: str) -> None:
        """Compare rows that may change with the entries of their newest states."""
        newest = {id_: e for id_, e in self._states[kind].items() if e.row_hash != NOTHING}
        for row in rows_between(self.session, kind, *ends(self.session, kind)):
            entry = newest.pop(row.id, None)
            if entry is None:
                self.note(self._stray(kind, row.id, row.question))
                continue
            self.rows[kind] += 1
            for fault in self._faults_of(entry, row):
                self.note(fault)
        for entry in newest.values():
            for fault in self._faults_of(entry, None):
                self.note(fault)

    def others(self) -> None:
        """Prove the form and the references of rows that have no entries."""
        for table in SQLModel.metadata.sorted_tables:
            if table.name in (*SEALED, *STATES, "entry"):
                continue
            for row, subject in self._malformed.get(table.name, {}).items():
                what = out_of_form(table.name, row, subject)
                self.note(Broken(Fault.altered, what, kind=table.name, row=row))
            with self._readable(f"the table {table.name}"):
                if table.name != "exhibit_content":  # the documents themselves are compared
                    self._readable_rows(table.name)
                for orphan in orphans(self.session.connection(), table, MOST_FAULTS):
                    what = orphan.said(table.name)
                    self.note(Broken(Fault.altered, what, kind=table.name, row=orphan.row))

    def _readable_rows(self, kind: str) -> None:
        """Note the rows of a table that cannot be read."""
        id_ = SQLModel.metadata.tables[kind].c.id
        low, last = ends(self.session, kind)
        while low < last:
            some = select(id_).where(id_ > low).order_by(id_).limit(_BATCH).subquery()
            high = self.session.scalar(select(func.max(some.c.id))) or last
            for row in rows_between(self.session, kind, low, high):
                if row.unreadable:
                    what = f"row {row.id} of {kind} cannot be read: {row.unreadable}"
                    self.note(Broken(Fault.altered, what, kind=kind, row=row.id))
            low = high

    def _compare_digest(self, entry: Any | None = None) -> None:
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

    def _fault(self, fault: Fault, entry: Any, what: str) -> Broken:
        slug = self.slug(entry.question_id)
        return Broken(fault, what, entry.id, slug, entry.number, entry.kind, entry.row_id)

    def slug(self, question_id: Any) -> str | None:
        """Return the name of a question for a fault, if it can be read."""
        if question_id is None:
            return None
        question = SQLModel.metadata.tables["question"]
        with suppress(DBAPIError):
            return self.session.scalar(select(question.c.slug).where(question.c.id == question_id))
        return None
