"""Make tables of a file again: SQLite can add no constraint to a table, and remove none."""

from __future__ import annotations

import re
from collections.abc import Mapping

from alembic import op

_HEAD = re.compile(r'CREATE TABLE "?\w+"?')


def definitions() -> dict[str, str]:
    """Return the SQL of each table of a file, by name."""
    found = op.get_bind().exec_driver_sql(
        "SELECT name, sql FROM sqlite_master WHERE type = 'table'"
    )
    return {name: sql.rstrip() for name, sql in found}


def make_again(changed: Mapping[str, str]) -> None:
    """Make tables again by these definitions, with their rows, indexes and triggers.

    Foreign keys must be off. Rows that break a constraint are kept, so that a ledger with an
    altered row can be migrated, and ``forecasts verify`` names the row.
    """
    run = op.get_bind().exec_driver_sql
    made = run(
        "SELECT tbl_name, sql FROM sqlite_master WHERE type IN ('index', 'trigger')"
        " AND sql IS NOT NULL ORDER BY type"
    ).all()
    run("PRAGMA ignore_check_constraints = ON")
    run("PRAGMA legacy_alter_table = ON")  # no view is read meanwhile
    try:
        for table, sql in changed.items():
            run(_HEAD.sub("CREATE TABLE made_again", sql, count=1))
            run(f"INSERT INTO made_again SELECT * FROM {table}")  # noqa: S608 a table of ours
            run(f"DROP TABLE {table}")
            run(f"ALTER TABLE made_again RENAME TO {table}")
        for one in made:
            if one.tbl_name in changed:
                run(one.sql)
    finally:
        run("PRAGMA legacy_alter_table = OFF")
        run("PRAGMA ignore_check_constraints = OFF")
