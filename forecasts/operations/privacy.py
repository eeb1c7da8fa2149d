"""A member's data: export all of it, or remove it.

A removal replaces the member's identity and texts by tombstones. The numbers of their forecasts
stay, and so do the scores. The chain stays intact: it contains texts only as salted hashes, and the
salts are removed with the texts (see ``chain``). The database's triggers allow this only for the
texts of a removed member, and a removal is a row of history itself. Questions, articles, and
evidence that others cite stay, since others rely on them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Engine,
    Table,
    Text,
    case,
    cast,
    false,
    literal,
    null,
    or_,
    select,
    text,
    update,
)
from sqlalchemy import delete as sql_delete
from sqlmodel import Session, SQLModel
from sqlmodel import select as orm_select

from forecasts.access import tokens
from forecasts.access.members import member_named
from forecasts.access.roles import Action, admins, appointed_role, require
from forecasts.common.errors import Refused, Remedy
from forecasts.ledger.append import delete
from forecasts.ledger.chain import STATES, TOMBSTONE, WORDS, tombstone
from forecasts.ledger.models import Appointment, Feed, Member, Removal, Role
from forecasts.ledger.urls import is_embedded
from forecasts.news.feeds import forget
from forecasts.questions.revisions import ASSUMED, CLOSED, FAMILY_GIVEN, OF_OUTCOMES, REOPENED
from forecasts.questions.standing import in_batches

# The reasons for a new wording that the ledger itself writes.
_LEDGER_REASONS = (
    *(CLOSED, *OF_OUTCOMES, REOPENED, FAMILY_GIVEN),
    *("registered", "imported", *ASSUMED),
)
_SECRET = ("digest", "salt", "secret_url")  # credentials, and values that help to guess them
# Tables without a member's id, with the table through which their rows belong to one.
_THROUGH = {
    "citation": "forecast",
    "feed_entry": "feed",
    "model_use": "forecast",
    "notice": "channel",
    "token_revocation": "token",
    "idempotent_answer": "token",
}


@dataclass(frozen=True)
class Removed:
    """The result of a removal: the new handle, and the number of changed rows by table."""

    handle: str
    rows: dict[str, int]


def everything(
    session: Session, handle: str, *, member: Member | None, now: datetime
) -> dict[str, list[dict[str, Any]]]:
    """Return every row that belongs to the member or refers to them, by table.

    ``member``: the caller, themselves or an admin; None for the owner of the ledger's database.
    """
    who = member_named(session, handle)
    _require(session, who, member, now)
    found: dict[str, list[dict[str, Any]]] = {}
    for table in SQLModel.metadata.sorted_tables:
        columns = [column for column in table.c if column.name not in _SECRET]
        rows = session.execute(select(*columns).where(_concerns(table, who)).order_by(table.c.id))
        found[table.name] = [dict(row._mapping) for row in rows]
    return {name: rows for name, rows in found.items() if rows}


def _concerns(table: Table, who: Member) -> ColumnElement[bool]:
    """Return the SQL condition: a row belongs or refers to them."""
    ids = SQLModel.metadata.tables["member"].c.id
    own = [
        column == who.id
        for column in table.c
        if column is ids or any(key.column is ids for key in column.foreign_keys)
    ]
    if table.name in _THROUGH:
        through = _THROUGH[table.name]
        own.append(table.c[f"{through}_id"].in_(_theirs(through, who)))
    if table.name == "evidence":
        own.append(_cited_by(table, who))
    return or_(false(), *own)


def _theirs(name: str, who: Member) -> Any:
    table = SQLModel.metadata.tables[name]
    return select(table.c.id).where(table.c.member_id == who.id)


def _cited_by(evidence: Table, who: Member, *, others: bool = False) -> ColumnElement[bool]:
    """Return the SQL condition: they cite a piece of evidence, or with ``others``, others do."""
    citation, forecast = (SQLModel.metadata.tables[name] for name in ("citation", "forecast"))
    theirs = forecast.c.member_id != who.id if others else forecast.c.member_id == who.id
    return (
        select(citation.c.id)
        .join(forecast, forecast.c.id == citation.c.forecast_id)
        .where(citation.c.evidence_id == evidence.c.id, theirs)
        .exists()
    )


def remove(session: Session, handle: str, *, member: Member | None, now: datetime) -> Removed:
    """Return the removal of the member's identity and texts, which is written and permanent.

    Their tokens and those of their bots are revoked; their sign-in, channels and settings are
    removed. ``member``: the caller, themselves or an admin; None for the owner of the ledger's
    database. Refused for a removed member and for the ledger's only admin.
    """
    who = member_named(session, handle)
    _require(session, who, member, now)
    by = None if member is None else member.id
    tables = SQLModel.metadata.tables
    handle_now = str(tombstone("member", "handle", who.id))
    if who.handle == handle_now:
        raise Refused(f"{handle!r} has been removed already; nothing was changed.")
    if appointed_role(session, who) is Role.admin:
        if admins(session) == [handle]:
            raise Refused(
                f"{handle} is the only admin of this ledger.",
                remedy=Remedy("Appoint another admin first: {}", "team appoint", "HANDLE", "admin"),
            )
        session.add(
            Appointment(member_id=who.id, role=Role.viewer, by_member_id=by, recorded_at=now)
        )
    with_tokens = {one.handle for one in tokens.listing(session) if one.revoked_at is None}
    for account in (who, *tokens.bots_of(session, who)):
        if account.handle in with_tokens:
            tokens.revoke(session, account.handle, member=None, now=now)
    theirs = {
        name: list(session.scalars(select(tables[name].c.id).where(condition)))
        for name, condition in _written_by(who)
    }
    erased = {name: ids for name, ids in theirs.items() if ids}
    session.add(Removal(member_id=who.id, removed_by_id=by, recorded_at=now, erased=erased))
    session.flush()
    if session.connection().dialect.name == "sqlite":
        session.execute(text("PRAGMA secure_delete = ON"))  # overwrite the freed pages
    for name in ("notice", "idempotent_answer"):
        session.execute(sql_delete(tables[name]).where(_concerns(tables[name], who)))
    for feed in session.exec(orm_select(Feed).where(Feed.member_id == who.id)).all():
        forget(feed, now=now)
    for name in STATES:
        concerned = select(tables[name].c.id).where(_concerns(tables[name], who))
        delete(session, name, list(session.scalars(concerned)))
    for name, ids in erased.items():
        _forget(session, tables[name], ids)
    session.expire_all()
    return Removed(handle_now, {name: len(ids) for name, ids in erased.items()})


def _written_by(who: Member) -> Iterator[tuple[str, ColumnElement[bool]]]:
    """Yield the tables with texts, each with the condition that a row's texts are theirs."""
    tables = SQLModel.metadata.tables
    forecast, evidence, revision, resolution = (
        tables[name] for name in ("forecast", "evidence", "question_revision", "resolution")
    )
    yield "member", tables["member"].c.id == who.id
    yield (
        "forecast",
        (forecast.c.member_id == who.id)
        & ((forecast.c.rationale != "") | forecast.c.import_key.is_not(None)),
    )
    yield (
        "evidence",
        ((evidence.c.member_id == who.id) | _cited_by(evidence, who))
        & ~_cited_by(evidence, who, others=True)
        # An address alone is not their text.
        & (evidence.c.url.is_(None) | (evidence.c.note != "")),
    )
    yield (
        "question_revision",
        (revision.c.member_id == who.id) & revision.c.reason.not_in(("", *_LEDGER_REASONS)),
    )
    proposal = resolution.alias()
    repeats = (
        select(proposal.c.id)
        .where(
            proposal.c.id == resolution.c.proposal_id,
            proposal.c.member_id == who.id,
            proposal.c.note == resolution.c.note,
        )
        .exists()
    )
    yield ("resolution", (resolution.c.note != "") & ((resolution.c.member_id == who.id) | repeats))
    dispute = tables["dispute"]
    yield "dispute", (dispute.c.member_id == who.id) & (dispute.c.reason != "")
    yield "comment", tables["comment"].c.member_id == who.id
    link = tables["question_link"]
    yield "question_link", (link.c.member_id == who.id) & (link.c.reason != "")
    for name in ("model_call", "model_answer", "model_proposal"):
        asked, [words] = tables[name], WORDS[name]
        yield name, (asked.c.member_id == who.id) & (asked.c[words] != "")


