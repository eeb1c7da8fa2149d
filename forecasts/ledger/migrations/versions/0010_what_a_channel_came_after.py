"""Channels: the last resolution before each was added, so that all later ones are told

Revision ID: 0010
Revises: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("channel", sa.Column("after_resolution", sa.Integer(), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("a ledger is never taken back to an older schema; restore a backup")
