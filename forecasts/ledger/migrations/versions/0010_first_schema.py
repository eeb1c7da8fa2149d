"""The first schema

Revision ID: 0010
Revises:

It is the schema that ten development versions arrived at, so it has the number of the tenth: a
ledger of that version needs no migration.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op

from forecasts.ledger.columns import NAMES
from forecasts.ledger.migrations.guards import guard
from forecasts.ledger.migrations.tables import Time, column, columns, optional, reference

revision = "0010"
down_revision = None

_SCHEMA = sa.MetaData(naming_convention=NAMES)
Boolean, Float, Integer, JSON = sa.Boolean(), sa.Float(), sa.Integer(), sa.JSON()
String, Text = sa.String(), sa.Text()
# Otherwise each server would sort names by the language it was set up with.
Name = sa.String().with_variant(sa.String(collation="C"), "postgresql")
_ROLES = "role IN ('viewer', 'forecaster', 'resolver', 'admin')"


def _table(name: str, /, *rules: Any, **given: Any) -> None:
    sa.Table(name, _SCHEMA, *columns(**given), *rules)


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


_table("ledger", created_at=Time, demonstration=Boolean)
_table("member", handle=column(Name, unique=True), kind=Text, created_at=Time)
_table(
    "identity",
    sa.UniqueConstraint("issuer", "subject"),
    issuer=String,
    subject=String,
    member_id=reference("member", index=True),
    recorded_at=Time,
)
_table(
    "token",
    member_id=reference("member", index=True),
    key=column(String, unique=True),
    digest=String,
    recorded_at=Time,
    expires_at=optional(Time),
)
_table("token_revocation", token_id=reference("token", unique=True), recorded_at=Time)
_table("team", name=column(Name, unique=True), created_at=Time)
_table(
    "membership",
    sa.CheckConstraint(_ROLES, name="role_is_known"),
    team_id=reference("team", index=True),
    member_id=reference("member", index=True),
    joined_at=optional(Time),
    left_at=optional(Time),
    role=column(Text, server_default=sa.text("'forecaster'")),
)
_table(
    "appointment",
    sa.CheckConstraint(_ROLES, name="role_is_known"),
    member_id=reference("member", index=True),
    role=Text,
    by_member_id=reference("member", nullable=True),
    recorded_at=Time,
)
_table(
    "team_rule",
    team_id=reference("team", index=True),
    second_resolver=Boolean,
    member_id=reference("member"),
    recorded_at=Time,
)
_table(
    "article",
    content_hash=column(String, unique=True),
    url=optional(String, index=True),
    title=String,
    publisher=optional(String),
    author=optional(String),
    published_at=optional(Time),
    captured_at=Time,
    member_id=reference("member", nullable=True),
    text=Text,
)
_table("question", slug=column(Name, unique=True), member_id=reference("member"), recorded_at=Time)
_table(
    "question_revision",
    sa.CheckConstraint("visibility <> 'team' OR team_id IS NOT NULL", name="a_team_is_named"),
    sa.CheckConstraint("open_time < scheduled_close_time", name="opens_before_it_closes"),
    sa.CheckConstraint(
        "type IN ('binary', 'multiple_choice', 'numeric', 'date')", name="type_is_known"
    ),
    sa.CheckConstraint("visibility IN ('everyone', 'team', 'author')", name="visibility_is_known"),
    sa.UniqueConstraint("question_id", "number"),
    sa.Index(
        "ix_question_revision_restricted",
        "question_id",
        **_where("visibility <> 'everyone' OR crowd_hidden"),
    ),
    title=String,
    type=Text,
    options=optional(JSON),
    ordered=Boolean,
    lower_bound=optional(String),
    upper_bound=optional(String),
    unit=optional(String),
    open_time=Time,
    scheduled_close_time=Time,
    actual_close_time=optional(Time),
    scheduled_resolve_time=optional(Time),
    spot_time=optional(Time),
    family=String,
    tags=optional(JSON),
    background=Text,
    resolution_criteria=Text,
    fine_print=Text,
    id=sa.Column(Integer, primary_key=True),
    question_id=reference("question"),
    number=Integer,
    member_id=reference("member"),
    recorded_at=Time,
    reason=Text,
    visibility=column(Text, server_default=sa.text("'everyone'")),
    team_id=reference("team", nullable=True),
    crowd_hidden=column(Boolean, server_default=sa.text("false")),
)
_table(
    "question_source",
    question_id=reference("question", index=True),
    article_id=reference("article", index=True),
    quote=Text,
    prefix=Text,
    suffix=Text,
)
_table(
    "evidence",
    key=column(String, unique=True),
    kind=Text,
    title=Text,
    url=optional(String, index=True),
    publisher=optional(String),
    published_at=optional(Time),
    quote=Text,
    note=Text,
    article_id=reference("article", nullable=True),
    member_id=reference("member", nullable=True),
    recorded_at=Time,
)
_table(
    "forecast",
    sa.CheckConstraint(
        "(CASE WHEN probability IS NULL THEN 0 ELSE 1 END + CASE WHEN probabilities IS NULL THEN 0 ELSE 1 END + CASE WHEN quantiles IS NULL THEN 0 ELSE 1 END) = (CASE WHEN withdrawn THEN 0 ELSE 1 END)",
        name="one_value_or_withdrawn",
    ),
    sa.CheckConstraint("probability >= 0 AND probability <= 1", name="probability_in_0_1"),
    sa.Index("ix_forecast_member_made_at", "member_id", "made_at"),
    sa.Index("ix_forecast_path", "question_id", "member_id", "made_at", "id"),
    question_id=reference("question"),
    member_id=reference("member"),
    made_at=Time,
    recorded_at=Time,
    probability=optional(Float),
    probabilities=optional(JSON),
    quantiles=optional(JSON),
    withdrawn=Boolean,
    rationale=Text,
    origin=String,
    import_key=optional(String, unique=True),
    claimed_at=optional(Time),
    vouched_by_id=reference("member", nullable=True),
)
_table(
    "citation",
    sa.CheckConstraint("share >= 0", name="share_not_negative"),
    sa.CheckConstraint("stance IN ('supports', 'opposes', 'context')", name="stance_is_known"),
    sa.UniqueConstraint("forecast_id", "evidence_id"),
    forecast_id=reference("forecast"),
    evidence_id=reference("evidence", index=True),
    stance=Text,
    share=optional(Float),
)
_table(
    "resolver",
    question_id=reference("question", index=True),
    kind=String,
    settings=JSON,
    member_id=reference("member", nullable=True),
    recorded_at=Time,
    beside=column(Boolean, server_default=sa.text("false")),
)
_table(
    "resolver_run",
    resolver_id=reference("resolver", index=True),
    started_at=Time,
    ended_at=optional(Time),
    state=Text,
    message=Text,
)
_table(
    "watch",
    question_id=reference("question", unique=True),
    next_at=optional(Time, index=True),
    claimed_by=optional(String),
    claimed_until=optional(Time),
    attempts=Integer,
    looked_at=optional(Time),
    parked_at=optional(Time),
    reason=Text,
)
_table(
    "resolution",
    sa.CheckConstraint("state IN ('proposed', 'confirmed', 'rejected')", name="state_is_known"),
    sa.Index(
        "uq_resolution_first_confirmation",
        "question_id",
        unique=True,
        **_where("state = 'confirmed' AND supersedes_id IS NULL"),
    ),
    question_id=reference("question", index=True),
    state=Text,
    outcome=String,
    known_at=optional(Time),
    resolved_at=optional(Time),
    recorded_at=Time,
    member_id=reference("member", nullable=True),
    resolver_id=reference("resolver", nullable=True),
    note=Text,
    source=Text,
    proposal_id=reference("resolution", nullable=True, unique=True),
    supersedes_id=reference("resolution", nullable=True, unique=True),
)
_table(
    "policy",
    sa.CheckConstraint("dispute_days >= 0", name="days_not_negative"),
    sa.CheckConstraint("kind IN ('propose', 'confirm', 'quorum')", name="kind_is_known"),
    sa.CheckConstraint("agreeing >= 1", name="somebody_agrees"),
    question_id=reference("question", index=True),
    kind=Text,
    agreeing=Integer,
    dispute_days=Float,
    member_id=reference("member"),
    recorded_at=Time,
)
_table(
    "exhibit",
    resolution_id=reference("resolution", index=True),
    address=Text,
    at=Time,
    media=String,
    sha256=column(String, index=True),
    size=Integer,
)
_table("exhibit_content", sha256=column(String, unique=True), data=sa.LargeBinary())
_table(
    "dispute",
    resolution_id=reference("resolution", index=True),
    member_id=reference("member"),
    reason=Text,
    answers_id=reference("dispute", nullable=True, unique=True),
    recorded_at=Time,
)
_table(
    "removal",
    member_id=reference("member", unique=True),
    removed_by_id=reference("member", nullable=True),
    recorded_at=Time,
)
_table(
    "entry",
    sa.UniqueConstraint("question_id", "number"),
    question_id=reference("question", nullable=True),
    number=optional(Integer),
    kind=Text,
    row_id=Integer,
    salt=optional(Text),
    words_hash=optional(Text),
    row_hash=Text,
    hash=Text,
)
_table(
    "score",
    sa.UniqueConstraint("resolution_id", "member_id", "protocol"),
    sa.Index("ix_score_member_protocol", "member_id", "protocol"),
    resolution_id=reference("resolution"),
    member_id=reference("member"),
    protocol=String,
    engine_version=String,
    score=Float,
    coverage=Float,
    updates=Integer,
)
_table(
    "revisit",
    sa.CheckConstraint("days > 0", name="days_are_some"),
    sa.Index("ix_revisit_member_id", "member_id", "question_id", "id"),
    member_id=reference("member"),
    question_id=reference("question", nullable=True),
    days=optional(Integer),
    recorded_at=Time,
)
_table(
    "glance",
    sa.Index("ix_glance_member_id", "member_id", "id"),
    member_id=reference("member"),
    recorded_at=Time,
)
_table(
    "channel",
    sa.CheckConstraint("days_before_close > 0", name="days_before_close_positive"),
    sa.CheckConstraint("days_until_stale > 0", name="days_until_stale_positive"),
    sa.Index("uq_channel_name", "member_id", "name", unique=True, **_where("removed_at IS NULL")),
    member_id=reference("member"),
    name=String,
    secret_url=Text,
    events=JSON,
    days_before_close=Float,
    days_until_stale=Float,
    recorded_at=Time,
    removed_at=optional(Time),
    after_resolution=optional(Integer),
)
_table(
    "notice",
    sa.CheckConstraint(
        "event IN ('resolved', 'decision', 'disputed', 'parked', 'awaiting', 'closing', 'stale', 'closed')",
        name="event_is_known",
    ),
    sa.CheckConstraint(
        "state IN ('due', 'sending', 'sent', 'failed', 'moot')", name="state_is_known"
    ),
    sa.UniqueConstraint("channel_id", "event", "question_id", "at"),
    sa.Index("ix_notice_claim", "claim"),
    sa.Index(
        "ix_notice_under_way", "channel_id", **_where("state IN ('due', 'sending', 'failed')")
    ),
    channel_id=reference("channel"),
    event=Text,
    question_id=reference("question"),
    at=Time,
    state=Text,
    recorded_at=Time,
    attempts=Integer,
    next_at=Time,
    claim=optional(String),
    claimed_until=optional(Time),
    sent_at=optional(Time),
    reason=Text,
)


# The append-only tables, each with its unique keys beside the id.
_APPEND_ONLY: Mapping[str, tuple[str, ...]] = {
    "membership": (),
    "appointment": (),
    "team_rule": (),
    "token": ("key = NEW.key",),
    "token_revocation": ("token_id = NEW.token_id",),
    "article": ("content_hash = NEW.content_hash",),
    "question": ("slug = NEW.slug",),
    "question_revision": ("(question_id = NEW.question_id AND number = NEW.number)",),
    "question_source": (),
    "forecast": ("import_key = NEW.import_key",),
    "evidence": ("key = NEW.key",),
    "citation": ("(forecast_id = NEW.forecast_id AND evidence_id = NEW.evidence_id)",),
    "resolution": (
        "proposal_id = NEW.proposal_id",
        "supersedes_id = NEW.supersedes_id",
        "(question_id = NEW.question_id AND state = 'confirmed' AND supersedes_id IS NULL"
        " AND NEW.state = 'confirmed' AND NEW.supersedes_id IS NULL)",
    ),
    "policy": (),
    "exhibit": (),
    "exhibit_content": ("sha256 = NEW.sha256",),
    "dispute": ("answers_id = NEW.answers_id",),
    "removal": ("member_id = NEW.member_id",),
    "entry": ("(question_id = NEW.question_id AND number = NEW.number)",),
}
_TOMBSTONE = "IN ('', '[removed]')"
# The tables whose rows give up a removed member's words: the columns with the rule for their new
# values, and the condition on the removed member.
_WORDS: Mapping[str, tuple[Mapping[str, str], str]] = {
    "forecast": ({"rationale": _TOMBSTONE, "import_key": "IS NULL"}, "IN (OLD.member_id)"),
    "evidence": (
        {"key": "= 'removed-' || OLD.id", "title": _TOMBSTONE, "note": _TOMBSTONE},
        # Evidence that nobody else cites is theirs, even if an import recorded it.
        "IN (OLD.member_id) OR member_id IN (SELECT f.member_id FROM citation c"
        " JOIN forecast f ON f.id = c.forecast_id WHERE c.evidence_id = OLD.id)",
    ),
    "question_revision": ({"reason": _TOMBSTONE}, "IN (OLD.member_id)"),
    "resolution": (
        {"note": _TOMBSTONE},
        # The row that accepts a proposal repeats the proposal's note.
        "IN (OLD.member_id, (SELECT p.member_id FROM resolution p WHERE p.id = OLD.proposal_id))",
    ),
    "dispute": ({"reason": _TOMBSTONE}, "= OLD.member_id"),
    "entry": ({"salt": "IS NULL"}, ""),
}


def upgrade() -> None:
    connection = op.get_bind()
    _SCHEMA.create_all(connection)
    if connection.dialect.name == "postgresql":
        # The class of error that SQLite's RAISE(ABORT) has.
        op.execute(
            """
            CREATE FUNCTION refuse_rewriting() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                RAISE EXCEPTION 'the ledger is append-only: % on % is refused', TG_OP, TG_TABLE_NAME
                    USING ERRCODE = 'integrity_constraint_violation';
            END $$
            """
        )
    for table, keys in _APPEND_ONLY.items():
        words, member = _WORDS.get(table, ({}, ""))
        same = [name for name in _SCHEMA.tables[table].c.keys() if name not in words]
        guard(table, keys, same=same, removal=_removal(words, member) if words else "")


def _removal(words: Mapping[str, str], member: str) -> str:
    """Return the condition that an update only removes a removed member's words."""
    if not member:
        return "NEW.salt IS NULL AND EXISTS (SELECT 1 FROM removal)"
    rules = [f"(NEW.{name} {rule} OR NEW.{name} = OLD.{name})" for name, rule in words.items()]
    return " AND ".join([*rules, f"EXISTS (SELECT 1 FROM removal WHERE member_id {member})"])
