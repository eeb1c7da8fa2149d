"""Discarded questions, the members' settings for pages, and the last scheduled run

Revision ID: 0011
Revises: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from forecasts.ledger.migrations.guards import guard

revision = "0011"
down_revision = "0010"

Time = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "discard",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column(
            "question_id", sa.Integer(), sa.ForeignKey("question.id"), nullable=False, unique=True
        ),
        sa.Column("member_id", sa.Integer(), sa.ForeignKey("member.id"), nullable=False),
        sa.Column("recorded_at", Time, nullable=False),
    )
    op.create_table(
        "preference",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column(
            "member_id", sa.Integer(), sa.ForeignKey("member.id"), nullable=False, index=True
        ),
        sa.Column("time_zone", sa.String(), nullable=True),
        sa.Column("lowest_probability", sa.Float(), nullable=True),
        sa.Column("theme", sa.Text(), nullable=True),
        sa.Column("recorded_at", Time, nullable=False),
        sa.CheckConstraint(
            "lowest_probability >= 0 AND lowest_probability < 0.5", name="lowest_is_low"
        ),
        sa.CheckConstraint("theme IN ('light', 'dark')", name="theme_is_known"),
    )
    op.create_table(
        "last_run",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("started_at", Time, nullable=False),
        sa.Column("before_at", Time, nullable=True),
    )
    guard("discard", ["question_id = NEW.question_id"])
