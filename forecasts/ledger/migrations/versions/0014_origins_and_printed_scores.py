"""Origins and printed scores of other platforms, the salt of aliases, questions told apart

Revision ID: 0014
Revises: 0013
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from forecasts.ledger.migrations.forms import add_forms

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

Time = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "question_origin",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("question_id", sa.Integer(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("platform_id", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("recorded_at", Time, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_question_origin"),
        sa.ForeignKeyConstraint(
            ["question_id"], ["question.id"], name="fk_question_origin_question_id_question"
        ),
        sa.UniqueConstraint(
            "question_id", "platform", name="uq_question_origin_question_id_platform"
        ),
    )
    op.create_index("ix_question_origin_platform", "question_origin", ["platform", "platform_id"])
    op.create_table(
        "printed_score",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("question_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("coverage", sa.Float(), nullable=True),
        sa.Column("recorded_at", Time, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_printed_score"),
        sa.ForeignKeyConstraint(
            ["question_id"], ["question.id"], name="fk_printed_score_question_id_question"
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name="fk_printed_score_member_id_member"
        ),
    )
    op.create_index("ix_printed_score_question_id", "printed_score", ["question_id", "member_id"])
    op.create_index("ix_printed_score_member_id", "printed_score", ["member_id"])
    op.create_table(
        "alias_salt",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("salt", sa.Text(), nullable=False),
        sa.Column("recorded_at", Time, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_alias_salt"),
    )
    op.create_table(
        "distinct_pair",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("question_id", sa.Integer(), nullable=False),
        sa.Column("other_id", sa.Integer(), nullable=False),
        sa.Column("apart", sa.Boolean(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("recorded_at", Time, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_distinct_pair"),
        sa.ForeignKeyConstraint(
            ["question_id"], ["question.id"], name="fk_distinct_pair_question_id_question"
        ),
        sa.ForeignKeyConstraint(
            ["other_id"], ["question.id"], name="fk_distinct_pair_other_id_question"
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name="fk_distinct_pair_member_id_member"
        ),
        sa.CheckConstraint("question_id < other_id", name=op.f("ck_distinct_pair_ids_in_order")),
    )
    op.create_index(
        "ix_distinct_pair_question_id", "distinct_pair", ["question_id", "other_id", "id"]
    )
    for table, keys in _HISTORY.items():
        _guard(table, keys)
    add_forms({})


# With the keys that make a row unique besides its id.
_HISTORY = {
    "question_origin": " OR (question_id = NEW.question_id AND platform = NEW.platform)",
    "printed_score": "",
    "alias_salt": "",
}


def _guard(table: str, keys: str) -> None:
    """Refuse UPDATE and DELETE of the table's rows."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"CREATE TRIGGER {table}_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting()"
        )
        return
    op.execute(
        f"CREATE TRIGGER {table}_refuses_replace BEFORE INSERT ON {table} "
        f"WHEN EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id{keys}) BEGIN "
        f"SELECT RAISE(ABORT, 'the ledger is append-only: {table} has such a row already'); END"
    )
    for act in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_refuses_{act.lower()} BEFORE {act} ON {table} BEGIN "
            f"SELECT RAISE(ABORT, 'the ledger is append-only: {act} on {table} is refused'); END"
        )


def downgrade() -> None:
    raise NotImplementedError("there is no older schema to return to; restore a backup")
