"""What members are notified of, and when they mean to look again."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Index, Text, UniqueConstraint, text
from sqlalchemy.types import JSON
from sqlmodel import Field, SQLModel

from forecasts.ledger.models.columns import Time, long_text, one_of


class Event(StrEnum):
    """What a member can be told, in the order of a message: what resolved, then what to do."""

    resolved = "resolved"
    decision = "decision"
    disputed = "disputed"
    parked = "parked"
    awaiting = "awaiting"
    closing = "closing"
    stale = "stale"
    closed = "closed"


class NoticeState(StrEnum):
    """How far a notice is. What is ``sending`` beyond its claim may not have arrived."""

    due = "due"
    sending = "sending"
    sent = "sent"
    failed = "failed"
    moot = "moot"


class Channel(SQLModel, table=True):
    """Where a member is told of what; no history: it changes, and is emptied when it is removed.

    ``secret_url``: the address that Apprise reads, with what lets one write there. ``recorded_at``:
    since when it is told. ``after_resolution``: the id of the last resolution before it, 0 where
    there was none: a run writes as of its start, which may be earlier. None of channels that were
    added before this was kept.
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

    id: int | None = Field(default=None, primary_key=True)
    member_id: int = Field(foreign_key="member.id")
    name: str
    secret_url: str = Field(sa_type=Text)
    events: list[str] = Field(sa_type=JSON)
    days_before_close: float
    days_until_stale: float
    recorded_at: datetime = Field(sa_type=Time)
    removed_at: datetime | None = Field(default=None, sa_type=Time)
    after_resolution: int | None = None

    def __repr__(self) -> str:
        """Return the channel by its name: its address is secret."""
        return f"Channel({self.id}, {self.name!r})"

    __str__ = __repr__


class Notice(SQLModel, table=True):
    """One event on its way to one channel: the outbox, and no history.

    ``at``: when the close, the forecast, the proposal … was that it is about; with the question and
    the event it says which one, so that there is one notice of each. ``claim``: the message that it
    goes with, which is being sent until ``claimed_until`` at the latest.
    """

    __table_args__ = (
        UniqueConstraint("channel_id", "event", "question_id", "at"),
        CheckConstraint(one_of("event", Event), name="event_is_known"),
        CheckConstraint(one_of("state", NoticeState), name="state_is_known"),
        Index("ix_notice_claim", "claim"),
        # Few are on their way, and every run looks for those.
        Index(
            "ix_notice_under_way",
            "channel_id",
            sqlite_where=text("state IN ('due', 'sending', 'failed')"),
            postgresql_where=text("state IN ('due', 'sending', 'failed')"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
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
    """After how many days a member means to look at their forecasts again; the newest row counts.

    ``question_id`` blank: at all for which they have not said. ``days`` blank: as usual.
    """

    __table_args__ = (
        CheckConstraint("days > 0", name="days_are_some"),
        Index("ix_revisit_member_id", "member_id", "question_id", "id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    member_id: int = Field(foreign_key="member.id")
    question_id: int | None = Field(default=None, foreign_key="question.id")
    days: int | None = None
    recorded_at: datetime = Field(sa_type=Time)


class Glance(SQLModel, table=True):
    """That a member has seen what was resolved until then; the newest row counts."""

    __table_args__ = (Index("ix_glance_member_id", "member_id", "id"),)

    id: int | None = Field(default=None, primary_key=True)
    member_id: int = Field(foreign_key="member.id")
    recorded_at: datetime = Field(sa_type=Time)
