"""Standing forecasts: half-open segments from open to actual close."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

from scoring import standing
from tests.examples import examples
from tests.scoring import slow_reference, ten_days
from tests.scoring.strategies import Ledger, ledgers

DAYS = pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(range(-5, 30), unit="D")


def day(number: int) -> pd.Timestamp:
    return DAYS[number + 5]


def segments(*rows: tuple[int, float | None], close: int = 10) -> list[tuple[float, float, float]]:
    """Segments in days of one forecaster on a question open for the first ten days of 2026."""
    questions = ten_days.question(actual_close_time=day(close))
    found = standing(questions, ten_days.by_ana(*rows))
    days = found[["start_s", "end_s"]] / 86_400
    return list(zip(days["start_s"], days["end_s"], found["p"], strict=True))


def test_a_forecast_made_before_the_question_opens_counts_from_then() -> None:
    assert segments((-3, 0.1), (-1, 0.2), (4, 0.3)) == [(0, 4, 0.2), (4, 10, 0.3)]


def test_a_forecast_made_at_the_close_or_after_does_not_stand() -> None:
    assert segments((1, 0.2), (6, 0.3), (8, 0.4), close=6) == [(1, 6, 0.2)]


def test_of_two_rows_at_one_instant_the_later_one_wins() -> None:
    assert segments((1, 0.2), (1, 0.6)) == [(1, 10, 0.6)]
    assert segments((1, None), (1, 0.6)) == [(1, 10, 0.6)]
    assert segments((1, 0.2), (1, None)) == []


def test_options_stand_in_columns_and_each_segment_names_its_row() -> None:
    choice = {"question_id": "m", "type": "multiple_choice", "options": ["x", "y", "Other"]}
    questions = pd.concat([ten_days.question(question_id="b"), ten_days.question(**choice)])
    questions["resolution"] = ""
    questions["type"] = questions["type"].fillna("binary")
    forecasts = ten_days.by_ana((0, None), (0, 0.25)).assign(question_id=["m", "b"])
    forecasts["probabilities"] = ["[0.5, null, 0.5]", None]
    found = standing(questions, forecasts)
    assert found["question_id"].tolist() == ["b", "m"]
    assert found["forecast"].tolist() == [1, 0]
    np.testing.assert_array_equal(found["p"], [0.25, np.nan])
    np.testing.assert_array_equal(found[["p0", "p1", "p2"]], [[np.nan] * 3, [0.5, np.nan, 0.5]])


def test_empty_frames_give_an_empty_frame() -> None:
    found = standing(pd.DataFrame(), pd.DataFrame())
    assert found.empty
    assert list(found) == [
        "question_id", "forecaster", "start_s", "end_s", "weight", "forecast", "p",
    ]  # fmt: skip


@settings(max_examples=examples(24))
@given(ledgers(types=("binary", "multiple_choice", "numeric")))
def test_standing_equals_the_slow_reference(ledger: Ledger) -> None:
    asked, made = ledger
    found = standing(*slow_reference.frames(ledger))
    expected = []
    for question in asked:
        for who in sorted({row["forecaster"] for row in made}):
            rows = [
                row
                for row in made
                if row["forecaster"] == who and row["question_id"] == question["question_id"]
            ]
            live = slow_reference.live_segments(question, rows)
            total = sum(end - start for start, end, _ in live)
            for start, end, p in live:
                opened = question["open"]
                weight = (end - start) / total
                expected.append(
                    (question["question_id"], who, (start - opened) / 1e6, (end - opened) / 1e6,
                     pytest.approx(weight, abs=1e-15), p)
                )  # fmt: skip
    columns = ["question_id", "forecaster", "start_s", "end_s", "weight"]
    assert found[columns].values.tolist() == [list(row[:5]) for row in expected]
    assert [made[i]["p"] for i in found["forecast"]] == [row[5] for row in expected]
    whole = found.groupby(["question_id", "forecaster"])["weight"].sum()
    np.testing.assert_allclose(whole, 1, rtol=1e-12)
