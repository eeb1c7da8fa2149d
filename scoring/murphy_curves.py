"""Murphy curves: the mean elementary score at each threshold, and the difference of two sides."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from scoring.arrays import Floats, Places
from scoring.errors import float_vector, refuse_where
from scoring.forecast_pairs import pairs
from scoring.means import LEAST, LEVEL, Families, families_of

DRAWS = 1000
# The band widens no less than for this share of the largest error: at thresholds that hardly any
# forecast crosses, the error is that of a few families, and unknown.
LEAST_ERROR = 0.25
# Families whose multipliers are drawn at once.
_AT_ONCE = 4096


def murphy_curve(
    *,
    p: npt.ArrayLike,
    y: npt.ArrayLike,
    weight: npt.ArrayLike | None = None,
    thresholds: npt.ArrayLike | None = None,
) -> pd.DataFrame:
    """Return the mean elementary score at each threshold: columns ``threshold`` and ``score``.

    The elementary score at θ is 2 |y − θ| if θ lies between forecast and outcome (p ≤ θ < y or
    y ≤ θ < p), otherwise 0: the loss of a decision maker who acts if the forecast exceeds their
    optimal threshold θ. Lower is better; a forecaster whose curve lies below another's
    everywhere is better under every proper score of binary forecasts. The area under the curve is
    the mean Brier score. ``thresholds`` (m,) lie in 0..1; the default is 201 equally spaced.

    ``p``, ``y``, ``weight`` (n,) are pairs. Raises InputError.

    Ehm, Gneiting, Jordan & Krüger (2016), doi:10.1111/rssb.12154.

    >>> murphy_curve(p=[0.8], y=[1], thresholds=[0.5, 0.8, 0.9]).round(3)
       threshold  score
    0        0.5    0.0
    1        0.8    0.4
    2        0.9    0.2
    """
    forecast, outcome, weights = pairs(p, y, weight)
    at = checked_thresholds(thresholds)
    rising, which = np.unique(at, return_inverse=True)
    share = weights / weights.sum()
    nobody = np.zeros(len(forecast), dtype=np.intp)
    score = np.maximum(elementary_sums(forecast, outcome, share, nobody, 1, rising)[0], 0.0)
    return pd.DataFrame({"threshold": at, "score": score[which]})


def checked_thresholds(thresholds: npt.ArrayLike | None) -> Floats:
    """Return the thresholds, by default 201. Raises InputError."""
    at = np.linspace(0, 1, 201) if thresholds is None else float_vector("thresholds", thresholds)
    refuse_where("thresholds", ~((at >= 0) & (at <= 1)), at, "a threshold must lie within 0..1")
    return at


def elementary_sums(
    p: Floats, y: Floats, weight: Floats, group: Places, groups: int, rising: Floats
) -> Floats:
    """Return the sum of weight × elementary score in each group, at rising thresholds.

    The shape is (groups, thresholds). Weights may be negative.
    """
    # Between forecast and outcome the score is 2 (y − θ) or 2 (θ − y): a line that starts at the
    # lower of the two and is subtracted again at the higher.
    sign = np.sign(y - p) * weight * 2
    edge = np.concatenate([np.minimum(p, y), np.maximum(p, y)])
    size = len(rising) + 1
    # The first threshold at or above each edge.
    place = np.tile(group, 2) * size + np.searchsorted(rising, edge)

    def line(steps: Floats) -> Floats:
        both = np.bincount(place, np.concatenate([steps, -steps]), groups * size)
        return np.cumsum(both.reshape(groups, size)[:, :-1], axis=1)

    return np.asarray(line(sign * y) - line(sign) * rising)


def difference_curve(
    difference: Floats,
    question: pd.Series,
    families: Families | None,
    thresholds: Floats,
    curves: int = 1,
) -> pd.DataFrame:
    """Return the mean of the questions' differences at each threshold, with two intervals.

    ``difference`` (questions, thresholds); ``curves``, the number of those read together. Columns:
    ``threshold``, ``difference``; ``lower`` and ``upper``, the 95% interval at this threshold;
    ``band_lower`` and ``band_upper``, the 95% band of all these curves together. NaN below two
    effective families.

    With e_g(θ) the sum of the deviations from the mean over family g and H the effective number of
    families, the error is √(H/(H−1) Σ e_g(θ)²) / n, with Student's t on H − 1 degrees of freedom,
    as in `compare`. The band is the mean ± c × error, with c a quantile of the largest |Σ ξ_g
    e_g(θ)| / error over the thresholds, ξ_g standard normal (the multiplier bootstrap), raised by
    t/z: the 95% quantile for one curve, (100 − 5/m)% for m. An error counts as at least a quarter
    of the largest.

    Ehm & Krüger (2018), doi:10.1214/18-EJS1495, for tests of whole Murphy curves;
    Chernozhukov, Chetverikov & Kato (2013), doi:10.1214/13-AOS1161, for the multipliers.
    """
    # The multipliers are those of the families in the order of their questions.
    by_question = np.argsort(question.to_numpy(), kind="stable")
    difference, question = difference[by_question], question.iloc[by_question]
    mean = difference.mean(axis=0)
    cluster = families_of(question, families)
    sizes = np.bincount(cluster).astype(np.float64)
    effective = float(sizes.sum() ** 2 / (sizes @ sizes))
    columns = {"threshold": thresholds, "difference": mean}
    ends = ("lower", "upper", "band_lower", "band_upper")
    if effective < LEAST:
        return pd.DataFrame(columns | dict.fromkeys(ends, np.nan))
    # Lazy: scipy is slow to import, and few commands need it.
    from scipy.special import ndtri, stdtrit

    order = np.argsort(cluster, kind="stable")
    first = np.flatnonzero(np.diff(cluster[order], prepend=-1))
    sums = np.add.reduceat((difference - mean)[order], first, axis=0)
    sums *= np.sqrt(effective / (effective - 1)) / len(difference)
    error = np.sqrt((sums**2).sum(axis=0))
    far = float(stdtrit(effective - 1, (1 + LEVEL) / 2))
    floored = np.maximum(error, LEAST_ERROR * float(error.max()))
    wide = np.zeros(len(error))
    if error.any():
        drawn, generator = np.zeros((DRAWS, len(error))), np.random.default_rng(0)
        for start in range(0, len(sums), _AT_ONCE):
            block = sums[start : start + _AT_ONCE] / floored
            drawn += generator.standard_normal((DRAWS, len(block))) @ block
        each = 1 - (1 - LEVEL) / curves
        largest = float(np.quantile(np.abs(drawn).max(axis=1), each))
        raised = float(stdtrit(effective - 1, (1 + each) / 2) / ndtri((1 + each) / 2))
        wide = floored * largest * raised
    widths = (-far * error, far * error, -wide, wide)
    return pd.DataFrame(columns | {name: mean + by for name, by in zip(ends, widths, strict=True)})
