"""All tables, from articles to scores.

article -> question -> forecast + evidence -> resolution -> score

The tables in ``chain.APPEND_ONLY`` are only added to: an update, a withdrawal, a new wording and a
corrected resolution are new rows, and triggers refuse UPDATE and DELETE (see ``migrations``).
Status, the end of a forecast and the crowd are derived, not stored. Scores are stored as a cache;
``scores.rebuild`` recomputes them. Each row of history has an ``Entry``, which shows later changes
(see ``chain``).

``table=True`` classes do not validate when constructed: verbs validate first, and the CHECK
constraints also hold for writes that go around the verbs. A new row's id is None until it is
flushed.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from pydantic import ValidationInfo, field_validator, model_validator
from sqlalchemy import JSON, CheckConstraint, Index, Text, UniqueConstraint, inspect
from sqlalchemy.orm import declared_attr
from sqlmodel import Field, SQLModel

from forecasts.common.errors import RuleError
from forecasts.common.text import unstorable_character
from forecasts.common.times import iso
from forecasts.common.vocabulary import DIGEST_ADDRESS as DIGEST_ADDRESS
from forecasts.common.vocabulary import EvidenceKind as EvidenceKind
from forecasts.common.vocabulary import GroupKind as GroupKind
from forecasts.common.vocabulary import LinkKind as LinkKind
from forecasts.common.vocabulary import LinkStrength as LinkStrength
from forecasts.common.vocabulary import QuestionType as QuestionType
from forecasts.common.vocabulary import Stance as Stance
from forecasts.ledger.columns import Real, Time, json_column, long_text, where
from forecasts.ledger.stored_forms import add_enum_checks


class _Table(SQLModel):
    model_config = {"defer_build": True}

    @declared_attr.directive
    def __tablename__(cls) -> str:  # noqa: N805
        return re.sub("(?<!^)(?=[A-Z])", "_", cls.__name__).lower()


class _Row(_Table):
    id: int = Field(default=None, primary_key=True)


class _Recorded(_Row):
    recorded_at: datetime = Field(sa_type=Time)


class _SingleRow(_Table):
    id: int = Field(default=1, primary_key=True)


class MemberKind(StrEnum):
    """The kind of account behind a handle."""

    human = "human"
    bot = "bot"
    service = "service"


class Role(StrEnum):
    """A member's role in a team or in the whole ledger; each includes the rights of those before.

    In order: see; ask, forecast and propose; decide and reword; manage members.
    """

    viewer = "viewer"
    forecaster = "forecaster"
    resolver = "resolver"
    admin = "admin"

    @property
    def rank(self) -> int:
        """The role's place in that order, from 0."""
        return list(Role).index(self)


class Ledger(_SingleRow, table=True):
    """The database's description, in a single row."""

    created_at: datetime = Field(sa_type=Time)
    demonstration: bool = False


class Member(_Row, table=True):
    """Someone who forecasts, resolves or reads. Simulated members have that in their handle."""

    handle: str = Field(unique=True)
    kind: MemberKind = Field(default=MemberKind.human, sa_type=Text)
    created_at: datetime = Field(sa_type=Time)


class Identity(_Recorded, table=True):
    """A member's account with a sign-in provider, by names that it gives to no one else.

    Not by e-mail address: that can change, and is not stored.
    """

    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    issuer: str
    subject: str
    member_id: int = Field(foreign_key="member.id", index=True)


class EndedSession(_Recorded, table=True):
    """A sign-in that its person ended before it expired, at ``until``; then the row is deleted.

    ``key``: a hash of the claims that distinguish the sign-in from others.
    """

    key: str = Field(sa_type=Text, unique=True)
    until: datetime = Field(sa_type=Time)


class Token(_Recorded, table=True):
    """A bot's or service's access token. The token itself is shown once and not stored.

    ``key``: the part by which it is found. ``digest``: the SHA-256 of the whole token. ``scopes``:
    the kinds of acts it allows (``access.tokens.Scope``); blank: all that its member may do.
    """

    member_id: int = Field(foreign_key="member.id", index=True)
    key: str = Field(unique=True)
    digest: str
    expires_at: datetime | None = Field(default=None, sa_type=Time)
    scopes: list[str] | None = json_column()


class TokenRevocation(_Recorded, table=True):
    """A token is no longer valid."""

    token_id: int = Field(foreign_key="token.id", unique=True)


class IdempotentAnswer(_Row, table=True):
    """The answer to a request with an ``Idempotency-Key``, kept for some days for its repetition.

    ``request_digest``: the SHA-256 of the request; the same key with another one is refused.
    """

    __table_args__ = (UniqueConstraint("token_id", "key"),)

    token_id: int = Field(foreign_key="token.id")
    key: str = Field(sa_type=Text)
    request_digest: str = Field(sa_type=Text)
    status: int
    answer: str = Field(sa_type=Text)
    recorded_at: datetime = Field(sa_type=Time, index=True)


