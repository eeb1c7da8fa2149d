"""The events to notify a channel about, computed from the ledger as its member may see it.

Each kind of event but news is one statement, which leaves out events that have a notice already. An
event has the time (``at``) of its close, forecast, proposal, resolution or withdrawal, so that a
question that closes again is a new event, and an update restarts the age of a forecast. News has
that of the morning on which it is told, so that there is one message a day.

Events in the past (a close, a resolution) count from the time the channel was added, and for 30
days. A pending state (a decision, an old forecast) counts whenever it began.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, true
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from forecasts.access.roles import Action, Rights, allowed_condition
from forecasts.access.visibility import question_visible, reader_rights
from forecasts.agenda.revisits import distinct_days, questions_with_interval
from forecasts.ledger.current import (
    close_time,
    has_outcome,
    is_current_outcome,
    is_newest_wording,
    is_open_proposal,
    is_superseded,
    last_forecast,
)
from forecasts.ledger.models import (
    Article,
    Channel,
    Dispute,
    Event,
    Forecast,
    Member,
    Notice,
    NoticeState,
    Question,
    QuestionRevision,
    Resolution,
    ResolutionState,
    Watch,
)
from forecasts.questions.standing import by_id
from forecasts.resolution.disputes import is_open
from forecasts.updates.updates import current_forecasts

NEWS = timedelta(days=30)  # older events are not sent, even if no run worked for that long
MORNING = timedelta(hours=6)  # in UTC: when the news of the last day is told
_DAY = timedelta(days=1)

_TEXT, _OWN = aliased(QuestionRevision), aliased(Forecast)
_TOLD = aliased(Notice)
_closes = close_time(_TEXT)
_UNRESOLVED = ~has_outcome(Question.id)

_RESOLUTIONS = (Resolution, col(Resolution.question_id) == col(Question.id))

DueEvent = tuple[Event, int, datetime]  # event, question id, ``at``


@dataclass(frozen=True)
class _Reader:
    """A channel with its member's rights, which decide on the events that it gets."""

    session: Session
    channel: Channel
    rights: Rights
    now: datetime

    def may(self, action: Action) -> ColumnElement[bool]:
        """Return the SQL condition: the member's rights allow the action on the question."""
        return allowed_condition(self.rights, action, _TEXT)

    @property
    def has_forecast(self) -> ColumnElement[bool]:
        """SQL condition: the member has forecast the question."""
        own = (_OWN.question_id == Question.id) & (_OWN.member_id == self.channel.member_id)
        return select(_OWN.id).where(own).exists()


@dataclass(frozen=True)
class _Events:
    """The statement of one kind of event: its time, its conditions, and the tables to join."""

    at: Any
    conditions: Sequence[Any]
    joins: Sequence[tuple[Any, Any]] = ()


def due(session: Session, channel: Channel, *, now: datetime) -> list[DueEvent]:
    """Return the events of the channel without a notice; the session reads for its member."""
    rights = reader_rights(session)
    assert rights is not None
    reader = _Reader(session, channel, rights, now)
    found: list[DueEvent] = []
    for event in map(Event, channel.events):
        if event == Event.news:
            found += [(event, id_, at) for id_, at in _untold_news(reader)]
            continue
        events = _EVENTS[event](reader)
        notified = (
            select(Notice.id)
            .where(
                Notice.channel_id == channel.id,
                Notice.event == event,
                col(Notice.question_id) == col(Question.id),
                col(Notice.at) == events.at,
            )
            .exists()
        )
        statement: Any = (
            select(col(Question.id), events.at)
            .select_from(Question)
            .join(_TEXT, and_(col(_TEXT.question_id) == col(Question.id), is_newest_wording(_TEXT)))
            .where(*events.conditions, question_visible(session), ~notified)
            .distinct()
            .order_by(events.at, col(Question.id))
        )
        for table, condition in events.joins:
            statement = statement.join(table, condition)
        found += [(event, question_id, at) for question_id, at in session.exec(statement)]
    return found


def _closing(reader: _Reader) -> _Events:
    """Select open questions that close soon, without the member's forecast."""
    withdrawn = last_forecast(Forecast.withdrawn, reader.channel.member_id, reader.now)
    soon = reader.now + timedelta(days=reader.channel.days_before_close)
    without_forecast = func.coalesce(withdrawn, true()).is_(True)
    return _Events(_closes, [_closes <= soon, *_is_open(reader), without_forecast])


def _stale(reader: _Reader) -> _Events:
    """Select open questions on which the member's forecast is due for review.

    By the interval of the question, or else by that of the channel.
    """
    channel, question, made = reader.channel, col(_OWN.question_id), col(_OWN.made_at)
    by_days = {
        days: questions_with_interval(channel.member_id, days)
        for days in distinct_days(reader.session, channel.member_id)
    }
    without_interval = question.not_in(questions_with_interval(channel.member_id))
    old = or_(
        without_interval & (made <= reader.now - timedelta(days=channel.days_until_stale)),
        *(
            question.in_(ids) & (made <= reader.now - timedelta(days=days))
            for days, ids in by_days.items()
        ),
    )
    is_last = col(_OWN.id) == last_forecast(Forecast.id, channel.member_id)
    own = [col(_OWN.member_id) == channel.member_id, old, ~col(_OWN.withdrawn), is_last]
    return _Events(made, [*own, *_is_open(reader)], [(_OWN, question == col(Question.id))])


