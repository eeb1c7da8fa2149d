"""Calibration measures against their definitions."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import scoring
from scoring import InputError
from scoring.calibration import band, decompose_log
from tests.examples import examples
from tests.scoring.strategies import Pairs, named, pairs


def mean(values: list[float], weights: list[float]) -> float:
    return sum(v * w for v, w in zip(values, weights, strict=True)) / sum(weights)


def pool_adjacent_violators(p: list[float], y: list[float], w: list[float]) -> dict[float, float]:
    """The isotonic fit: merge neighbours until no block is below the one before it."""
    blocks: list[list[float]] = []  # lowest forecast, highest, weight, mean outcome
    for forecast in sorted(set(p)):
        same = [i for i, q in enumerate(p) if q == forecast]
        weights = [w[i] for i in same]
        blocks.append([forecast, forecast, sum(weights), mean([y[i] for i in same], weights)])
        while len(blocks) > 1 and blocks[-2][3] >= blocks[-1][3]:
            _, high, weight, rate = blocks.pop()
            low, _, before, earlier = blocks.pop()
            total = before + weight
            blocks.append([low, high, total, (earlier * before + rate * weight) / total])
    return {q: rate for q in set(p) for low, high, _, rate in blocks if low <= q <= high}


@given(pairs(fractional=True))
def test_the_decomposition_is_that_of_the_isotonic_fit(data: Pairs) -> None:
    p, y, w = data
    fit = pool_adjacent_violators(p, y, w)
    base = mean(y, w)

    def brier(forecasts: list[float]) -> float:
        return mean([(a - b) ** 2 for a, b in zip(forecasts, y, strict=True)], w)

    score, recalibrated, uncertainty = brier(p), brier([fit[q] for q in p]), brier([base] * len(p))
    found = scoring.decompose(p=p, y=y, weight=w)
    expected = (score, score - recalibrated, uncertainty - recalibrated, uncertainty)
    assert_allclose(found, expected, atol=1e-12)


@given(pairs())
def test_murphys_parts_make_up_the_score_of_equal_forecasts(data: Pairs) -> None:
    p, y, w = (2 * column for column in data)
    found = scoring.murphy(p=p, y=y, weight=w)
    whole = found.reliability - found.resolution + found.uncertainty
    assert_allclose(whole, scoring.decompose(p=p, y=y, weight=w).score, atol=1e-12)


def test_murphys_parts_by_bins_use_the_bins_means() -> None:
    found = scoring.murphy(p=[0.1, 0.3, 0.6, 0.8], y=[0, 1, 1, 1], bins=2)
    assert_allclose(found, [0.5 * 0.3**2 + 0.5 * 0.3**2, 0.0625, 0.1875])


def test_murphys_parts_of_forecasts_that_differ_need_bins() -> None:
    with pytest.raises(InputError, match="give bins"):
        scoring.murphy(p=[0.1, 0.3, 0.6, 0.6, 0.8], y=[0, 1, 1, 1, 1])
    assert scoring.murphy(p=[0.1, 0.3, 0.6, 0.6], y=[0, 1, 1, 1]).resolution > 0


@pytest.mark.slow
@given(pairs())
def test_a_weight_is_a_number_of_equal_pairs(data: Pairs) -> None:
    p, y, _ = data
    counts = [1 + i % 3 for i in range(len(p))]
    many = named(np.repeat(p, counts), np.repeat(y, counts))
    by_bins = partial(scoring.murphy, bins=4)
    measures: list[Any] = [scoring.decompose, by_bins, scoring.calibration_error, scoring.roc_auc]
    for measure in measures:
        assert_allclose(measure(p=p, y=y, weight=counts), measure(**many), atol=1e-12)


def test_a_forecast_on_an_edge_belongs_to_the_bin_above_and_one_to_the_last() -> None:
    edges = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    table = scoring.reliability_bins(p=edges, y=[0] * 11)
    assert table["count"].tolist() == [1] * 9 + [2]
    assert table["lower"].tolist() == edges[:-1]


def test_an_empty_bin_is_shown_without_numbers() -> None:
    table = scoring.reliability_bins(p=[0.05, 0.06], y=[0, 1], bins=2)
    assert table["count"].tolist() == [2, 0]
    assert table.loc[1, ["forecast", "observed", "observed_lower"]].isna().all()


def test_the_band_is_the_same_for_the_same_seed() -> None:
    p, y = np.linspace(0.1, 0.9, 50), [0, 1] * 25
    first, again, other = (scoring.reliability_curve(p=p, y=y, seed=seed) for seed in (3, 3, 4))
    pd.testing.assert_frame_equal(first, again)
    assert not other.equals(first)


def test_updates_of_one_question_do_not_narrow_the_band() -> None:
    def width(updates: int, question: np.ndarray | None = None) -> float:
        p, weight = np.full(20 * updates, 0.3), np.full(20 * updates, 1 / updates)
        curve = scoring.reliability_curve(p=p, y=0 * p, weight=weight, question=question)
        return float((curve["upper"] - curve["lower"]).item())

    shared = width(100, np.repeat(np.arange(20), 100))
    assert shared == pytest.approx(width(1), abs=0.05)
    assert width(100) < shared / 5


@given(pairs(fractional=True))
def test_the_area_under_the_murphy_curve_is_the_brier_score(data: Pairs) -> None:
    grid = (np.arange(5000) + 0.5) / 5000
    curve = scoring.murphy_curve(**named(*data), thresholds=grid)
    assert_allclose(curve["score"].mean(), scoring.decompose(**named(*data)).score, atol=8e-4)


@given(pairs(), st.floats(0, 1))
def test_the_murphy_curve_is_the_mean_elementary_score(data: Pairs, threshold: float) -> None:
    p, y, w = data
    loss = [
        2 * abs(b - threshold) if min(a, b) <= threshold < max(a, b) else 0.0
        for a, b in zip(p, y, strict=True)
    ]
    found = scoring.murphy_curve(p=p, y=y, weight=w, thresholds=[threshold])["score"].item()
    assert_allclose(found, mean(loss, w), atol=1e-12)


def test_the_murphy_curve_has_thresholds_of_its_own() -> None:
    assert len(scoring.murphy_curve(p=[0.5], y=[1])) == 201


def test_forecasts_that_differ_by_rounding_are_one_wherever_ties_are_pooled() -> None:
    p, y, w = [0.3, 1 - 0.7, 0.3 + 1e-13, 0.8], [1, 0, 0, 1], [1.0, 2.0, 1.0, 1.0]
    assert len(set(p)) == 4
    same = [0.3, 0.3, 0.3, 0.8]
    for measure in (scoring.decompose, scoring.murphy):
        assert_allclose(measure(p=p, y=y, weight=w), measure(p=same, y=y, weight=w), atol=1e-12)
    assert scoring.roc_auc(p=p, y=y, weight=w) == scoring.roc_auc(p=same, y=y, weight=w)
    for curve in (
        scoring.reliability_curve(p=p, y=y, weight=w),
        scoring.chance(p=p, y=y, weight=w).curve,
    ):
        assert curve["weight"].tolist() == [4.0, 1.0]
        assert_allclose(curve["recalibrated"], [0.25, 1.0])
    apart = [0.3, 0.3 + 1e-11, 0.3, 0.8]
    assert len(scoring.reliability_curve(p=apart, y=y, weight=w)) == 3


def test_nine_of_ten_whole_curves_of_a_calibrated_forecaster_lie_in_the_band() -> None:
    curves = np.sort(np.random.default_rng(8).random((30, 400)), axis=0)
    lower, upper = band(curves, 0.9)
    inside = (curves >= lower[:, None]) & (curves <= upper[:, None])
    assert 0.9 <= inside.all(axis=0).mean() < 0.95
    assert (inside.mean(axis=1) > 0.95).all()


def loss(p: float, y: float) -> float:
    """The log score of one pair, by its definition."""
    parts = [(y, p), (1 - y, 1 - p)]
    return sum(0.0 if a == 0 else math.inf if b <= 0 else -a * math.log(b) for a, b in parts)


@given(pairs(fractional=True))
@settings(max_examples=examples(40))
def test_the_parts_of_the_log_score_are_those_of_the_isotonic_fit(data: Pairs) -> None:
    found = decompose_log(**named(*data))
    kept = [row for row in zip(*data, strict=True) if loss(row[0], row[1]) < math.inf]
    assert found.infinite == len(data[0]) - len(kept)
    if not kept:
        assert math.isnan(found.score)
        return
    p, y, w = map(list, zip(*kept, strict=True))
    fit = pool_adjacent_violators(p, y, w)
    base = mean(y, w)
    score = mean([loss(a, b) for a, b in zip(p, y, strict=True)], w)
    fitted = mean([loss(min(fit[a], 1.0), b) for a, b in zip(p, y, strict=True)], w)
    constant = mean([loss(base, b) for b in y], w)
    assert_allclose(found[:4], [score, score - fitted, constant - fitted, constant], atol=1e-6)
    assert found.score == pytest.approx(
        found.miscalibration - found.discrimination + found.uncertainty
    )
    assert min(found[1:4]) > -1e-9


@given(pairs(fractional=True))
@settings(max_examples=examples(40))
def test_the_errors_are_those_of_each_pair_to_the_isotonic_fit(data: Pairs) -> None:
    p, y, w = data
    fit = pool_adjacent_violators(p, y, w)
    rows = sorted((abs(fit[a] - a), v) for a, v in zip(p, w, strict=True))
    found = scoring.chance(p=p, y=y, weight=w).errors
    assert found.average == pytest.approx(mean([e for e, _ in rows], [v for _, v in rows]))
    assert found.largest == pytest.approx(rows[-1][0])
    upto = np.cumsum([v for _, v in rows])
    errors = [e for (e, _), total in zip(rows, upto, strict=True)
              if total >= 0.9 * upto[-1] - 1e-9]  # fmt: skip
    near = [e for (e, _), total in zip(rows, upto, strict=True)
            if abs(total - 0.9 * upto[-1]) < 1e-9]  # fmt: skip
    assert any(found.p90 == pytest.approx(e) for e in [errors[0], *near, *errors[1:2]])


def test_chance_alone_keeps_the_errors_above_zero() -> None:
    random = np.random.default_rng(4)
    p = random.random(60).round(2)
    found = scoring.chance(p=p, y=(random.random(60) < p) * 1.0)
    assert 0.02 < found.expected_errors.average < 0.2
    assert found.expected_errors.average < found.expected_errors.p90 < found.expected_errors.largest
    bold = scoring.chance(p=p, y=(random.random(60) < 0.5) * 1.0)
    assert bold.errors.average > 2 * bold.expected_errors.average
