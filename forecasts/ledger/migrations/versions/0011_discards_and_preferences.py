"""Discarded questions, the members' settings for pages, and the last scheduled run

Revision ID: 0011
Revises: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from forecasts.ledger.migrations.guards import guard
from forecasts.ledger.migrations.tables import columns

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "discard",
        *columns("question_id -> question unique, member_id -> member, recorded_at time"),
    )
    op.create_table(
        "preference",
        *columns(
            "member_id -> member index, time_zone string?, lowest_probability float?, theme text?, "
            "recorded_at time"
        ),
        sa.CheckConstraint(
            "lowest_probability >= 0 AND lowest_probability < 0.5", name="lowest_is_low"
        ),
        sa.CheckConstraint("theme IN ('light', 'dark')", name="theme_is_known"),
    )
    op.create_table("last_run", *columns("started_at time, before_at time?"))
    guard("discard", ["question_id = NEW.question_id"])
