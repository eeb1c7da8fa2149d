"""Notifications, review intervals, and the results that members have seen."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Index, Text, UniqueConstraint, text
from sqlalchemy.types import JSON
from sqlmodel import Field, SQLModel

from forecasts.ledger.models.columns import Real, Time, long_text


class Event(StrEnum):
    """The events of notifications, in the order of a message: results first, then tasks."""

    resolved = "resolved"
    decision = "decision"
    disputed = "disputed"
    parked = "parked"
    awaiting = "awaiting"
    closing = "closing"
    stale = "stale"
    closed = "closed"


class NoticeState(StrEnum):
    """The state of a notice. One still ``sending`` after its claim may not have arrived."""

    due = "due"
    sending = "sending"
    sent = "sent"
    failed = "failed"
    moot = "moot"


class Channel(SQLModel, table=True):
    """A member's address for notifications, and its events. It can be changed and removed.

    ``secret_url``: the address for Apprise, with its credentials. ``recorded_at``: the time from
    which events are sent. ``after_resolution``: the id of the last resolution before the channel,
    0 without one, since a run writes as of its start, which may be earlier.
    """

    __table_args__ = (
        Index(
            "uq_channel_name",
            "member_id",
            "name",
            unique=True,
            sqlite_where=text("removed_at IS NULL"),
            postgresql_where=text("removed_at IS NULL"),
        ),
        CheckConstraint("days_before_close > 0", name="days_before_close_positive"),
        CheckConstraint("days_until_stale > 0", name="days_until_stale_positive"),
    )

    id: int = Field(default=None, primary_key=True)
    member_id: int = Field(foreign_key="member.id")
    name: str
    secret_url: str = Field(sa_type=Text)
    events: list[str] = Field(sa_type=JSON)
    days_before_close: float = Field(sa_type=Real)
    days_until_stale: float = Field(sa_type=Real)
    recorded_at: datetime = Field(sa_type=Time)
    removed_at: datetime | None = Field(default=None, sa_type=Time)
    after_resolution: int | None = None

    def __repr__(self) -> str:
        """Return the channel's id and name; its address is secret."""
        return f"Channel({self.id}, {self.name!r})"

    __str__ = __repr__


class Notice(SQLModel, table=True):
    """One event for one channel, in the outbox.

    ``at``: the time of the close, forecast, proposal or the like. There is one notice for each
    channel, event, question and time. ``claim``: the message it is part of, which is being sent
    until ``claimed_until`` at the latest.
    """

    __table_args__ = (
        UniqueConstraint("channel_id", "event", "question_id", "at"),
        Index("ix_notice_claim", "claim"),
        # Few are under way, and every run looks for them.
        Index(
            "ix_notice_under_way",
            "channel_id",
            sqlite_where=text("state IN ('due', 'sending', 'failed')"),
            postgresql_where=text("state IN ('due', 'sending', 'failed')"),
        ),
    )

    id: int = Field(default=None, primary_key=True)
    channel_id: int = Field(foreign_key="channel.id")
    event: Event = Field(sa_type=Text)
    question_id: int = Field(foreign_key="question.id")
    at: datetime = Field(sa_type=Time)
    state: NoticeState = Field(default=NoticeState.due, sa_type=Text)
    recorded_at: datetime = Field(sa_type=Time)
    attempts: int = 0
    next_at: datetime = Field(sa_type=Time)
    claim: str | None = None
    claimed_until: datetime | None = Field(default=None, sa_type=Time)
    sent_at: datetime | None = Field(default=None, sa_type=Time)
    reason: str = long_text()


class Revisit(SQLModel, table=True):
    """A member's review interval in days; the newest row counts.

    ``question_id`` blank: for all questions without an interval of their own. ``days`` blank: the
    default.
    """

    __table_args__ = (
        CheckConstraint("days > 0", name="days_are_some"),
        Index("ix_revisit_member_id", "member_id", "question_id", "id"),
    )

    id: int = Field(default=None, primary_key=True)
    member_id: int = Field(foreign_key="member.id")
    question_id: int | None = Field(default=None, foreign_key="question.id")
    days: int | None = None
    recorded_at: datetime = Field(sa_type=Time)


class Glance(SQLModel, table=True):
    """A member has seen the results up to this time; the newest row counts."""

    __table_args__ = (Index("ix_glance_member_id", "member_id", "id"),)

    id: int = Field(default=None, primary_key=True)
    member_id: int = Field(foreign_key="member.id")
    recorded_at: datetime = Field(sa_type=Time)
