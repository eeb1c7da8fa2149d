"""Scopes of tokens, models behind forecasts, owners of bots, comments, answers kept for retries

Revision ID: 0013
Revises: 0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from forecasts.ledger.migrations.forms import add_forms
from forecasts.ledger.migrations.guards import guard
from forecasts.ledger.migrations.tables import Time, column, columns, optional, reference

revision = "0013"
down_revision = "0012"

Float, Integer, String, Text = sa.Float(), sa.Integer(), sa.String(), sa.Text()


def upgrade() -> None:
    op.add_column("token", sa.Column("scopes", sa.JSON(), nullable=True))
    op.create_table(
        "model_use",
        *columns(
            forecast_id=reference("forecast", unique=True),
            name=String,
            version=optional(String),
            prompt_hash=optional(String),
            temperature=optional(Float),
            cost=optional(Float),
            tokens=optional(Integer),
            seconds=optional(Float),
            tools=optional(sa.JSON()),
        ),
        *(
            sa.CheckConstraint(f"{name} >= 0", name=f"{name}_not_negative")
            for name in ("temperature", "cost", "tokens", "seconds")
        ),
    )
    op.create_table(
        "bot_owner",
        *columns(
            bot_id=reference("member", index=True), owner_id=reference("member"), recorded_at=Time
        ),
        sa.CheckConstraint("bot_id <> owner_id", name="owner_is_another"),
    )
    op.create_table(
        "comment",
        *columns(
            question_id=reference("question"),
            member_id=reference("member"),
            forecast_id=reference("forecast", nullable=True, index=True),
            private=sa.Boolean(),
            text=Text,
            recorded_at=Time,
        ),
        sa.Index("ix_comment_question_id", "question_id", "id"),
    )
    op.create_table(
        "idempotent_answer",
        *columns(
            token_id=reference("token"),
            key=Text,
            request_digest=Text,
            status=Integer,
            answer=Text,
            recorded_at=column(Time, index=True),
        ),
        sa.UniqueConstraint("token_id", "key"),
    )
    guard("model_use", ["forecast_id = NEW.forecast_id"])
    guard("bot_owner")
    guard("comment", same=_SAME, removal=_REMOVED)
    add_forms({})


_SAME = ("id", "question_id", "member_id", "forecast_id", "private", "recorded_at")
_REMOVED = (
    "(NEW.text IN ('', '[removed]') OR NEW.text = OLD.text)"
    " AND EXISTS (SELECT 1 FROM removal WHERE member_id = OLD.member_id)"
)
