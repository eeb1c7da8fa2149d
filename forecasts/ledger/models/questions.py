"""Questions, their wordings, and their sources in articles."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum

from pydantic import ValidationInfo, field_validator, model_validator
from sqlalchemy import CheckConstraint, Index, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from forecasts.common.text import unstorable_character
from forecasts.common.times import iso
from forecasts.common.vocabulary import QuestionType
from forecasts.ledger.models.columns import Time, json_column, long_text


class Visibility(StrEnum):
    """The members who may see a question."""

    everyone = "everyone"
    team = "team"
    author = "author"


class Question(SQLModel, table=True):
    """A question's identity. Its wording is in its newest ``QuestionRevision``."""

    id: int = Field(default=None, primary_key=True)
    slug: str = Field(unique=True)
    member_id: int = Field(foreign_key="member.id")
    recorded_at: datetime = Field(sa_type=Time)


class QuestionText(SQLModel):
    """A question's wording and visibility; ``questions.csv`` of a ledger folder has the fields.

    Bounds are text, so that a number or date comes back exactly as written. ``visibility``: the
    members who see it; a team's question (``team_id``) can be visible to everyone as well.
    ``crowd_hidden``: members see others' forecasts after their own, or after the close.
    """

    title: str
    type: QuestionType = Field(default=QuestionType.binary, sa_type=Text)
    options: list[str] | None = json_column()
    ordered: bool = False
    lower_bound: str | None = None
    upper_bound: str | None = None
    unit: str | None = None
    open_time: datetime = Field(sa_type=Time)
    scheduled_close_time: datetime = Field(sa_type=Time)
    actual_close_time: datetime | None = Field(default=None, sa_type=Time)
    scheduled_resolve_time: datetime | None = Field(default=None, sa_type=Time)
    spot_time: datetime | None = Field(default=None, sa_type=Time)
    family: str = ""
    tags: list[str] | None = json_column()
    background: str = long_text()
    resolution_criteria: str = long_text()
    fine_print: str = long_text()
    visibility: Visibility = Field(default=Visibility.everyone, sa_type=Text)
    team_id: int | None = Field(default=None, foreign_key="team.id")
    crowd_hidden: bool = False

    @field_validator("title")
    @classmethod
    def _a_title_says_something(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("The question has no title.")
        return value

    @field_validator("options", "tags")
    @classmethod
    def _what_is_stored_as_json_is_text(cls, value: list[str] | None) -> list[str] | None:
        for word in value or []:
            if sign := unstorable_character(word):
                raise ValueError(f"{word[:60]!r} contains {sign}, which a ledger cannot store.")
        return value

    @field_validator(
        "open_time",
        "scheduled_close_time",
        "actual_close_time",
        "scheduled_resolve_time",
        "spot_time",
    )
    @classmethod
    def _times_have_a_zone(cls, value: datetime | None, field: ValidationInfo) -> datetime | None:
        if value is not None and value.utcoffset() is None:
            raise ValueError(
                f"The {(field.field_name or '').replace('_', ' ')} {value.isoformat()} has no time "
                "zone; it needs an offset or Z, as in 2025-10-30T14:00:00Z."
            )
        try:
            return None if value is None else value.astimezone(UTC)
        except OverflowError:
            raise ValueError(
                f"The {(field.field_name or '').replace('_', ' ')} {value} is not a time in the "
                "years 1 to 9999 in UTC."
            ) from None

    @model_validator(mode="after")
    def _the_parts_fit_together(self) -> QuestionText:
        if self.scheduled_close_time <= self.open_time:
            raise ValueError(
                f"The scheduled close, {iso(self.scheduled_close_time)}, must come after the open "
                f"time, {iso(self.open_time)}."
            )
        if self.type is QuestionType.multiple_choice:
            _check_options(self.options or [])
        elif self.options is not None:
            raise ValueError(
                f"Options belong to multiple_choice questions only; this one is {self.type}."
            )
        if self.is_quantitative:
            if self.lower_bound is None or self.upper_bound is None:
                raise ValueError(f"A {self.type} question needs a lower and an upper bound.")
        elif self.lower_bound is not None or self.upper_bound is not None:
            raise ValueError(
                f"Bounds belong to numeric and date questions only; this one is {self.type}."
            )
        if self.visibility is Visibility.team and self.team_id is None:
            raise ValueError("A question that only a team may see needs a team.")
        return self

    @property
    def is_quantitative(self) -> bool:
        """Whether the answer is a number or a date, forecast by quantiles."""
        return QuestionType(self.type).is_quantitative

    @property
    def has_criteria(self) -> bool:
        """Whether it has resolution criteria; a placeholder such as … or - does not count."""
        return any(character.isalnum() for character in self.resolution_criteria)

    @property
    def close_time(self) -> datetime:
        """The actual close if there is one, otherwise the scheduled close."""
        return self.actual_close_time or self.scheduled_close_time


def _check_options(options: list[str]) -> None:
    if len(options) < 2:
        raise ValueError(
            f"A multiple_choice question needs at least two options; it has {len(options)}."
        )
    for option in options:
        if options.count(option) > 1:
            raise ValueError(f"Options must differ; {option!r} is there twice.")
        if not option.strip() == option != "":
            raise ValueError(
                f"An option must not be blank, or begin or end with a space; {option!r} does."
            )
        if option.casefold() in ("annulled", "ambiguous"):
            raise ValueError(
                f"{option!r} cannot be an option: annulled and ambiguous are outcomes of every "
                "question."
            )


class QuestionRevision(QuestionText, table=True):
    """One wording of a question. The newest counts; earlier ones are kept."""

    __tablename__ = "question_revision"
    __table_args__ = (
        UniqueConstraint("question_id", "number"),
        CheckConstraint("open_time < scheduled_close_time", name="opens_before_it_closes"),
        CheckConstraint("visibility <> 'team' OR team_id IS NOT NULL", name="a_team_is_named"),
        # Few questions are restricted, and every reader checks those first (see ``access``).
        Index(
            "ix_question_revision_restricted",
            "question_id",
            sqlite_where=text("visibility <> 'everyone' OR crowd_hidden"),
            postgresql_where=text("visibility <> 'everyone' OR crowd_hidden"),
        ),
    )

    id: int = Field(default=None, primary_key=True)
    question_id: int = Field(foreign_key="question.id")
    number: int
    member_id: int = Field(foreign_key="member.id")
    recorded_at: datetime = Field(sa_type=Time)
    reason: str = long_text()


class QuestionSource(SQLModel, table=True):
    """A question's source passage: a W3C TextQuoteSelector into an article."""

    __tablename__ = "question_source"

    id: int = Field(default=None, primary_key=True)
    question_id: int = Field(foreign_key="question.id", index=True)
    article_id: int = Field(foreign_key="article.id", index=True)
    quote: str = long_text()
    prefix: str = long_text()
    suffix: str = long_text()


class QuestionOrigin(SQLModel, table=True):
    """A question's id and address on the platform from which it was imported."""

    __tablename__ = "question_origin"
    __table_args__ = (
        UniqueConstraint("question_id", "platform"),
        Index("ix_question_origin_platform", "platform", "platform_id"),
    )

    id: int = Field(default=None, primary_key=True)
    question_id: int = Field(foreign_key="question.id")
    platform: str = Field(sa_type=Text)
    platform_id: str = Field(sa_type=Text)
    url: str = long_text()
    recorded_at: datetime = Field(sa_type=Time)


class DistinctPair(SQLModel, table=True):
    """Someone judged two questions not to be the same, or took that back; the newest row counts.

    ``apart``: they are not proposed as one family. ``question_id`` is the lower of the two ids.
    """

    __tablename__ = "distinct_pair"
    __table_args__ = (
        CheckConstraint("question_id < other_id", name="ids_in_order"),
        Index("ix_distinct_pair_question_id", "question_id", "other_id", "id"),
    )

    id: int = Field(default=None, primary_key=True)
    question_id: int = Field(foreign_key="question.id")
    other_id: int = Field(foreign_key="question.id")
    apart: bool
    member_id: int = Field(foreign_key="member.id")
    recorded_at: datetime = Field(sa_type=Time)


class Discard(SQLModel, table=True):
    """A question was discarded by its author: nobody sees it, and its rows are kept."""

    id: int = Field(default=None, primary_key=True)
    question_id: int = Field(foreign_key="question.id", unique=True)
    member_id: int = Field(foreign_key="member.id")
    recorded_at: datetime = Field(sa_type=Time)
