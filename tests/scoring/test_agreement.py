"""Agreement with other packages that compute the same quantities.

They are imported inside the test, so that collecting tests does not load them all.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import scoring
from scoring.calibration import decompose_log

RANDOM = np.random.default_rng(20_260_101)
P = RANDOM.random(3000).round(2)
INNER = P.clip(0.01, 0.99)
Y = (RANDOM.random(3000) < P**1.3).astype(float)
WEIGHT = RANDOM.random(3000)
VECTORS = RANDOM.dirichlet(np.ones(5), 300)
OPTION = RANDOM.integers(0, 5, 300)


@pytest.mark.slow
def test_scores_and_measures_agree_with_other_packages() -> None:
    import scoringrules
    from model_diagnostics import scoring as diagnostics
    from sklearn import isotonic, metrics

    assert_allclose(scoring.brier_score(p=P, y=Y), scoringrules.brier_score(Y, P), atol=1e-15)
    # That package counts outcomes from 1 and does not divide by the number of splits.
    theirs = scoringrules.rps_score(OPTION + 1, VECTORS) / 4
    assert_allclose(scoring.ranked_probability_score(p=VECTORS, y=OPTION), theirs, atol=1e-12)
    theirs = metrics.log_loss(OPTION, VECTORS, labels=range(5))
    assert_allclose(scoring.log_score(p=VECTORS, y=OPTION).mean(), theirs, rtol=1e-12)
    theirs = metrics.roc_auc_score(Y, P, sample_weight=WEIGHT)
    assert_allclose(scoring.roc_auc(p=P, y=Y, weight=WEIGHT), theirs, rtol=1e-12)
    curve = scoring.reliability_curve(p=P, y=Y, weight=WEIGHT)
    theirs = isotonic.IsotonicRegression().fit(P, Y, sample_weight=WEIGHT)
    assert_allclose(curve["recalibrated"], theirs.predict(curve["forecast"]), atol=1e-12)
    theirs = diagnostics.decompose(
        Y, P, weights=WEIGHT, scoring_function=diagnostics.SquaredError()
    )
    found = scoring.decompose(p=P, y=Y, weight=WEIGHT)
    for name in ("score", "miscalibration", "discrimination", "uncertainty"):
        assert_allclose(getattr(found, name), theirs[name][0], atol=1e-12)
    of_log = decompose_log(p=INNER, y=Y)
    theirs = diagnostics.decompose(Y, INNER, scoring_function=diagnostics.LogLoss())
    for name in ("miscalibration", "discrimination", "uncertainty"):
        assert_allclose(getattr(of_log, name), theirs[name][0], rtol=1e-6)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:numba is not available")
def test_the_crps_and_the_murphy_curve_agree_with_scores() -> None:
    import xarray as xr
    from scores import continuous, probability

    values, levels = np.sort(RANDOM.random((10, 4)) * 10, axis=1), np.array([0.1, 0.4, 0.6, 0.9])
    outcome = RANDOM.random(10) * 10
    found = scoring.crps_piecewise(
        levels=levels, values=values, outcome=outcome, lower=0.0, upper=10.0
    )
    for i in range(10):
        curve = xr.DataArray([0.0, *levels, 1.0], dims="x", coords={"x": [0.0, *values[i], 10.0]})
        happened = xr.DataArray(outcome[i])
        theirs = probability.crps_cdf(
            curve, happened, threshold_dim="x", integration_method="exact"
        )
        assert_allclose(found[i], float(theirs["total"]) / 10, rtol=1e-9)
    # Packages differ at a threshold equal to a forecast, where the score jumps.
    thresholds = np.arange(0.005, 1, 0.01)
    p, y = xr.DataArray(P, dims="i"), xr.DataArray(Y, dims="i")
    theirs = continuous.murphy_score(p, y, thresholds, functional="expectile", alpha=0.5)
    # The expectile at one half is the mean, with elementary score |y − θ| / 2.
    found = scoring.murphy_curve(p=P, y=Y, thresholds=thresholds)["score"]
    assert_allclose(found, 4 * theirs["total"], atol=1e-12)
