"""Who may do what: roles, who sees a question, what a team has agreed on, who vouches for an import

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ROLES = "role IN ('viewer', 'forecaster', 'resolver', 'admin')"


def upgrade() -> None:
    server = op.get_bind().dialect.name == "postgresql"
    time = "TIMESTAMP WITH TIME ZONE" if server else "DATETIME"
    # Columns are added in place: a table that is made anew would lose its triggers.
    for table, column in (
        (
            "membership",
            "role TEXT DEFAULT 'forecaster' NOT NULL"
            f" CONSTRAINT ck_membership_role_is_known CHECK ({ROLES})",
        ),
        (
            "question_revision",
            "visibility TEXT DEFAULT 'everyone' NOT NULL"
            " CONSTRAINT ck_question_revision_visibility_is_known"
            " CHECK (visibility IN ('everyone', 'team', 'author'))",
        ),
        (
            "question_revision",
            "team_id INTEGER CONSTRAINT fk_question_revision_team_id_team REFERENCES team (id)"
            " CONSTRAINT ck_question_revision_a_team_is_named"
            " CHECK (visibility <> 'team' OR team_id IS NOT NULL)",
        ),
        ("question_revision", "crowd_hidden BOOLEAN DEFAULT false NOT NULL"),
        ("forecast", f"claimed_at {time}"),
        (
            "forecast",
            "vouched_by_id INTEGER"
            " CONSTRAINT fk_forecast_vouched_by_id_member REFERENCES member (id)",
        ),
    ):
        op.execute(f"ALTER TABLE {table} ADD COLUMN {column}")
    restricted = sa.text("visibility <> 'everyone' OR crowd_hidden")
    op.create_index(
        "ix_question_revision_restricted",
        "question_revision",
        ["question_id"],
        sqlite_where=restricted,
        postgresql_where=restricted,
    )
    op.create_table(
        "appointment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("by_member_id", sa.Integer(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(ROLES, name=op.f("ck_appointment_role_is_known")),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_appointment_member_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["by_member_id"], ["member.id"], name=op.f("fk_appointment_by_member_id_member")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appointment")),
    )
    op.create_index("ix_appointment_member_id", "appointment", ["member_id"])
    op.create_table(
        "team_rule",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("team_id", sa.Integer(), nullable=False),
        sa.Column("second_resolver", sa.Boolean(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_team_rule_team_id_team")),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_team_rule_member_id_member")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_team_rule")),
    )
    op.create_index("ix_team_rule_team_id", "team_rule", ["team_id"])
    for table in ("appointment", "team_rule"):
        _refuse_rewriting(table, server=server)


def _refuse_rewriting(table: str, *, server: bool) -> None:
    if server:
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
        f"WHEN EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id) BEGIN "
        f"SELECT RAISE(ABORT, 'the ledger is append-only: {table} has such a row already'); END"
    )


def downgrade() -> None:
    raise NotImplementedError("a ledger is never taken back to an older schema; restore a backup")
