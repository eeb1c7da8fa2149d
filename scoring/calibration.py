"""Calibration of probability forecasts.

Reliability diagrams: the isotonic curve with its consistency band, its distance from the forecasts,
and the table of bins; decompositions of the mean score: miscalibration, discrimination,
uncertainty.

All functions take pairs as in `scoring.forecast_pairs`.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from numbers import Integral
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from scoring.arrays import Floats
from scoring.errors import (
    float_array,
    require,
    require_number,
)
from scoring.forecast_pairs import Pooled, distinct, grouped_pairs, isotonic, pairs, pool

RESAMPLES = 1000
# The band is computed at no more than this many forecasts and interpolated between them.
BAND_POINTS = 1000


def reliability_curve(
    *,
    p: npt.ArrayLike,
    y: npt.ArrayLike,
    weight: npt.ArrayLike | None = None,
    question: npt.ArrayLike | None = None,
    level: float = 0.9,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the isotonic reliability curve with its consistency band.

    One row per distinct forecast, sorted: ``forecast``; ``recalibrated``, the isotonic estimate of
    how often such forecasts come true; ``weight``, the total of the pairs; ``lower`` and ``upper``,
    the simultaneous band: the whole curve of a calibrated forecaster with the same forecasts lies
    in it with probability ``level`` (`band`).

    The band is resampled. ``question`` (n,) identifies pairs that share an outcome: each resample
    draws one uniform number per question, and those of its forecasts above the number come true.
    Drawing each pair separately would make the band much too narrow. Without ``question`` every
    pair is its own question. ``seed`` makes the draws reproducible.

    ``p``, ``y``, ``weight`` (n,) are pairs. Raises InputError.

    Dimitriadis, Gneiting & Jordan (2021), doi:10.1073/pnas.2016191118.

    >>> curve = reliability_curve(p=[0.2, 0.2, 0.8, 0.8], y=[0, 1, 1, 1])
    >>> curve[["forecast", "recalibrated", "weight"]]
       forecast  recalibrated  weight
    0       0.2           0.5     2.0
    1       0.8           1.0     2.0
    """
    require_number("level", level, lambda share: 0 < share < 1, "must fulfil 0 < level < 1")
    rule = "must be a whole number, 0 or more"
    whole = isinstance(seed, Integral)
    require_number("seed", seed, lambda number: whole and number >= 0, rule)
    forecast, outcome, weights, group = grouped_pairs(p, y, weight, question)
    pooled = pool(forecast, outcome, weights)
    place = distinct(forecast)[1]
    generator = np.random.default_rng(seed)
    size = len(pooled.forecast)
    at = np.unique(np.linspace(0, size - 1, min(size, BAND_POINTS)).round().astype(np.intp))
    curves = np.empty((RESAMPLES, len(at)))
    for curve in curves:
        drawn = generator.random(int(group.max()) + 1)[group] < forecast
        sums = np.bincount(place, weights * drawn, minlength=size)
        curve[:] = isotonic(pooled._replace(observed=sums / pooled.weight))[at]
    lower, upper = (
        np.interp(pooled.forecast, pooled.forecast[at], edge) for edge in band(curves.T, level)
    )
    return pd.DataFrame(
        {
            "forecast": pooled.forecast,
            "recalibrated": isotonic(pooled),
            "weight": pooled.weight,
            "lower": lower,
            "upper": upper,
        }
    )


def band(curves: Floats, level: float) -> tuple[Floats, Floats]:
    """Return the simultaneous band of curves (points, draws): its lower and its upper edge.

    At each point the k smallest and the k largest values are cut off, less one of each, with the
    largest k that leaves a share ``level`` of the curves wholly inside. So the band is pointwise
    wider than ``level``, just as much as it takes for a whole curve. Davison & Hinkley (1997),
    doi:10.1017/CBO9780511802843, section 4.2.4.

    >>> band(np.array([[0.1, 0.2, 0.3, 0.4], [0.5, 0.7, 0.6, 0.8]]), 0.5)
    (array([0.2, 0.6]), array([0.3, 0.7]))
    """
    near = curves.round(6)  # ties in single precision
    rising, many = np.sort(near, axis=1), near.shape[1]
    needed = many - math.floor((1 - level) * many + 1e-9)

    def too_narrow(cut: int) -> bool:
        inside = (near >= rising[:, cut, None]) & (near <= rising[:, -1 - cut, None])
        return bool(inside.all(axis=0).sum() < needed)

    cut = bisect_left(range(1, many), True, key=too_narrow)
    ordered = np.sort(curves, axis=1)
    return ordered[:, cut], ordered[:, -1 - cut]


class CalibrationErrors(NamedTuple):
    """Eavg, E90 and Emax: how far forecasts are from how often they came true; 0 is best.

    The distance of a forecast is |recalibrated − forecast|, in 0..1. Eavg is its weighted mean, E90
    the smallest distance that 90% of the weight does not exceed, Emax the largest. The three are
    those of `val.prob` in R's package rms, with the isotonic reliability curve in the place of its
    smoother (loess). Chance alone keeps them above 0, Emax far above: see `chance`.

    Harrell (2015), doi:10.1007/978-3-319-19425-7, chapter 10; Austin & Steyerberg (2019),
    doi:10.1002/sim.8281.
    """

    average: float
    p90: float
    largest: float


