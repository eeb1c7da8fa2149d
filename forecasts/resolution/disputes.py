"""Disputes: object to a resolution within the days its policy allows.

During these days (``policies``) its scores are provisional: stored, shown and counted, but marked.
A disputed resolution stays provisional until someone with the right to resolve the question
corrects it or upholds it. Either decision is final.
"""

from __future__ import annotations

from datetime import datetime
from functools import cache

from sqlalchemy import ColumnElement
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from forecasts.access import roles, visibility
from forecasts.access.roles import Action
from forecasts.common.errors import FILL_IN, Refused, Remedy
from forecasts.common.times import to_minute
from forecasts.ledger.append import written
from forecasts.ledger.current import is_superseded
from forecasts.ledger.models import Dispute, Member, Question, Resolution
from forecasts.questions.finality import provisional_outcome
from forecasts.questions.standing import current_state


def dispute(
    session: Session, question: Question, *, member: Member, now: datetime, reason: str
) -> Dispute:
    """Return the dispute, which is written; the scores stay provisional until a decision.

    Refused without a reason, on an unresolved or disputed question, and if the policy allows no
    disputes or their time has ended. ``member`` needs the right to forecast on the question.
    """
    roles.require(session, member, Action.dispute, question, now=now)
    if not reason.strip():
        raise Refused("A dispute needs a reason.", remedy="State the error in the outcome.")
    current = current_state(session, question, now=now).resolution
    if current is None:
        raise Refused(
            f"{question.slug!r} is not resolved, so there is nothing to dispute.",
            remedy=Remedy("Propose one: {}", "propose", question.slug, "OUTCOME", because=FILL_IN),
        )
    open_outcome = provisional_outcome(session, question, now=now)
    if open_outcome is None:
        raise Refused(
            f"The resolution of {question.slug!r} is final.",
            remedy="Propose another outcome, for someone who may resolve the question.",
        )
    if open_outcome.dispute is not None:
        raise Refused(
            f"The resolution of {question.slug!r} is disputed already, since "
            f"{to_minute(open_outcome.dispute.recorded_at)}, and is waiting for a decision."
        )
    return written(
        session,
        Dispute(
            resolution_id=current.id, member_id=member.id, reason=reason.strip(), recorded_at=now
        ),
    )


def uphold(
    session: Session, question: Question, *, member: Member, now: datetime, reason: str = ""
) -> Dispute:
    """Return the row that upholds the disputed resolution, which is then final; it is written.

    Refused if it is not disputed. ``member`` needs the right to resolve the question.
    """
    roles.require(session, member, Action.resolve, question, now=now)
    disputed = next((row for row, _, on in open_disputes(session) if on.id == question.id), None)
    if disputed is None:
        raise Refused(f"The resolution of {question.slug!r} is not disputed.")
    decision = Dispute(
        resolution_id=disputed.resolution_id,
        answers_id=disputed.id,
        member_id=member.id,
        reason=reason.strip(),
        recorded_at=now,
    )
    return written(session, decision)


def open_disputes(session: Session) -> list[tuple[Dispute, Resolution, Question]]:
    """Return all disputes without a decision, oldest first."""
    return list(
        session.exec(
            select(Dispute, Resolution, Question)
            .join(Resolution, col(Resolution.id) == col(Dispute.resolution_id))
            .join(Question, col(Question.id) == col(Resolution.question_id))
            .where(is_open(), visibility.question_visible(session))
            .order_by(col(Dispute.id))
        )
    )


@cache
def is_open() -> ColumnElement[bool]:
    """Return the SQL condition: the ``Dispute`` of the ``Resolution`` has no decision yet."""
    answer = aliased(Dispute)
    answered = select(answer.id).where(col(answer.answers_id) == col(Dispute.id)).exists()
    return col(Dispute.answers_id).is_(None) & ~answered & ~is_superseded()
