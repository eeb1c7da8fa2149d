"""Confirmed outcomes: resolve, accept a proposal, correct, withdraw. Each is a new row.

The confirmed row that no other supersedes is current. Confirming writes the row, the early close
it implies, and the scores, in the caller's transaction. To annul a question is to confirm the
outcome 'annulled'. A withdrawal supersedes the outcome too: the question has none until the next
one is confirmed, which supersedes the withdrawal. So the confirmed rows and withdrawals of a
question form one line, and of two acts at the same moment the database takes the first.

Rejected: a withdrawal as a proposal (who may decide on one may withdraw); an outcome 'open' (every
reader of outcomes would have to leave it out).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from types import EllipsisType
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from forecasts.access import roles, teams
from forecasts.access.roles import Action
from forecasts.access.visibility import reading_everything
from forecasts.common.errors import Refused
from forecasts.ledger.append import written
from forecasts.ledger.models import Member, Question, Resolution, ResolutionState, Resolver
from forecasts.questions.registry import newest_wording
from forecasts.questions.revisions import (
    OUTCOME_KNOWN,
    OUTCOME_WITHDRAWN,
    append_wording,
    close_by_hand,
    reworded,
)
from forecasts.questions.standing import QuestionState, current_state
from forecasts.resolution.assignments import resolvers, schedule_lookup
from forecasts.resolution.dependents import (
    branches_to_settle,
    decided,
    require_condition,
    require_group_allows,
)
from forecasts.resolution.late_forecasts import LateForecasts, made_between
from forecasts.resolution.proposals import (
    proposals_on,
    require_expected,
    require_new,
    require_source_address,
    require_undecided,
    resolution_row,
)
from forecasts.scores import scores
from forecasts.values.outcomes import NOT_SCORED, read_outcome


@dataclass(frozen=True)
class Settled:
    """A confirmed outcome, the one that it corrects, and its effect on forecasts.

    ``before``: the current resolution until then, None without one. ``left_out``: the forecasts
    that counted, and do not any longer.
    """

    resolution: Resolution
    before: Resolution | None
    left_out: LateForecasts


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
    expected: Resolution | EllipsisType | None = ...,
    scored_later: list[Resolution] | None = None,
) -> Settled:
    """Return the confirmed resolution, written with the early close it implies and the scores.

    On a resolved question it is a correction: it supersedes the current row, which is kept with its
    scores. It accepts an open proposal of the same outcome. ``note``, ``source`` and ``known_at``
    default to the proposal's, ``known_at`` then to the current resolution's, and then to now.
    ``expected`` is the current resolution that the member has seen, None if there was none;
    Refused if it is another one by now. Refused too if nothing would change, if the question's own
    condition does not hold, and for an outcome that contradicts another in its group.

    The branches asked under another outcome are annulled with it (``settle_branches``).

    ``scored_later``: of an outcome that follows from another in its group; the row is added to it,
    and the caller stores the scores of all of them together.

    ``member`` needs the right to resolve the question, unless ``resolver`` is one of its resolvers:
    its owner had that right. Some teams require a second person (``roles``).
    """
    if resolver is None or resolver.question_id != question.id:
        roles.require(session, member, Action.resolve, question, now=now)
    state, proposal = current_state(session, question, now=now), None
    require_expected(state, expected)
    require_source_address(source, resolver)
    if outcome.strip():
        outcome = read_outcome(outcome, state.text)
        for one in proposals_on(session, question):
            if one.outcome == outcome and known_at in (None, one.known_at):
                proposal = one  # the newest
    if resolver is None:
        teams.require_second_resolver(session, member, question, proposal)
    earlier = state.resolution
    if known_at is None:
        before = proposal or earlier
        known_at = now if before is None else before.known_at
    outcome = require_new(state, outcome, known_at, now)
    require_condition(session, question, now=now)
    if scored_later is None:
        require_group_allows(session, question, outcome, now=now)
    row = resolution_row(
        question, ResolutionState.confirmed, outcome, known_at, now, member, resolver
    )
    row.note = note.strip() or (proposal.note if proposal else "")
    row.source = source.strip() or (proposal.source if proposal else "")
    row.proposal_id = proposal.id if proposal else None
    superseded = earlier or state.withdrawal
    row.supersedes_id = superseded.id if superseded else None
    close = _confirmed(session, state, row, member, now)
    if scored_later is None:
        _score(session, [row])
    else:
        scored_later.append(row)
    settle_branches(session, [question.id], member, now)
    left_out = made_between(session, question, close, state.text.close_time)
    return Settled(row, earlier, left_out)


def confirm_together(
    session: Session,
    question: Question,
    outcome: str,
    *,
    known_at: datetime | None = None,
    now: datetime,
    member: Member,
    note: str = "",
    source: str = "",
    expected: Resolution | EllipsisType | None = ...,
    alone: bool = False,
) -> list[Settled]:
    """Return the confirmed resolution, and those of its group that it decides, all written.

    ``alone``: without those of its group.

    Parameters, rights and errors as in ``confirm``, for each of the questions that have no outcome
    (``dependents.decided``).
    """

    def write(on: Question, what: str, **own: Any) -> Settled:
        return confirm(session, on, what, now=now, member=member, source=source, **own)

    settled = [write(question, outcome, known_at=known_at, note=note, expected=expected)]
    row = settled[0].resolution
    others = [] if alone else decided(session, question, row.outcome, now=now)
    rows: list[Resolution] = []
    for state, follows in others:
        reason = note or f"Follows from {question.slug}: {row.outcome}."
        own = {"known_at": row.known_at, "note": reason, "expected": None}
        settled.append(write(state.question, follows, scored_later=rows, **own))
    _score(session, rows)
    return settled


def accept(session: Session, proposal: Resolution, *, now: datetime, member: Member) -> Settled:
    """Return the confirmed resolution with the proposal's outcome, written as by ``confirm``."""
    question = session.get_one(Question, proposal.question_id)
    roles.require(session, member, Action.resolve, question, now=now)
    require_undecided(session, proposal)
    return confirm(
        session, question, proposal.outcome, known_at=proposal.known_at, now=now, member=member
    )


