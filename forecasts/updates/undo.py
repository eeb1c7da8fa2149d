"""Undo: a new row after a forecast that was made by mistake, with the value before it.

Nothing is erased. The mistake stays in the history, and counts in the score for as long as it was
current.
"""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from forecasts.common.errors import Refused
from forecasts.common.times import to_minute
from forecasts.ledger.models import Member, Question
from forecasts.updates.updates import Saved, find_forecast, history, update, withdraw
from forecasts.values.value import value_of


def undo(
    session: Session, number: int, *, member: Member, now: datetime, origin: str = "cli"
) -> Saved:
    """Return the new row that repeats the member's forecast before this one; it is written.

    Without a forecast before, the new row is a withdrawal. Refused if the forecast is somebody
    else's, or is not their last one on the question, and as ``update`` and ``withdraw`` refuse.
    """
    mistake = find_forecast(session, number)
    question = session.get_one(Question, mistake.question_id)
    if mistake.member_id != member.id:
        raise Refused(f"Forecast {number} is not yours: nothing was undone.")
    *earlier, last = [row for row, _ in history(session, question, member)]
    if last.id != mistake.id:
        raise Refused(
            f"You have a later forecast on {question.slug!r}, made at {to_minute(last.made_at)}: "
            "nothing was undone.",
            remedy="Update it, if it is wrong.",
        )
    before = earlier[-1] if earlier and not earlier[-1].withdrawn else None
    why = f"Undoes the forecast of {to_minute(mistake.made_at)}."
    try:
        if before is None:
            return withdraw(session, question, member=member, now=now, rationale=why, origin=origin)
        return update(
            session,
            question,
            value_of(before),
            member=member,
            now=now,
            rationale=why,
            origin=origin,
        )
    except Refused as error:
        raise Refused(f"Nothing was undone: {error.message}", remedy=error.advice) from error
