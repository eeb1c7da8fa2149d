"""The probability integral transform (PIT) of numeric and date forecasts, and their calibration.

The PIT of a forecast is its cumulative probability at the outcome. Of a calibrated forecaster's
forecasts when made, PITs are uniform: a tenth of the outcomes lie in each tenth of the forecast
distributions. Too many in the outer tenths: the distributions are too narrow; too many above the
median: outcomes were higher than forecast.

**Jumps and outcomes beyond the bounds.** Where a distribution jumps at the outcome, the PIT is the
whole interval from the probability below the outcome to the probability up to it, evenly spread
(Czado, Gneiting & Held 2009). An outcome known only to lie below the lower bound has the interval
from 0 to the probability stated there, and likewise above.

**The test.** Two payoffs of a forecast, as in `null_distribution`: level, PIT − 1/2, and spread,
12 (PIT − 1/2)² − 1, each times 1/k for a forecaster's k-th forecast on the question. Both have mean
0 for a calibrated forecaster whatever happens later. This is Neyman's smooth test of uniformity of
order 2; its null distribution, with several forecasts on one outcome and linked families, is the
one of `null_distribution`. It needs the payoffs of the earlier forecasts wherever the present one
sees the outcome: they are computed on a grid of the question and interpolated, and expectations are
taken over `NODES` quantiles of the present one.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pandas as pd

from scoring.arrays import Floats, Places
from scoring.inference import Test
from scoring.input_frames import read_frames
from scoring.means import Families, families_of
from scoring.null_distribution import Sums, null
from scoring.paths import live_blocks

# Quantiles of a forecast over which expectations are taken: Gauss–Legendre nodes and weights.
NODES, NODE_WEIGHTS = (
    (np.polynomial.legendre.leggauss(12)[0] + 1) / 2,
    np.polynomial.legendre.leggauss(12)[1] / 2,
)
GRID = 64  # points of a question at which all its distributions are evaluated


class Pit(NamedTuple):
    """The PITs of forecasts when made, and the test that they are uniform.

    ``table``: one row per forecast, in order of question and time: ``question_id``, ``forecaster``,
    ``weight`` (1/k) and the interval of the PIT, ``below`` and ``upto``. ``level``: above 0,
    outcomes were higher than forecast; ``spread``: above 0, distributions were too narrow.
    ``p_value`` is of both together. NaN if there is nothing to test.
    """

    table: pd.DataFrame
    level: Test
    spread: Test
    p_value: float


def pit(questions: pd.DataFrame, forecasts: pd.DataFrame, families: Families | None = None) -> Pit:
    """Return the PITs of all forecasts on resolved numeric and date questions, and their test.

    Only forecasts that were live count. Both frames are described at `score`; ``families`` maps a
    question id to its family. Assumptions: those of `when_made`. Raises InputError.

    Dawid (1984), doi:10.2307/2981683; Gneiting, Balabdaoui & Raftery (2007),
    doi:10.1111/j.1467-9868.2007.00587.x; Czado, Gneiting & Held (2009),
    doi:10.1111/j.1541-0420.2009.01191.x, for jumps; Neyman (1937),
    doi:10.1080/03461238.1937.10404821, for the test.

    >>> questions = pd.DataFrame({"question_id": ["q"], "type": "numeric", "lower_bound": 0,
    ...     "upper_bound": 10, "open_time": ["2026-01-01T00:00:00Z"],
    ...     "scheduled_close_time": ["2026-01-11T00:00:00Z"], "resolution": ["3"]})
    >>> forecasts = pd.DataFrame({"question_id": "q", "forecaster": ["ana", "ben"],
    ...     "made_at": "2026-01-01T00:00:00Z", "quantiles": [{"0.5": 4}, {"0.2": 3, "0.8": 6}]})
    >>> pit(questions, forecasts).table[["forecaster", "below", "upto"]].round(3)
      forecaster  below   upto
    0        ana  0.375  0.375
    1        ben  0.200  0.200
    """
    ledger = read_frames(questions, forecasts)
    nothing = Test(math.nan, math.nan)
    numeric = [each for each in live_blocks(ledger, scored=True) if each[0].p.ndim == 3]
    if not numeric:
        names = ("question_id", "forecaster", "weight", "below", "upto")
        return Pit(pd.DataFrame({name: [] for name in names}), nothing, nothing, math.nan)
    [(block, live)] = numeric
    rank = np.arange(len(live)) - np.repeat(live.first, live.sizes) + 1
    order = np.lexsort((live.start, live.per_segment(live.question)))
    question, weight = live.per_segment(live.question)[order], 1 / rank[order]
    knots = block.p.take(live.row[order], axis=0)
    outcome = ledger.questions.outcome[question]
    below, upto = (side[:, 0] for side in cumulative(knots, outcome[:, None]))
    starts = np.flatnonzero(np.diff(question, prepend=-1))
    sums = [
        _sums(knots[rows], below[rows], upto[rows], weight[rows])
        for rows in map(slice, starts, [*starts[1:], len(question)])
    ]
    after, before = (np.concatenate([one[part] for one in sums], axis=1) for part in (0, 1))
    ids = ledger.questions.ids.take(question)
    family = families_of(pd.Series(ids.take(starts)), families)
    p, first = np.tile(NODE_WEIGHTS, len(question)), starts * len(NODES)
    levels, spreads = (
        Sums(
            p, after[at].ravel(), before[at].ravel(), first, np.array([one[2][at] for one in sums])
        )
        for at in (0, 1)
    )
    spreads = spreads.clear_of([levels])
    level, spread = null(levels, family).test(), null(spreads, family).test()
    squares = [each.statistic**2 for each in (level, spread) if not math.isnan(each.statistic)]
    p_value = math.exp(-sum(squares) / 2) if len(squares) == 2 else math.nan
    who = ledger.forecasters.take(live.per_segment(live.forecaster)[order])
    table = pd.DataFrame(
        {"question_id": ids, "forecaster": who, "weight": weight, "below": below, "upto": upto}
    )
    return Pit(table, level, spread, p_value)


def _sums(
    knots: Floats, below: Floats, upto: Floats, weight: Floats
) -> tuple[Floats, Floats, Floats]:
    """Return the sums of the payoffs of a question's forecasts, level and spread.

    Up to each forecast, with and without it, at the quantiles of its distribution (2, n, nodes);
    and at the outcome (2,).
    """
    gain = (payoffs(below, upto) * weight).sum(axis=1)
    own = payoffs(NODES, NODES)[:, None, :] * weight[:, None]
    if len(knots) == 1:
        return own, np.zeros_like(own), gain
    grid = np.unique(np.quantile(knots[:, 1, :], np.linspace(0, 1, GRID)))
    low, high = cumulative(knots, np.broadcast_to(grid, (len(knots), len(grid))))
    on_grid = payoffs(low, high) * weight[:, None]
    earlier = np.cumsum(on_grid, axis=1) - on_grid
    # The place of each node on the grid, through the forecast's own distribution.
    level = (low + high) / 2
    right = (level[:, None, :] <= NODES[:, None]).sum(axis=2).clip(1, len(grid) - 1)
    left = right - 1
    start, end = (np.take_along_axis(level, side, axis=1) for side in (left, right))
    share = np.divide(NODES - start, end - start, out=np.zeros_like(start), where=end > start)
    share = share.clip(0, 1)
    before = np.stack(
        [
            np.take_along_axis(sums, left, axis=1) * (1 - share)
            + np.take_along_axis(sums, right, axis=1) * share
            for sums in earlier
        ]
    )
    return before + own, before, gain


def payoffs(below: Floats, upto: Floats) -> Floats:
    """Return the payoffs level and spread, means over the interval of the PIT: (2, ...)."""
    a, b = below - 0.5, upto - 0.5
    # The mean of u² from a to b is (a² + ab + b²) / 3.
    return np.stack([(a + b) / 2, 4 * (a * a + a * b + b * b) - 1])


def cumulative(knots: Floats, at: Floats) -> tuple[Floats, Floats]:
    """Return the probabilities below, and up to, points (n, m) of distributions (n, 2, knots)."""
    level, value = knots[:, 0, :], knots[:, 1, :]
    rows = np.arange(len(knots))[:, None]
    below, upto = np.zeros(at.shape, dtype=np.intp), np.zeros(at.shape, dtype=np.intp)
    for column in value.T:
        below += column[:, None] < at
        upto += column[:, None] <= at
    last = value.shape[1]

    def between(right: Places, empty: Floats, full: Floats) -> Floats:
        after = np.clip(right, 1, last - 1)
        low, high = value[rows, after - 1], value[rows, after]
        width = high - low
        share = np.divide(at - low, width, out=np.zeros_like(width), where=width > 0)
        before = level[rows, after - 1]
        inside = before + np.clip(share, 0, 1) * (level[rows, after] - before)
        return np.where(right == 0, empty, np.where(right == last, full, inside))

    zero, one = np.zeros((len(knots), 1)), np.ones((len(knots), 1))
    # Beyond the last knot is the mass above the bounds, before the first the mass below them.
    return between(below, zero, level[:, -1:]), between(upto, level[:, :1], one)
