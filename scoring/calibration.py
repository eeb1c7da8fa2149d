"""Calibration: whether the things that were called 70 % happen 70 % of the time.

Every function takes pairs: ``p`` (n,), probabilities; ``y`` (n,), outcomes within 0..1; ``weight``
(n,), non-negative, all 1 when it is left out. A forecast that changed is many pairs; give each
the share of the question's time that it stood (`standing` returns it), so that a question counts
once however often it was updated. InputError is raised for anything else, and for no pairs.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from scoring.arrays import Floats, Places
from scoring.errors import (
    InputError,
    Problem,
    float_array,
    refuse_where,
    require_number,
    require_whole_number,
)

RESAMPLES = 1000
# The band is worked out at no more forecasts than this, and is straight between them.
BAND_POINTS = 1000


class Decomposition(NamedTuple):
    """The mean Brier score and its parts: score = miscalibration − discrimination + uncertainty."""

    score: float
    miscalibration: float
    discrimination: float
    uncertainty: float


class Murphy(NamedTuple):
    """Murphy's parts of the Brier score of groups: reliability − resolution + uncertainty."""

    reliability: float
    resolution: float
    uncertainty: float


class Pooled(NamedTuple):
    """Pairs with equal forecasts made one: the forecast, its weight, its mean outcome."""

    forecast: Floats
    weight: Floats
    observed: Floats


def pairs(
    p: npt.ArrayLike, y: npt.ArrayLike, weight: npt.ArrayLike | None
) -> tuple[Floats, Floats, Floats | None]:
    """Return checked pairs as arrays of one length, or raise InputError."""
    forecast, outcome = float_array("p", p), float_array("y", y)
    for name, values in (("p", forecast), ("y", outcome)):
        if values.shape != (forecast.size,) or not values.size:
            rule = "p and y must be of one length, one-dimensional and not empty"
            raise InputError([Problem("", name, None, values.shape, rule)])
        bad = ~((values >= 0) & (values <= 1))
        refuse_where(name, bad, values, "must be finite and lie within 0..1")
    if weight is None:
        return forecast, outcome, None
    weights = float_array("weight", weight)
    if weights.shape != forecast.shape or not weights.sum() > 0:
        rule = "there must be one weight a pair, and not all of them zero"
        raise InputError([Problem("", "weight", None, weights.shape, rule)])
    refuse_where(
        "weight", ~((weights >= 0) & (weights < np.inf)), weights, "must be finite, at least 0"
    )
    return forecast, outcome, weights


def grouped_pairs(
    p: npt.ArrayLike,
    y: npt.ArrayLike,
    weight: npt.ArrayLike | None,
    question: npt.ArrayLike | None,
) -> tuple[Floats, Floats, Floats, Places]:
    """Return checked pairs that have a weight, and the number of each one's question, from 0.

    Without ``question`` each pair is a question of its own. Raises InputError.
    """
    forecast, outcome, weights = pairs(p, y, weight)
    if weights is None:
        weights = np.ones(len(forecast))
    names = np.arange(len(forecast)) if question is None else np.asarray(question)
    if names.shape != forecast.shape:
        rule = "there must be one question a pair"
        raise InputError([Problem("", "question", None, names.shape, rule)])
    kept = weights > 0
    group = pd.factorize(names[kept], use_na_sentinel=False)[0]
    return forecast[kept], outcome[kept], weights[kept], group


def pool(p: Floats, y: Floats, weight: Floats | None) -> Pooled:
    """Return the pairs in order of the forecast, equal forecasts made one."""
    order = np.argsort(p)
    p, y = p[order], y[order]
    first = np.flatnonzero(np.append(True, p[1:] != p[:-1]))
    if weight is None:
        total = np.diff(first, append=len(p)).astype(np.float64)
        return Pooled(p[first], total, np.add.reduceat(y, first) / total)
    weight = weight[order]
    total = np.add.reduceat(weight, first)
    kept = total > 0
    sums = np.add.reduceat(weight * y, first)
    return Pooled(p[first][kept], total[kept], sums[kept] / total[kept])


def isotonic(pooled: Pooled) -> Floats:
    """Return the recalibrated forecasts: the rising function that comes closest to what was."""
    # Imported here, because scipy.optimize takes longer to import than everything else together.
    from scipy.optimize import isotonic_regression

    fit = isotonic_regression(pooled.observed, weights=pooled.weight)
    return np.asarray(fit.x, dtype=np.float64)


