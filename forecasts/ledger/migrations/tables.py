"""The columns of a new table; and tables of a file made again.

SQLite can add no constraint to a table, and remove none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op

_HEAD = re.compile(r'CREATE TABLE "?\w+"?')
_COLUMN = re.compile(r"(\w+) (-> )?(\w+)(\??)(?: (unique|index))?(?: = (\S+))?")
_TYPES = {
    "boolean": sa.Boolean(),
    "bytes": sa.LargeBinary(),
    "float": sa.Float(),
    "integer": sa.Integer(),
    "json": sa.JSON(),
    "key": sa.Integer(),
    # Otherwise each server would sort names by the language it was set up with.
    "name": sa.String().with_variant(sa.String(collation="C"), "postgresql"),
    "string": sa.String(),
    "text": sa.Text(),
    "time": sa.DateTime(timezone=True),
}


def columns(listing: str) -> list[sa.Column[Any]]:
    """Return a table's columns as listed, after its key if that is not listed.

    Each is a name and a type, or ``->`` and the table whose ids it has. ``?``: it may be blank.
    ``unique`` and ``index`` as in SQL. ``= VALUE``: of rows that are written without one.
    """
    found: list[sa.Column[Any]] = []
    for one in (listing if "id key" in listing else f"id key, {listing}").split(","):
        match = _COLUMN.fullmatch(one.strip())
        assert match, one
        name, refers, kind, blank, rule, value = match.groups()
        parts = [sa.Integer(), sa.ForeignKey(f"{kind}.id")] if refers else [_TYPES[kind]]
        options: dict[str, Any] = {rule: True} if rule else {}
        if value:
            options["server_default"] = sa.text(value)
        key = kind == "key"
        found.append(sa.Column(name, *parts, primary_key=key, nullable=bool(blank), **options))
    return found


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
