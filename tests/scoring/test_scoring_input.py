"""Frames: liberal in how they are written, strict in what they may say."""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from scoring import InputError, score, standing

QUESTION: dict[str, Any] = {
    "question_id": "q",
    "type": "binary",
    "open_time": "2026-01-01T00:00:00Z",
    "scheduled_close_time": "2026-01-11T00:00:00Z",
    "resolution": "yes",
}
CHOICE = QUESTION | {
    "type": "multiple_choice",
    "options": '["a", "b", "Other"]',
    "resolution": "b",
}
NUMBER = QUESTION | {
    "type": "numeric",
    "lower_bound": 0,
    "upper_bound": 10,
    "resolution": 2.5,
}
FORECAST: dict[str, Any] = {
    "question_id": "q",
    "forecaster": "ana",
    "made_at": "2026-01-01T00:00:00Z",
    "probability": 0.7,
}


def refused(questions: list[dict[str, Any]], forecasts: list[dict[str, Any]]) -> list[Any]:
    with pytest.raises(InputError) as caught:
        score(pd.DataFrame(questions), pd.DataFrame(forecasts))
    return [(p.frame, p.column, p.row, p.rule) for p in caught.value.problems]


def one(question: dict[str, Any], forecast: dict[str, Any], protocol: str = "brier") -> float:
    found = score(pd.DataFrame([question]), pd.DataFrame([forecast]), protocol)
    return float(found["score"].iloc[0])


# --- what is taken -----------------------------------------------------------------------------


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
    for frame, names in (
        (questions, ["open_time", "scheduled_close_time"]),
        (forecasts, ["made_at"]),
    ):
        for name in names:
            frame[name] = pd.to_datetime(frame[name]).dt.as_unit(unit)
    assert score(questions, forecasts)["coverage"].tolist() == [1.0]


def test_frames_backed_by_arrow_mean_the_same() -> None:
    questions, forecasts = pd.DataFrame([QUESTION]), pd.DataFrame([FORECAST] * 2)
    forecasts["made_at"] = pd.to_datetime(["2026-01-01T00:00:00Z", "2026-01-06T00:00:00Z"])
    forecasts["probability"] = [0.7, None]
    found = score(
        questions.convert_dtypes(dtype_backend="pyarrow"),
        forecasts.convert_dtypes(dtype_backend="pyarrow"),
    )
    expected = score(questions, forecasts)
    assert found.to_dict("records") == expected.to_dict("records")
    nullable = score(questions, forecasts.astype({"probability": "Float64"}))
    assert nullable.to_dict("records") == expected.to_dict("records")


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
@pytest.mark.parametrize("question", [QUESTION, CHOICE, NUMBER])
def test_a_question_without_an_outcome_has_no_scores(
    question: dict[str, Any], written: Any
) -> None:
    questions = pd.DataFrame([question | {"resolution": written}])
    withdrawal = FORECAST | {"probability": None, "probabilities": None, "quantiles": None}
    assert score(questions, pd.DataFrame([withdrawal])).empty


@pytest.mark.parametrize("quantiles", [{"0.5": 5}, '{"0.5": 5}', {0.5: 5.0}])
def test_quantiles_are_an_object_of_levels(quantiles: Any) -> None:
    forecast = FORECAST | {"probability": None, "quantiles": quantiles}
    # F(z) = z / 10 and the outcome is 2.5: (x³ + (1 − x)³) / 3 at x = ¼.
    assert one(NUMBER, forecast, "crps") == pytest.approx((0.25**3 + 0.75**3) / 3)


def test_mass_below_and_above_the_bounds_is_stated_beside_the_levels() -> None:
    forecast = FORECAST | {
        "probability": None,
        "quantiles": {"below": 0.5, "above": 0.5},
    }
    assert one(NUMBER, forecast, "crps") == pytest.approx(0.25)


def test_dates_are_numbers_on_a_line() -> None:
    question = QUESTION | {
        "type": "date",
        "lower_bound": "2026-01-01",
        "upper_bound": "2026-01-11",
        "resolution": "2026-01-03T12:00:00Z",
    }
    forecast = FORECAST | {"probability": None, "quantiles": {"0.5": "2026-01-06"}}
    assert one(question, forecast, "crps") == pytest.approx((0.25**3 + 0.75**3) / 3)


def test_a_row_with_nothing_in_it_is_a_withdrawal() -> None:
    later = FORECAST | {"made_at": "2026-01-06T00:00:00Z", "probability": math.nan}
    found = score(pd.DataFrame([QUESTION]), pd.DataFrame([FORECAST, later]))
    assert found[["coverage", "updates"]].values.tolist() == [[0.5, 1]]


