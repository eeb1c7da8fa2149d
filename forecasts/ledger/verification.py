"""Verify the history: walk the chain, hash every row again, name the first fault.

Entries are read in the order of the ledger's chain, and the rows of each table by id; both rise
together, so one pass finds rows and entries that were altered, removed, inserted or reordered.

The digest is the place of the last entry and its hash. If you keep it outside the ledger (in a mail
or on a public page), it later proves that nothing up to that entry has changed, even if someone
could rewrite the whole ledger with its chain.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import LargeBinary, Row, Select, cast, func, select
from sqlmodel import Session, SQLModel

from forecasts.common.limits import EXHIBIT_BYTES
from forecasts.ledger.chain import (
    NOTHING,
    SEALED,
    WORDS,
    contents,
    entry_hash,
    read_digest,
    row_hash,
    rows_of,
    sha256,
    time_member,
    tombstone,
    words_hash,
)

_BATCH = 2_000  # entries
_Read = tuple[Any, tuple[str, str]]  # a row, and the JSON of it that is hashed
_CONTENTS = 20  # documents of resolvers, of a megabyte each at most


class Fault(StrEnum):
    """A kind of change to history."""

    altered = "altered"
    removed = "removed"
    inserted = "inserted"
    reordered = "reordered"


@dataclass(frozen=True)
class Broken:
    """The first fault in the history.

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

    ``digest``: of the intact entries, up to the fault if one was found (``broken``). ``forgotten``:
    the entries of words that were removed with their member. ``against``: the place of the newest
    earlier digest that was compared.
    """

    digest: str
    entries: int
    rows: Mapping[str, int]
    questions: int
    forgotten: int
    against: int | None = None
    broken: Broken | None = None


class _Stop(Exception):
    """Ends the walk at a fault."""

    def __init__(self, broken: Broken) -> None:
        self.broken = broken


def verify(
    session: Session,
    *,
    against: str | Sequence[str] | None = None,
    tell: Callable[[int, int], None] = lambda _done, _entries: None,
) -> Verified:
    """Return the digest of an intact chain, or the first fault; nothing is written.

    ``against``: earlier digests of this ledger; a different or missing entry at the place of one is
    a fault. BadInput if it is not a digest. ``tell`` is called with the numbers of verified and of
    all entries.
    """
    walk = _Walk(session, [against] if isinstance(against, str) else against or ())
    broken = None
    try:
        walk.all(tell)
    except _Stop as stop:
        broken = stop.broken
    return Verified(
        digest=f"{walk.place}-{walk.last}",
        entries=walk.place,
        rows={kind: walk.rows[kind] for kind in SEALED if walk.rows[kind]},
        questions=len(walk.questions),
        forgotten=walk.forgotten,
        against=max(walk.against, default=None),
        broken=broken,
    )


def newest(session: Session) -> str:
    """Return the digest of the last entry, without verifying it."""
    entry = SQLModel.metadata.tables["entry"]
    last = session.execute(
        select(entry.c.id, entry.c.hash).order_by(entry.c.id.desc()).limit(1)
    ).first()
    return f"0-{NOTHING}" if last is None else f"{last.id}-{last.hash}"


class _Walk:
    """One pass along the entries and their rows."""

    def __init__(self, session: Session, against: Sequence[str]) -> None:
        self.session = session
        self.against: dict[int, set[str]] = {}
        for place, hash_ in map(read_digest, against):
            self.against.setdefault(place, set()).add(hash_)
        self.place, self.last, self.time = 0, NOTHING, ""
        self.questions: dict[int, tuple[int, str]] = {}
        self.rows: Counter[str] = Counter()
        self.forgotten = 0
        # For each table: the last row with an entry, and the rows read ahead.
        self._seen = dict.fromkeys(SEALED, 0)
        self._ahead: dict[str, deque[_Read]] = {kind: deque() for kind in SEALED}
        removal = SQLModel.metadata.tables["removal"]
        self._removed = set(session.scalars(select(removal.c.member_id)))

    def all(self, tell: Callable[[int, int], None]) -> None:
        """Verify everything; _Stop at the first fault."""
        entry = SQLModel.metadata.tables["entry"]
        entries = self.session.scalar(select(func.count()).select_from(entry)) or 0
        self._compare_digest()
        low = None
        while True:
            statement = select(entry).order_by(entry.c.id).limit(_BATCH)
            batch = self._read(statement if low is None else statement.where(entry.c.id > low))
            self._read_ahead(batch)
            self._entries(batch)
            tell(self.place, entries)
            if len(batch) < _BATCH:
                break
            low = batch[-1].id
        for kind in SEALED:
            self._no_more(kind)
        self._contents()
        covered = max(self.against, default=0)
        if covered > self.place:
            raise _Stop(
                Broken(
                    Fault.removed,
                    f"the entries from {self.place + 1} to {covered}, which the digest "
                    "covers, are gone from the end of the chain",
                    self.place + 1,
                )
            )

    def _read(self, statement: Select[Any]) -> Sequence[Any]:
        """Return rows as the driver has them: ``contents`` takes them in a third of the time."""
        connection = self.session.connection()
        literal = {"literal_binds": True}  # they are ids
        sql = statement.compile(connection.engine, compile_kwargs=literal)
        return connection.exec_driver_sql(str(sql)).all()

    def _read_ahead(self, batch: Sequence[Any]) -> None:
        """Read the rows of these entries, and any rows between them."""
        highest: dict[str, int] = {}
        for _, _, _, kind, row_id, *_ in batch:
            if row_id > highest.get(kind, 0) and kind in self._seen:
                highest[kind] = row_id
        for kind, high in highest.items():
            table = SQLModel.metadata.tables[kind]
            some = rows_of(kind).where(table.c.id > self._seen[kind], table.c.id <= high)
            found = self._read(some)
            columns = dict(zip(table.c.keys(), zip(*found, strict=True), strict=False))
            hashed = contents(kind, columns) if found else []
            self._ahead[kind] = deque(zip(found, hashed, strict=True))

    def _entries(self, batch: Sequence[Any]) -> None:
        """Compare entries with their places in both chains, and with their rows."""
        seen, questions = self._seen, self.questions
        for entry in batch:
            place, question, number, kind, row_id, salt, words, row, hash_, at = entry
            if place != self.place + 1 or row_id <= seen.get(kind, row_id):
                self._misplaced(entry)
            read, (rest, personal) = self._row_of(entry)
            if row_hash(rest, words) != row:
                raise self._fault(
                    Fault.altered, entry, f"row {row_id} of {kind} is not as recorded"
                )
            if read[-1] != question:
                what = f"row {row_id} of {kind} belongs to another question"
                raise self._fault(Fault.altered, entry, what)
            if salt is None or words_hash(salt, personal) != words:
                self._check_words(entry, read, personal)
            before, previous = questions.get(question, (0, NOTHING))
            time = time_member(at)
            expected = entry_hash(
                place, question, number, kind, row_id, row, self.last, previous, time
            )
            if hash_ != expected or number != (None if question is None else before + 1):
                raise self._fault(
                    Fault.reordered,
                    entry,
                    "it does not follow the entry before it: entries were reordered, or this entry "
                    "was altered",
                )
            if time and time < self.time:
                what = "its time is before that of the entry before it"
                raise self._fault(Fault.reordered, entry, what)
            self.place, self.last, seen[kind] = place, hash_, row_id
            self.time = time or self.time
            self.rows[kind] += 1
            if question is not None:
                questions[question] = number, hash_
            if place in self.against:
                self._compare_digest(entry)

    def _misplaced(self, entry: Row[Any]) -> None:
        """Stop at an entry that is not the next one, or not of the next row."""
        expected = self.place + 1
        if entry.id > expected:
            gone = (
                f"entry {expected} is"
                if entry.id == expected + 1
                else f"the entries from {expected} to {entry.id - 1} are"
            )
            between = f"between entry {self.place} and entry {entry.id}"
            raise _Stop(Broken(Fault.removed, f"{gone} gone, {between}", expected))
        if entry.id < expected:
            raise self._fault(Fault.inserted, entry, "it comes before the first entry")
        if entry.kind not in self._seen:
            raise self._fault(Fault.altered, entry, f"history has no table {entry.kind!r}")
        if entry.row_id <= self._seen[entry.kind]:
            raise self._fault(
                Fault.reordered,
                entry,
                f"row {entry.row_id} of {entry.kind} comes after row {self._seen[entry.kind]}, "
                "which was written later",
            )

    def _check_words(self, entry: Row[Any], row: Row[Any], personal: str) -> None:
        """Refuse words that were altered; blank ones, and those of removed members, may be gone."""
        words = ", ".join(WORDS.get(entry.kind, ()))
        the_words = f"the words of row {entry.row_id} of {entry.kind} ({words}) are"
        if entry.salt is None and entry.words_hash is None and not personal:
            return
        if entry.salt is not None or entry.words_hash is None:
            raise self._fault(Fault.altered, entry, f"{the_words} not as written")
        self.forgotten += 1
        if not self._is_forgotten(entry.kind, row._asdict()):
            raise self._fault(
                Fault.altered,
                entry,
                f"{the_words} gone, and no removal of their member did that",
            )

    def _is_forgotten(self, kind: str, values: Mapping[str, Any]) -> bool:
        """Return whether only placeholders are left, of a removed member."""
        tables = SQLModel.metadata.tables
        owners = {values["id"] if kind == "member" else values.get("member_id")}
        if kind == "resolution":
            resolution = tables["resolution"]
            proposer = select(resolution.c.member_id).where(
                resolution.c.id == values["proposal_id"]
            )
            owners.update(self.session.scalars(proposer))
        if kind == "evidence":
            citation, forecast = tables["citation"], tables["forecast"]
            who_cite = (
                select(forecast.c.member_id)
                .join(citation, citation.c.forecast_id == forecast.c.id)
                .where(citation.c.evidence_id == values["id"])
            )
            owners.update(self.session.scalars(who_cite))
        return not owners.isdisjoint(self._removed) and all(
            values[name] in (tombstone(kind, name, values["id"]), "", None) for name in WORDS[kind]
        )

    def _row_of(self, entry: Row[Any]) -> _Read:
        """Return the entry's row, which must be the next of its table."""
        ahead = self._ahead[entry.kind]
        if not ahead or (found := ahead[0][0].id) > entry.row_id:
            raise self._fault(Fault.removed, entry, f"row {entry.row_id} of {entry.kind} is gone")
        if found < entry.row_id:
            where = f", and comes before that of entry {entry.id}"
            raise self._stray(entry.kind, ahead[0][0], where)
        return ahead.popleft()

    def _contents(self) -> None:
        """Compare the documents that resolvers read with their hashes in the chain."""
        exhibit, content = (SQLModel.metadata.tables[n] for n in ("exhibit", "exhibit_content"))
        # SQLite may have another type there.
        data = cast(content.c.data, LargeBinary).label("data")
        some = select(content.c.id, content.c.sha256, data).order_by(content.c.id).limit(_CONTENTS)
        last = None
        while kept := self.session.execute(
            some if last is None else some.where(content.c.id > last)
        ).all():
            for row in kept:
                if sha256(row.data) != row.sha256:
                    self._broken_content(Fault.altered, row.sha256, "is not as stored")
            last = kept[-1].id
        gone = (
            select(exhibit.c.sha256)
            .outerjoin(content, content.c.sha256 == exhibit.c.sha256)
            .where(content.c.id.is_(None), exhibit.c.size <= EXHIBIT_BYTES)
            .order_by(exhibit.c.id)
            .limit(1)
        )
        digest = self.session.scalar(gone)
        if digest is not None:
            self._broken_content(Fault.removed, digest, "is gone")

    def _broken_content(self, fault: Fault, digest: str, what: str) -> None:
        exhibit, resolution = (SQLModel.metadata.tables[n] for n in ("exhibit", "resolution"))
        found = self.session.execute(
            select(exhibit.c.id, exhibit.c.address, resolution.c.question_id)
            .join(resolution, resolution.c.id == exhibit.c.resolution_id)
            .where(exhibit.c.sha256 == digest)
            .order_by(exhibit.c.id)
            .limit(1)
        ).first()
        shown, row, question = ("something", None, None)
        if found is not None:
            shown, row, question = found.address, found.id, self._slug(found.question_id)
        said = f"the document that a resolver read at {shown} {what}"
        raise _Stop(Broken(fault, said, question=question, kind="exhibit", row=row))

    def _no_more(self, kind: str) -> None:
        """Refuse rows after the last one with an entry, or before the first."""
        table = SQLModel.metadata.tables[kind]
        outside = (table.c.id > self._seen[kind]) | (table.c.id <= 0)
        for stray in self._read(rows_of(kind).where(outside).limit(1)):
            raise self._stray(kind, stray)

    def _stray(self, kind: str, row: Row[Any], where: str = "") -> _Stop:
        return _Stop(
            Broken(
                Fault.inserted,
                f"row {row.id} of {kind} has no entry{where}",
                question=self._slug(row.of_question),
                kind=kind,
                row=row.id,
            )
        )

    def _compare_digest(self, entry: Row[Any] | None = None) -> None:
        if self.against.get(self.place, {self.last}) == {self.last}:
            return
        what = (
            "the chain is intact, but is not the one that the digest is of: everything was "
            "rewritten, or the digest is of another ledger"
        )
        if entry is None:
            raise _Stop(Broken(Fault.altered, what, 0))
        raise self._fault(Fault.altered, entry, what)

    def _fault(self, fault: Fault, entry: Row[Any], what: str) -> _Stop:
        slug = self._slug(entry.question_id)
        return _Stop(Broken(fault, what, entry.id, slug, entry.number, entry.kind, entry.row_id))

    def _slug(self, question_id: int | None) -> str | None:
        if question_id is None:
            return None
        question = SQLModel.metadata.tables["question"]
        slug: str | None = self.session.scalar(
            select(question.c.slug).where(question.c.id == question_id)
        )
        return slug
