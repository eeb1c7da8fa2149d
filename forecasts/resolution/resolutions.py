"""Resolutions: propose, confirm, accept, reject, supersede. Each is a row; none is edited.

The confirmed row that nothing supersedes is the one that stands. Confirming writes the row, the
early close that it implies, and the scores, in the one transaction of the caller. To annul is to
confirm the outcome 'annulled'.
"""

from __future__ import annotations

from datetime import datetime
from types import EllipsisType
from typing import TypeVar

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from forecasts.access import roles, visibility
from forecasts.access.roles import Action
from forecasts.common.errors import BadInput, Impossible, Refused
from forecasts.common.times import to_minute
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
from forecasts.questions.outcomes import NOT_SCORED, bound_exceeded, figure_to_float, read_outcome
from forecasts.questions.registry import newest_wording
from forecasts.questions.revisions import OUTCOME_KNOWN, append_wording, close_by_hand, reworded
from forecasts.questions.standing import QuestionState, current_state, superseded
from forecasts.scores import scores
from forecasts.updates.evidence import require_address

Belongs = TypeVar("Belongs", Dispute, Exhibit)  # what is kept with a resolution

_OPEN_ENDED = ("below_lower_bound", "above_upper_bound")


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
    """Return the proposal, which is written and waits until somebody confirms or rejects it.

    ``known_at`` None: now. On a resolved question it proposes a correction. Refused where the
    question is resolved just so, or the same is proposed already. It takes a forecaster.
    """
    if member is not None and (resolver is None or resolver.question_id != question.id):
        roles.require(session, member, Action.propose, question, now=now)
    state = current_state(session, question, now=now)
    known_at = known_at or now
    _require_source(source, resolver)
    outcome = possible(state.text, state.slug, outcome, known_at, now)
    require_within(state.text, outcome)
    _require_news(state, outcome, known_at)
    for waiting in proposals_on(session, question):
        if (waiting.outcome, waiting.known_at) == (outcome, known_at):
            raise Refused(
                f"The outcome {outcome} of {state.slug!r}, known at {to_minute(known_at)}, is "
                "proposed already and waits for a decision; nothing was changed."
            )
    row = _row(state.id, ResolutionState.proposed, outcome, known_at, now, member, resolver)
    row.note, row.source = note.strip(), source.strip()
    session.add(row)
    session.flush()
    return row


def confirm(
    session: Session,
    question: Question,
    outcome: str,
    *,
    known_at: datetime | None = None,
    now: datetime,
    member: Member,
    resolver: Resolver | None = None,
    note: str = "",
    source: str = "",
    expected: Resolution | int | EllipsisType | None = ...,
) -> Resolution:
    """Return the confirmed resolution; it, the early close it implies and the scores are written.

    Where the question is resolved already, the new row supersedes the standing one (a correction:
    the earlier row and its scores stay). Where the same outcome is proposed, the new row accepts
    that proposal. What is not given holds on: note and source of the proposal, and for
    ``known_at`` the time of the proposal, else of the resolution that is corrected, else now.
    ``expected`` is the resolution (or its id) that whoever confirms has seen stand, None where
    they saw none; left out, whatever stands is corrected.
    Refused when it would say just the same again, and where another one stands than ``expected``.
    It takes the question's author or a resolver (what a resolver of the question finds was decided
    by whoever attached it), and by some teams' rule two people: see ``access.require_second``.
    """
    if resolver is None or resolver.question_id != question.id:
        roles.require(session, member, Action.resolve, question, now=now)
    state = current_state(session, question, now=now)
    if expected is not ...:
        _require_seen(state, expected.id if isinstance(expected, Resolution) else expected)
    _require_source(source, resolver)
    proposal = _proposal_of(session, state, outcome, known_at)
    return _confirm(
        session,
        state,
        outcome,
        known_at=known_at,
        now=now,
        member=member,
        resolver=resolver,
        note=note,
        source=source,
        proposal=proposal,
    )


