"""Pairs of forecast and outcome: the input of every measure and test of calibration.

``p`` (n,) are probabilities, ``y`` (n,) outcomes in 0..1, ``weight`` (n,) non-negative weights
(default 1). A forecast that was updated gives several pairs: weight each by the share of the
question's time that it was live (see `standing`), so that every question counts once however often
it was updated. Anything else, and an empty input, raises InputError.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from scoring.arrays import Floats, Places
from scoring.errors import float_array, refuse_where, require

# Forecasts that differ by less are one value: 0.3 and 1 − 0.7.
TIE = 1e-12


class Pooled(NamedTuple):
    """Pairs with equal forecasts combined: the forecast, its weight, its mean outcome."""

    forecast: Floats
    weight: Floats
    observed: Floats


def pairs(
    p: npt.ArrayLike, y: npt.ArrayLike, weight: npt.ArrayLike | None
) -> tuple[Floats, Floats, Floats]:
    """Return the validated pairs as arrays of equal length. Raises InputError."""
    forecast, outcome = float_array("p", p), float_array("y", y)
    for name, values in (("p", forecast), ("y", outcome)):
        rule = "p and y must be one-dimensional, of equal length and not empty"
        require(name, values.shape, values.shape == (forecast.size,) and values.size > 0, rule)
        bad = ~((values >= 0) & (values <= 1))
        refuse_where(name, bad, values, "must be finite and lie within 0..1")
    weights = np.ones(len(forecast)) if weight is None else float_array("weight", weight)
    rule = "needs one weight per pair, and at least one above zero"
    require("weight", weights.shape, weights.shape == forecast.shape and weights.sum() > 0, rule)
    bad = ~((weights >= 0) & (weights < np.inf))
    refuse_where("weight", bad, weights, "must be finite, at least 0")
    return forecast, outcome, weights


def grouped_pairs(
    p: npt.ArrayLike, y: npt.ArrayLike, weight: npt.ArrayLike | None, question: npt.ArrayLike | None
) -> tuple[Floats, Floats, Floats, Places]:
    """Return the pairs with positive weight, and the question number of each, from 0.

    Without ``question`` every pair is its own question. Raises InputError.
    """
    forecast, outcome, weights = pairs(p, y, weight)
    names = np.arange(len(forecast)) if question is None else np.asarray(question)
    require("question", names.shape, names.shape == forecast.shape, "needs one question per pair")
    kept = weights > 0
    group = pd.factorize(names[kept], use_na_sentinel=False)[0]
    return forecast[kept], outcome[kept], weights[kept], group


def pool(p: Floats, y: Floats, weight: Floats) -> Pooled:
    """Return the pairs sorted by forecast, with equal forecasts combined."""
    points, place = distinct(p)
    total = np.bincount(place, weight).astype(np.float64)
    sums = np.bincount(place, weight * y)
    kept = total > 0
    return Pooled(points[kept], total[kept], sums[kept] / total[kept])


def distinct(p: Floats) -> tuple[Floats, Places]:
    """Return the distinct forecasts, sorted, and the place of each forecast among them.

    Those closer together than rounding errors (``TIE``) are one, under the smallest of them.
    """
    if (p[1:] >= p[:-1]).all():
        new = np.append(True, np.diff(p) >= TIE)
        return p[new], np.cumsum(new) - 1
    order = np.argsort(p)
    points, sorted_place = distinct(p[order])
    place = np.empty(len(p), dtype=np.intp)
    place[order] = sorted_place
    return points, place


def isotonic(pooled: Pooled) -> Floats:
    """Return the isotonic regression of the outcomes on the forecasts."""
    # Lazy: scipy.optimize takes longer to import than the rest of the package.
    from scipy.optimize import isotonic_regression

    fit = isotonic_regression(pooled.observed, weights=pooled.weight)
    return np.asarray(fit.x, dtype=np.float64)
