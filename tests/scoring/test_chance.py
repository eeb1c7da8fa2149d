"""The null distribution of miscalibration."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.optimize import isotonic_regression
from scipy.stats import norm

from scoring import chance, parallel
from scoring.outcome_draws import link_of, outcome_draws, residual_sums
from scoring.reliability_null import Claims
from scoring.reliability_null import variances as variances_of
from tests.scoring.strategies import named
from tests.scoring.test_inference import tournament

seeds = st.integers(0, 10**6)


def slow(
    p: Any, y: Any, w: Any, q: Any, draws: np.ndarray, distance: float = 1, steepness: float = 1
) -> tuple[Any, ...]:
    """The null in a loop: one draw and one question at a time."""
    points = sorted(set(p))
    place = [points.index(each) for each in p]

    def miscalibration(outcome: Any) -> tuple[float, Any]:
        total, came = np.zeros(len(points)), np.zeros(len(points))
        for i, k in enumerate(place):
            total[k] += w[i]
            came[k] += w[i] * outcome[i]
        fit = isotonic_regression(came / total, weights=total).x
        score = sum(w[i] * (p[i] - outcome[i]) ** 2 for i in range(len(p)))
        best = sum(w[i] * (fit[place[i]] - outcome[i]) ** 2 for i in range(len(p)))
        return (score - best) / sum(w), fit

    found = []
    for draw in draws.T:
        missed = np.array([(draw[q[i]] < p[i]) - p[i] for i in range(len(p))])
        # Widening makes the line that fits the deviations best steeper and more distant.
        middle, mean = np.average(p, weights=w), np.average(missed, weights=w)
        slope = np.polyfit(p, missed, 1, w=np.sqrt(w))[0] if len(points) > 1 else 0
        line = (distance - 1) * mean + (steepness - 1) * slope * (np.array(p) - middle)
        found.append(miscalibration(p + missed + line))
    null = np.array([value for value, _ in found])
    as_much = (null >= miscalibration(y)[0] - 1e-7).sum()
    fits = np.array([fit for _, fit in found])
    return null.mean(), (1 + as_much) / (1 + len(null)), whole(fits)


def whole(fits: np.ndarray) -> np.ndarray:
    """The narrowest band, as many draws cut off on each side, with 90% of the curves in it."""
    ordered = np.sort(fits, axis=0)
    for cut in reversed(range(len(fits) // 2)):
        low, high = ordered[cut], ordered[-1 - cut]
        if ((fits >= low - 1e-9) & (fits <= high + 1e-9)).all(axis=1).mean() >= 0.9:
            return np.array([low, high])
    raise AssertionError("the whole range has all curves")


@pytest.mark.slow
@given(seeds)
def test_it_equals_redrawing_the_outcomes_one_by_one(seed: int) -> None:
    random = np.random.default_rng(seed)
    size = int(random.integers(2, 40))
    q = random.integers(0, 8, size)
    # Equal forecasts within a question, so that nothing is widened.
    p = random.choice([0.0, 0.1, 0.25, 0.5, 0.7, 0.9, 1.0], 8)[q]
    y, w = (random.random(8) < 0.5)[q].astype(float), random.random(size) + 0.1
    draws = outcome_draws(range(8), draws=50, seed=seed)
    found = chance(p=p, y=y, weight=w, question=q, draws=draws)
    expected, p_value, (lower, upper) = slow(p, y, w, q, draws)
    assert_allclose(found.expected, expected, atol=1e-6)
    assert found.p_value == pytest.approx(p_value)
    assert_allclose(found.curve["lower"], lower, atol=1e-5)
    assert_allclose(found.curve["upper"], upper, atol=1e-5)


def test_level_and_slope_of_the_draws_are_stretched_where_forecasts_on_a_question_differ() -> None:
    # Calibrated: 50% throughout, plus a calibrated 20% or 80%. The error of the mean of the two has
    # variance ¼ (0.25 + 0.16 + 2 · 0.16); a shared uniform gives
    # ¼ (0.25 + 0.16 + 2 · 0.10). Only the second forecast has a part in the slope, and the
    # curvature varies enough: the two forecasts count in it with opposite signs.
    p, q = [0.5, 0.2, 0.5, 0.8], [0, 0, 1, 1]
    draws = outcome_draws([0, 1], draws=40)
    y, w = np.array([0.0, 0.0, 1.0, 1.0]), np.ones(4)
    found = chance(p=p, y=y, weight=w, question=q, draws=draws)
    assert_allclose(found.expected, slow(p, y, w, q, draws)[0], atol=1e-6)
    _, p_value, band = slow(p, y, w, q, draws, distance=float(np.sqrt(0.73 / 0.61)))
    assert found.p_value == pytest.approx(p_value)
    assert_allclose(found.curve[["lower", "upper"]].to_numpy().T, np.clip(band, 0, 1), atol=1e-5)


@given(seeds)
def test_the_variances_behind_the_stretch_are_those_of_every_outcome(seed: int) -> None:
    """One uniform by its intervals; calibrated forecasts by a tree of forecasts, each the mean of
    those after it."""
    random = np.random.default_rng(seed)
    options, times = int(random.integers(1, 5)), int(random.integers(1, 4))
    leaves = 2 ** (times - 1)
    p = random.dirichlet(np.ones(options + 1), leaves)[:, : options if options == 1 else None]
    columns = p.shape[1]
    calibrated = 0.0
    value = random.normal(size=(times, columns))  # the same on every branch: known beforehand
    # The forecast at each time on the way to each leaf, and every end of it with its probability.
    paths = np.array([
        [p[leaf >> late << late :][: 1 << late].mean(axis=0) for late in reversed(range(times))]
        for leaf in range(leaves)
    ])  # fmt: skip
    for path in paths:
        ends = [*path[-1], 1 - path[-1].sum()]
        for place, chance_of_it in enumerate(ends):
            y = np.arange(columns) == place
            calibrated += chance_of_it / leaves * ((value * (y - path)).sum()) ** 2
    found = [variances(path, value) for path in paths]
    assert np.mean([each[0] for each in found]) == pytest.approx(calibrated, abs=1e-5)
    for path, (_, spread) in zip(paths, found, strict=True):
        below = np.cumsum(path, axis=1) - path
        cuts = np.unique(np.clip([0, 1, *below.ravel(), *(below + path).ravel()], 0, 1))
        middles, widths = (cuts[1:] + cuts[:-1]) / 2, np.diff(cuts)
        sums = [(value * ((below <= u) & (u < below + path))).sum() for u in middles]
        mean = np.average(sums, weights=widths)
        uniform = np.average((np.array(sums) - mean) ** 2, weights=widths)
        assert spread == pytest.approx(uniform, abs=1e-5)


def variances(path: np.ndarray, value: np.ndarray) -> tuple[float, float]:
    below = (np.cumsum(path, axis=1) - path).ravel()
    claims = Claims(path.ravel(), np.ones(path.size), np.zeros(path.size, dtype=np.intp), below)
    [calibrated], [uniform] = variances_of(claims, value.reshape(-1, 1))
    return calibrated, uniform


def test_many_forecasts_are_drawn_in_steps_and_certainty_stays_apart() -> None:
    p, y, w, q = tournament(200, 20, seed=4)
    p[:2] = 0.0, 1.0
    curve = chance(p=p, y=y, weight=w, question=q).curve
    assert len(curve) <= 202
    assert curve["forecast"].iloc[[0, -1]].tolist() == [0.0, 1.0]
    assert curve["weight"].sum() == pytest.approx(w.sum())
    assert (curve["recalibrated"].diff().dropna() >= -1e-12).all()
    assert_allclose(curve[["lower", "upper"]].iloc[0], 0, atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("questions", "updates"), [(40, 1), pytest.param(60, 6, marks=pytest.mark.long)]
)
def test_the_calibrated_seldom_leave_the_band_or_are_accused(questions: int, updates: int) -> None:
    left, faults = [], []
    for seed in range(200):
        found = chance(**named(*tournament(questions, updates, seed)))
        curve = found.curve
        inside = curve["recalibrated"].between(curve["lower"] - 1e-9, curve["upper"] + 1e-9)
        left.append(not inside.all())
        faults.append(found.p_value <= 0.05)
    # 10% and 5% of 200 are 20 and 10; 31 and 20 or more have probability 1%.
    assert np.mean(left) <= 0.15
    assert np.mean(faults) <= 0.095


def test_an_overconfident_forecaster_is_found_at_fault() -> None:
    found = chance(**named(*tournament(300, 4, seed=7, slope=0.4)))
    assert found.p_value < 0.01


def test_certain_forecasts_are_either_right_or_beyond_luck() -> None:
    found = chance(p=[1.0, 0.0, 1.0], y=[1, 0, 1])
    assert (found.expected, found.p_value) == (0, 1)
    assert chance(p=[1.0, 0.0, 1.0], y=[1, 0, 0]).p_value == 1 / 501


def test_exactly_one_option_of_a_forecast_comes_true_in_each_draw() -> None:
    # With the same weight, the shares of the three options sum to one in every draw, so the
    # band of the sum has no width: three options of equal probability have the mean ⅓.
    p = np.full(3, 1 / 3)
    found = chance(p=p, y=[1, 0, 0], weight=None, question=[0, 0, 0], below=[0, 1 / 3, 2 / 3])
    assert len(found.curve) == 1
    assert_allclose(found.curve[["lower", "upper"]], 1 / 3, atol=1e-6)
    apart = chance(p=p, y=[1, 0, 0], weight=None, question=[0, 1, 2])
    assert apart.curve["upper"].iloc[0] > 0.6


def linked(seed: int, link: float) -> tuple[np.ndarray, ...]:
    """Sixty families of five, calibrated, with correlated outcomes."""
    random = np.random.default_rng(seed)
    family = np.arange(300) // 5
    p = random.choice([0.2, 0.35, 0.5, 0.65, 0.8], 300)
    common, own = random.standard_normal(60)[family], random.standard_normal(300)
    u = norm.cdf(np.sqrt(link) * common + np.sqrt(1 - link) * own)
    return p, (u < p).astype(float), np.ones(300), np.arange(300), family


@pytest.mark.slow
@pytest.mark.parametrize("link", [0.0, 0.4, 0.8])
def test_the_link_of_families_is_found_back(link: float) -> None:
    found = []
    for seed in range(40):
        p, y, w, q, family = linked(seed, link)
        found.append(link_of(residual_sums(p, y, w, q, np.zeros(300), 300), family))
    assert np.mean(found) == pytest.approx(link, abs=0.07)


@pytest.mark.slow
def test_linked_families_are_accused_as_rarely_as_others() -> None:
    p_values, apart = [], []
    for seed in range(100):
        p, y, w, q, family = linked(seed, 0.6)
        p_values.append(chance(p=p, y=y, weight=w, question=q, family=family).p_value)
        apart.append(chance(p=p, y=y, weight=w, question=q).p_value)
    assert np.mean(np.array(p_values) <= 0.05) <= 0.1
    assert np.mean(np.array(apart) <= 0.05) > 0.1


def test_draws_of_a_family_correlate_and_each_is_uniform() -> None:
    draws = outcome_draws([0, 0, 1, 1, 2], link=0.5, draws=4000, seed=1)
    normal = norm.ppf(np.clip(draws.astype(float), 1e-6, 1 - 1e-6))
    agreed = np.corrcoef(normal)
    assert agreed[0, 1] == pytest.approx(0.5, abs=0.05)
    assert agreed[0, 2] == pytest.approx(0, abs=0.05)
    assert draws.mean(axis=1) == pytest.approx(np.full(5, 0.5), abs=0.03)
    assert draws.min() >= 0
    assert draws.max() < 1


def test_several_threads_draw_the_same_numbers() -> None:
    alone = outcome_draws(range(600), draws=3, seed=1)
    with parallel.limited(4):
        assert (outcome_draws(range(600), draws=3, seed=1) == alone).all()


def test_the_same_seed_draws_the_same_alone_as_among_others() -> None:
    assert (outcome_draws([0, 0, 1], 0.3) == outcome_draws(["a", "a", "b"], 0.3)).all()
    assert (outcome_draws([0, 1], seed=1) != outcome_draws([0, 1], seed=2)).any()
    family, rows = [0, 0, 1, 2, 2, 2], [1, 4, 2]
    for link in (0.0, 0.4):
        whole = outcome_draws(family, link, draws=7, seed=3)
        assert (outcome_draws(family, link, draws=7, seed=3, rows=rows) == whole[rows]).all()
        assert len(np.unique(whole)) == whole.size


def test_a_question_with_a_stream_of_its_own_draws_the_same_at_any_position() -> None:
    streams = np.array([2**63 + 5, 7, 11], dtype=np.uint64)
    found = outcome_draws([0, 1, 2], draws=6, streams=streams)
    assert (outcome_draws([0, 1, 2], draws=6, streams=streams[::-1]) == found[::-1]).all()
    assert len(np.unique(found)) == found.size


def test_the_link_of_all_questions_comes_from_sums_over_parts_of_them() -> None:
    p, y, w, q, family = linked(3, 0.6)
    below = np.zeros(len(p))
    odd, many = q % 2 == 1, int(q.max()) + 1
    parts = [residual_sums(p[own], y[own], w[own], q[own], below[own], many) for own in (odd, ~odd)]
    found = link_of(residual_sums(p, y, w, q, below, many), family)
    assert found > 0
    assert link_of(parts[0] + parts[1], family) == pytest.approx(found, abs=1e-9)


def test_options_that_sum_to_one_but_for_rounding_have_a_place_below() -> None:
    p = np.array([0.7, 0.2, 0.1 + 1e-10])
    found = chance(p=p, y=[1, 0, 0], weight=None, question=[0, 0, 0], below=np.cumsum(p) - p)
    assert found.curve["forecast"].tolist() == sorted(p)


def test_weightless_pairs_make_no_difference() -> None:
    columns = tournament(20, 2, seed=8)
    more = map(np.append, columns, (0.4, 1, 0, 99))
    assert chance(**named(*more)).expected == chance(**named(*columns)).expected