class BotOwner(_Recorded, table=True):
    """The member who answers for a bot; the bot's newest row counts."""

    __table_args__ = (CheckConstraint("bot_id <> owner_id", name="owner_is_another"),)

    bot_id: int = Field(foreign_key="member.id", index=True)
    owner_id: int = Field(foreign_key="member.id")


class Team(_Row, table=True):
    """A named group of members."""

    name: str = Field(unique=True)
    created_at: datetime = Field(sa_type=Time)


class Membership(_Row, table=True):
    """A member's time in a team, in one role, from ``joined_at`` to ``left_at``.

    Of the rows with the same team, member and ``joined_at`` the newest counts: another row ends an
    open membership. One that ends when it began takes back a stay that was entered by mistake. A
    new role is a new membership.
    """

    team_id: int = Field(foreign_key="team.id", index=True)
    member_id: int = Field(foreign_key="member.id", index=True)
    joined_at: datetime | None = Field(default=None, sa_type=Time)
    left_at: datetime | None = Field(default=None, sa_type=Time)
    role: Role = Field(default=Role.forecaster, sa_type=Text)


class Appointment(_Recorded, table=True):
    """A member's role in the whole ledger, from ``recorded_at`` on; a member's newest row counts.

    ``by_member_id``: the member who appointed them. A ledger without appointments is unshared (see
    ``access``).
    """

    member_id: int = Field(foreign_key="member.id", index=True)
    role: Role = Field(sa_type=Text)
    by_member_id: int | None = Field(default=None, foreign_key="member.id")


class TeamRule(_Recorded, table=True):
    """A team's rules; its newest row counts.

    ``second_resolver``: a member who has forecast on one of its questions cannot resolve it alone.
    """

    team_id: int = Field(foreign_key="team.id", index=True)
    second_resolver: bool
    member_id: int = Field(foreign_key="member.id")


class Theme(StrEnum):
    """A member's choice between the app's themes; blank in a ``Preference``: the device's."""

    light = "light"
    dark = "dark"


class AliasSalt(_SingleRow, table=True):
    """The ledger's secret for the names of anonymised accounts, in a single row.

    With it, the same account has the same name at each import, and nobody without the database can
    find the account from the name (``importing.aliases``).
    """

    salt: str = Field(sa_type=Text)
    recorded_at: datetime = Field(sa_type=Time)


class Preference(_Recorded, table=True):
    """A member's settings for pages, all of them; the newest row counts. Blank: the default.

    ``time_zone``: an IANA name, such as Europe/Paris. ``lowest_probability``: the lowest one that
    forms accept.
    """

    __table_args__ = (
        CheckConstraint(
            "lowest_probability >= 0 AND lowest_probability < 0.5", name="lowest_is_low"
        ),
    )

    member_id: int = Field(foreign_key="member.id", index=True)
    time_zone: str | None = None
    lowest_probability: float | None = Field(default=None, sa_type=Real)
    theme: Theme | None = Field(default=None, sa_type=Text)


class Article(_Row, table=True):
    """A captured article. ``content_hash`` is unique: the same article is stored once."""

    content_hash: str = Field(unique=True)
    url: str | None = Field(default=None, index=True)
    title: str
    publisher: str | None = None
    author: str | None = None
    published_at: datetime | None = Field(default=None, sa_type=Time)
    captured_at: datetime = Field(sa_type=Time, index=True)
    member_id: int | None = Field(default=None, foreign_key="member.id")
    text: str = long_text()

    @property
    def address(self) -> str:
        """The article's name in folders and citations: its URL, or its content hash."""
        return self.url or f"{DIGEST_ADDRESS}{self.content_hash}"


class Visibility(StrEnum):
    """The members who may see a question."""

    everyone = "everyone"
    team = "team"
    author = "author"


class Question(_Recorded, table=True):
    """A question's identity. Its wording is in its newest ``QuestionRevision``."""

    slug: str = Field(unique=True)
    member_id: int = Field(foreign_key="member.id")


