"""Scopes of tokens, models behind forecasts, owners of bots, comments, answers kept for retries

Revision ID: 0013
Revises: 0012
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from forecasts.ledger.migrations.forms import add_forms
from forecasts.ledger.migrations.guards import guard

revision = "0013"
down_revision = "0012"

Time = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("token", sa.Column("scopes", sa.JSON(), nullable=True))
    op.create_table(
        "model_use",
        sa.Column("id", sa.Integer(), primary_key=True),
        _reference("forecast_id", "forecast", unique=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=True),
        sa.Column("prompt_hash", sa.String(), nullable=True),
        sa.Column("temperature", sa.Float(), nullable=True),
        sa.Column("cost", sa.Float(), nullable=True),
        sa.Column("tokens", sa.Integer(), nullable=True),
        sa.Column("seconds", sa.Float(), nullable=True),
        sa.Column("tools", sa.JSON(), nullable=True),
        *(
            sa.CheckConstraint(f"{name} >= 0", name=f"{name}_not_negative")
            for name in ("temperature", "cost", "tokens", "seconds")
        ),
    )
    op.create_table(
        "bot_owner",
        sa.Column("id", sa.Integer(), primary_key=True),
        _reference("bot_id", "member", index=True),
        _reference("owner_id", "member"),
        sa.Column("recorded_at", Time, nullable=False),
        sa.CheckConstraint("bot_id <> owner_id", name="owner_is_another"),
    )
    op.create_table(
        "comment",
        sa.Column("id", sa.Integer(), primary_key=True),
        _reference("question_id", "question"),
        _reference("member_id", "member"),
        _reference("forecast_id", "forecast", nullable=True, index=True),
        sa.Column("private", sa.Boolean(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("recorded_at", Time, nullable=False),
        sa.Index("ix_comment_question_id", "question_id", "id"),
    )
    op.create_table(
        "idempotent_answer",
        sa.Column("id", sa.Integer(), primary_key=True),
        _reference("token_id", "token"),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_digest", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("recorded_at", Time, nullable=False, index=True),
        sa.UniqueConstraint("token_id", "key"),
    )
    guard("model_use", ["forecast_id = NEW.forecast_id"])
    guard("bot_owner")
    guard("comment", same=_SAME, removal=_REMOVED)
    add_forms({})


def _reference(name: str, table: str, *, nullable: bool = False, **options: Any) -> Any:
    key = sa.ForeignKey(f"{table}.id")
    return sa.Column(name, sa.Integer(), key, nullable=nullable, **options)


_SAME = ("id", "question_id", "member_id", "forecast_id", "private", "recorded_at")
_REMOVED = (
    "(NEW.text IN ('', '[removed]') OR NEW.text = OLD.text)"
    " AND EXISTS (SELECT 1 FROM removal WHERE member_id = OLD.member_id)"
)
