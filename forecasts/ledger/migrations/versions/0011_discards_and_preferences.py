"""Discarded questions, the members' settings for pages, and the last scheduled run

Revision ID: 0011
Revises: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

Time = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "discard",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("question_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("recorded_at", Time, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_discard"),
        sa.ForeignKeyConstraint(
            ["question_id"], ["question.id"], name="fk_discard_question_id_question"
        ),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name="fk_discard_member_id_member"),
        sa.UniqueConstraint("question_id", name="uq_discard_question_id"),
    )
    op.create_table(
        "preference",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("time_zone", sa.String(), nullable=True),
        sa.Column("lowest_probability", sa.Float(), nullable=True),
        sa.Column("theme", sa.Text(), nullable=True),
        sa.Column("recorded_at", Time, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_preference"),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name="fk_preference_member_id_member"
        ),
        sa.CheckConstraint(
            "lowest_probability >= 0 AND lowest_probability < 0.5",
            name=op.f("ck_preference_lowest_is_low"),
        ),
        sa.CheckConstraint(
            "theme IN ('light', 'dark')", name=op.f("ck_preference_theme_is_known")
        ),
    )
    op.create_index("ix_preference_member_id", "preference", ["member_id"])
    op.create_table(
        "last_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("started_at", Time, nullable=False),
        sa.Column("before_at", Time, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_last_run"),
    )
    _guard_discards()


def _guard_discards() -> None:
    """Refuse changes of the table that is history."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE TRIGGER discard_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON discard "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting()"
        )
        return
    op.execute(
        "CREATE TRIGGER discard_refuses_replace BEFORE INSERT ON discard WHEN EXISTS (SELECT 1 "
        "FROM discard WHERE id = NEW.id OR question_id = NEW.question_id) BEGIN "
        "SELECT RAISE(ABORT, 'the ledger is append-only: discard has such a row already'); END"
    )
    for act in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER discard_refuses_{act.lower()} BEFORE {act} ON discard BEGIN "
            f"SELECT RAISE(ABORT, 'the ledger is append-only: {act} on discard is refused'); END"
        )


def downgrade() -> None:
    raise NotImplementedError("there is no older schema to return to; restore a backup")
