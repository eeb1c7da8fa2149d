"""Give every column of a database the CHECK constraint of its form (``stored_forms``).

Rows that break one do not prevent it, so that a ledger with an altered row can be migrated, and
``forecasts verify`` names the row.
"""

from __future__ import annotations

from collections.abc import Mapping

from alembic import op
from sqlalchemy import Column, inspect
from sqlmodel import SQLModel

from forecasts.ledger.migrations.tables import definitions, make_again
from forecasts.ledger.stored_forms import form


def add_forms(others: Mapping[str, Mapping[str, str]]) -> None:
    """Add the forms that columns lack, and ``others``: by table, conditions by name.

    SQLite can add none to a table, so there each table is made again: foreign keys must be off.
    """
    connection = op.get_bind()
    looked, dialect = inspect(connection), connection.dialect.name
    more: dict[str, str] = {}
    for table in sorted(set(looked.get_table_names()) & set(SQLModel.metadata.tables)):
        there = {check["name"] for check in looked.get_check_constraints(table)}
        checks = dict(others.get(table, {}))
        for one in looked.get_columns(table):
            column: Column[object] = Column(one["name"], one["type"], nullable=one["nullable"])
            if condition := form(column, dialect):
                checks[f"{column.name}_form"] = condition
        checks = {n: sql for n, sql in checks.items() if f"ck_{table}_{n}" not in there}
        constraints = [f"CONSTRAINT ck_{table}_{n} CHECK ({sql})" for n, sql in checks.items()]
        if not constraints:
            continue
        more[table] = ", ".join(constraints)
        if dialect == "postgresql":
            broken = " OR ".join(f"NOT ({condition})" for condition in checks.values())
            found = connection.exec_driver_sql(f"SELECT 1 FROM {table} WHERE {broken} LIMIT 1")  # noqa: S608 a table of ours
            valid = "" if found.first() is None else " NOT VALID"
            additions = ", ".join(f"ADD {constraint}{valid}" for constraint in constraints)
            connection.exec_driver_sql(f"ALTER TABLE {table} {additions}")
    if dialect == "sqlite":
        whole = definitions() if more else {}
        make_again({table: f"{whole[table][:-1]}, {added})" for table, added in more.items()})