class QuestionText(_Table):
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
            raise RuleError("The question has no title.", "Give it a title.")
        return value

    @field_validator("options", "tags")
    @classmethod
    def _what_is_stored_as_json_is_text(cls, value: list[str] | None) -> list[str] | None:
        for word in value or []:
            if sign := unstorable_character(word):
                raise RuleError(
                    f"{word[:60]!r} contains {sign}, which a ledger cannot store.", "Remove it."
                )
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
            raise RuleError(
                f"The {(field.field_name or '').replace('_', ' ')} {value.isoformat()} has no time "
                "zone; it needs an offset or Z, as in 2025-10-30T14:00:00Z.",
                "Add its offset.",
            )
        try:
            return None if value is None else value.astimezone(UTC)
        except OverflowError:
            raise RuleError(
                f"The {(field.field_name or '').replace('_', ' ')} {value} is not a time in the "
                "years 1 to 9999 in UTC.",
                "Give a time in these years.",
            ) from None

    @model_validator(mode="after")
    def _the_parts_fit_together(self) -> QuestionText:
        if self.scheduled_close_time <= self.open_time:
            raise RuleError(
                f"The scheduled close, {iso(self.scheduled_close_time)}, must come after the open "
                f"time, {iso(self.open_time)}.",
                "Give a later close, or an earlier opening.",
            )
        if self.type is QuestionType.multiple_choice:
            _check_options(self.options or [])
        elif self.options is not None:
            raise RuleError(
                f"Options belong to multiple_choice questions only; this one is {self.type}.",
                "Leave the options out, or give the type multiple_choice.",
            )
        if self.is_quantitative:
            if self.lower_bound is None or self.upper_bound is None:
                raise RuleError(
                    f"A {self.type} question needs a lower and an upper bound.",
                    "Give both: the least and the greatest value that you expect.",
                )
        elif self.lower_bound is not None or self.upper_bound is not None:
            raise RuleError(
                f"Bounds belong to numeric and date questions only; this one is {self.type}.",
                "Leave the bounds out, or give the type numeric or date.",
            )
        if self.visibility is Visibility.team and self.team_id is None:
            raise RuleError(
                "A question that only a team may see needs a team.", "Give the team's name."
            )
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
        raise RuleError(
            f"A multiple_choice question needs at least two options; it has {len(options)}.",
            "Give two or more, as in North, South; or ask it as yes or no.",
        )
    for option in options:
        if options.count(option) > 1:
            raise RuleError(f"Options must differ; {option!r} is there twice.", "Give it once.")
        if not option.strip() == option != "":
            raise RuleError(
                f"An option must not be blank, or begin or end with a space; {option!r} does.",
                "Remove the blanks.",
            )
        if option.casefold() in ("annulled", "ambiguous"):
            raise RuleError(
                f"{option!r} cannot be an option: annulled and ambiguous are outcomes of every "
                "question.",
                "Give it another name.",
            )


class QuestionRevision(QuestionText, table=True):
    """One wording of a question. The newest counts; earlier ones are kept."""

    __table_args__ = (
        UniqueConstraint("question_id", "number"),
        CheckConstraint("open_time < scheduled_close_time", name="opens_before_it_closes"),
        CheckConstraint("visibility <> 'team' OR team_id IS NOT NULL", name="a_team_is_named"),
        # Few questions are restricted, and every reader checks those first (see ``access``).
        Index(
            "ix_question_revision_restricted",
            "question_id",
            **where("visibility <> 'everyone' OR crowd_hidden"),
        ),
    )

    id: int = Field(default=None, primary_key=True)
    question_id: int = Field(foreign_key="question.id")
    number: int
    member_id: int = Field(foreign_key="member.id")
    recorded_at: datetime = Field(sa_type=Time)
    reason: str = long_text()


class QuestionSource(_Row, table=True):
    """A question's source passage: a W3C TextQuoteSelector into an article."""

    question_id: int = Field(foreign_key="question.id", index=True)
    article_id: int = Field(foreign_key="article.id", index=True)
    quote: str = long_text()
    prefix: str = long_text()
    suffix: str = long_text()


class QuestionOrigin(_Recorded, table=True):
    """A question's id and address on the platform from which it was imported."""

    __table_args__ = (
        UniqueConstraint("question_id", "platform"),
        Index("ix_question_origin_platform", "platform", "platform_id"),
    )

    question_id: int = Field(foreign_key="question.id")
    platform: str = Field(sa_type=Text)
    platform_id: str = Field(sa_type=Text)
    url: str = long_text()


class DistinctPair(_Recorded, table=True):
    """Someone judged two questions not to be the same, or took that back; the newest row counts.

    ``apart``: they are not proposed as one family. ``question_id`` is the lower of the two ids.
    """

    __table_args__ = (
        CheckConstraint("question_id < other_id", name="ids_in_order"),
        Index("ix_distinct_pair_question_id", "question_id", "other_id", "id"),
    )

    question_id: int = Field(foreign_key="question.id")
    other_id: int = Field(foreign_key="question.id")
    apart: bool
    member_id: int = Field(foreign_key="member.id")


