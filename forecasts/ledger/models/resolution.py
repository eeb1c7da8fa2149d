"""Outcomes, disputes, resolvers, their runs, and the scores that follow."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, Index, Text, UniqueConstraint, text
from sqlalchemy.types import JSON
from sqlmodel import Field, SQLModel

from forecasts.ledger.models.columns import Real, Time, long_text


class ResolutionState(StrEnum):
    """The effect of a row in the resolution history.

    It proposes, confirms or rejects an outcome, or withdraws a confirmed one.
    """

    proposed = "proposed"
    confirmed = "confirmed"
    rejected = "rejected"
    withdrawn = "withdrawn"


class PolicyKind(StrEnum):
    """How a resolver's outcome is confirmed: by a member, at once, or by several that agree."""

    propose = "propose"
    confirm = "confirm"
    quorum = "quorum"


class RunState(StrEnum):
    """The result of a resolver's attempt. Failed attempts are repeated, parked ones are not."""

    confirmed = "confirmed"
    proposed = "proposed"
    not_yet = "not_yet"
    failed = "failed"
    parked = "parked"


class Resolution(SQLModel, table=True):
    """One step in the resolution of a question. The row that nothing supersedes is current.

    ``known_at``: when the outcome became known; ``resolved_at``: when it was written down, as an
    import claims; ``recorded_at``: when it was stored here.
    ``proposal_id``: the proposal that this row confirms or rejects.
    ``supersedes_id``: the confirmed row that this one corrects or withdraws, or the withdrawal
    after which this one confirms an outcome again.
    Both are unique, and so is a question's first confirmation: even with concurrent runs a proposal
    is decided once, and a resolution confirmed, corrected or withdrawn once.
    """

    __table_args__ = (
        Index(
            "uq_resolution_first_confirmation",
            "question_id",
            unique=True,
            sqlite_where=text("state = 'confirmed' AND supersedes_id IS NULL"),
            postgresql_where=text("state = 'confirmed' AND supersedes_id IS NULL"),
        ),
    )

    id: int = Field(default=None, primary_key=True)
    question_id: int = Field(foreign_key="question.id", index=True)
    state: ResolutionState = Field(sa_type=Text)
    outcome: str
    # Blank only for imports that do not give it.
    known_at: datetime | None = Field(default=None, sa_type=Time)
    resolved_at: datetime | None = Field(default=None, sa_type=Time)
    recorded_at: datetime = Field(sa_type=Time)
    member_id: int | None = Field(default=None, foreign_key="member.id")
    resolver_id: int | None = Field(default=None, foreign_key="resolver.id")
    note: str = long_text()
    source: str = long_text()
    proposal_id: int | None = Field(default=None, foreign_key="resolution.id", unique=True)
    supersedes_id: int | None = Field(default=None, foreign_key="resolution.id", unique=True)

    @property
    def stated_at(self) -> datetime | None:
        """When the outcome became known, or was written down if that is all an import says."""
        return self.known_at or self.resolved_at

    @property
    def written_at(self) -> datetime:
        """When it was written down: elsewhere, as its import says, or else here."""
        return self.resolved_at or self.recorded_at


class Exhibit(SQLModel, table=True):
    """A document that a resolver read for this outcome: its address, time and hash.

    The bytes are in an ``ExhibitContent``, up to ``limits.EXHIBIT_BYTES``.
    """

    id: int = Field(default=None, primary_key=True)
    resolution_id: int = Field(foreign_key="resolution.id", index=True)
    address: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=Time)
    media: str = ""
    sha256: str = Field(index=True)
    size: int


class ExhibitContent(SQLModel, table=True):
    """The bytes of a document that resolvers read, stored once."""

    __tablename__ = "exhibit_content"

    id: int = Field(default=None, primary_key=True)
    sha256: str = Field(unique=True)
    data: bytes


class Dispute(SQLModel, table=True):
    """A member disputes a confirmed resolution, or a dispute is settled.

    ``answers_id``: the dispute that this row settles in favour of the resolution. A dispute that is
    upheld ends with the resolution that supersedes the disputed one.
    """

    id: int = Field(default=None, primary_key=True)
    resolution_id: int = Field(foreign_key="resolution.id", index=True)
    member_id: int = Field(foreign_key="member.id")
    reason: str = long_text()
    answers_id: int | None = Field(default=None, foreign_key="dispute.id", unique=True)
    recorded_at: datetime = Field(sa_type=Time)


