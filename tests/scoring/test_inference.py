"""Tests of calibration, clustered by question."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

import scoring
from tests.scoring.strategies import named


def tournament(
    questions: int, updates: int, seed: int, slope: float = 1.0
) -> tuple[np.ndarray, ...]:
    """Forecasts, outcomes, weights and questions; with slope 1 the forecaster is calibrated."""
    random = np.random.default_rng(seed)
    question = np.repeat(np.arange(questions), updates)
    odds = np.repeat(random.normal(0, 1.2, questions), updates)
    odds = odds + random.normal(0, 0.2, len(odds))
    truth = 1 / (1 + np.exp(-slope * odds))
    y = np.repeat(random.random(questions), updates) < truth
    p = 1 / (1 + np.exp(-odds))
    weight = random.random(len(p))
    weight /= np.repeat(np.add.reduceat(weight, np.arange(0, len(p), updates)), updates)
    return p, y.astype(float), weight, question


def in_statsmodels(
    p: np.ndarray, y: np.ndarray, weight: np.ndarray, question: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The line, and its clustered covariance without small-sample correction."""
    import statsmodels.genmod.generalized_linear_model as glm  # so that collecting does not load it
    from statsmodels.genmod.families import Binomial

    x = np.column_stack([np.ones(len(p)), np.log(p) - np.log1p(-p)])
    model = glm.GLM(y, x, family=Binomial(), var_weights=weight)
    clusters = {"groups": question, "use_correction": False}
    with warnings.catch_warnings():
        # statsmodels warns that weights with clusters are not fully supported.
        warnings.simplefilter("ignore")
        fit = model.fit(tol=1e-14, cov_type="cluster", cov_kwds=clusters)
    return fit.params, fit.cov_params()


def written_out(
    p: np.ndarray, y: np.ndarray, weight: np.ndarray, question: np.ndarray, line: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float]:
    """The sandwich at a line, and the one-step change of the line without each question.

    Last, how many questions of equal leverage would count as much as these.
    """
    names = np.unique(question)
    information, score = np.zeros((len(names), 2, 2)), np.zeros((len(names), 2))
    for number, name in enumerate(names):
        for i in np.flatnonzero(question == name):
            x = np.array([1.0, math.log(p[i] / (1 - p[i]))])
            fitted = 1 / (1 + math.exp(-x @ line))
            information[number] += weight[i] * fitted * (1 - fitted) * np.outer(x, x)
            score[number] += weight[i] * (y[i] - fitted) * x
    bread = np.linalg.inv(information.sum(axis=0))
    meat = sum(np.outer(own, own) for own in score)
    moved = []
    for left_out in range(len(names)):
        rest = [number for number in range(len(names)) if number != left_out]
        moved.append(np.linalg.inv(information[rest].sum(axis=0)) @ score[rest].sum(axis=0))
    leverage = [float(np.trace(own @ bread)) for own in information]
    alike = sum(leverage) ** 2 / sum(own * own for own in leverage)
    return bread @ meat @ bread, np.array(moved), alike


def hotelling(line: np.ndarray, moved: np.ndarray, alike: float) -> tuple[float, float]:
    """F and p-value of the line, with its jackknife covariance."""
    covariance = np.asarray(moved.T @ moved) * (len(moved) - 1) / len(moved)
    away = line - np.array([0, 1])
    f = away @ np.linalg.inv(covariance) @ away / 2 * (alike - 2) / (alike - 1)
    return float(f), float(stats.f.sf(f, 2, alike - 2))


@pytest.mark.parametrize("slope", [0.3, 1.0, 2.0])
def test_the_line_is_that_of_a_clustered_logistic_regression(slope: float) -> None:
    data = tournament(50, 6, 1, slope)
    found = scoring.recalibration(**named(*data))
    line, covariance = in_statsmodels(*data)
    assert_allclose([found.intercept, found.slope], line, rtol=1e-9, atol=1e-9)
    sandwich, moved, alike = written_out(*data, line)
    assert_allclose(covariance, sandwich, rtol=1e-8)
    assert_allclose([found.f, found.p_value], hotelling(line, moved, alike), rtol=1e-7)


