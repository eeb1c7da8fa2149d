"""A member's reviews: how often, several forecasts confirmed at once, and the results seen.

Intervals and results seen are the member's settings, not history: they have no entries in the
chain. Each change is a new row all the same, and the newest counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, func, select

from forecasts.access.roles import Action, require
from forecasts.common.errors import Refused
from forecasts.ledger.append import written
from forecasts.ledger.models import Forecast, Glance, Member, Question, Revisit
from forecasts.updates.updates import NewForecast, current_forecasts, update_all
from forecasts.values.value import value_of

DEFAULT_INTERVAL = timedelta(days=14)
MOST_DAYS = 3_650
_OF_A_QUESTION = col(Revisit.question_id).is_not(None)


def set_interval(
    session: Session,
    days: int | None,
    *,
    member: Member,
    now: datetime,
    question: Question | None = None,
) -> Revisit:
    """Return the member's new review interval in days, which is written.

    It is for their forecast on ``question``, or else their default. None: back to the default.
    Refused for less than a day or more than ten years.
    """
    if question is not None:
        require(session, member, Action.see, question, now=now)
    if days is not None and not 1 <= days <= MOST_DAYS:
        raise Refused(
            f"A review interval must be 1 to {MOST_DAYS:,} days, got {days}.",
            remedy="Give a number of days, such as 7.",
        )
    return written(
        session,
        Revisit(
            member_id=member.id,
            question_id=None if question is None else question.id,
            days=days,
            recorded_at=now,
        ),
    )


@dataclass(frozen=True)
class Intervals:
    """A member's review intervals: the default, and by question where it differs."""

    default: timedelta
    by_question: Mapping[int, timedelta]

    def on(self, question_id: int) -> timedelta:
        """Return the interval for the question."""
        return self.by_question.get(question_id, self.default)


def intervals(session: Session, member: Member | None) -> Intervals:
    """Return the member's review intervals."""
    chosen = select(Revisit.question_id, Revisit.days)
    rows: Iterable[tuple[int | None, int | None]] = ()
    if member is not None:
        rows = session.exec(chosen.where(_is_current(member.id)))
    found = {id_: timedelta(days=days) for id_, days in rows if days is not None}
    default = found.pop(None, DEFAULT_INTERVAL)
    return Intervals(default, {id_: interval for id_, interval in found.items() if id_ is not None})


def distinct_days(session: Session, member_id: int) -> list[int]:
    """Return the member's intervals for single questions in days, each once."""
    chosen = select(col(Revisit.days)).distinct().where(_is_current(member_id), _OF_A_QUESTION)
    return [days for days in session.exec(chosen) if days is not None]


def questions_with_interval(member_id: int, days: int | None = None) -> Any:
    """Return the statement for the questions with an interval of ``days`` of their own, or any."""
    chosen = select(Revisit.question_id).where(_is_current(member_id), _OF_A_QUESTION)
    return chosen if days is None else chosen.where(Revisit.days == days)


def _is_current(member_id: int) -> ColumnElement[bool]:
    """Return the SQL condition: the row is the member's newest for its question, with days."""
    newest = (
        select(func.max(Revisit.id))
        .where(Revisit.member_id == member_id)
        .group_by(col(Revisit.question_id))
    )
    return col(Revisit.id).in_(newest) & col(Revisit.days).is_not(None)


def confirm_forecasts(
    session: Session, seen: Sequence[Forecast], *, member: Member, now: datetime, origin: str
) -> None:
    """Write the forecasts ``seen`` again, unchanged, so that they are no longer due for review.

    Refused, all of them, if one is no longer the member's current forecast: they would confirm a
    value that they have not seen.
    """
    current = current_forecasts(session, member, at=now, unresolved=True)
    confirmed = []
    for forecast in seen:
        question = session.get_one(Question, forecast.question_id)
        held = current.get(forecast.question_id)
        if held is None or held.id != forecast.id:
            raise Refused(
                f"Your forecast on {question.slug} has changed since you opened this list.",
                remedy="Reload the page and check it again.",
            )
        confirmed.append(NewForecast(question, value_of(held)))
    update_all(session, confirmed, member=member, now=now, origin=origin)


def mark_seen(session: Session, *, member: Member, now: datetime) -> Glance:
    """Return the mark, which is written, that the member has seen the results until now."""
    return written(session, Glance(member_id=member.id, recorded_at=now))


def seen_until(session: Session, member: Member) -> datetime | None:
    """Return the time until which the member has seen the results; None before the first mark."""
    return session.exec(
        select(Glance.recorded_at)
        .where(Glance.member_id == member.id)
        .order_by(col(Glance.id).desc())
        .limit(1)
    ).first()
