"""The least width of the interval of a mean score, compared with exact limits of a binomial."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from scoring import in_order_of_time
from scoring.rare_events import LeastWidths, least_widths

N, P = 54, 0.03


def once(p: np.ndarray, y: np.ndarray, family: np.ndarray | None = None) -> LeastWidths:
    """Return the widths of one forecast a question."""
    n = np.arange(len(p))
    both = [np.column_stack([1 - values, values]) for values in (p, y)]
    return least_widths(in_order_of_time(*both, n, n, family))


@pytest.mark.parametrize("came", [0, 1, 2, 5, 53, 54])
def test_the_limits_are_those_of_the_number_of_events(came: int) -> None:
    found = once(np.full(N, P), (np.arange(N) < came).astype(float))
    exact = stats.binomtest(came, N).proportion_ci(0.95)
    distances = (came - exact.low * N, exact.high * N - came)
    # An event adds 1 − 2p to the Brier score, and the log odds of p to the log score.
    for widths, of_event in ((found.brier, 1 - 2 * P), (found.log, np.log(1 / P - 1))):
        assert np.array(widths) * N / of_event == pytest.approx(distances, abs=0.15)


def test_linked_questions_have_wider_limits() -> None:
    p = np.full(N, P)
    y = (np.arange(N) < 3).astype(float)
    alone, linked = once(p, y), once(p, y, np.arange(N) // 3)
    assert linked.brier[1] > 1.2 * alone.brier[1]


def test_paths_of_many_updates_have_finite_limits() -> None:
    # A calibrated path of this length can have an estimated moment below 0.
    rng = np.random.default_rng(3)
    for _ in range(20):
        walk = np.cumsum(rng.normal(0, 1.2, (40, 8)), axis=1)
        p = (1 / (1 + np.exp(2 - walk))).clip(0.001, 0.999).ravel()
        question = np.repeat(np.arange(40), 8)
        y = (rng.random(40) < p[7::8]).astype(float)[question]
        both = [np.column_stack([1 - values, values]) for values in (p, y)]
        made = in_order_of_time(*both, question, question, np.minimum(question, 20))
        widths = least_widths(made)
        assert max(widths.brier) < 1
        assert max(widths.log) < 7


def test_many_events_need_no_help() -> None:
    rng = np.random.default_rng(0)
    p = rng.uniform(0.1, 0.9, 800)
    assert once(p, (rng.random(800) < p).astype(float)) == LeastWidths((0.0, 0.0), (0.0, 0.0))


def test_certain_forecasts_have_no_chance() -> None:
    assert once(np.array([0.0, 1.0]), np.array([0.0, 1.0])).brier == (0.0, 0.0)
