"""Resolutions: propose, confirm, reject, annul, supersede. Each is a row; none is edited.

The confirmed row that nothing supersedes is the one that stands. Confirming writes the row, the
early close that it implies, and the scores, in the one transaction of the caller.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from forecasts import scores
from forecasts.errors import Refused
from forecasts.models import (
    Member,
    Question,
    Resolution,
    ResolutionState,
    Resolver,
)
from forecasts.questions import Stands, as_it_stands, overtaken, revise
from forecasts.times import iso
from forecasts.values import NOT_SCORED, read_outcome


def propose(
    session: Session,
    question: Question,
    outcome: str,
    *,
    known_at: datetime,
    now: datetime,
    member: Member | None = None,
    resolver: Resolver | None = None,
    note: str = "",
    source: str = "",
) -> Resolution:
    """Return the proposal, which is written and waits until somebody confirms or rejects it."""
    stands = as_it_stands(session, question, now=now)
    outcome = read_outcome(outcome, stands.text)
    _require_known(stands, outcome, known_at, now)
    row = _row(stands, ResolutionState.proposed, outcome, known_at, now, member, resolver)
    row.note, row.source = note.strip(), source.strip()
    session.add(row)
    session.flush()
    return row


def confirm(
    session: Session,
    question: Question,
    outcome: str,
    *,
    known_at: datetime,
    now: datetime,
    member: Member,
    resolver: Resolver | None = None,
    note: str = "",
    source: str = "",
    proposal: Resolution | None = None,
) -> Resolution:
    """Return the confirmed resolution; it, the early close it implies and the scores are written.

    Where the question is resolved already, the new row supersedes the standing one (a correction:
    the earlier row and its scores stay). Refused when it would say just the same again.
    """
    stands = as_it_stands(session, question, now=now)
    outcome = read_outcome(outcome, stands.text)
    _require_known(stands, outcome, known_at, now)
    earlier = stands.resolution
    if earlier is not None and (earlier.outcome, earlier.known_at) == (outcome, known_at):
        raise Refused(
            f"{stands.slug!r} is already resolved: {outcome}, known at {iso(known_at)}.",
            remedy="To correct it, give another outcome or another time.",
        )
    row = _row(stands, ResolutionState.confirmed, outcome, known_at, now, member, resolver)
    row.note, row.source = note.strip(), source.strip()
    row.proposal_id = proposal.id if proposal else None
    row.supersedes_id = earlier.id if earlier else None
    session.add(row)
    try:
        session.flush()
    except IntegrityError:
        # Two who confirm at once both see no resolution; the database takes the first.
        raise Refused(
            f"{stands.slug!r} was resolved by somebody else at the same moment.",
            remedy="Look at it again, and correct it if it is wrong.",
        ) from None
    _close_when_known(session, stands, earlier, row, member, now)
    scores.store(session, [row])
    return row


def annul(
    session: Session,
    question: Question,
    *,
    known_at: datetime,
    now: datetime,
    member: Member,
    note: str = "",
    source: str = "",
) -> Resolution:
    """Return the confirmed resolution 'annulled': the question yields no scores from now on."""
    return confirm(
        session,
        question,
        "annulled",
        known_at=known_at,
        now=now,
        member=member,
        note=note,
        source=source,
    )


def accept(session: Session, proposal: Resolution, *, now: datetime, member: Member) -> Resolution:
    """Return the confirmed resolution that says what ``proposal`` proposed; written as confirm."""
    _require_undecided(session, proposal)
    return confirm(
        session,
        _question_of(session, proposal),
        proposal.outcome,
        known_at=proposal.known_at or now,
        now=now,
        member=member,
        note=proposal.note,
        source=proposal.source,
        proposal=proposal,
    )


def reject(
    session: Session, proposal: Resolution, *, now: datetime, member: Member, note: str
) -> Resolution:
    """Return the row that turns ``proposal`` down, with the reason; the question stays unresolved.

    Refused without a reason: whoever proposed it should learn what was wrong.
    """
    _require_undecided(session, proposal)
    if not note.strip():
        raise Refused(
            "Turning a proposal down takes a reason.", remedy="Say what is wrong with it."
        )
    stands = as_it_stands(session, _question_of(session, proposal), now=now)
    row = _row(
        stands, ResolutionState.rejected, proposal.outcome, proposal.known_at, now, member, None
    )
    row.note, row.proposal_id = note.strip(), proposal.id
    session.add(row)
    session.flush()
    return row


def history(session: Session, question: Question) -> list[Resolution]:
    """Return every row of the question's resolution history, in the order written."""
    return list(
        session.exec(
            select(Resolution)
            .where(Resolution.question_id == question.id)
            .order_by(col(Resolution.id))
        )
    )


def open_proposals(session: Session) -> list[tuple[Resolution, Question]]:
    """Return the proposals that nobody has decided yet, oldest first, with their questions."""
    return [
        (row, question)
        for row, question in session.exec(
            select(Resolution, Question)
            .join(Question, col(Question.id) == col(Resolution.question_id))
            .where(Resolution.state == ResolutionState.proposed, ~overtaken())
            .order_by(col(Resolution.id))
        )
    ]


def _row(
    stands: Stands,
    state: ResolutionState,
    outcome: str,
    known_at: datetime | None,
    now: datetime,
    member: Member | None,
    resolver: Resolver | None,
) -> Resolution:
    return Resolution(
        question_id=stands.id,
        state=state,
        outcome=outcome,
        known_at=known_at,
        resolved_at=now,
        recorded_at=now,
        member_id=member.id if member else None,
        resolver_id=resolver.id if resolver else None,
    )


def _require_known(stands: Stands, outcome: str, known_at: datetime, now: datetime) -> None:
    if known_at > now:
        raise Refused(
            f"An outcome cannot be known at {iso(known_at)}: it is {iso(now)}.",
            remedy="Give the time at which the outcome became known.",
        )
    if known_at <= stands.text.open_time and outcome not in NOT_SCORED:
        raise Refused(
            f"The outcome was known at {iso(known_at)}, before {stands.slug!r} opened "
            f"({iso(stands.text.open_time)}): no forecast on it can be scored.",
            remedy="Annul the question instead.",
        )


def _require_undecided(session: Session, proposal: Resolution) -> None:
    if proposal.id not in [row.id for row, _ in open_proposals(session)]:
        raise Refused(
            "This proposal has been decided already, or the question was resolved since.",
            remedy="To correct a resolution, resolve the question again.",
        )


def _question_of(session: Session, resolution: Resolution) -> Question:
    return session.exec(select(Question).where(Question.id == resolution.question_id)).one()


def _close_when_known(
    session: Session,
    stands: Stands,
    earlier: Resolution | None,
    row: Resolution,
    member: Member,
    now: datetime,
) -> None:
    """Close the question at the time when its outcome became known, if that was earlier.

    A close that only an earlier, now superseded resolution had caused is undone first. What was
    not resolved to an outcome (annulled, ambiguous) has no scores, so its close does not matter.
    """
    text = stands.text
    closed = text.actual_close_time
    if earlier is not None and earlier.known_at is not None and closed == earlier.known_at:
        closed = None
    limit = closed or text.scheduled_close_time
    if row.outcome not in NOT_SCORED and row.known_at is not None and row.known_at < limit:
        closed = row.known_at
    if closed != text.actual_close_time:
        revise(
            session,
            stands.question,
            member=member,
            now=now,
            reason="the outcome became known",
            actual_close_time=closed,
        )
