"""Over- and under-reaction."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring import InputError, excess_movement
from tests.scoring.slow_reference import forecast_frame, live_segments, question_frame
from tests.scoring.strategies import HOUR, NEW_YEAR, ledgers

START = datetime(2026, 1, 1, tzinfo=UTC)


def day(number: float) -> datetime:
    return START + timedelta(days=number)


def asked(id_: str = "q", resolution: str = "yes", **fields: object) -> dict[str, object]:
    return {
        "question_id": id_,
        "open_time": START,
        "scheduled_close_time": day(10),
        "resolution": resolution,
    } | fields


def said(rows: list[tuple[float, Any]], id_: str = "q") -> pd.DataFrame:
    several = any(isinstance(p, list) for _, p in rows)
    return pd.DataFrame(
        {
            "question_id": id_,
            "forecaster": "ana",
            "made_at": [day(at) for at, _ in rows],
            "probabilities" if several else "probability": [p for _, p in rows],
        }
    )


def excess(question: dict[str, object], rows: list[tuple[float, Any]], **how: Any) -> float:
    [found] = excess_movement(pd.DataFrame([question]), said(rows), **how)["excess"]
    return float(found)


def test_the_excess_is_movement_less_the_uncertainty_taken_away() -> None:
    [row] = excess_movement(pd.DataFrame([asked()]), said([(0, 0.5), (5, 0.8)])).to_dict("records")
    assert (row["steps"], row["revisions"]) == (2, 1)
    assert row["movement"] == pytest.approx(0.09 + 0.04)
    assert row["reduction"] == pytest.approx(0.25)
    assert row["excess"] == pytest.approx(row["movement"] - row["reduction"])


def test_repeats_and_the_step_to_the_outcome_are_not_revisions() -> None:
    rows = said([(0, 0.5), (2, 0.5), (3, None), (4, 0.6), (5, 0.6)])
    for resolution, steps in (("yes", 4), ("", 3)):
        [row] = excess_movement(pd.DataFrame([asked(resolution=resolution)]), rows).to_dict(
            "records"
        )
        assert (row["steps"], row["revisions"]) == (steps, 1)


def test_as_of_looks_at_nothing_later() -> None:
    rows = [(0, 0.5), (2, 0.9), (6, 0.5)]
    assert excess(asked(), rows, as_of=day(4)) == pytest.approx(0)
    assert excess(asked(), rows, as_of=day(8)) == pytest.approx(0.8 * 0.4)
    assert excess(asked(), rows, as_of=day(10)) == pytest.approx(0.8 * 0.4)  # from 0.5 to 1: 0
    assert excess_movement(pd.DataFrame([asked()]), said(rows), as_of=START).empty


def test_adding_an_option_is_not_movement() -> None:
    choice = asked(resolution="", type="multiple_choice", options=["a", "b", "other"])
    assert excess(choice, [(0, [0.6, None, 0.4]), (4, [0.6, 0.3, 0.1])]) == 0


def slow(question: dict[str, Any], made: list[dict[str, Any]], as_of: int) -> dict[str, float]:
    """The excess movement of each forecaster with a live forecast, in a loop."""
    found = {}
    for who in sorted({row["forecaster"] for row in made}):
        rows = [row for row in made if row["forecaster"] == who]
        live = [segment for segment in live_segments(question, rows) if segment[0] < as_of]
        steps = [(one[2], two[2]) for one, two in pairwise(live)]
        if live and question["outcome"] is not None and question["close"] <= as_of:
            steps.append((live[-1][2], None))
        if live:
            found[who] = sum(step(one, two, question) for one, two in steps)
    return found


def step(one: Any, two: Any, question: dict[str, Any]) -> float:
    y = question["outcome"]
    if question["type"] == "binary":
        return (2 * one - 1) * (one - (y if two is None else two))
    if two is None:
        two = [
            1.0 if k == (len(one) - 1 if one[y] is None else y) else 0.0 for k in range(len(one))
        ]
    here = [k for k in range(len(one) - 1) if one[k] is not None and two[k] is not None]
    before, after = [one[k] for k in here], [two[k] for k in here]
    before.append(1 - sum(before))
    after.append(1 - sum(after))
    return sum((2 * p - 1) * (p - q) for p, q in zip(before, after, strict=True)) / 2


@pytest.mark.slow
@given(ledgers(zero=True), st.integers(-5, 140))
def test_it_agrees_with_the_definition_written_out(
    ledger: tuple[list[dict[str, Any]], list[dict[str, Any]]], hours: int
) -> None:
    questions, made = ledger
    as_of = NEW_YEAR + hours * HOUR
    expected = {
        (question["question_id"], who): value
        for question in questions
        for who, value in slow(
            question, [r for r in made if r["question_id"] == question["question_id"]], as_of
        ).items()
    }
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=as_of)
    frames = question_frame(questions), forecast_frame(questions, made)
    found = excess_movement(*frames, as_of=at)
    got = dict(
        zip(
            zip(found["question_id"], found["forecaster"], strict=True),
            found["excess"],
            strict=True,
        )
    )
    assert got == pytest.approx(expected, abs=1e-12)


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(InputError, match="as_of"):
        excess_movement(pd.DataFrame([asked()]), said([(0, 0.5)]), as_of=datetime(2026, 1, 1))  # noqa: DTZ001
