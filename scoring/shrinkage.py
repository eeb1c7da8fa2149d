"""Skill of many forecasters, by empirical-Bayes shrinkage.

Of fifty equally skilled forecasters the best looks good and the worst looks bad. Empirical Bayes
estimates how far the spread exceeds the errors, and moves each estimate towards the centre by the
share due to chance: far if little is known about a forecaster, hardly at all if much is.

Rejected: a single estimate of the spread τ (Paule & Mandel's, DerSimonian & Laird's) used as if it
were known. It is often 0, which makes everyone equal with certainty; even with Morris's correction
95% intervals covered 92% if half of the spread was chance. τ is integrated out instead.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from scoring.arrays import Floats
from scoring.errors import refuse_where, require
from scoring.means import Families, families_of

LEVEL = 0.95
FEWEST_TO_SHRINK = 4
SPREADS = 200
# The variance pooled over all forecasters counts like this many families of one's own.
SHARED_FAMILIES = 30


class Shrunk(NamedTuple):
    """Estimates shrunk towards their centre.

    ``centre`` and ``spread`` are the mean and standard deviation of the true values; the rest has
    one item per estimate: the shrunk ``estimate``, and its interval from ``lower`` to ``upper``.
    """

    centre: float
    spread: float
    estimate: Floats
    lower: Floats
    upper: Floats


def shrink(estimate: npt.ArrayLike, error: npt.ArrayLike) -> Shrunk:
    """Return the empirical-Bayes estimates of at least four values, with 95% intervals.

    ``estimate`` (k,) with standard errors ``error`` (k,), above 0. True values are modelled as
    normal with mean μ and standard deviation τ, estimates as normal around them. Given τ, the value
    x_i moves towards μ by the share e_i² / (e_i² + τ²). Estimates and intervals integrate over the
    posterior of τ under a flat prior; intervals cover 95% on average over the k values, not each by
    itself.

    Efron & Morris (1975), doi:10.1080/01621459.1975.10479864; for the integral over τ Gelman
    (2006), doi:10.1214/06-BA117A.

    >>> found = shrink([28, 8, -3, 7, -1, 1, 18, 12], [15, 10, 16, 11, 9, 11, 10, 18])
    >>> found.estimate.round(1).tolist()
    [11.4, 7.9, 6.1, 7.6, 5.1, 6.1, 10.7, 8.5]
    """
    x, e = (np.asarray(values, dtype=np.float64) for values in (estimate, error))
    # A grid for τ from 0 to infinity, densest around its likely size.
    size = float(np.hypot(x.std(), np.median(e)))
    share = (np.arange(SPREADS) + 0.5) / SPREADS
    spread = size * share / (1 - share)
    weight = 1 / (e**2 + spread[:, None] ** 2)
    total = weight.sum(axis=1)
    centre = (weight @ x) / total
    off = (weight * (x - centre[:, None]) ** 2).sum(axis=1)
    fit = (np.log(weight).sum(axis=1) - np.log(total) - off) / 2 - 2 * np.log1p(-share)
    chance = np.exp(fit - fit.max())
    chance /= chance.sum()

    pull = e**2 * weight
    mean = x + pull * (centre[:, None] - x)
    deviation = np.sqrt(e**2 * (1 - pull) + pull**2 / total[:, None])
    return Shrunk(
        float(chance @ centre),
        float(chance @ spread),
        chance @ mean,
        _quantile((1 - LEVEL) / 2, chance, mean, deviation),
        _quantile((1 + LEVEL) / 2, chance, mean, deviation),
    )


def _quantile(level: float, chance: Floats, mean: Floats, deviation: Floats) -> Floats:
    """Return a quantile of each column's mixture of normals, by bisection."""
    # Lazy: scipy is slow to import, and few commands need it.
    from scipy.special import ndtr

    low, high = (mean - 9 * deviation).min(axis=0), (mean + 9 * deviation).max(axis=0)
    for _ in range(60):
        middle = (low + high) / 2
        below = chance @ ndtr((middle - mean) / deviation) < level
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.asarray((low + high) / 2)


