"""The time of each entry, the form of each value, ended sign-ins, the newest backup and digests

Revision ID: 0012
Revises: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from forecasts.ledger.migrations.forms import add_forms

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

Time = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("entry", sa.Column("at", Time, nullable=True))
    op.create_table(
        "ended_session",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("until", Time, nullable=False),
        sa.Column("recorded_at", Time, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ended_session"),
        sa.UniqueConstraint("key", name="uq_ended_session_key"),
    )
    op.create_table(
        "upkeep",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("done_at", Time, nullable=True),
        sa.Column("tried_at", Time, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_upkeep"),
        sa.UniqueConstraint("key", name="uq_upkeep_key"),
        sa.CheckConstraint("act IN ('backup', 'digest')", name=op.f("ck_upkeep_act_is_known")),
    )
    op.add_column("removal", sa.Column("erased", sa.JSON(), nullable=True))
    if op.get_bind().dialect.name == "postgresql":
        _guard_on_server()
    else:
        _guard_in_file()
    add_forms(_ENUMS)


# The columns of an enum that had no constraint.
_ENUMS = {
    "member": {"kind_is_known": "kind IN ('human', 'bot', 'service')"},
    "evidence": {
        "kind_is_known": "kind IN ('news', 'data', 'base_rate', 'expert', 'model', 'other')"
    },
    "resolver_run": {
        "state_is_known": "state IN ('confirmed', 'proposed', 'not_yet', 'failed', 'parked')"
    },
}
_HISTORY = ("ledger", "resolver", "revisit")  # tables that are history from now on
_ENTRY = ("id", "question_id", "number", "kind", "row_id", "words_hash", "row_hash", "hash", "at")


def _guard_in_file() -> None:
    for table in _HISTORY:
        op.execute(
            f"CREATE TRIGGER {table}_refuses_replace BEFORE INSERT ON {table} "
            f"WHEN EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id) BEGIN "
            f"SELECT RAISE(ABORT, 'the ledger is append-only: {table} has such a row already'); END"
        )
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_refuses_{act.lower()} BEFORE {act} ON {table} BEGIN "
                f"SELECT RAISE(ABORT, 'the ledger is append-only: {act} on {table} is refused'); END"
            )
    same = " AND ".join(f"NEW.{name} IS OLD.{name}" for name in _ENTRY)
    op.execute("DROP TRIGGER entry_refuses_update")
    op.execute(
        "CREATE TRIGGER entry_refuses_update BEFORE UPDATE ON entry "
        f"WHEN NOT coalesce({same} AND NEW.salt IS NULL AND EXISTS (SELECT 1 FROM removal), 0) BEGIN "
        "SELECT RAISE(ABORT, 'the ledger is append-only: UPDATE on entry is refused'); END"
    )


def _guard_on_server() -> None:
    for table in _HISTORY:
        op.execute(
            f"CREATE TRIGGER {table}_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting()"
        )
    same = " AND ".join(f"NEW.{name} IS NOT DISTINCT FROM OLD.{name}" for name in _ENTRY)
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION entry_refuses_update() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF coalesce({same} AND NEW.salt IS NULL AND EXISTS (SELECT 1 FROM removal), false) THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'the ledger is append-only: UPDATE on entry is refused'
                USING ERRCODE = 'integrity_constraint_violation';
        END $$
        """
    )


def downgrade() -> None:
    raise NotImplementedError("there is no older schema to return to; restore a backup")
