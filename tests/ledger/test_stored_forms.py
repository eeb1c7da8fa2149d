"""The quick look at whole columns passes no value that a constraint of the schema refuses."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest
from sqlalchemy import JSON, Boolean, Column, Integer, LargeBinary, Text

from forecasts.ledger.columns import Real, Time
from forecasts.ledger.stored_forms import form, looks_right

VALUES = (
    *(None, 0, 1, 2, -1, 2**60, 0.0, 1.0, 0.5, float("inf"), b"", b"1", "", "1", "x", "0\0"),
    "2026-01-02 03:04:05.000006",
    "2026-01-02T03:04:05.000006",
    "2026-01-02 03:04:05,000006",
    "2026-01-02 03:04:05+010000",
    "2026-W01-1 03:04:05.000006",
    "2026-02-30 03:04:05.000006",
    "2026-01-02 24:00:00.000000",
    "2026-01-02 23:59:60.000000",
    "0000-01-02 03:04:05.000006",
    "２026-01-02 03:04:05.000006",
    "2026-01-02 03:04:05.000006Z",
)
TYPES = {
    Integer: (0, 1, 2, -1, 2**60),
    Boolean: (0, 1),
    Real: (0.0, 1.0, 0.5),
    Time: ("2026-01-02 03:04:05.000006",),
    Text: tuple(value for value in VALUES if isinstance(value, str)),
    LargeBinary: (b"", b"1"),
}


@pytest.mark.parametrize("type_", TYPES)
@pytest.mark.parametrize("nullable", [True, False])
def test_a_value_looks_right_exactly_if_its_column_takes_it(type_: Any, nullable: bool) -> None:
    column: Column[Any] = Column("value", type_, nullable=nullable)
    file = sqlite3.connect(":memory:")
    condition = form(column, "sqlite")
    for value in VALUES:
        [(fits,)] = file.execute(
            f"SELECT coalesce({condition}, 1) FROM (SELECT ? AS value)", [value]
        )
        assert looks_right(column, [value], "sqlite") is bool(fits), value
        right = [*TYPES[type_], *([None] if nullable else [])]
        assert looks_right(column, [*right, value], "sqlite") is bool(fits), value
    file.close()


def test_a_negative_zero_and_a_missing_number_do_not_look_right_on_a_server() -> None:
    column: Column[Any] = Column("value", Real, nullable=False)
    assert looks_right(column, [0.0, 0.5], "postgresql")
    for value in (-0.0, None, float("nan"), 1):
        assert not looks_right(column, [0.0, value], "postgresql")


def test_the_forms_of_json_are_left_to_the_database() -> None:
    assert looks_right(Column("value", JSON), ["[1"], "sqlite")
