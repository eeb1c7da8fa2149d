"""Disputes: who holds a resolution to be wrong says so in time, and people decide.

By a question's policy (``watching.decide_by``) its resolution may be disputed for some days, and
until they are over its scores are provisional: they are stored, shown and counted, and say so. What
is disputed stays provisional until somebody who may resolve it decides: by another outcome, which
supersedes the disputed one, or by upholding it. Either is final.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from sqlalchemy import ColumnElement
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from forecasts.access import visibility
from forecasts.access.visibility import Action
from forecasts.common.errors import Refused
from forecasts.common.times import to_minute
from forecasts.ledger.models import (
    Dispute,
    Member,
    Policy,
    Question,
    Resolution,
    ResolutionState,
)
from forecasts.questions.registry import as_it_stands
from forecasts.resolution.resolutions import by_resolution


@dataclass(frozen=True)
class Provisional:
    """Why a resolution that stands is not final yet: a ``dispute``, else the time ``until`` when.

    After ``until`` nobody may dispute it any more.
    """

    resolution: Resolution
    until: datetime
    dispute: Dispute | None = None


def dispute(
    session: Session, question: Question, *, member: Member, now: datetime, reason: str
) -> Dispute:
    """Return the dispute, which is written: people decide, and until then no score is final.

    Refused without a reason, where the question is not resolved, where its policy gives no time
    for disputes or it is over, and where it is disputed already. It takes a forecaster.
    """
    visibility.require(session, member, Action.dispute, question, now=now)
    if not reason.strip():
        raise Refused("A dispute takes a reason.", remedy="Say what is wrong with the outcome.")
    standing = as_it_stands(session, question, now=now).resolution
    if standing is None:
        raise Refused(
            f"{question.slug!r} is not resolved, so there is nothing to dispute.",
            remedy=f"Propose an outcome: forecasts propose {question.slug} OUTCOME.",
        )
    open_ = provisional(session, question, now=now)
    if open_ is None:
        raise Refused(
            f"The resolution of {question.slug!r} is final.",
            remedy="Propose another outcome; whoever may resolve it can correct it.",
        )
    if open_.dispute is not None:
        raise Refused(
            f"The resolution of {question.slug!r} is disputed already, since "
            f"{to_minute(open_.dispute.recorded_at)}; it waits for a decision."
        )
    return _written(session, standing, member, now, reason, None)


def uphold(
    session: Session, question: Question, *, member: Member, now: datetime, reason: str = ""
) -> Dispute:
    """Return the row that settles the dispute in favour of what stands, which then is final.

    It takes who may decide on the outcome. Refused where nothing is disputed.
    """
    visibility.require(session, member, Action.resolve, question, now=now)
    standing = as_it_stands(session, question, now=now).resolution
    disputed = None if standing is None else _open_dispute(session, standing)
    if standing is None or disputed is None:
        raise Refused(f"The resolution of {question.slug!r} is not disputed.")
    return _written(session, standing, member, now, reason, disputed.id)


def _written(
    session: Session,
    resolution: Resolution,
    member: Member,
    now: datetime,
    reason: str,
    answers: int | None,
) -> Dispute:
    assert resolution.id is not None
    assert member.id is not None
    row = Dispute(
        resolution_id=resolution.id,
        member_id=member.id,
        reason=reason.strip(),
        answers_id=answers,
        recorded_at=now,
    )
    session.add(row)
    session.flush()
    return row


def history(session: Session, question: Question) -> dict[int, list[Dispute]]:
    """Return the disputes and what settled them by the id of the resolution, in that order."""
    return by_resolution(session, question, Dispute)


def provisional(session: Session, question: Question, *, now: datetime) -> Provisional | None:
    """Return why the question's resolution is not final yet; None where it is, or there is none."""
    visibility.see(session, question)
    assert question.id is not None
    return _provisional(session, question.id, now).get(question.id)


def all_provisional(session: Session, *, now: datetime) -> dict[int, Provisional]:
    """Return what is not final yet, by the id of the question."""
    return _provisional(session, None, now)


def windows(session: Session) -> dict[int, datetime | None]:
    """Return until when what is not final stays so, by the id of the question; None: disputed.

    A time that has passed says that it is final by now.
    """
    ever = datetime.min.replace(tzinfo=UTC)
    return {
        id_: one.until if one.dispute is None else None
        for id_, one in _provisional(session, None, ever).items()
    }


def open_disputes(session: Session) -> list[tuple[Dispute, Resolution, Question]]:
    """Return the disputes that nobody has decided yet, oldest first."""
    return [
        (row, resolution, question)
        for row, resolution, question in session.exec(
            select(Dispute, Resolution, Question)
            .join(Resolution, col(Resolution.id) == col(Dispute.resolution_id))
            .join(Question, col(Question.id) == col(Resolution.question_id))
            .where(is_open(), visibility.visible(session))
            .order_by(col(Dispute.id))
        )
    ]


def _provisional(
    session: Session, question_id: int | None, now: datetime
) -> dict[int, Provisional]:
    policies = session.exec(
        select(Policy)
        .where(
            visibility.visible(session, Policy.question_id),
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
            found[row.question_id] = Provisional(row, until, raised)
    return found


def _open_dispute(session: Session, resolution: Resolution) -> Dispute | None:
    return session.exec(
        select(Dispute)
        .join(Resolution, col(Resolution.id) == col(Dispute.resolution_id))
        .where(Dispute.resolution_id == resolution.id, is_open())
    ).first()


@cache
def is_open() -> ColumnElement[bool]:
    """Return the condition that nobody has decided on the ``Dispute`` of the ``Resolution`` yet."""
    answer, later = aliased(Dispute), aliased(Resolution)
    answered = select(answer.id).where(col(answer.answers_id) == col(Dispute.id)).exists()
    corrected = select(later.id).where(col(later.supersedes_id) == col(Resolution.id)).exists()
    return col(Dispute.answers_id).is_(None) & ~answered & ~corrected