def test_empty_frames_give_an_empty_frame() -> None:
    empty = pd.DataFrame()
    for questions, forecasts in (
        (empty, empty),
        (pd.DataFrame([QUESTION]), empty),
        (pd.DataFrame([QUESTION]), pd.DataFrame([FORECAST]).iloc[:0]),
    ):
        found = score(questions, forecasts)
        assert found.empty
        assert list(found) == [
            "question_id", "forecaster", "protocol", "score", "coverage", "updates",
        ]  # fmt: skip


def test_the_frames_are_left_as_they_were() -> None:
    questions, forecasts = (
        pd.DataFrame([QUESTION, CHOICE | {"question_id": "m"}]),
        pd.DataFrame(
            [FORECAST, FORECAST | {"made_at": "2025-12-01T00:00:00Z", "probability": None}]
        ),
    )
    before = questions.copy(deep=True), forecasts.copy(deep=True)
    score(questions, forecasts, ["brier", "skill", "gjo_accuracy"])
    pd.testing.assert_frame_equal(questions, before[0])
    pd.testing.assert_frame_equal(forecasts, before[1])


# --- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "column", "says"),
    [
        ({"question_id": None}, "question_id", "needs an id"),
        ({"question_id": ""}, "question_id", "needs an id"),
        ({"question_id": "  "}, "question_id", "needs an id"),
        ({"type": "boolean"}, "type", "binary, multiple_choice"),
        ({"type": "multiple_choice"}, "options", "at least two different texts"),
        ({"type": "multiple_choice", "options": '["a"]'}, "options", "at least two"),
        ({"type": "multiple_choice", "options": '["a", "a"]'}, "options", "different"),
        ({"type": "multiple_choice", "options": "a, b"}, "options", "JSON"),
        ({"type": "multiple_choice", "options": '["a", "annulled"]'}, "options", "named annulled"),
        ({"type": "multiple_choice", "options": ["Ambiguous ", "b"]}, "options", "or ambiguous"),
        ({"type": "numeric"}, "lower_bound", "number"),
        ({"open_time": "2026-01-01T00:00:00"}, "open_time", "offset"),
        ({"open_time": "2026-01-01"}, "open_time", "offset"),
        ({"open_time": "soon"}, "open_time", "offset"),
        ({"open_time": ""}, "open_time", "required"),
        ({"open_time": None}, "open_time", "required"),
        ({"spot_time": "2026-01-05T00:00:00"}, "spot_time", "offset"),
        ({"scheduled_close_time": "2025-12-31T00:00:00Z"}, "scheduled_close_time", "after"),
        ({"scheduled_close_time": "2026-01-01T00:00:00Z"}, "scheduled_close_time", "after"),
        ({"actual_close_time": "2026-01-12T00:00:00Z"}, "actual_close_time", "not come after"),
        ({"ordered": "perhaps"}, "ordered", "true or false"),
        ({"resolution": "maybe"}, "resolution", "yes, no"),
        ({"resolution": 1.5}, "resolution", "0..1"),
        ({"resolution": -0.5}, "resolution", "0..1"),
    ],
)
def test_a_bad_question_is_named(change: dict[str, Any], column: str, says: str) -> None:
    good = QUESTION | {"question_id": "other"}
    problems = refused([good, QUESTION | change], [FORECAST | {"question_id": "other"}])
    frame, found, row, rule = problems[0]
    assert (frame, found, row) == ("questions", column, 1)
    assert says in rule


