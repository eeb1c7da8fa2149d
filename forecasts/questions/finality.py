"""Finality: whether a confirmed outcome can still be disputed."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlmodel import Session, col, true

from forecasts.access import visibility
from forecasts.ledger.current import in_order
from forecasts.ledger.models import Dispute, Policy, Question, Resolution, ResolutionState


@dataclass(frozen=True)
class ProvisionalOutcome:
    """A current resolution that is not final: it has an open ``dispute``, or may get one.

    ``until``: the end of the time for disputes.
    """

    resolution: Resolution
    until: datetime
    dispute: Dispute | None = None


def provisional_outcome(
    session: Session, question: Question, *, now: datetime
) -> ProvisionalOutcome | None:
    """Return the question's provisional outcome; None if it is final or there is no outcome."""
    visibility.require_visible(session, question)
    return provisional_outcomes(session, now=now, question=question).get(question.id)


def dispute_deadlines(session: Session) -> dict[int, datetime | None]:
    """Return when each outcome becomes final, by the question's id; None if it is disputed.

    Outcomes whose deadline has passed are included.
    """
    always = datetime.min.replace(tzinfo=UTC)
    return {
        id_: outcome.until if outcome.dispute is None else None
        for id_, outcome in provisional_outcomes(session, now=always).items()
    }


def provisional_outcomes(
    session: Session, *, now: datetime, question: Question | None = None
) -> dict[int, ProvisionalOutcome]:
    """Return the provisional outcomes, of all questions or of one, by the question's id."""
    one = true() if question is None else col(Policy.question_id) == question.id
    visible = visibility.question_visible(session, Policy.question_id)
    policies = in_order(session, Policy, visible, one)
    disputable = sorted({policy.question_id for policy in policies if policy.dispute_days > 0})
    if not disputable:
        return {}
    settled = col(Resolution.state).in_([ResolutionState.confirmed, ResolutionState.withdrawn])
    rows = in_order(session, Resolution, col(Resolution.question_id).in_(disputable), settled)
    disputes: dict[int, list[Dispute]] = defaultdict(list)
    ids = [row.id for row in rows]
    for dispute in in_order(session, Dispute, col(Dispute.resolution_id).in_(ids)):
        disputes[dispute.resolution_id].append(dispute)
    superseded = {row.supersedes_id for row in rows}
    found = {}
    for row in rows:
        if row.id in superseded or row.state == ResolutionState.withdrawn:
            continue
        days = [
            policy.dispute_days
            for policy in policies
            if policy.question_id == row.question_id and policy.recorded_at <= row.recorded_at
        ]
        until = row.recorded_at + timedelta(days=days[-1] if days else 0)
        own = disputes.get(row.id, [])
        raised = next((dispute for dispute in own if dispute.answers_id is None), None)
        answered = any(dispute.answers_id is not None for dispute in own)
        ends_dispute = row.supersedes_id in disputes  # a correction that a dispute led to
        if not answered and not ends_dispute and (raised is not None or now < until):
            found[row.question_id] = ProvisionalOutcome(row, until, raised)
    return found
