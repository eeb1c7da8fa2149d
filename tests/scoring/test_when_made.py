"""Calibration when made: its null is right whatever happens later, and for rare events."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import scoring
from scoring.calibration_when_made import (
    LEVEL,
    WhenMade,
    in_order_of_time,
    level_and_slopes,
    p_of,
)
from scoring.null_distribution import Null, null

SEED = 7
P = st.floats(0.02, 0.98)


def binary(p: np.ndarray) -> np.ndarray:
    return np.column_stack([1 - p, p])


def when_made(*columns: object, **more: object) -> WhenMade:
    names = ("p", "y", "path", "question", "family", "level")
    return scoring.when_made(in_order_of_time(**dict(zip(names, columns, strict=False)), **more))


def single(p: list[float] | np.ndarray, y: list[float] | np.ndarray) -> WhenMade:
    """Return the tests of one forecast a question."""
    n = np.arange(len(p))
    return when_made(binary(np.asarray(p)), binary(np.asarray(y)), n, n)


def all_sums(p: np.ndarray, y: np.ndarray, payoff: np.ndarray):
    one = np.zeros(len(p))
    return in_order_of_time(p=p, y=y, path=one, question=one).sums(payoff)


# A calibrated belief: 40% moves to 70% or 20%; then 70% is settled, or moves to 90% or 50%.
PATHS = [  # the probability of a path before its outcome, its forecasts
    (0.4 * 0.5, [0.4, 0.7]),
    (0.4 * 0.5 * 0.5, [0.4, 0.7, 0.9]),
    (0.4 * 0.5 * 0.5, [0.4, 0.7, 0.5]),
    (0.6, [0.4, 0.2]),
]


@pytest.mark.parametrize("at", [-1.3, -0.4, 0.7, 1.5])
def test_the_moment_generating_function_is_right_wherever_a_path_stops(at: float) -> None:
    expected = estimated = 0.0
    for chance, path in PATHS:
        p = binary(np.array(path))
        payoff = np.column_stack([np.zeros(len(path)), np.array([1.0, -0.3, 2.0])[: len(path)]])
        for y, outcome in ((path[-1], [0.0, 1.0]), (1 - path[-1], [1.0, 0.0])):
            sums = all_sums(p, np.array([outcome] * len(path)), payoff)
            expected += chance * y * math.exp(at * sums.gain[0])
            estimated += chance * y * float(sums.moments(at)[0, 0])
    assert estimated == pytest.approx(expected, rel=1e-12)


@given(st.lists(st.tuples(P, st.floats(-2, 2)), min_size=1, max_size=5))
def test_the_variance_is_the_one_of_the_contract(steps: list[tuple[float, float]]) -> None:
    p, a = np.array(steps).T
    earlier = np.cumsum(a) - a
    variance = float((p * (1 - p) * a * (a + 2 * earlier)).sum())
    payoff = np.column_stack([np.zeros(len(a)), a])
    sums = all_sums(binary(p), binary(np.ones(len(p))), payoff)
    assert sums.variances()[0] == pytest.approx(variance, abs=1e-9)


def test_with_many_forecasts_of_one_size_the_level_is_the_binomial_test() -> None:
    for came in (0, 1, 3, 9, 20, 30):
        y = np.arange(200) < came
        found = single(np.full(200, 0.05), y.astype(float)).level
        tails = stats.binom.cdf(came, 200, 0.05), stats.binom.sf(came - 1, 200, 0.05)
        exact = min(1.0, 2 * min(tails))
        if came:
            assert found.p_value == pytest.approx(exact, rel=0.2)
        else:  # at the end of the distribution the approximation is on the safe side
            assert exact < found.p_value < 1.5 * exact


@pytest.mark.slow
def test_rare_events_do_not_accuse() -> None:
    rng = np.random.default_rng(SEED)
    # A variance estimated from the outcomes accuses 19%: of 200 records, over 8% all but surely.
    p = np.minimum(rng.exponential(0.03, (200, 54)), 0.9)
    y = rng.random(p.shape) < p
    found = [single(*one) for one in zip(p, y.astype(float), strict=True)]
    for name in ("level", "slope", "sharpness"):
        assert np.mean([getattr(test, name).p_value < 0.05 for test in found]) <= 0.08
    assert np.mean([test.p_value < 0.05 for test in found]) <= 0.08


def test_overconfidence_is_found_and_named_by_its_sign() -> None:
    rng = np.random.default_rng(SEED)
    odds = rng.normal(0, 1.2, 300)
    y = (rng.random(300) < 1 / (1 + np.exp(-odds))).astype(float)
    over = single(1 / (1 + np.exp(-2 * odds)), y)
    under = single(1 / (1 + np.exp(-0.5 * odds)), y)
    high = single(1 / (1 + np.exp(-odds - 0.8)), y)
    assert max(over.p_value, under.p_value, high.p_value) < 0.001
    assert over.slope.statistic < 0 < over.sharpness.statistic
    assert under.slope.statistic > 0 > under.sharpness.statistic
    assert high.level.statistic < -3


def test_a_certain_forecast_that_came_true_adds_nothing_and_one_that_failed_rejects() -> None:
    p, y = [0.3, 0.6, 0.2, 0.7] * 10, [0.0, 1.0, 0.0, 0.0] * 10
    plain = single(p, y)
    right = single([*p, 1.0, 0.0], [*y, 1.0, 0.0])
    for name in ("level", "slope", "sharpness"):
        assert getattr(right, name).statistic == pytest.approx(getattr(plain, name).statistic)
    assert right.p_value == pytest.approx(plain.p_value)
    assert not len(right.failed)
    wrong = single([*p, 1.0, 0.0], [*y, 1.0, 1.0])
    assert (list(wrong.failed), wrong.p_value) == ([41], 0.0)


def test_only_certain_forecasts_leave_nothing_to_test() -> None:
    found = single([0.0, 1.0], [0.0, 1.0])
    assert math.isnan(found.p_value)
    assert math.isnan(found.level.p_value)


def test_a_binary_question_with_two_named_options_is_the_same_but_for_the_level() -> None:
    rng = np.random.default_rng(SEED)
    p, y = rng.uniform(0.05, 0.95, 60), (rng.random(60) < 0.5).astype(float)
    n, nothing = np.arange(60), np.zeros((60, 2))
    unordered = when_made(binary(p), binary(y), n, n, level=nothing)
    assert math.isnan(unordered.level.p_value)
    assert unordered.sharpness == single(p, y).sharpness
    padded = [np.column_stack([matrix, nothing]) for matrix in (binary(p), binary(y))]
    again = when_made(*padded, n, n, level=np.zeros((60, 4)))
    assert again.slope.statistic == pytest.approx(unordered.slope.statistic)


def test_families_that_move_together_count_for_less() -> None:
    family = np.repeat(np.arange(20), 4)
    n = np.arange(80)
    p = np.full(80, 0.5)
    together = (np.arange(20) % 5 > 0).astype(float)[family]
    alone = when_made(binary(p), binary(together), n, n)
    linked = when_made(binary(p), binary(together), n, n, family)
    assert linked.level.p_value > alone.level.p_value
    apart = np.tile([0.0, 1.0, 1.0, 0.0], 20)
    found = when_made(binary(p), binary(apart), n, n, family)
    assert (found.level, found.p_value) == (single(p, apart).level, single(p, apart).p_value)


def test_extreme_results_of_few_forecasts_have_finite_answers() -> None:
    for outcomes in itertools.product([0.0, 1.0], repeat=3):
        found = single([0.001, 0.999, 0.5], list(outcomes))
        for test in (found.level, found.slope, found.sharpness):
            assert 0 <= test.p_value <= 1
            assert math.isfinite(test.statistic)


def null_of(payoffs: list[float], p: list[float]) -> Null:
    payoff = np.column_stack([np.zeros(len(p)), payoffs])
    return null(all_sums(binary(np.array(p)), binary(np.ones(len(p))), payoff), np.zeros(1, int))


def test_the_saddlepoint_is_where_the_tilted_mean_is_the_sum() -> None:
    found = null_of([1.0, 0.5, 0.3], [0.2, 0.5, 0.7])
    at = found.saddlepoint(0.2)
    assert found.cumulants(at).mean == pytest.approx(0.2, abs=1e-6)


@pytest.mark.parametrize("size", [0.3, 1.4, 1.6])
def test_the_cumulants_are_those_of_the_moments_near_zero_and_further_out(size: float) -> None:
    found = null_of([1.0, 0.5, 0.3], [0.0, 0.5, 0.7])
    at = size / float(max(np.abs(found.sums.after).max(), np.abs(found.sums.before).max()))
    moment, first, second, third = found.sums.moments(at)[:, 0]
    tilted, mean = found.cumulants(at), first / moment
    assert tilted.value == pytest.approx(math.log(moment), rel=1e-6)
    assert tilted.mean == pytest.approx(mean, rel=1e-6)
    assert tilted.variance == pytest.approx(second / moment - mean**2, rel=1e-5)
    assert tilted.third == pytest.approx(
        third / moment - 3 * mean * second / moment + 2 * mean**3, rel=1e-4
    )


@pytest.mark.slow
@pytest.mark.parametrize("base", [0.02, 0.1, 0.5])
def test_the_range_has_just_the_sums_that_the_test_does_not_reject(base: float) -> None:
    rng = np.random.default_rng(SEED)
    inside = []
    for _ in range(80):
        n = int(rng.integers(3, 80))
        p = np.clip(rng.beta(1, 1 / base - 1, n), 0.001, 0.999)
        y = (rng.random(n) < np.clip(p * rng.choice([0.3, 1.0, 3.0]), 0, 1)).astype(float)
        found = single(p, y)
        low, high = found.null.range()
        total = float(((p - y) ** 2 - p * (1 - p)).sum())
        assert found.null.sums.gain.sum() == pytest.approx(total)
        inside.append(low <= total <= high)
        assert inside[-1] == (found.sharpness.p_value >= 0.05)
    assert 5 < sum(inside) < 80


def test_paths_that_contradict_themselves_have_a_sign_and_a_range() -> None:
    for seed in range(40):
        rng = np.random.default_rng(seed)
        question = np.repeat(np.arange(36), rng.integers(1, 12, 36))
        p = rng.dirichlet([0.3, 0.3], len(question))
        y = np.eye(2)[rng.integers(0, 2, 36)][question]
        found = when_made(p, y, 2 * question + rng.integers(0, 2, len(question)), question)
        low, high = found.null.range()
        assert low < 0 < high
        total, z = float(found.null.sums.gain.sum()), found.sharpness.statistic
        assert abs(z) < 1 or total * z > 0
        assert (low < total < high) == (found.sharpness.p_value >= 0.05)
        # Far off, the interval of the difference is clear of 0, as the p-value says.
        if abs(total) > 2.5 * found.null.deviation:
            assert (high if total > 0 else -low) < 0.99 * abs(total)


def test_a_range_ends_where_the_sum_can_go_no_further() -> None:
    # Not one of two events expected: no surprise.
    low, high = single(np.full(54, 0.02), np.zeros(54)).null.range()
    assert low == pytest.approx(-54 * 0.02 * 0.96)
    assert high > 2 * 0.96


def test_a_statistic_within_the_slack_of_a_grid_is_0_and_beyond_it_smaller() -> None:
    y = np.array([1.0] * 11 + [0.0] * 9)

    def level(p: float, step: float) -> float:
        both = {"p": np.tile([1 - p, p], (20, 1)), "y": np.column_stack([1 - y, y])}
        made = in_order_of_time(**both, path=range(20), question=range(20), step=step)
        return float(scoring.when_made(made).level.statistic)

    assert level(0.5, 0.0) > 0
    # An error of δ/6 is no fault.
    assert level(0.55 - 0.016, 0.1) == 0
    assert 0 < level(0.4, 0.1) < level(0.4, 0.05) < level(0.4, 0.0)
    assert 0 > level(0.7, 0.1) > level(0.7, 0.0)


def test_swings_lower_the_mean_of_the_slope_and_raise_its_variance() -> None:
    rng = np.random.default_rng(SEED)
    of = np.repeat(np.arange(4000), 40)
    belief = rng.uniform(0.15, 0.85, 4000)
    y = (rng.random(4000) < belief).astype(float)[of]
    p = belief[of] + rng.normal(0, 0.02, len(of))
    _, slope, _ = level_and_slopes(in_order_of_time(p=binary(p), y=binary(y), path=of, question=of))
    gain, variance = slope.gain, float(slope.variances().sum())
    spread = float(np.sum(gain**2))
    assert spread > 1.06 * variance  # the Monte Carlo error is 2%
    assert spread == pytest.approx(variance + slope.wider, rel=0.05)
    assert abs(float(gain.sum()) + slope.slack[0]) < 2 * spread**0.5
    assert slope.slack[0] > 2 * spread**0.5


@pytest.mark.parametrize("alike", [-1.0, -0.3, 0.0, 0.7, 0.96, 1.0])
def test_the_p_value_is_that_of_the_level_and_the_larger_slope(alike: float) -> None:
    level, slope, other = np.random.default_rng(3).normal(size=(3, 400_000))
    middle = alike * slope + math.sqrt(1 - alike**2) * other
    larger = np.maximum(slope**2, middle**2)
    for z in (0.5, 2.0, 2.4):
        both, alone = np.mean(LEVEL * level**2 + larger > LEVEL + z**2), np.mean(larger > z**2)
        assert p_of(1.0, z, 0.1, alike) == pytest.approx(both, abs=0.003)
        assert p_of(math.nan, 0.1, -z, alike) == pytest.approx(alone, abs=0.003)
    assert p_of(math.nan, 2.0, 2.0, 1.0) == pytest.approx(stats.chi2.sf(4, 1))


def test_trivial_forecasts_have_no_part_in_the_slope_of_the_middle() -> None:
    rng = np.random.default_rng(SEED)
    p = rng.uniform(0.1, 0.9, 60)
    y = (rng.random(60) < p).astype(float)
    without = single(p, y)
    with_them = single(np.append(p, np.full(100, 0.985)), np.append(y, np.ones(100)))
    assert without.alike == pytest.approx(1)
    assert without.middle == without.slope
    assert with_them.middle.statistic == pytest.approx(without.middle.statistic, abs=0.15)
    assert with_them.slope.statistic > without.slope.statistic + 0.5
    assert with_them.alike < 0.8
