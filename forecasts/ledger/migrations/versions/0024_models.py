"""Calls of language models, their answers, their proposals, and the decisions on these

Revision ID: 0024
Revises: 0023
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from forecasts.ledger.migrations.forms import add_forms
from forecasts.ledger.migrations.guards import guard

revision = "0024"
down_revision = "0023"

_NUMBERS = ("tokens_in", "tokens_out", "cost", "seconds", "misquoted", "unusable")


def upgrade() -> None:
    op.create_table(
        "model_call",
        _id(),
        _reference("member_id", "member", index=True),
        _reference("bot_id", "member"),
        sa.Column("kind", sa.Text(), nullable=False),
        _reference("article_id", "article", nullable=True),
        _reference("about_id", "question", nullable=True),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("prompt_hash", sa.Text(), nullable=False),
        sa.Column("most_tokens", sa.Integer(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        _recorded_at(index=True),
    )
    op.create_table(
        "model_answer",
        _id(),
        _reference("model_call_id", "model_call", unique=True),
        _reference("member_id", "member"),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("tokens_in", sa.Integer(), nullable=False),
        sa.Column("tokens_out", sa.Integer(), nullable=False),
        sa.Column("cost", sa.Float(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("misquoted", sa.Integer(), nullable=False),
        sa.Column("unusable", sa.Integer(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        _recorded_at(),
        sa.CheckConstraint("state IN ('answered', 'unusable', 'failed')", name="state_is_known"),
        *(sa.CheckConstraint(f"{name} >= 0", name=f"{name}_not_negative") for name in _NUMBERS),
    )
    op.create_table(
        "model_proposal",
        _id(),
        _reference("model_call_id", "model_call", index=True),
        _reference("member_id", "member", index=True),
        sa.Column("content", sa.Text(), nullable=False),
        _recorded_at(),
    )
    op.create_table(
        "model_decision",
        _id(),
        _reference("model_proposal_id", "model_proposal", index=True),
        _reference("member_id", "member"),
        sa.Column("decision", sa.Text(), nullable=False),
        _reference("made_question_id", "question", nullable=True),
        _reference("made_forecast_id", "forecast", nullable=True),
        _reference("made_resolution_id", "resolution", nullable=True),
        _recorded_at(),
        sa.CheckConstraint(
            "decision IN ('accepted', 'changed', 'dismissed', 'reopened')", name="decision_is_known"
        ),
    )
    guard("model_call", same=_SAME_CALL, removal=_removed("request"))
    guard("model_answer", ["model_call_id = NEW.model_call_id"], same=_SAME_ANSWER,
          removal=_removed("answer"))  # fmt: skip
    guard("model_proposal", same=_SAME_PROPOSAL, removal=_removed("content"))
    guard("model_decision")
    add_forms({})


def _id() -> Any:
    return sa.Column("id", sa.Integer(), primary_key=True)


def _recorded_at(**options: Any) -> Any:
    return sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False, **options)


def _reference(name: str, table: str, *, nullable: bool = False, **options: Any) -> Any:
    key = sa.ForeignKey(f"{table}.id")
    return sa.Column(name, sa.Integer(), key, nullable=nullable, **options)


def _removed(words: str) -> str:
    return (
        f"(NEW.{words} IN ('', '[removed]') OR NEW.{words} = OLD.{words})"
        " AND EXISTS (SELECT 1 FROM removal WHERE member_id = OLD.member_id)"
    )


_SAME_CALL = (
    *("id", "member_id", "bot_id", "kind", "article_id", "about_id", "model", "host"),
    *("prompt_hash", "most_tokens", "recorded_at"),
)
_SAME_ANSWER = (
    *("id", "model_call_id", "member_id", "state", "reason", "tokens_in", "tokens_out", "cost"),
    *("seconds", "misquoted", "unusable", "recorded_at"),
)
_SAME_PROPOSAL = ("id", "model_call_id", "member_id", "recorded_at")
