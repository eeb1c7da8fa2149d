"""Single columns: JSON, numbers and dates of every kind, extreme times."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from scoring import InputError, score
from scoring.input_columns import is_blank, parse_json, quantities

START = pd.Timestamp("2026-01-01", tz="UTC")
QUESTION: dict[str, Any] = {
    "question_id": "q",
    "open_time": START,
    "scheduled_close_time": START + pd.Timedelta(days=10),
    "resolution": "yes",
}
FORECAST = {"question_id": "q", "forecaster": "ana", "made_at": START, "probability": 0.7}


def objects(*values: Any) -> np.ndarray:
    return np.fromiter(values, dtype=object, count=len(values))


# --- JSON -----------------------------------------------------------------------------------


def test_texts_of_json_are_read_and_other_values_left() -> None:
    found = parse_json(objects("[1, 2]", [3], '{"a": null}', None, "no json", 4.0, "[" * 100_000))
    assert found.tolist() == [[1, 2], [3], {"a": None}, None, None, 4.0, None]


def test_blank_is_nothing_or_spaces_and_no_zero_and_no_empty_list() -> None:
    column = pd.Series([None, math.nan, "", " \t", "x", 0, 0.0, False, [], {}], dtype=object)
    assert is_blank(column).tolist() == [True] * 4 + [False] * 6
    assert is_blank(pd.Series(["", "x", None], dtype="str")).tolist() == [True, False, True]


# --- numbers and dates ------------------------------------------------------------------------

WRITTEN = [
    1, 2.5, "3", " 4.5 ", "1e3", np.float32(0.5), np.int8(7), True, "x", None, [1], math.nan,
    math.inf, "inf", "2026-01-31", "2026-01-31T12:00:00Z", "2026-01-31T12:00:00+02:00",
    "2026-01-31T12:00:00", "20260131", "2026-W05-6", "2026-02-30", " 2026-01-31 ",
    date(2026, 1, 31), datetime(2026, 1, 31, tzinfo=UTC), pd.Timestamp("2026-01-31"), START,
]  # fmt: skip


DAY_S = pd.Timestamp("2026-01-31", tz="UTC").timestamp()
NUMBERS = [1, 2.5, 3, 4.5, 1000, 0.5, 7, *[math.nan] * 7]
DATES = [*[math.nan] * 14, DAY_S, DAY_S + 43_200, DAY_S + 36_000, math.nan, DAY_S, DAY_S, math.nan]
DATES += [DAY_S, DAY_S, DAY_S, math.nan, START.timestamp()]


@pytest.mark.parametrize("as_date", [False, True])
def test_quantities_are_numbers_and_dates_with_an_offset(as_date: bool) -> None:
    found = quantities(objects(*WRITTEN), np.full(len(WRITTEN), as_date))
    numbers = [*NUMBERS, *[math.nan] * 4, 20_260_131, *[math.nan] * 7]
    expected = DATES if as_date else numbers
    np.testing.assert_array_equal(found, expected)


def test_a_list_of_texts_or_booleans_is_not_a_vector() -> None:
    choice = QUESTION | {
        "type": "multiple_choice", "options": ["a", "b"], "resolution": "a",
    }  # fmt: skip
    for wrong in (["0.5", "0.5"], [True, False], [[0.5], [0.5]], ["x", 0.5]):
        row = {k: v for k, v in FORECAST.items() if k != "probability"} | {"probabilities": wrong}
        with pytest.raises(InputError, match="list of numbers and nulls"):
            score(pd.DataFrame([choice]), pd.DataFrame([row]))


# --- distributions ----------------------------------------------------------------------------


def test_a_level_may_equal_one_minus_the_mass_above_to_rounding() -> None:
    # 1 − 0.9 is 0.09999999999999998 in floating point.
    question = QUESTION | {"type": "numeric", "lower_bound": 0, "upper_bound": 1, "resolution": 1}
    row = {k: v for k, v in FORECAST.items() if k != "probability"}
    rows = pd.DataFrame([row | {"quantiles": {"0.1": 0.5, "above": 0.9}}])
    found = score(pd.DataFrame([question]), rows, "crps")["score"].item()
    # F rises to 0.1 by the middle and stays there.
    assert found == pytest.approx(0.5 * 0.1**2 / 3 + 0.5 * 0.1**2)


@pytest.mark.parametrize(
    ("resolution", "expected"), [("below_lower_bound", 0.49), ("above_upper_bound", 0.09)]
)
def test_an_outcome_only_known_to_lie_outside_scores_the_whole_range(
    resolution: str, expected: float
) -> None:
    question = QUESTION | {
        "type": "numeric", "lower_bound": 0, "upper_bound": 1, "resolution": resolution,
    }  # fmt: skip
    row = {k: v for k, v in FORECAST.items() if k != "probability"}
    rows = pd.DataFrame([row | {"quantiles": {"below": 0.3, "above": 0.7}}])
    found = score(pd.DataFrame([question]), rows, "crps")["score"].item()
    assert found == pytest.approx(expected)


# --- times ------------------------------------------------------------------------------------


@pytest.mark.parametrize("unit", ["s", "ms"])
@pytest.mark.parametrize("year", ["300000-01-01", "10000-01-01", "0000-12-31", "-9999-01-01"])
def test_a_time_outside_of_the_calendar_is_refused(unit: str, year: str) -> None:
    far = pd.Series(np.array([year, "2026-01-02"], dtype=f"datetime64[{unit}]")).dt.tz_localize(
        "UTC"
    )
    rows = pd.DataFrame([FORECAST] * 2).assign(made_at=far)
    with pytest.raises(InputError, match="years 1 to 9999") as caught:
        score(pd.DataFrame([QUESTION]), rows)
    [problem] = caught.value.problems
    assert (problem.column, problem.row) == ("made_at", 0)
    assert year in str(problem)


@pytest.mark.parametrize("year", ["-0044-03-15", "10000-01-01"])
def test_a_text_of_a_time_outside_of_the_calendar_is_refused(year: str) -> None:
    rows = pd.DataFrame([FORECAST | {"made_at": f"{year}T00:00:00Z"}])
    with pytest.raises(InputError, match=year):
        score(pd.DataFrame([QUESTION]), rows)


def test_the_whole_calendar_is_taken() -> None:
    question = QUESTION | {
        "open_time": "0001-01-01T00:00:00Z", "scheduled_close_time": "9999-12-31T23:59:59Z",
    }  # fmt: skip
    found = score(pd.DataFrame([question]), pd.DataFrame([FORECAST]))
    whole = pd.Timestamp("9999-12-31T23:59:59Z") - pd.Timestamp("0001-01-01T00:00:00Z")
    live = pd.Timestamp("9999-12-31T23:59:59Z") - START
    assert found["coverage"].item() == pytest.approx(live / whole, rel=1e-15)
