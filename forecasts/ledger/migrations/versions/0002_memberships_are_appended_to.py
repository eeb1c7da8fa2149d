"""Memberships are appended to: triggers refuse to rewrite them, as they do the rest of history

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE TRIGGER membership_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE "
            "ON membership FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting()"
        )
        return
    for act in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER membership_refuses_{act.lower()} BEFORE {act} ON membership BEGIN "
            f"SELECT RAISE(ABORT, 'the ledger is append-only: {act} on membership is refused'); "
            "END"
        )
    op.execute(
        "CREATE TRIGGER membership_refuses_replace BEFORE INSERT ON membership "
        "WHEN EXISTS (SELECT 1 FROM membership WHERE id = NEW.id) BEGIN "
        "SELECT RAISE(ABORT, 'the ledger is append-only: membership has such a row already'); END"
    )


def downgrade() -> None:
    raise NotImplementedError("a ledger is never taken back to an older schema; restore a backup")
