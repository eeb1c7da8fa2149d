"""The decomposition of the log score, and the distance between forecasts and outcomes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from numpy.testing import assert_allclose

import scoring
from scoring.calibration import decompose_log
from tests.examples import examples
from tests.scoring.strategies import Pairs, named, pairs
from tests.scoring.test_calibration_measures import mean, pool_adjacent_violators

pytestmark = pytest.mark.slow


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


def test_the_decomposition_of_the_log_score_is_that_of_model_diagnostics() -> None:
    theirs = pytest.importorskip("model_diagnostics.scoring")
    random = np.random.default_rng(3)
    p = random.random(200).clip(0.01, 0.99).round(2)
    y = (random.random(200) < p**1.5) * 1.0
    table = theirs.decompose(y_obs=y, y_pred=p, scoring_function=theirs.LogLoss())
    found = decompose_log(p=p, y=y)
    assert_allclose(found.miscalibration, table["miscalibration"].item(), rtol=1e-6)
    assert_allclose(found.discrimination, table["discrimination"].item(), rtol=1e-6)
    assert_allclose(found.uncertainty, table["uncertainty"].item(), rtol=1e-6)


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
