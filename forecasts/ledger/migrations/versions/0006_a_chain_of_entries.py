"""A chain of entries: each row of history has one; and a member can be forgotten

Revision ID: 0006
Revises: 0005
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

from forecasts.ledger.chain import NOTHING, Chain, tell

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_BATCH = 5_000
_TOMBSTONE = "[removed]"
# Where the question of a row stands, for the tables whose rows belong to one.
_QUESTION = {
    "question": "t.id",
    "question_revision": "t.question_id",
    "question_source": "t.question_id",
    "forecast": "t.question_id",
    "citation": "(SELECT f.question_id FROM forecast f WHERE f.id = t.forecast_id)",
    "resolution": "t.question_id",
}
_TABLES = (
    "member",
    "token",
    "token_revocation",
    "team",
    "membership",
    "appointment",
    "team_rule",
    "article",
    "evidence",
    "question",
    "question_revision",
    "question_source",
    "forecast",
    "citation",
    "resolution",
)
# What a removal does to the words in a row, and whose they have to be.
_FORGOTTEN = {
    "forecast": (
        {"rationale": f"IN ('', '{_TOMBSTONE}')", "import_key": "IS NULL"},
        "OLD.member_id",
    ),
    "evidence": (
        {
            "key": "= 'removed-' || OLD.id",
            "title": f"IN ('', '{_TOMBSTONE}')",
            "note": f"IN ('', '{_TOMBSTONE}')",
        },
        # What nobody else cites is theirs, whoever recorded it, as an import does for all.
        "OLD.member_id) OR member_id IN (SELECT f.member_id FROM citation c"
        " JOIN forecast f ON f.id = c.forecast_id WHERE c.evidence_id = OLD.id",
    ),
    "question_revision": ({"reason": f"IN ('', '{_TOMBSTONE}')"}, "OLD.member_id"),
    "resolution": (
        {"note": f"IN ('', '{_TOMBSTONE}')"},
        # An accepted proposal's note is repeated in the row that accepts it.
        "OLD.member_id, (SELECT p.member_id FROM resolution p WHERE p.id = OLD.proposal_id)",
    ),
}


def upgrade() -> None:
    op.create_table(
        "removal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("removed_by_id", sa.Integer(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_removal_member_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["removed_by_id"], ["member.id"], name=op.f("fk_removal_removed_by_id_member")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_removal")),
        sa.UniqueConstraint("member_id", name=op.f("uq_removal_member_id")),
    )
    op.create_table(
        "entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("question_id", sa.Integer(), nullable=True),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("row_id", sa.Integer(), nullable=False),
        sa.Column("salt", sa.Text(), nullable=True),
        sa.Column("words_hash", sa.Text(), nullable=True),
        sa.Column("row_hash", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["question_id"], ["question.id"], name=op.f("fk_entry_question_id_question")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entry")),
        sa.UniqueConstraint("question_id", "number", name=op.f("uq_entry_question_id_number")),
    )
    _enter_what_is_there()
    if op.get_bind().dialect.name == "postgresql":
        _guard_on_a_server()
    else:
        _guard_in_a_file()


def _enter_what_is_there() -> None:
    connection = op.get_bind()
    entry = sa.Table("entry", sa.MetaData(), autoload_with=connection)
    chain = Chain(0, NOTHING, lambda _: None)
    for kind in _TABLES:
        for rows in _batches(connection, kind):
            entries = []
            for row in rows:
                values = dict(row._mapping)
                question = values.pop("of_question")
                entries.append(chain.add(tell(kind, values, question), values["id"]))
            connection.execute(sa.insert(entry), entries)


def _batches(connection: sa.Connection, kind: str) -> Iterator[Any]:
    table = sa.Table(kind, sa.MetaData(), autoload_with=connection, resolve_fks=False).alias("t")
    question: sa.Label[int | None] = sa.literal_column(_QUESTION.get(kind, "NULL")).label(
        "of_question"
    )
    last = 0
    while True:
        rows = connection.execute(
            sa.select(table, question).where(table.c.id > last).order_by(table.c.id).limit(_BATCH)
        ).all()
        if not rows:
            return
        yield rows
        last = rows[-1].id


def _kept(table: str, forgotten: list[str]) -> list[str]:
    """Return the columns of a table that a removal leaves as they are."""
    columns = sa.inspect(op.get_bind()).get_columns(table)
    return [column["name"] for column in columns if column["name"] not in forgotten]


def _may_be_forgotten(table: str, same: str) -> str:
    """Return the condition under which a row of the table may give its words up."""
    if table == "entry":
        return f"{same} AND NEW.salt IS NULL AND EXISTS (SELECT 1 FROM removal)"
    columns, members = _FORGOTTEN[table]
    tombstones = " AND ".join(
        f"(NEW.{name} {rule} OR NEW.{name} = OLD.{name})" for name, rule in columns.items()
    )
    return (
        f"{same} AND {tombstones} AND EXISTS (SELECT 1 FROM removal WHERE member_id IN ({members}))"
    )


def _guard_in_a_file() -> None:
    for table in ("removal", "entry"):
        unique = {"removal": "member_id = NEW.member_id"}
        unique["entry"] = "(question_id = NEW.question_id AND number = NEW.number)"
        op.execute(
            f"CREATE TRIGGER {table}_refuses_replace BEFORE INSERT ON {table} "
            f"WHEN EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id OR {unique[table]}) BEGIN "
            f"SELECT RAISE(ABORT, 'the ledger is append-only: {table} has such a row already'); "
            "END"
        )
        op.execute(
            f"CREATE TRIGGER {table}_refuses_delete BEFORE DELETE ON {table} BEGIN "
            f"SELECT RAISE(ABORT, 'the ledger is append-only: DELETE on {table} is refused'); END"
        )
    op.execute(
        "CREATE TRIGGER removal_refuses_update BEFORE UPDATE ON removal BEGIN "
        "SELECT RAISE(ABORT, 'the ledger is append-only: UPDATE on removal is refused'); END"
    )
    for table in (*_FORGOTTEN, "entry"):
        forgotten = ["salt"] if table == "entry" else list(_FORGOTTEN[table][0])
        same = " AND ".join(f"NEW.{name} IS OLD.{name}" for name in _kept(table, forgotten))
        op.execute(f"DROP TRIGGER IF EXISTS {table}_refuses_update")
        op.execute(
            f"CREATE TRIGGER {table}_refuses_update BEFORE UPDATE ON {table} "
            f"WHEN NOT coalesce({_may_be_forgotten(table, same)}, 0) BEGIN "
            f"SELECT RAISE(ABORT, 'the ledger is append-only: UPDATE on {table} is refused'); END"
        )


def _guard_on_a_server() -> None:
    op.execute(
        "CREATE TRIGGER removal_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE "
        "ON removal FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting()"
    )
    for table in (*_FORGOTTEN, "entry"):
        forgotten = ["salt"] if table == "entry" else list(_FORGOTTEN[table][0])
        # Columns of the type json can be compared as text alone, and so as they were written.
        same = " AND ".join(
            f"NEW.{name}::text IS NOT DISTINCT FROM OLD.{name}::text"
            for name in _kept(table, forgotten)
        )
        op.execute(f"DROP TRIGGER IF EXISTS {table}_is_append_only ON {table}")
        op.execute(
            f"CREATE TRIGGER {table}_is_append_only BEFORE DELETE OR TRUNCATE "
            f"ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting()"
        )
        op.execute(
            f"""
            CREATE FUNCTION {table}_refuses_update() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF coalesce({_may_be_forgotten(table, same)}, false) THEN
                    RETURN NEW;
                END IF;
                RAISE EXCEPTION 'the ledger is append-only: UPDATE on {table} is refused'
                    USING ERRCODE = 'integrity_constraint_violation';
            END $$
            """
        )
        op.execute(
            f"CREATE TRIGGER {table}_refuses_update BEFORE UPDATE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION {table}_refuses_update()"
        )


def downgrade() -> None:
    raise NotImplementedError("a ledger is never taken back to an older schema; restore a backup")
