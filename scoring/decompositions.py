"""Decompositions of the mean score: miscalibration, discrimination, uncertainty.

Pairs as in `scoring.forecast_pairs`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from scoring.arrays import Floats
from scoring.calibration import reliability_bins
from scoring.errors import require
from scoring.forecast_pairs import Pooled, distinct, isotonic, pairs, pool


class Decomposition(NamedTuple):
    """Mean Brier score and its parts: score = miscalibration − discrimination + uncertainty."""

    score: float
    miscalibration: float
    discrimination: float
    uncertainty: float


class LogDecomposition(NamedTuple):
    """Mean log score and its parts: score = miscalibration − discrimination + uncertainty.

    ``infinite``: the number of pairs left out, whose outcome was called impossible.
    """

    score: float
    miscalibration: float
    discrimination: float
    uncertainty: float
    infinite: int


class Murphy(NamedTuple):
    """Murphy's parts of the Brier score: reliability − resolution + uncertainty."""

    reliability: float
    resolution: float
    uncertainty: float


def decompose(
    *, p: npt.ArrayLike, y: npt.ArrayLike, weight: npt.ArrayLike | None = None
) -> Decomposition:
    """Return the CORP decomposition of the mean Brier score.

    score = miscalibration − discrimination + uncertainty, up to rounding; all parts are >= 0.
    Miscalibration is the gain from recalibrating the forecasts (0 is best), discrimination the gain
    of the recalibrated forecasts over the base rate (more is better), uncertainty the score of the
    base rate. Recalibration is by isotonic regression, so the result does not depend on bins, and
    forecasts that all differ are pooled as far as their outcomes are out of order. In a small
    sample even a perfect forecaster has miscalibration above 0: compare it with `chance`.

    ``p``, ``y``, ``weight`` (n,) are pairs. Raises InputError.

    Dimitriadis, Gneiting & Jordan (2021), doi:10.1073/pnas.2016191118.

    >>> parts = decompose(p=[0.2, 0.2, 0.8, 0.8], y=[0, 0, 1, 0])
    >>> [round(part, 4) for part in parts]
    [0.19, 0.065, 0.0625, 0.1875]
    """
    forecast, outcome, weights = pairs(p, y, weight)
    pooled = pool(forecast, outcome, weights)
    share = pooled.weight / pooled.weight.sum()
    base = float(np.average(outcome, weights=weights))
    fit, point, seen = isotonic(pooled), pooled.forecast, pooled.observed
    # The mean of (a − y)² − (b − y)² is (a − b)(a + b − 2ȳ), with ȳ the mean of y.
    return Decomposition(
        score=float(np.average((forecast - outcome) ** 2, weights=weights)),
        miscalibration=float(share @ ((point - fit) * (point + fit - 2 * seen))),
        discrimination=float(share @ ((base - fit) * (base + fit - 2 * seen))),
        uncertainty=float(np.average((base - outcome) ** 2, weights=weights)),
    )


def decompose_log(
    *, p: npt.ArrayLike, y: npt.ArrayLike, weight: npt.ArrayLike | None = None
) -> LogDecomposition:
    """Return the CORP decomposition of the mean log score −y ln p − (1 − y) ln(1 − p).

    The parts are those of `decompose`, in nats, and all >= 0: isotonic regression is the best
    recalibration under every proper score, so both decompositions have the same curve. Pairs with
    an infinite score are left out and counted. NaN if none is left.

    A pair is a yes/no claim. Of a forecast with several options, each option is one, so the score
    is not −ln p of its outcome.

    ``p``, ``y``, ``weight`` (n,) are pairs. Raises InputError.

    Dimitriadis, Gneiting & Jordan (2021), doi:10.1073/pnas.2016191118; for every proper score
    Brümmer & du Preez (2013), arXiv:1304.2331.

    >>> parts = decompose_log(p=[0.2, 0.2, 0.8, 0.8, 0.0], y=[0, 0, 1, 0, 1])
    >>> [round(part, 4) for part in parts]
    [0.5697, 0.2231, 0.2158, 0.5623, 1]
    """
    forecast, outcome, weights = pairs(p, y, weight)
    known = (weights > 0) & ~((forecast == 0) & (outcome > 0)) & ~((forecast == 1) & (outcome < 1))
    infinite = int((weights > 0).sum() - known.sum())
    if not known.any():
        return LogDecomposition(math.nan, math.nan, math.nan, math.nan, infinite)
    pooled = pool(forecast[known], outcome[known], weights[known])
    share = pooled.weight / pooled.weight.sum()
    base = np.full(len(share), share @ pooled.observed)
    score, fitted, uncertainty = (
        float(share @ _log_loss(of, pooled.observed))
        for of in (pooled.forecast, isotonic(pooled), base)
    )
    return LogDecomposition(score, score - fitted, uncertainty - fitted, uncertainty, infinite)


def _log_loss(p: Floats, observed: Floats) -> Floats:
    """Return the mean log score of a forecast with that mean outcome."""
    # Lazy: scipy is slow to import, and few commands need it.
    from scipy.special import xlog1py, xlogy

    return np.asarray(-xlogy(observed, p) - xlog1py(1 - observed, -p))


def murphy(
    *,
    p: npt.ArrayLike,
    y: npt.ArrayLike,
    weight: npt.ArrayLike | None = None,
    bins: int | npt.ArrayLike | None = None,
) -> Murphy:
    """Return Murphy's decomposition of the Brier score of grouped forecasts.

    Pairs are grouped by equal forecasts, or by ``bins`` as in `reliability_bins`. For groups g with
    mean forecast p_g, mean outcome ȳ_g and share w_g: reliability Σ w_g (p_g − ȳ_g)² (0 is best),
    resolution Σ w_g (ȳ_g − ȳ)² (more is better), uncertainty the score of the base rate.
    reliability − resolution + uncertainty equals the mean Brier score if forecasts within each
    group are equal. With few pairs per group the first two parts are too large: see `decompose`.
    Of forecasts that differ, as continuous ones do, the resolution would simply be the uncertainty:
    without ``bins`` at least half of the pairs must share their forecast with another.

    ``p``, ``y``, ``weight`` (n,) are pairs. Raises InputError.

    Murphy (1973), doi:10.1175/1520-0450(1973)012<0595:ANVPOT>2.0.CO;2.

    >>> [round(part, 4) for part in murphy(p=[0.2, 0.2, 0.8, 0.8], y=[0, 0, 1, 0])]
    [0.065, 0.0625, 0.1875]
    """
    forecast, outcome, weights = pairs(p, y, weight)
    if bins is None:
        shared = np.bincount(distinct(forecast)[1])
        rule = "most forecasts occur once: give bins, or use decompose, which is isotonic"
        require("p", None, 2 * (shared == 1).sum() <= len(forecast), rule)
        grouped = pool(forecast, outcome, weights)
    else:
        table = reliability_bins(p=forecast, y=outcome, weight=weights, bins=bins)
        table = table[table["weight"] > 0]
        grouped = Pooled(*(table[n].to_numpy() for n in ("forecast", "weight", "observed")))
    share = grouped.weight / grouped.weight.sum()
    base = float(np.average(outcome, weights=weights))
    return Murphy(
        reliability=float(share @ (grouped.forecast - grouped.observed) ** 2),
        resolution=float(share @ (grouped.observed - base) ** 2),
        uncertainty=float(np.average((base - outcome) ** 2, weights=weights)),
    )
