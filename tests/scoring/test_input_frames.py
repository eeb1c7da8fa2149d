"""Input frames: the formats that are accepted."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from scoring import InputError, score, standing
from scoring.input_columns import is_blank, parse_json, quantities
from tests.scoring.ten_days import START

QUESTION: dict[str, Any] = {
    "question_id": "q",
    "type": "binary",
    "open_time": "2026-01-01T00:00:00Z",
    "scheduled_close_time": "2026-01-11T00:00:00Z",
    "resolution": "yes",
}
OPTIONS = {"type": "multiple_choice", "options": '["a", "b", "Other"]'}
CHOICE = QUESTION | OPTIONS | {"resolution": "b"}
RANGE = {"type": "numeric", "lower_bound": 0, "upper_bound": 10}
NUMBER = QUESTION | RANGE | {"resolution": 2.5}
FORECAST: dict[str, Any] = {
    "question_id": "q",
    "forecaster": "ana",
    "made_at": "2026-01-01T00:00:00Z",
    "probability": 0.7,
}
UNSAID = {name: value for name, value in FORECAST.items() if name != "probability"}
GOOD = {
    "binary": FORECAST,
    "multiple_choice": UNSAID | {"probabilities": [0.5, 0.3, 0.2]},
    "numeric": UNSAID | {"quantiles": {"0.5": 3}},
}


def one(question: dict[str, Any], forecast: dict[str, Any], protocol: str = "brier") -> float:
    found = score(pd.DataFrame([question]), pd.DataFrame([forecast]), protocol)
    return float(found["score"].iloc[0])


@pytest.mark.parametrize(
    "written",
    [
        "2026-01-06T00:00:00Z",
        "2026-01-06T00:00:00+00:00",
        "2026-01-06 01:00:00+01",
        "2026-01-05T19:00:00.000000-0500",
        pd.Timestamp("2026-01-06", tz="UTC"),
        pd.Timestamp("2026-01-06 09:00", tz="Asia/Tokyo"),
        datetime(2026, 1, 6, tzinfo=UTC),
    ],
)
def test_a_time_with_an_offset_is_taken_however_it_is_written(written: Any) -> None:
    found = score(pd.DataFrame([QUESTION]), pd.DataFrame([FORECAST | {"made_at": written}]))
    assert found["coverage"].tolist() == [0.5]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_times_of_every_unit_mean_the_same(unit: str) -> None:
    questions, forecasts = pd.DataFrame([QUESTION]), pd.DataFrame([FORECAST])
    for frame in (questions, forecasts):
        for name in frame.columns.intersection(["open_time", "scheduled_close_time", "made_at"]):
            frame[name] = pd.to_datetime(frame[name]).dt.as_unit(unit)
    assert score(questions, forecasts)["coverage"].tolist() == [1.0]


def test_frames_backed_by_arrow_mean_the_same() -> None:
    questions, forecasts = pd.DataFrame([QUESTION]), pd.DataFrame([FORECAST] * 2)
    forecasts["made_at"] = pd.to_datetime(["2026-01-01T00:00:00Z", "2026-01-06T00:00:00Z"])
    forecasts["probability"] = [0.7, None]
    arrow = (frame.convert_dtypes(dtype_backend="pyarrow") for frame in (questions, forecasts))
    nullable = forecasts.astype({"probability": "Float64"})
    expected = score(questions, forecasts).to_dict("records")
    for found in (score(*arrow), score(questions, nullable)):
        assert found.to_dict("records") == expected


@pytest.mark.parametrize("kind", ["int64", "uint8", "float32", "object", "Int64", "str"])
def test_probabilities_are_numbers_of_any_kind(kind: str) -> None:
    forecasts = pd.DataFrame([FORECAST | {"probability": 1}]).astype({"probability": kind})
    assert score(pd.DataFrame([QUESTION]), forecasts)["score"].tolist() == [0.0]


def test_microseconds_are_kept() -> None:
    late = FORECAST | {"made_at": "2026-01-10T23:59:59.999999Z"}
    found = standing(pd.DataFrame([QUESTION]), pd.DataFrame([late]))
    assert found["start_s"].tolist() == [863_999.999999]


@pytest.mark.parametrize(
    "ids",
    [
        [3, 1, 2],
        [30_000_000_000, -5, 2],
        ["c", "a", "b"],
        [2.5, 0.5, 1.0],
        pd.Categorical(["c", "a", "b"]),
        pd.Categorical(["c", "a", "b"], categories=["unused", "b", "c", "a"]),
        np.array([200, 1, 100], dtype=np.uint8),
        np.array([127, -128, 0], dtype=np.int8),
    ],
)
def test_ids_of_every_kind_come_back_as_they_were_and_in_order(ids: Any) -> None:
    questions = pd.DataFrame([QUESTION] * 3).assign(question_id=ids)
    forecasts = pd.DataFrame([FORECAST] * 3).assign(question_id=ids, forecaster=ids)
    found = score(questions, forecasts)
    for name in ("question_id", "forecaster"):
        assert found[name].tolist() == sorted(ids)
        assert found[name].dtype == forecasts[name].dtype


def test_question_ids_match_by_value_between_a_categorical_and_a_text() -> None:
    forecasts = pd.DataFrame([FORECAST, FORECAST])
    forecasts["question_id"] = pd.Categorical(["q2", "q"])
    questions = pd.DataFrame([QUESTION, QUESTION | {"question_id": "q2"}])
    assert score(questions, forecasts)["question_id"].tolist() == ["q", "q2"]


@pytest.mark.parametrize("written", [[0.1, 0.6, 0.3], (0.1, 0.6, 0.3), "[0.1, 0.6, 0.3]"])
def test_probabilities_are_a_list_or_json(written: Any) -> None:
    forecast = FORECAST | {"probability": None, "probabilities": written}
    assert one(CHOICE, forecast) == pytest.approx((0.01 + 0.16 + 0.09) / 2)
    array = forecast | {"probabilities": np.array([0.1, 0.6, 0.3])}
    assert one(CHOICE | {"options": ["a", "b", "Other"]}, array) == one(CHOICE, forecast)


def test_a_missing_option_is_a_null_and_reads_the_last_one() -> None:
    forecast = FORECAST | {"probability": None, "probabilities": "[0.4, null, 0.6]"}
    assert one(CHOICE, forecast) == pytest.approx((0.16 + 0.16) / 2)
    assert one(CHOICE, forecast, "log") == pytest.approx(-math.log(0.6))
    assert one(CHOICE, forecast, "metaculus_baseline") == pytest.approx(
        100 * math.log(0.6 * 2) / math.log(2)
    )


@pytest.mark.parametrize(
    ("written", "outcome"),
    [("yes", 1), ("No", 0), (" YES ", 1), (0.25, 0.25), ("0.25", 0.25), (1, 1), (True, 1)],
)
def test_a_binary_resolution_is_a_word_or_a_number(written: Any, outcome: float) -> None:
    assert one(QUESTION | {"resolution": written}, FORECAST) == pytest.approx((0.7 - outcome) ** 2)


@pytest.mark.parametrize("written", ["", None, math.nan, "annulled", "ambiguous", "Annulled"])
def test_a_question_without_an_outcome_has_no_scores(written: Any) -> None:
    for question in (QUESTION, CHOICE, NUMBER):
        made = pd.DataFrame([GOOD[question["type"]]])
        for resolution, many in ((question["resolution"], 1), (written, 0)):
            asked = pd.DataFrame([question | {"resolution": resolution}])
            assert len(score(asked, made, ["brier", "crps"])) == many


def test_quantiles_are_an_object_of_levels() -> None:
    # F(z) = z / 10 and the outcome is 2.5: (x³ + (1 − x)³) / 3 at x = ¼.
    for quantiles in ({"0.5": 5}, '{"0.5": 5}', {0.5: 5.0}):
        found = one(NUMBER, UNSAID | {"quantiles": quantiles}, "crps")
        assert found == pytest.approx((0.25**3 + 0.75**3) / 3)
    # Mass below and above the bounds is stated beside the levels.
    assert one(NUMBER, UNSAID | {"quantiles": {"below": 0.5, "above": 0.5}}, "crps") == 0.25


def test_dates_are_numbers_on_a_line() -> None:
    bounds = {"type": "date", "lower_bound": "2026-01-01", "upper_bound": "2026-01-11"}
    question = QUESTION | bounds | {"resolution": "2026-01-03T12:00:00Z"}
    found = one(question, UNSAID | {"quantiles": {"0.5": "2026-01-06"}}, "crps")
    assert found == pytest.approx((0.25**3 + 0.75**3) / 3)


def test_a_row_with_nothing_in_it_is_a_withdrawal() -> None:
    later = FORECAST | {"made_at": "2026-01-06T00:00:00Z", "probability": math.nan}
    found = score(pd.DataFrame([QUESTION]), pd.DataFrame([FORECAST, later]))
    assert found[["coverage", "updates"]].values.tolist() == [[0.5, 1]]


def test_empty_frames_give_an_empty_frame() -> None:
    empty, asked, made = (pd.DataFrame(rows) for rows in ([], [QUESTION], [FORECAST]))
    names = ["question_id", "forecaster", "protocol", "score", "coverage", "updates"]
    for frames in ((empty, empty), (asked, empty), (asked, made.iloc[:0])):
        found = score(*frames)
        assert (len(found), list(found)) == (0, names)


def test_the_frames_are_left_as_they_were() -> None:
    early = FORECAST | {"made_at": "2025-12-01T00:00:00Z", "probability": None}
    rows = [QUESTION, CHOICE | {"question_id": "m"}], [FORECAST, early]
    given, before = ([pd.DataFrame(each) for each in rows] for _ in range(2))
    score(*given, ["brier", "skill", "gjo_accuracy"])
    for frame, same in zip(given, before, strict=True):
        pd.testing.assert_frame_equal(frame, same)


def objects(*values: Any) -> np.ndarray:
    return np.fromiter(values, dtype=object, count=len(values))


def test_texts_of_json_are_read_and_other_values_left() -> None:
    found = parse_json(objects("[1, 2]", [3], '{"a": null}', None, "no json", 4.0, "[" * 100_000))
    assert found.tolist() == [[1, 2], [3], {"a": None}, None, None, 4.0, None]


def test_blank_is_nothing_or_spaces_and_no_zero_and_no_empty_list() -> None:
    column = pd.Series([None, math.nan, "", " \t", "x", 0, 0.0, False, [], {}], dtype=object)
    assert is_blank(column).tolist() == [True] * 4 + [False] * 6
    assert is_blank(pd.Series(["", "x", None], dtype="str")).tolist() == [True, False, True]


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
    for wrong in (["0.5", "0.5"], [True, False], [[0.5], [0.5]], ["x", 0.5]):
        with pytest.raises(InputError, match="list of numbers and nulls"):
            one(CHOICE | {"options": ["a", "b"]}, UNSAID | {"probabilities": wrong})


def test_a_level_may_equal_one_minus_the_mass_above_to_rounding() -> None:
    # 1 − 0.9 is 0.09999999999999998 in floating point.
    question = NUMBER | {"upper_bound": 1, "resolution": 1}
    found = one(question, UNSAID | {"quantiles": {"0.1": 0.5, "above": 0.9}}, "crps")
    # F rises to 0.1 by the middle and stays there.
    assert found == pytest.approx(0.5 * 0.1**2 / 3 + 0.5 * 0.1**2)


@pytest.mark.parametrize(
    ("resolution", "expected"), [("below_lower_bound", 0.49), ("above_upper_bound", 0.09)]
)
def test_an_outcome_known_to_lie_outside_is_scored(resolution: str, expected: float) -> None:
    question = NUMBER | {"upper_bound": 1, "resolution": resolution}
    found = one(question, UNSAID | {"quantiles": {"below": 0.3, "above": 0.7}}, "crps")
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("unit", ["s", "ms"])
@pytest.mark.parametrize("year", ["300000-01-01", "10000-01-01", "0000-12-31", "-9999-01-01"])
def test_a_time_outside_of_the_calendar_is_refused(unit: str, year: str) -> None:
    far = pd.Series(np.array([year, "2026-01-02"], dtype=f"datetime64[{unit}]"))
    rows = pd.DataFrame([FORECAST] * 2).assign(made_at=far.dt.tz_localize("UTC"))
    with pytest.raises(InputError, match="years 1 to 9999") as caught:
        score(pd.DataFrame([QUESTION]), rows)
    [problem] = caught.value.problems
    assert (problem.column, problem.row) == ("made_at", 0)
    assert year in str(problem)


@pytest.mark.parametrize("year", ["-0044-03-15", "10000-01-01"])
def test_a_text_of_a_time_outside_of_the_calendar_is_refused(year: str) -> None:
    with pytest.raises(InputError, match=year):
        one(QUESTION, FORECAST | {"made_at": f"{year}T00:00:00Z"})


def test_the_whole_calendar_is_taken() -> None:
    first, last = "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"
    question = QUESTION | {"open_time": first, "scheduled_close_time": last}
    found = score(pd.DataFrame([question]), pd.DataFrame([FORECAST]))
    share = (pd.Timestamp(last) - START) / (pd.Timestamp(last) - pd.Timestamp(first))
    assert found["coverage"].item() == pytest.approx(share, rel=1e-15)
