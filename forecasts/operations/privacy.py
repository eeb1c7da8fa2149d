"""A member's own: everything about them, to be handed over; and their removal.

A removal replaces who they were and what they wrote by tombstones. Their forecasts, the numbers,
stay where they are, and so do the scores, and the chain is whole: what people write stands in it
only by a salted hash, and the salt goes with the words (see ``chain``). The triggers of the
database let that happen for the words of a removed member alone, and a removal is a row of history
itself. What stays is what others rely on: questions, articles, and evidence that others cite too.
"""

from __future__ import annotations

from collections.abc import Iterator
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
    delete,
    literal,
    null,
    or_,
    select,
    text,
    update,
)
from sqlmodel import Session, SQLModel

from forecasts.access import tokens
from forecasts.access.members import member_named
from forecasts.access.roles import Action, admins, appointed_role, require
from forecasts.common.errors import Refused
from forecasts.ledger.chain import WORDS
from forecasts.ledger.models import Appointment, Member, Removal, Role
from forecasts.ledger.urls import is_embedded
from forecasts.ledger.verification import TOMBSTONE, tombstone
from forecasts.questions.revisions import CLOSED, OUTCOME_KNOWN, REOPENED
from forecasts.questions.standing import in_batches

# Why a question was worded anew, where the ledger says so itself.
_OF_THE_LEDGER = (CLOSED, OUTCOME_KNOWN, REOPENED, "registered", "imported")
_SECRET = ("digest", "salt", "secret_url")  # what lets somebody in, or would let them guess


@dataclass(frozen=True)
class Removed:
    """What a removal came to: the handle from now on, and how many rows of each table changed."""

    handle: str
    rows: dict[str, int]


def everything(
    session: Session, handle: str, *, member: Member | None, now: datetime
) -> dict[str, list[dict[str, Any]]]:
    """Return every row that is theirs or speaks of them, by table, in the order of the journey.

    ``member``: who asks, themselves or an admin; None for the owner of the ledger's database.
    """
    who = member_named(session, handle)
    _require(session, who, member, now)
    found: dict[str, list[dict[str, Any]]] = {}
    for table in SQLModel.metadata.sorted_tables:
        condition = _concerns(table, who)
        if condition is None:
            continue
        columns = [column for column in table.c if column.name not in _SECRET]
        rows = session.execute(select(*columns).where(condition).order_by(table.c.id))
        found[table.name] = [dict(row._mapping) for row in rows]
    return {name: rows for name, rows in found.items() if rows}


def _concerns(table: Table, who: Member) -> ColumnElement[bool] | None:
    """Return the condition that a row is theirs or speaks of them; None: no row of the table."""
    if table.name == "member":
        return table.c.id == who.id
    tables = SQLModel.metadata.tables
    own = [
        column == who.id
        for column in table.c
        if any(key.column is tables["member"].c.id for key in column.foreign_keys)
    ]
    if table.name == "citation":
        own.append(table.c.forecast_id.in_(_theirs("forecast", who)))
    if table.name == "evidence":
        own.append(_cited_by(table, who))
    if table.name == "notice":
        own.append(table.c.channel_id.in_(_theirs("channel", who)))
    if table.name == "token_revocation":
        own.append(table.c.token_id.in_(_theirs("token", who)))
    return or_(*own) if own else None


def _theirs(name: str, who: Member) -> Any:
    table = SQLModel.metadata.tables[name]
    return select(table.c.id).where(table.c.member_id == who.id)


def _cited_by(evidence: Table, who: Member, *, others: bool = False) -> ColumnElement[bool]:
    """Return the condition that they cite a piece of evidence, or that others do."""
    citation, forecast = (SQLModel.metadata.tables[name] for name in ("citation", "forecast"))
    theirs = forecast.c.member_id != who.id if others else forecast.c.member_id == who.id
    return (
        select(citation.c.id)
        .join(forecast, forecast.c.id == citation.c.forecast_id)
        .where(citation.c.evidence_id == evidence.c.id, theirs)
        .exists()
    )


