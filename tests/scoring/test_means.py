"""Means whose uncertainty counts clusters."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats

from scoring import InputError
from scoring.means import clustered_mean

values = st.lists(st.floats(-10, 10), min_size=3, max_size=12)


def test_without_clusters_it_is_the_t_test() -> None:
    x = np.random.default_rng(0).normal(0.3, 1, 40)
    found = clustered_mean(x)
    expected = stats.ttest_1samp(x, 0)
    assert_allclose([found.statistic, found.p_value], [expected.statistic, expected.pvalue])
    assert_allclose([found.lower, found.upper], expected.confidence_interval())


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


@given(values)
def test_half_the_weight_twice_is_the_whole_weight_once(x: list[float]) -> None:
    once = clustered_mean(x)
    halves = clustered_mean([*x, *x], [*range(len(x)), *range(len(x))], [0.5] * (2 * len(x)))
    assert_allclose(halves[:3], once[:3], atol=1e-9)


def test_what_weighs_nothing_is_no_cluster() -> None:
    assert clustered_mean([1, 2, 5, 9], weight=[1, 1, 1, 0]) == clustered_mean([1, 2, 5])


def test_one_cluster_has_a_mean_and_no_more() -> None:
    found = clustered_mean([1, 3], ["a", "a"])
    assert found.mean == 2
    assert all(math.isnan(x) for x in found[1:])


def test_values_that_do_not_vary_have_an_interval_of_no_width_and_no_test() -> None:
    found = clustered_mean([0.3, 0.3, 0.3])
    assert found[:3] == (0.3, 0.3, 0.3)
    assert math.isnan(found.p_value)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (([],), "value"),
        (([1.0, math.nan],), "value"),
        (([1.0, 2.0], ["a"]), "cluster"),
        (([1.0, 2.0], None, [1.0]), "weight"),
        (([1.0, 2.0], None, [0.0, 0.0]), "weight"),
        (([1.0, 2.0], None, [1.0, -1.0]), "weight"),
    ],
)
def test_what_has_no_mean_is_refused_by_name(arguments: tuple[object, ...], named: str) -> None:
    with pytest.raises(InputError, match=named):
        clustered_mean(*arguments)  # type: ignore[arg-type]
