"""Over- and under-reaction: whether updates go too far, or not far enough.

A calibrated path moves exactly as much as it reduces uncertainty. The excess of a path is
Σ (2 p_k − 1)(p_k − p_k+1), up to the outcome: positive if steps tend to be reversed, negative if
they tend to continue (``movement``). It is a sum of payoffs (``null_distribution``): "yes" pays
1 − 2 p at first, and at each update minus twice the change of p.

An overconfident path swings by itself, an underconfident one drifts. So the path is recalibrated
first, with the line of the same forecasts, and the excess made uncorrelated with the level and the
slope of the recalibrated forecasts: then a fault of calibration leaves no trace in it (Neyman's
C(α) test). The line is estimated, which widens the statistic's distribution and leans it to
over-reaction. Its variance is therefore raised, more on that side, and over-reaction claimed only
where the path shows it without recalibration too.

Augenblick & Rabin (2021), doi:10.1093/qje/qjaa043; Neyman (1959) for C(α).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from scoring.arrays import Floats
from scoring.forecasts_in_order import Forecasts
from scoring.inference import Recalibration, Test, recalibration
from scoring.null_distribution import Sums, null
from scoring.when_made import LEAST_P

# The variance of the recalibrated excess beside that with a known line, on the side of
# under-reaction and of over-reaction: found by simulation.
UNDER, OVER = 1.5, 2.25


class Reaction(NamedTuple):
    """The tests of excess movement; a statistic above 0 means over-reaction.

    ``excess``: of the paths as they are; ``recalibrated``: of the recalibrated paths. ``p_value``
    is the latter's, or for over-reaction the larger of both.
    """

    excess: Test
    recalibrated: Test
    p_value: float


def reaction(made: Forecasts, line: Recalibration | None = None) -> Reaction:
    """Return the tests of over- and under-reaction of forecasts in order.

    ``made`` is from `in_order_of_time`, which raises InputError. ``line`` is the recalibration line
    of these forecasts, if it is known.

    >>> from scoring import in_order_of_time
    >>> p = [[0.5, 0.5], [0.1, 0.9], [0.5, 0.5], [0.9, 0.1]] * 20
    >>> y = [[0, 1], [0, 1], [1, 0], [1, 0]] * 20
    >>> question = [number // 2 for number in range(80)]
    >>> round(reaction(in_order_of_time(p, y, question, question)).excess.statistic, 2)
    -2.11
    """
    excess = null(_excess(made), made.family).test()
    line = _line(made) if line is None else line
    fitted = made._replace(p=_recalibrated(made, line)) if line.estimable else made
    weight, logs = (1 / made.rank)[:, None], np.log(np.maximum(fitted.p, LEAST_P))
    faults = [fitted.sums(weight * payoff) for payoff in (made.level, logs)]
    found = null(_excess(fitted).clear_of(faults), made.family).test()
    over = not found.statistic < 0
    z = found.statistic / math.sqrt(OVER if over else UNDER)
    recalibrated = Test(z, math.erfc(abs(z) / math.sqrt(2)))
    both = [excess.p_value, recalibrated.p_value]
    if over and excess.statistic <= 0:
        both.append(1.0)
    return Reaction(excess, recalibrated, max(both) if over else recalibrated.p_value)


def _excess(made: Forecasts) -> Sums:
    payoff = -2 * made.change(made.p)
    payoff[made.rank == 1] += 1
    return made.sums(payoff)


def _line(made: Forecasts) -> Recalibration:
    several = np.asarray(made.p[:, 2:].any(axis=1))
    shown = (made.p > 0) & (made.p < 1)
    shown[~several, 0] = False
    row, option = np.nonzero(shown)
    if not len(row):
        nothing = (math.nan,) * 4
        return Recalibration(*nothing, estimable=False, reason="all forecasts are 0 or 1")
    question = np.cumsum(made.starts) - 1
    weight = np.where(several, 0.5, 1.0)[row] / made.rank[row]
    family = made.family[question[row]]
    return recalibration(made.p[row, option], made.y[row, option], weight, family)


def _recalibrated(made: Forecasts, line: Recalibration) -> Floats:
    """Return the forecasts moved to the recalibration line; those of 0 and 1 stay."""
    several = np.asarray(made.p[:, 2:].any(axis=1))
    shift = np.zeros(made.p.shape[1])
    shift[1] = line.intercept  # options without order have none
    with np.errstate(divide="ignore"):
        odds = line.slope * np.log(made.p) + np.where(several[:, None], 0.0, shift)
    odds = np.where(made.p > 0, odds, -np.inf)
    odds -= odds.max(axis=1, keepdims=True)
    fitted = np.exp(odds)
    return np.asarray(fitted / fitted.sum(axis=1, keepdims=True))
