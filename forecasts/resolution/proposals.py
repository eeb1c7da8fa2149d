"""Proposed outcomes: propose and reject. A proposal is open until someone decides on it.

``confirmation.accept`` confirms one. All rows of a question's resolution history are read here, and
outcomes are checked here before they are proposed or confirmed.
"""

from __future__ import annotations

from datetime import datetime
from types import EllipsisType
from typing import TypeVar

from sqlmodel import Session, col, select

from forecasts.access import roles, visibility
from forecasts.access.roles import Action
from forecasts.common.errors import BadInput, Impossible, Refused
from forecasts.common.limits import require_address
from forecasts.common.times import to_minute
from forecasts.ledger.append import written
from forecasts.ledger.current import in_order, is_open_proposal
from forecasts.ledger.models import (
    Dispute,
    Exhibit,
    Member,
    Question,
    QuestionText,
    QuestionType,
    Resolution,
    ResolutionState,
    Resolver,
)
from forecasts.questions.standing import QuestionState, current_state
from forecasts.values.outcomes import NOT_SCORED, bound_exceeded, figure_to_float, read_outcome


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

    ``known_at`` defaults to now. On a resolved question it proposes a correction. A member's later
    proposal replaces their earlier ones, each of which gets a row that rejects it. Refused with
    neither a note nor a source, if it is identical to the current resolution or to an open
    proposal, or if the member may not forecast.
    """
    if member is not None and (resolver is None or resolver.question_id != question.id):
        roles.require(session, member, Action.propose, question, now=now)
    state = current_state(session, question, now=now)
    known_at = known_at or now
    require_source_address(source, resolver)
    outcome = require_new(state, outcome, known_at, now)
    waiting = proposals_on(session, question)
    for proposal in waiting:
        if (proposal.outcome, proposal.known_at) == (outcome, known_at):
            raise Refused(
                f"The outcome {outcome} of {state.slug!r}, known at {to_minute(known_at)}, is "
                "proposed already and is waiting for a decision. Nothing was changed."
            )
    if not note.strip() and not source.strip():
        raise Refused(
            "A proposed outcome needs a note or a source.",
            remedy="Say how the outcome is known, or give the address that reports it.",
        )
    row = resolution_row(
        question, ResolutionState.proposed, outcome, known_at, now, member, resolver
    )
    row.note, row.source = note.strip(), source.strip()
    if member and not resolver:
        for earlier in waiting:
            if (earlier.member_id, earlier.resolver_id) == (member.id, None):
                _reject(session, earlier, question, now, member, "Replaced by a later proposal.")
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
    return _reject(session, proposal, question, now, member, note.strip())


def _reject(
    session: Session,
    proposal: Resolution,
    question: Question,
    now: datetime,
    member: Member,
    note: str,
) -> Resolution:
    row = resolution_row(
        question, ResolutionState.rejected, proposal.outcome, proposal.known_at, now, member
    )
    row.note, row.proposal_id = note, proposal.id
    return written(session, row)


def proposals_on(session: Session, question: Question) -> list[Resolution]:
    """Return the question's open proposals, oldest first."""
    visibility.require_visible(session, question)
    return in_order(session, Resolution, Resolution.question_id == question.id, is_open_proposal())


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
    return in_order(session, Resolution, Resolution.question_id == question.id)


def by_resolution(
    session: Session, question: Question, table: type[Attached]
) -> dict[int, list[Attached]]:
    """Return the rows of ``table`` on the question's resolutions, by the id of the resolution."""
    visibility.require_visible(session, question)
    own = select(Resolution.id).where(Resolution.question_id == question.id)
    found: dict[int, list[Attached]] = {}
    for row in in_order(session, table, col(table.resolution_id).in_(own)):
        found.setdefault(row.resolution_id, []).append(row)
    return found


def require_possible(
    text: QuestionText, slug: str, outcome: str, known_at: datetime | None, now: datetime
) -> str:
    """Return the outcome in the ledger's form; Refused if it cannot be known by now.

    BadInput if the question cannot have it, Impossible if no forecast on it could be scored.
    """
    if not outcome.strip():
        raise BadInput(
            "No outcome was given.",
            remedy="Give the outcome of the question, or annulled or ambiguous.",
        )
    outcome = read_outcome(outcome, text)
    if known_at is not None and known_at > now:
        raise Refused(
            f"An outcome cannot be known at {to_minute(known_at)}: it is {to_minute(now)}.",
            remedy="Give the time at which the outcome became known.",
        )
    if outcome in NOT_SCORED:
        return outcome
    if known_at is not None and known_at <= text.open_time:
        raise Impossible(
            f"The outcome was known at {to_minute(known_at)}, not after {slug!r} opened "
            f"({to_minute(text.open_time)}): no forecast on it can be scored.",
            remedy="Annul the question instead.",
        )
    if (
        text.type == QuestionType.date
        and outcome not in ("below_lower_bound", "above_upper_bound")
        and figure_to_float(outcome, QuestionType.date) > now.timestamp()
    ):
        raise Refused(
            f"The outcome {outcome} lies ahead: it is {to_minute(now)}, and a future day cannot be "
            "known.",
            remedy="Wait for it. If it can only come after the upper bound, the outcome is "
            "above_upper_bound.",
        )
    return outcome


def require_within_bounds(text: QuestionText, outcome: str) -> None:
    """Refuse a number or day outside the bounds, likely a typo: that outcome has a name."""
    if name := bound_exceeded(outcome, text):
        raise Impossible(
            f"The outcome {outcome} lies outside the question's bounds, {text.lower_bound} to "
            f"{text.upper_bound}.",
            remedy=f"If it is correct, the outcome is {name}.",
        )


def require_source_address(source: str, resolver: Resolver | None) -> None:
    """Refuse a member's source that is not an address; a resolver's source is kept as it is."""
    if source.strip() and resolver is None:
        require_address(source.strip(), "The source")


def require_new(
    state: QuestionState, outcome: str, known_at: datetime | None, now: datetime
) -> str:
    """Return the outcome in the ledger's form, possible and within the bounds.

    Refused if the resolution is identical to the current one.
    """
    outcome = require_possible(state.text, state.slug, outcome, known_at, now)
    require_within_bounds(state.text, outcome)
    current = state.resolution
    if current is not None and (current.outcome, current.known_at) == (outcome, known_at):
        raise Refused(
            f"{state.slug!r} is already resolved: {outcome}{_known(known_at)}. Nothing was "
            "changed.",
            remedy="To correct it, give another outcome or another time.",
        )
    return outcome


def require_expected(state: QuestionState, expected: Resolution | EllipsisType | None) -> None:
    """Refuse to correct a resolution that the member has not seen, or one withdrawn meanwhile.

    An ellipsis: whatever they have seen.
    """
    current = state.resolution
    if expected is ...:
        return
    if current is None and expected is not None:
        raise Refused(
            f"The outcome of {state.slug!r} was withdrawn meanwhile.",
            remedy="Read the reason in its history, and resolve it if the outcome is known.",
        )
    if current is not None and (expected is None or current.id != expected.id):
        raise Refused(
            f"{state.slug!r} was resolved meanwhile: {current.outcome}{_known(current.known_at)}.",
            remedy="Check that resolution, and correct it if it is wrong.",
        )


def _known(known_at: datetime | None) -> str:
    return "" if known_at is None else f", known at {to_minute(known_at)}"
