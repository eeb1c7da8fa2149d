"""The least width of the interval of a mean score or difference, where a few events decide it.

The usual interval rests on the variation between questions. With a base rate of 3% and 54 questions
it may have seen one event, or none: then scores hardly vary, and the interval misses the true mean
in 17% of records, and with 0.1% and 99.9% in nearly all. The forecasts tell how rare the events
are, so they widen it.

A score is what its forecast expected, plus U, the rest. The expected scores vary little, and their
mean has the usual interval. U has the distribution of `null_distribution` if forecasts are
calibrated; if not, more or fewer events come true. So it is tilted by exp(θ U), and the limits of
its mean are those of the θ under which the observed U is just within 2.5% of the tail: with one
forecast a question the exact limits of an exponential family, by the saddlepoint approximation.
After no event in 54 questions, up to 3.7 are possible. Both intervals are combined by the squares
of their distances (Zou & Donner 2008, doi:10.1002/sim.3095).

Rejected: this interval for all records. It takes forecasts as right but for their level, and with
many events it is as wide as the usual one, which does not.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pandas as pd

from scoring.arrays import Floats
from scoring.calibration_when_made import Forecasts, sharpness
from scoring.means import clustered_mean
from scoring.null_distribution import FAR, Null, crossing, null

# With as many events the usual interval needs no help.
MANY = 100.0
# With more, equals of opposite tilt are told apart in less than 6% of cases.
FEW = 25.0


class LeastWidths(NamedTuple):
    """The least distances of an interval's ends, below and above the mean: 0 with many events."""

    brier: tuple[float, float]
    log: tuple[float, float]


def least_widths(made: Forecasts, known: Null | None = None) -> LeastWidths:
    """Return the least distances of the ends of a 95% interval from the mean Brier and log score.

    ``made`` is from `in_order_of_time`, which raises InputError; ``known`` is its `sharpness`, if
    it is known. The scores are those of forecasts when made: the k-th of a path has weight 1/k.

    >>> from scoring import in_order_of_time
    >>> rare = in_order_of_time(p=[[0.97, 0.03]] * 54, y=[[1, 0]] * 54,
    ...                         path=range(54), question=range(54))
    >>> [round(distance, 3) for distance in least_widths(rare).brier]
    [0.0, 0.064]
    """
    p, weight = made.p, 1 / made.rank[:, None]
    logs = np.log(p, out=np.zeros_like(p), where=p > 0)
    variance = (p * (1 - p) - made.y * (1 - made.y)).sum(axis=1) / 2
    return LeastWidths(
        _distances(made, sharpness(made) if known is None else known, variance),
        _distances(made, null(made.sums(-weight * logs), made.family), -(p * logs).sum(axis=1)),
    )


def least_error(differences: pd.DataFrame) -> float:
    """Return the least standard error of a mean difference of two sides; 0 with many events.

    ``differences`` are rows of `paired`, with the moments between equals; without them it is 0.
    With 54 questions, one side at 2% and the other at 4%, equals if the truth is 3%, no
    event comes in 19% of records: then every difference is nearly the same, and its usual error 0.
    With this least error at most 3% of equals are told apart, instead of 6 to 39%, at base rates of
    2 to 10% on 40 to 180 questions, one side 30% above the truth and the other 30% below.

    >>> p = np.full(54, 0.03)
    >>> at_no, at_yes = 0.02**2 - 0.04**2, 0.98**2 - 0.96**2
    >>> away = at_yes - at_no
    >>> moments = {"variance": p * (1 - p) * away**2, "third": p * (1 - p) * (1 - 2 * p) * away**3}
    >>> round(at_no, 4), round(least_error(pd.DataFrame(moments)), 5)
    (-0.0012, 0.00093)
    """
    if "variance" not in differences:
        return 0.0
    variance, third = (float(differences[name].sum()) for name in ("variance", "third"))
    # The mean moves in jumps of the size third / variance.
    return 0.0 if variance**3 >= FEW * third**2 else math.sqrt(variance) / len(differences)


def _distances(made: Forecasts, chance: Null, expected: Floats) -> tuple[float, float]:
    """Return the distances for a score, from its distribution and what each forecast expected."""
    if math.isnan(chance.deviation) or chance.normal:
        return 0.0, 0.0
    if chance.deviation >= math.sqrt(MANY) * chance.cumulants(0.0).jump:
        return 0.0, 0.0
    weight, question = 1 / made.rank, np.cumsum(made.starts) - 1
    own = np.bincount(question, weight * expected) / np.bincount(question, weight)
    found = clustered_mean(own, made.family)
    gain, total = float(chance.sums.gain.sum()), float(weight.sum())
    below, above = (abs(_limit(chance, gain, side) - gain) / total for side in (-1.0, 1.0))
    ends = np.nan_to_num([found.mean - found.lower, found.upper - found.mean])
    return math.hypot(below, ends[0]), math.hypot(above, ends[1])


def _limit(chance: Null, gain: float, side: float) -> float:
    """Return the limit of the statistic's mean on one side, ``gain`` being observed.

    An observed extreme is itself the limit on its side. Of paths, unlike of single forecasts, the
    cumulants are estimates, which fail far out: then the limit is the normal one.
    """

    def reached(at: float) -> float:
        """Return how far the tail that begins there is beyond the observed value."""
        found = chance.cumulants(at)
        return found.mean - side * found.jump / 2 - gain

    at = crossing(reached, -chance.furthest, chance.furthest)
    if at is None:
        return gain
    seen = chance.cumulants(at)

    def beyond(distance: float) -> float:
        """Return how much further than 2.5% of the tail the observed value is, under this tilt."""
        tilted = chance.cumulants(at + side * distance)
        off = distance * seen.mean * -side - (seen.value - tilted.value)
        root = math.sqrt(max(2 * off, 0.0))
        wald = distance * math.sqrt(max(seen.variance, 0.0))
        return (root + math.log(wald / root) / root if root > 1e-3 < wald else root) - FAR

    distance = crossing(beyond, 0.0, chance.furthest - side * at)
    extreme = chance.extreme(side)
    if distance is not None:
        tilted = chance.cumulants(at + side * distance)
        if tilted.variance > 0 and side * gain <= side * tilted.mean <= extreme:
            return tilted.mean
    return side * min(side * gain + FAR * chance.deviation, extreme)
