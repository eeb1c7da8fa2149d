"""Column types and rules that the tables share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import DateTime as SADateTime
from sqlalchemy import Dialect, Float, Text, text
from sqlalchemy.types import JSON, TypeDecorator
from sqlmodel import Field, SQLModel

from forecasts.common.times import utc

# One naming rule for constraints, so that migrations can refer to them.
SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Time(TypeDecorator[datetime]):
    """An aware time, stored and returned in UTC; a naive time is refused."""

    impl = SADateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the UTC time to store; SQLite has no zones, so there the zone is dropped."""
        if value is None:
            return None
        value = utc(value)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        """Return the conversion of a time to the value that the driver takes."""
        if dialect.name != "sqlite":
            return super().bind_processor(dialect)
        return lambda value: None if value is None else _sqlite_text(value)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the stored time with its time zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Real(TypeDecorator[float]):
    """A number; -0.0 is stored as 0.0, as SQLite does by itself."""

    impl = Float
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        """Return the conversion of a number to the value that the driver takes."""
        if dialect.name == "sqlite":
            return None
        return lambda value: None if value is None else value + 0.0


def _sqlite_text(value: datetime) -> str:
    if value.tzinfo is not UTC:
        value = utc(value)
    return value.isoformat(" ", "microseconds")[:26]  # without +00:00


def json_column() -> Any:
    """Return a JSON column in which None is SQL NULL, not JSON null."""
    return Field(default=None, sa_type=JSON(none_as_null=True))


def long_text() -> Any:
    """Return a column for text of any length, blank by default."""
    return Field(default="", sa_type=Text)


def one_of(column: str, values: type[StrEnum]) -> str:
    """Return the SQL condition that a column has one of these values."""
    return f"{column} IN ({', '.join(repr(str(value)) for value in values)})"


def where(condition: str) -> dict[str, Any]:
    """Return the arguments of an index on the rows that meet a condition.

    Without ``postgresql_where``, which would load that driver at every start: a migration makes
    the index there, with its condition.
    """
    return {"sqlite_where": text(condition)}
