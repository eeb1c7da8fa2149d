"""Discarded questions, the members' settings for pages, and the last scheduled run

Revision ID: 0011
Revises: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from forecasts.ledger.migrations.guards import guard
from forecasts.ledger.migrations.tables import Time, columns, optional, reference

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "discard",
        *columns(
            question_id=reference("question", unique=True),
            member_id=reference("member"),
            recorded_at=Time,
        ),
    )
    op.create_table(
        "preference",
        *columns(
            member_id=reference("member", index=True),
            time_zone=optional(sa.String()),
            lowest_probability=optional(sa.Float()),
            theme=optional(sa.Text()),
            recorded_at=Time,
        ),
        sa.CheckConstraint(
            "lowest_probability >= 0 AND lowest_probability < 0.5", name="lowest_is_low"
        ),
        sa.CheckConstraint("theme IN ('light', 'dark')", name="theme_is_known"),
    )
    op.create_table("last_run", *columns(started_at=Time, before_at=optional(Time)))
    guard("discard", ["question_id = NEW.question_id"])
