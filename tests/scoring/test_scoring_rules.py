"""Scoring rules."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import scoring
from scoring import InputError
from tests.scoring import slow_reference

RULES = [
    scoring.brier_score,
    scoring.brier_original,
    scoring.log_score,
    scoring.spherical_score,
    scoring.ranked_probability_score,
]
chances = st.floats(0, 1, allow_subnormal=False)
vectors = st.lists(st.integers(1, 99), min_size=2, max_size=6).map(
    lambda parts: [part / sum(parts) for part in parts]
)


def test_a_certain_and_wrong_forecast_scores_the_worst_there_is() -> None:
    worst = [float(rule(p=[0.0], y=[1])[0]) for rule in RULES]
    assert worst == [1, 2, math.inf, 1, 1]


@pytest.mark.parametrize("rule", RULES)
def test_swapped_forecasts_and_outcomes_are_refused(rule: Callable[..., np.ndarray]) -> None:
    for p, y in (([1, 0, 1], [0.9, 0.2, 0.7]), ([[0, 1], [1, 0]], [[0.3, 0.7], [0.8, 0.2]])):
        rule(p=y, y=p)
        with pytest.raises(InputError, match="swapped"):
            rule(p=p, y=y)
        with pytest.raises(TypeError):
            rule(p, y)


def test_a_scalar_gives_a_scalar() -> None:
    assert scoring.brier_score(p=0.25, y=1) == 0.5625
    assert np.ndim(scoring.log_score(p=0.25, y=1)) == 0


@given(chances, st.sampled_from([0.0, 1.0]))
def test_a_binary_forecast_scores_as_its_two_options(p: float, y: float) -> None:
    for rule in RULES:
        assert_allclose(rule(p=[p], y=[y]), rule(p=[[1 - p, p]], y=[int(y)]), rtol=1e-9, atol=1e-12)


@given(vectors, st.data())
def test_vectors_score_as_the_sums_written_out(p: list[float], data: st.DataObject) -> None:
    y = data.draw(st.integers(0, len(p) - 1))
    hot = [1.0 if k == y else 0.0 for k in range(len(p))]
    expected = [
        slow_reference.brier(p, hot),
        2 * slow_reference.brier(p, hot),
        slow_reference.log(p, hot),
        slow_reference.spherical(p, hot),
        slow_reference.rps(p, hot),
    ]
    for rule, value in zip(RULES, expected, strict=True):
        assert_allclose(rule(p=[p], y=[y]), [value], rtol=1e-9, atol=1e-12)
        assert_allclose(rule(p=[p], y=[hot]), [value], rtol=1e-9, atol=1e-12)


@given(st.floats(0.01, 0.99), chances)
def test_an_honest_forecast_is_the_best_one(belief: float, other: float) -> None:
    for rule in RULES:
        honest, lie = (
            belief * rule(p=[p], y=[1])[0] + (1 - belief) * rule(p=[p], y=[0])[0]
            for p in (belief, other)
        )
        assert honest <= lie + 1e-12


@pytest.mark.parametrize("rule", RULES)
def test_a_single_outcome_goes_with_each_forecast(rule: Callable[..., np.ndarray]) -> None:
    assert_allclose(rule(p=[0.2, 0.7], y=1), rule(p=[0.2, 0.7], y=[1, 1]))
    assert_allclose(rule(p=0.2, y=[1, 0]), rule(p=[0.2, 0.2], y=[1, 0]))


def test_a_perfect_forecast_loses_nothing_and_not_less_than_nothing() -> None:
    for p, y in (([1.0, 0.0], [1, 0]), ([1.0, -0.0], [1, 0]), ([[0.0, 1.0, 0.0]], [1])):
        for rule in RULES:
            assert not np.signbit(rule(p=p, y=y)).any()


@pytest.mark.parametrize("scale", [1e-320, 1e-300, 1e300, 1.7e308])
def test_the_crps_is_that_of_the_shape_however_large_the_range(scale: float) -> None:
    def crps(unit: float) -> np.ndarray:
        values, outcome = np.array([[-0.5, 0.0, 0.5]]) * unit, [0.7 * unit]
        return scoring.crps_piecewise(
            levels=[0.2, 0.5, 0.8], values=values, outcome=outcome, lower=-unit, upper=unit
        )

    assert_allclose(crps(scale), crps(1.0), rtol=1e-3 if scale < 1e-310 else 1e-12)


def test_an_outcome_beyond_a_bound_scores_the_whole_range() -> None:
    beyond = scoring.crps_piecewise(
        levels=[0.5], values=[[0.5]] * 3, outcome=[1.0, 7.0, math.inf], lower=0.0, upper=1.0
    )
    assert_allclose(beyond, 1 / 3)


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=5),
    st.lists(st.floats(0, 10), min_size=1, max_size=5),
    st.floats(-1, 11),
)
def test_the_crps_is_the_integral(levels: list[float], values: list[float], y: float) -> None:
    size = min(len(levels), len(values))
    level, value = np.sort(levels[:size]), np.sort(values[:size])
    found = scoring.crps_piecewise(levels=level, values=[value], outcome=y, lower=0.0, upper=10.0)
    z = (np.arange(200_000) + 0.5) / 20_000
    first = level[0] if value[0] == 0 else 0.0
    last = level[-1] if value[-1] == 10 else 1.0
    curve = np.interp(z, [0.0, *value, 10.0], [first, *level, last])
    assert_allclose(found[0], np.mean((curve - (z >= y)) ** 2), atol=2e-4)
