"""The first schema

Revision ID: 0010
Revises:

It is the schema that ten development versions arrived at, so it has the number of the tenth: a
ledger of that version needs no migration.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy import CheckConstraint, Index, UniqueConstraint

from forecasts.ledger.columns import NAMES
from forecasts.ledger.migrations.guards import guard
from forecasts.ledger.migrations.tables import columns

revision = "0010"
down_revision = None

_ROLES = "role IN ('viewer', 'forecaster', 'resolver', 'admin')"


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


# Each table with its columns (see ``tables.columns``).
_TABLES = """
ledger:
    created_at time, demonstration boolean
member:
    handle name unique, kind text, created_at time
identity:
    issuer string, subject string, member_id -> member index, recorded_at time
token:
    member_id -> member index, key string unique, digest string, recorded_at time,
    expires_at time?
token_revocation:
    token_id -> token unique, recorded_at time
team:
    name name unique, created_at time
membership:
    team_id -> team index, member_id -> member index, joined_at time?, left_at time?,
    role text = 'forecaster'
appointment:
    member_id -> member index, role text, by_member_id -> member?, recorded_at time
team_rule:
    team_id -> team index, second_resolver boolean, member_id -> member, recorded_at time
article:
    content_hash string unique, url string? index, title string, publisher string?,
    author string?, published_at time?, captured_at time, member_id -> member?, text text
question:
    slug name unique, member_id -> member, recorded_at time
question_revision:
    title string, type text, options json?, ordered boolean, lower_bound string?,
    upper_bound string?, unit string?, open_time time, scheduled_close_time time,
    actual_close_time time?, scheduled_resolve_time time?, spot_time time?, family string,
    tags json?, background text, resolution_criteria text, fine_print text, id key,
    question_id -> question, number integer, member_id -> member, recorded_at time, reason text,
    visibility text = 'everyone', team_id -> team?, crowd_hidden boolean = false
question_source:
    question_id -> question index, article_id -> article index, quote text, prefix text,
    suffix text
evidence:
    key string unique, kind text, title text, url string? index, publisher string?,
    published_at time?, quote text, note text, article_id -> article?, member_id -> member?,
    recorded_at time
forecast:
    question_id -> question, member_id -> member, made_at time, recorded_at time,
    probability float?, probabilities json?, quantiles json?, withdrawn boolean, rationale text,
    origin string, import_key string? unique, claimed_at time?, vouched_by_id -> member?
citation:
    forecast_id -> forecast, evidence_id -> evidence index, stance text, share float?
resolver:
    question_id -> question index, kind string, settings json, member_id -> member?,
    recorded_at time, beside boolean = false
resolver_run:
    resolver_id -> resolver index, started_at time, ended_at time?, state text, message text
watch:
    question_id -> question unique, next_at time? index, claimed_by string?, claimed_until time?,
    attempts integer, looked_at time?, parked_at time?, reason text
resolution:
    question_id -> question index, state text, outcome string, known_at time?, resolved_at time?,
    recorded_at time, member_id -> member?, resolver_id -> resolver?, note text, source text,
    proposal_id -> resolution? unique, supersedes_id -> resolution? unique
policy:
    question_id -> question index, kind text, agreeing integer, dispute_days float,
    member_id -> member, recorded_at time
exhibit:
    resolution_id -> resolution index, address text, at time, media string, sha256 string index,
    size integer
exhibit_content:
    sha256 string unique, data bytes
dispute:
    resolution_id -> resolution index, member_id -> member, reason text,
    answers_id -> dispute? unique, recorded_at time
removal:
    member_id -> member unique, removed_by_id -> member?, recorded_at time
entry:
    question_id -> question?, number integer?, kind text, row_id integer, salt text?,
    words_hash text?, row_hash text, hash text
score:
    resolution_id -> resolution, member_id -> member, protocol string, engine_version string,
    score float, coverage float, updates integer
revisit:
    member_id -> member, question_id -> question?, days integer?, recorded_at time
glance:
    member_id -> member, recorded_at time
channel:
    member_id -> member, name string, secret_url text, events json, days_before_close float,
    days_until_stale float, recorded_at time, removed_at time?, after_resolution integer?
notice:
    channel_id -> channel, event text, question_id -> question, at time, state text,
    recorded_at time, attempts integer, next_at time, claim string?, claimed_until time?,
    sent_at time?, reason text
