"""Whether a confirmed outcome is final, or can still be disputed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlmodel import Session, col, select

from forecasts.access import visibility
from forecasts.ledger.models import (
    Dispute,
    Policy,
    Question,
    Resolution,
    ResolutionState,
)


@dataclass(frozen=True)
class ProvisionalOutcome:
    """Why a resolution that stands is not final yet: a ``dispute``, else the time ``until`` when.

    After ``until`` nobody may dispute it any more.
    """

    resolution: Resolution
    until: datetime
    dispute: Dispute | None = None


def provisional_outcome(
    session: Session, question: Question, *, now: datetime
) -> ProvisionalOutcome | None:
    """Return why the question's resolution is not final yet; None where it is, or there is none."""
    visibility.require_visible(session, question)
    assert question.id is not None
    return _provisional(session, question.id, now).get(question.id)


def provisional_outcomes(session: Session, *, now: datetime) -> dict[int, ProvisionalOutcome]:
    """Return what is not final yet, by the id of the question."""
    return _provisional(session, None, now)


def dispute_deadlines(session: Session) -> dict[int, datetime | None]:
    """Return until when what is not final stays so, by the id of the question; None: disputed.

    A time that has passed says that it is final by now.
    """
    ever = datetime.min.replace(tzinfo=UTC)
    return {
        id_: one.until if one.dispute is None else None
        for id_, one in _provisional(session, None, ever).items()
    }


def _provisional(
    session: Session, question_id: int | None, now: datetime
) -> dict[int, ProvisionalOutcome]:
    policies = session.exec(
        select(Policy)
        .where(
            visibility.question_visible(session, Policy.question_id),
            *([] if question_id is None else [col(Policy.question_id) == question_id]),
        )
        .order_by(col(Policy.id))
    ).all()
    asked = sorted({policy.question_id for policy in policies if policy.dispute_days > 0})
    if not asked:
        return {}
    rows = session.exec(
        select(Resolution).where(
            col(Resolution.question_id).in_(asked),
            Resolution.state == ResolutionState.confirmed,
        )
    ).all()
    disputes: dict[int, list[Dispute]] = {}
    for told in session.exec(
        select(Dispute).where(col(Dispute.resolution_id).in_([row.id for row in rows]))
    ):
        disputes.setdefault(told.resolution_id, []).append(told)
    superseded = {row.supersedes_id for row in rows}
    found = {}
    for row in rows:
        if row.id is None or row.id in superseded:
            continue
        then = [
            policy.dispute_days
            for policy in policies
            if policy.question_id == row.question_id and policy.recorded_at <= row.recorded_at
        ]
        until = row.recorded_at + timedelta(days=then[-1] if then else 0)
        both = disputes.get(row.id, [])
        raised = next((one for one in both if one.answers_id is None), None)
        settled = any(one.answers_id is not None for one in both)
        decides = row.supersedes_id in disputes  # a correction that ended a dispute
        if not settled and not decides and (raised is not None or now < until):
            found[row.question_id] = ProvisionalOutcome(row, until, raised)
    return found