def _proposal_of(
    session: Session, state: QuestionState, outcome: str, known_at: datetime | None
) -> Resolution | None:
    """Return the newest open proposal of this outcome, and of this time where one is given."""
    if not outcome.strip():
        return None
    said = read_outcome(outcome, state.text)
    fitting = [
        row
        for row in proposals_on(session, state.question)
        if row.outcome == said and known_at in (None, row.known_at)
    ]
    return fitting[-1] if fitting else None


def _confirm(
    session: Session,
    state: QuestionState,
    outcome: str,
    *,
    known_at: datetime | None,
    now: datetime,
    member: Member,
    resolver: Resolver | None = None,
    note: str = "",
    source: str = "",
    proposal: Resolution | None,
) -> Resolution:
    if resolver is None:
        roles.require_second_resolver(session, member, state.question, proposal)
    earlier = state.resolution
    if known_at is None:
        before = proposal or earlier
        known_at = now if before is None else before.known_at
    outcome = possible(state.text, state.slug, outcome, known_at, now)
    require_within(state.text, outcome)
    _require_news(state, outcome, known_at)
    row = _row(state.id, ResolutionState.confirmed, outcome, known_at, now, member, resolver)
    row.note = note.strip() or (proposal.note if proposal else "")
    row.source = source.strip() or (proposal.source if proposal else "")
    row.proposal_id = proposal.id if proposal else None
    row.supersedes_id = earlier.id if earlier else None
    session.add(row)
    try:
        session.flush()
    except IntegrityError:
        # Two who confirm at once both see no resolution; the database takes the first.
        raise Refused(
            f"{state.slug!r} was resolved by somebody else at the same moment.",
            remedy="Look at it again, and correct it if it is wrong.",
        ) from None
    _close_when_known(session, state, row, member, now)
    scores.store(session, [row])
    return row


def accept(session: Session, proposal: Resolution, *, now: datetime, member: Member) -> Resolution:
    """Return the confirmed resolution that says what ``proposal`` proposed; written as confirm."""
    question = _question_of(session, proposal)
    roles.require(session, member, Action.resolve, question, now=now)
    _require_undecided(session, proposal)
    return _confirm(
        session,
        current_state(session, question, now=now),
        proposal.outcome,
        known_at=None,
        now=now,
        member=member,
        proposal=proposal,
    )


def reject(
    session: Session, proposal: Resolution, *, now: datetime, member: Member, note: str
) -> Resolution:
    """Return the row that turns ``proposal`` down, with the reason; the question stays unresolved.

    Refused without a reason: whoever proposed it should learn what was wrong.
    """
    question = _question_of(session, proposal)
    roles.require(session, member, Action.resolve, question, now=now)
    _require_undecided(session, proposal)
    if not note.strip():
        raise Refused(
            "Turning a proposal down takes a reason.", remedy="Say what is wrong with it."
        )
    state = current_state(session, question, now=now)
    row = _row(
        state.id, ResolutionState.rejected, proposal.outcome, proposal.known_at, now, member, None
    )
    row.note, row.proposal_id = note.strip(), proposal.id
    session.add(row)
    session.flush()
    return row


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
    session: Session, question: Question, table: type[Belongs]
) -> dict[int, list[Belongs]]:
    """Return the rows of ``table`` on the question's resolutions, by the id of the resolution."""
    visibility.require_visible(session, question)
    found: dict[int, list[Belongs]] = {}
    for row in session.exec(
        select(table)
        .join(Resolution, col(Resolution.id) == col(table.resolution_id))
        .where(Resolution.question_id == question.id)
        .order_by(col(table.id))
    ):
        found.setdefault(row.resolution_id, []).append(row)
    return found


def proposals_on(session: Session, question: Question) -> list[Resolution]:
    """Return the question's proposals that nobody has decided yet, oldest first."""
    visibility.require_visible(session, question)
    return list(
        session.exec(
            select(Resolution)
            .where(
                Resolution.question_id == question.id,
                Resolution.state == ResolutionState.proposed,
                ~superseded(),
            )
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
            .where(
                Resolution.state == ResolutionState.proposed,
                ~superseded(),
                visibility.question_visible(session),
            )
            .order_by(col(Resolution.id))
        )
    ]


