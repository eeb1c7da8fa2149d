"""The first ledger

Revision ID: 0001
Revises:
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ledger",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("demonstration", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger")),
    )
    op.create_table(
        "member",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("handle", sa.String(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member")),
        sa.UniqueConstraint("handle", name=op.f("uq_member_handle")),
    )
    op.create_table(
        "team",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_team")),
        sa.UniqueConstraint("name", name=op.f("uq_team_name")),
    )
    op.create_table(
        "article",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("url", sa.String(), nullable=True),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("publisher", sa.String(), nullable=True),
        sa.Column("author", sa.String(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("captured_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_article_member_id_member")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_article")),
        sa.UniqueConstraint("content_hash", name=op.f("uq_article_content_hash")),
    )
    with op.batch_alter_table("article", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_article_url"), ["url"], unique=False)

    op.create_table(
        "membership",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("team_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_membership_member_id_member")
        ),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_membership_team_id_team")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_membership")),
    )
    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_membership_member_id"), ["member_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_membership_team_id"), ["team_id"], unique=False)

    op.create_table(
        "question",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_question_member_id_member")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_question")),
        sa.UniqueConstraint("slug", name=op.f("uq_question_slug")),
    )
    op.create_table(
        "evidence",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("url", sa.String(), nullable=True),
        sa.Column("publisher", sa.String(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("quote", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("article_id", sa.Integer(), nullable=True),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["article.id"], name=op.f("fk_evidence_article_id_article")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_evidence_member_id_member")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence")),
        sa.UniqueConstraint("key", name=op.f("uq_evidence_key")),
    )
    with op.batch_alter_table("evidence", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_evidence_url"), ["url"], unique=False)

    op.create_table(
        "forecast",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("question_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("probability", sa.Float(), nullable=True),
        sa.Column("probabilities", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("quantiles", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.Column("rationale", sa.Text(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("import_key", sa.String(), nullable=True),
        sa.CheckConstraint(
            "(CASE WHEN probability IS NULL THEN 0 ELSE 1 END + CASE WHEN probabilities IS NULL THEN 0 ELSE 1 END + CASE WHEN quantiles IS NULL THEN 0 ELSE 1 END) = (CASE WHEN withdrawn THEN 0 ELSE 1 END)",
            name=op.f("ck_forecast_one_value_or_withdrawn"),
        ),
        sa.CheckConstraint(
            "probability >= 0 AND probability <= 1", name=op.f("ck_forecast_probability_in_0_1")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_forecast_member_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["question_id"], ["question.id"], name=op.f("fk_forecast_question_id_question")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_forecast")),
        sa.UniqueConstraint("import_key", name=op.f("uq_forecast_import_key")),
    )
    with op.batch_alter_table("forecast", schema=None) as batch_op:
        batch_op.create_index("ix_forecast_member_made_at", ["member_id", "made_at"], unique=False)
        batch_op.create_index(
            "ix_forecast_path", ["question_id", "member_id", "made_at", "id"], unique=False
        )

    op.create_table(
        "question_revision",
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("options", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("ordered", sa.Boolean(), nullable=False),
        sa.Column("lower_bound", sa.String(), nullable=True),
        sa.Column("upper_bound", sa.String(), nullable=True),
        sa.Column("unit", sa.String(), nullable=True),
        sa.Column("open_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("scheduled_close_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actual_close_time", sa.DateTime(timezone=True), nullable=True),
        sa.Column("scheduled_resolve_time", sa.DateTime(timezone=True), nullable=True),
        sa.Column("spot_time", sa.DateTime(timezone=True), nullable=True),
        sa.Column("family", sa.String(), nullable=False),
        sa.Column("tags", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("background", sa.Text(), nullable=False),
        sa.Column("resolution_criteria", sa.Text(), nullable=False),
        sa.Column("fine_print", sa.Text(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("question_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "type IN ('binary', 'multiple_choice', 'numeric', 'date')",
            name=op.f("ck_question_revision_type_is_known"),
        ),
        sa.CheckConstraint(
            "open_time < scheduled_close_time",
            name=op.f("ck_question_revision_opens_before_it_closes"),
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_question_revision_member_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["question_id"], ["question.id"], name=op.f("fk_question_revision_question_id_question")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_question_revision")),
        sa.UniqueConstraint(
            "question_id", "number", name=op.f("uq_question_revision_question_id_number")
        ),
    )
    op.create_table(
        "question_source",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("question_id", sa.Integer(), nullable=False),
        sa.Column("article_id", sa.Integer(), nullable=False),
        sa.Column("quote", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("suffix", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["article.id"], name=op.f("fk_question_source_article_id_article")
        ),
        sa.ForeignKeyConstraint(
            ["question_id"], ["question.id"], name=op.f("fk_question_source_question_id_question")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_question_source")),
    )
    with op.batch_alter_table("question_source", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_question_source_article_id"), ["article_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_question_source_question_id"), ["question_id"], unique=False
        )

    op.create_table(
        "resolver",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("question_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_resolver_member_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["question_id"], ["question.id"], name=op.f("fk_resolver_question_id_question")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_resolver")),
    )
    with op.batch_alter_table("resolver", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_resolver_question_id"), ["question_id"], unique=False)

    op.create_table(
        "citation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("forecast_id", sa.Integer(), nullable=False),
        sa.Column("evidence_id", sa.Integer(), nullable=False),
        sa.Column("stance", sa.Text(), nullable=False),
        sa.Column("share", sa.Float(), nullable=True),
        sa.CheckConstraint(
            "stance IN ('supports', 'opposes', 'context')", name=op.f("ck_citation_stance_is_known")
        ),
        sa.CheckConstraint("share >= 0", name=op.f("ck_citation_share_not_negative")),
        sa.ForeignKeyConstraint(
            ["evidence_id"], ["evidence.id"], name=op.f("fk_citation_evidence_id_evidence")
        ),
        sa.ForeignKeyConstraint(
            ["forecast_id"], ["forecast.id"], name=op.f("fk_citation_forecast_id_forecast")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_citation")),
        sa.UniqueConstraint(
            "forecast_id", "evidence_id", name=op.f("uq_citation_forecast_id_evidence_id")
        ),
    )
    with op.batch_alter_table("citation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_citation_evidence_id"), ["evidence_id"], unique=False)

    op.create_table(
        "resolution",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("question_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("known_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.Column("resolver_id", sa.Integer(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("proposal_id", sa.Integer(), nullable=True),
        sa.Column("supersedes_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "state IN ('proposed', 'confirmed', 'rejected')",
            name=op.f("ck_resolution_state_is_known"),
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_resolution_member_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["proposal_id"], ["resolution.id"], name=op.f("fk_resolution_proposal_id_resolution")
        ),
        sa.ForeignKeyConstraint(
            ["question_id"], ["question.id"], name=op.f("fk_resolution_question_id_question")
        ),
        sa.ForeignKeyConstraint(
            ["resolver_id"], ["resolver.id"], name=op.f("fk_resolution_resolver_id_resolver")
        ),
        sa.ForeignKeyConstraint(
            ["supersedes_id"],
            ["resolution.id"],
            name=op.f("fk_resolution_supersedes_id_resolution"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_resolution")),
        sa.UniqueConstraint("proposal_id", name=op.f("uq_resolution_proposal_id")),
        sa.UniqueConstraint("supersedes_id", name=op.f("uq_resolution_supersedes_id")),
    )
    with op.batch_alter_table("resolution", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_resolution_question_id"), ["question_id"], unique=False
        )
        batch_op.create_index(
            "uq_resolution_first_confirmation",
            ["question_id"],
            unique=True,
            sqlite_where=sa.text("state = 'confirmed' AND supersedes_id IS NULL"),
            postgresql_where=sa.text("state = 'confirmed' AND supersedes_id IS NULL"),
        )

    op.create_table(
        "resolver_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("resolver_id", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["resolver_id"], ["resolver.id"], name=op.f("fk_resolver_run_resolver_id_resolver")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_resolver_run")),
    )
    with op.batch_alter_table("resolver_run", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_resolver_run_resolver_id"), ["resolver_id"], unique=False
        )

    op.create_table(
        "score",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("resolution_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("protocol", sa.String(), nullable=False),
        sa.Column("engine_version", sa.String(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("coverage", sa.Float(), nullable=False),
        sa.Column("updates", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_score_member_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["resolution_id"], ["resolution.id"], name=op.f("fk_score_resolution_id_resolution")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_score")),
        sa.UniqueConstraint(
            "resolution_id",
            "member_id",
            "protocol",
            name=op.f("uq_score_resolution_id_member_id_protocol"),
        ),
    )
    with op.batch_alter_table("score", schema=None) as batch_op:
        batch_op.create_index("ix_score_member_protocol", ["member_id", "protocol"], unique=False)
    _refuse_rewriting()


def _refuse_rewriting() -> None:
    """History is appended to: triggers refuse UPDATE and DELETE, whoever asks."""
    # Each table with the unique keys, beside the id, that a REPLACE could go through.
    tables: dict[str, list[str]] = {
        "article": ["content_hash = NEW.content_hash"],
        "question": ["slug = NEW.slug"],
        "question_revision": ["(question_id = NEW.question_id AND number = NEW.number)"],
        "question_source": [],
        "forecast": ["import_key = NEW.import_key"],
        "evidence": ["key = NEW.key"],
        "citation": ["(forecast_id = NEW.forecast_id AND evidence_id = NEW.evidence_id)"],
        "resolution": [
            "proposal_id = NEW.proposal_id",
            "supersedes_id = NEW.supersedes_id",
            "(question_id = NEW.question_id AND state = 'confirmed' AND supersedes_id IS NULL"
            " AND NEW.state = 'confirmed' AND NEW.supersedes_id IS NULL)",
        ],
    }
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            """
            CREATE FUNCTION refuse_rewriting() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                RAISE EXCEPTION 'the ledger is append-only: % on % is refused',
                    TG_OP, TG_TABLE_NAME;
            END $$
            """
        )
        for table in tables:
            op.execute(
                f"CREATE TRIGGER {table}_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE "
                f"ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting()"
            )
        return
    for table, keys in tables.items():
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_refuses_{act.lower()} BEFORE {act} ON {table} BEGIN "
                f"SELECT RAISE(ABORT, 'the ledger is append-only: {act} on {table} is refused'); "
                "END"
            )
        # REPLACE deletes what stands in its way without asking the triggers on DELETE.
        stands_in_the_way = " OR ".join(["id = NEW.id", *keys])
        op.execute(
            f"CREATE TRIGGER {table}_refuses_replace BEFORE INSERT ON {table} "
            f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {stands_in_the_way}) BEGIN "
            f"SELECT RAISE(ABORT, 'the ledger is append-only: {table} has such a row already'); "
            "END"
        )


def downgrade() -> None:
    raise NotImplementedError("a ledger is never taken back to an older schema; restore a backup")
