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

from forecasts.ledger.migrations.guards import guard

revision = "0010"
down_revision = None

_SCHEMA = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)
Boolean, Float, Integer, JSON = sa.Boolean(), sa.Float(), sa.Integer(), sa.JSON()
String, Text, Time = sa.String(), sa.Text(), sa.DateTime(timezone=True)
# Otherwise each server would sort names by the language it was set up with.
Name = sa.String().with_variant(sa.String(collation="C"), "postgresql")
_ROLES = "role IN ('viewer', 'forecaster', 'resolver', 'admin')"


def _table(name: str, *parts: Any) -> None:
    sa.Table(name, _SCHEMA, *parts)


def _id() -> Any:
    return sa.Column("id", Integer, primary_key=True)


def _column(name: str, kind: Any, *rules: Any, nullable: bool = False, **options: Any) -> Any:
    return sa.Column(name, kind, *rules, nullable=nullable, **options)


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


_table(
    "ledger",
    _id(),
    _column("created_at", Time),
    _column("demonstration", Boolean),
)
_table(
    "member",
    _id(),
    _column("handle", Name, unique=True),
    _column("kind", Text),
    _column("created_at", Time),
)
_table(
    "identity",
    _id(),
    _column("issuer", String),
    _column("subject", String),
    _column("member_id", Integer, sa.ForeignKey("member.id"), index=True),
    _column("recorded_at", Time),
    sa.UniqueConstraint("issuer", "subject"),
)
_table(
    "token",
    _id(),
    _column("member_id", Integer, sa.ForeignKey("member.id"), index=True),
    _column("key", String, unique=True),
    _column("digest", String),
    _column("recorded_at", Time),
    _column("expires_at", Time, nullable=True),
)
_table(
    "token_revocation",
    _id(),
    _column("token_id", Integer, sa.ForeignKey("token.id"), unique=True),
    _column("recorded_at", Time),
)
_table(
    "team",
    _id(),
    _column("name", Name, unique=True),
    _column("created_at", Time),
)
_table(
    "membership",
    _id(),
    _column("team_id", Integer, sa.ForeignKey("team.id"), index=True),
    _column("member_id", Integer, sa.ForeignKey("member.id"), index=True),
    _column("joined_at", Time, nullable=True),
    _column("left_at", Time, nullable=True),
    _column("role", Text, server_default=sa.text("'forecaster'")),
    sa.CheckConstraint(_ROLES, name="role_is_known"),
)
_table(
    "appointment",
    _id(),
    _column("member_id", Integer, sa.ForeignKey("member.id"), index=True),
    _column("role", Text),
    _column("by_member_id", Integer, sa.ForeignKey("member.id"), nullable=True),
    _column("recorded_at", Time),
    sa.CheckConstraint(_ROLES, name="role_is_known"),
)
_table(
    "team_rule",
    _id(),
    _column("team_id", Integer, sa.ForeignKey("team.id"), index=True),
    _column("second_resolver", Boolean),
    _column("member_id", Integer, sa.ForeignKey("member.id")),
    _column("recorded_at", Time),
)
_table(
    "article",
    _id(),
    _column("content_hash", String, unique=True),
    _column("url", String, nullable=True, index=True),
    _column("title", String),
    _column("publisher", String, nullable=True),
    _column("author", String, nullable=True),
    _column("published_at", Time, nullable=True),
    _column("captured_at", Time),
    _column("member_id", Integer, sa.ForeignKey("member.id"), nullable=True),
    _column("text", Text),
)
_table(
    "question",
    _id(),
    _column("slug", Name, unique=True),
    _column("member_id", Integer, sa.ForeignKey("member.id")),
    _column("recorded_at", Time),
)
_table(
    "question_revision",
    _column("title", String),
    _column("type", Text),
    _column("options", JSON, nullable=True),
    _column("ordered", Boolean),
    _column("lower_bound", String, nullable=True),
    _column("upper_bound", String, nullable=True),
    _column("unit", String, nullable=True),
    _column("open_time", Time),
    _column("scheduled_close_time", Time),
    _column("actual_close_time", Time, nullable=True),
    _column("scheduled_resolve_time", Time, nullable=True),
    _column("spot_time", Time, nullable=True),
    _column("family", String),
    _column("tags", JSON, nullable=True),
    _column("background", Text),
    _column("resolution_criteria", Text),
    _column("fine_print", Text),
    _id(),
    _column("question_id", Integer, sa.ForeignKey("question.id")),
    _column("number", Integer),
    _column("member_id", Integer, sa.ForeignKey("member.id")),
    _column("recorded_at", Time),
    _column("reason", Text),
    _column("visibility", Text, server_default=sa.text("'everyone'")),
    _column("team_id", Integer, sa.ForeignKey("team.id"), nullable=True),
    _column("crowd_hidden", Boolean, server_default=sa.text("false")),
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
)
_table(
    "question_source",
    _id(),
    _column("question_id", Integer, sa.ForeignKey("question.id"), index=True),
    _column("article_id", Integer, sa.ForeignKey("article.id"), index=True),
    _column("quote", Text),
    _column("prefix", Text),
    _column("suffix", Text),
)
_table(
    "evidence",
    _id(),
    _column("key", String, unique=True),
    _column("kind", Text),
    _column("title", Text),
    _column("url", String, nullable=True, index=True),
    _column("publisher", String, nullable=True),
    _column("published_at", Time, nullable=True),
    _column("quote", Text),
    _column("note", Text),
    _column("article_id", Integer, sa.ForeignKey("article.id"), nullable=True),
    _column("member_id", Integer, sa.ForeignKey("member.id"), nullable=True),
    _column("recorded_at", Time),
)
_table(
    "forecast",
    _id(),
    _column("question_id", Integer, sa.ForeignKey("question.id")),
    _column("member_id", Integer, sa.ForeignKey("member.id")),
    _column("made_at", Time),
    _column("recorded_at", Time),
    _column("probability", Float, nullable=True),
    _column("probabilities", JSON, nullable=True),
    _column("quantiles", JSON, nullable=True),
    _column("withdrawn", Boolean),
    _column("rationale", Text),
    _column("origin", String),
    _column("import_key", String, nullable=True, unique=True),
    _column("claimed_at", Time, nullable=True),
    _column("vouched_by_id", Integer, sa.ForeignKey("member.id"), nullable=True),
    sa.CheckConstraint(
        "(CASE WHEN probability IS NULL THEN 0 ELSE 1 END + CASE WHEN probabilities IS NULL THEN 0 ELSE 1 END + CASE WHEN quantiles IS NULL THEN 0 ELSE 1 END) = (CASE WHEN withdrawn THEN 0 ELSE 1 END)",
        name="one_value_or_withdrawn",
    ),
    sa.CheckConstraint("probability >= 0 AND probability <= 1", name="probability_in_0_1"),
    sa.Index("ix_forecast_member_made_at", "member_id", "made_at"),
    sa.Index("ix_forecast_path", "question_id", "member_id", "made_at", "id"),
)
_table(
    "citation",
    _id(),
    _column("forecast_id", Integer, sa.ForeignKey("forecast.id")),
    _column("evidence_id", Integer, sa.ForeignKey("evidence.id"), index=True),
    _column("stance", Text),
    _column("share", Float, nullable=True),
    sa.CheckConstraint("share >= 0", name="share_not_negative"),
    sa.CheckConstraint("stance IN ('supports', 'opposes', 'context')", name="stance_is_known"),
    sa.UniqueConstraint("forecast_id", "evidence_id"),
)
_table(
    "resolver",
    _id(),
    _column("question_id", Integer, sa.ForeignKey("question.id"), index=True),
    _column("kind", String),
    _column("settings", JSON),
    _column("member_id", Integer, sa.ForeignKey("member.id"), nullable=True),
    _column("recorded_at", Time),
    _column("beside", Boolean, server_default=sa.text("false")),
)
_table(
    "resolver_run",
    _id(),
    _column("resolver_id", Integer, sa.ForeignKey("resolver.id"), index=True),
    _column("started_at", Time),
    _column("ended_at", Time, nullable=True),
    _column("state", Text),
    _column("message", Text),
)
_table(
    "watch",
    _id(),
    _column("question_id", Integer, sa.ForeignKey("question.id"), unique=True),
    _column("next_at", Time, nullable=True, index=True),
    _column("claimed_by", String, nullable=True),
    _column("claimed_until", Time, nullable=True),
    _column("attempts", Integer),
    _column("looked_at", Time, nullable=True),
    _column("parked_at", Time, nullable=True),
    _column("reason", Text),
)
_table(
    "resolution",
    _id(),
    _column("question_id", Integer, sa.ForeignKey("question.id"), index=True),
    _column("state", Text),
    _column("outcome", String),
    _column("known_at", Time, nullable=True),
    _column("resolved_at", Time, nullable=True),
    _column("recorded_at", Time),
    _column("member_id", Integer, sa.ForeignKey("member.id"), nullable=True),
    _column("resolver_id", Integer, sa.ForeignKey("resolver.id"), nullable=True),
    _column("note", Text),
    _column("source", Text),
    _column("proposal_id", Integer, sa.ForeignKey("resolution.id"), nullable=True, unique=True),
    _column("supersedes_id", Integer, sa.ForeignKey("resolution.id"), nullable=True, unique=True),
    sa.CheckConstraint("state IN ('proposed', 'confirmed', 'rejected')", name="state_is_known"),
    sa.Index(
        "uq_resolution_first_confirmation",
        "question_id",
        unique=True,
        **_where("state = 'confirmed' AND supersedes_id IS NULL"),
    ),
)
_table(
    "policy",
    _id(),
    _column("question_id", Integer, sa.ForeignKey("question.id"), index=True),
    _column("kind", Text),
    _column("agreeing", Integer),
    _column("dispute_days", Float),
    _column("member_id", Integer, sa.ForeignKey("member.id")),
    _column("recorded_at", Time),
    sa.CheckConstraint("dispute_days >= 0", name="days_not_negative"),
    sa.CheckConstraint("kind IN ('propose', 'confirm', 'quorum')", name="kind_is_known"),
    sa.CheckConstraint("agreeing >= 1", name="somebody_agrees"),
)
_table(
    "exhibit",
    _id(),
    _column("resolution_id", Integer, sa.ForeignKey("resolution.id"), index=True),
    _column("address", Text),
    _column("at", Time),
    _column("media", String),
    _column("sha256", String, index=True),
    _column("size", Integer),
)
_table(
    "exhibit_content",
    _id(),
    _column("sha256", String, unique=True),
    _column("data", sa.LargeBinary()),
)
_table(
    "dispute",
    _id(),
    _column("resolution_id", Integer, sa.ForeignKey("resolution.id"), index=True),
    _column("member_id", Integer, sa.ForeignKey("member.id")),
    _column("reason", Text),
    _column("answers_id", Integer, sa.ForeignKey("dispute.id"), nullable=True, unique=True),
    _column("recorded_at", Time),
)
_table(
    "removal",
    _id(),
    _column("member_id", Integer, sa.ForeignKey("member.id"), unique=True),
    _column("removed_by_id", Integer, sa.ForeignKey("member.id"), nullable=True),
    _column("recorded_at", Time),
)
_table(
    "entry",
    _id(),
    _column("question_id", Integer, sa.ForeignKey("question.id"), nullable=True),
    _column("number", Integer, nullable=True),
    _column("kind", Text),
    _column("row_id", Integer),
    _column("salt", Text, nullable=True),
    _column("words_hash", Text, nullable=True),
    _column("row_hash", Text),
    _column("hash", Text),
    sa.UniqueConstraint("question_id", "number"),
)
_table(
    "score",
    _id(),
    _column("resolution_id", Integer, sa.ForeignKey("resolution.id")),
    _column("member_id", Integer, sa.ForeignKey("member.id")),
    _column("protocol", String),
    _column("engine_version", String),
    _column("score", Float),
    _column("coverage", Float),
    _column("updates", Integer),
    sa.UniqueConstraint("resolution_id", "member_id", "protocol"),
    sa.Index("ix_score_member_protocol", "member_id", "protocol"),
)
_table(
    "revisit",
    _id(),
    _column("member_id", Integer, sa.ForeignKey("member.id")),
    _column("question_id", Integer, sa.ForeignKey("question.id"), nullable=True),
    _column("days", Integer, nullable=True),
    _column("recorded_at", Time),
    sa.CheckConstraint("days > 0", name="days_are_some"),
    sa.Index("ix_revisit_member_id", "member_id", "question_id", "id"),
)
_table(
    "glance",
    _id(),
    _column("member_id", Integer, sa.ForeignKey("member.id")),
    _column("recorded_at", Time),
    sa.Index("ix_glance_member_id", "member_id", "id"),
)
_table(
    "channel",
    _id(),
    _column("member_id", Integer, sa.ForeignKey("member.id")),
    _column("name", String),
    _column("secret_url", Text),
    _column("events", JSON),
    _column("days_before_close", Float),
    _column("days_until_stale", Float),
    _column("recorded_at", Time),
    _column("removed_at", Time, nullable=True),
    _column("after_resolution", Integer, nullable=True),
    sa.CheckConstraint("days_before_close > 0", name="days_before_close_positive"),
    sa.CheckConstraint("days_until_stale > 0", name="days_until_stale_positive"),
    sa.Index("uq_channel_name", "member_id", "name", unique=True, **_where("removed_at IS NULL")),
)
_table(
    "notice",
    _id(),
    _column("channel_id", Integer, sa.ForeignKey("channel.id")),
    _column("event", Text),
    _column("question_id", Integer, sa.ForeignKey("question.id")),
    _column("at", Time),
    _column("state", Text),
    _column("recorded_at", Time),
    _column("attempts", Integer),
    _column("next_at", Time),
    _column("claim", String, nullable=True),
    _column("claimed_until", Time, nullable=True),
    _column("sent_at", Time, nullable=True),
    _column("reason", Text),
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
        same = [column.name for column in _SCHEMA.tables[table].c if column.name not in words]
        guard(table, keys, same=same, removal=_removal(words, member) if words else "")


def _removal(words: Mapping[str, str], member: str) -> str:
    """Return the condition that an update only removes a removed member's words."""
    if not member:
        return "NEW.salt IS NULL AND EXISTS (SELECT 1 FROM removal)"
    rules = [f"(NEW.{name} {rule} OR NEW.{name} = OLD.{name})" for name, rule in words.items()]
    return " AND ".join([*rules, f"EXISTS (SELECT 1 FROM removal WHERE member_id {member})"])
