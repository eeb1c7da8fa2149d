"""All tables, in the order of the journey.

article -> question -> forecast + evidence -> resolution -> score

Append-only: the tables in ``APPEND_ONLY``. A changed mind, a withdrawal, a reworded question, a
corrected resolution is a new row; triggers refuse UPDATE and DELETE (see ``migrations``).
What can be derived (a question's status, the end of a forecast, the crowd) is not stored.
Scores are stored, as a cache that ``scores.rebuild`` can make anew. Each row of history has an
``Entry``, which tells later whether it is still what it was (see ``chain``).

``table=True`` classes do not validate when they are constructed: verbs validate first, and the
CHECK constraints below hold even for a writer who goes around the verbs.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from pydantic import ValidationInfo, field_validator, model_validator
from sqlalchemy import CheckConstraint, Dialect, Index, Text, UniqueConstraint, text
from sqlalchemy import DateTime as SADateTime
from sqlalchemy.types import JSON, TypeDecorator
from sqlmodel import Field, SQLModel

from forecasts.common.text import no_text
from forecasts.common.times import iso, utc

# One naming rule for constraints, so that migrations can name what they alter.
SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

APPEND_ONLY = (
    "membership",
    "appointment",
    "team_rule",
    "article",
    "question",
    "question_revision",
    "question_source",
    "forecast",
    "evidence",
    "citation",
    "resolution",
    "policy",
    "exhibit",
    "exhibit_content",
    "dispute",
    "token",
    "token_revocation",
    "removal",
    "entry",
)


# The address of an article that was pasted and has no URL: this and its content hash.
DIGEST_ADDRESS = "urn:sha256:"


class Time(TypeDecorator[datetime]):
    """An aware time: stored in UTC, returned in UTC, refused when naive."""

    impl = SADateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the UTC time to store; SQLite has no zones, so there the zone is dropped."""
        if value is None:
            return None
        value = utc(value)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the stored time as an aware one."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _json() -> Any:
    """Return a JSON column in which None is SQL NULL (and not the JSON word null)."""
    return Field(default=None, sa_type=JSON(none_as_null=True))


def _long_text() -> Any:
    return Field(default="", sa_type=Text)


def _one_of(column: str, values: type[StrEnum]) -> str:
    """Return the SQL that lets a column hold these values only."""
    return f"{column} IN ({', '.join(repr(str(value)) for value in values)})"


class MemberKind(StrEnum):
    """Who stands behind a handle."""

    human = "human"
    bot = "bot"
    service = "service"


class Role(StrEnum):
    """What a member may do, in a team or in the whole ledger; each may do what those before may.

    In this order: see; ask, forecast and propose; decide and reword; say who belongs.
    """

    viewer = "viewer"
    forecaster = "forecaster"
    resolver = "resolver"
    admin = "admin"

    @property
    def rank(self) -> int:
        """Its place in that order, from 0."""
        return list(Role).index(self)


class Visibility(StrEnum):
    """Who may see a question."""

    everyone = "everyone"
    team = "team"
    author = "author"


class QuestionType(StrEnum):
    """What kind of answer a question has."""

    binary = "binary"
    multiple_choice = "multiple_choice"
    numeric = "numeric"
    date = "date"


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


class Ledger(SQLModel, table=True):
    """The one row that says what this database is."""

    id: int = Field(default=1, primary_key=True)
    created_at: datetime = Field(sa_type=Time)
    demonstration: bool = False


class Member(SQLModel, table=True):
    """Someone who forecasts, resolves or reads. A simulated member's handle says so."""

    id: int | None = Field(default=None, primary_key=True)
    handle: str = Field(unique=True)
    kind: MemberKind = Field(default=MemberKind.human, sa_type=Text)
    created_at: datetime = Field(sa_type=Time)


class Identity(SQLModel, table=True):
    """Who a member is to a provider of sign-in: the names that it never gives to anybody else.

    An e-mail address is none of them: it changes, and is not kept.
    """

    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    id: int | None = Field(default=None, primary_key=True)
    issuer: str
    subject: str
    member_id: int = Field(foreign_key="member.id", index=True)
    recorded_at: datetime = Field(sa_type=Time)


class Token(SQLModel, table=True):
    """What a service member shows to act; the token itself is shown once and kept nowhere.

    ``key`` is the part of it by which it is found, ``digest`` the SHA-256 of the whole.
    """

    id: int | None = Field(default=None, primary_key=True)
    member_id: int = Field(foreign_key="member.id", index=True)
    key: str = Field(unique=True)
    digest: str
    recorded_at: datetime = Field(sa_type=Time)
    expires_at: datetime | None = Field(default=None, sa_type=Time)


class TokenRevocation(SQLModel, table=True):
    """That a token counts no longer."""

    __tablename__ = "token_revocation"

    id: int | None = Field(default=None, primary_key=True)
    token_id: int = Field(foreign_key="token.id", unique=True)
    recorded_at: datetime = Field(sa_type=Time)


