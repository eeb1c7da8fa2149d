"""A member's notification channels. Nobody else can read or change them.

A channel's address is a secret, since anyone who has it can write there. It is never shown again,
not even in the export of the member's data, and is deleted with the channel.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine
from sqlmodel import Session, col, func, select

from forecasts.access.roles import is_shared_ledger
from forecasts.agenda.notifications import apprise_adapter
from forecasts.agenda.revisits import intervals
from forecasts.common.errors import BadInput, NotFound, Refused, Remedy
from forecasts.common.limits import require_name
from forecasts.common.sealed_secrets import MARK, can_seal, seal, unseal
from forecasts.ledger.append import written
from forecasts.ledger.current import in_order
from forecasts.ledger.database import reading, writing
from forecasts.ledger.models import Channel, Event, Member, Notice, NoticeState, Resolution
from forecasts.ledger.urls import is_embedded

DAYS_BEFORE_CLOSE = 2.0
MOST_CHANNELS = 10  # of one member
_MOST_DAYS = 3_650.0

DESCRIPTIONS = {
    Event.resolved: "a question you forecast is resolved, or its outcome is withdrawn",
    Event.decision: "a proposed outcome needs your decision",
    Event.disputed: "an outcome you may decide on is disputed",
    Event.parked: "a resolver failed and needs attention",
    Event.awaiting: "a question you may resolve has closed",
    Event.closing: "a question closes soon without your forecast",
    Event.stale: "your forecast is due for review",
    Event.news: "each morning, if there is news: the newest article on each question you forecast",
    Event.closed: "a question you asked or forecast has closed",
}


@dataclass(frozen=True)
class ChannelInfo:
    """A channel as its member sees it, with the scheme of its address alone as ``service``.

    Its notices by state: ``sent``; ``waiting`` to be sent; ``unsure``, which may not have arrived;
    ``failed``, given up. ``reason``: the newest error.
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
    events: Sequence[str] | None = None,
    days_before_close: float | None = None,
    days_until_stale: float | None = None,
    allow_private: bool = False,
) -> Channel:
    """Return the member's new channel, which is written, for events from now on.

    All events by default; ``days_until_stale`` defaults to the member's review interval, and
    ``days_before_close`` to 2. BadInput for an address that
    cannot be read; Refused for one that is not allowed, for a name in use, and for more than
    ``MOST_CHANNELS``. No error repeats the address.
    """
    name = name.strip()
    if not name or not name.isprintable():
        raise BadInput(f"{name!r} is not a name for a channel.", remedy="Use a word such as phone.")
    require_name(name, "The name of the channel")
    own = _own(session, member)
    if name in [channel.name for channel in own]:
        raise Refused(
            f"You have a channel {name!r} already.",
            remedy="Remove it first, or choose another name.",
        )
    if len(own) >= MOST_CHANNELS:
        raise Refused(
            f"You have {MOST_CHANNELS} channels, and no more are allowed.", remedy="Remove one."
        )
    require_name(address, "The address")
    apprise_adapter.check(address, allow_private=allow_private, shared=is_shared_ledger(session))
    channel = Channel(
        member_id=member.id,
        name=name,
        secret_url=seal(address.strip(), in_a_file=is_embedded(session.get_bind())),
        events=list(Event),
        days_before_close=DAYS_BEFORE_CLOSE,
        days_until_stale=intervals(session, member).default / timedelta(days=1),
        recorded_at=now,
        after_resolution=session.exec(select(func.max(col(Resolution.id)))).one() or 0,
    )
    return _set(session, channel, events, days_before_close, days_until_stale)


def change(
    session: Session,
    name: str,
    *,
    member: Member,
    events: Sequence[str] | None = None,
    days_before_close: float | None = None,
    days_until_stale: float | None = None,
) -> Channel:
    """Return the member's channel with the given settings changed; NotFound without it."""
    channel = find(session, name, member=member)
    return _set(session, channel, events, days_before_close, days_until_stale)


def _set(
    session: Session,
    channel: Channel,
    events: Sequence[str] | None,
    days_before_close: float | None,
    days_until_stale: float | None,
) -> Channel:
    if events is not None:
        channel.events = _events(events)
    if days_before_close is not None:
        channel.days_before_close = _days(days_before_close)
    if days_until_stale is not None:
        channel.days_until_stale = _days(days_until_stale)
    return written(session, channel)


