"""What a member looks at: when to look again, and until when they have seen what was resolved

Revision ID: 0009
Revises: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "revisit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("question_id", sa.Integer(), nullable=True),
        sa.Column("days", sa.Integer(), nullable=True),
        sa.Column("recorded_at", _TIME, nullable=False),
        sa.CheckConstraint("days > 0", name=op.f("ck_revisit_days_are_some")),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_revisit_member_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["question_id"], ["question.id"], name=op.f("fk_revisit_question_id_question")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revisit")),
    )
    op.create_index("ix_revisit_member_id", "revisit", ["member_id", "question_id", "id"])
    op.create_table(
        "glance",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("recorded_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_glance_member_id_member")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_glance")),
    )
    op.create_index("ix_glance_member_id", "glance", ["member_id", "id"])


def downgrade() -> None:
    raise NotImplementedError("a ledger is never taken back to an older schema; restore a backup")