class Policy(SQLModel, table=True):
    """How a question's resolvers confirm outcomes; the newest row of a question counts.

    ``agreeing``: the resolvers that must agree for a quorum. ``dispute_days``: how long a confirmed
    outcome may be disputed and its scores are provisional. Without a row: confirm, 0 days.
    """

    __table_args__ = (
        CheckConstraint("agreeing >= 1", name="somebody_agrees"),
        CheckConstraint("dispute_days >= 0", name="days_not_negative"),
    )

    id: int = Field(default=None, primary_key=True)
    question_id: int = Field(foreign_key="question.id", index=True)
    kind: PolicyKind = Field(default=PolicyKind.confirm, sa_type=Text)
    agreeing: int = 1
    dispute_days: float = Field(default=0.0, sa_type=Real)
    member_id: int = Field(foreign_key="member.id")
    recorded_at: datetime = Field(sa_type=Time)


class Resolver(SQLModel, table=True):
    """A question's resolver: its kind and settings.

    It replaces the earlier ones, unless ``beside`` is set.
    """

    id: int = Field(default=None, primary_key=True)
    question_id: int = Field(foreign_key="question.id", index=True)
    kind: str
    settings: dict[str, Any] = Field(sa_type=JSON)
    member_id: int | None = Field(default=None, foreign_key="member.id")
    recorded_at: datetime = Field(sa_type=Time)
    beside: bool = False


class Watch(SQLModel, table=True):
    """The next attempt of a question's resolvers: a task for runs, not part of the history.

    ``next_at`` blank: none, since the question is resolved. ``claimed_by``: the run that works on
    it, until ``claimed_until``. ``attempts``: failures in a row, counting killed runs, with the
    last ``reason``. ``parked_at``: when it began to wait for a member.
    """

    id: int = Field(default=None, primary_key=True)
    question_id: int = Field(foreign_key="question.id", unique=True)
    next_at: datetime | None = Field(default=None, sa_type=Time, index=True)
    claimed_by: str | None = None
    claimed_until: datetime | None = Field(default=None, sa_type=Time)
    attempts: int = 0
    looked_at: datetime | None = Field(default=None, sa_type=Time)
    parked_at: datetime | None = Field(default=None, sa_type=Time)
    reason: str = long_text()


class ResolverRun(SQLModel, table=True):
    """One attempt of one resolver, and its result."""

    __tablename__ = "resolver_run"

    id: int = Field(default=None, primary_key=True)
    resolver_id: int = Field(foreign_key="resolver.id", index=True)
    started_at: datetime = Field(sa_type=Time)
    ended_at: datetime | None = Field(default=None, sa_type=Time)
    state: RunState = Field(sa_type=Text)
    message: str = long_text()


class LastRun(SQLModel, table=True):
    """The start of the newest run, and where its interval began: a single row.

    ``before_at``: the start of the run before, or the own start less the interval that the schedule
    states; equal to ``started_at`` after a run by hand, which has no interval. It is not part of
    the history: each run writes it again.
    """

    __tablename__ = "last_run"

    id: int = Field(default=1, primary_key=True)
    started_at: datetime = Field(sa_type=Time)
    before_at: datetime | None = Field(default=None, sa_type=Time)


class Score(SQLModel, table=True):
    """One forecaster's score on one resolution, cached."""

    __table_args__ = (
        UniqueConstraint("resolution_id", "member_id", "protocol"),
        Index("ix_score_member_protocol", "member_id", "protocol"),
    )

    id: int = Field(default=None, primary_key=True)
    resolution_id: int = Field(foreign_key="resolution.id")
    member_id: int = Field(foreign_key="member.id")
    protocol: str
    engine_version: str
    score: float = Field(sa_type=Real)
    coverage: float = Field(sa_type=Real)
    updates: int


class PrintedScore(SQLModel, table=True):
    """A score that a platform printed for a member; the newest row of each ``name`` counts.

    ``name``: the platform's name for the score. ``coverage``: blank where it printed none.
    """

    __tablename__ = "printed_score"
    __table_args__ = (Index("ix_printed_score_question_id", "question_id", "member_id"),)

    id: int = Field(default=None, primary_key=True)
    question_id: int = Field(foreign_key="question.id")
    member_id: int = Field(foreign_key="member.id", index=True)
    platform: str = Field(sa_type=Text)
    name: str = Field(sa_type=Text)
    score: float = Field(sa_type=Real)
    coverage: float | None = Field(default=None, sa_type=Real)
    recorded_at: datetime = Field(sa_type=Time)
