"""The least width of the interval of a mean score, compared with exact limits of a binomial."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from scoring import compare, in_order_of_time
from scoring.rare_events import LeastWidths, least_error, least_widths
from tests.scoring.test_comparison import TWO, table

N, P = 54, 0.03


def widths_of(
    p: np.ndarray, y: np.ndarray, question: np.ndarray, family: np.ndarray | None = None
) -> LeastWidths:
    p, y = (np.column_stack([1 - values, values]) for values in (p, y))
    return least_widths(in_order_of_time(p=p, y=y, path=question, question=question, family=family))


def once(p: np.ndarray, y: np.ndarray, family: np.ndarray | None = None) -> LeastWidths:
    """Return the widths of one forecast a question."""
    return widths_of(p, y, np.arange(len(p)), family)


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
        widths = widths_of(p, y, question, np.minimum(question, 20))
        assert max(widths.brier) < 1
        assert max(widths.log) < 7


def test_many_events_need_no_help() -> None:
    rng = np.random.default_rng(0)
    p = rng.uniform(0.1, 0.9, 800)
    assert once(p, (rng.random(800) < p).astype(float)) == LeastWidths((0.0, 0.0), (0.0, 0.0))


def test_certain_forecasts_have_no_chance() -> None:
    assert once(np.array([0.0, 1.0]), np.array([0.0, 1.0])).brier == (0.0, 0.0)


def differences(p: np.ndarray, tilt: float, y: np.ndarray) -> pd.DataFrame:
    """Return the differences of two sides above and below the truth, with their moments."""
    a, b = p * (1 + tilt), p * (1 - tilt)
    away = 2 * (b - a)
    moments = {"variance": p * (1 - p) * away**2, "third": p * (1 - p) * (1 - 2 * p) * away**3}
    return table((a - y) ** 2 - (b - y) ** 2).assign(**moments)


def test_without_an_event_equals_are_not_told_apart() -> None:
    rare = differences(np.full(N, P), 0.3, np.zeros(N))
    usual, least = (compare(rows, TWO).pairs[0] for rows in (rare.drop(columns="variance"), rare))
    assert usual.better == "blues"
    assert usual.interval == pytest.approx((usual.difference, usual.difference))
    assert (least.better, least.rare) == (None, True)
    assert least.interval[0] < 0 < least.interval[1]


@pytest.mark.slow
@pytest.mark.parametrize(("rate", "many"), [(0.02, 54), (0.05, 90)])
def test_equals_on_rare_events_are_seldom_told_apart(rate: float, many: int) -> None:
    rng = np.random.default_rng(4)
    claims = 0
    for _ in range(200):
        rows = differences(np.full(many, rate), 0.3, (rng.random(many) < rate).astype(float))
        claims += compare(rows, TWO).pairs[0].better is not None
    assert claims <= 16  # 8%; without the least error 60 are at 2%, and 11 at 5%


def test_with_many_events_of_both_kinds_the_usual_error_is_enough() -> None:
    assert least_error(differences(np.full(90, 0.5), 0.3, np.zeros(90))) == 0
    assert least_error(differences(np.full(900, 0.1), 0.3, np.zeros(900))) == 0
