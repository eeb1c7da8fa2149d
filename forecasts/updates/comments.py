"""Comments: on a question, or as the reasons of a forecast that was just made.

A forecast is never changed, so reasons that arrive after it are a comment linked to it; pages show
both alike. A bot that first forecasts and then explains itself needs that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from forecasts.access import visibility
from forecasts.access.roles import Action, require
from forecasts.common.errors import BadInput
from forecasts.common.limits import require_prose
from forecasts.ledger.append import written
from forecasts.ledger.models import Comment, Forecast, Member, Question
from forecasts.updates.updates import REPEATED_WITHIN, current_forecast

EXPLAINS_WITHIN = timedelta(minutes=10)


@dataclass(frozen=True)
class Remark:
    """A comment with its author."""

    comment: Comment
    author: Member


def comment(
    session: Session,
    question: Question,
    text: str,
    *,
    member: Member,
    now: datetime,
    explains_forecast: bool = False,
    private: bool = False,
) -> Comment:
    """Return the new comment, which is written; one repeated within ``REPEATED_WITHIN`` is not.

    ``explains_forecast``: it gives the reasons of the member's current forecast, if that was made
    within ``EXPLAINS_WITHIN``; it is then as visible as the forecast. ``private``: of any other
    comment, see ``visibility.comment_visible``. The member must be a forecaster. BadInput for a
    blank text or one that is too long.
    """
    require(session, member, Action.forecast, question, now=now)
    visibility.require_visible(session, question)
    if not text.strip():
        raise BadInput("The comment has no text.", remedy="Write one.")
    require_prose(text, "The comment")
    forecast = None
    if explains_forecast:
        current = current_forecast(session, question, member, at=now)
        if current is not None and now - current.made_at <= EXPLAINS_WITHIN:
            forecast = current
    row = Comment(
        question_id=question.id,
        member_id=member.id,
        forecast_id=None if forecast is None else forecast.id,
        private=private and forecast is None,
        text=text.strip(),
        recorded_at=now,
    )
    return _repeated(session, row) or written(session, row)


def _repeated(session: Session, row: Comment) -> Comment | None:
    """Return the same comment from within ``REPEATED_WITHIN``: its answer may have been lost."""
    same = select(Comment).where(
        Comment.question_id == row.question_id,
        Comment.member_id == row.member_id,
        col(Comment.forecast_id).is_not_distinct_from(row.forecast_id),
        Comment.private == row.private,
        Comment.text == row.text,
        col(Comment.recorded_at) > row.recorded_at - REPEATED_WITHIN,
    )
    return session.exec(same).first()


def remarks(session: Session, question: Question) -> list[Remark]:
    """Return the question's comments that the session's reader may see, oldest first."""
    visibility.require_visible(session, question)
    rows = session.exec(
        select(Comment, Member)
        .join(Member, col(Member.id) == col(Comment.member_id))
        .where(Comment.question_id == question.id, visibility.comment_visible(session, question))
        .order_by(col(Comment.id))
    )
    return [Remark(row, author) for row, author in rows]


def by_forecast(found: list[Remark]) -> dict[int, list[Remark]]:
    """Return the comments that give a forecast's reasons, by its id."""
    explained: dict[int, list[Remark]] = defaultdict(list)
    for one in found:
        if one.comment.forecast_id is not None:
            explained[one.comment.forecast_id].append(one)
    return dict(explained)


def reasons(forecast: Forecast, explained: Mapping[int, list[Remark]]) -> list[str]:
    """Return a forecast's reasons: its rationale, and the comments that explain it."""
    later = [one.comment.text for one in explained.get(forecast.id, [])]
    return [forecast.rationale, *later] if forecast.rationale else later