def decompose(
    p: npt.ArrayLike, y: npt.ArrayLike, weight: npt.ArrayLike | None = None
) -> Decomposition:
    """Return the mean Brier score with its miscalibration, discrimination and uncertainty.

    score = miscalibration − discrimination + uncertainty, to rounding; all are at least 0.
    Miscalibration is what recalibrating the forecasts would gain (0 is best), discrimination what
    the recalibrated forecasts gain over the base rate (more is better), uncertainty the score of
    the base rate. The recalibration is isotonic, so that nothing depends on a choice of bins.
    A perfect forecaster's miscalibration is not 0 in a small sample; compare it with its null.

    ``p``, ``y``, ``weight`` are pairs, (n,) each; raises InputError for anything else.

    Dimitriadis, Gneiting & Jordan (2021), doi:10.1073/pnas.2016191118.

    >>> parts = decompose([0.2, 0.2, 0.8, 0.8], [0, 0, 1, 0])
    >>> [round(part, 4) for part in parts]
    [0.19, 0.065, 0.0625, 0.1875]
    """
    forecast, outcome, weights = pairs(p, y, weight)
    pooled = pool(forecast, outcome, weights)
    share = pooled.weight / pooled.weight.sum()
    base = float(np.average(outcome, weights=weights))
    fit, seen = isotonic(pooled), pooled.observed
    # (a − y)² − (b − y)² averages to (a − b)(a + b − 2ȳ) where ȳ is the mean of y.
    return Decomposition(
        score=float(np.average((forecast - outcome) ** 2, weights=weights)),
        miscalibration=float(
            share @ ((pooled.forecast - fit) * (pooled.forecast + fit - 2 * seen))
        ),
        discrimination=float(share @ ((base - fit) * (base + fit - 2 * seen))),
        uncertainty=float(np.average((base - outcome) ** 2, weights=weights)),
    )


