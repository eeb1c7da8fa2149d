"""The time at which an imported link was made

Revision ID: 0021
Revises: 0020
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from forecasts.ledger.columns import Time
from forecasts.ledger.migrations.forms import add_forms

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.add_column("question_link", sa.Column("made_at", Time, nullable=True))
    add_forms({})
