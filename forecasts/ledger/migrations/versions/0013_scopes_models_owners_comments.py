"""Scopes of tokens, models behind forecasts, owners of bots, comments, answers kept for retries

Revision ID: 0013
Revises: 0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from forecasts.ledger.migrations.forms import add_forms

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

Time = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("token", sa.Column("scopes", sa.JSON(), nullable=True))
    op.create_table(
        "model_use",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("forecast_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=True),
        sa.Column("prompt_hash", sa.String(), nullable=True),
        sa.Column("temperature", sa.Float(), nullable=True),
        sa.Column("cost", sa.Float(), nullable=True),
        sa.Column("tokens", sa.Integer(), nullable=True),
        sa.Column("seconds", sa.Float(), nullable=True),
        sa.Column("tools", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_model_use"),
        sa.ForeignKeyConstraint(
            ["forecast_id"], ["forecast.id"], name="fk_model_use_forecast_id_forecast"
        ),
        sa.UniqueConstraint("forecast_id", name="uq_model_use_forecast_id"),
        *(
            sa.CheckConstraint(f"{name} >= 0", name=op.f(f"ck_model_use_{name}_not_negative"))
            for name in ("temperature", "cost", "tokens", "seconds")
        ),
    )
    op.create_table(
        "bot_owner",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("bot_id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("recorded_at", Time, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_bot_owner"),
        sa.ForeignKeyConstraint(["bot_id"], ["member.id"], name="fk_bot_owner_bot_id_member"),
        sa.ForeignKeyConstraint(["owner_id"], ["member.id"], name="fk_bot_owner_owner_id_member"),
        sa.CheckConstraint("bot_id <> owner_id", name=op.f("ck_bot_owner_owner_is_another")),
    )
    op.create_index("ix_bot_owner_bot_id", "bot_owner", ["bot_id"])
    op.create_table(
        "comment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("question_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("forecast_id", sa.Integer(), nullable=True),
        sa.Column("private", sa.Boolean(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("recorded_at", Time, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_comment"),
        sa.ForeignKeyConstraint(
            ["question_id"], ["question.id"], name="fk_comment_question_id_question"
        ),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name="fk_comment_member_id_member"),
        sa.ForeignKeyConstraint(
            ["forecast_id"], ["forecast.id"], name="fk_comment_forecast_id_forecast"
        ),
    )
    op.create_index("ix_comment_question_id", "comment", ["question_id", "id"])
    op.create_index("ix_comment_forecast_id", "comment", ["forecast_id"])
    op.create_table(
        "idempotent_answer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_digest", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("recorded_at", Time, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_idempotent_answer"),
        sa.ForeignKeyConstraint(
            ["token_id"], ["token.id"], name="fk_idempotent_answer_token_id_token"
        ),
        sa.UniqueConstraint("token_id", "key", name="uq_idempotent_answer_token_id_key"),
    )
    op.create_index("ix_idempotent_answer_recorded_at", "idempotent_answer", ["recorded_at"])
    if op.get_bind().dialect.name == "postgresql":
        _guard_on_server()
    else:
        _guard_in_file()
    add_forms({})


_HISTORY = {"model_use": " OR forecast_id = NEW.forecast_id", "bot_owner": "", "comment": ""}
_SAME = ("id", "question_id", "member_id", "forecast_id", "private", "recorded_at")
_REMOVED = (
    "(NEW.text IN ('', '[removed]') OR NEW.text = OLD.text)"
    " AND EXISTS (SELECT 1 FROM removal WHERE member_id = OLD.member_id)"
)


def _guard_in_file() -> None:
    same = " AND ".join(f"NEW.{name} IS OLD.{name}" for name in _SAME)
    for table, keys in _HISTORY.items():
        op.execute(
            f"CREATE TRIGGER {table}_refuses_replace BEFORE INSERT ON {table} "
            f"WHEN EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id{keys}) BEGIN "
            f"SELECT RAISE(ABORT, 'the ledger is append-only: {table} has such a row already'); END"
        )
        for act in ("UPDATE", "DELETE"):
            unless = ""
            if (table, act) == ("comment", "UPDATE"):
                unless = f"WHEN NOT coalesce({same} AND {_REMOVED}, 0) "
            op.execute(
                f"CREATE TRIGGER {table}_refuses_{act.lower()} BEFORE {act} ON {table} {unless}BEGIN "
                f"SELECT RAISE(ABORT, 'the ledger is append-only: {act} on {table} is refused'); END"
            )


def _guard_on_server() -> None:
    for table in _HISTORY:
        acts = "DELETE OR TRUNCATE" if table == "comment" else "UPDATE OR DELETE OR TRUNCATE"
        op.execute(
            f"CREATE TRIGGER {table}_is_append_only BEFORE {acts} ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting()"
        )
    same = " AND ".join(f"NEW.{name} IS NOT DISTINCT FROM OLD.{name}" for name in _SAME)
    op.execute(
        f"""
        CREATE FUNCTION comment_refuses_update() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF coalesce({same} AND {_REMOVED}, false) THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'the ledger is append-only: UPDATE on comment is refused'
                USING ERRCODE = 'integrity_constraint_violation';
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER comment_refuses_update BEFORE UPDATE ON comment "
        "FOR EACH ROW EXECUTE FUNCTION comment_refuses_update()"
    )


def downgrade() -> None:
    raise NotImplementedError("there is no older schema to return to; restore a backup")
