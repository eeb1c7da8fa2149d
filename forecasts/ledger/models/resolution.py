"""Outcomes, disputes, resolvers, their runs, and the scores that follow."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, Index, Text, UniqueConstraint, text
from sqlalchemy.types import JSON
from sqlmodel import Field, SQLModel

from forecasts.ledger.models.columns import Time, long_text, one_of


class ResolutionState(StrEnum):
    """What a row of the resolution history does: suggest an outcome, settle it, or turn it down."""

    proposed = "proposed"
    confirmed = "confirmed"
    rejected = "rejected"


class PolicyKind(StrEnum):
    """Who decides when a resolver has found an outcome: a person, the finding itself, several."""

    propose = "propose"
    confirm = "confirm"
    quorum = "quorum"


class RunState(StrEnum):
    """How one attempt of a resolver ended; what failed is tried again, what is parked is not."""

    confirmed = "confirmed"
    proposed = "proposed"
    not_yet = "not_yet"
    failed = "failed"
    parked = "parked"


class Resolution(SQLModel, table=True):
    """One step in how a question got its answer. The row that nothing supersedes stands.

    ``known_at``: when the outcome became known; ``resolved_at``: when it was written down, as an
    import claims; ``recorded_at``: when it was stored here.
    ``proposal_id``: the proposal that this row confirms or rejects.
    ``supersedes_id``: the confirmed row that this one corrects.
    Each of the two is unique, and so is a question's first confirmation: whatever runs at the
    same time, a proposal is decided once and a resolution confirmed or corrected once.
    """

    __table_args__ = (
        CheckConstraint("state IN ('proposed', 'confirmed', 'rejected')", name="state_is_known"),
        Index(
            "uq_resolution_first_confirmation",
            "question_id",
            unique=True,
            sqlite_where=text("state = 'confirmed' AND supersedes_id IS NULL"),
            postgresql_where=text("state = 'confirmed' AND supersedes_id IS NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    question_id: int = Field(foreign_key="question.id", index=True)
    state: ResolutionState = Field(sa_type=Text)
    outcome: str
    # Blank only on imports that do not say.
    known_at: datetime | None = Field(default=None, sa_type=Time)
    resolved_at: datetime | None = Field(default=None, sa_type=Time)
    recorded_at: datetime = Field(sa_type=Time)
    member_id: int | None = Field(default=None, foreign_key="member.id")
    resolver_id: int | None = Field(default=None, foreign_key="resolver.id")
    note: str = long_text()
    source: str = long_text()
    proposal_id: int | None = Field(default=None, foreign_key="resolution.id", unique=True)
    supersedes_id: int | None = Field(default=None, foreign_key="resolution.id", unique=True)


class Exhibit(SQLModel, table=True):
    """What a resolver was shown when it found the outcome of this row: whence, when, and what.

    The bytes, where they are no more than ``limits.EXHIBIT_BYTES``, are an ``ExhibitContent``.
    """

    id: int | None = Field(default=None, primary_key=True)
    resolution_id: int = Field(foreign_key="resolution.id", index=True)
    address: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=Time)
    media: str = ""
    sha256: str = Field(index=True)
    size: int


class ExhibitContent(SQLModel, table=True):
    """Bytes that resolvers were shown: once, however many questions they have resolved."""

    __tablename__ = "exhibit_content"

    id: int | None = Field(default=None, primary_key=True)
    sha256: str = Field(unique=True)
    data: bytes


class Dispute(SQLModel, table=True):
    """That somebody holds a confirmed resolution to be wrong; or that a dispute is settled.

    ``answers_id``: the dispute that this row settles, in favour of the resolution. One that is
    found to be right ends by the resolution that supersedes the disputed one.
    """

    id: int | None = Field(default=None, primary_key=True)
    resolution_id: int = Field(foreign_key="resolution.id", index=True)
    member_id: int = Field(foreign_key="member.id")
    reason: str = long_text()
    answers_id: int | None = Field(default=None, foreign_key="dispute.id", unique=True)
    recorded_at: datetime = Field(sa_type=Time)


class Policy(SQLModel, table=True):
    """What becomes of what a question's resolvers find; the newest row of a question counts.

    ``agreeing``: of a quorum, how many have to say the same. ``dispute_days``: for how long after
    a confirmation it may be disputed, and its scores are provisional. Without a row: confirm, 0.
    """

    __table_args__ = (
        CheckConstraint(one_of("kind", PolicyKind), name="kind_is_known"),
        CheckConstraint("agreeing >= 1", name="somebody_agrees"),
        CheckConstraint("dispute_days >= 0", name="days_not_negative"),
    )

    id: int | None = Field(default=None, primary_key=True)
    question_id: int = Field(foreign_key="question.id", index=True)
    kind: PolicyKind = Field(default=PolicyKind.confirm, sa_type=Text)
    agreeing: int = 1
    dispute_days: float = 0.0
    member_id: int = Field(foreign_key="member.id")
    recorded_at: datetime = Field(sa_type=Time)


class Resolver(SQLModel, table=True):
    """What will look up a question's outcome: the kind and its settings.

    It takes the place of those before it, unless it stands ``beside`` them.
    """

    id: int | None = Field(default=None, primary_key=True)
    question_id: int = Field(foreign_key="question.id", index=True)
    kind: str
    settings: dict[str, Any] = Field(sa_type=JSON)
    member_id: int | None = Field(default=None, foreign_key="member.id")
    recorded_at: datetime = Field(sa_type=Time)
    beside: bool = False


class Watch(SQLModel, table=True):
    """When the resolvers of a question look next: the work of the runs, and no history.

    ``next_at`` blank: never again, since the question is resolved. ``claimed_by``: the run that has
    it in hand, until ``claimed_until``. ``attempts``: how often in a row it has failed, or the run
    was killed that had it; and ``reason`` why. ``parked_at``: since when it waits for a person.
    """

    id: int | None = Field(default=None, primary_key=True)
    question_id: int = Field(foreign_key="question.id", unique=True)
    next_at: datetime | None = Field(default=None, sa_type=Time, index=True)
    claimed_by: str | None = None
    claimed_until: datetime | None = Field(default=None, sa_type=Time)
    attempts: int = 0
    looked_at: datetime | None = Field(default=None, sa_type=Time)
    parked_at: datetime | None = Field(default=None, sa_type=Time)
    reason: str = long_text()


class ResolverRun(SQLModel, table=True):
    """One look of one resolver at the world, and what came of it."""

    __tablename__ = "resolver_run"

    id: int | None = Field(default=None, primary_key=True)
    resolver_id: int = Field(foreign_key="resolver.id", index=True)
    started_at: datetime = Field(sa_type=Time)
    ended_at: datetime | None = Field(default=None, sa_type=Time)
    state: RunState = Field(sa_type=Text)
    message: str = long_text()


class Score(SQLModel, table=True):
    """A score of one forecaster on one resolution: a cache, never the truth."""

    __table_args__ = (
        UniqueConstraint("resolution_id", "member_id", "protocol"),
        Index("ix_score_member_protocol", "member_id", "protocol"),
    )

    id: int | None = Field(default=None, primary_key=True)
    resolution_id: int = Field(foreign_key="resolution.id")
    member_id: int = Field(foreign_key="member.id")
    protocol: str
    engine_version: str
    score: float
    coverage: float
    updates: int
