"""Disputes: who holds a resolution to be wrong says so in time, and people decide.

By a question's policy (``watching.decide_by``) its resolution may be disputed for some days, and
until they are over its scores are provisional: they are stored, shown and counted, and say so. What
is disputed stays provisional until somebody who may resolve it decides: by another outcome, which
supersedes the disputed one, or by upholding it. Either is final.
"""

from __future__ import annotations

from datetime import datetime
from functools import cache

from sqlalchemy import ColumnElement
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from forecasts.access import roles, visibility
from forecasts.access.roles import Action
from forecasts.common.errors import Refused
from forecasts.common.times import to_minute
from forecasts.ledger.models import (
    Dispute,
    Member,
    Question,
    Resolution,
)
from forecasts.questions.finality import provisional_outcome
from forecasts.questions.standing import current_state
from forecasts.resolution.resolutions import by_resolution


def dispute(
    session: Session, question: Question, *, member: Member, now: datetime, reason: str
) -> Dispute:
    """Return the dispute, which is written: people decide, and until then no score is final.

    Refused without a reason, where the question is not resolved, where its policy gives no time
    for disputes or it is over, and where it is disputed already. It takes a forecaster.
    """
    roles.require(session, member, Action.dispute, question, now=now)
    if not reason.strip():
        raise Refused("A dispute takes a reason.", remedy="Say what is wrong with the outcome.")
    standing = current_state(session, question, now=now).resolution
    if standing is None:
        raise Refused(
            f"{question.slug!r} is not resolved, so there is nothing to dispute.",
            remedy=f"Propose an outcome: forecasts propose {question.slug} OUTCOME.",
        )
    open_ = provisional_outcome(session, question, now=now)
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
    roles.require(session, member, Action.resolve, question, now=now)
    standing = current_state(session, question, now=now).resolution
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


def open_disputes(session: Session) -> list[tuple[Dispute, Resolution, Question]]:
    """Return the disputes that nobody has decided yet, oldest first."""
    return [
        (row, resolution, question)
        for row, resolution, question in session.exec(
            select(Dispute, Resolution, Question)
            .join(Resolution, col(Resolution.id) == col(Dispute.resolution_id))
            .join(Question, col(Question.id) == col(Resolution.question_id))
            .where(is_open(), visibility.question_visible(session))
            .order_by(col(Dispute.id))
        )
    ]


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
