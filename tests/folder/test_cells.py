"""Usual cells are read at once and odd ones one by one, with the same values."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasts.folder.cells import READERS, BadCell

FLOATS = st.floats(allow_nan=False, allow_infinity=False)
NUMBERS = st.sampled_from(
    [repr, "{:.17e}".format, "{:+}".format, " {!r}\t".format, "{:.40f}".format]
)
MOMENTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001
EAST = timezone(timedelta(hours=5, minutes=30))


def read(kind: str, texts: list[str]) -> tuple[list[Any], list[tuple[int, Any, str]]]:
    wrong: list[tuple[int, Any, str]] = []
    column = READERS[kind](lambda *what: wrong.append(what), pd.Series(texts, dtype=str))
    return column.tolist(), wrong


@pytest.mark.slow
@given(st.lists(st.tuples(FLOATS, NUMBERS), min_size=1))
def test_numbers_are_those_of_python_however_they_are_written(
    said: list[tuple[float, Any]],
) -> None:
    texts = [write(number) for number, write in said]
    values, wrong = read("number", ["", *texts, " "])
    assert np.isnan([values[0], values[-1]]).all()
    assert values[1:-1] == list(map(float, texts))
    assert not wrong


@pytest.mark.slow
@given(st.lists(st.tuples(MOMENTS, st.sampled_from(["Z", "+00:00", "+05:30"])), min_size=1))
def test_times_are_the_same_moment_however_they_are_written(
    said: list[tuple[datetime, str]],
) -> None:
    texts = [
        at.astimezone(EAST).isoformat()
        if zone == "+05:30"
        else at.isoformat().replace("+00:00", zone)
        for at, zone in said
    ]
    values, wrong = read("time", ["", *texts])
    assert values[0] is pd.NaT
    assert values[1:] == [at for at, _ in said]
    assert not wrong


def test_one_invalid_day_does_not_spoil_its_neighbours() -> None:
    texts = ["2026-01-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-03-01T24:30:00Z", "soon"]
    values, wrong = read("time", texts)
    assert values[0] == pd.Timestamp("2026-01-01", tz=UTC)
    assert [row for row, _, _ in wrong] == [1, 2, 3]


def test_a_number_that_is_not_finite_is_named_and_the_others_stay() -> None:
    values, wrong = read("number", ["0.5", "half", "inf", "nan", "1e999", "-3"])
    assert (values[0], values[-1]) == (0.5, -3.0)
    assert [(row, rule) for row, _, rule in wrong] == [
        (1, "a number"),
        *((row, "a finite number") for row in (2, 3, 4)),
    ]


@pytest.mark.parametrize("text", ["NaN", "Infinity", "[0.5, NaN]", '{"0.5": -Infinity}'])
def test_values_unknown_to_json_are_refused(text: str) -> None:
    said: list[str] = []
    values = READERS["json"](lambda _row, _text, rule: said.append(rule), pd.Series([text]))
    assert said == ["JSON"]
    assert values.tolist() == [None]


@pytest.mark.parametrize(
    ("value", "rule", "said"),
    [
        ("abc", "a number", "s.csv, line 2, column p: 'abc' must be a number."),
        ("3", "not after 2", "s.csv, line 2, column p: '3' must not be after 2."),
        ("", "required", "s.csv, line 2, column p is blank; it is required."),
        ("", "a day", "s.csv, line 2, column p is blank; it must be a day."),
        ("maybe", "Say yes.", "s.csv, line 2, column p: 'maybe' cannot be used. Say yes."),
    ],
)
def test_a_bad_cell_is_a_whole_sentence(value: str, rule: str, said: str) -> None:
    assert str(BadCell("s.csv, line 2, column p", value, rule)) == said


def test_a_bad_cell_quotes_the_beginning_of_a_long_value() -> None:
    said = str(BadCell("s.csv", "x" * 500, "a number"))
    assert said == f"s.csv: '{'x' * 199}…' must be a number."