def errors_of(distance: Floats, weight: Floats) -> tuple[Floats, Floats, Floats]:
    """Return mean, 90th percentile and maximum of each column of distances (n, m)."""
    order = np.argsort(distance, axis=0)
    upto = np.cumsum(weight[order], axis=0)
    reached = (upto >= (0.9 - 1e-12) * weight.sum()).argmax(axis=0)
    ranked = np.take_along_axis(distance, order, axis=0)
    p90 = np.take_along_axis(ranked, reached[None, :], axis=0)[0]
    return np.einsum("i,ij->j", weight, distance) / weight.sum(), p90, ranked[-1]


def reliability_bins(
    *,
    p: npt.ArrayLike,
    y: npt.ArrayLike,
    weight: npt.ArrayLike | None = None,
    bins: int | npt.ArrayLike = 10,
) -> pd.DataFrame:
    """Return forecast and observed rates by bin.

    One row per bin, empty bins included: ``lower`` and ``upper``, the edges; ``count``, the number
    of pairs; ``weight``, their total; ``forecast`` and ``observed``, the weighted means (NaN in an
    empty bin); ``observed_lower`` and ``observed_upper``, the 95% Wilson interval of a rate seen
    ``weight`` times. Bins are [lower, upper), the last one [lower, upper]. ``bins`` is the number
    of bins of equal width, or their edges, rising from 0 to 1.

    ``p``, ``y``, ``weight`` (n,) are pairs. Raises InputError.

    Wilson (1927), doi:10.1080/01621459.1927.10502953.

    >>> table = reliability_bins(p=[0.1, 0.3, 0.3, 1.0], y=[0, 0, 1, 1], bins=2)
    >>> table[["lower", "upper", "count", "forecast", "observed"]].round(3)
       lower  upper  count  forecast  observed
    0    0.0    0.5      3     0.233     0.333
    1    0.5    1.0      1     1.000     1.000
    """
    forecast, outcome, weights = pairs(p, y, weight)
    edges = _edges(bins)
    size = len(edges) - 1
    place = np.minimum(np.searchsorted(edges, forecast, side="right") - 1, size - 1)
    count = np.bincount(place, minlength=size)
    total = np.bincount(place, weights, minlength=size).astype(np.float64)
    with np.errstate(invalid="ignore"):
        mean = np.bincount(place, forecast * weights, minlength=size) / total
        observed = np.bincount(place, outcome * weights, minlength=size) / total
    low, high = wilson(observed, total)
    return pd.DataFrame(
        {
            "lower": edges[:-1],
            "upper": edges[1:],
            "count": count,
            "weight": total,
            "forecast": mean,
            "observed": observed,
            "observed_lower": low,
            "observed_upper": high,
        }
    )


def _edges(bins: int | npt.ArrayLike) -> Floats:
    if isinstance(bins, int | np.integer):
        # k / bins is the double nearest to the decimal fraction, so 0.3 starts a bin.
        edges = np.arange(int(bins) + 1) / max(int(bins), 1)
    else:
        edges = float_array("bins", bins)
    line = edges.ndim == 1 and len(edges) >= 2
    rises = line and edges[0] == 0 and edges[-1] == 1 and (np.diff(edges) > 0).all()
    rule = "must be a positive number of bins, or edges that rise from 0 to 1"
    require("bins", bins, rises, rule)
    return edges


def wilson(rate: Floats, n: Floats) -> tuple[Floats, Floats]:
    """Return the ends of the 95% intervals of rates seen in ``n`` observations each.

    Wilson (1927), doi:10.1080/01621459.1927.10502953.
    """
    z = 1.959963984540054
    with np.errstate(invalid="ignore", divide="ignore"):
        centre = (rate + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * np.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    # Rounding must not put an end on the wrong side of the rate, where that is 0 or 1.
    return np.clip(centre - half, 0.0, rate), np.clip(centre + half, rate, 1.0)


def calibration_error(
    *,
    p: npt.ArrayLike,
    y: npt.ArrayLike,
    weight: npt.ArrayLike | None = None,
    bins: int | npt.ArrayLike = 10,
) -> float:
    """Return the mean gap between forecast and observed rates over bins: 0..1, 0 is best.

    Σ_b w_b |forecast_b − observed_b| / Σ_b w_b over the rows of `reliability_bins`, also known as
    the expected calibration error. It depends on the bins, and chance alone keeps it above 0.
    Arguments are those of `reliability_bins`. Raises InputError.
    Naeini, Cooper & Hauskrecht (2015), doi:10.1609/aaai.v29i1.9602.

    >>> round(calibration_error(p=[0.1, 0.3, 0.3, 1.0], y=[0, 0, 1, 1], bins=2), 3)
    0.075
    """
    table = reliability_bins(p=p, y=y, weight=weight, bins=bins)
    gap = (table["forecast"] - table["observed"]).abs()
    return float((gap * table["weight"]).sum() / table["weight"].sum())


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