def _row(
    question_id: int,
    state: ResolutionState,
    outcome: str,
    known_at: datetime | None,
    now: datetime,
    member: Member | None,
    resolver: Resolver | None,
) -> Resolution:
    return Resolution(
        question_id=question_id,
        state=state,
        outcome=outcome,
        known_at=known_at,
        resolved_at=now,
        recorded_at=now,
        member_id=member.id if member else None,
        resolver_id=resolver.id if resolver else None,
    )


def possible(
    text: QuestionText, slug: str, outcome: str, known_at: datetime | None, now: datetime
) -> str:
    """Return the outcome as the ledger keeps it; Refused where it cannot be known by now."""
    if not outcome.strip():
        raise BadInput(
            "No outcome was given.",
            remedy="Say how the question came out, or that it is annulled or ambiguous.",
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
        and outcome not in _OPEN_ENDED
        and figure_to_float(outcome, QuestionType.date) > now.timestamp()
    ):
        raise Refused(
            f"The outcome {outcome} lies ahead: it is {to_minute(now)}, and a day that has not "
            "come cannot be known.",
            remedy="Wait for it; where it can only come after the upper bound, the outcome is "
            "above_upper_bound.",
        )
    return outcome


def require_within(text: QuestionText, outcome: str) -> None:
    """Refuse a number or a day beyond the bounds: as likely a slip, and it has a name."""
    name = bound_exceeded(outcome, text)
    if name:
        raise Impossible(
            f"The outcome {outcome} lies outside the question's bounds, {text.lower_bound} to "
            f"{text.upper_bound}.",
            remedy=f"If it came out there, the outcome is {name}.",
        )


def _require_source(source: str, resolver: Resolver | None) -> None:
    """Refuse a person's source that cannot be followed; what a resolver has read is kept as is."""
    if source.strip() and resolver is None:
        require_address(source.strip(), "The source")


def _require_seen(state: QuestionState, seen: int | None) -> None:
    """Refuse to correct, unseen, what somebody else has resolved or corrected meanwhile."""
    standing = state.resolution
    if standing is not None and standing.id != seen:
        known = "" if standing.known_at is None else f", known at {to_minute(standing.known_at)}"
        raise Refused(
            f"{state.slug!r} was resolved meanwhile: {standing.outcome}{known}.",
            remedy="Look at it again, and correct it if it is wrong.",
        )


def _require_news(state: QuestionState, outcome: str, known_at: datetime | None) -> None:
    """Refuse what says just what stands."""
    standing = state.resolution
    if standing is not None and (standing.outcome, standing.known_at) == (outcome, known_at):
        known = "" if known_at is None else f", known at {to_minute(known_at)}"
        raise Refused(
            f"{state.slug!r} is already resolved: {outcome}{known}. Nothing was changed.",
            remedy="To correct it, give another outcome or another time.",
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
    session: Session, state: QuestionState, row: Resolution, member: Member, now: datetime
) -> None:
    """Let the question close when its outcome became known, if that was before it would have.

    It would have closed by its schedule, or earlier by hand: whatever an earlier, now superseded
    resolution had implied is undone. What was not resolved to an outcome (annulled, ambiguous)
    implies nothing.
    """
    text = newest_wording(session, state.question)
    closes = [text.scheduled_close_time]
    by_hand = close_by_hand(session, state.question)
    if by_hand is not None:
        closes.append(by_hand)
    if row.outcome not in NOT_SCORED and row.known_at is not None:
        closes.append(row.known_at)
    close = min(closes)
    if close != text.close_time:
        early = None if close == text.scheduled_close_time else close
        new = reworded(text, actual_close_time=early)
        append_wording(session, text, new, member=member, now=now, reason=OUTCOME_KNOWN)
