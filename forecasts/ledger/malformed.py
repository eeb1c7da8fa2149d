"""Rows that no act of the ledger has written: values out of their form, and lost references.

The constraints of the schema refuse both (``stored_forms``), so somebody has dropped the
constraints, or the file is damaged. ``verification`` names such rows, and the rest of the ledger
says so where it cannot read one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import NamedTuple

from sqlalchemy import Connection, Engine, Table
from sqlalchemy.exc import InvalidRequestError, SQLAlchemyError
from sqlmodel import SQLModel

from forecasts.common.errors import DatabaseError
from forecasts.ledger.driver_errors import AT_A_VALUE, VERIFY
from forecasts.ledger.stored_forms import conditions
from forecasts.ledger.urls import place


class Orphan(NamedTuple):
    """A row that refers to a missing one."""

    row: int
    column: str
    parent: str
    missing: int

    def said(self, table: str) -> str:
        """Return a clause about it."""
        return (
            f"row {self.row} of {table} refers to row {self.missing} of {self.parent} "
            f"({self.column}), which is gone"
        )


def malformed(connection: Connection, table: Table, most: int, some: str = "") -> dict[int, str]:
    """Return the first ``most`` rows that break a rule of the schema, each with the rule's name.

    That is the name of a column if its value is out of form. ``some``: a condition on the rows.
    """
    broken = first_broken(conditions(table, connection.dialect.name))
    checked = f"SELECT id, {broken} AS name FROM {table.name}{some and ' WHERE '}{some}"  # noqa: S608 tables and conditions of ours
    found = connection.exec_driver_sql(
        f"SELECT id, name FROM ({checked}) AS checked WHERE name IS NOT NULL "  # noqa: S608 as above
        f"ORDER BY id LIMIT {most}"
    )
    return {row.id: row.name for row in found}


def first_broken(rules: Mapping[str, str]) -> str:
    """Return the SQL expression for the name of the first condition that a row breaks, or null."""
    cases = " ".join(f"WHEN NOT ({sql}) THEN '{name}'" for name, sql in rules.items())
    return f"CASE {cases} END" if cases else "NULL"


def orphans(connection: Connection, table: Table, most: int) -> list[Orphan]:
    """Return the first ``most`` rows of each reference that refer to a missing row.

    A reference that is not a number is out of form, and not read here.
    """
    found = []
    is_number = "AND typeof(t.{0}) = 'integer' " if connection.dialect.name == "sqlite" else ""
    for key in sorted(table.foreign_keys, key=lambda key: key.parent.name):
        name, parent = key.parent.name, key.column.table.name
        rows = connection.exec_driver_sql(
            f"SELECT t.id, t.{name} FROM {table.name} t LEFT JOIN {parent} p ON p.id = t.{name} "  # noqa: S608 as above
            f"WHERE t.{name} IS NOT NULL {is_number.format(name)}AND p.id IS NULL "
            f"ORDER BY t.id LIMIT {most}"
        )
        found += [Orphan(row, name, parent, missing) for row, missing in rows]
    return found


@contextmanager
def explaining(engine: Engine) -> Iterator[None]:
    """Turn an error of code that read a malformed row into a DatabaseError that names the row."""
    try:
        yield
    except (*AT_A_VALUE, InvalidRequestError) as error:  # a driver's own are ``reported``
        said = None
        with suppress(SQLAlchemyError), engine.connect() as connection:
            said = _first(connection)
        if said is None:
            raise
        raise DatabaseError(
            f"The ledger at {place(engine)!r} was altered past its rules: {said}.", remedy=VERIFY
        ) from error


def _first(connection: Connection) -> str | None:
    for table in SQLModel.metadata.sorted_tables:
        for row, subject in malformed(connection, table, 1).items():
            return out_of_form(table.name, row, subject)
        for orphan in orphans(connection, table, 1):
            return orphan.said(table.name)
    return None


def out_of_form(table: str, row: int, subject: str) -> str:
    """Return the clause about a malformed row."""
    return f"row {row} of {table} {never_stored(subject)}"


def never_stored(subject: str) -> str:
    """Return the predicate about a malformed row."""
    return f"has a value that the ledger never stores ({subject})"
