"""Who is told what, and where: channels, and the notices on their way

Revision ID: 0008
Revises: 0007
"""

from __future__ import annotations

import forecasts.ledger.models
import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString as Text

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

Time = forecasts.ledger.models.Time


def upgrade() -> None:
    op.create_table(
        "channel",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("name", Text(), nullable=False),
        sa.Column("secret_url", sa.Text(), nullable=False),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("days_before_close", sa.Float(), nullable=False),
        sa.Column("days_until_stale", sa.Float(), nullable=False),
        sa.Column("recorded_at", Time(timezone=True), nullable=False),
        sa.Column("removed_at", Time(timezone=True), nullable=True),
        sa.CheckConstraint(
            "days_before_close > 0", name=op.f("ck_channel_days_before_close_positive")
        ),
        sa.CheckConstraint(
            "days_until_stale > 0", name=op.f("ck_channel_days_until_stale_positive")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_channel_member_id_member")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channel")),
    )
    standing = sa.text("removed_at IS NULL")
    op.create_index(
        "uq_channel_name",
        "channel",
        ["member_id", "name"],
        unique=True,
        sqlite_where=standing,
        postgresql_where=standing,
    )
    op.create_table(
        "notice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("channel_id", sa.Integer(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("question_id", sa.Integer(), nullable=False),
        sa.Column("at", Time(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("recorded_at", Time(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", Time(timezone=True), nullable=False),
        sa.Column("claim", Text(), nullable=True),
        sa.Column("claimed_until", Time(timezone=True), nullable=True),
        sa.Column("sent_at", Time(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "event IN ('resolved', 'decision', 'disputed', 'parked', 'awaiting', 'closing',"
            " 'stale', 'closed')",
            name=op.f("ck_notice_event_is_known"),
        ),
        sa.CheckConstraint(
            "state IN ('due', 'sending', 'sent', 'failed', 'moot')",
            name=op.f("ck_notice_state_is_known"),
        ),
        sa.ForeignKeyConstraint(
            ["channel_id"], ["channel.id"], name=op.f("fk_notice_channel_id_channel")
        ),
        sa.ForeignKeyConstraint(
            ["question_id"], ["question.id"], name=op.f("fk_notice_question_id_question")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sa.UniqueConstraint(
            "channel_id",
            "event",
            "question_id",
            "at",
            name=op.f("uq_notice_channel_id_event_question_id_at"),
        ),
    )
    op.create_index("ix_notice_claim", "notice", ["claim"])
    under_way = sa.text("state IN ('due', 'sending', 'failed')")
    op.create_index(
        "ix_notice_under_way",
        "notice",
        ["channel_id"],
        sqlite_where=under_way,
        postgresql_where=under_way,
    )


def downgrade() -> None:
    raise NotImplementedError("a ledger is never taken back to an older schema; restore a backup")
