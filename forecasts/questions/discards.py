"""Discard a question registered by mistake.

A discarded question does not exist for anyone (``access.visibility``). Nothing is rewritten: a row
of its own is added to the chain, and the question's rows stay where they are, so that
``forecasts verify`` still covers them. Its ID stays taken.

Rejected: restoring a discarded question (it is at most a day old, and its line can be entered
again).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from forecasts.access.roles import Action, require
from forecasts.access.visibility import require_visible
from forecasts.common.errors import Forbidden, LedgerError, Refused, Remedy
from forecasts.common.times import to_minute
from forecasts.ledger.append import written
from forecasts.ledger.models import (
    Condition,
    Discard,
    Forecast,
    Member,
    Question,
    Resolution,
    Watch,
)

TIME_TO_DISCARD = timedelta(days=1)


def discard(session: Session, question: Question, *, member: Member, now: datetime) -> Discard:
    """Return the row that discards the question, which is written; its resolvers stop.

    The claim of a run on it ends, so that the run writes nothing more about it.

    The member must be its author. Refused more than a day after its registration, once another
    member has forecast it, once an outcome has been proposed or confirmed, and while a question is
    asked under one of its outcomes.
    """
    _require_may_discard(session, question, member, now)
    row = written(session, Discard(question_id=question.id, member_id=member.id, recorded_at=now))
    for watch in session.exec(select(Watch).where(Watch.question_id == question.id)):
        watch.next_at = watch.parked_at = watch.claimed_by = watch.claimed_until = None
        session.add(watch)
    session.flush()
    return row


def may_discard(
    session: Session, question: Question, *, member: Member | None, now: datetime
) -> bool:
    """Return whether ``discard`` would accept the question from this member now."""
    if member is None:
        return False
    try:
        _require_may_discard(session, question, member, now)
    except LedgerError:
        return False
    return True


def _require_may_discard(
    session: Session, question: Question, member: Member, now: datetime
) -> None:
    require_visible(session, question)
    require(session, member, Action.revise, question, now=now)
    slug = question.slug
    keep = Remedy("To end it, resolve it: {}", "resolve", slug, "annulled")
    if question.member_id != member.id:
        raise Forbidden(
            f"{slug!r} is not your question: only its author may discard it.", remedy=keep
        )
    if now - question.recorded_at > TIME_TO_DISCARD:
        raise Refused(
            f"{slug!r} was registered at {to_minute(question.recorded_at)}: a question can be "
            "discarded for a day.",
            remedy=keep,
        )
    others = select(Forecast.id).where(
        Forecast.question_id == question.id, Forecast.member_id != member.id
    )
    if session.exec(others.limit(1)).first() is not None:  # no name: the crowd may be hidden
        raise Refused(
            f"Another member has forecast {slug!r}, so it cannot be discarded.", remedy=keep
        )
    outcome = select(Resolution.id).where(Resolution.question_id == question.id).limit(1)
    if session.exec(outcome).first() is not None:
        raise Refused(f"{slug!r} has an outcome or a proposal, so it cannot be discarded.")
    left = col(Condition.question_id).not_in(select(Discard.question_id))
    branch = select(Condition.id).where(Condition.parent_id == question.id, left)
    if session.exec(branch.limit(1)).first() is not None:  # no name: it may be hidden
        raise Refused(
            f"Another question is asked under an outcome of {slug!r}, so it cannot be discarded.",
            remedy=keep,
        )
