"""The triggers that refuse changes of the tables that are history."""

from __future__ import annotations

from collections.abc import Sequence

from alembic import op


def guard(
    table: str, keys: Sequence[str] = (), *, same: Sequence[str] = (), removal: str = ""
) -> None:
    """Refuse UPDATE and DELETE of a table's rows, and TRUNCATE on a server.

    ``keys``: the conditions on a row with a unique key of the new one. In a file a REPLACE would
    delete it without asking the triggers on DELETE. ``same`` and ``removal`` as in
    ``guard_updates``.
    """
    if op.get_bind().dialect.name == "postgresql":
        acts = "DELETE OR TRUNCATE" if removal else "UPDATE OR DELETE OR TRUNCATE"
        op.execute(
            f"CREATE TRIGGER {table}_is_append_only BEFORE {acts} ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting()"
        )
        if removal:
            guard_updates(table, same, removal)
            op.execute(
                f"CREATE TRIGGER {table}_refuses_update BEFORE UPDATE ON {table} "
                f"FOR EACH ROW EXECUTE FUNCTION {table}_refuses_update()"
            )
        return
    op.execute(
        f"CREATE TRIGGER {table}_refuses_replace BEFORE INSERT ON {table} "  # noqa: S608 a table of ours
        f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {' OR '.join(['id = NEW.id', *keys])}) BEGIN "
        f"SELECT RAISE(ABORT, 'the ledger is append-only: {table} has such a row already'); END"
    )
    guard_updates(table, same, removal)
    op.execute(
        f"CREATE TRIGGER {table}_refuses_delete BEFORE DELETE ON {table} BEGIN "
        f"SELECT RAISE(ABORT, 'the ledger is append-only: DELETE on {table} is refused'); END"
    )


def guard_updates(table: str, same: Sequence[str], removal: str) -> None:
    """Refuse updates, by a trigger of a file or a trigger's function on a server.

    ``removal``: the condition on an update that is accepted all the same, since it only removes a
    removed member's words; it leaves the columns ``same`` as they are.
    """
    refusal = f"the ledger is append-only: UPDATE on {table} is refused"
    if op.get_bind().dialect.name == "postgresql":
        # Columns of type json can only be compared as text.
        kept = [f"NEW.{name}::text IS NOT DISTINCT FROM OLD.{name}::text" for name in same]
        op.execute(
            f"""
            CREATE OR REPLACE FUNCTION {table}_refuses_update() RETURNS trigger LANGUAGE plpgsql
            AS $$
            BEGIN
                IF coalesce({" AND ".join([*kept, removal])}, false) THEN
                    RETURN NEW;
                END IF;
                RAISE EXCEPTION '{refusal}' USING ERRCODE = 'integrity_constraint_violation';
            END $$
            """
        )
        return
    kept = [f"NEW.{name} IS OLD.{name}" for name in same]
    unless = f"WHEN NOT coalesce({' AND '.join([*kept, removal])}, 0) " if removal else ""
    op.execute(
        f"CREATE TRIGGER {table}_refuses_update BEFORE UPDATE ON {table} {unless}BEGIN "
        f"SELECT RAISE(ABORT, '{refusal}'); END"
    )