def test_fractional_outcomes_have_the_line_that_a_logistic_regression_has() -> None:
    random = np.random.default_rng(3)
    p, y = random.random((2, 40))
    found = scoring.recalibration(p=p, y=y)
    line, _ = in_statsmodels(p, y, np.ones(40), np.arange(40))
    assert_allclose([found.intercept, found.slope], line, rtol=1e-7)


def test_questions_alike_count_each_and_one_that_outweighs_them_takes_their_place() -> None:
    random = np.random.default_rng(5)
    p = np.tile([0.2, 0.8], 30)
    y = (random.random(60) < p).astype(float)
    pair = np.repeat(np.arange(30), 2)

    def alike(weight: np.ndarray) -> float:
        found = scoring.recalibration(p=p, y=y, weight=weight, question=pair)
        line = np.array([found.intercept, found.slope])
        _, moved, count = written_out(p, y, weight, pair, line)
        assert_allclose([found.f, found.p_value], hotelling(line, moved, count), rtol=1e-7)
        return count

    assert alike(np.ones(60)) == pytest.approx(30)
    assert alike(np.where(pair < 5, 1.0, 0.1)) < 15


def test_splitting_a_questions_weight_over_more_updates_proves_nothing_more() -> None:
    p, y, weight, question = tournament(60, 1, seed=4, slope=0.5)
    once = scoring.recalibration(p=p, y=y, weight=weight, question=question)
    split = [np.repeat(each, 20) for each in (p, y, weight / 20, question)]
    assert_allclose(scoring.recalibration(**named(*split))[:4], once[:4], rtol=1e-9)
    for test in (scoring.spiegelhalter, scoring.calibration_in_the_large):
        again, first = test(**named(*split)), test(p=p, y=y, weight=weight, question=question)
        assert_allclose([again.statistic, again.p_value], [first.statistic, first.p_value])


UP = [0.2, 0.3, 0.7, 0.8]
TRACE = [1, 1, 1, 1, 1e-15, 1e-15]  # of weight
MIXED = [0.3, 0.3, 0.6, 0.6, 0.6, 0.4], [0, 1, 0.5, 1, 0, 0.2]
HANGS = [0.5, 0.5, 0.5, 0.5, 0.8, 0.8, 0.8], [0, 1, 0, 1, 1, 1, 0]


@pytest.mark.parametrize(
    ("p", "y", "more", "reason"),
    [
        ([0.0, 0.5, 0.6, 0.4], [0, 1, 0, 1], {}, "0 or 1"),
        ([1.0, 0.5, 0.6, 0.4], [1, 1, 0, 1], {}, "0 or 1"),
        ([0.2, 0.5, 0.6, 0.4], [1, 1, 1, 1], {}, "only one outcome"),
        ([0.5, 0.5, 0.5, 0.5], [1, 1, 0, 1], {}, "all forecasts are equal"),
        ([1e-10] * 2 + [np.nextafter(1e-10, 1)] * 2, [1, 0, 1, 0], {}, "all forecasts are equal"),
        (UP, [0, 0, 1, 1], {}, "separates"),
        ([0.2, 0.5, 0.5, 0.8], [0, 0, 1, 1], {}, "separates"),
        (UP, [1, 1, 0, 0], {}, "separates"),
        # A trace of weight does not undo a separating threshold, nor make a third question.
        ([*UP, 0.9], [0, 0, 1, 1, 0], {"weight": [1, 1, 1, 1, 1e-14]}, "threshold"),
        ([0.2, 0.6, 0.4, 0.7], [0, 0, 1, 1], {"question": [1, 1, 2, 2]}, "fewer than 3"),
        (
            [0.2, 0.6, 0.3, 0.7, 0.3, 0.6],
            [1, 1, 0, 0, 1, 0],
            {"question": [1, 1, 2, 2, 3, 3], "weight": TRACE},
            "fewer than 3 questions",
        ),
        # A line that hangs on one question.
        (*MIXED, {"question": [1, 2, 3, 3, 3, 3]}, "too few or too alike"),
        (*HANGS, {"question": [1, 2, 3, 4, 5, 5, 5]}, "too few or too alike"),
    ],
)
def test_a_missing_estimate_has_a_reason(p: Any, y: Any, more: Any, reason: str) -> None:
    found = scoring.recalibration(p=p, y=y, **more)
    assert not found.estimable
    assert reason in found.reason
    assert np.isnan(found[:4]).all()


