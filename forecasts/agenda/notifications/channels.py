"""Where a member is told of what. A channel is its member's own: nobody else reads or changes it.

Its address is secret, as it lets one write there: it is shown to nobody again, is left out of what
a member is handed over, and is emptied when the channel is removed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, func, select

from forecasts.access.roles import is_shared_ledger
from forecasts.agenda.notifications import apprise_gateway
from forecasts.agenda.revisits import intervals
from forecasts.common.errors import BadInput, NotFound, Refused
from forecasts.common.limits import require_name
from forecasts.ledger.models import (
    Channel,
    Event,
    Member,
    Notice,
    NoticeState,
    Resolution,
)

DAYS_BEFORE_CLOSE = 2.0
MOST = 10  # channels of one member
_LONGEST = 3_650.0  # days

SAYS = {
    Event.resolved: "a question that you forecast on is resolved, and what you earned",
    Event.decision: "an outcome waits for a decision that you may make",
    Event.disputed: "an outcome that you may decide on is disputed",
    Event.parked: "a resolver has failed, and waits for somebody like you",
    Event.awaiting: "a question that you may resolve has closed",
    Event.closing: "a question closes soon without your forecast",
    Event.stale: "your forecast is old",
    Event.closed: "a question of yours, or that you forecast on, has closed",
}


@dataclass(frozen=True)
class Listed:
    """A channel as its member may see it: ``service`` is all that is shown of its address.

    ``waiting``: notices to be sent still. ``unsure``: that may not have arrived. ``failed``: that
    were given up; ``reason``: why the last of them was not sent.
    """

    name: str
    service: str
    events: tuple[Event, ...]
    days_before_close: float
    days_until_stale: float
    sent: int
    waiting: int
    unsure: int
    failed: int
    reason: str


def add(
    session: Session,
    name: str,
    address: str,
    *,
    member: Member,
    now: datetime,
    events: Sequence[str] = tuple(Event),
    days_before_close: float = DAYS_BEFORE_CLOSE,
    days_until_stale: float | None = None,
    allow_private: bool = False,
) -> Channel:
    """Return the new channel of the member's, which is told of what happens from now on.

    ``days_until_stale``: None for after how long they look at forecasts again (``attention``).
    BadInput for what cannot be read, Refused for what must not be used, for a name that one of
    theirs has, and beyond ``MOST``. None of them repeats the address.
    """
    name = name.strip()
    if not name or not name.isprintable():
        raise BadInput(f"{name!r} is no name of a channel.", remedy="Call it phone, or mail.")
    require_name(name, "The name of the channel")
    own = _own(session, member)
    if name in [channel.name for channel in own]:
        raise Refused(
            f"You have a channel {name!r} already.",
            remedy="Remove it first, or give this one another name.",
        )
    if len(own) >= MOST:
        raise Refused(f"You have {MOST} channels, and no more are kept.", remedy="Remove one.")
    require_name(address, "The address")
    apprise_gateway.check(address, allow_private=allow_private, shared=is_shared_ledger(session))
    assert member.id is not None
    if days_until_stale is None:
        days_until_stale = intervals(session, member).usual / timedelta(days=1)
    channel = Channel(
        member_id=member.id,
        name=name,
        secret_url=address.strip(),
        events=_events(events),
        days_before_close=_days(days_before_close),
        days_until_stale=_days(days_until_stale),
        recorded_at=now,
        after_resolution=session.exec(select(func.max(col(Resolution.id)))).one() or 0,
    )
    session.add(channel)
    session.flush()
    return channel


def change(
    session: Session,
    name: str,
    *,
    member: Member,
    events: Sequence[str] | None = None,
    days_before_close: float | None = None,
    days_until_stale: float | None = None,
) -> Channel:
    """Return the member's channel of that name, changed in what is given; NotFound without it."""
    channel = find(session, name, member=member)
    if events is not None:
        channel.events = _events(events)
    if days_before_close is not None:
        channel.days_before_close = _days(days_before_close)
    if days_until_stale is not None:
        channel.days_until_stale = _days(days_until_stale)
    session.add(channel)
    session.flush()
    return channel


def remove(session: Session, name: str, *, member: Member, now: datetime) -> Channel:
    """Return the member's channel, which is told no more; its address is forgotten."""
    channel = find(session, name, member=member)
    channel.secret_url = ""
    channel.removed_at = now
    session.add(channel)
    session.flush()
    return channel


def find(session: Session, name: str, *, member: Member | None) -> Channel:
    """Return the member's channel of that name; NotFound where they have none."""
    own = [] if member is None else _own(session, member)
    for channel in own:
        if channel.name == name:
            return channel
    known = ", ".join(channel.name for channel in own)
    raise NotFound(
        f"You have no channel {name!r}.",
        remedy=f"Yours: {known}." if known else "Add one: forecasts notify add NAME ADDRESS",
    )


def listing(session: Session, *, member: Member | None, now: datetime) -> list[Listed]:
    """Return the member's channels, in the order in which they were added."""
    own = [] if member is None else _own(session, member)
    counts: dict[tuple[int, str], int] = {}
    reasons: dict[int, str] = {}
    ids = [channel.id for channel in own]
    unsure = col(Notice.claimed_until) < now
    for id_, state, beyond, count in session.exec(
        select(Notice.channel_id, Notice.state, unsure, func.count())
        .where(col(Notice.channel_id).in_(ids))
        .group_by(col(Notice.channel_id), col(Notice.state), unsure)
    ):
        state = "unsure" if state == NoticeState.sending and beyond else state
        counts[id_, state] = counts.get((id_, state), 0) + count
    for id_, reason in session.exec(
        select(Notice.channel_id, Notice.reason)
        .where(col(Notice.channel_id).in_(ids), Notice.reason != "", _is_under_way())
        .order_by(col(Notice.id))
    ):
        reasons[id_] = reason
    return [
        Listed(
            name=channel.name,
            service=f"{apprise_gateway.scheme_of(channel.secret_url)}://…",
            events=tuple(map(Event, channel.events)),
            days_before_close=channel.days_before_close,
            days_until_stale=channel.days_until_stale,
            sent=counts.get((channel.id or 0, "sent"), 0),
            waiting=counts.get((channel.id or 0, "due"), 0)
            + counts.get((channel.id or 0, "sending"), 0),
            unsure=counts.get((channel.id or 0, "unsure"), 0),
            failed=counts.get((channel.id or 0, "failed"), 0),
            reason=reasons.get(channel.id or 0, ""),
        )
        for channel in own
    ]


def _is_under_way() -> ColumnElement[bool]:
    return col(Notice.state).in_([NoticeState.due, NoticeState.sending, NoticeState.failed])


def _own(session: Session, member: Member) -> list[Channel]:
    return list(
        session.exec(
            select(Channel)
            .where(Channel.member_id == member.id, col(Channel.removed_at).is_(None))
            .order_by(col(Channel.id))
        )
    )


def _events(given: Sequence[str]) -> list[str]:
    unknown = [event for event in given if event not in list(Event)]
    if unknown or not given:
        raise BadInput(
            f"{unknown[0]!r} is nothing that a channel is told of."
            if unknown
            else "The channel would be told of nothing.",
            remedy=f"Name some of: {', '.join(Event)}.",
        )
    return [event for event in Event if event in given]


def _days(given: float) -> float:
    if not 0 < given <= _LONGEST:
        raise BadInput(f"{given:g} days: it takes more than 0, and at most {_LONGEST:,.0f}.")
    return given
