"""Send notifications: each event once to a channel, with the result recorded.

1. For each channel, in one transaction: write its due events as notices, and claim all due notices
   for one message by a conditional UPDATE with a lease.
2. Send the message outside any transaction.
3. In another transaction: record the result, if the claim is still this run's.

A run that is killed before step 1 has sent nothing, and the next run sends it. After step 1 nobody
knows whether the message was sent, so its notices are not sent again by themselves; when the lease
has ended they count as undelivered, and ``resend`` makes them due. A failed message is tried again
after longer and longer pauses, together with newer events.
"""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Engine, insert, or_, update
from sqlmodel import Session, col, func, select

from forecasts.access import roles, visibility
from forecasts.agenda.notifications import apprise_adapter, channels
from forecasts.agenda.notifications.apprise_adapter import Delivery
from forecasts.agenda.notifications.due import due
from forecasts.agenda.notifications.message import Message, compose
from forecasts.common.errors import Refused
from forecasts.common.sealed_secrets import unseal
from forecasts.ledger.database import reading, writing
from forecasts.ledger.models import Channel, Event, Member, Notice, NoticeState
from forecasts.questions.standing import in_batches

LEASE = timedelta(minutes=10)  # far longer than a message takes
MOST_ATTEMPTS = 5
_FIRST_PAUSE = timedelta(minutes=5)  # after a failure; each further pause is 3 times as long
BUDGET = 120.0  # seconds in which messages are started; the rest is left to the next run
MOST_TIMEOUTS = 3  # of one service; its other channels are left to the next run
PATIENCE = 120  # seconds to wait for a write transaction; no person waits for it
_CHANNELS = (
    select(Channel, Member)
    .join(Member, col(Member.id) == col(Channel.member_id))
    .where(col(Channel.removed_at).is_(None))
)
_TEST_MESSAGE = Message("Forecast Ledger", "Your notifications will arrive here.")


@dataclass(frozen=True)
class SentMessage:
    """The delivery of one message to a member's channel; ``events``: the number in it."""

    handle: str
    channel: str
    events: int
    delivery: Delivery
    reason: str


@dataclass
class Summary:
    """The messages of one call; ``left``: the channels left to the next run."""

    messages: list[SentMessage] = field(default_factory=list)
    left: int = 0

    def count(self, delivery: Delivery) -> int:
        """Return the number of messages with that result."""
        return sum(1 for one in self.messages if one.delivery == delivery)


def send(
    engine: Engine,
    *,
    now: datetime,
    allow_private: bool = False,
    stop: Callable[[], bool] = lambda: False,
) -> Summary:
    """Return the messages sent to everyone with due events; their results are written.

    A channel that fails stops no other. No message is started after ``BUDGET`` seconds, or once
    ``stop`` returns true. A service with several timeouts gets no more messages in this call, since
    messages that may have arrived are not sent again.
    """
    channels.seal_addresses(engine)
    summary, until = Summary(), time.monotonic() + BUDGET
    timeouts: Counter[str] = Counter()
    for channel_id, service in _due_channels(engine, now):
        if stop() or time.monotonic() >= until or timeouts[service] >= MOST_TIMEOUTS:
            summary.left += 1
            continue
        if (claimed := _claim(engine, channel_id, now)) is None:
            continue
        try:
            address = unseal(claimed.stored)
            # The ledger may be shared only since the channel was added.
            apprise_adapter.check_scheme(address, shared=claimed.shared)
            delivery, reason = apprise_adapter.deliver(
                address,
                claimed.message.title,
                claimed.message.body,
                allow_private=allow_private,
            )
        except Refused as error:
            delivery, reason = Delivery.failed, error.message.rstrip(".")
        except Exception as error:  # one bad channel never stops the others
            delivery, reason = Delivery.failed, f"it could not be sent ({type(error).__name__})"
        timeouts[service] += delivery == Delivery.unknown
        _record(engine, claimed, delivery, reason, now)
        summary.messages.append(
            SentMessage(claimed.handle, claimed.channel_name, claimed.events, delivery, reason)
        )
    return summary


def send_test(channel: Channel, *, allow_private: bool = False) -> tuple[Delivery, str]:
    """Return the result of a test message to the channel, and its reason."""
    return apprise_adapter.deliver(
        channels.address_of(channel),
        _TEST_MESSAGE.title,
        _TEST_MESSAGE.body,
        allow_private=allow_private,
    )


def resend(session: Session, name: str, *, member: Member, now: datetime) -> int:
    """Return the number of undelivered notices of the member's channel, which are due again."""
    own = col(Notice.channel_id) == channels.find(session, name, member=member).id
    again = {"state": NoticeState.due, "next_at": now, "attempts": 0, "claim": None}
    return _update(session, own, _is_undelivered(now), **again)


def _update(session: Session, *conditions: Any, **changes: Any) -> int:
    """Return the number of notices that are changed."""
    statement = update(Notice).where(*conditions).values(**changes)
    return int(session.connection().execute(statement).rowcount)