class Team(SQLModel, table=True):
    """A named group of members."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    created_at: datetime = Field(sa_type=Time)


class Membership(SQLModel, table=True):
    """A member's stay in a team, in a role; it counts for what is done between the two times.

    Of the rows with the same team, member and ``joined_at`` the newest counts: a stay that was
    open is ended by another row. A stay in another role is another stay.
    """

    __table_args__ = (CheckConstraint(_one_of("role", Role), name="role_is_known"),)

    id: int | None = Field(default=None, primary_key=True)
    team_id: int = Field(foreign_key="team.id", index=True)
    member_id: int = Field(foreign_key="member.id", index=True)
    joined_at: datetime | None = Field(default=None, sa_type=Time)
    left_at: datetime | None = Field(default=None, sa_type=Time)
    role: Role = Field(default=Role.forecaster, sa_type=Text)


class Appointment(SQLModel, table=True):
    """A member's role in the whole ledger, from ``recorded_at`` on; a member's newest row counts.

    ``by_member_id``: who said so. A ledger without any is somebody's own (see ``access``).
    """

    __table_args__ = (CheckConstraint(_one_of("role", Role), name="role_is_known"),)

    id: int | None = Field(default=None, primary_key=True)
    member_id: int = Field(foreign_key="member.id", index=True)
    role: Role = Field(sa_type=Text)
    by_member_id: int | None = Field(default=None, foreign_key="member.id")
    recorded_at: datetime = Field(sa_type=Time)


class TeamRule(SQLModel, table=True):
    """What a team has agreed on; its newest row counts.

    ``second_resolver``: nobody resolves one of its questions alone on which they have forecast.
    """

    __tablename__ = "team_rule"

    id: int | None = Field(default=None, primary_key=True)
    team_id: int = Field(foreign_key="team.id", index=True)
    second_resolver: bool
    member_id: int = Field(foreign_key="member.id")
    recorded_at: datetime = Field(sa_type=Time)


class Article(SQLModel, table=True):
    """What was captured. ``content_hash`` is unique: the same article is stored once."""

    id: int | None = Field(default=None, primary_key=True)
    content_hash: str = Field(unique=True)
    url: str | None = Field(default=None, index=True)
    title: str
    publisher: str | None = None
    author: str | None = None
    published_at: datetime | None = Field(default=None, sa_type=Time)
    captured_at: datetime = Field(sa_type=Time)
    member_id: int | None = Field(default=None, foreign_key="member.id")
    text: str = _long_text()

    @property
    def address(self) -> str:
        """What names the article in folders and citations: its URL, or its words' digest."""
        return self.url or f"{DIGEST_ADDRESS}{self.content_hash}"


class Question(SQLModel, table=True):
    """The identity of a question. What it says stands in its newest ``QuestionRevision``."""

    id: int | None = Field(default=None, primary_key=True)
    slug: str = Field(unique=True)
    member_id: int = Field(foreign_key="member.id")
    recorded_at: datetime = Field(sa_type=Time)


class QuestionText(SQLModel):
    """All that a question says, and to whom; ``questions.csv`` of a ledger folder has the fields.

    Bounds are text so that a number and a date come back exactly as they were written.
    ``visibility``: who sees the question; a team's (``team_id``) can be open to everyone as well.
    ``crowd_hidden``: nobody sees what others said before they have forecast, or it has closed.
    """

    title: str
    type: QuestionType = Field(default=QuestionType.binary, sa_type=Text)
    options: list[str] | None = _json()
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
    tags: list[str] | None = _json()
    background: str = _long_text()
    resolution_criteria: str = _long_text()
    fine_print: str = _long_text()
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
            if sign := no_text(word):
                raise ValueError(f"{word[:60]!r} has {sign} in it, and no ledger stores it.")
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
                f"The {(field.field_name or '').replace('_', ' ')} {value} is no time of the years "
                "1 to 9999 in UTC."
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
        if self.type in (QuestionType.numeric, QuestionType.date):
            if self.lower_bound is None or self.upper_bound is None:
                raise ValueError(f"A {self.type} question needs a lower and an upper bound.")
        elif self.lower_bound is not None or self.upper_bound is not None:
            raise ValueError(
                f"Bounds belong to numeric and date questions only; this one is {self.type}."
            )
        if self.visibility is Visibility.team and self.team_id is None:
            raise ValueError("A question that a team may see needs the team.")
        return self

    @property
    def close_time(self) -> datetime:
        """When forecasting ends as things stand: the actual close, else the scheduled one."""
        return self.actual_close_time or self.scheduled_close_time


def _check_options(options: list[str]) -> None:
    if len(options) < 2:
        raise ValueError(
            f"A multiple_choice question needs at least two options; it has {len(options)}."
        )
    for option in options:
        if options.count(option) > 1:
            raise ValueError(f"Every option may stand once only; {option!r} stands there again.")
        if not option.strip() == option != "":
            raise ValueError(
                f"An option may not be blank, nor begin or end with a space; {option!r} does."
            )
        if option.casefold() in ("annulled", "ambiguous"):
            raise ValueError(
                f"{option!r} cannot be an option: annulled and ambiguous are outcomes of every "
                "question already."
            )


