"""Expected and actual Brier score."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

import scoring
from scoring import InputError, luck
from tests.scoring.test_inference import tournament


def test_the_expected_score_is_the_mean_of_p_times_not_p() -> None:
    found = luck([0.9, 0.5, 0.2], [1, 0, 0], [1.0, 2.0, 1.0])
    assert found.expected == pytest.approx((0.09 + 2 * 0.25 + 0.16) / 4)
    assert found.realised == pytest.approx((0.01 + 2 * 0.25 + 0.04) / 4)
    assert found.difference == pytest.approx(found.realised - found.expected)


def test_the_test_has_the_variance_of_a_calibrated_forecaster() -> None:
    p, y, weight, question = tournament(60, 5, seed=3)
    found = luck(p, y, weight, question)
    gap = float(weight @ ((p - y) ** 2 - p * (1 - p)))
    # Forecasts on one question may move together entirely.
    of_question = np.bincount(question, weight * np.abs(1 - 2 * p) * np.sqrt(p * (1 - p)))
    error = np.sqrt(of_question @ of_question)
    assert_allclose(found.statistic, gap / error)
    assert_allclose(found.p_value, 2 * stats.norm.sf(abs(gap / error)))
    half = stats.norm.ppf(0.975) * error / weight.sum()
    assert_allclose([found.lower, found.upper], [found.difference - half, found.difference + half])


def test_a_fractional_outcome_is_no_fault_of_the_forecast_that_it_equals() -> None:
    found = luck([0.3, 0.6, 0.9], [0.3, 0.6, 0.9])
    assert found.realised == 0
    assert found.difference == pytest.approx(0)


@pytest.mark.parametrize("seed", range(20))
def test_the_interval_holds_no_difference_just_when_the_test_does_not_speak(seed: int) -> None:
    found = luck(*tournament(40, 3, seed, slope=0.6))
    assert (found.lower <= 0 <= found.upper) == (found.p_value >= 0.05)


def test_the_interval_counts_questions_and_not_updates() -> None:
    p, y, weight, question = tournament(40, 1, seed=4)
    split = [np.repeat(of, 5) for of in (p, y, weight / 5, question)]
    assert_allclose(luck(*split), luck(p, y, weight, question))


def test_it_is_the_test_of_spiegelhalters_z() -> None:
    p, y, weight, question = tournament(40, 5, seed=5)
    found = luck(p, y, weight, question)
    assert found.difference == pytest.approx(
        float(np.average((y - p) * (1 - 2 * p), weights=weight))
    )
    z = scoring.spiegelhalter(p, y, weight, question)
    assert (found.statistic, found.p_value) == (z.statistic, z.p_value)


@pytest.mark.parametrize(("updates", "least"), [(1, 0.02), (4, 0.005)])
def test_a_calibrated_forecaster_is_found_lucky_or_unlucky_one_time_in_twenty(
    updates: int, least: float
) -> None:
    """Seldom more, and less if forecasts on a question differ: the largest variance counts."""
    found = [luck(*tournament(80, updates, seed)).p_value < 0.05 for seed in range(400)]
    assert least <= np.mean(found) <= 0.08


def test_an_overconfident_one_gets_worse_than_promised() -> None:
    found = luck(*tournament(400, 4, seed=6, slope=0.4))
    assert found.lower > 0
    assert found.p_value < 0.01


def test_forecasts_that_chance_cannot_move_have_scores_and_no_test() -> None:
    found = luck([0.5, 1.0], [1, 1], question=["q", "r"])
    assert found.expected == pytest.approx(0.125)
    assert math.isnan(found.p_value)
    assert math.isnan(found.lower)


def test_what_is_no_probability_is_refused() -> None:
    with pytest.raises(InputError, match="p, row 0"):
        luck([1.2], [1])
