"""The questions that articles bear on, and members' answers to these suggestions

Revision ID: 0020
Revises: 0019
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from forecasts.ledger.migrations.forms import add_forms

revision = "0020"
down_revision = "0019"

_ANSWERS = "answer IN ('accepted', 'dismissed', 'muted', 'reopened', 'threshold')"


def upgrade() -> None:
    op.create_table(
        "article_match",
        _id(),
        _reference("question_id", "question"),
        _reference("article_id", "article", index=True),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("passage", sa.Text(), nullable=False),
        sa.Column("words", sa.JSON(), nullable=False),
        sa.UniqueConstraint("question_id", "article_id"),
    )
    op.create_table(
        "matched_until",
        _id(),
        sa.Column("article_id", sa.Integer(), nullable=False),
        sa.Column("revision_id", sa.Integer(), nullable=False),
    )
    op.create_table(
        "news_answer",
        _id(),
        _reference("member_id", "member"),
        _reference("question_id", "question"),
        _reference("article_id", "article", nullable=True),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("words", sa.JSON(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(_ANSWERS, name="answer_is_known"),
        sa.CheckConstraint(
            "(article_id IS NULL) = (answer = 'threshold')", name="threshold_has_no_article"
        ),
        sa.Index("ix_news_answer_member_id", "member_id", "question_id", "id"),
    )
    add_forms({})


def _id() -> Any:
    return sa.Column("id", sa.Integer(), primary_key=True)


def _reference(name: str, table: str, *, nullable: bool = False, **options: Any) -> Any:
    key = sa.ForeignKey(f"{table}.id")
    return sa.Column(name, sa.Integer(), key, nullable=nullable, **options)
