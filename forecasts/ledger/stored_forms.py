"""The stored form of each value, as a condition made from its column.

Each value has one stored form. Otherwise a row could read differently and still have the same hash:
SQLite stores anything in any column, so that '' in place of 0 or a week in place of a day reads as
something else. There a form is a storage class, with the digits of a time and the syntax of JSON.
A server checks types by itself; its forms exclude only values that no reader can take.

Each condition is a CHECK constraint, which a migration makes (``migrations.forms``).
``malformed`` proves them again, as a database's owner can drop a constraint. Most rows pass a quick
look at whole columns (``looks_right``), which takes a tenth of the time.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from math import copysign, isfinite
from typing import Any, get_args

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Float,
    Integer,
    LargeBinary,
    Table,
)
from sqlalchemy.orm import registry
from sqlalchemy.types import TypeDecorator

from forecasts.ledger.chain import WORDS
from forecasts.ledger.columns import one_of

_FINITE = "{0} BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308"
# The class of a value in SQLite; every other type is text.
_CLASSES = (((Integer, Boolean), "integer"), ((Float,), "real"), ((LargeBinary,), "blob"))
_SQLITE = {
    Boolean: "{0} IN (0, 1)",
    Float: _FINITE,
    # Its length in bytes, as a NUL ends the text of a function.
    DateTime: "length(CAST({0} AS BLOB)) = 26"
    " AND datetime(substr({0}, 1, 19)) IS substr({0}, 1, 19) AND substr({0}, 12, 2) < '24'"
    f" AND substr({{0}}, 20) GLOB '.{'[0-9]' * 6}' AND {{0}} >= '0001'",
    JSON: "CASE WHEN json_valid({0}) THEN json_type({0}) IN ('array', 'object')"
    " ELSE {0} IS NULL END",
}
# The same classes as the drivers have them; JSON is not looked at.
_SEEN: Mapping[str, Sequence[tuple[type, type]]] = {
    "sqlite": ((Boolean, int), (DateTime, str), (LargeBinary, bytes)),
    "postgresql": ((Boolean, bool), (DateTime, datetime), (LargeBinary, bytes)),
}
_DIGITS = str.maketrans("123456789", "0" * 9)
_SERVER = {
    Float: f"{_FINITE} AND {{0}}::text <> '-0'",
    DateTime: "{0} >= '0001-01-01 00:00:00+00' AND {0} < '10000-01-01 00:00:00+00'",
    JSON: "json_typeof({0}) IN ('array', 'object')",
}


def form(column: Column[Any], dialect: str) -> str:
    """Return the SQL condition that a column's value has its stored form; "" if any value has.

    It is null or true for a null, if the column may be null. A key is an integer by itself.
    """
    if column.name == "id":
        return ""
    type_, conditions = _database_type(column), []
    if dialect == "sqlite":
        stored = next((name for types, name in _CLASSES if isinstance(type_, types)), "text")
        classes = f"IN ('{stored}', 'null')" if column.nullable else f"= '{stored}'"
        conditions.append(f"typeof({{0}}) {classes}")
    more = _SQLITE if dialect == "sqlite" else _SERVER
    conditions += [condition for kind, condition in more.items() if isinstance(type_, kind)]
    return " AND ".join(conditions).format(column.name)


def _database_type(column: Column[Any]) -> Any:
    type_: Any = column.type
    while isinstance(type_, TypeDecorator):
        type_ = type_.impl_instance
    return type_


def conditions(table: Table, dialect: str) -> dict[str, str]:
    """Return the conditions that each row of a table meets on this database.

    They are called by their columns, and by the constraint's name if they are about several.
    """
    found = {}
    for column in table.c:
        is_there = not column.nullable and dialect == "postgresql"  # in a file a form says so
        parts = [f"{column.name} IS NOT NULL"] if is_there else []
        if condition := form(column, dialect):
            parts.append(condition)
        if _is_null_if_blank(column):
            parts.append(f"{column.name} <> ''")
        if parts:
            found[column.name] = " AND ".join(parts)
    for check in table.constraints:
        if isinstance(check, CheckConstraint):
            found[str(check.name).removeprefix(f"ck_{table.name}_")] = str(check.sqltext)
    return found


def _is_null_if_blank(column: Column[Any]) -> bool:
    """Return whether a column of words has nulls: the hash of a row does not tell '' from null."""
    words = WORDS.get(getattr(column.table, "name", ""), ())  # a column may be of no table yet
    return bool(column.nullable) and column.name in words


def rules(table: Table, dialect: str) -> dict[str, str]:
    """Return the ``conditions`` that ``looks_right`` does not prove."""
    return {
        name: condition
        for name, condition in conditions(table, dialect).items()
        if name not in table.c or isinstance(table.c[name].type, JSON)
    }


def looks_right(column: Column[Any], values: Collection[Any], dialect: str) -> bool:
    """Return whether these values, as the driver has them, have the column's form."""
    type_ = _database_type(column)
    if isinstance(type_, JSON):
        return True
    seen = ((Integer, int), (Float, float), *_SEEN[dialect], (object, str))
    class_ = next(class_ for kind, class_ in seen if isinstance(type_, kind))
    classes = set(map(type, values))
    if classes - {class_} - ({type(None)} if column.nullable else set()):
        return False
    if isinstance(type_, Boolean):
        return set(values) <= {0, 1, None}
    if _is_null_if_blank(column) and "" in values:
        return False
    if isinstance(type_, Float):
        numbers = [value for value in values if value is not None]
        return all(map(isfinite, numbers)) and not (
            0 in numbers and any(value == 0 > copysign(1, value) for value in numbers)
        )
    if class_ is str and isinstance(type_, DateTime):
        return _are_times({value for value in values if value is not None})
    return True


def _are_times(texts: set[str]) -> bool:
    shapes = "|".join(texts).translate(_DIGITS)
    if texts and shapes != "|".join(["0000-00-00 00:00:00.000000"] * len(texts)):
        return False
    try:
        return all(map(datetime.fromisoformat, texts))
    except ValueError:
        return False


def add_enum_checks(models: registry) -> None:
    """Add to the tables of the models that a column of an enum has one of its values."""
    for mapper in models.mappers:
        table: Any = mapper.local_table
        for name, field in mapper.class_.model_fields.items():
            for kind in (field.annotation, *get_args(field.annotation)):
                if isinstance(kind, type) and issubclass(kind, StrEnum):
                    check = CheckConstraint(one_of(name, kind), name=f"{name}_is_known")
                    table.append_constraint(check)
