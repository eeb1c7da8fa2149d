"""Staleness: what unrevised forecasts cost while time passes."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest
from scipy.special import expit, logit

from scoring import staleness
from scoring.means import clustered_mean

Record = dict[str, np.ndarray]


def record(
    seed: int, questions: int, events: float = 0.0, extremity: float = 1.0, shift: float = 0.0
) -> Record:
    """Return forecasts made once, of which a share of the events closes its question at once."""
    rng = np.random.default_rng(seed)
    p = rng.beta(1.2, 1.8, questions)
    y = (rng.random(questions) < p).astype(float)
    closes = (y > 0) & (rng.random(questions) < events)
    lasted = np.where(closes, rng.random(questions), 1.0)
    p = expit(extremity * logit(p) + shift)
    return {"p": p, "y": y, "left": np.ones(questions), "lasted": lasted}


def test_events_that_close_their_questions_make_the_odds_fall_with_the_time_left() -> None:
    found = staleness(**record(1, 4000, events=1.0))
    assert found.drift == pytest.approx(1.0, abs=0.15)
    assert found.cost.mean() == pytest.approx(0.019, abs=0.004)


@pytest.mark.parametrize(
    "world", [{}, {"extremity": 1.8}, {"shift": 0.8}, {"extremity": 0.6, "shift": -0.5}]
)
def test_a_fault_of_calibration_is_not_called_staleness(world: dict[str, float]) -> None:
    costs = [clustered_mean(staleness(**record(seed, 90, **world)).cost) for seed in range(40)]
    assert sum(cost.lower > 0 for cost in costs) <= 2
    assert np.mean([cost.mean for cost in costs]) < 0.001


def test_the_cost_is_the_saving_integrated_over_time(monkeypatch: pytest.MonkeyPatch) -> None:
    module = import_module("scoring.stale_forecasts")
    monkeypatch.setattr(module, "line_of", lambda yes, no: np.array([0.3, 1.2, 0.7]))
    p, y = np.array([0.2, 0.6, 0.9, 0.0]), np.array([0.0, 1.0, 0.25, 0.0])
    left, lasted = np.array([1.0, 0.5, 0.8, 0.4]), np.array([1.0, 0.3, 0.62, 0.011])
    found = module.staleness(p=p, y=y, left=left, lasted=lasted, weight=[1.0, 0.5, 1.0, 1.0]).cost
    for number in range(4):
        u = (np.arange(4000) + 0.5) / 4000 * lasted[number]
        odds = 0.3 + 1.2 * np.clip(logit(p[number]), -7, 7)
        made, moved = expit(odds), expit(odds + 0.7 * np.log(1 - u))
        # A fractional outcome is a mean of both.
        saved = y[number] * ((made - 1) ** 2 - (moved - 1) ** 2)
        saved = saved + (1 - y[number]) * (made**2 - moved**2)
        expected = saved.mean() * lasted[number] * left[number] * (0.5 if number == 1 else 1.0)
        assert found[number] == pytest.approx(expected, abs=0.003)


def test_the_line_for_a_family_is_fitted_to_the_others() -> None:
    p, y, left, lasted = record(4, 60, events=1.0).values()
    family = np.arange(60) // 2
    one = staleness(p=p, y=y, left=left, lasted=lasted, family=family)
    turned = np.where(family == 7, 1 - y, y)
    other = staleness(p=p, y=turned, left=left, lasted=lasted, family=family)
    same_line = family % 5 == 7 % 5
    np.testing.assert_allclose(
        one.cost[same_line & (family != 7)], other.cost[same_line & (family != 7)]
    )


def test_one_family_has_no_line_and_no_cost() -> None:
    found = staleness(p=[0.5, 0.6], y=[1, 0], left=[1.0, 1.0], lasted=[0.5, 1.0], family=["f", "f"])
    assert found.cost.tolist() == [0.0, 0.0]
