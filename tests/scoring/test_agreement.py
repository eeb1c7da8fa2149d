"""Agreement with other packages that compute the same quantities.

They are imported inside the tests, so that collecting tests does not load them all.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import scoring

pytestmark = pytest.mark.slow

RANDOM = np.random.default_rng(20_260_101)
P = RANDOM.random(3000).round(2)
Y = (RANDOM.random(3000) < P**1.3).astype(float)
WEIGHT = RANDOM.random(3000)
VECTORS = RANDOM.dirichlet(np.ones(5), 300)
OPTION = RANDOM.integers(0, 5, 300)


def test_brier_scores_agree_with_scoringrules_and_scikit_learn() -> None:
    import scoringrules
    from sklearn import metrics

    assert_allclose(scoring.brier_score(p=P, y=Y), scoringrules.brier_score(Y, P), atol=1e-15)
    found = np.average(scoring.brier_score(p=P, y=Y), weights=WEIGHT)
    assert_allclose(found, metrics.brier_score_loss(Y, P, sample_weight=WEIGHT), rtol=1e-12)


def test_log_scores_agree_with_scikit_learn() -> None:
    from sklearn import metrics

    inside = np.clip(P, 0.01, 0.99)
    assert_allclose(
        scoring.log_score(p=inside, y=Y).mean(), metrics.log_loss(Y, inside), rtol=1e-12
    )
    found = scoring.log_score(p=VECTORS, y=OPTION).mean()
    assert_allclose(found, metrics.log_loss(OPTION, VECTORS, labels=range(5)), rtol=1e-12)


def test_ranked_probability_scores_agree_with_scoringrules() -> None:
    import scoringrules

    # That package counts outcomes from 1 and does not divide by the number of splits.
    theirs = scoringrules.rps_score(OPTION + 1, VECTORS) / 4
    assert_allclose(scoring.ranked_probability_score(p=VECTORS, y=OPTION), theirs, atol=1e-12)


@pytest.mark.filterwarnings("ignore:numba is not available")
def test_the_crps_agrees_with_scores() -> None:
    import xarray as xr
    from scores import probability

    values = np.sort(RANDOM.random((50, 4)) * 10, axis=1)
    levels = np.array([0.1, 0.4, 0.6, 0.9])
    outcome = RANDOM.random(50) * 10
    found = scoring.crps_piecewise(
        levels=levels, values=values, outcome=outcome, lower=0.0, upper=10.0
    )
    for i in range(50):
        curve = xr.DataArray([0.0, *levels, 1.0], dims="x", coords={"x": [0.0, *values[i], 10.0]})
        theirs = probability.crps_cdf(
            curve, xr.DataArray(outcome[i]), threshold_dim="x", integration_method="exact"
        )
        assert_allclose(found[i], float(theirs["total"]) / 10, rtol=1e-9)


@pytest.mark.parametrize("weight", [None, WEIGHT])
def test_the_decomposition_agrees_with_model_diagnostics(weight: np.ndarray | None) -> None:
    from model_diagnostics import scoring as diagnostics

    theirs = diagnostics.decompose(
        Y, P, weights=weight, scoring_function=diagnostics.SquaredError()
    )
    found = scoring.decompose(p=P, y=Y, weight=weight)
    for name in ("score", "miscalibration", "discrimination", "uncertainty"):
        assert_allclose(getattr(found, name), theirs[name][0], atol=1e-12)


def test_the_reliability_curve_agrees_with_scikit_learns_isotonic_regression() -> None:
    from sklearn import isotonic

    curve = scoring.reliability_curve(p=P, y=Y, weight=WEIGHT)
    theirs = isotonic.IsotonicRegression().fit(P, Y, sample_weight=WEIGHT)
    assert_allclose(curve["recalibrated"], theirs.predict(curve["forecast"]), atol=1e-12)


def test_auc_agrees_with_scikit_learn() -> None:
    from sklearn import metrics

    theirs = metrics.roc_auc_score(Y, P, sample_weight=WEIGHT)
    assert_allclose(scoring.roc_auc(p=P, y=Y, weight=WEIGHT), theirs, rtol=1e-12)


def test_the_murphy_curve_agrees_with_scores() -> None:
    import xarray as xr
    from scores import continuous

    # Packages differ at a threshold equal to a forecast, where the score jumps.
    thresholds = np.arange(0.005, 1, 0.01)
    theirs = continuous.murphy_score(
        xr.DataArray(P, dims="i"),
        xr.DataArray(Y, dims="i"),
        thresholds,
        functional="expectile",
        alpha=0.5,
    )
    # The expectile at one half is the mean, with elementary score |y − θ| / 2.
    found = scoring.murphy_curve(p=P, y=Y, thresholds=thresholds)["score"]
    assert_allclose(found, 4 * theirs["total"], atol=1e-12)