"""
_RULES: Mapping[str, Sequence[Any]] = {
    "identity": [UniqueConstraint("issuer", "subject")],
    "membership": [CheckConstraint(_ROLES, name="role_is_known")],
    "appointment": [CheckConstraint(_ROLES, name="role_is_known")],
    "question_revision": [
        CheckConstraint("visibility <> 'team' OR team_id IS NOT NULL", name="a_team_is_named"),
        CheckConstraint("open_time < scheduled_close_time", name="opens_before_it_closes"),
        CheckConstraint(
            "type IN ('binary', 'multiple_choice', 'numeric', 'date')", name="type_is_known"
        ),
        CheckConstraint("visibility IN ('everyone', 'team', 'author')", name="visibility_is_known"),
        UniqueConstraint("question_id", "number"),
        Index(
            "ix_question_revision_restricted",
            "question_id",
            **_where("visibility <> 'everyone' OR crowd_hidden"),
        ),
    ],
    "forecast": [
        CheckConstraint(
            "(CASE WHEN probability IS NULL THEN 0 ELSE 1 END + CASE WHEN probabilities IS NULL THEN 0 ELSE 1 END + CASE WHEN quantiles IS NULL THEN 0 ELSE 1 END) = (CASE WHEN withdrawn THEN 0 ELSE 1 END)",
            name="one_value_or_withdrawn",
        ),
        CheckConstraint("probability >= 0 AND probability <= 1", name="probability_in_0_1"),
        Index("ix_forecast_member_made_at", "member_id", "made_at"),
        Index("ix_forecast_path", "question_id", "member_id", "made_at", "id"),
    ],
    "citation": [
        CheckConstraint("share >= 0", name="share_not_negative"),
        CheckConstraint("stance IN ('supports', 'opposes', 'context')", name="stance_is_known"),
        UniqueConstraint("forecast_id", "evidence_id"),
    ],
    "resolution": [
        CheckConstraint("state IN ('proposed', 'confirmed', 'rejected')", name="state_is_known"),
        Index(
            "uq_resolution_first_confirmation",
            "question_id",
            unique=True,
            **_where("state = 'confirmed' AND supersedes_id IS NULL"),
        ),
    ],
    "policy": [
        CheckConstraint("dispute_days >= 0", name="days_not_negative"),
        CheckConstraint("kind IN ('propose', 'confirm', 'quorum')", name="kind_is_known"),
        CheckConstraint("agreeing >= 1", name="somebody_agrees"),
    ],
    "entry": [UniqueConstraint("question_id", "number")],
    "score": [
        UniqueConstraint("resolution_id", "member_id", "protocol"),
        Index("ix_score_member_protocol", "member_id", "protocol"),
    ],
    "revisit": [
        CheckConstraint("days > 0", name="days_are_some"),
        Index("ix_revisit_member_id", "member_id", "question_id", "id"),
    ],
    "glance": [Index("ix_glance_member_id", "member_id", "id")],
    "channel": [
        CheckConstraint("days_before_close > 0", name="days_before_close_positive"),
        CheckConstraint("days_until_stale > 0", name="days_until_stale_positive"),
        Index("uq_channel_name", "member_id", "name", unique=True, **_where("removed_at IS NULL")),
    ],
    "notice": [
        CheckConstraint(
            "event IN ('resolved', 'decision', 'disputed', 'parked', 'awaiting', 'closing', 'stale', 'closed')",
            name="event_is_known",
        ),
        CheckConstraint(
            "state IN ('due', 'sending', 'sent', 'failed', 'moot')", name="state_is_known"
        ),
        UniqueConstraint("channel_id", "event", "question_id", "at"),
        Index("ix_notice_claim", "claim"),
        Index(
            "ix_notice_under_way", "channel_id", **_where("state IN ('due', 'sending', 'failed')")
        ),
    ],
}
_SCHEMA = sa.MetaData(naming_convention=NAMES)
for _name, _listing in re.findall(r"(\w+):\n(.+?)\n(?=\w|$)", _TABLES, re.DOTALL):
    sa.Table(_name, _SCHEMA, *columns(_listing), *_RULES.get(_name, ()))

_APPEND_ONLY = (
    *("membership", "appointment", "team_rule", "token", "token_revocation", "article", "question"),
    *("question_revision", "question_source", "forecast", "evidence", "citation", "resolution"),
    *("policy", "exhibit", "exhibit_content", "dispute", "removal", "entry"),
)
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
    for name in _APPEND_ONLY:
        words, member = _WORDS.get(name, ({}, ""))
        same = [column for column in _SCHEMA.tables[name].c.keys() if column not in words]
        removal = _removal(words, member) if words else ""
        guard(name, _keys(_SCHEMA.tables[name]), same=same, removal=removal)


def _keys(table: sa.Table) -> list[str]:
    """Return the conditions on a row with a unique key of the new one, besides its id."""
    keys = [f"{column.name} = NEW.{column.name}" for column in table.c if column.unique]
    for rule in _RULES.get(table.name, ()):
        if isinstance(rule, UniqueConstraint):
            same = " AND ".join(f"{name} = NEW.{name}" for name in rule.columns.keys())
            keys.append(f"({same})")
    if table.name == "resolution":
        keys.append(
            "(question_id = NEW.question_id AND state = 'confirmed' AND supersedes_id IS NULL"
            " AND NEW.state = 'confirmed' AND NEW.supersedes_id IS NULL)"
        )
    return keys


def _removal(words: Mapping[str, str], member: str) -> str:
    """Return the condition that an update only removes a removed member's words."""
    if not member:
        return "NEW.salt IS NULL AND EXISTS (SELECT 1 FROM removal)"
    rules = [f"(NEW.{name} {rule} OR NEW.{name} = OLD.{name})" for name, rule in words.items()]
    return " AND ".join([*rules, f"EXISTS (SELECT 1 FROM removal WHERE member_id {member})"])