@pytest.mark.parametrize(
    ("change", "column", "says"),
    [
        ({"question_id": "elsewhere"}, "question_id", "one of the questions"),
        ({"question_id": None}, "question_id", "one of the questions"),
        ({"forecaster": None}, "forecaster", "required"),
        ({"forecaster": ""}, "forecaster", "required"),
        ({"forecaster": " "}, "forecaster", "required"),
        ({"made_at": "2026-01-02T00:00:00"}, "made_at", "offset"),
        ({"made_at": None}, "made_at", "required"),
        ({"made_at": 1767225600}, "made_at", "offset"),
        ({"probability": 1.5}, "probability", "0..1"),
        ({"probability": -0.1}, "probability", "0..1"),
        ({"probability": math.inf}, "probability", "0..1"),
        ({"probability": "71%"}, "probability", "0..1"),
        ({"probability": "likely"}, "probability", "0..1"),
        ({"probabilities": "[0.5, 0.5]"}, "probabilities", "needs probability"),
        ({"quantiles": '{"0.5": 1}'}, "quantiles", "needs probability"),
    ],
)
def test_a_bad_forecast_is_named(change: dict[str, Any], column: str, says: str) -> None:
    problems = refused([QUESTION], [FORECAST, FORECAST | change])
    frame, found, row, rule = problems[0]
    assert (frame, found, row) == ("forecasts", column, 1)
    assert says in rule


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("[0.5, 0.5]", "list of 3"),
        ("[0.5, 0.6, 0.1]", "sum to 1"),
        ("[0.5, 0.7, -0.2]", "0..1"),
        ("[null, null, null]", "sum to 1"),
        ("[0.5, null, null]", "sum to 1"),
        ("[NaN, 0.4, 0.6]", "finite.* is null"),
        ([math.nan, 0.4, 0.6], "finite.* is null"),
        (np.array([0.4, 0.6, math.nan]), "finite.* is null"),
        ("[0.5, 0.5, Infinity]", "finite.* is null"),
        ("[1.0, null, null]", "would stand for it"),
        ('["x", 0.5, 0.5]', "numbers"),
        ("0.5, 0.3, 0.2", "list of 3"),
        ("{}", "list of 3"),
        ([0.5, 0.25, 0.25 + 1e-8], "sum to 1"),
    ],
)
def test_a_bad_vector_is_named(written: Any, says: str) -> None:
    good = {k: v for k, v in FORECAST.items() if k != "probability"}
    rows = [good | {"probabilities": [0.5, 0.3, 0.2]}, good | {"probabilities": written}]
    [(frame, column, row, rule)] = refused([CHOICE], rows)
    assert (frame, column, row) == ("forecasts", "probabilities", 1)
    assert re.search(says, rule)


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("[1, 2]", "object"),
        ({"0.5": 11}, "bounds"),
        ({"0.5": "soon"}, "must be a finite number"),
        ("{0.5: 3}", "in JSON"),
        ({"half": 3}, "must be a finite number"),
        ({"1.5": 3}, "level"),
        ({"0.5": 3, "0.6": 2}, "not fall"),
        ({"below": 0.7, "above": 0.5}, "sum"),
        ({"below": 0.3, "0.2": 4}, "between"),
    ],
)
def test_a_bad_distribution_is_named(written: Any, says: str) -> None:
    good = {k: v for k, v in FORECAST.items() if k != "probability"}
    rows = [good | {"quantiles": {"0.5": 3}}, good | {"quantiles": written}]
    [(frame, column, row, rule)] = refused([NUMBER], rows)
    assert (frame, column, row) == ("forecasts", "quantiles", 1)
    assert says in rule


def test_an_option_that_the_question_does_not_have_is_refused() -> None:
    [(_, column, row, rule)] = refused([CHOICE | {"resolution": "c"}], [])
    assert (column, row) == ("resolution", 0)
    assert "options" in rule


def test_a_blank_forecaster_is_refused_among_categories_and_in_arrow() -> None:
    forecasts = pd.DataFrame([FORECAST, FORECAST | {"forecaster": ""}])
    for kind in ("category", "string[pyarrow]", object):
        with pytest.raises(InputError, match="forecaster, row 1 — a forecaster is required"):
            score(pd.DataFrame([QUESTION]), forecasts.astype({"forecaster": kind}))
    arrow = forecasts.convert_dtypes(dtype_backend="pyarrow")
    with pytest.raises(InputError, match="forecaster, row 1 — a forecaster is required"):
        score(pd.DataFrame([QUESTION]), arrow)


def test_a_blank_category_that_no_row_has_does_not_matter() -> None:
    forecasts = pd.DataFrame([FORECAST])
    forecasts["forecaster"] = pd.Categorical(["ana"], categories=["", "ana"])
    assert score(pd.DataFrame([QUESTION]), forecasts)["forecaster"].tolist() == ["ana"]


def test_a_repeated_question_id_is_refused() -> None:
    [(_, column, row, rule)] = refused([QUESTION, QUESTION], [])
    assert (column, row) == ("question_id", 1)
    assert "unique" in rule


def test_naive_datetimes_and_numbers_are_not_times() -> None:
    for times in (pd.to_datetime(["2026-01-02"]), [5], [5.5]):
        forecasts = pd.DataFrame([FORECAST]).assign(made_at=times)
        with pytest.raises(InputError, match="offset"):
            score(pd.DataFrame([QUESTION]), forecasts)


