"""Origins and printed scores of other platforms, the salt of aliases, questions told apart

Revision ID: 0014
Revises: 0013
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from forecasts.ledger.migrations.forms import add_forms
from forecasts.ledger.migrations.guards import guard

revision = "0014"
down_revision = "0013"

Time = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "question_origin",
        sa.Column("id", sa.Integer(), primary_key=True),
        _reference("question_id", "question"),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("platform_id", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("recorded_at", Time, nullable=False),
        sa.UniqueConstraint("question_id", "platform"),
        sa.Index("ix_question_origin_platform", "platform", "platform_id"),
    )
    op.create_table(
        "printed_score",
        sa.Column("id", sa.Integer(), primary_key=True),
        _reference("question_id", "question"),
        _reference("member_id", "member", index=True),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("coverage", sa.Float(), nullable=True),
        sa.Column("recorded_at", Time, nullable=False),
        sa.Index("ix_printed_score_question_id", "question_id", "member_id"),
    )
    op.create_table(
        "alias_salt",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("salt", sa.Text(), nullable=False),
        sa.Column("recorded_at", Time, nullable=False),
    )
    op.create_table(
        "distinct_pair",
        sa.Column("id", sa.Integer(), primary_key=True),
        _reference("question_id", "question"),
        _reference("other_id", "question"),
        sa.Column("apart", sa.Boolean(), nullable=False),
        _reference("member_id", "member"),
        sa.Column("recorded_at", Time, nullable=False),
        sa.CheckConstraint("question_id < other_id", name="ids_in_order"),
        sa.Index("ix_distinct_pair_question_id", "question_id", "other_id", "id"),
    )
    guard("question_origin", ["(question_id = NEW.question_id AND platform = NEW.platform)"])
    guard("printed_score")
    guard("alias_salt")
    add_forms({})


def _reference(name: str, table: str, *, index: bool = False) -> Any:
    key = sa.ForeignKey(f"{table}.id")
    return sa.Column(name, sa.Integer(), key, nullable=False, index=index)