class QuestionGroup(_Recorded, table=True):
    """A group of questions under one title; the newest row of a slug counts, the first names it."""

    slug: str = Field(index=True)
    title: str
    kind: GroupKind = Field(sa_type=Text)
    member_id: int = Field(foreign_key="member.id")


class GroupPlace(_Recorded, table=True):
    """A question's place in a group; its newest row counts, without a label it is in none.

    ``group_id``: the first row of the group. ``position``: its members are in this order.
    """

    question_id: int = Field(foreign_key="question.id", index=True)
    group_id: int = Field(foreign_key="question_group.id", index=True)
    label: str = long_text()
    position: int
    member_id: int = Field(foreign_key="member.id")


class Condition(_Recorded, table=True):
    """A question is asked only under an outcome of another, its parent; else it is annulled.

    ``outcome``: of the parent, as ``values.dependence.read_condition`` returns it.
    """

    __table_args__ = (CheckConstraint("question_id <> parent_id", name="parent_is_another"),)

    question_id: int = Field(foreign_key="question.id", unique=True)
    parent_id: int = Field(foreign_key="question.id", index=True)
    outcome: str = Field(sa_type=Text)
    member_id: int = Field(foreign_key="member.id")


class QuestionLink(_Recorded, table=True):
    """A link from one question to another, or its removal.

    The newest row of an ordered pair and a kind counts.
    """

    __table_args__ = (
        CheckConstraint("question_id <> other_id", name="other_is_another"),
        Index("ix_question_link_question_id", "question_id", "other_id", "kind", "id"),
    )

    question_id: int = Field(foreign_key="question.id")
    other_id: int = Field(foreign_key="question.id", index=True)
    kind: LinkKind = Field(sa_type=Text)
    strength: LinkStrength = Field(sa_type=Text)
    reason: str = long_text()
    removed: bool = False
    member_id: int = Field(foreign_key="member.id")
    # Of imports only: the time at which it was made; else it was made when it was recorded.
    made_at: datetime | None = Field(default=None, sa_type=Time)


class Discard(_Recorded, table=True):
    """A question was discarded by its author: nobody sees it, and its rows are kept."""

    question_id: int = Field(foreign_key="question.id", unique=True)
    member_id: int = Field(foreign_key="member.id")


class Forecast(_Recorded, table=True):
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

    question_id: int = Field(foreign_key="question.id")
    member_id: int = Field(foreign_key="member.id")
    made_at: datetime = Field(sa_type=Time)
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


class CurrentForecast(_Recorded, table=True):
    """A member's newest forecast or withdrawal on a question, so that lists read no history.

    Derived from ``Forecast``, and written with it (see ``current_forecasts``). ``recorded_at``: of
    the member's row that was recorded last, which may be an import of an older one. ``forecasts``
    and ``withdrawals``: how many of each the member has on the question.
    """

    __table_args__ = (UniqueConstraint("question_id", "member_id"),)

    question_id: int = Field(foreign_key="question.id")
    member_id: int = Field(foreign_key="member.id", index=True)
    forecast_id: int = Field(foreign_key="forecast.id")
    made_at: datetime = Field(sa_type=Time)
    forecasts: int
    withdrawals: int


class ModelUse(_Row, table=True):
    """The model that made a forecast, as its forecaster reported it.

    ``prompt_hash``: a hash of the prompt, which itself is not stored. ``cost``: in US dollars.
    ``tokens``: read and written. ``tools``: the names of those it could use.
    """

    __table_args__ = tuple(
        CheckConstraint(f"{name} >= 0", name=f"{name}_not_negative")
        for name in ("temperature", "cost", "tokens", "seconds")
    )

    forecast_id: int = Field(foreign_key="forecast.id", unique=True)
    name: str
    version: str | None = None
    prompt_hash: str | None = None
    temperature: float | None = Field(default=None, sa_type=Real)
    cost: float | None = Field(default=None, sa_type=Real)
    tokens: int | None = None
    seconds: float | None = Field(default=None, sa_type=Real)
    tools: list[str] | None = json_column()


class Evidence(_Recorded, table=True):
    """A reason for a forecast: an article, a page, a figure or a note."""

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


class Citation(_Row, table=True):
    """A forecast's use of a piece of evidence.

    ``share`` blank: an equal part of the rest that the other shares leave.
    """

    __table_args__ = (
        UniqueConstraint("forecast_id", "evidence_id"),
        CheckConstraint("share >= 0", name="share_not_negative"),
    )

    forecast_id: int = Field(foreign_key="forecast.id")
    evidence_id: int = Field(foreign_key="evidence.id", index=True)
    stance: Stance = Field(default=Stance.supports, sa_type=Text)
    share: float | None = Field(default=None, sa_type=Real)


