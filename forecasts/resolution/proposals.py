"""Proposed outcomes: propose and reject. A proposal is open until someone decides on it.

``confirmation.accept`` confirms one. All rows of a question's resolution history are read here.
"""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from sqlmodel import Session, col, select

from forecasts.access import roles, visibility
from forecasts.access.roles import Action
from forecasts.common.errors import Refused
from forecasts.common.times import to_minute
from forecasts.ledger.append import written
from forecasts.ledger.current import is_open_proposal
from forecasts.ledger.models import (
    Dispute,
    Exhibit,
    Member,
    Question,
    Resolution,
    ResolutionState,
    Resolver,
)
from forecasts.questions.standing import current_state
from forecasts.resolution.outcome_checks import require_new, require_source_address


def propose(
    session: Session,
    question: Question,
    outcome: str,
    *,
    known_at: datetime | None = None,
    now: datetime,
    member: Member | None = None,
    resolver: Resolver | None = None,
    note: str = "",
    source: str = "",
) -> Resolution:
    """Return the proposal, which is written and open until someone decides on it.

    ``known_at`` defaults to now. On a resolved question it proposes a correction. Refused if it is
    identical to the current resolution or to an open proposal, or the member may not forecast.
    """
    if member is not None and (resolver is None or resolver.question_id != question.id):
        roles.require(session, member, Action.propose, question, now=now)
    state = current_state(session, question, now=now)
    known_at = known_at or now
    require_source_address(source, resolver)
    outcome = require_new(state, outcome, known_at, now)
    for proposal in proposals_on(session, question):
        if (proposal.outcome, proposal.known_at) == (outcome, known_at):
            raise Refused(
                f"The outcome {outcome} of {state.slug!r}, known at {to_minute(known_at)}, is "
                "proposed already and is waiting for a decision. Nothing was changed."
            )
    row = resolution_row(
        question, ResolutionState.proposed, outcome, known_at, now, member, resolver
    )
    row.note, row.source = note.strip(), source.strip()
    return written(session, row)


def reject(
    session: Session, proposal: Resolution, *, now: datetime, member: Member, note: str
) -> Resolution:
    """Return the row that rejects ``proposal``, which is written; the question stays unresolved.

    Refused without a reason, which tells the proposer what was wrong.
    """
    question = session.get_one(Question, proposal.question_id)
    roles.require(session, member, Action.resolve, question, now=now)
    require_undecided(session, proposal)
    if not note.strip():
        remedy = "State the error in the proposal."
        raise Refused("Rejecting a proposal needs a reason.", remedy=remedy)
    row = resolution_row(
        question, ResolutionState.rejected, proposal.outcome, proposal.known_at, now, member
    )
    row.note, row.proposal_id = note.strip(), proposal.id
    return written(session, row)


def proposals_on(session: Session, question: Question) -> list[Resolution]:
    """Return the question's open proposals, oldest first."""
    visibility.require_visible(session, question)
    return list(
        session.exec(
            select(Resolution)
            .where(Resolution.question_id == question.id, is_open_proposal())
            .order_by(col(Resolution.id))
        )
    )


def open_proposals(session: Session) -> list[tuple[Resolution, Question]]:
    """Return all open proposals with their questions, oldest first."""
    return list(
        session.exec(
            select(Resolution, Question)
            .join(Question, col(Question.id) == col(Resolution.question_id))
            .where(is_open_proposal(), visibility.question_visible(session))
            .order_by(col(Resolution.id))
        )
    )


def require_undecided(session: Session, proposal: Resolution) -> None:
    """Refuse a decision on a proposal that is no longer open."""
    if proposal.id not in [row.id for row, _ in open_proposals(session)]:
        raise Refused(
            "This proposal has been decided already, or the question was resolved since.",
            remedy="To correct a resolution, resolve the question again.",
        )


def resolution_row(
    question: Question,
    state: ResolutionState,
    outcome: str,
    known_at: datetime | None,
    now: datetime,
    member: Member | None,
    resolver: Resolver | None = None,
) -> Resolution:
    """Return a row of the resolution history, not yet added."""
    return Resolution(
        question_id=question.id,
        state=state,
        outcome=outcome,
        known_at=known_at,
        resolved_at=now,
        recorded_at=now,
        member_id=member.id if member else None,
        resolver_id=resolver.id if resolver else None,
    )


Attached = TypeVar("Attached", Dispute, Exhibit)


def history(session: Session, question: Question) -> list[Resolution]:
    """Return every row of the question's resolution history, in the order written."""
    visibility.require_visible(session, question)
    return list(
        session.exec(
            select(Resolution)
            .where(Resolution.question_id == question.id)
            .order_by(col(Resolution.id))
        )
    )


def by_resolution(
    session: Session, question: Question, table: type[Attached]
) -> dict[int, list[Attached]]:
    """Return the rows of ``table`` on the question's resolutions, by the id of the resolution."""
    visibility.require_visible(session, question)
    found: dict[int, list[Attached]] = {}
    for row in session.exec(
        select(table)
        .join(Resolution, col(Resolution.id) == col(table.resolution_id))
        .where(Resolution.question_id == question.id)
        .order_by(col(table.id))
    ):
        found.setdefault(row.resolution_id, []).append(row)
    return found