def remove(session: Session, handle: str, *, member: Member | None, now: datetime) -> Removed:
    """Return what was removed: who they were and what they wrote, for good.

    ``member``: who does it, themselves or an admin; None for the owner of the ledger's database.
    Their tokens are revoked and their sign-in is forgotten. Refused where it has been done, and
    where the ledger would be left without an admin.
    """
    who = member_named(session, handle)
    _require(session, who, member, now)
    assert who.id is not None
    handle_now = str(tombstone("member", "handle", who.id))
    if who.handle == handle_now:
        raise Refused(f"{handle!r} has been removed already; nothing was changed.")
    if appointed_role(session, who) is Role.admin:
        if admins(session) == [handle]:
            raise Refused(
                f"{handle} is the only admin of this ledger.",
                remedy="Make somebody else an admin of it first: forecasts team appoint.",
            )
        by = None if member is None else member.id
        session.add(
            Appointment(member_id=who.id, role=Role.viewer, by_member_id=by, recorded_at=now)
        )
    if any(one.handle == handle and one.revoked_at is None for one in tokens.listing(session)):
        tokens.revoke(session, handle, member=None, now=now)
    session.add(
        Removal(
            member_id=who.id, removed_by_id=None if member is None else member.id, recorded_at=now
        )
    )
    session.flush()
    if session.connection().dialect.name == "sqlite":
        session.execute(text("PRAGMA secure_delete = ON"))  # nothing is left between the pages
    tables = SQLModel.metadata.tables
    identity = tables["identity"]
    session.execute(delete(identity).where(identity.c.member_id == who.id))
    notice, channel = tables["notice"], tables["channel"]
    session.execute(delete(notice).where(notice.c.channel_id.in_(_theirs("channel", who))))
    session.execute(delete(channel).where(channel.c.member_id == who.id))
    rows = {name: _forget(session, tables[name], condition) for name, condition in _written_by(who)}
    session.expire_all()
    return Removed(handle_now, {name: count for name, count in rows.items() if count})


def _written_by(who: Member) -> Iterator[tuple[str, ColumnElement[bool]]]:
    """Yield the tables with words, each with the condition that those of a row are theirs."""
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
        # What an address alone says was written by somebody else.
        & (evidence.c.url.is_(None) | (evidence.c.note != "")),
    )
    yield (
        "question_revision",
        (revision.c.member_id == who.id) & revision.c.reason.not_in(("", *_OF_THE_LEDGER)),
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
    yield (
        "resolution",
        (resolution.c.note != "") & ((resolution.c.member_id == who.id) | repeats),
    )
    dispute = tables["dispute"]
    yield "dispute", (dispute.c.member_id == who.id) & (dispute.c.reason != "")


def _forget(session: Session, table: Table, theirs: ColumnElement[bool]) -> int:
    """Return in how many rows their words gave way to tombstones; the salts go with them."""
    ids = list(session.scalars(select(table.c.id).where(theirs)))
    entry = SQLModel.metadata.tables["entry"]
    for some in in_batches(ids):
        session.execute(update(table).where(table.c.id.in_(some)).values(_tombstones(table)))
        spoken_of = (entry.c.kind == table.name) & entry.c.row_id.in_(some)
        session.execute(update(entry).where(spoken_of).values(salt=None))
    return len(ids)


def _tombstones(table: Table) -> dict[str, Any]:
    """Return what becomes of each column of words: what is blank stays so."""
    if table.name == "member":
        return {"handle": literal("removed member ") + cast(table.c.id, Text)}
    said = {
        "key": literal("removed-") + cast(table.c.id, Text) if "key" in table.c else None,
        "import_key": null(),
    }
    return {
        name: said.get(name, case((table.c[name] == "", ""), else_=TOMBSTONE))
        for name in WORDS[table.name]
    }


def sweep(engine: Engine) -> None:
    """Let an embedded ledger's journal be empty: it has the pages as they were before.

    Nobody may be in the middle of reading; else it is emptied by whoever is the last to close.
    """
    if is_embedded(engine):
        with engine.connect() as connection:
            connection.exec_driver_sql("ROLLBACK")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def _require(session: Session, who: Member, member: Member | None, now: datetime) -> None:
    """Refuse whoever is neither themselves nor an admin."""
    if member is not None and member.id != who.id:
        require(session, member, Action.administer, now=now)
