"""The time of each entry, the form of each value, ended sign-ins, the newest backup and digests

Revision ID: 0012
Revises: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from forecasts.ledger.migrations.forms import add_forms
from forecasts.ledger.migrations.guards import guard, guard_updates

revision = "0012"
down_revision = "0011"

Time = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("entry", sa.Column("at", Time, nullable=True))
    op.create_table(
        "ended_session",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("key", sa.Text(), nullable=False, unique=True),
        sa.Column("until", Time, nullable=False),
        sa.Column("recorded_at", Time, nullable=False),
    )
    op.create_table(
        "upkeep",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("key", sa.Text(), nullable=False, unique=True),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("done_at", Time, nullable=True),
        sa.Column("tried_at", Time, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint("act IN ('backup', 'digest')", name="act_is_known"),
    )
    op.add_column("removal", sa.Column("erased", sa.JSON(), nullable=True))
    for table in ("ledger", "resolver", "revisit"):  # history from now on
        guard(table)
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER entry_refuses_update")
    guard_updates("entry", _ENTRY, "NEW.salt IS NULL AND EXISTS (SELECT 1 FROM removal)")
    add_forms(_ENUMS)


# The columns of an enum that had no constraint.
_ENUMS = {
    "member": {"kind_is_known": "kind IN ('human', 'bot', 'service')"},
    "evidence": {
        "kind_is_known": "kind IN ('news', 'data', 'base_rate', 'expert', 'model', 'other')"
    },
    "resolver_run": {
        "state_is_known": "state IN ('confirmed', 'proposed', 'not_yet', 'failed', 'parked')"
    },
}
_ENTRY = ("id", "question_id", "number", "kind", "row_id", "words_hash", "row_hash", "hash", "at")
