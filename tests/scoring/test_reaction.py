"""Over- and under-reaction, apart from faults of calibration."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit, ndtr

from scoring import in_order_of_time, reaction
from scoring.movement import Reaction

pytestmark = pytest.mark.slow

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


def test_calibrated_paths_are_not_accused() -> None:
    over, under = accused()
    assert over + under <= 0.08


@pytest.mark.parametrize("extremity", [0.6, 1.6])
def test_overconfidence_and_underconfidence_are_not_called_reactions(extremity: float) -> None:
    over, under = accused(extremity=extremity)
    assert over + under <= 0.09
    assert any(
        abs(found(expit(extremity * logit(p)), y).excess.statistic) > 2
        for p, y in map(paths, range(5))
    ), "the path as it is does swing or drift"


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
