"""What a member has said about their own attention: when to look again, what they have seen.

Settings of theirs and no history of the ledger: they have no entries in the chain. Each is a new
row all the same, and the newest counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, func, select

from forecasts.access.roles import Action, require
from forecasts.common.errors import Refused
from forecasts.ledger.models import Glance, Member, Question, Revisit

USUAL = timedelta(days=14)  # until a member says otherwise
LONGEST = 3_650  # days


def revisit_every(
    session: Session,
    days: int | None,
    *,
    member: Member,
    now: datetime,
    question: Question | None = None,
) -> Revisit:
    """Return what is written: after how many days the member means to look at forecasts again.

    At theirs on that question; without one at all of theirs for which they have not said. None:
    as usual. Refused for less than a day, or more than ten years.
    """
    if question is not None:
        require(session, member, Action.see, question, now=now)
    if days is not None and not 1 <= days <= LONGEST:
        raise Refused(
            f"Forecasts are looked at again after 1 to {LONGEST} days; {days} is outside.",
            remedy="Give a number of days, such as 7.",
        )
    assert member.id is not None
    row = Revisit(
        member_id=member.id,
        question_id=None if question is None else question.id,
        days=days,
        recorded_at=now,
    )
    session.add(row)
    session.flush()
    return row


@dataclass(frozen=True)
class Intervals:
    """After how long a member looks at forecasts again: usually, and on some questions."""

    usual: timedelta
    on: Mapping[int, timedelta]

    def of(self, question_id: int) -> timedelta:
        """Return after how long they look at theirs on that question again."""
        return self.on.get(question_id, self.usual)


def intervals(session: Session, member: Member | None) -> Intervals:
    """Return after how long the member looks at their forecasts again."""
    said = {} if member is None or member.id is None else _said(session, member.id)
    usual = said.pop(None, USUAL)
    return Intervals(usual, {id_: every for id_, every in said.items() if id_ is not None})


def days_said(session: Session, member_id: int) -> list[int]:
    """Return the numbers of days that the member has said for some questions, each once."""
    said = select(col(Revisit.days)).distinct().where(_is_said(member_id))
    return [days for days in session.exec(said.where(_of_a_question())) if days is not None]


def said_for(member_id: int, days: int | None = None) -> Any:
    """Return the statement for the questions for which the member has said so many days, or any."""
    said = select(Revisit.question_id).where(_is_said(member_id), _of_a_question())
    return said if days is None else said.where(Revisit.days == days)


def _is_said(member_id: int) -> ColumnElement[bool]:
    """Return the condition that a row holds now, and says how long."""
    newest = (
        select(func.max(Revisit.id))
        .where(Revisit.member_id == member_id)
        .group_by(col(Revisit.question_id))
    )
    return col(Revisit.id).in_(newest) & col(Revisit.days).is_not(None)


def _of_a_question() -> ColumnElement[bool]:
    return col(Revisit.question_id).is_not(None)


def _said(session: Session, member_id: int) -> dict[int | None, timedelta]:
    rows = session.exec(select(Revisit.question_id, Revisit.days).where(_is_said(member_id)))
    return {question_id: timedelta(days=days) for question_id, days in rows if days is not None}


def note_seen(session: Session, *, member: Member, now: datetime) -> Glance:
    """Return what is written: that the member has seen what was resolved until now."""
    assert member.id is not None
    row = Glance(member_id=member.id, recorded_at=now)
    session.add(row)
    session.flush()
    return row


def seen_until(session: Session, member: Member) -> datetime | None:
    """Return until when the member has seen what was resolved; None: nothing yet."""
    return session.exec(
        select(Glance.recorded_at)
        .where(Glance.member_id == member.id)
        .order_by(col(Glance.id).desc())
        .limit(1)
    ).first()