def skills(scores: pd.DataFrame, families: Families | None = None) -> pd.DataFrame:
    """Return each forecaster's mean score and shrunk skill.

    ``scores`` are the rows of `score` under one protocol, preferably ``skill``: relative to the
    others at the same times, a score does not depend on the choice of questions. ``families`` maps
    a question to its family (blank or missing: its own).

    Columns: ``forecaster``, ``questions``, ``families``, ``mean`` with its 95% interval
    ``mean_lower`` to ``mean_upper``, and ``skill`` with ``skill_lower`` to ``skill_upper``, from
    `shrink`. Sorted by skill, highest first. Errors are clustered by family; because a forecaster's
    few families say little about the variance, the variance pooled over all forecasters counts like
    30 families more. Scores on the same questions have correlated errors, so the intervals of
    `shrink` are widened from the normal to Student's t on one degree of freedom fewer than
    forecasters; in simulation they missed 8% otherwise.

    Shrinkage of means: Efron & Morris (1975), doi:10.1080/01621459.1975.10479864. Clustered errors:
    Liang & Zeger (1986), doi:10.1093/biomet/73.1.13. Variances that borrow strength: Smyth (2004),
    doi:10.2202/1544-6115.1027. The weight of 30 families and the step to Student's t are specific
    to this package. Raises InputError for fewer than four forecasters, a score that is not finite,
    or no variation between families.

    >>> scores = pd.DataFrame({"question_id": list("abcd") * 4,
    ...     "forecaster": ["ana"] * 4 + ["ben"] * 4 + ["eva"] * 4 + ["gus"] * 4,
    ...     "score": [3, 2, 4, 1, -1, 0, -2, 1, -2, -1, -3, -2, 1, -1, 1, 0]})
    >>> skills(scores)[["forecaster", "families", "mean", "skill"]].round(2)
      forecaster  families  mean  skill
    0        ana         4  2.50   2.35
    1        gus         4  0.25   0.24
    2        ben         4 -0.50  -0.47
    3        eva         4 -2.00  -1.88
    """
    # Lazy: scipy is slow to import, and few commands need it.
    from scipy.special import ndtri, stdtrit

    value = scores["score"].to_numpy(dtype=np.float64)
    refuse_where("score", ~np.isfinite(value), value, "must be finite")
    who, names = pd.factorize(scores["forecaster"], sort=True)
    family = families_of(scores["question_id"], families)
    many = len(names)
    rule = f"needs at least {FEWEST_TO_SHRINK} forecasters"
    require("forecaster", many, many >= FEWEST_TO_SHRINK, rule, "scores")
    questions = np.bincount(who, minlength=many)
    mean = np.bincount(who, value, many) / questions
    cell, own = np.unique(np.stack([who, family]), axis=1, return_inverse=True)
    sums, sizes = np.bincount(own.ravel(), value - mean[who]), np.bincount(own.ravel())
    counted = np.bincount(cell[0], minlength=many)
    squares = np.bincount(cell[0], sums**2, many)
    # The variance of a sum over a family grows with its size, less the part due to the mean.
    varies = questions - np.bincount(cell[0], sizes**2, many) / questions
    varied = squares.sum() > 0
    require("score", None, varied, "must vary between families of questions", "scores")
    pooled = squares.sum() / varies.sum()
    degrees = counted - 1 + SHARED_FAMILIES
    variance = (counted * squares * (counted > 1) + SHARED_FAMILIES * pooled * questions) / degrees
    error = np.sqrt(variance) / questions
    found = shrink(mean, error)
    reach = stdtrit(degrees, (1 + LEVEL) / 2) * error
    wider = float(stdtrit(many - 1, (1 + LEVEL) / 2) / ndtri((1 + LEVEL) / 2))
    table = pd.DataFrame(
        {
            "forecaster": names,
            "questions": questions,
            "families": counted,
            "mean": mean,
            "mean_lower": mean - reach,
            "mean_upper": mean + reach,
            "skill": found.estimate,
            "skill_lower": found.estimate - wider * (found.estimate - found.lower),
            "skill_upper": found.estimate + wider * (found.upper - found.estimate),
        }
    )
    return table.sort_values(["skill", "forecaster"], ascending=[False, True], ignore_index=True)
