"""The events to notify a channel about, computed from the ledger as its member may see it.

Each kind of event is one statement, which leaves out events that have a notice already. An event
has the time (``at``) of its close, forecast, proposal or resolution, so that a question that closes
again is a new event, and an update restarts the age of a forecast.

Events in the past (a close, a resolution) count from the time the channel was added, and for 30
days. A pending state (a decision, an old forecast) counts whenever it began.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, true
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from forecasts.access.roles import Action, Rights, allowed_condition
from forecasts.access.visibility import question_visible, reader_rights
from forecasts.agenda.revisits import distinct_days, questions_with_interval
from forecasts.ledger.current import (
    has_outcome,
    is_current_outcome,
    is_newest_wording,
    is_open_proposal,
)
from forecasts.ledger.models import (
    Channel,
    Dispute,
    Event,
    Forecast,
    Notice,
    Question,
    QuestionRevision,
    Resolution,
    Watch,
)
from forecasts.resolution.disputes import is_open

NEWS = timedelta(days=30)  # older events are not sent, even if no run worked for that long

_TEXT, _OWN, _NEXT = (
    aliased(QuestionRevision),
    aliased(Forecast),
    aliased(Forecast),
)
_closes = func.coalesce(_TEXT.actual_close_time, _TEXT.scheduled_close_time)
_UNRESOLVED = ~has_outcome(Question.id)

_RESOLUTIONS = (Resolution, col(Resolution.question_id) == col(Question.id))

DueEvent = tuple[Event, int, datetime]  # event, question id, ``at``


def due(session: Session, channel: Channel, *, now: datetime) -> list[DueEvent]:
    """Return the events of the channel without a notice; the session reads for its member."""
    reader = reader_rights(session)
    assert reader is not None
    found: list[DueEvent] = []
    for event in map(Event, channel.events):
        statement = _STATEMENTS[event](session, channel, reader, now)
        found += [(event, question_id, at) for question_id, at in session.exec(statement)]
    return found


def _closing(session: Session, channel: Channel, reader: Rights, now: datetime) -> Any:
    """Select open questions that close soon, without the member's forecast."""
    has_forecast = (
        select(~col(_OWN.withdrawn))
        .where(
            col(_OWN.question_id) == col(Question.id),
            col(_OWN.member_id) == channel.member_id,
            col(_OWN.made_at) <= now,
        )
        .order_by(col(_OWN.made_at).desc(), col(_OWN.id).desc())
        .limit(1)
        .scalar_subquery()
    )
    soon = now + timedelta(days=channel.days_before_close)
    return _on_questions(
        session,
        channel,
        Event.closing,
        _closes,
        _closes > now,
        _closes <= soon,
        col(_TEXT.open_time) <= now,
        _UNRESOLVED,
        allowed_condition(reader, Action.forecast, _TEXT),
        func.coalesce(has_forecast, ~true()).is_(False),
    )


def _stale(session: Session, channel: Channel, reader: Rights, now: datetime) -> Any:
    """Select open questions on which the member's forecast is due for review.

    By the interval of the question, or else by that of the channel.
    """
    replaced = (
        select(_NEXT.id)
        .where(
            col(_NEXT.question_id) == col(_OWN.question_id),
            col(_NEXT.member_id) == col(_OWN.member_id),
            or_(
                col(_NEXT.made_at) > col(_OWN.made_at),
                and_(col(_NEXT.made_at) == col(_OWN.made_at), col(_NEXT.id) > col(_OWN.id)),
            ),
        )
        .exists()
    )
    question, made = col(_OWN.question_id), col(_OWN.made_at)
    by_days = {
        days: questions_with_interval(channel.member_id, days)
        for days in distinct_days(session, channel.member_id)
    }
    without_interval = question.not_in(questions_with_interval(channel.member_id))
    old = or_(
        without_interval & (made <= now - timedelta(days=channel.days_until_stale)),
        *(
            question.in_(ids) & (made <= now - timedelta(days=days))
            for days, ids in by_days.items()
        ),
    )
    return _on_questions(
        session,
        channel,
        Event.stale,
        col(_OWN.made_at),
        col(_OWN.member_id) == channel.member_id,
        old,
        ~col(_OWN.withdrawn),
        _closes > now,
        col(_TEXT.open_time) <= now,
        _UNRESOLVED,
        allowed_condition(reader, Action.forecast, _TEXT),
        ~replaced,
        joins=[(_OWN, col(_OWN.question_id) == col(Question.id))],
    )


