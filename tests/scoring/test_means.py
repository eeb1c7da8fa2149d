"""Means with clustered confidence intervals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats

from scoring.means import clustered_mean, skewed, unskewed

values = st.lists(st.floats(-10, 10), min_size=3, max_size=12)


def test_without_clusters_it_is_the_t_test() -> None:
    x = np.random.default_rng(0).normal(0.3, 1, 40)
    found = clustered_mean(x)
    expected = stats.ttest_1samp(x, 0)
    assert_allclose([found.statistic, found.p_value], [expected.statistic, expected.pvalue])
    assert_allclose([found.lower, found.upper], expected.confidence_interval())


def test_halls_transformation_is_the_one_worked_by_hand() -> None:
    # Nine values, skewness 2: a = 2/9, and t + a t² + a² t³/3 + a/2 at t = 3 is
    # 3 + 2 + 4/9 + 1/9.
    assert unskewed(3, 2, 9) == pytest.approx(50 / 9)
    assert skewed(50 / 9, 2, 9) == pytest.approx(3)
    assert unskewed(-3, 2, 9) == pytest.approx(-3 + 2 - 4 / 9 + 1 / 9)
    assert unskewed(1.7, 0, 9) == skewed(1.7, 0, 9) == 1.7


def test_a_mean_of_lopsided_values_is_tested_by_the_numbers_worked_by_hand() -> None:
    # 0, 0, 0, 4: mean 1, deviations −1, −1, −1, 3; squares sum to 12, cubes to 24.
    found = clustered_mean([0, 0, 0, 4], lopsided=True)
    assert found.statistic == pytest.approx(1)  # √(4/3 · 12) / 4 = 1
    skewness = (24 / 4) / 3**1.5 * math.sqrt(4 * 3) / 2
    a = skewness / (3 * 2)
    assert found.p_value == pytest.approx(2 * stats.t.sf(1 + a + a**2 / 3 + a / 2, 3))


def test_lopsided_values_of_clusters_that_weigh_unevenly_count_as_so_many_that_are_alike() -> None:
    # Weights 2, 1, 1: 16/6 effective clusters. Mean 0, deviation sums −2, −2 and 4.
    found = clustered_mean([-1, -2, 4], weight=[2, 1, 1], lopsided=True)
    alike = 16 / 6
    assert found.mean == 0
    error = math.sqrt(alike / (alike - 1) * 24) / 4
    skewness = math.sqrt(alike) * 48 / 24**1.5 * math.sqrt(alike * (alike - 1))
    far = stats.t.ppf(0.975, alike - 1)
    assert found.lower == pytest.approx(-error * skewed(far, skewness, alike))
    assert found.upper == pytest.approx(-error * skewed(-far, skewness, alike))


def test_one_cluster_with_nearly_all_the_weight_leaves_no_interval() -> None:
    found = clustered_mean([1, 2, 3], weight=[1, 1e-9, 1e-9], lopsided=True)
    assert found.mean == pytest.approx(1)
    assert all(math.isnan(number) for number in found[1:])


def test_where_a_few_values_make_the_mean_there_are_few() -> None:
    x = np.where(np.arange(60) < 3, 1.0, 0.0) + np.linspace(-0.01, 0.01, 60)
    plain, rare = clustered_mean(x), clustered_mean(x, rare=True)
    assert rare.mean == plain.mean
    assert rare.upper - rare.lower > 1.5 * (plain.upper - plain.lower)
    e = x - x.mean()
    many = 1 + (e @ e) ** 2 / (e**4).sum()
    assert 3 < many < 5
    half = stats.t.ppf(0.975, many - 1) * np.sqrt(many / (many - 1) * (e @ e)) / 60
    assert rare.upper == pytest.approx(x.mean() + half)


@given(st.lists(st.floats(-10, 10), min_size=3, max_size=12, unique=True), st.booleans())
def test_the_interval_holds_zero_just_when_the_test_does_not_speak(
    x: list[float], lopsided: bool
) -> None:
    found = clustered_mean(x, lopsided=lopsided)
    assume(abs(found.p_value - 0.05) > 1e-6)  # it is NaN without variation
    assert (found.lower <= 0 <= found.upper) == (found.p_value > 0.05)


@pytest.mark.slow
def test_intervals_of_lopsided_scores_hold_the_mean_more_often_than_those_of_t() -> None:
    random = np.random.default_rng(2)
    missed, by_t = 0, 0
    for _ in range(1000):
        x = random.exponential(1, 40)
        found, plain = clustered_mean(x, lopsided=True), stats.ttest_1samp(x, 1).pvalue < 0.05
        missed += not found.lower <= 1 <= found.upper
        by_t += bool(plain)
    assert missed < by_t
    assert missed / 1000 < 0.06


def test_clusters_are_summed_before_anything_is_squared() -> None:
    # Worked by hand: mean 2, sums of deviations −3, 0 and 3, SE √(3/2 · 18) / 6.
    found = clustered_mean([0, 1, 2, 2, 3, 4], list("aabbcc"))
    error = math.sqrt(3 / 2 * 18) / 6
    assert found.mean == 2
    assert found.statistic == pytest.approx(2 / error)
    assert found.upper == pytest.approx(2 + stats.t.ppf(0.975, 2) * error)


@given(values)
def test_every_value_twice_in_a_cluster_of_two_tells_nothing_new(x: list[float]) -> None:
    once = clustered_mean(x)
    twice = clustered_mean([*x, *x], [*range(len(x)), *range(len(x))])
    assert_allclose(twice[:3], once[:3], atol=1e-9)


def test_one_cluster_has_only_a_mean() -> None:
    found = clustered_mean([1, 3], ["a", "a"])
    assert found.mean == 2
    assert all(math.isnan(x) for x in found[1:])


def test_values_that_do_not_vary_have_an_interval_of_no_width_and_no_test() -> None:
    found = clustered_mean([0.3, 0.3, 0.3])
    assert found[:3] == (0.3, 0.3, 0.3)
    assert math.isnan(found.p_value)


def test_a_value_without_weight_is_not_a_cluster() -> None:
    assert clustered_mean([1, 2, 5, 9], weight=[1, 1, 1, 0]) == clustered_mean([1, 2, 5])
