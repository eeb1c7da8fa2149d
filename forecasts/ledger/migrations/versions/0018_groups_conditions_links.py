"""Groups of questions, questions asked under a condition, links between questions

Revision ID: 0018
Revises: 0017
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from forecasts.ledger.migrations.forms import add_forms
from forecasts.ledger.migrations.guards import guard

revision = "0018"
down_revision = "0017"

_KINDS = "kind IN ('independent', 'exclusive', 'exhaustive', 'nested')"
_LINKS = "kind IN ('implies', 'excludes', 'equivalent', 'causes')"
_STRENGTHS = "strength IN ('certain', 'strong', 'moderate', 'weak')"


def upgrade() -> None:
    op.create_table(
        "question_group",
        _id(),
        sa.Column("slug", sa.String(), nullable=False, index=True),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        *_by_member(),
        sa.CheckConstraint(_KINDS, name="kind_is_known"),
    )
    op.create_table(
        "group_place",
        _id(),
        _reference("question_id", "question", index=True),
        _reference("group_id", "question_group", index=True),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        *_by_member(),
    )
    op.create_table(
        "condition",
        _id(),
        _reference("question_id", "question", unique=True),
        _reference("parent_id", "question", index=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        *_by_member(),
        sa.CheckConstraint("question_id <> parent_id", name="parent_is_another"),
    )
    op.create_table(
        "question_link",
        _id(),
        _reference("question_id", "question"),
        _reference("other_id", "question", index=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("strength", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("removed", sa.Boolean(), nullable=False),
        *_by_member(),
        sa.CheckConstraint("question_id <> other_id", name="other_is_another"),
        sa.CheckConstraint(_LINKS, name="kind_is_known"),
        sa.CheckConstraint(_STRENGTHS, name="strength_is_known"),
        sa.Index("ix_question_link_question_id", "question_id", "other_id", "kind", "id"),
    )
    guard("question_group")
    guard("group_place")
    guard("condition", ["question_id = NEW.question_id"])
    guard("question_link", same=_SAME, removal=_REMOVED)
    add_forms({})


def _id() -> Any:
    return sa.Column("id", sa.Integer(), primary_key=True)


def _by_member() -> list[Any]:
    at = sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False)
    return [_reference("member_id", "member"), at]


def _reference(name: str, table: str, **options: Any) -> Any:
    key = sa.ForeignKey(f"{table}.id")
    return sa.Column(name, sa.Integer(), key, nullable=False, **options)


_SAME = ("id", "question_id", "other_id", "kind", "strength", "removed", "member_id", "recorded_at")
_REMOVED = (
    "(NEW.reason IN ('', '[removed]') OR NEW.reason = OLD.reason)"
    " AND EXISTS (SELECT 1 FROM removal WHERE member_id = OLD.member_id)"
)
