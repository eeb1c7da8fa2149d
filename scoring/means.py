"""Means whose uncertainty counts clusters of questions, not rows."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from scoring.errors import InputError, Problem, refuse

LEVEL = 0.95


class Mean(NamedTuple):
    """A mean, its 95 % interval, and the two-sided test that it is 0.

    All but the mean are NaN with fewer than two clusters; the test also where nothing varies.
    """

    mean: float
    lower: float
    upper: float
    statistic: float
    p_value: float


def clustered_mean(
    value: npt.ArrayLike, cluster: npt.ArrayLike | None = None, weight: npt.ArrayLike | None = None
) -> Mean:
    """Return the weighted mean of ``value`` (n,), with its 95 % interval and the test against 0.

    ``cluster`` (n,) says which values hang together; without it each is by itself. With e_g the
    sum of w (value − mean) over cluster g of G, the standard error is √(G/(G−1) Σ e_g²) / Σ w;
    interval and test take Student's t with G − 1 degrees of freedom. Values that do not vary give
    an interval of no width, and no test.

    Raises InputError for values that are not finite, negative weights, or none at all.
    Liang & Zeger (1986), doi:10.1093/biomet/73.1.13.

    >>> found = clustered_mean([1.0, 2.0, 3.0], ["a", "b", "c"])
    >>> found.mean, round(found.lower, 3), round(found.upper, 3)
    (2.0, -0.484, 4.484)
    """
    values = np.asarray(value, dtype=np.float64)
    if values.shape != (values.size,) or not values.size:
        rule = "the values must be one-dimensional and not none"
        raise InputError([Problem("", "value", None, values.shape, rule)])
    refuse("value", ~np.isfinite(values), values, "must be finite")
    weights = np.ones(len(values)) if weight is None else np.asarray(weight, dtype=np.float64)
    names = np.arange(len(values)) if cluster is None else np.asarray(cluster)
    for name, given in (("weight", weights), ("cluster", names)):
        if given.shape != values.shape:
            raise InputError([Problem("", name, None, given.shape, "there must be one a value")])
    refuse("weight", ~((weights >= 0) & (weights < np.inf)), weights, "must be finite, at least 0")
    total = float(weights.sum())
    if not total > 0:
        raise InputError([Problem("", "weight", None, total, "must not all be zero")])
    # A cluster that weighs nothing has not been seen.
    kept = weights > 0
    values, weights = values[kept], weights[kept]
    group = pd.factorize(names[kept], use_na_sentinel=False)[0]
    mean = float(weights @ values) / total
    sums = np.bincount(group, weights * (values - mean))
    many = len(sums)
    if many < 2:
        return Mean(mean, math.nan, math.nan, math.nan, math.nan)
    # Imported here: not every command that starts needs it.
    from scipy.special import stdtr, stdtrit

    error = math.sqrt(many / (many - 1) * float(sums @ sums)) / total
    reach = float(stdtrit(many - 1, (1 + LEVEL) / 2)) * error
    if error <= 1e-12 * max(abs(mean), 1e-300):
        return Mean(mean, mean, mean, math.nan, math.nan)
    statistic = mean / error
    p_value = 2 * float(stdtr(many - 1, -abs(statistic)))
    return Mean(mean, mean - reach, mean + reach, statistic, p_value)