class Comment(_Recorded, table=True):
    """A member's comment on a question.

    ``forecast_id``: the forecast whose reasons it gives. ``private``: for its author alone.
    """

    __table_args__ = (Index("ix_comment_question_id", "question_id", "id"),)

    question_id: int = Field(foreign_key="question.id")
    member_id: int = Field(foreign_key="member.id")
    forecast_id: int | None = Field(default=None, foreign_key="forecast.id", index=True)
    private: bool = False
    text: str = Field(sa_type=Text)


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


class Resolution(_Recorded, table=True):
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
            **where("state = 'confirmed' AND supersedes_id IS NULL"),
        ),
    )

    question_id: int = Field(foreign_key="question.id", index=True)
    state: ResolutionState = Field(sa_type=Text)
    outcome: str
    # Blank only for imports that do not give it.
    known_at: datetime | None = Field(default=None, sa_type=Time)
    resolved_at: datetime | None = Field(default=None, sa_type=Time)
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


class Exhibit(_Row, table=True):
    """A document that a resolver read for this outcome: its address, time and hash.

    The bytes are in an ``ExhibitContent``, up to ``limits.EXHIBIT_BYTES``.
    """

    resolution_id: int = Field(foreign_key="resolution.id", index=True)
    address: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=Time)
    media: str = ""
    sha256: str = Field(index=True)
    size: int


class ExhibitContent(_Row, table=True):
    """The bytes of a document that resolvers read, stored once."""

    sha256: str = Field(unique=True)
    data: bytes


class Dispute(_Recorded, table=True):
    """A member disputes a confirmed resolution, or a dispute is settled.

    ``answers_id``: the dispute that this row settles in favour of the resolution. A dispute that is
    upheld ends with the resolution that supersedes the disputed one.
    """

    resolution_id: int = Field(foreign_key="resolution.id", index=True)
    member_id: int = Field(foreign_key="member.id")
    reason: str = long_text()
    answers_id: int | None = Field(default=None, foreign_key="dispute.id", unique=True)


class ModelCall(_Recorded, table=True):
    """A request to a language model, written before it is sent; one without an answer was cut off.

    ``member_id``: who asked; ``bot_id``: the bot with the model's name. ``kind``: of the proposals
    wanted (``proposals.prompts``), from the article or about the question. ``host``: where it was
    sent. ``request``: as sent, and ``prompt_hash`` its SHA-256. ``most_tokens``: that it can use.
    """

    member_id: int = Field(foreign_key="member.id", index=True)
    bot_id: int = Field(foreign_key="member.id")
    kind: str = Field(sa_type=Text)
    article_id: int | None = Field(default=None, foreign_key="article.id")
    # Not question_id: a call is not part of its question's chain, which others may be shown.
    about_id: int | None = Field(default=None, foreign_key="question.id")
    model: str = Field(sa_type=Text)
    host: str = Field(sa_type=Text)
    prompt_hash: str = Field(sa_type=Text)
    most_tokens: int
    request: str = long_text()
    recorded_at: datetime = Field(sa_type=Time, index=True)


class AnswerState(StrEnum):
    """The end of a model's call: an answer in the form asked for, in another one, or none."""

    answered = "answered"
    unusable = "unusable"
    failed = "failed"


class ModelAnswer(_Recorded, table=True):
    """The end of a model's call, with the answer as received.

    ``reason``: why it cannot be used, and the remedy. ``cost``: in the currency of the prices in
    the settings. ``misquoted``: proposals dropped since their source lacks the quotation;
    ``unusable``: dropped for another reason.
    """

    __table_args__ = tuple(
        CheckConstraint(f"{name} >= 0", name=f"{name}_not_negative")
        for name in ("tokens_in", "tokens_out", "cost", "seconds", "misquoted", "unusable")
    )

    model_call_id: int = Field(foreign_key="model_call.id", unique=True)
    member_id: int = Field(foreign_key="member.id")
    state: AnswerState = Field(sa_type=Text)
    reason: str = long_text()
    tokens_in: int
    tokens_out: int
    cost: float = Field(sa_type=Real)
    seconds: float = Field(sa_type=Real)
    misquoted: int = 0
    unusable: int = 0
    answer: str = long_text()


class ModelProposal(_Recorded, table=True):
    """A model's proposal for the member who asked; ``content``: its fields as JSON, by its kind."""

    model_call_id: int = Field(foreign_key="model_call.id", index=True)
    member_id: int = Field(foreign_key="member.id", index=True)
    content: str = long_text()


class Decision(StrEnum):
    """A person's decision on a model's proposal; ``reopened``: a dismissal taken back."""

    accepted = "accepted"
    changed = "changed"
    dismissed = "dismissed"
    reopened = "reopened"


