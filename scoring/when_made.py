"""Tests of calibration when made: forecasts of 30% come true in 30% of cases.

Each is the sum of payoffs of the forecasts (``null_distribution``), so nothing that happens after a
forecast disturbs it: an early close, an update, a withdrawal.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from scoring.arrays import Floats, Places
from scoring.forecasts_in_order import Forecasts
from scoring.inference import Test
from scoring.null_distribution import FAR, Null, null
from scoring.shared_shocks import tipping

# Of the slope: the share of the payoff that is for the change from the forecaster's last forecast.
CHANGE = 0.5
SIGNIFICANCE = 0.05
# Below it the payoff of the slope stays the same.
LEAST_P = 1e-4


class WhenMade(NamedTuple):
    """The tests of calibration when made. Each statistic is standard normal under calibration.

    ``level``: above 0, more came true than was forecast. ``slope``: below 0, forecasts are too
    extreme; above 0, not extreme enough. ``sharpness``, Spiegelhalter's test: above 0, the actual
    Brier score is worse than the expected one. ``p_value`` is of level and slope together.
    ``failed``: the positions of forecasts that gave the outcome a probability of 0. Chance explains
    none of them, so ``p_value`` is then 0. ``null`` is the distribution of the sum of the
    sharpness, Σ (actual − expected Brier score) / k, under calibration. ``spread`` is the standard
    deviation that each family has in the larger of level and slope.
    """

    level: Test
    slope: Test
    sharpness: Test
    p_value: float
    failed: Places
    null: Null
    spread: Floats

    def tipping(self, opened: Floats, closed: Floats) -> float | None:
        """Return the correlation between families open together at which ``p_value`` is 0.05.

        ``opened`` and ``closed`` are the times of the families, in the order of their names. None
        if it takes none, or more than 1. All forecasts are taken to lean the same way, the worst
        case; see `shared_shocks`.
        """
        squares = _squares(self.level, self.slope)
        limit = -2 * math.log(SIGNIFICANCE) if len(squares) == 2 else FAR**2
        needed = sum(squares) / limit - 1
        return None if needed <= 0 else tipping(self.spread, opened, closed, needed)


def when_made(made: Forecasts) -> WhenMade:
    """Return the tests of calibration of forecasts when made, in order.

    ``made`` is from `in_order_of_time`, which raises InputError.

    The payoffs, with k the number of the forecast in its path: ``level`` / k; for the slope half of
    ln p / k, and half of the change of ln p since the forecaster's previous forecast; −p / k for
    the sharpness. The slope is made uncorrelated with the level. ``p_value`` is that of the sum of
    their squares, chi-squared with two degrees of freedom.

    Cox (1958), doi:10.1093/biomet/45.3-4.562; Spiegelhalter (1986), doi:10.1002/sim.4780050506.

    >>> from scoring import in_order_of_time
    >>> p, y = [[0.1, 0.9]] * 10, [[1.0, 0.0]] * 5 + [[0.0, 1.0]] * 5
    >>> found = when_made(in_order_of_time(p, y, range(10), range(10)))
    >>> round(found.level.statistic, 2), found.level.p_value < 0.01
    (-3.22, True)
    """
    weight = (1 / made.rank)[:, None]
    logs = np.log(np.maximum(made.p, LEAST_P))
    levels = made.sums(weight * made.level)
    slopes = made.sums((1 - CHANGE) * weight * logs + CHANGE * made.change(logs)).clear_of([levels])
    nulls = [*(null(sums, made.family) for sums in (levels, slopes)), sharpness(made)]
    level, slope, spiegelhalter = (each.test() for each in nulls)
    failed = np.flatnonzero(((made.p <= 0) & (made.y > 0)).any(axis=1))
    squares = _squares(level, slope)
    if len(failed):
        p_value = 0.0
    elif len(squares) == 2:
        p_value = math.exp(-sum(squares) / 2)
    else:
        p_value = math.erfc(math.sqrt(squares[0] / 2)) if squares else math.nan
    larger = int(np.argmax(np.nan_to_num(np.abs([level.statistic, slope.statistic]))))
    return WhenMade(level, slope, spiegelhalter, p_value, failed, nulls[-1], nulls[larger].spread)


def sharpness(made: Forecasts) -> Null:
    """Return the distribution of Σ (actual − expected Brier score) / k under calibration.

    Its test is Spiegelhalter's, of forecasts when made; ``made`` as in `when_made`.

    >>> from scoring import in_order_of_time
    >>> made = in_order_of_time([[0.1, 0.9]] * 4, [[1, 0]] * 4, range(4), range(4))
    >>> sharpness(made).test() == when_made(made).sharpness
    True
    """
    return null(made.sums(-made.p / made.rank[:, None]), made.family)


def _squares(*tests: Test) -> list[float]:
    return [test.statistic**2 for test in tests if not math.isnan(test.statistic)]
