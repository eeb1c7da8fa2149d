"""Verify the history: walk the chain, hash every row again, name the faults.

Entries are read in the order of the ledger's chain, and the rows of each table by id; both rise
together, so one pass (``walk``) finds rows and entries that were altered, removed, inserted or
reordered. It goes on after a fault of a row, and ends at a fault of the chain, since no later entry
can be verified then. A row with the right hash could still read differently in another stored form,
so each value's form is proven too (``malformed``). A row that cannot be read is altered. So is one
that an index of a file leaves out: readers find rows by indexes. A server lets no one alter those.
Tables, views and triggers that are not of the schema are named apart (``added_objects``).

The digest is the place of the last entry and its hash. If you keep it outside the ledger (in a mail
or on a public page), it later proves that nothing up to that entry has changed, even if someone
could rewrite the whole ledger with its chain.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import LargeBinary, cast, select
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, SQLModel

from forecasts.common.limits import EXHIBIT_BYTES
from forecasts.ledger.added_objects import added_objects
from forecasts.ledger.chain import NOTHING, SEALED, STATES, sha256
from forecasts.ledger.driver_errors import is_of_a_value
from forecasts.ledger.faults import Broken, Fault
from forecasts.ledger.raw_rows import reason
from forecasts.ledger.urls import sqlite_path
from forecasts.ledger.walk import Stop, Walk

__all__ = ["Broken", "Fault", "Verified", "newest", "verify"]

_CONTENTS = 20  # documents of resolvers, of a megabyte each at most


@dataclass(frozen=True)
class Verified:
    """The result of verifying a ledger.

    ``digest``: of the intact entries, up to the first fault if one was found (``broken``).
    ``more``: further faults, if the chain could be followed. ``forgotten``: the entries of words
    that were removed with their member. ``against``: the place of the newest earlier digest that
    was compared. ``added``: clauses about objects that are not of the schema (``added_objects``);
    history can be intact beside them.
    """

    digest: str
    entries: int
    rows: Mapping[str, int]
    questions: int
    forgotten: int
    against: int | None = None
    broken: Broken | None = None
    more: tuple[Broken, ...] = ()
    added: tuple[str, ...] = ()


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
    added: list[str] = []
    walk = Walk(session, [against] if isinstance(against, str) else against or ())
    try:
        walk.all(tell)
        for broken in _altered_documents(walk):
            walk.note(broken)
        walk.others()
        added = added_objects(session.connection())
        for said in _index_faults(session):
            what = f"readers can miss rows, since an index does not fit its table: {said}"
            walk.note(Broken(Fault.altered, what))
    except Stop:
        pass
    except DBAPIError as error:
        if not is_of_a_value(error):
            raise
        walk.faults.append(Broken(Fault.altered, f"the database is damaged: {reason(error)}"))
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
        added=tuple(added),
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


def _altered_documents(walk: Walk) -> Iterator[Broken]:
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


def _broken_document(walk: Walk, fault: Fault, digest: str, what: str) -> Broken:
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