class ModelDecision(_Recorded, table=True):
    """A decision on a model's proposal, and the question, forecast or outcome made from it.

    The newest row counts.
    """

    model_proposal_id: int = Field(foreign_key="model_proposal.id", index=True)
    member_id: int = Field(foreign_key="member.id")
    decision: Decision = Field(sa_type=Text)
    made_question_id: int | None = Field(default=None, foreign_key="question.id")
    made_forecast_id: int | None = Field(default=None, foreign_key="forecast.id")
    made_resolution_id: int | None = Field(default=None, foreign_key="resolution.id")


class Policy(_Recorded, table=True):
    """How a question's resolvers confirm outcomes; the newest row of a question counts.

    ``agreeing``: the resolvers that must agree for a quorum. ``dispute_days``: how long a confirmed
    outcome may be disputed and its scores are provisional. Without a row: confirm, 0 days.
    """

    __table_args__ = (
        CheckConstraint("agreeing >= 1", name="somebody_agrees"),
        CheckConstraint("dispute_days >= 0", name="days_not_negative"),
    )

    question_id: int = Field(foreign_key="question.id", index=True)
    kind: PolicyKind = Field(default=PolicyKind.confirm, sa_type=Text)
    agreeing: int = 1
    dispute_days: float = Field(default=0.0, sa_type=Real)
    member_id: int = Field(foreign_key="member.id")


class Resolver(_Recorded, table=True):
    """A question's resolver: its kind and settings.

    It replaces the earlier ones, unless ``beside`` is set.
    """

    question_id: int = Field(foreign_key="question.id", index=True)
    kind: str
    settings: dict[str, Any] = Field(sa_type=JSON)
    member_id: int | None = Field(default=None, foreign_key="member.id")
    beside: bool = False


class Watch(_Row, table=True):
    """The next attempt of a question's resolvers: a task for runs, not part of the history.

    ``next_at`` blank: none, since the question is resolved. ``claimed_by``: the run that works on
    it, until ``claimed_until``. ``attempts``: failures in a row, counting killed runs, with the
    last ``reason``. ``parked_at``: when it began to wait for a member.
    """

    question_id: int = Field(foreign_key="question.id", unique=True)
    next_at: datetime | None = Field(default=None, sa_type=Time, index=True)
    claimed_by: str | None = None
    claimed_until: datetime | None = Field(default=None, sa_type=Time)
    attempts: int = 0
    looked_at: datetime | None = Field(default=None, sa_type=Time)
    parked_at: datetime | None = Field(default=None, sa_type=Time)
    reason: str = long_text()


class ResolverRun(_Row, table=True):
    """One attempt of one resolver, and its result."""

    resolver_id: int = Field(foreign_key="resolver.id", index=True)
    started_at: datetime = Field(sa_type=Time)
    ended_at: datetime | None = Field(default=None, sa_type=Time)
    state: RunState = Field(sa_type=Text)
    message: str = long_text()


class LastRun(_SingleRow, table=True):
    """The start of the newest run, and where its interval began: a single row.

    ``before_at``: the start of the run before, or the own start less the interval that the schedule
    states; equal to ``started_at`` after a run by hand, which has no interval. It is not part of
    the history: each run writes it again.
    """

    started_at: datetime = Field(sa_type=Time)
    before_at: datetime | None = Field(default=None, sa_type=Time)


class Score(_Row, table=True):
    """One forecaster's score on one resolution, cached."""

    __table_args__ = (
        UniqueConstraint("resolution_id", "member_id", "protocol"),
        Index("ix_score_member_protocol", "member_id", "protocol"),
    )

    resolution_id: int = Field(foreign_key="resolution.id")
    member_id: int = Field(foreign_key="member.id")
    protocol: str
    engine_version: str
    score: float = Field(sa_type=Real)
    coverage: float = Field(sa_type=Real)
    updates: int


class PrintedScore(_Recorded, table=True):
    """A score that a platform printed for a member; the newest row of each ``name`` counts.

    ``name``: the platform's name for the score. ``coverage``: blank where it printed none.
    """

    __table_args__ = (Index("ix_printed_score_question_id", "question_id", "member_id"),)

    question_id: int = Field(foreign_key="question.id")
    member_id: int = Field(foreign_key="member.id", index=True)
    platform: str = Field(sa_type=Text)
    name: str = Field(sa_type=Text)
    score: float = Field(sa_type=Real)
    coverage: float | None = Field(default=None, sa_type=Real)


class Event(StrEnum):
    """The events of notifications, in the order of a message: results first, then tasks."""

    resolved = "resolved"
    decision = "decision"
    disputed = "disputed"
    parked = "parked"
    awaiting = "awaiting"
    closing = "closing"
    stale = "stale"
    news = "news"
    closed = "closed"


