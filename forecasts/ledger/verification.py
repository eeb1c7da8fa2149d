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

from sqlalchemy import LargeBinary, Row, cast, func, select
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
    tombstone,
    words_hash,
)

_BATCH = 2_000  # entries
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
    the entries of words that were removed with their member. ``against``: the place of the earlier
    digest that was compared.
    """

    digest: str
    entries: int
    rows: Mapping[str, int]
    questions: int
    forgotten: int
    against: int | None = None
    broken: Broken | None = None


@dataclass(frozen=True)
class _Read:
    """A row that was read, and the JSON of it that is hashed (see ``chain.contents``)."""

    row: Row[Any]
    rest: str
    personal: str


class _Stop(Exception):
    """Ends the walk at a fault."""

    def __init__(self, broken: Broken) -> None:
        self.broken = broken


def verify(
    session: Session,
    *,
    against: str | None = None,
    tell: Callable[[int, int], None] = lambda _done, _entries: None,
) -> Verified:
    """Return the digest of an intact chain, or the first fault; nothing is written.

    ``against``: an earlier digest of this ledger; a different or missing entry at its place is a
    fault. BadInput if it is not a digest. ``tell`` is called with the numbers of verified and of
    all entries.
    """
    walk = _Walk(session, read_digest(against))
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
        against=None if walk.against is None else walk.against[0],
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

    def __init__(self, session: Session, against: tuple[int, str] | None) -> None:
        self.session = session
        self.against = against
        self.place, self.last = 0, NOTHING
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
            batch = self.session.execute(
                statement if low is None else statement.where(entry.c.id > low)
            ).all()
            self._read_ahead(batch)
            for row in batch:
                self._entry(row)
            tell(self.place, entries)
            if len(batch) < _BATCH:
                break
            low = batch[-1].id
        for kind in SEALED:
            self._no_more(kind)
        self._contents()
        if self.against is not None and self.against[0] > self.place:
            raise _Stop(
                Broken(
                    Fault.removed,
                    f"the entries from {self.place + 1} to {self.against[0]}, which the digest "
                    "covers, are gone from the end of the chain",
                    self.place + 1,
                )
            )

    def _read_ahead(self, batch: Sequence[Row[Any]]) -> None:
        """Read the rows of these entries, and any rows between them."""
        highest: dict[str, int] = {}
        for row in batch:
            if row.kind in self._seen:
                highest[row.kind] = max(row.row_id, highest.get(row.kind, 0))
        for kind, high in highest.items():
            table = SQLModel.metadata.tables[kind]
            found = self.session.execute(
                rows_of(kind).where(table.c.id > self._seen[kind], table.c.id <= high)
            ).all()
            columns = dict(zip(table.c.keys(), zip(*found, strict=True), strict=False))
            hashed = contents(kind, columns) if found else []
            self._ahead[kind] = deque(
                _Read(row, *texts) for row, texts in zip(found, hashed, strict=True)
            )

    def _entry(self, entry: Row[Any]) -> None:
        """Compare one entry with its place in both chains, and with its row."""
        self._has_its_place(entry)
        self._matches(entry, self._row_of(entry))
        number, previous = None, None
        if entry.question_id is not None:
            number, previous = self.questions.get(entry.question_id, (0, NOTHING))
            number += 1
        expected = entry_hash(
            entry.id,
            entry.question_id,
            entry.number,
            entry.kind,
            entry.row_id,
            entry.row_hash,
            before=self.last,
            previous=previous,
        )
        if (number, expected) != (entry.number, entry.hash):
            raise self._fault(
                Fault.reordered,
                entry,
                "it does not follow the entry before it: entries were reordered, or this entry was "
                "altered",
            )
        self.place, self.last = entry.id, entry.hash
        if entry.question_id is not None:
            self.questions[entry.question_id] = entry.number, entry.hash
        self.rows[entry.kind] += 1
        self._seen[entry.kind] = entry.row_id
        self._compare_digest(entry)

    def _has_its_place(self, entry: Row[Any]) -> None:
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

    def _matches(self, entry: Row[Any], read: _Read) -> None:
        """Compare an entry with its row: the row's values, its question, a person's words."""
        place = f"row {entry.row_id} of {entry.kind}"
        if row_hash(read.rest, entry.words_hash) != entry.row_hash:
            raise self._fault(Fault.altered, entry, f"{place} is not as recorded")
        if getattr(read.row, "of_question", None) != entry.question_id:
            raise self._fault(Fault.altered, entry, f"{place} belongs to another question")
        words = ", ".join(WORDS.get(entry.kind, ()))
        if entry.salt is not None or entry.words_hash is None:
            known = None if entry.salt is None else words_hash(entry.salt, read.personal)
            if known != entry.words_hash or (known is None and read.personal):
                raise self._fault(
                    Fault.altered, entry, f"the words of {place} ({words}) are not as written"
                )
            return
        self.forgotten += 1
        if not self._is_forgotten(entry.kind, read.row._asdict()):
            raise self._fault(
                Fault.altered,
                entry,
                f"the words of {place} ({words}) are gone, and no removal of their member did that",
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
        if not ahead or ahead[0].row.id > entry.row_id:
            raise self._fault(Fault.removed, entry, f"row {entry.row_id} of {entry.kind} is gone")
        if ahead[0].row.id < entry.row_id:
            raise self._stray(
                entry.kind, ahead[0].row, f", and comes before that of entry {entry.id}"
            )
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
        stray = self.session.execute(
            rows_of(kind).where((table.c.id > self._seen[kind]) | (table.c.id <= 0)).limit(1)
        ).first()
        if stray is not None:
            raise self._stray(kind, stray)

    def _stray(self, kind: str, row: Row[Any], where: str = "") -> _Stop:
        question_id = getattr(row, "of_question", None)
        return _Stop(
            Broken(
                Fault.inserted,
                f"row {row.id} of {kind} has no entry{where}",
                question=self._slug(question_id),
                kind=kind,
                row=row.id,
            )
        )

    def _compare_digest(self, entry: Row[Any] | None = None) -> None:
        if self.against is not None and self.against[0] == self.place:
            if self.against[1] == self.last:
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