def _closed(session: Session, channel: Channel, _reader: Rights, now: datetime) -> Any:
    """Select closed, unresolved questions that the member asked or forecast."""
    return _on_questions(
        session,
        channel,
        Event.closed,
        _closes,
        _closes > _since(channel, now),
        _closes <= now,
        _UNRESOLVED,
        or_(col(Question.member_id) == channel.member_id, _has_forecast(channel)),
    )


def _awaiting(session: Session, channel: Channel, reader: Rights, now: datetime) -> Any:
    """Select closed, unresolved questions that the member may resolve."""
    return _on_questions(
        session,
        channel,
        Event.awaiting,
        _closes,
        _closes <= now,
        _UNRESOLVED,
        allowed_condition(reader, Action.resolve, _TEXT),
    )


def _decision(session: Session, channel: Channel, reader: Rights, _now: datetime) -> Any:
    """Select questions with a proposed outcome that the member may decide on."""
    return _on_questions(
        session,
        channel,
        Event.decision,
        col(Resolution.recorded_at),
        is_open_proposal(),
        allowed_condition(reader, Action.resolve, _TEXT),
        joins=[_RESOLUTIONS],
    )


def _disputed(session: Session, channel: Channel, reader: Rights, _now: datetime) -> Any:
    """Select questions with a dispute that the member may decide."""
    return _on_questions(
        session,
        channel,
        Event.disputed,
        col(Dispute.recorded_at),
        is_open(),
        allowed_condition(reader, Action.resolve, _TEXT),
        joins=[_RESOLUTIONS, (Dispute, col(Dispute.resolution_id) == col(Resolution.id))],
    )


def _parked(session: Session, channel: Channel, reader: Rights, _now: datetime) -> Any:
    """Select parked questions that the member may resolve."""
    return _on_questions(
        session,
        channel,
        Event.parked,
        col(Watch.parked_at),
        col(Watch.parked_at).is_not(None),
        _UNRESOLVED,
        allowed_condition(reader, Action.resolve, _TEXT),
        joins=[(Watch, col(Watch.question_id) == col(Question.id))],
    )


def _resolved(session: Session, channel: Channel, _reader: Rights, now: datetime) -> Any:
    """Select resolved or corrected questions that the member forecast."""
    later = col(Resolution.recorded_at) > channel.recorded_at
    if channel.after_resolution is not None:
        # A run writes the time of its start, which may be before the channel was added.
        later |= col(Resolution.id) > channel.after_resolution
    return _on_questions(
        session,
        channel,
        Event.resolved,
        col(Resolution.recorded_at),
        col(Resolution.recorded_at) > now - NEWS,
        later,
        is_current_outcome(),
        _has_forecast(channel),
        joins=[_RESOLUTIONS],
    )


_STATEMENTS: dict[Event, Callable[[Session, Channel, Rights, datetime], Any]] = {
    Event.resolved: _resolved,
    Event.decision: _decision,
    Event.disputed: _disputed,
    Event.parked: _parked,
    Event.awaiting: _awaiting,
    Event.closing: _closing,
    Event.stale: _stale,
    Event.closed: _closed,
}


def _since(channel: Channel, now: datetime) -> datetime:
    return max(channel.recorded_at, now - NEWS)


def _has_forecast(channel: Channel) -> ColumnElement[bool]:
    return (
        select(_OWN.id)
        .where(
            col(_OWN.question_id) == col(Question.id),
            col(_OWN.member_id) == channel.member_id,
        )
        .exists()
    )


def _on_questions(
    session: Session,
    channel: Channel,
    event: Event,
    at: Any,
    *conditions: Any,
    joins: Sequence[tuple[Any, Any]] = (),
) -> Any:
    """Return the statement for the questions with ``at`` that have no notice of the event yet."""
    notified = (
        select(Notice.id)
        .where(
            Notice.channel_id == channel.id,
            Notice.event == event,
            col(Notice.question_id) == col(Question.id),
            col(Notice.at) == at,
        )
        .exists()
    )
    statement = (
        select(col(Question.id), at)
        .select_from(Question)
        .join(_TEXT, and_(col(_TEXT.question_id) == col(Question.id), is_newest_wording(_TEXT)))
        .where(*conditions, question_visible(session), ~notified)
        .distinct()
        .order_by(at, col(Question.id))
    )
    for table, condition in joins:
        statement = statement.join(table, condition)
    return statement