class NoticeState(StrEnum):
    """The state of a notice. One still ``sending`` after its claim may not have arrived."""

    due = "due"
    sending = "sending"
    sent = "sent"
    failed = "failed"
    moot = "moot"


class Channel(_Recorded, table=True):
    """A member's address for notifications, and its events. It can be changed and removed.

    ``secret_url``: the address for Apprise, with its credentials. ``recorded_at``: the time from
    which events are sent. ``after_resolution``: the id of the last resolution before the channel,
    0 without one, since a run writes as of its start, which may be earlier.
    """

    __table_args__ = (
        Index("uq_channel_name", "member_id", "name", unique=True, **where("removed_at IS NULL")),
        CheckConstraint("days_before_close > 0", name="days_before_close_positive"),
        CheckConstraint("days_until_stale > 0", name="days_until_stale_positive"),
    )

    member_id: int = Field(foreign_key="member.id")
    name: str
    secret_url: str = Field(sa_type=Text)
    events: list[str] = Field(sa_type=JSON)
    days_before_close: float = Field(sa_type=Real)
    days_until_stale: float = Field(sa_type=Real)
    removed_at: datetime | None = Field(default=None, sa_type=Time)
    after_resolution: int | None = None

    def __repr__(self) -> str:
        """Return the channel's id and name; its address is secret."""
        return f"Channel({self.id}, {self.name!r})"

    __str__ = __repr__


class Notice(_Recorded, table=True):
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
            "ix_notice_under_way", "channel_id", **where("state IN ('due', 'sending', 'failed')")
        ),
    )

    channel_id: int = Field(foreign_key="channel.id")
    event: Event = Field(sa_type=Text)
    question_id: int = Field(foreign_key="question.id")
    at: datetime = Field(sa_type=Time)
    state: NoticeState = Field(default=NoticeState.due, sa_type=Text)
    attempts: int = 0
    next_at: datetime = Field(sa_type=Time)
    claim: str | None = None
    claimed_until: datetime | None = Field(default=None, sa_type=Time)
    sent_at: datetime | None = Field(default=None, sa_type=Time)
    reason: str = long_text()


class Revisit(_Recorded, table=True):
    """A member's review interval in days; the newest row counts.

    ``question_id`` blank: for all questions without an interval of their own. ``days`` blank: the
    default.
    """

    __table_args__ = (
        CheckConstraint("days > 0", name="days_are_some"),
        Index("ix_revisit_member_id", "member_id", "question_id", "id"),
    )

    member_id: int = Field(foreign_key="member.id")
    question_id: int | None = Field(default=None, foreign_key="question.id")
    days: int | None = None


class Glance(_Recorded, table=True):
    """A member has seen the results up to this time; the newest row counts."""

    __table_args__ = (Index("ix_glance_member_id", "member_id", "id"),)

    member_id: int = Field(foreign_key="member.id")


class FeedKeep(StrEnum):
    """A feed's articles that its member's inbox lists: all, or those that bear on a question."""

    all = "all"
    matched = "matched"


class Feed(_Recorded, table=True):
    """A member's source of news, an address or a path, and when to read it next.

    It can be changed and removed; its address is deleted then, since it may be secret. ``etag`` and
    ``last_modified``: as the server sent them, or a file's state. ``claimed_by``: the run that
    reads it, until ``claimed_until``. ``attempts``: failures in a row, with the last ``reason``.
    """

    __table_args__ = (
        Index(
            "uq_feed_address", "member_id", "address", unique=True, **where("removed_at IS NULL")
        ),
    )

    member_id: int = Field(foreign_key="member.id")
    address: str = Field(sa_type=Text)
    title: str = Field(sa_type=Text)
    keep: FeedKeep = Field(default=FeedKeep.all, sa_type=Text)
    next_at: datetime | None = Field(default=None, sa_type=Time, index=True)
    paused_at: datetime | None = Field(default=None, sa_type=Time)
    removed_at: datetime | None = Field(default=None, sa_type=Time)
    read_at: datetime | None = Field(default=None, sa_type=Time)
    etag: str | None = Field(default=None, sa_type=Text)
    last_modified: str | None = Field(default=None, sa_type=Text)
    claimed_by: str | None = None
    claimed_until: datetime | None = Field(default=None, sa_type=Time)
    attempts: int = 0
    reason: str = long_text()


class FeedEntry(_Recorded, table=True):
    """An entry of a feed that was read, and its article if it became one.

    ``key``: the SHA-256 of its address, or of its words without one. Nothing else of an entry is
    kept, so that those that nobody needs leave no text in the ledger.
    """

    __table_args__ = (UniqueConstraint("feed_id", "key"),)

    feed_id: int = Field(foreign_key="feed.id")
    key: str = Field(sa_type=Text)
    article_id: int | None = Field(default=None, foreign_key="article.id", index=True)