def _is_open(reader: _Reader) -> list[ColumnElement[bool]]:
    """Return the SQL conditions: the question is open, and the member may forecast it."""
    has_opened = col(_TEXT.open_time) <= reader.now
    return [_closes > reader.now, has_opened, _UNRESOLVED, reader.may(Action.forecast)]


def _closed(reader: _Reader) -> _Events:
    """Select closed, unresolved questions that the member asked or forecast."""
    own = or_(col(Question.member_id) == reader.channel.member_id, reader.has_forecast)
    since = max(reader.channel.recorded_at, reader.now - NEWS)
    return _Events(_closes, [_closes > since, _closes <= reader.now, _UNRESOLVED, own])


def _awaiting(reader: _Reader) -> _Events:
    """Select closed, unresolved questions that the member may resolve."""
    return _Events(_closes, [_closes <= reader.now, _UNRESOLVED, reader.may(Action.resolve)])


def _decision(reader: _Reader) -> _Events:
    """Select questions with a proposed outcome that the member may decide on."""
    conditions = [is_open_proposal(), reader.may(Action.resolve)]
    return _Events(col(Resolution.recorded_at), conditions, [_RESOLUTIONS])


def _disputed(reader: _Reader) -> _Events:
    """Select questions with a dispute that the member may decide."""
    disputes = (Dispute, col(Dispute.resolution_id) == col(Resolution.id))
    conditions = [is_open(), reader.may(Action.resolve)]
    return _Events(col(Dispute.recorded_at), conditions, [_RESOLUTIONS, disputes])


def _parked(reader: _Reader) -> _Events:
    """Select parked questions that the member may resolve."""
    parked_at, watches = col(Watch.parked_at), (Watch, col(Watch.question_id) == col(Question.id))
    conditions = [parked_at.is_not(None), _UNRESOLVED, reader.may(Action.resolve)]
    return _Events(parked_at, conditions, [watches])


def _resolved(reader: _Reader) -> _Events:
    """Select resolved or corrected questions that the member forecast.

    Also those whose outcome was withdrawn, if the channel may have been told of an outcome.
    """
    recorded_at, channel = col(Resolution.recorded_at), reader.channel
    later = recorded_at > channel.recorded_at
    if channel.after_resolution is not None:
        # A run writes the time of its start, which may be before the channel was added.
        later |= col(Resolution.id) > channel.after_resolution
    told = (
        select(_TOLD.id)
        .where(
            col(_TOLD.channel_id) == channel.id,
            col(_TOLD.event) == Event.resolved,
            col(_TOLD.question_id) == col(Question.id),
            col(_TOLD.state).in_([NoticeState.sent, NoticeState.sending]),
        )
        .exists()
    )
    withdrawn = (col(Resolution.state) == ResolutionState.withdrawn) & ~is_superseded() & told
    current = is_current_outcome() | withdrawn
    conditions = [recorded_at > reader.now - NEWS, later, current, reader.has_forecast]
    return _Events(recorded_at, conditions, [_RESOLUTIONS])


def _untold_news(reader: _Reader) -> list[tuple[int, datetime]]:
    """Return the questions with news of the day before this morning, if it was not told."""
    midnight = reader.now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    morning = midnight + MORNING
    if morning > reader.now:
        morning -= _DAY
    channel, of = reader.channel, Notice.event == Event.news
    told = select(Notice.id).where(Notice.channel_id == channel.id, of, Notice.at == morning)
    if channel.recorded_at > morning or reader.session.exec(told.limit(1)).first() is not None:
        return []
    member = reader.session.get_one(Member, channel.member_id)
    return [(id_, morning) for id_ in news_of(reader.session, member, morning)]


def news_of(session: Session, member: Member, morning: datetime) -> dict[int, Article]:
    """Return by question the newest article of the day before a morning that waits for the member.

    On questions that they have forecast, as Today lists them.
    """
    from forecasts.news.inbox import newest_suggestions  # it loads SciPy, which others need not

    forecasts = current_forecasts(session, member, at=morning, unresolved=True)
    states = by_id(session, sorted(forecasts), now=morning)
    mine = {id_: (state, forecasts[id_]) for id_, state in states.items()}
    found = newest_suggestions(session, member, mine, now=morning)
    return {id_: one for id_, (_, one) in found.items() if one.captured_at > morning - _DAY}


_EVENTS: dict[Event, Callable[[_Reader], _Events]] = {
    Event.resolved: _resolved,
    Event.decision: _decision,
    Event.disputed: _disputed,
    Event.parked: _parked,
    Event.awaiting: _awaiting,
    Event.closing: _closing,
    Event.stale: _stale,
    Event.closed: _closed,
}