def remove(session: Session, name: str, *, member: Member, now: datetime) -> Channel:
    """Return the member's channel, which is removed; its address is deleted."""
    channel = find(session, name, member=member)
    channel.secret_url = ""
    channel.removed_at = now
    return written(session, channel)


def find(session: Session, name: str, *, member: Member | None) -> Channel:
    """Return the member's channel of that name; NotFound without it."""
    own = _own(session, member)
    for channel in own:
        if channel.name == name:
            return channel
    names = ", ".join(channel.name for channel in own)
    raise NotFound(
        f"You have no channel {name!r}.",
        remedy=f"Yours: {names}."
        if names
        else Remedy("To add one: {}", "notify add", "NAME", "ADDRESS"),
    )


def listing(session: Session, *, member: Member | None, now: datetime) -> list[ChannelInfo]:
    """Return the member's channels in the order they were added."""
    own = _own(session, member)
    counts = Counter[tuple[int, str]]()
    ids = [channel.id for channel in own]
    expired = col(Notice.claimed_until) < now
    for id_, state, is_expired, count in session.exec(
        select(Notice.channel_id, Notice.state, expired, func.count())
        .where(col(Notice.channel_id).in_(ids))
        .group_by(col(Notice.channel_id), col(Notice.state), expired)
    ):
        state = "unsure" if state == NoticeState.sending and is_expired else state
        counts[id_, state] += count
    unsent = col(Notice.state).in_([NoticeState.due, NoticeState.sending, NoticeState.failed])
    reasons = dict(
        session.exec(
            select(Notice.channel_id, Notice.reason)
            .where(col(Notice.channel_id).in_(ids), Notice.reason != "", unsent)
            .order_by(col(Notice.id))
        ).all()
    )
    return [
        ChannelInfo(
            name=channel.name,
            service=_service(channel),
            events=tuple(map(Event, channel.events)),
            days_before_close=channel.days_before_close,
            days_until_stale=channel.days_until_stale,
            sent=counts[channel.id, "sent"],
            waiting=counts[channel.id, "due"] + counts[channel.id, "sending"],
            unsure=counts[channel.id, "unsure"],
            failed=counts[channel.id, "failed"],
            reason=reasons.get(channel.id, ""),
        )
        for channel in own
    ]


def address_of(channel: Channel) -> str:
    """Return the address of a channel; Refused without the key that it is encrypted with."""
    return unseal(channel.secret_url)


def seal_addresses(engine: Engine) -> None:
    """Encrypt the addresses that are stored as they are, if there is a key for it."""
    kept = select(Channel).where(col(Channel.removed_at).is_(None))
    kept = kept.where(~col(Channel.secret_url).startswith(MARK))
    with reading(engine) as session:
        if not can_seal(in_a_file=is_embedded(engine)) or session.exec(kept).first() is None:
            return
    with writing(engine) as session:
        for channel in session.exec(kept).all():
            channel.secret_url = seal(channel.secret_url, in_a_file=is_embedded(engine))
            written(session, channel)


def service_of(channel: Channel) -> str:
    """Return the scheme and host of a channel's address; blank without its key."""
    try:
        return apprise_adapter.service_of(address_of(channel))
    except Refused:
        return ""


def _service(channel: Channel) -> str:
    scheme = apprise_adapter.scheme_of(service_of(channel))
    return f"{scheme}://…" if scheme else "its key is lost: remove it, and add it again"


def _own(session: Session, member: Member | None) -> list[Channel]:
    if member is None:
        return []
    kept = col(Channel.removed_at).is_(None)
    return in_order(session, Channel, Channel.member_id == member.id, kept)


def _events(given: Sequence[str]) -> list[str]:
    unknown = [event for event in given if event not in list(Event)]
    if unknown or not given:
        raise BadInput(
            f"A channel has no event {unknown[0]!r}."
            if unknown
            else "A channel needs at least one event.",
            remedy=f"Choose from: {', '.join(Event)}.",
        )
    return [event for event in Event if event in given]


def _days(given: float) -> float:
    if not 0 < given <= _MOST_DAYS:
        raise BadInput(
            f"The number of days must be above 0 and at most {_MOST_DAYS:,.0f}, got {given:g}."
        )
    return given
