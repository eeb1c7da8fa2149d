"""Each member's newest forecast on each question, for lists; ``schema.migrate`` fills the table

Revision ID: 0017
Revises: 0016
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from forecasts.ledger.migrations.forms import add_forms

revision = "0017"
down_revision = "0016"

Time = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "current_forecast",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("question_id", sa.Integer(), sa.ForeignKey("question.id"), nullable=False),
        sa.Column("member_id", sa.Integer(), sa.ForeignKey("member.id"), nullable=False, index=True),
        sa.Column("forecast_id", sa.Integer(), sa.ForeignKey("forecast.id"), nullable=False),
        sa.Column("made_at", Time, nullable=False),
        sa.Column("recorded_at", Time, nullable=False),
        sa.Column("forecasts", sa.Integer(), nullable=False),
        sa.Column("withdrawals", sa.Integer(), nullable=False),
        sa.UniqueConstraint("question_id", "member_id"),
    )
    add_forms({})