def undelivered(session: Session, *, now: datetime) -> int:
    """Return the number of everyone's notices that may not have arrived or were given up."""
    kept = select(Channel.id).where(col(Channel.removed_at).is_(None))
    return session.exec(
        select(func.count(col(Notice.id))).where(
            _is_undelivered(now), col(Notice.channel_id).in_(kept)
        )
    ).one()


def _is_undelivered(now: datetime) -> ColumnElement[bool]:
    unsure = (col(Notice.state) == NoticeState.sending) & (col(Notice.claimed_until) < now)
    return or_(unsure, col(Notice.state) == NoticeState.failed)


@dataclass(frozen=True)
class _Claimed:
    """A message that this run has claimed."""

    claim: str
    handle: str
    channel_name: str
    stored: str  # its address
    shared: bool
    message: Message
    events: int

    def __repr__(self) -> str:  # without the address
        return f"_Claimed({self.handle!r}, {self.channel_name!r})"


def _due_channels(engine: Engine, now: datetime) -> list[tuple[int, str]]:
    """Return the channels with due events, each with its service; after failures they come last."""
    found: list[tuple[int, int, str]] = []
    with reading(engine) as session:
        waiting = {
            channel_id: (attempts, next_at)
            for channel_id, attempts, next_at in session.exec(
                select(Notice.channel_id, func.max(Notice.attempts), func.max(Notice.next_at))
                .where(Notice.state == NoticeState.due)
                .group_by(col(Notice.channel_id))
            )
        }
        for channel, member in session.exec(_CHANNELS).all():
            attempts, next_at = waiting.get(channel.id, (0, now))
            visibility.read_as(session, member, now=now)
            if next_at <= now and (channel.id in waiting or due(session, channel, now=now)):
                found.append((attempts, channel.id, channels.service_of(channel)))
    return [(channel_id, service) for _, channel_id, service in sorted(found)]


def _claim(engine: Engine, channel_id: int, now: datetime) -> _Claimed | None:
    """Return the channel's message, which is claimed; None without due events.

    Write transactions run one at a time, so that the due events are still due when written.
    """
    with writing(engine, patience=PATIENCE) as session:
        found = session.exec(_CHANNELS.where(Channel.id == channel_id)).first()
        if found is None:  # removed since
            return None
        channel, member = found
        visibility.read_as(session, member, now=now)
        claim = secrets.token_hex(8)
        new = {"channel_id": channel_id, "state": NoticeState.due, "recorded_at": now}
        new |= {"attempts": 0, "next_at": now, "reason": ""}
        if rows := due(session, channel, now=now):
            keys = ("event", "question_id", "at")
            notices = [new | dict(zip(keys, row, strict=True)) for row in rows]
            session.connection().execute(insert(Notice), notices)
        is_due = (col(Notice.state) == NoticeState.due) & (col(Notice.next_at) <= now)
        taken = {"state": NoticeState.sending, "claim": claim, "claimed_until": now + LEASE}
        own = col(Notice.channel_id) == channel_id
        _update(session, own, is_due, attempts=Notice.attempts + 1, **taken)
        mine = select(Notice).where(Notice.claim == claim)
        mine = mine.order_by(col(Notice.at), col(Notice.id))
        claimed = {
            (Event(one.event), one.question_id, one.at): one.id for one in session.exec(mine)
        }
        message, moot = compose(session, member, list(claimed), now=now)
        for some in in_batches([claimed[one] for one in moot]):
            _update(session, col(Notice.id).in_(some), state=NoticeState.moot, claim=None)
        if message is None:
            return None
        return _Claimed(
            claim=claim,
            handle=member.handle,
            channel_name=channel.name,
            stored=channel.secret_url,
            shared=roles.is_shared_ledger(session),
            message=message,
            events=len(claimed) - len(moot),
        )


def _record(
    engine: Engine, claimed: _Claimed, delivery: Delivery, reason: str, now: datetime
) -> None:
    with writing(engine, patience=PATIENCE) as session:
        mine = (col(Notice.claim) == claimed.claim) & (col(Notice.state) == NoticeState.sending)
        changes: dict[str, Any] = {"reason": reason}
        if delivery == Delivery.sent:
            changes = {"state": NoticeState.sent, "sent_at": now, "reason": "", "claim": None}
        elif delivery == Delivery.failed:
            attempts = session.exec(select(func.max(Notice.attempts)).where(mine)).one() or 1
            given_up = {"state": NoticeState.failed, "claim": None}
            _update(session, mine, col(Notice.attempts) >= MOST_ATTEMPTS, **given_up, **changes)
            next_at = now + _FIRST_PAUSE * 3 ** (attempts - 1)
            changes |= {"state": NoticeState.due, "next_at": next_at, "claim": None}
        _update(session, mine, **changes)
