"""The columns of a new table; and tables of a file made again.

SQLite can add no constraint to a table, and remove none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op

Time = sa.DateTime(timezone=True)
_HEAD = re.compile(r'CREATE TABLE "?\w+"?')


def columns(**given: Any) -> list[Any]:
    """Return a table's columns by name, after its id. A type stands for a column of it."""
    made = {"id": sa.Column(sa.Integer(), primary_key=True)} if "id" not in given else {}
    for name, one in given.items():
        made[name] = one if isinstance(one, sa.Column) else column(one)
    for name, one in made.items():
        one.name = one.key = name
    return list(made.values())


def column(kind: Any, *rules: Any, nullable: bool = False, **options: Any) -> Any:
    """Return a column that has a value in every row."""
    return sa.Column(kind, *rules, nullable=nullable, **options)


def optional(kind: Any, **options: Any) -> Any:
    """Return a column that may be blank."""
    return column(kind, nullable=True, **options)


def reference(table: str, **options: Any) -> Any:
    """Return a column with the id of a row of that table."""
    return column(sa.Integer(), sa.ForeignKey(f"{table}.id"), **options)


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
