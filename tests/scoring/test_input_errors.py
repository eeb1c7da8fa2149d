"""Invalid input: every problem is reported with its place and rule."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

from scoring import InputError, score
from tests.scoring.test_input_frames import CHOICE, FORECAST, GOOD, NUMBER, QUESTION


def refused(questions: list[dict[str, Any]], forecasts: list[dict[str, Any]]) -> list[Any]:
    with pytest.raises(InputError) as caught:
        score(pd.DataFrame(questions), pd.DataFrame(forecasts))
    return [(p.frame, p.column, p.row, p.rule) for p in caught.value.problems]


@pytest.mark.parametrize(
    ("change", "column", "says"),
    [
        ({"question_id": None}, "question_id", "needs an id"),
        ({"question_id": "  "}, "question_id", "needs an id"),
        ({"question_id": "other"}, "question_id", "unique"),
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
        ({"open_time": None}, "open_time", "required"),
        ({"spot_time": "2026-01-05T00:00:00"}, "spot_time", "offset"),
        ({"scheduled_close_time": "2025-12-31T00:00:00Z"}, "scheduled_close_time", "after"),
        ({"scheduled_close_time": "2026-01-01T00:00:00Z"}, "scheduled_close_time", "after"),
        ({"actual_close_time": "2026-01-12T00:00:00Z"}, "actual_close_time", "not come after"),
        ({"ordered": "perhaps"}, "ordered", "true or false"),
        ({"resolution": "maybe"}, "resolution", "yes, no"),
        (CHOICE | {"resolution": "c"}, "resolution", "options"),
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
    ("question", "change", "says"),
    [
        (QUESTION, {"question_id": "elsewhere"}, "one of the questions"),
        (QUESTION, {"question_id": None}, "one of the questions"),
        (QUESTION, {"forecaster": None}, "required"),
        (QUESTION, {"forecaster": " "}, "required"),
        (QUESTION, {"made_at": "2026-01-02T00:00:00"}, "offset"),
        (QUESTION, {"made_at": None}, "required"),
        (QUESTION, {"made_at": 1767225600}, "offset"),
        (QUESTION, {"probability": 1.5}, "0..1"),
        (QUESTION, {"probability": -0.1}, "0..1"),
        (QUESTION, {"probability": math.inf}, "0..1"),
        (QUESTION, {"probability": "71%"}, "0..1"),
        (QUESTION, {"probability": "likely"}, "0..1"),
        (QUESTION, {"probabilities": "[0.5, 0.5]"}, "needs probability"),
        (QUESTION, {"quantiles": '{"0.5": 1}'}, "needs probability"),
        (CHOICE, {"probabilities": "[0.5, 0.5]"}, "list of 3"),
        (CHOICE, {"probabilities": "[0.5, 0.6, 0.1]"}, "sum to 1"),
        (CHOICE, {"probabilities": "[0.5, 0.7, -0.2]"}, "0..1"),
        (CHOICE, {"probabilities": "[null, null, null]"}, "sum to 1"),
        (CHOICE, {"probabilities": "[0.5, null, null]"}, "sum to 1"),
        (CHOICE, {"probabilities": "[NaN, 0.4, 0.6]"}, "finite.* is null"),
        (CHOICE, {"probabilities": [math.nan, 0.4, 0.6]}, "finite.* is null"),
        (CHOICE, {"probabilities": np.array([0.4, 0.6, math.nan])}, "finite.* is null"),
        (CHOICE, {"probabilities": "[0.5, 0.5, Infinity]"}, "finite.* is null"),
        (CHOICE, {"probabilities": "[1.0, null, null]"}, "would stand for it"),
        (CHOICE, {"probabilities": '["x", 0.5, 0.5]'}, "numbers"),
        (CHOICE, {"probabilities": "0.5, 0.3, 0.2"}, "list of 3"),
        (CHOICE, {"probabilities": "{}"}, "list of 3"),
        (CHOICE, {"probabilities": [0.5, 0.25, 0.25 + 1e-8]}, "sum to 1"),
        (NUMBER, {"quantiles": "[1, 2]"}, "object"),
        (NUMBER, {"quantiles": {"0.5": 11}}, "bounds"),
        (NUMBER, {"quantiles": {"0.5": "soon"}}, "must be a finite number"),
        (NUMBER, {"quantiles": "{0.5: 3}"}, "in JSON"),
        (NUMBER, {"quantiles": {"half": 3}}, "must be a finite number"),
        (NUMBER, {"quantiles": {"1.5": 3}}, "level"),
        (NUMBER, {"quantiles": {"0.5": 3, "0.6": 2}}, "not fall"),
        (NUMBER, {"quantiles": {"below": 0.7, "above": 0.5}}, "sum"),
        (NUMBER, {"quantiles": {"below": 0.3, "0.2": 4}}, "between"),
    ],
)
def test_a_bad_forecast_is_named(question: Any, change: Any, says: str) -> None:
    good = GOOD[question["type"]]
    frame, column, row, rule = refused([question], [good, good | change])[0]
    assert (frame, [column], row) == ("forecasts", list(change), 1)
    assert re.search(says, rule)


def test_a_blank_forecaster_is_refused_among_categories_and_in_arrow() -> None:
    forecasts = pd.DataFrame([FORECAST, FORECAST | {"forecaster": ""}])
    kinds = ("category", "string[pyarrow]", object)
    frames = [forecasts.astype({"forecaster": kind}) for kind in kinds]
    for frame in (*frames, forecasts.convert_dtypes(dtype_backend="pyarrow")):
        with pytest.raises(InputError, match="forecaster, row 1 — a forecaster is required"):
            score(pd.DataFrame([QUESTION]), frame)


def test_a_blank_category_that_no_row_has_does_not_matter() -> None:
    forecasts = pd.DataFrame([FORECAST])
    forecasts["forecaster"] = pd.Categorical(["ana"], categories=["", "ana"])
    assert score(pd.DataFrame([QUESTION]), forecasts)["forecaster"].tolist() == ["ana"]


@pytest.mark.parametrize("times", [pd.to_datetime(["2026-01-02"]), [5], [5.5]])
def test_a_column_of_naive_datetimes_or_numbers_has_no_times(times: Any) -> None:
    with pytest.raises(InputError, match="offset"):
        score(pd.DataFrame([QUESTION]), pd.DataFrame([FORECAST]).assign(made_at=times))


def test_a_column_that_is_missing_or_there_twice_is_named() -> None:
    questions, forecasts = pd.DataFrame([QUESTION]), pd.DataFrame([FORECAST])
    for name in ("question_id", "open_time", "scheduled_close_time"):
        with pytest.raises(InputError, match=f"questions {name} — the column is required"):
            score(questions.drop(columns=name), forecasts.iloc[:0])
        twice = pd.concat([questions, questions[[name]]], axis=1)
        with pytest.raises(InputError, match=f"questions {name} — the column occurs more than"):
            score(twice, forecasts)
    for name in ("question_id", "forecaster", "made_at", "probability"):
        needed = "one of probability" if name == "probability" else f"forecasts {name} — the column"
        with pytest.raises(InputError, match=needed):
            score(questions, forecasts.drop(columns=name))
        twice = pd.concat([forecasts, forecasts[[name]]], axis=1)
        with pytest.raises(InputError, match=f"forecasts {name} — the column occurs more than"):
            score(questions, twice)
    # Columns that are not read do not matter.
    notes = pd.DataFrame([["a", "b"]], columns=["note", "note"])
    assert len(score(questions, pd.concat([forecasts, notes], axis=1))) == 1


@pytest.mark.parametrize("other", [None, [QUESTION], {}, "questions"])
def test_an_argument_that_is_not_a_frame_is_refused(other: Any) -> None:
    with pytest.raises(InputError, match=r"questions: '.*' — must be a pandas DataFrame"):
        score(other, pd.DataFrame([FORECAST]))
    with pytest.raises(InputError, match=r"forecasts: '.*' — must be a pandas DataFrame"):
        score(pd.DataFrame([QUESTION]), other)


@pytest.mark.parametrize("other", [None, 3, [None], [3], []])
def test_an_invalid_protocol_is_refused(other: Any) -> None:
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
    changes = ({"probability": 2.0}, {}, {"made_at": "today", "question_id": "s"})
    forecasts = [FORECAST | change for change in changes]
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
    assert len(score(questions, forecasts.iloc[:1])) == 1
