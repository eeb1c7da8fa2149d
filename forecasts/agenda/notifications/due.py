"""The events to notify a channel about, computed from the ledger as its member may see it.

Events with a notice already are left out. An event has the time (``at``) of its close, forecast,
proposal, resolution or withdrawal, so that a question that closes again is a new event, and an
update restarts the age of a forecast.

Events in the past (a close, a resolution) count from the time the channel was added, and for 30
days. A pending state (a decision, an old forecast) counts whenever it began.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from forecasts.access.roles import Action, allows, member_rights
from forecasts.access.visibility import question_visible
from forecasts.agenda.revisits import intervals
from forecasts.ledger.current import is_current_outcome, is_open_proposal, is_superseded
from forecasts.ledger.models import (
    Channel,
    Event,
    Forecast,
    Member,
    Notice,
    NoticeState,
    Question,
    Resolution,
    ResolutionState,
    Watch,
)
from forecasts.questions.standing import by_id, outlines
from forecasts.resolution.disputes import open_disputes
from forecasts.updates.updates import current_forecasts

NEWS = timedelta(days=30)  # older events are not sent, even if no run worked for that long

DueEvent = tuple[Event, int, datetime]  # event, question id, ``at``


def due(session: Session, channel: Channel, *, now: datetime) -> list[DueEvent]:
    """Return the events of the channel without a notice; the session reads for its member."""
    member = session.get_one(Member, channel.member_id)
    rows = session.exec(
        select(Notice.event, Notice.question_id, Notice.at, Notice.state).where(
            Notice.channel_id == channel.id
        )
    )
    notices = {(Event(event), question_id, at): state for event, question_id, at, state in rows}
    forecast = set(
        session.exec(select(Forecast.question_id).where(Forecast.member_id == member.id).distinct())
    )
    # An outcome that the member was told of, or may have been: its withdrawal is an event.
    heard = {
        question_id
        for (event, question_id, _), state in notices.items()
        if event == Event.resolved and state in (NoticeState.sent, NoticeState.sending)
    }
    found = {
        *_of_unresolved(session, channel, member, forecast, now),
        *_disputed(session, member, now),
        *_resolved(session, channel, forecast, heard, now),
    }
    order = [Event(event) for event in channel.events]
    new = [one for one in found - notices.keys() if one[0] in order]
    return sorted(new, key=lambda one: (order.index(one[0]), one[2], one[1]))


def _of_unresolved(
    session: Session, channel: Channel, member: Member, forecast: set[int], now: datetime
) -> Iterator[DueEvent]:
    """Yield the events of questions without an outcome; ``forecast``: those the member forecast."""
    rights = member_rights(session, member, now=now)
    mine = current_forecasts(session, member, at=now, unresolved=True)
    asked = set(session.exec(select(Question.id).where(Question.member_id == member.id)))
    review = intervals(session, member).by_question
    usual = timedelta(days=channel.days_until_stale)
    soon = now + timedelta(days=channel.days_before_close)
    since = max(channel.recorded_at, now - NEWS)
    waiting: dict[int, list[tuple[Event, datetime]]] = defaultdict(list)
    for id_, at in session.exec(
        select(Resolution.question_id, Resolution.recorded_at).where(is_open_proposal())
    ):
        waiting[id_].append((Event.decision, at))
    for id_, parked_at in session.exec(
        select(Watch.question_id, Watch.parked_at).where(col(Watch.parked_at).is_not(None))
    ):
        waiting[id_] += [] if parked_at is None else [(Event.parked, parked_at)]
    for one in outlines(session):
        closes, is_own = one.close_time, one.id in asked
        if rights.allows(Action.resolve, one.team_id, own=is_own):
            yield from ((event, one.id, at) for event, at in waiting[one.id])
            if closes <= now:
                yield Event.awaiting, one.id, closes
        if since < closes <= now and (is_own or one.id in forecast):
            yield Event.closed, one.id, closes
        if not one.accepts_forecasts(now) or not rights.allows(Action.forecast, one.team_id):
            continue
        if one.id not in mine:
            if closes <= soon:
                yield Event.closing, one.id, closes
        elif mine[one.id].made_at <= now - review.get(one.id, usual):
            yield Event.stale, one.id, mine[one.id].made_at


def _disputed(session: Session, member: Member, now: datetime) -> Iterator[DueEvent]:
    """Yield the disputes that the member may decide."""
    rights = member_rights(session, member, now=now)
    disputes = open_disputes(session)
    states = by_id(session, [question.id for _, _, question in disputes], now=now)
    for dispute, _, question in disputes:
        if allows(rights, Action.resolve, question, states[question.id].text):
            yield Event.disputed, question.id, dispute.recorded_at


def _resolved(
    session: Session, channel: Channel, forecast: set[int], heard: set[int], now: datetime
) -> Iterator[DueEvent]:
    """Yield the new and corrected outcomes of questions that the member forecast.

    Also their withdrawals, where the channel may have been told of an outcome (``heard``).
    """
    withdrawn = (col(Resolution.state) == ResolutionState.withdrawn) & ~is_superseded()
    for row in session.exec(
        select(Resolution).where(
            Resolution.recorded_at > now - NEWS,
            is_current_outcome() | withdrawn,
            question_visible(session, Resolution.question_id),
        )
    ):
        # A run writes the time of its start, which may be before the channel was added.
        after = channel.after_resolution
        is_new = row.recorded_at > channel.recorded_at or (after is not None and row.id > after)
        told = row.state != ResolutionState.withdrawn or row.question_id in heard
        if is_new and told and row.question_id in forecast:
            yield Event.resolved, row.question_id, row.recorded_at