def withdraw(
    session: Session,
    question: Question,
    *,
    member: Member,
    now: datetime,
    reason: str,
    expected: Resolution | EllipsisType | None = ...,
) -> Resolution:
    """Return the row that withdraws the question's outcome, which is written.

    The question has no outcome then, and the close that it had before; its resolvers are due in the
    next run, which does not confirm the same outcome again (``runs.recording``). The outcome is
    kept with its scores. Refused without a reason, and on a question without an outcome.
    ``member`` and ``expected`` as in ``confirm``.
    """
    roles.require(session, member, Action.resolve, question, now=now)
    state = current_state(session, question, now=now)
    if not reason.strip():
        raise Refused("Withdrawing an outcome needs a reason.", remedy="State the mistake.")
    require_expected(state, expected)
    require_condition(session, question, now=now)
    outcome = state.resolution
    if outcome is None:
        raise Refused(f"{state.slug!r} has no outcome to withdraw; nothing was changed.")
    if teams.needs_second_resolver(session, member.id, question):
        raise Refused(
            f"{member.handle} has forecast on {state.slug!r}, and the team's rule requires a "
            "second resolver.",
            remedy="Ask another resolver to withdraw the outcome.",
        )
    row = resolution_row(
        question, ResolutionState.withdrawn, outcome.outcome, outcome.known_at, now, member
    )
    row.note, row.supersedes_id = reason.strip(), outcome.id
    _withdrawn(session, state, row, member, now)
    settle_branches(session, [question.id], member, now)
    return row


def _confirmed(
    session: Session, state: QuestionState, row: Resolution, member: Member, now: datetime
) -> datetime:
    """Write a confirmed row, not its scores, and return the close that it implies."""
    _add(session, state, row)
    # An annulled or ambiguous question closes as scheduled, or earlier by hand.
    known = [] if row.outcome in NOT_SCORED or row.known_at is None else [row.known_at]
    return _move_close(session, state, known, member, now, OUTCOME_KNOWN)


def _score(session: Session, rows: Sequence[Resolution]) -> None:
    scores.store(session, [row for row in rows if row.outcome not in NOT_SCORED])


def _withdrawn(
    session: Session, state: QuestionState, row: Resolution, member: Member, now: datetime
) -> None:
    _add(session, state, row)
    _move_close(session, state, [], member, now, OUTCOME_WITHDRAWN)
    if resolvers(session, state.question):
        schedule_lookup(session, state.question, now)


def settle_branches(
    session: Session, parents: Sequence[int], member: Member, now: datetime
) -> None:
    """Let the branches of these questions follow their outcomes, in the same act.

    A branch whose condition does not hold is annulled, over an outcome of its own, too. One that
    was annulled so, and whose condition may hold again, has its own outcome again, or none. Then
    the same for their own branches. Branches hidden from the member follow too.
    """
    rows: list[Resolution] = []
    with reading_everything(session):
        for step in branches_to_settle(session, parents, now=now):
            state = step.state
            row = resolution_row(
                state.question, step.then, step.outcome, step.known_at, now, member
            )
            row.note, row.source = step.note, step.source
            superseded = state.resolution or state.withdrawal
            row.supersedes_id = superseded.id if superseded else None
            if step.then == ResolutionState.withdrawn:
                _withdrawn(session, state, row, member, now)
            else:
                _confirmed(session, state, row, member, now)
                rows.append(row)
            settle_branches(session, [state.id], member, now)
    _score(session, rows)


def _add(session: Session, state: QuestionState, row: Resolution) -> None:
    """Write the row; Refused if another one superseded the same row at the same moment."""
    try:
        written(session, row)
    except IntegrityError:
        # Two members who act at once both see the same resolution; the database takes the first.
        raise Refused(
            f"Someone else resolved {state.slug!r}, or withdrew its outcome, at the same moment.",
            remedy="Check that step, and repeat yours if it is still needed.",
        ) from None


def _move_close(
    session: Session,
    state: QuestionState,
    known: list[datetime],
    member: Member,
    now: datetime,
    reason: str,
) -> datetime:
    """Return the close of the question: when its outcome became ``known``, if that is earlier.

    The wording with it is written. A close that an earlier, now superseded resolution implied is
    undone.
    """
    text = newest_wording(session, state.question)
    closes = [text.scheduled_close_time, close_by_hand(session, state.question), *known]
    close = min(at for at in closes if at is not None)
    if close != text.close_time:
        early = None if close == text.scheduled_close_time else close
        new = reworded(text, actual_close_time=early)
        append_wording(session, text, new, member=member, now=now, reason=reason)
    return close
