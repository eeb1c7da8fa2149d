"""Confirmed outcomes: resolve, accept a proposal, correct. Each is a new row; none is edited.

The confirmed row that no other supersedes is current. Confirming writes the row, the early close
it implies, and the scores, in the caller's transaction. To annul a question is to confirm the
outcome 'annulled'.
"""

from __future__ import annotations

from datetime import datetime
from types import EllipsisType

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from forecasts.access import roles, teams
from forecasts.access.roles import Action
from forecasts.common.errors import Refused
from forecasts.ledger.models import Member, Question, Resolution, ResolutionState, Resolver
from forecasts.questions.outcomes import NOT_SCORED, read_outcome
from forecasts.questions.registry import newest_wording
from forecasts.questions.revisions import OUTCOME_KNOWN, append_wording, close_by_hand, reworded
from forecasts.questions.standing import QuestionState, current_state
from forecasts.resolution.outcome_checks import (
    require_expected,
    require_new,
    require_source_address,
)
from forecasts.resolution.proposals import proposals_on, require_undecided, resolution_row
from forecasts.scores import scores


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
    """Return the confirmed resolution, written with the early close it implies and the scores.

    On a resolved question it is a correction: it supersedes the current row, which is kept with its
    scores. It accepts an open proposal of the same outcome. ``note``, ``source`` and ``known_at``
    default to the proposal's, ``known_at`` then to the current resolution's, and then to now.
    ``expected`` is the current resolution (or its id) that the member has seen, None if there was
    none; Refused if it is another one by now. Refused too if nothing would change.

    ``member`` needs the right to resolve the question, unless ``resolver`` is one of its resolvers:
    its owner had that right. Some teams require a second person (``roles``).
    """
    if resolver is None or resolver.question_id != question.id:
        roles.require(session, member, Action.resolve, question, now=now)
    state, proposal = current_state(session, question, now=now), None
    if expected is not ...:
        require_expected(state, expected.id if isinstance(expected, Resolution) else expected)
    require_source_address(source, resolver)
    if outcome.strip():
        outcome = read_outcome(outcome, state.text)
        for row in proposals_on(session, question):
            if row.outcome == outcome and known_at in (None, row.known_at):
                proposal = row  # the newest
    return _confirm(
        session, state, outcome, known_at, proposal, resolver, now, member, note, source
    )


def accept(session: Session, proposal: Resolution, *, now: datetime, member: Member) -> Resolution:
    """Return the confirmed resolution with the proposal's outcome, written as by ``confirm``."""
    question = session.get_one(Question, proposal.question_id)
    roles.require(session, member, Action.resolve, question, now=now)
    require_undecided(session, proposal)
    state = current_state(session, question, now=now)
    return _confirm(session, state, proposal.outcome, None, proposal, None, now, member)


def _confirm(
    session: Session,
    state: QuestionState,
    outcome: str,
    known_at: datetime | None,
    proposal: Resolution | None,
    resolver: Resolver | None,
    now: datetime,
    member: Member,
    note: str = "",
    source: str = "",
) -> Resolution:
    if resolver is None:
        teams.require_second_resolver(session, member, state.question, proposal)
    earlier = state.resolution
    if known_at is None:
        before = proposal or earlier
        known_at = now if before is None else before.known_at
    outcome = require_new(state, outcome, known_at, now)
    row = resolution_row(
        state.question, ResolutionState.confirmed, outcome, known_at, now, member, resolver
    )
    row.note = note.strip() or (proposal.note if proposal else "")
    row.source = source.strip() or (proposal.source if proposal else "")
    row.proposal_id = proposal.id if proposal else None
    row.supersedes_id = earlier.id if earlier else None
    session.add(row)
    try:
        session.flush()
    except IntegrityError:
        # Two members who confirm at once both see no resolution; the database takes the first.
        raise Refused(
            f"{state.slug!r} was resolved by someone else at the same moment.",
            remedy="Check that resolution, and correct it if it is wrong.",
        ) from None
    _close_when_known(session, state, row, member, now)
    scores.store(session, [row])
    return row


def _close_when_known(
    session: Session, state: QuestionState, row: Resolution, member: Member, now: datetime
) -> None:
    """Close the question when its outcome became known, if it would have closed later.

    A close that an earlier, now superseded resolution implied is undone. An annulled or ambiguous
    question closes as scheduled, or earlier by hand.
    """
    text = newest_wording(session, state.question)
    closes = [text.scheduled_close_time, close_by_hand(session, state.question)]
    if row.outcome not in NOT_SCORED:
        closes.append(row.known_at)
    close = min(at for at in closes if at is not None)
    if close != text.close_time:
        early = None if close == text.scheduled_close_time else close
        new = reworded(text, actual_close_time=early)
        append_wording(session, text, new, member=member, now=now, reason=OUTCOME_KNOWN)