def reliability_curve(
    p: npt.ArrayLike,
    y: npt.ArrayLike,
    weight: npt.ArrayLike | None = None,
    question: npt.ArrayLike | None = None,
    level: float = 0.9,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the isotonic reliability curve with the band in which a calibrated forecaster stays.

    One row for each distinct forecast, in order: ``forecast``, ``recalibrated`` (how often such
    forecasts came true, made monotone), ``weight`` (the pairs' total), and ``lower``, ``upper``:
    between these lies, at each forecast by itself, the curve of a perfectly calibrated forecaster
    who made the same forecasts, with probability ``level``.

    The band is resampled. ``question`` (n,) says which pairs share an outcome: each question draws
    one uniform number, and comes true in a resample for those of its forecasts that are above it.
    Drawing for each pair by itself would give a band much too narrow; without ``question`` each
    pair is its own. ``seed`` fixes the draws.

    ``p``, ``y``, ``weight`` are pairs, (n,) each; raises InputError for anything else.

    Dimitriadis, Gneiting & Jordan (2021), doi:10.1073/pnas.2016191118.

    >>> curve = reliability_curve([0.2, 0.2, 0.8, 0.8], [0, 1, 1, 1])
    >>> curve[["forecast", "recalibrated", "weight"]]
       forecast  recalibrated  weight
    0       0.2           0.5     2.0
    1       0.8           1.0     2.0
    """
    require_number("level", level, lambda share: 0 < share < 1, "must fulfil 0 < level < 1")
    require_whole_number("seed", seed, 0)
    forecast, outcome, weights, group = grouped_pairs(p, y, weight, question)
    pooled = pool(forecast, outcome, weights)
    place = np.searchsorted(pooled.forecast, forecast)
    generator = np.random.default_rng(seed)
    size = len(pooled.forecast)
    at = np.unique(np.linspace(0, size - 1, min(size, BAND_POINTS)).round().astype(np.intp))
    curves = np.empty((RESAMPLES, len(at)))
    for curve in curves:
        drawn = generator.random(int(group.max()) + 1)[group] < forecast
        sums = np.bincount(place, weights * drawn, minlength=size)
        curve[:] = isotonic(pooled._replace(observed=sums / pooled.weight))[at]
    band = np.quantile(curves, [(1 - level) / 2, (1 + level) / 2], axis=0)
    lower, upper = (np.interp(pooled.forecast, pooled.forecast[at], edge) for edge in band)
    return pd.DataFrame(
        {
            "forecast": pooled.forecast,
            "recalibrated": isotonic(pooled),
            "weight": pooled.weight,
            "lower": lower,
            "upper": upper,
        }
    )


def reliability_bins(
    p: npt.ArrayLike,
    y: npt.ArrayLike,
    weight: npt.ArrayLike | None = None,
    bins: int | npt.ArrayLike = 10,
) -> pd.DataFrame:
    """Return the table of forecasts by bin: what was forecast, what was observed.

    One row a bin, empty ones too: ``lower`` and ``upper``, its edges; ``count``, the pairs in it;
    ``weight``, their total; ``forecast`` and ``observed``, the weighted means (NaN in an empty
    bin); ``observed_lower`` and ``observed_upper``, the 95 % Wilson interval of a rate that was
    observed ``weight`` times. Bins are [lower, upper), the last one [lower, upper]. ``bins`` is
    how many of equal width, or their edges, which must rise from 0 to 1.

    ``p``, ``y``, ``weight`` are pairs, (n,) each; raises InputError for anything else.

    Wilson (1927), doi:10.1080/01621459.1927.10502953.

    >>> table = reliability_bins([0.1, 0.3, 0.3, 1.0], [0, 0, 1, 1], bins=2)
    >>> table[["lower", "upper", "count", "forecast", "observed"]].round(3)
       lower  upper  count  forecast  observed
    0    0.0    0.5      3     0.233     0.333
    1    0.5    1.0      1     1.000     1.000
    """
    forecast, outcome, weights = pairs(p, y, weight)
    edges = _edges(bins)
    place = _bin(forecast, edges)
    size = len(edges) - 1
    count = np.bincount(place, minlength=size)
    total = np.bincount(place, weights, minlength=size).astype(np.float64)
    weighted = 1.0 if weights is None else weights
    with np.errstate(invalid="ignore"):
        mean = np.bincount(place, forecast * weighted, minlength=size) / total
        observed = np.bincount(place, outcome * weighted, minlength=size) / total
    low, high = _wilson(observed, total)
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
        # k / bins is the double nearest to the decimal that people mean: 0.3 starts a bin.
        edges = np.arange(int(bins) + 1) / max(int(bins), 1)
    else:
        edges = float_array("bins", bins)
    line = edges.ndim == 1 and len(edges) >= 2
    if not line or edges[0] != 0 or edges[-1] != 1 or not (np.diff(edges) > 0).all():
        rule = "must be a positive number of bins, or edges that rise from 0 to 1"
        raise InputError([Problem("", "bins", None, bins, rule)])
    return edges


def _bin(forecast: Floats, edges: Floats) -> npt.NDArray[np.intp]:
    return np.minimum(np.searchsorted(edges, forecast, side="right") - 1, len(edges) - 2)


def _wilson(rate: Floats, n: Floats) -> tuple[Floats, Floats]:
    z = 1.959963984540054
    with np.errstate(invalid="ignore", divide="ignore"):
        centre = (rate + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * np.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    return np.maximum(centre - half, 0.0), np.minimum(centre + half, 1.0)


def calibration_error(
    p: npt.ArrayLike,
    y: npt.ArrayLike,
    weight: npt.ArrayLike | None = None,
    bins: int | npt.ArrayLike = 10,
) -> float:
    """Return the mean gap between forecast and observed rates over bins: 0..1, 0 is best.

    Σ_b w_b |forecast_b − observed_b| / Σ_b w_b over the rows of `reliability_bins`, also known as
    the expected calibration error. It depends on the bins, and luck alone keeps it above 0.
    Arguments and errors are those of `reliability_bins`.
    Naeini, Cooper & Hauskrecht (2015), doi:10.1609/aaai.v29i1.9602.

    >>> round(calibration_error([0.1, 0.3, 0.3, 1.0], [0, 0, 1, 1], bins=2), 3)
    0.075
    """
    table = reliability_bins(p, y, weight, bins)
    gap = (table["forecast"] - table["observed"]).abs()
    return float((gap * table["weight"]).sum() / table["weight"].sum())


def murphy(
    p: npt.ArrayLike,
    y: npt.ArrayLike,
    weight: npt.ArrayLike | None = None,
    bins: int | npt.ArrayLike | None = None,
) -> Murphy:
    """Return Murphy's decomposition of the Brier score of grouped forecasts.

    Pairs are grouped by equal forecasts, or by ``bins`` as in `reliability_bins`. Over groups g
    with mean forecast p_g, mean outcome ȳ_g and share w_g: reliability Σ w_g (p_g − ȳ_g)² (0 is
    best), resolution Σ w_g (ȳ_g − ȳ)² (more is better), uncertainty, the score of the base rate.
    reliability − resolution + uncertainty is the mean Brier score exactly when forecasts within a
    group are equal. With few pairs a group, both first parts are too large: see `decompose`.

    ``p``, ``y``, ``weight`` are pairs, (n,) each; raises InputError for anything else.

    Murphy (1973), doi:10.1175/1520-0450(1973)012<0595:ANVPOT>2.0.CO;2.

    >>> [round(part, 4) for part in murphy([0.2, 0.2, 0.8, 0.8], [0, 0, 1, 0])]
    [0.065, 0.0625, 0.1875]
    """
    forecast, outcome, weights = pairs(p, y, weight)
    if bins is None:
        grouped = pool(forecast, outcome, weights)
    else:
        table = reliability_bins(forecast, outcome, weights, bins)
        table = table[table["weight"] > 0]
        grouped = Pooled(*(table[n].to_numpy() for n in ("forecast", "weight", "observed")))
    share = grouped.weight / grouped.weight.sum()
    base = float(np.average(outcome, weights=weights))
    return Murphy(
        reliability=float(share @ (grouped.forecast - grouped.observed) ** 2),
        resolution=float(share @ (grouped.observed - base) ** 2),
        uncertainty=float(np.average((base - outcome) ** 2, weights=weights)),
    )


def murphy_curve(
    p: npt.ArrayLike,
    y: npt.ArrayLike,
    weight: npt.ArrayLike | None = None,
    thresholds: npt.ArrayLike | None = None,
) -> pd.DataFrame:
    """Return the mean elementary score at each threshold: columns ``threshold`` and ``score``.

    The elementary score at θ is 2 |y − θ| where θ lies between forecast and outcome (p ≤ θ < y or
    y ≤ θ < p) and else 0: what someone loses who acts when the forecast is above θ and for whom
    that is the right threshold. Lower is better; a forecaster whose curve is below another's
    everywhere is better by every proper score of binary forecasts. The area under the curve is
    the mean Brier score. ``thresholds`` (m,) lie within 0..1; without them, 201 at equal steps.

    ``p``, ``y``, ``weight`` are pairs, (n,) each; raises InputError for anything else.

    Ehm, Gneiting, Jordan & Krüger (2016), doi:10.1111/rssb.12154.

    >>> murphy_curve([0.8], [1], thresholds=[0.5, 0.8, 0.9]).round(3)
       threshold  score
    0        0.5    0.0
    1        0.8    0.4
    2        0.9    0.2
    """
    forecast, outcome, weights = pairs(p, y, weight)
    at = np.linspace(0, 1, 201) if thresholds is None else float_array("thresholds", thresholds)
    if at.ndim != 1:
        rule = "thresholds must be one-dimensional"
        raise InputError([Problem("", "thresholds", None, at.shape, rule)])
    refuse_where("thresholds", ~((at >= 0) & (at <= 1)), at, "a threshold must lie within 0..1")
    share = np.full(len(forecast), 1.0) if weights is None else weights
    share = share / share.sum()
    # Between the two the score is 2 (y − θ) or 2 (θ − y): a line that starts at the lower of them
    # and is taken back at the higher.
    sign = np.sign(outcome - forecast) * share * 2
    edge = np.concatenate([np.minimum(forecast, outcome), np.maximum(forecast, outcome)])
    rising, which = np.unique(at, return_inverse=True)
    # The first threshold that each edge is not above; there are few of them to search.
    place = np.searchsorted(rising, edge)
    size = len(rising) + 1
    constant = np.bincount(place, np.concatenate([sign * outcome, -sign * outcome]), size)[:-1]
    slope = np.bincount(place, np.concatenate([-sign, sign]), size)[:-1]
    score = np.maximum(np.cumsum(constant) + np.cumsum(slope) * rising, 0.0)
    return pd.DataFrame({"threshold": at, "score": score[which]})


def roc_auc(p: npt.ArrayLike, y: npt.ArrayLike, weight: npt.ArrayLike | None = None) -> float:
    """Return the area under the ROC curve: 0..1, 1 is best, 0.5 knows nothing.

    The probability that a pair that came true had a higher forecast than one that did not, ties
    counting half. A fractional outcome counts for both sides. NaN where only one side occurs.
    ``p``, ``y``, ``weight`` are pairs, (n,) each; raises InputError for anything else.
    Hanley & McNeil (1982), doi:10.1148/radiology.143.1.7063747.

    >>> roc_auc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
    0.75
    """
    pooled = pool(*pairs(p, y, weight))
    true = pooled.weight * pooled.observed
    false = pooled.weight - true
    both = float(true.sum() * false.sum())
    if both <= 0:
        return float("nan")
    return float(true @ (np.cumsum(false) - false / 2)) / both