class ArticleStory(_Row, table=True):
    """The story of an article: the first of the articles with nearly the same words.

    Derived from the articles (see ``news.stories``). ``signature``: the MinHash of its words.
    """

    article_id: int = Field(foreign_key="article.id", unique=True)
    story_id: int = Field(foreign_key="article.id", index=True)
    signature: bytes


class ArticleMatch(_Row, table=True):
    """An open question that an article bears on.

    Derived from both texts (see ``news.matches``). ``words``: those that the two share.
    """

    __table_args__ = (UniqueConstraint("question_id", "article_id"),)

    question_id: int = Field(foreign_key="question.id")
    article_id: int = Field(foreign_key="article.id", index=True)
    score: float = Field(sa_type=Real)
    passage: str = long_text()
    words: list[str] = Field(sa_type=JSON)


class MatchedUntil(_SingleRow, table=True):
    """The newest article and wording that matches were stored for, in a single row."""

    article_id: int
    revision_id: int


class NewsReply(StrEnum):
    """A member's answer to a question suggested for an article.

    Or, without an article, the score from which the question is suggested to them.
    """

    accepted = "accepted"
    dismissed = "dismissed"
    muted = "muted"
    reopened = "reopened"  # a dismissal taken back
    threshold = "threshold"


class NewsAnswer(_Recorded, table=True):
    """A member's answer to a suggestion: of one article and question the newest row counts.

    ``score`` and ``words``: the suggestion's. ``muted``: no more articles that share only these
    words with the question. ``threshold``: ``score`` is the member's own, blank: the learned one.
    """

    __table_args__ = (
        CheckConstraint(
            "(article_id IS NULL) = (answer = 'threshold')", name="threshold_has_no_article"
        ),
        Index("ix_news_answer_member_id", "member_id", "question_id", "id"),
    )

    member_id: int = Field(foreign_key="member.id")
    question_id: int = Field(foreign_key="question.id")
    article_id: int | None = Field(default=None, foreign_key="article.id")
    answer: NewsReply = Field(sa_type=Text)
    score: float | None = Field(default=None, sa_type=Real)
    words: list[str] | None = json_column()


class Removal(_Recorded, table=True):
    """A member was removed at their request; placeholders replace their words.

    This row lets the triggers accept that change, for this member's words only.
    ``removed_by_id`` blank: by the owner of the database. ``erased``: the ids of the rows that lost
    their words, by table; blank for removals before schema 0012.
    """

    member_id: int = Field(foreign_key="member.id", unique=True)
    removed_by_id: int | None = Field(default=None, foreign_key="member.id")
    erased: dict[str, list[int]] | None = json_column()


class Entry(_Row, table=True):
    """The entry of one row of history in the chain of hashes (see ``chain``).

    ``id``: its place in the ledger's chain, from 1 without a gap. ``number``: its place in its
    question's chain, if it has a question. ``kind`` and ``row_id``: the table and id of the row.
    ``salt`` is blank once a person's words were removed, and without words in earlier releases.
    ``at``: the time of the act, never earlier than in the entry before; blank for entries of an
    older schema.
    """

    __table_args__ = (
        UniqueConstraint("question_id", "number"),
        # The few rows whose time is asked for by row.
        Index("ix_entry_of_membership", "row_id", **where("kind = 'membership'")),
    )

    question_id: int | None = Field(default=None, foreign_key="question.id")
    number: int | None = None
    kind: str = Field(sa_type=Text)
    row_id: int
    salt: str | None = Field(default=None, sa_type=Text)
    words_hash: str | None = Field(default=None, sa_type=Text)
    row_hash: str = Field(sa_type=Text)
    hash: str = Field(sa_type=Text)
    at: datetime | None = Field(default=None, sa_type=Time)


class UpkeepAct(StrEnum):
    """An operator's routine work for a ledger."""

    backup = "backup"
    digest = "digest"


class Upkeep(_Row, table=True):
    """The newest backup to a file, or the newest digest sent to a target: a row each.

    It is not part of the history: each act writes its row again. ``key``: a hash of the target,
    which may be secret; ``place``: the part of it that may be shown. ``digest`` and ``done_at``: of
    the last success. ``reason``: why the newest attempt, at ``tried_at``, failed; blank if not.
    """

    key: str = Field(sa_type=Text, unique=True)
    act: UpkeepAct = Field(sa_type=Text)
    place: str = Field(sa_type=Text)
    digest: str = long_text()
    done_at: datetime | None = Field(default=None, sa_type=Time)
    tried_at: datetime = Field(sa_type=Time)
    reason: str = long_text()


add_enum_checks(inspect(Ledger).registry)