def test_a_missing_column_is_named() -> None:
    for name in ("question_id", "open_time", "scheduled_close_time"):
        questions = pd.DataFrame([QUESTION]).drop(columns=name)
        with pytest.raises(InputError, match=f"questions {name} — the column is required"):
            score(questions, pd.DataFrame([FORECAST]).iloc[:0])
    for name in ("question_id", "forecaster", "made_at"):
        forecasts = pd.DataFrame([FORECAST]).drop(columns=name)
        with pytest.raises(InputError, match=f"forecasts {name} — the column is required"):
            score(pd.DataFrame([QUESTION]), forecasts)
    with pytest.raises(InputError, match="one of probability"):
        score(pd.DataFrame([QUESTION]), pd.DataFrame([FORECAST]).drop(columns="probability"))


def test_a_column_that_is_there_twice_is_named() -> None:
    questions, forecasts = pd.DataFrame([QUESTION]), pd.DataFrame([FORECAST])
    for name in ("question_id", "open_time", "resolution"):
        twice = pd.concat([questions, questions[[name]]], axis=1)
        with pytest.raises(InputError, match=f"questions {name} — the column occurs more than"):
            score(twice, forecasts)
    for name in ("question_id", "forecaster", "made_at", "probability"):
        twice = pd.concat([forecasts, forecasts[[name]]], axis=1)
        with pytest.raises(InputError, match=f"forecasts {name} — the column occurs more than"):
            score(questions, twice)
    # What is not read does not matter.
    notes = pd.DataFrame([["a", "b"]], columns=["note", "note"])
    assert len(score(questions, pd.concat([forecasts, notes], axis=1))) == 1


@pytest.mark.parametrize("other", [None, [QUESTION], {}, "questions"])
def test_what_is_no_frame_is_refused(other: Any) -> None:
    with pytest.raises(InputError, match=r"questions: '.*' — must be a pandas DataFrame"):
        score(other, pd.DataFrame([FORECAST]))
    with pytest.raises(InputError, match=r"forecasts: '.*' — must be a pandas DataFrame"):
        score(pd.DataFrame([QUESTION]), other)


@pytest.mark.parametrize("other", [None, 3, [None], [3], []])
def test_what_is_no_protocol_is_refused(other: Any) -> None:
    with pytest.raises(InputError, match="protocol"):
        score(pd.DataFrame([QUESTION]), pd.DataFrame([FORECAST]), other)


@pytest.mark.parametrize("truth", [True, np.bool_(True)])
@pytest.mark.parametrize("dtype", [object, None])
def test_true_is_not_a_probability(truth: Any, dtype: Any) -> None:
    forecasts = pd.DataFrame([FORECAST]).assign(probability=pd.Series([truth], dtype=dtype))
    with pytest.raises(InputError, match="probability, row 0: True — a probability must be"):
        score(pd.DataFrame([QUESTION]), forecasts)


def test_everything_that_is_wrong_is_reported_at_once() -> None:
    questions = [QUESTION, QUESTION | {"question_id": "r", "resolution": "maybe"}]
    forecasts = [
        FORECAST | {"probability": 2.0},
        FORECAST,
        FORECAST | {"made_at": "today", "question_id": "s"},
    ]
    found = {(frame, column, row) for frame, column, row, _ in refused(questions, forecasts)}
    assert found == {
        ("questions", "resolution", 1),
        ("forecasts", "probability", 0),
        ("forecasts", "made_at", 2),
        ("forecasts", "question_id", 2),
    }


def test_the_message_shows_value_and_rule_and_counts_the_rest() -> None:
    rows = [FORECAST | {"probability": 2.0 + i} for i in range(8)]
    with pytest.raises(InputError) as caught:
        score(pd.DataFrame([QUESTION]), pd.DataFrame(rows))
    message = str(caught.value)
    assert message.startswith("forecasts probability, row 0: 2.0 — a probability must be finite")
    assert message.endswith("and 3 more")
    assert len(caught.value.problems) == 8


def test_nothing_is_named_without_end() -> None:
    frame = pd.DataFrame([FORECAST]).loc[[0] * 5000].assign(probability=2.0)
    with pytest.raises(InputError) as caught:
        score(pd.DataFrame([QUESTION]), frame)
    assert len(caught.value.problems) == 1000


def test_an_index_that_is_not_a_count_does_not_matter() -> None:
    questions = pd.DataFrame([QUESTION], index=["x"])
    forecasts = pd.DataFrame([FORECAST, FORECAST | {"probability": 1.5}], index=[9, 9])
    [(_, column, row, _)] = refused(questions.to_dict("records"), forecasts.to_dict("records"))
    assert (column, row) == ("probability", 1)
    assert json.dumps(score(questions, forecasts.iloc[:1])["score"].tolist())
