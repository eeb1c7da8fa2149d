"""Scopes of tokens, models behind forecasts, owners of bots, comments, answers kept for retries

Revision ID: 0013
Revises: 0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from forecasts.ledger.migrations.forms import add_forms
from forecasts.ledger.migrations.guards import guard
from forecasts.ledger.migrations.tables import columns

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.add_column("token", sa.Column("scopes", sa.JSON(), nullable=True))
    op.create_table(
        "model_use",
        *columns(
            "forecast_id -> forecast unique, name string, version string?, prompt_hash string?, "
            "temperature float?, cost float?, tokens integer?, seconds float?, tools json?"
        ),
        *(
            sa.CheckConstraint(f"{name} >= 0", name=f"{name}_not_negative")
            for name in ("temperature", "cost", "tokens", "seconds")
        ),
    )
    op.create_table(
        "bot_owner",
        *columns("bot_id -> member index, owner_id -> member, recorded_at time"),
        sa.CheckConstraint("bot_id <> owner_id", name="owner_is_another"),
    )
    op.create_table(
        "comment",
        *columns(
            "question_id -> question, member_id -> member, forecast_id -> forecast? index, "
            "private boolean, text text, recorded_at time"
        ),
        sa.Index("ix_comment_question_id", "question_id", "id"),
    )
    op.create_table(
        "idempotent_answer",
        *columns(
            "token_id -> token, key text, request_digest text, status integer, answer text, "
            "recorded_at time index"
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