def _forget(session: Session, table: Table, ids: Sequence[int]) -> None:
    """Replace the texts of rows by tombstones, and remove their salts."""
    entry = SQLModel.metadata.tables["entry"]
    for some in in_batches(ids):
        session.execute(update(table).where(table.c.id.in_(some)).values(_tombstones(table)))
        of_rows = (entry.c.kind == table.name) & entry.c.row_id.in_(some)
        session.execute(update(entry).where(of_rows).values(salt=None))


def _tombstones(table: Table) -> dict[str, Any]:
    """Return the new value of each column with text; an empty text stays empty."""
    if table.name == "member":
        return {"handle": literal("removed member ") + cast(table.c.id, Text)}
    special = {
        "key": literal("removed-") + cast(table.c.id, Text) if "key" in table.c else None,
        "import_key": null(),
    }
    return {
        name: special.get(name, case((table.c[name] == "", ""), else_=TOMBSTONE))
        for name in WORDS[table.name]
    }


def sweep(engine: Engine) -> None:
    """Empty the journal of a ledger in a file, which has the pages from before the removal.

    While others read, it is emptied only when the last of them closes the file.
    """
    if is_embedded(engine):
        with engine.connect() as connection:
            connection.exec_driver_sql("ROLLBACK")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def _require(session: Session, who: Member, member: Member | None, now: datetime) -> None:
    """Refuse a caller who is neither themselves nor an admin."""
    if member is not None and member.id != who.id:
        require(session, member, Action.administer, now=now)