def test_the_z_statistics_are_the_sums_written_out() -> None:
    p, y, weight, question = tournament(12, 3, seed=6)
    for test, factor in (
        (scoring.calibration_in_the_large, np.ones(len(p))),
        (scoring.spiegelhalter, 1 - 2 * p),
    ):
        total = sum(weight[i] * (y[i] - p[i]) * factor[i] for i in range(len(p)))
        for names in (None, question):
            variance = 0.0
            for q in range(len(p)) if names is None else range(12):
                own = [q] if names is None else np.flatnonzero(question == q)
                variance += (
                    sum(weight[i] * abs(factor[i]) * math.sqrt(p[i] * (1 - p[i])) for i in own) ** 2
                )
            z = total / math.sqrt(variance)
            found = test(p=p, y=y, weight=weight, question=names)
            assert_allclose([found.statistic, found.p_value], [z, 2 * stats.norm.sf(abs(z))])


def test_nothing_to_test_is_not_a_number() -> None:
    assert math.isnan(scoring.calibration_in_the_large(p=[1.0, 0.0], y=[1, 0]).statistic)
    assert math.isnan(scoring.spiegelhalter(p=[0.5, 0.5], y=[1, 0]).p_value)


@pytest.mark.slow
@pytest.mark.parametrize("updates", [1, 8])
def test_a_calibrated_forecaster_is_seldom_found_at_fault(updates: int) -> None:
    rejected = {"line": 0, "z": 0, "large": 0}
    for seed in range(120):
        data = tournament(80, updates, seed)
        rejected["line"] += scoring.recalibration(**named(*data)).p_value < 0.05
        rejected["z"] += scoring.spiegelhalter(**named(*data)).p_value < 0.05
        rejected["large"] += scoring.calibration_in_the_large(**named(*data)).p_value < 0.05
    # 5% of 120 is 6; 13 or more has probability 1%.
    assert max(rejected.values()) <= 12


def test_probabilities_next_to_0_and_1_have_a_line_like_any_others() -> None:
    p = np.array([0.5, 0.5, 1 - 1e-12, 1 - 1e-12, 1e-12, 1e-12])
    y = np.array([1.0, 1, 0, 0, 1, 0])
    found = scoring.recalibration(p=p, y=y)
    line, _ = in_statsmodels(p, y, np.ones(6), np.arange(6))
    assert_allclose([found.intercept, found.slope], line, rtol=1e-6, atol=1e-9)
    _, moved, alike = written_out(p, y, np.ones(6), np.arange(6), line)
    assert_allclose(found.f, hotelling(line, moved, alike)[0], rtol=1e-5)


def test_the_line_is_the_most_likely_one_or_there_is_a_reason() -> None:
    for seed in range(200):
        random = np.random.default_rng(seed)
        n = int(random.integers(2, 25))
        log_odds = random.normal(0, [0.5, 2, 8, 20][seed % 4], n)
        p = 1 / (1 + np.exp(-log_odds))
        y = random.random(n).round(seed % 3)
        weight = random.random(n) * 10.0 ** random.integers(-12, 12, n if seed % 2 else 1)
        found = scoring.recalibration(p=p, y=y, weight=weight, question=random.integers(0, n, n))
        assert found.estimable == (found.reason == "")
        assert (np.isfinite if found.estimable else np.isnan)(found[:4]).all()
        if found.estimable:
            x = np.column_stack([np.ones(n), np.log(p) - np.log1p(-p)])
            fitted = 1 / (1 + np.exp(-x @ np.array(found[:2])))
            slope_of_likelihood = x.T @ (weight * (y - fitted))
            assert_allclose(slope_of_likelihood / (weight @ np.abs(x)), 0, atol=1e-9)
