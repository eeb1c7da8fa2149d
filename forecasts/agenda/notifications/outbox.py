"""The outbox: each event once a channel, and what became of it.

1. For each channel, in one transaction: what is due is worked out and written as notices, and all
   that are due are claimed for one message, by a conditional UPDATE, until a time.
2. The message is sent, outside any transaction.
3. In another: what became of it is written, where the claim is still this one's.

Who is killed before the first has told nothing, and the next run tells it. Who is killed after it
leaves notices that are being sent: whether they were is known to nobody, so they are not sent again
by themselves, and past their claim they may not have arrived (``again`` sends them). What was not
sent rests for ever longer and is tried again, together with what has come up since.
"""

from __future__ import annotations

import secrets
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Engine, insert, or_, update
from sqlmodel import Session, col, func, select

from forecasts.access import roles, visibility
from forecasts.agenda.notifications import apprise_gateway, channels
from forecasts.agenda.notifications.apprise_gateway import Sent
from forecasts.agenda.notifications.due import Found, due
from forecasts.agenda.notifications.message import Message, compose
from forecasts.common.errors import DatabaseError
from forecasts.ledger.database import reading, writing
from forecasts.ledger.models import Channel, Event, Member, Notice, NoticeState
from forecasts.questions.standing import in_batches

LEASE = timedelta(minutes=10)  # far longer than a message takes
TRIES = 5
_REST = timedelta(minutes=5)  # after the first failure, and three times as long after each other
BUDGET = 120.0  # seconds in which messages are begun; the others go with the next run
MOST_WAITS = 3  # in vain, for one service; its other channels are left to the next run
PATIENCE = 120  # seconds to wait for the turn to write: nobody waits for what is sent
_GREETING = Message("Forecast Ledger", "This is where you are told what concerns you.")


@dataclass(frozen=True)
class Told:
    """What became of one message: whose channel, how many events, and why it was not sent."""

    handle: str
    channel: str
    events: int
    sent: Sent
    reason: str


@dataclass
class Round:
    """What was sent, message by message; ``left``: channels that are left to the next run."""

    told: list[Told] = field(default_factory=list)
    left: int = 0

    def count(self, sent: Sent) -> int:
        """Return how many messages ended so."""
        return sum(1 for one in self.told if one.sent == sent)


def send(
    engine: Engine,
    *,
    now: datetime,
    allow_private: bool = False,
    seconds: float = apprise_gateway.SECONDS,
    budget: float = BUDGET,
) -> Round:
    """Return what was sent of all that is due, to everybody; what became of it is written.

    A channel that fails stops no other, none takes longer than ``seconds``, and no message is begun
    after those of the ``budget``. A service that lets several wait in vain is left alone: what may
    have arrived is not sent again, so that nobody else's news should be lost to it.
    """
    came_to, until = Round(), time.monotonic() + budget
    waits: Counter[str] = Counter()
    for channel_id, service in _work(engine, now):
        if time.monotonic() >= until or waits[service] >= MOST_WAITS:
            came_to.left += 1
            continue
        claimed = _claim(engine, channel_id, now)
        if claimed is None:
            continue
        message = claimed.message
        try:
            sent, reason = _deliver(claimed, message, allow_private, seconds)
        except DatabaseError:
            raise
        except Exception as error:  # one bad channel never stops the others
            sent, reason = Sent.failed, f"it could not be sent ({type(error).__name__})"
        waits[service] += sent == Sent.unknown
        _record(engine, claimed, sent, reason, now)
        came_to.told.append(
            Told(claimed.handle, claimed.channel_name, claimed.events, sent, reason)
        )
    return came_to


def greet(channel: Channel, *, allow_private: bool = False) -> tuple[Sent, str]:
    """Return what became of a message to the channel that says no more than that it came."""
    return apprise_gateway.deliver(
        channel.secret_url, _GREETING.title, _GREETING.body, allow_private=allow_private
    )


def again(session: Session, name: str, *, member: Member, now: datetime) -> int:
    """Return how many notices of the member's channel are due again.

    They are those that may not have arrived, and those that were given up.
    """
    channel = channels.find(session, name, member=member)
    found = session.connection().execute(
        update(Notice)
        .where(col(Notice.channel_id) == channel.id, _lost(now))
        .values(state=NoticeState.due, next_at=now, attempts=0, claim=None)
    )
    return int(found.rowcount)


def unsure(session: Session, *, now: datetime) -> int:
    """Return how many notices may not have arrived, or were given up, whosever they are."""
    return session.exec(select(func.count(col(Notice.id))).where(_lost(now), _standing())).one()


def _lost(now: datetime) -> ColumnElement[bool]:
    unsure = (col(Notice.state) == NoticeState.sending) & (col(Notice.claimed_until) < now)
    return or_(unsure, col(Notice.state) == NoticeState.failed)


def _standing() -> ColumnElement[bool]:
    standing = select(Channel.id).where(col(Channel.removed_at).is_(None))
    return col(Notice.channel_id).in_(standing)


@dataclass(frozen=True)
class _Claimed:
    """A message that is this process's to send."""

    claim: str
    handle: str
    channel_name: str
    address: str
    shared: bool
    message: Message
    events: int

    def __repr__(self) -> str:
        return f"_Claimed({self.handle!r}, {self.channel_name!r})"


