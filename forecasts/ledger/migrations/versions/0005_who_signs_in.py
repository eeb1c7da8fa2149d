"""Who signs in, and the tokens of service members

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

import forecasts.ledger.models
import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString as Text

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

Time = forecasts.ledger.models.Time


def upgrade() -> None:
    op.create_table(
        "identity",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("issuer", Text(), nullable=False),
        sa.Column("subject", Text(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("recorded_at", Time(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name="fk_identity_member_id_member"),
        sa.PrimaryKeyConstraint("id", name="pk_identity"),
        sa.UniqueConstraint("issuer", "subject", name="uq_identity_issuer_subject"),
    )
    op.create_index("ix_identity_member_id", "identity", ["member_id"])
    op.create_table(
        "token",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("key", Text(), nullable=False),
        sa.Column("digest", Text(), nullable=False),
        sa.Column("recorded_at", Time(timezone=True), nullable=False),
        sa.Column("expires_at", Time(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name="fk_token_member_id_member"),
        sa.PrimaryKeyConstraint("id", name="pk_token"),
        sa.UniqueConstraint("key", name="uq_token_key"),
    )
    op.create_index("ix_token_member_id", "token", ["member_id"])
    op.create_table(
        "token_revocation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token_id", sa.Integer(), nullable=False),
        sa.Column("recorded_at", Time(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["token_id"], ["token.id"], name="fk_token_revocation_token_id_token"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_token_revocation"),
        sa.UniqueConstraint("token_id", name="uq_token_revocation_token_id"),
    )
    for table, key in (("token", "key"), ("token_revocation", "token_id")):
        refuse_rewriting(table, key)


def refuse_rewriting(table: str, key: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"CREATE TRIGGER {table}_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE "
            f"ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting()"
        )
        return
    for act in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_refuses_{act.lower()} BEFORE {act} ON {table} BEGIN "
            f"SELECT RAISE(ABORT, 'the ledger is append-only: {act} on {table} is refused'); END"
        )
    op.execute(
        f"CREATE TRIGGER {table}_refuses_replace BEFORE INSERT ON {table} "
        f"WHEN EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id OR {key} = NEW.{key}) BEGIN "
        f"SELECT RAISE(ABORT, 'the ledger is append-only: {table} has such a row already'); END"
    )


def downgrade() -> None:
    raise NotImplementedError("a ledger is never taken back to an older schema; restore a backup")
