"""What resolvers do: when they look next, what they were shown, what becomes of it, and disputes

Revision ID: 0007
Revises: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
# Each table of history with the unique keys, beside the id, that a REPLACE could go through.
_HISTORY = {
    "policy": [],
    "exhibit": [],
    "exhibit_content": ["sha256 = NEW.sha256"],
    "dispute": ["answers_id = NEW.answers_id"],
}
_TOMBSTONE = "[removed]"


def upgrade() -> None:
    # In place: a table that is made anew would lose its triggers.
    op.execute("ALTER TABLE resolver ADD COLUMN beside BOOLEAN DEFAULT false NOT NULL")
    op.create_table(
        "policy",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("question_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("agreeing", sa.Integer(), nullable=False),
        sa.Column("dispute_days", sa.Float(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("recorded_at", _TIME, nullable=False),
        sa.CheckConstraint(
            "kind IN ('propose', 'confirm', 'quorum')", name=op.f("ck_policy_kind_is_known")
        ),
        sa.CheckConstraint("agreeing >= 1", name=op.f("ck_policy_somebody_agrees")),
        sa.CheckConstraint("dispute_days >= 0", name=op.f("ck_policy_days_not_negative")),
        sa.ForeignKeyConstraint(
            ["question_id"], ["question.id"], name=op.f("fk_policy_question_id_question")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_policy_member_id_member")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy")),
    )
    op.create_index("ix_policy_question_id", "policy", ["question_id"])
    op.create_table(
        "exhibit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("resolution_id", sa.Integer(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("media", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["resolution_id"], ["resolution.id"], name=op.f("fk_exhibit_resolution_id_resolution")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exhibit")),
    )
    op.create_index("ix_exhibit_resolution_id", "exhibit", ["resolution_id"])
    op.create_index("ix_exhibit_sha256", "exhibit", ["sha256"])
    op.create_table(
        "exhibit_content",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exhibit_content")),
        sa.UniqueConstraint("sha256", name=op.f("uq_exhibit_content_sha256")),
    )
    op.create_table(
        "dispute",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("resolution_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("answers_id", sa.Integer(), nullable=True),
        sa.Column("recorded_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["resolution_id"], ["resolution.id"], name=op.f("fk_dispute_resolution_id_resolution")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_dispute_member_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["answers_id"], ["dispute.id"], name=op.f("fk_dispute_answers_id_dispute")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispute")),
        sa.UniqueConstraint("answers_id", name=op.f("uq_dispute_answers_id")),
    )
    op.create_index("ix_dispute_resolution_id", "dispute", ["resolution_id"])
    op.create_table(
        "watch",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("question_id", sa.Integer(), nullable=False),
        sa.Column("next_at", _TIME, nullable=True),
        sa.Column("claimed_by", sa.String(), nullable=True),
        sa.Column("claimed_until", _TIME, nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("looked_at", _TIME, nullable=True),
        sa.Column("parked_at", _TIME, nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["question_id"], ["question.id"], name=op.f("fk_watch_question_id_question")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_watch")),
        sa.UniqueConstraint("question_id", name=op.f("uq_watch_question_id")),
    )
    op.create_index("ix_watch_next_at", "watch", ["next_at"])
    # Whatever carries a resolver is looked at by the next run.
    op.execute(
        "INSERT INTO watch (question_id, next_at, attempts, reason)"
        " SELECT question_id, max(recorded_at), 0, '' FROM resolver GROUP BY question_id"
        " ORDER BY question_id"
    )
    server = op.get_bind().dialect.name == "postgresql"
    for table, keys in _HISTORY.items():
        if server:
            _guard_on_a_server(table)
        else:
            _guard_in_a_file(table, keys)


def _may_be_forgotten(same: str) -> str:
    """Return the condition under which a dispute may give its reason up."""
    return (
        f"{same} AND (NEW.reason IN ('', '{_TOMBSTONE}') OR NEW.reason = OLD.reason)"
        " AND EXISTS (SELECT 1 FROM removal WHERE member_id = OLD.member_id)"
    )


_KEPT = ("id", "resolution_id", "member_id", "answers_id", "recorded_at")


def _guard_in_a_file(table: str, keys: list[str]) -> None:
    stands_in_the_way = " OR ".join(["id = NEW.id", *keys])
    op.execute(
        f"CREATE TRIGGER {table}_refuses_replace BEFORE INSERT ON {table} "
        f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {stands_in_the_way}) BEGIN "
        f"SELECT RAISE(ABORT, 'the ledger is append-only: {table} has such a row already'); END"
    )
    op.execute(
        f"CREATE TRIGGER {table}_refuses_delete BEFORE DELETE ON {table} BEGIN "
        f"SELECT RAISE(ABORT, 'the ledger is append-only: DELETE on {table} is refused'); END"
    )
    same = " AND ".join(f"NEW.{name} IS OLD.{name}" for name in _KEPT)
    unless = f"WHEN NOT coalesce({_may_be_forgotten(same)}, 0) " if table == "dispute" else ""
    op.execute(
        f"CREATE TRIGGER {table}_refuses_update BEFORE UPDATE ON {table} {unless}BEGIN "
        f"SELECT RAISE(ABORT, 'the ledger is append-only: UPDATE on {table} is refused'); END"
    )


def _guard_on_a_server(table: str) -> None:
    acts = "DELETE OR TRUNCATE" if table == "dispute" else "UPDATE OR DELETE OR TRUNCATE"
    op.execute(
        f"CREATE TRIGGER {table}_is_append_only BEFORE {acts} "
        f"ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting()"
    )
    if table != "dispute":
        return
    same = " AND ".join(f"NEW.{name} IS NOT DISTINCT FROM OLD.{name}" for name in _KEPT)
    op.execute(
        f"""
        CREATE FUNCTION dispute_refuses_update() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF coalesce({_may_be_forgotten(same)}, false) THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'the ledger is append-only: UPDATE on dispute is refused'
                USING ERRCODE = 'integrity_constraint_violation';
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER dispute_refuses_update BEFORE UPDATE ON dispute "
        "FOR EACH ROW EXECUTE FUNCTION dispute_refuses_update()"
    )


def downgrade() -> None:
    raise NotImplementedError("a ledger is never taken back to an older schema; restore a backup")
