"""Feeds, their entries, and the stories of articles

Revision ID: 0019
Revises: 0018
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from forecasts.ledger.migrations.forms import add_forms

revision = "0019"
down_revision = "0018"

Time = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "feed",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("recorded_at", Time, nullable=False),
        _reference("member_id", "member"),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("address", "title", "keep")),
        sa.Column("next_at", Time, index=True),
        *(sa.Column(name, Time) for name in ("paused_at", "removed_at", "read_at")),
        *(sa.Column(name, sa.Text()) for name in ("etag", "last_modified")),
        sa.Column("claimed_by", sa.String()),
        sa.Column("claimed_until", Time),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint("keep IN ('all', 'matched')", name="keep_is_known"),
    )
    kept = sa.text("removed_at IS NULL")
    op.create_index(
        "uq_feed_address",
        "feed",
        ["member_id", "address"],
        unique=True,
        sqlite_where=kept,
        postgresql_where=kept,
    )
    op.create_table(
        "feed_entry",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("recorded_at", Time, nullable=False),
        _reference("feed_id", "feed"),
        sa.Column("key", sa.Text(), nullable=False),
        _reference("article_id", "article", nullable=True, index=True),
        sa.UniqueConstraint("feed_id", "key"),
    )
    op.create_table(
        "article_story",
        sa.Column("id", sa.Integer(), primary_key=True),
        _reference("article_id", "article", unique=True),
        _reference("story_id", "article", index=True),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
    )
    add_forms({})


def _reference(name: str, table: str, *, nullable: bool = False, **options: Any) -> Any:
    key = sa.ForeignKey(f"{table}.id")
    return sa.Column(name, sa.Integer(), key, nullable=nullable, **options)
