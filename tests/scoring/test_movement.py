"""Over- and under-reaction."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit, ndtr

from scoring import InputError, excess_movement, in_order_of_time, reaction
from scoring.movement import Reaction
from tests.examples import examples
from tests.scoring.slow_reference import frames, live_segments, stamp
from tests.scoring.strategies import HOUR, NEW_YEAR, Ledger, Row, ledgers
from tests.scoring.ten_days import DAY, START, by_ana, question


def test_the_excess_is_movement_less_the_uncertainty_taken_away() -> None:
    [row] = excess_movement(question(), by_ana((0, 0.5), (5, 0.8))).to_dict("records")
    assert (row["steps"], row["revisions"]) == (2, 1)
    assert row["movement"] == pytest.approx(0.09 + 0.04)
    assert row["reduction"] == pytest.approx(0.25)
    assert row["excess"] == pytest.approx(row["movement"] - row["reduction"])


def test_repeats_and_the_step_to_the_outcome_are_not_revisions() -> None:
    rows = by_ana((0, 0.5), (2, 0.5), (3, None), (4, 0.6), (5, 0.6))
    for resolution, steps in (("yes", 4), ("", 3)):
        found = excess_movement(question(resolution=resolution), rows)
        assert found[["steps", "revisions"]].to_numpy().tolist() == [[steps, 1]]


def test_as_of_looks_at_nothing_later() -> None:
    rows = by_ana((0, 0.5), (2, 0.9), (6, 0.5))
    for day, excess in ((4, 0), (8, 0.8 * 0.4), (10, 0.8 * 0.4)):  # the last step is from 0.5 to 1
        [found] = excess_movement(question(), rows, as_of=START + day * DAY)["excess"]
        assert found == pytest.approx(excess)
    assert excess_movement(question(), rows, as_of=START).empty


def test_adding_an_option_is_not_movement() -> None:
    choice = question(resolution="", type="multiple_choice", options=["a", "b", "other"])
    rows = by_ana((0, [0.6, None, 0.4]), (4, [0.6, 0.3, 0.1]))
    assert excess_movement(choice, rows)["excess"].tolist() == [0]


def slow(question: Row, made: list[Row], as_of: int) -> dict[str, float]:
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


def step(one: Any, two: Any, question: Row) -> float:
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


@settings(max_examples=examples(40))
@given(ledgers(zero=True), st.integers(-5, 140))
def test_it_agrees_with_the_definition_written_out(ledger: Ledger, hours: int) -> None:
    as_of = NEW_YEAR + hours * HOUR
    expected = {}
    for asked in ledger[0]:
        made = [row for row in ledger[1] if row["question_id"] == asked["question_id"]]
        for who, value in slow(asked, made, as_of).items():
            expected[asked["question_id"], who] = value
    found = excess_movement(*frames(ledger), as_of=stamp(as_of))
    got = found.set_index(["question_id", "forecaster"])["excess"].to_dict()
    assert got == pytest.approx(expected, abs=1e-12)


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(InputError, match="as_of"):
        excess_movement(question(), by_ana((0, 0.5)), as_of=START.tz_localize(None))


QUESTIONS, STEPS = 90, 6


def paths(seed: int, response: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Return beliefs (questions, steps) of a normal total, and whether it is above 0."""
    rng = np.random.default_rng(seed)
    walk = np.cumsum(rng.normal(0, STEPS**-0.5, (QUESTIONS, STEPS)), axis=1)
    belief = ndtr(walk[:, :-1] / np.sqrt(1 - np.arange(1, STEPS) / STEPS))
    told = belief.copy()
    for step in range(1, STEPS - 1):
        told[:, step] = told[:, step - 1] + response * (belief[:, step] - told[:, step - 1])
    return np.clip(told, 0.001, 0.999), (walk[:, -1] > 0).astype(float)


def found(p: np.ndarray, y: np.ndarray) -> Reaction:
    question = np.repeat(np.arange(QUESTIONS), p.shape[1])
    flat, outcome = p.ravel(), np.repeat(y, p.shape[1])
    both = [np.column_stack([1 - values, values]) for values in (flat, outcome)]
    return reaction(in_order_of_time(p=both[0], y=both[1], path=question, question=question))


def accused(response: float = 1.0, extremity: float = 1.0, times: int = 80) -> tuple[float, float]:
    """Return how often paths are said to over-react, and to under-react."""
    over = under = 0
    for seed in range(times):
        p, y = paths(seed, response)
        one = found(expit(extremity * logit(p)), y)
        over += one.p_value < 0.05 and one.recalibrated.statistic > 0
        under += one.p_value < 0.05 and one.recalibrated.statistic < 0
    return over / times, under / times


@pytest.mark.slow
def test_calibrated_paths_are_not_accused() -> None:
    over, under = accused()
    assert over + under <= 0.08


@pytest.mark.slow
@pytest.mark.parametrize("extremity", [0.6, 1.6])
def test_overconfidence_and_underconfidence_are_not_called_reactions(extremity: float) -> None:
    over, under = accused(extremity=extremity)
    assert over + under <= 0.09
    assert any(
        abs(found(expit(extremity * logit(p)), y).excess.statistic) > 2
        for p, y in map(paths, range(5))
    ), "the path as it is does swing or drift"


@pytest.mark.slow
def test_half_moves_under_react_and_swings_over_react() -> None:
    assert accused(response=0.5)[1] > 0.3
    swings = []
    for seed in range(30):
        p, y = paths(seed)
        noise = np.random.default_rng(seed).normal(0, 1.0, p.shape)
        swings.append(found(expit(logit(p) + noise), y))
    assert np.mean([one.p_value < 0.05 and one.excess.statistic > 0 for one in swings]) > 0.3


def test_one_forecast_a_question_shows_no_reaction_of_its_own() -> None:
    p, y = paths(3)
    one = found(p[:, :1], y)
    assert one.p_value > 0.05 or np.isnan(one.p_value)


def test_options_are_recalibrated_together() -> None:
    rng = np.random.default_rng(1)
    p = rng.dirichlet([1, 1, 1], 120)
    outcome = np.array([rng.choice(3, p=row) for row in p])
    question = np.arange(120) // 2
    same = np.repeat(outcome[::2], 2)
    got = reaction(in_order_of_time(p=p, y=np.eye(3)[same], path=question, question=question))
    assert 0 <= got.p_value <= 1
