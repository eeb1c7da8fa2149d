"""Verify the history: walk the chain, hash every row again, name the faults.

Entries are read in the order of the ledger's chain, and the rows of each table by id; both rise
together, so one pass (``walk``) finds rows and entries that were altered, removed, inserted or
reordered. It goes on after a fault of a row, and ends at a fault of the chain, since no later entry
can be verified then. A row with the right hash could still read differently in another stored form,
so each value's form is proven too (``malformed``). A row that cannot be read is altered. So is one
that an index of a file leaves out: readers find rows by indexes. A server lets no one alter those.
Tables, views and triggers that are not of the schema are named apart.

The digest is the place of the last entry and its hash. If you keep it outside the ledger (in a mail
or on a public page), it later proves that nothing up to that entry has changed, even if someone
could rewrite the whole ledger with its chain.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, LargeBinary, cast, select
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, SQLModel

from forecasts.common.limits import EXHIBIT_BYTES
from forecasts.ledger.chain import APPEND_ONLY, NOTHING, SEALED, STATES, sha256
from forecasts.ledger.driver_errors import is_of_a_value
from forecasts.ledger.moved import MOVED
from forecasts.ledger.raw_rows import reason
from forecasts.ledger.sqlite_file import UNFINISHED
from forecasts.ledger.urls import sqlite_path
from forecasts.ledger.walk import Broken, Fault, Stop, Walk

__all__ = ["Broken", "Fault", "Verified", "newest", "verify"]

_CONTENTS = 20  # documents of resolvers, of a megabyte each at most
_IN_FILE = (
    "SELECT type, name, tbl_name, sql FROM sqlite_master"
    " WHERE type IN ('table', 'view', 'trigger') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    " ORDER BY type, name"
)
_REFUSES = re.compile(r"[^;]* BEGIN SELECT RAISE\(ABORT, '[^';]*'\); END")
# In the schema that has the chain of hashes.
_ON_SERVER = """
WITH own AS (SELECT relnamespace AS place FROM pg_class WHERE oid = 'entry'::regclass),
of_extensions AS (SELECT objid FROM pg_depend WHERE deptype = 'e')
SELECT CASE WHEN relkind IN ('v', 'm') THEN 'view' ELSE 'table' END, relname::text, relname::text
FROM pg_class, own
WHERE relnamespace = place AND relkind IN ('r', 'p', 'f', 'v', 'm')
AND oid NOT IN (SELECT objid FROM of_extensions)
UNION ALL
SELECT 'trigger', tgname::text, relname::text
FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid, own
WHERE relnamespace = place AND NOT tgisinternal
UNION ALL
SELECT 'rule', rulename::text, relname::text
FROM pg_rewrite JOIN pg_class ON pg_class.oid = ev_class, own
WHERE relnamespace = place AND rulename <> '_RETURN'
ORDER BY 1, 2, 3
"""


@dataclass(frozen=True)
class Verified:
    """The result of verifying a ledger.

    ``digest``: of the intact entries, up to the first fault if one was found (``broken``).
    ``more``: further faults, if the chain could be followed. ``forgotten``: the entries of words
    that were removed with their member. ``against``: the place of the newest earlier digest that
    was compared. ``added``: clauses about objects that are not of the schema;
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
        added = _added_objects(session.connection())
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


def _added_objects(connection: Connection) -> list[str]:
    """Return a clause about each table, view, trigger and rule that is not of the schema.

    A trigger or rule could change what acts write, and a view or table mislead those who read the
    database itself. Indexes may be added: they are compared with their rows. So may, on a server,
    anything in another schema, and the objects of an extension. In a file a trigger of the schema's
    name must also do nothing but refuse.
    """
    tables = {*SQLModel.metadata.tables, "alembic_version", UNFINISHED, MOVED}
    acts = ("update", "delete", "replace")
    triggers = {f"{table}_refuses_{act}": table for table in APPEND_ONLY for act in acts}
    triggers |= {f"{table}_is_append_only": table for table in APPEND_ONLY}
    found = []
    in_file = connection.dialect.name == "sqlite"
    rows = connection.exec_driver_sql(_IN_FILE if in_file else _ON_SERVER)
    for type_, name, table, *sql in rows:
        is_trigger = type_ == "trigger"
        of_schema = triggers.get(name) == table if is_trigger else type_ == "table"
        if not of_schema or (not is_trigger and name not in tables):
            where = f" on {table}" if type_ in ("trigger", "rule") else ""
            found.append(f"the {type_} {name}{where} is not of the ledger's schema")
        elif is_trigger and in_file and not _REFUSES.fullmatch(*sql):
            found.append(f"the trigger {name} on {table} does more than refuse")
    return found
