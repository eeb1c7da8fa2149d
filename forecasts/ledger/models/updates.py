"""Forecasts, evidence, and which forecast cites what."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, Index, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from forecasts.ledger.models.columns import Time, json_column, long_text


class Stance(StrEnum):
    """What a piece of evidence says about the outcome, whichever way the forecast goes.

    What it makes likelier, less likely, or neither is explained at ``updates.Cited``.
    """

    supports = "supports"
    opposes = "opposes"
    context = "context"


class EvidenceKind(StrEnum):
    """Where a piece of evidence comes from."""

    news = "news"
    data = "data"
    base_rate = "base_rate"
    expert = "expert"
    model = "model"
    other = "other"


class Forecast(SQLModel, table=True):
    """One row of a forecaster's path: a value, or a withdrawal (all three values empty)."""

    __table_args__ = (
        CheckConstraint("probability >= 0 AND probability <= 1", name="probability_in_0_1"),
        # Withdrawn exactly when there is no value, and never two values at once.
        CheckConstraint(
            "(CASE WHEN probability IS NULL THEN 0 ELSE 1 END"
            " + CASE WHEN probabilities IS NULL THEN 0 ELSE 1 END"
            " + CASE WHEN quantiles IS NULL THEN 0 ELSE 1 END)"
            " = (CASE WHEN withdrawn THEN 0 ELSE 1 END)",
            name="one_value_or_withdrawn",
        ),
        # Scoring reads paths in this order; so does the question page.
        Index("ix_forecast_path", "question_id", "member_id", "made_at", "id"),
        Index("ix_forecast_member_made_at", "member_id", "made_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    question_id: int = Field(foreign_key="question.id")
    member_id: int = Field(foreign_key="member.id")
    made_at: datetime = Field(sa_type=Time)
    recorded_at: datetime = Field(sa_type=Time)
    probability: float | None = None
    probabilities: list[float | None] | None = json_column()
    quantiles: dict[str, Any] | None = json_column()
    withdrawn: bool = False
    rationale: str = long_text()
    origin: str = "cli"
    # Set on imports only: the same row imported twice is stored once.
    import_key: str | None = Field(default=None, unique=True)
    # Set on imports only: when it was made, as they claim, where nobody vouches for that; it then
    # counts as made when it was recorded. And who vouches, where somebody does.
    claimed_at: datetime | None = Field(default=None, sa_type=Time)
    vouched_by_id: int | None = Field(default=None, foreign_key="member.id")


class Evidence(SQLModel, table=True):
    """Something that can move a forecast: an article, a page, a figure, a note."""

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    kind: EvidenceKind = Field(default=EvidenceKind.news, sa_type=Text)
    title: str = long_text()
    url: str | None = Field(default=None, index=True)
    publisher: str | None = None
    published_at: datetime | None = Field(default=None, sa_type=Time)
    quote: str = long_text()
    note: str = long_text()
    article_id: int | None = Field(default=None, foreign_key="article.id")
    member_id: int | None = Field(default=None, foreign_key="member.id")
    recorded_at: datetime = Field(sa_type=Time)


class Citation(SQLModel, table=True):
    """One forecast leaning on one piece of evidence.

    ``share`` blank: an equal part of what the shares of the others leave.
    """

    __table_args__ = (
        UniqueConstraint("forecast_id", "evidence_id"),
        CheckConstraint("stance IN ('supports', 'opposes', 'context')", name="stance_is_known"),
        CheckConstraint("share >= 0", name="share_not_negative"),
    )

    id: int | None = Field(default=None, primary_key=True)
    forecast_id: int = Field(foreign_key="forecast.id")
    evidence_id: int = Field(foreign_key="evidence.id", index=True)
    stance: Stance = Field(default=Stance.supports, sa_type=Text)
    share: float | None = None
