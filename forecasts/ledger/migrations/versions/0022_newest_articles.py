"""Articles by the time of their capture, for the page News

Revision ID: 0022
Revises: 0021
"""

from __future__ import annotations

from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.create_index("ix_article_captured_at", "article", ["captured_at"])
