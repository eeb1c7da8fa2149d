"""Forecasts, the models behind them, evidence and citations, and comments."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from forecasts.common.vocabulary import EvidenceKind, Stance
from forecasts.ledger.models.columns import Real, Time, json_column, long_text


class Forecast(SQLModel, table=True):
    """A member's forecast, or its withdrawal (all three values empty)."""

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
        # The order in which scoring and the question page read forecasts.
        Index("ix_forecast_path", "question_id", "member_id", "made_at", "id"),
        Index("ix_forecast_member_made_at", "member_id", "made_at"),
        Index("uq_forecast_import_key", "import_key", unique=True),
    )

    id: int = Field(default=None, primary_key=True)
    question_id: int = Field(foreign_key="question.id")
    member_id: int = Field(foreign_key="member.id")
    made_at: datetime = Field(sa_type=Time)
    recorded_at: datetime = Field(sa_type=Time)
    probability: float | None = Field(default=None, sa_type=Real)
    probabilities: list[float | None] | None = json_column()
    quantiles: dict[str, Any] | None = json_column()
    withdrawn: bool = False
    rationale: str = long_text()
    origin: str = "cli"
    # Of imports only: the same row imported twice is stored once.
    import_key: str | None = None
    # Of imports only. The time at which it was made, as an import claims that no one vouches for;
    # the forecast then counts as made when it was recorded. And the member who vouches for it.
    claimed_at: datetime | None = Field(default=None, sa_type=Time)
    vouched_by_id: int | None = Field(default=None, foreign_key="member.id")


class ModelUse(SQLModel, table=True):
    """The model that made a forecast, as its forecaster reported it.

    ``prompt_hash``: a hash of the prompt, which itself is not stored. ``cost``: in US dollars.
    ``tokens``: read and written. ``tools``: the names of those it could use.
    """

    __tablename__ = "model_use"
    __table_args__ = tuple(
        CheckConstraint(f"{name} >= 0", name=f"{name}_not_negative")
        for name in ("temperature", "cost", "tokens", "seconds")
    )

    id: int = Field(default=None, primary_key=True)
    forecast_id: int = Field(foreign_key="forecast.id", unique=True)
    name: str
    version: str | None = None
    prompt_hash: str | None = None
    temperature: float | None = Field(default=None, sa_type=Real)
    cost: float | None = Field(default=None, sa_type=Real)
    tokens: int | None = None
    seconds: float | None = Field(default=None, sa_type=Real)
    tools: list[str] | None = json_column()


class Evidence(SQLModel, table=True):
    """A reason for a forecast: an article, a page, a figure or a note."""

    id: int = Field(default=None, primary_key=True)
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
    """A forecast's use of a piece of evidence.

    ``share`` blank: an equal part of the rest that the other shares leave.
    """

    __table_args__ = (
        UniqueConstraint("forecast_id", "evidence_id"),
        CheckConstraint("share >= 0", name="share_not_negative"),
    )

    id: int = Field(default=None, primary_key=True)
    forecast_id: int = Field(foreign_key="forecast.id")
    evidence_id: int = Field(foreign_key="evidence.id", index=True)
    stance: Stance = Field(default=Stance.supports, sa_type=Text)
    share: float | None = Field(default=None, sa_type=Real)


class Comment(SQLModel, table=True):
    """A member's comment on a question.

    ``forecast_id``: the forecast whose reasons it gives. ``private``: for its author alone.
    """

    __table_args__ = (Index("ix_comment_question_id", "question_id", "id"),)

    id: int = Field(default=None, primary_key=True)
    question_id: int = Field(foreign_key="question.id")
    member_id: int = Field(foreign_key="member.id")
    forecast_id: int | None = Field(default=None, foreign_key="forecast.id", index=True)
    private: bool = False
    text: str = Field(sa_type=Text)
    recorded_at: datetime = Field(sa_type=Time)
