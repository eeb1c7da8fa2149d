"""The skill of many forecasters at once, each drawn towards the others as luck demands.

Of fifty forecasters who are alike the best looks good and the worst looks bad. An empirical-Bayes
estimate asks how much of the spread is more than the errors explain, and moves each forecaster
towards the middle by the share that is luck: far if little is known of them, hardly if much is.

Not taken: one estimate of the spread τ (Paule & Mandel's, DerSimonian & Laird's) put in as if it
were known. It is often 0, which makes everyone alike for certain; even with Morris's allowance
95 % intervals then covered 92 % where half of the spread was luck. τ is averaged over instead.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from scoring.arrays import Floats
from scoring.clusters import families_of
from scoring.errors import InputError, Problem, float_array, refuse_where

LEVEL = 0.95
FEWEST_TO_SHRINK = 4
SPREADS = 200
# The spread seen in all forecasters' questions counts as much as so many families of one's own.
SHARED_FAMILIES = 30


class Shrunk(NamedTuple):
    """Estimates drawn towards their centre.

    ``centre`` and ``spread`` are the mean and the standard deviation of the true values; the rest
    holds one item an estimate: the new ``estimate``, and its interval from ``lower`` to ``upper``.
    """

    centre: float
    spread: float
    estimate: Floats
    lower: Floats
    upper: Floats


def shrink(estimate: npt.ArrayLike, error: npt.ArrayLike) -> Shrunk:
    """Return the empirical-Bayes estimates of four values or more, with 95 % intervals.

    ``estimate`` (k,) and their standard errors ``error`` (k,), above 0. True values are taken as
    normal with mean μ and standard deviation τ, the estimates as normal about them. For a given τ
    the value x_i moves towards μ by the share e_i² / (e_i² + τ²). The result averages over τ as
    the data leave it, all values of it being as likely before; so do the intervals, which cover
    95 % on average over the k values rather than each by itself.

    Efron & Morris (1975), doi:10.1080/01621459.1975.10479864; for the average over τ Gelman
    (2006), doi:10.1214/06-BA117A. Raises InputError.

    >>> found = shrink([28, 8, -3, 7, -1, 1, 18, 12], [15, 10, 16, 11, 9, 11, 10, 18])
    >>> found.estimate.round(1).tolist()
    [11.4, 7.9, 6.1, 7.6, 5.1, 6.1, 10.7, 8.5]
    """
    x, e = float_array("estimate", estimate), float_array("error", error)
    if x.shape != (x.size,) or x.shape != e.shape or len(x) < FEWEST_TO_SHRINK:
        rule = f"estimates and errors must be of one length, {FEWEST_TO_SHRINK} or more"
        raise InputError([Problem("", "estimate", None, x.shape, rule)])
    refuse_where("estimate", ~np.isfinite(x), x, "must be finite")
    refuse_where("error", ~((e > 0) & (e < np.inf)), e, "must be finite and above 0")
    # τ from 0 to infinity, closest together about the size that it can have.
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


def skills(
    scores: pd.DataFrame, families: Mapping[Hashable, Hashable] | pd.Series | None = None
) -> pd.DataFrame:
    """Return the mean score of each forecaster beside the one that allows for luck.

    ``scores`` are the rows of `score` under one protocol, ``skill`` for choice: compared with the
    others at the same times, a score does not depend on which questions one took. ``families``
    gives the family of a question (blank or missing: its own).

    Columns ``forecaster``, ``questions``, ``families``, ``mean`` with its 95 % interval
    ``mean_lower`` to ``mean_upper``, and ``skill`` with ``skill_lower`` to ``skill_upper``, which
    `shrink` makes of them. In order of the mean skill, highest first. Errors are clustered by
    family; as a few families of one's own say little of how much they vary, what all forecasters'
    questions vary by counts with them like 30 families more. Scores on the same questions err
    together, so the intervals of `shrink` are widened as from the normal to Student's t with one
    degree of freedom less than forecasters; by simulation they missed 8 % without that.

    Means drawn together: Efron & Morris (1975), doi:10.1080/01621459.1975.10479864. Errors by
    family: Liang & Zeger (1986), doi:10.1093/biomet/73.1.13. A variance that borrows from all
    the others: Smyth (2004), doi:10.2202/1544-6115.1027; that it counts as 30 families, and the
    step to Student's t, are of this package. Raises InputError for fewer than four forecasters,
    for a score that is not finite, and where no two families differ.

    >>> import pandas as pd
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
    if many < FEWEST_TO_SHRINK:
        rule = f"there must be {FEWEST_TO_SHRINK} forecasters or more"
        raise InputError([Problem("scores", "forecaster", None, many, rule)])
    questions = np.bincount(who, minlength=many)
    mean = np.bincount(who, value, many) / questions
    cell, own = np.unique(np.stack([who, family]), axis=1, return_inverse=True)
    sums, sizes = np.bincount(own.ravel(), value - mean[who]), np.bincount(own.ravel())
    counted = np.bincount(cell[0], minlength=many)
    squares = np.bincount(cell[0], sums**2, many)
    # A sum over a family varies with its size; of that the mean took some away.
    varies = questions - np.bincount(cell[0], sizes**2, many) / questions
    if not squares.sum() > 0:
        rule = "must differ between one family of questions and another"
        raise InputError([Problem("scores", "score", None, None, rule)])
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