class QuestionRevision(QuestionText, table=True):
    """One wording of a question. The newest counts; the earlier ones stay readable."""

    __tablename__ = "question_revision"
    __table_args__ = (
        UniqueConstraint("question_id", "number"),
        CheckConstraint("open_time < scheduled_close_time", name="opens_before_it_closes"),
        CheckConstraint(
            "type IN ('binary', 'multiple_choice', 'numeric', 'date')", name="type_is_known"
        ),
        CheckConstraint(_one_of("visibility", Visibility), name="visibility_is_known"),
        CheckConstraint("visibility <> 'team' OR team_id IS NOT NULL", name="a_team_is_named"),
        # Few are restricted, and whoever reads looks at those first: see ``access``.
        Index(
            "ix_question_revision_restricted",
            "question_id",
            sqlite_where=text("visibility <> 'everyone' OR crowd_hidden"),
            postgresql_where=text("visibility <> 'everyone' OR crowd_hidden"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    question_id: int = Field(foreign_key="question.id")
    number: int
    member_id: int = Field(foreign_key="member.id")
    recorded_at: datetime = Field(sa_type=Time)
    reason: str = _long_text()


class QuestionSource(SQLModel, table=True):
    """The passage that a question was taken from: a W3C TextQuoteSelector into an article."""

    __tablename__ = "question_source"

    id: int | None = Field(default=None, primary_key=True)
    question_id: int = Field(foreign_key="question.id", index=True)
    article_id: int = Field(foreign_key="article.id", index=True)
    quote: str = _long_text()
    prefix: str = _long_text()
    suffix: str = _long_text()


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
    probabilities: list[float | None] | None = _json()
    quantiles: dict[str, Any] | None = _json()
    withdrawn: bool = False
    rationale: str = _long_text()
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
    title: str = _long_text()
    url: str | None = Field(default=None, index=True)
    publisher: str | None = None
    published_at: datetime | None = Field(default=None, sa_type=Time)
    quote: str = _long_text()
    note: str = _long_text()
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
    note: str = _long_text()
    source: str = _long_text()
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
    reason: str = _long_text()
    answers_id: int | None = Field(default=None, foreign_key="dispute.id", unique=True)
    recorded_at: datetime = Field(sa_type=Time)


class Policy(SQLModel, table=True):
    """What becomes of what a question's resolvers find; the newest row of a question counts.

    ``agreeing``: of a quorum, how many have to say the same. ``dispute_days``: for how long after
    a confirmation it may be disputed, and its scores are provisional. Without a row: confirm, 0.
    """

    __table_args__ = (
        CheckConstraint(_one_of("kind", PolicyKind), name="kind_is_known"),
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
    reason: str = _long_text()


class ResolverRun(SQLModel, table=True):
    """One look of one resolver at the world, and what came of it."""

    __tablename__ = "resolver_run"

    id: int | None = Field(default=None, primary_key=True)
    resolver_id: int = Field(foreign_key="resolver.id", index=True)
    started_at: datetime = Field(sa_type=Time)
    ended_at: datetime | None = Field(default=None, sa_type=Time)
    state: RunState = Field(sa_type=Text)
    message: str = _long_text()


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
        CheckConstraint(_one_of("event", Event), name="event_is_known"),
        CheckConstraint(_one_of("state", NoticeState), name="state_is_known"),
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
    reason: str = _long_text()


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


class Removal(SQLModel, table=True):
    """That a member asked to be forgotten, and was: what they wrote has given way to tombstones.

    From here on, and for this member's words alone, the triggers let that happen.
    ``removed_by_id`` blank: the owner of the ledger's database did it.
    """

    id: int | None = Field(default=None, primary_key=True)
    member_id: int = Field(foreign_key="member.id", unique=True)
    removed_by_id: int | None = Field(default=None, foreign_key="member.id")
    recorded_at: datetime = Field(sa_type=Time)


class Entry(SQLModel, table=True):
    """One row of history in the chain of hashes; ``chain`` says what is hashed, and how.

    ``id``: its place in the ledger's chain, from 1 without a gap. ``number``: its place in the
    chain of its question, where it belongs to one. ``kind`` and ``row_id``: the table and the row
    that it speaks of. ``salt`` is blank where that row has no words of a person, or no longer.
    """

    __table_args__ = (UniqueConstraint("question_id", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    question_id: int | None = Field(default=None, foreign_key="question.id")
    number: int | None = None
    kind: str = Field(sa_type=Text)
    row_id: int
    salt: str | None = Field(default=None, sa_type=Text)
    words_hash: str | None = Field(default=None, sa_type=Text)
    row_hash: str = Field(sa_type=Text)
    hash: str = Field(sa_type=Text)
