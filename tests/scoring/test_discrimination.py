"""Discrimination: the AUC, its interval, and the ROC curve."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from numpy.testing import assert_allclose

import scoring
from scoring.arrays import Floats
from scoring.discrimination import clustered_sums, in_order, roc_curve
from tests.examples import examples
from tests.scoring.strategies import Pairs, named, pairs


def obuchowski(p: list[float], y: list[float], cluster: list[int]) -> float:
    """Return the variance of the AUC by the formulas of Obuchowski (1997), section 3, in loops."""

    def order(a: float, b: float) -> float:
        return (a > b) + (a == b) / 2

    true = [(a, g) for a, b, g in zip(p, y, cluster, strict=True) if b == 1]
    false = [(a, g) for a, b, g in zip(p, y, cluster, strict=True) if b == 0]
    area = sum(order(a, b) for a, _ in true for b, _ in false) / len(true) / len(false)
    first = dict.fromkeys(cluster, 0.0)
    second = dict(first)
    for a, g in true:
        first[g] += sum(order(a, b) for b, _ in false) / len(false) - area
    for b, g in false:
        second[g] += sum(order(a, b) for a, _ in true) / len(true) - area
    m, n = len(true), len(false)
    with_true, with_false = len({g for _, g in true}), len({g for _, g in false})
    a, b = with_true / (with_true - 1), with_false / (with_false - 1)
    return (
        a * sum(v**2 for v in first.values()) / m**2
        + b * sum(v**2 for v in second.values()) / n**2
        + 2 * math.sqrt(a * b) * sum(first[g] * second[g] for g in first) / m / n
    )


def variance(p: Floats, y: Floats, cluster: np.ndarray) -> float:
    weight = np.ones(len(p))
    sums = clustered_sums(in_order(p, y, weight), y, weight, cluster)
    return float(sums @ sums)


def test_the_variance_of_an_auc_is_obuchowskis() -> None:
    random = np.random.default_rng(4)
    cluster = np.repeat(np.arange(12), 2)
    p = random.random(24).round(1)
    # One event and one other in each cluster: the effective numbers of clusters are the plain ones.
    y = np.tile([0.0, 1.0], 12)
    found = variance(p, y, cluster)
    assert found == pytest.approx(obuchowski(p.tolist(), y.tolist(), cluster.tolist()))


@given(pairs())
def test_auc_is_the_share_of_pairs_in_the_right_order(data: Pairs) -> None:
    p, y, w = data
    true = [(q, v) for q, outcome, v in zip(p, y, w, strict=True) if outcome == 1]
    false = [(q, v) for q, outcome, v in zip(p, y, w, strict=True) if outcome == 0]
    found = scoring.roc_auc(p=p, y=y, weight=w)
    if not true or not false:
        assert math.isnan(found)
        return
    order = [((a > b) + (a == b) / 2, u * v) for a, u in true for b, v in false]
    share = np.average([a for a, _ in order], weights=[b for _, b in order])
    assert_allclose(found, share, atol=1e-12)


@given(pairs(fractional=True))
@settings(max_examples=examples(30))
def test_the_interval_of_an_auc_contains_it_and_lies_within_its_range(data: Pairs) -> None:
    found = scoring.auc_interval(**named(*data))
    assert found.value == pytest.approx(scoring.roc_auc(**named(*data)), nan_ok=True)
    if math.isnan(found.value):
        assert math.isnan(found.lower)
        return
    assert 0 <= found.lower <= found.value + 1e-9
    assert found.value - 1e-9 <= found.upper <= 1


def test_copies_of_a_question_do_not_narrow_the_interval() -> None:
    random = np.random.default_rng(6)
    p = random.random(60).round(2)
    y = (random.random(60) < p).astype(float)
    once = scoring.auc_interval(p=p, y=y)
    copied = (np.repeat(p, 5), np.repeat(y, 5))
    linked = scoring.auc_interval(**named(*copied), question=np.repeat(np.arange(60), 5))
    assert_allclose(linked, once)
    assert scoring.auc_interval(**named(*copied)).lower > once.lower
    # A weight says the same as copies of one question.
    assert_allclose(scoring.auc_interval(p=p, y=y, weight=np.full(60, 5.0)), once)


def test_the_interval_of_an_auc_covers_it_also_with_rare_events() -> None:
    random, missed = np.random.default_rng(7), 0
    for _ in range(200):
        y = np.append(np.ones(3), np.zeros(60))
        p = 1 / (1 + np.exp(3 - random.normal(0, 1, 63) - 1.5 * y))
        found = scoring.auc_interval(p=p, y=y)
        missed += not found.lower <= 0.8556 <= found.upper  # Φ(1.5 / √2)
    assert missed <= 14  # 5% of 200, and two Monte Carlo errors


@given(pairs())
@settings(max_examples=examples(30))
def test_the_area_under_the_roc_curve_is_the_auc(data: Pairs) -> None:
    curve = roc_curve(**named(*data))
    area = np.trapezoid(curve["hit_rate"], curve["false_alarm_rate"])
    assert area == pytest.approx(scoring.roc_auc(**named(*data)), nan_ok=True)


def test_one_failure_among_near_certain_forecasts_leaves_a_high_auc_possible() -> None:
    # At 0.1% and 99.9% one of 90 forecasts fails in 8% of records, and the true AUC is 0.999.
    p = np.repeat([0.001, 0.999], 45)
    y = (p > 0.5).astype(np.float64)
    y[0] = 1
    found = scoring.auc_interval(p=p, y=y)
    assert found.lower < 0.97
    assert found.upper > 0.999
    assert scoring.auc_interval(p=1 - p, y=y).lower == pytest.approx(1 - found.upper, abs=1e-6)


def test_few_events_in_perfect_order_do_not_prove_perfection() -> None:
    p, y = [0.9, 0.8, *[0.1] * 30], [1, 1, *[0] * 30]
    found = scoring.auc_interval(p=p, y=y)
    assert found.value == found.upper == 1
    assert found.lower < 0.8