def _work(engine: Engine, now: datetime) -> list[tuple[int, str]]:
    """Return the channels for which something is due, each with its service.

    Those that have failed before come last.
    """
    found: list[tuple[int, int, str]] = []
    with reading(engine) as session:
        rows = session.exec(
            select(Channel, Member, func.max(Notice.attempts), func.max(Notice.next_at))
            .join(Member, col(Member.id) == col(Channel.member_id))
            .outerjoin(
                Notice,
                (col(Notice.channel_id) == col(Channel.id))
                & (col(Notice.state) == NoticeState.due),
            )
            .where(col(Channel.removed_at).is_(None))
            .group_by(col(Channel.id), col(Member.id))
            .order_by(col(Channel.id))
        ).all()
        for channel, member, attempts, latest in rows:
            assert channel.id is not None
            service = apprise_gateway.service_of(channel.secret_url)
            rests_until: datetime | None = latest  # None where nothing is due yet
            if rests_until is not None:
                if rests_until <= now:
                    found.append((attempts, channel.id, service))
                continue
            visibility.read_as(session, member, now=now)
            if due(session, channel, now=now):
                found.append((0, channel.id, service))
    return [(channel_id, service) for _, channel_id, service in sorted(found)]


def _claim(engine: Engine, channel_id: int, now: datetime) -> _Claimed | None:
    """Return the message of the channel, which is claimed; None where there is nothing to tell.

    Acts follow one another, so what is due still is when it is written.
    """
    with writing(engine, patience=PATIENCE) as session:
        channel, member = session.exec(
            select(Channel, Member)
            .join(Member, col(Member.id) == col(Channel.member_id))
            .where(Channel.id == channel_id)
        ).one()
        if channel.removed_at is not None:
            return None
        visibility.read_as(session, member, now=now)
        _write(session, channel_id, due(session, channel, now=now), now)
        claim = secrets.token_hex(8)
        connection = session.connection()
        connection.execute(
            update(Notice)
            .where(
                col(Notice.channel_id) == channel_id,
                col(Notice.state) == NoticeState.due,
                col(Notice.next_at) <= now,
            )
            .values(
                state=NoticeState.sending,
                claim=claim,
                claimed_until=now + LEASE,
                attempts=Notice.attempts + 1,
            )
        )
        rows = session.exec(
            select(Notice.id, Notice.event, Notice.question_id, Notice.at)
            .where(Notice.claim == claim)
            .order_by(col(Notice.at), col(Notice.id))
        ).all()
        told = {(Event(event), question_id, at): id_ for id_, event, question_id, at in rows}
        message, moot = compose(session, member, list(told), now=now)
        for some in in_batches([told[one] for one in moot]):
            connection.execute(
                update(Notice)
                .where(col(Notice.id).in_(some))
                .values(state=NoticeState.moot, claim=None)
            )
        if message is None:
            return None
        return _Claimed(
            claim=claim,
            handle=member.handle,
            channel_name=channel.name,
            address=channel.secret_url,
            shared=roles.is_shared_ledger(session),
            message=message,
            events=len(told) - len(moot),
        )


def _write(session: Session, channel_id: int, found: list[Found], now: datetime) -> None:
    rows = [
        {
            "channel_id": channel_id,
            "event": event,
            "question_id": question_id,
            "at": at,
            "state": NoticeState.due,
            "recorded_at": now,
            "attempts": 0,
            "next_at": now,
            "reason": "",
        }
        for event, question_id, at in found
    ]
    if rows:
        session.connection().execute(insert(Notice), rows)


def _deliver(
    claimed: _Claimed, message: Message, allow_private: bool, seconds: float
) -> tuple[Sent, str]:
    # A ledger can have become a shared one since the channel was added.
    apprise_gateway.check_scheme(claimed.address, shared=claimed.shared)
    return apprise_gateway.deliver(
        claimed.address, message.title, message.body, allow_private=allow_private, seconds=seconds
    )


def _record(engine: Engine, claimed: _Claimed, sent: Sent, reason: str, now: datetime) -> None:
    """Write what became of the message; of one of which that is not known, why."""
    with writing(engine, patience=PATIENCE) as session:
        connection = session.connection()
        mine = (col(Notice.claim) == claimed.claim) & (col(Notice.state) == NoticeState.sending)
        if sent == Sent.sent:
            done = {"state": NoticeState.sent, "sent_at": now, "reason": "", "claim": None}
            connection.execute(update(Notice).where(mine).values(**done))
            return
        if sent == Sent.unknown:
            connection.execute(update(Notice).where(mine).values(reason=reason))
            return
        tries = session.exec(select(func.max(Notice.attempts)).where(mine)).one() or 1
        rest = {
            "state": NoticeState.due,
            "next_at": now + _REST * 3 ** (tries - 1),
            "reason": reason,
            "claim": None,
        }
        given_up = mine & (col(Notice.attempts) >= TRIES)
        connection.execute(
            update(Notice)
            .where(given_up)
            .values(state=NoticeState.failed, reason=reason, claim=None)
        )
        connection.execute(update(Notice).where(mine).values(**rest))
