"""The probability integral transform (PIT) of numeric and date forecasts, and their calibration.

The PIT of a forecast is its cumulative probability at the outcome. Of a calibrated forecaster's
forecasts when made, PITs are uniform: a tenth of the outcomes lie in each tenth of the forecast
distributions. Too many in the outer tenths: the distributions are too narrow; too many above the
median: outcomes were higher than forecast.

**Only stated quantiles count.** A forecaster who states 25%, 50% and 75% has said nothing about the
shape between them. So the PIT of an outcome is an interval, from the stated level below it to the
stated level above it, evenly spread (Czado, Gneiting & Held 2009, who do so where a distribution
jumps). Beyond the outermost stated level it goes to 0 or 1. A distribution stated at 200 points has
narrow intervals.

**The test.** Two payoffs of a forecast, as in `null_distribution`: level, PIT − 1/2, and spread,
12 (PIT − 1/2)² − 1, means over the interval, each times 1/k for a forecaster's k-th forecast on the
question. The stated levels are the probabilities of the intervals, so both have mean 0 for a
calibrated forecaster whatever happens later, and of a single forecast the distribution is exact.

**Several forecasts on a question.** Their payoffs add up, and the variance of the sum takes the
covariance of a forecast's payoff with those before it, under the present forecast. Where stated
values differ, the stated levels leave it open: they do not say how an interval's probability is
shared between the intervals of an earlier forecast. The null takes the largest covariance that they
allow, interval by interval; where stated values coincide, it is exact. The variance is then too
large rather than too small. The covariance of level and spread is left open likewise, so both are
tested together by Bonferroni's rule.

**Missing outcomes.** While questions wait for theirs, a finding holds only if it is the same with
any (`completions`): each statistic is bounded by the outcomes that pay least and most.

Rejected: interpolating between stated values (the straight lines then are tested, not the
forecaster: with quartiles and wide bounds most calibrated forecasters are then accused).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Hashable
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
import pandas as pd

from scoring.arrays import Flags, Floats, Places
from scoring.completions import SIGNIFICANCE, furthest, nearest, range_of, same_fault
from scoring.inference import Test
from scoring.input_frames import read_frames
from scoring.means import Families, families_of
from scoring.null_distribution import Sums, null
from scoring.paths import live_blocks

LARGEST = 1_000_000  # entries of the matrices of some questions at once


class Pit(NamedTuple):
    """The PITs of forecasts when made, and the test that they are uniform.

    ``table``: one row per forecast, in order of question and time: ``question_id``, ``forecaster``,
    ``weight`` (1/k) and the interval of the PIT, ``below`` and ``upto``. ``level``: above 0,
    outcomes were higher than forecast; ``spread``: above 0, distributions were too narrow.
    ``p_value`` is of both together, twice the smaller. NaN if there is nothing to test.
    ``waiting``: the number of questions without an outcome yet; ``settled``: whether the finding is
    the same with any of theirs.
    """

    table: pd.DataFrame
    level: Test
    spread: Test
    p_value: float
    waiting: int = 0
    settled: bool = True


def pit(
    questions: pd.DataFrame,
    forecasts: pd.DataFrame,
    families: Families | None = None,
    waiting: Collection[Hashable] = (),
) -> Pit:
    """Return the PITs of all forecasts on resolved numeric and date questions, and their test.

    Only forecasts that were live count. Both frames are described at `score`; ``families`` maps a
    question id to its family; ``waiting`` are the ids of questions that lack an outcome, which the
    finding allows for. Assumptions: those of `when_made`. Raises InputError.

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
    0        ana    0.0    0.5
    1        ben    0.0    0.8
    """
    made = distributions(questions, forecasts, waiting)
    ids = pd.Series(made.table["question_id"].to_numpy()[made.starts])
    return made.pit(families_of(ids, families))


class Distributions(NamedTuple):
    """Forecasts of numbers and dates on resolved questions, in order of question and time.

    ``table`` as in `Pit`; ``knots`` (n, 2, m), levels and values; ``starts``, the first row of each
    question; ``waits``, whether the question of a row lacks an outcome: then its PITs are not read.
    """

    table: pd.DataFrame
    knots: Floats
    starts: Places
    waits: Flags

    def of(self, own: Flags) -> Distributions:
        """Return those of some questions, which a flag per row tells."""
        places = (np.cumsum(own) - 1)[self.starts[own[self.starts]]]
        return Distributions(self.table[own], self.knots[own], places, self.waits[own])

    def pit(self, family: Places) -> Pit:
        """Return their PITs and the test; ``family`` of each question."""
        nothing = Test(math.nan, math.nan)
        if self.waits.any():
            missing = self.waits[self.starts]
            known = self.of(~self.waits).pit(family[~missing])
            settled = self._settled(family, missing)
            return known._replace(waiting=int(missing.sum()), settled=settled)
        if self.table.empty:
            return Pit(self.table, nothing, nothing, math.nan)
        below, upto, weight = (self.table[name].to_numpy() for name in ("below", "upto", "weight"))
        gains = np.add.reduceat(payoffs(below, upto) * weight, self.starts, axis=1)
        p, after, before, first = self.sums()
        level, spread = (
            null(Sums(p, after[at], before[at], first, gains[at]), family).test() for at in (0, 1)
        )
        both = [test.p_value for test in (level, spread) if not math.isnan(test.p_value)]
        p_value = min(1.0, len(both) * min(both)) if both else math.nan
        return Pit(self.table, level, spread, p_value)

    def _settled(self, family: Places, missing: Flags) -> bool:
        """Return whether the finding is the same with any outcomes of the questions without one."""
        below, upto, weight = (self.table[name].to_numpy() for name in ("below", "upto", "weight"))
        low = np.add.reduceat(payoffs(below, upto) * weight, self.starts, axis=1)
        high, ends = low.copy(), np.append(self.starts[1:], len(weight))
        for at in np.flatnonzero(missing):
            own = slice(self.starts[at], ends[at])
            knots, of = self.knots[own], weight[own]
            points = np.repeat(_points(knots[None]), len(knots), axis=0)
            earned = np.tensordot(payoffs(*intervals(knots, points)[:2]), of, axes=(1, 0))
            low[:, at], high[:, at] = earned.min(axis=1), earned.max(axis=1)
        p, after, before, first = self.sums()
        found = [
            range_of(Sums(p, after[at], before[at], first, low[at]), low[at], high[at], family)
            for at in (0, 1)
        ]
        level, spread = ((0.0, 0.0) if math.isnan(one[0]) else one for one in found)
        limit = NormalDist().inv_cdf(1 - SIGNIFICANCE / 4)
        if max(furthest(level), furthest(spread)) < limit:
            return True
        rejected = max(nearest(level), nearest(spread)) >= limit
        return rejected and same_fault([level], [spread])

    def sums(self) -> tuple[Floats, Floats, Floats, Places]:
        """Return the probability of each interval of each forecast, and sums of payoffs (2, rows).

        The sums, level and spread, are those of a question's payoffs up to the forecast, with and
        without it; and the first row of each question.
        """
        knots, starts, weight = self.knots, self.starts, self.table["weight"].to_numpy()
        sizes = np.diff(starts, append=len(knots))
        parts = []
        for size in np.unique(sizes):
            asked = np.flatnonzero(sizes == size)
            most = max(1, LARGEST // (size * size * knots.shape[2]))
            for some in np.split(asked, np.arange(most, len(asked), most)):
                rows = starts[some][:, None] + np.arange(size)
                place, *found = _paths(knots[rows], weight[rows])
                parts.append((some[place], *found))
        question, p, after, before = (
            np.concatenate(one, axis=-1) for one in zip(*parts, strict=True)
        )
        order = np.argsort(question, kind="stable")
        first = np.searchsorted(question[order], np.arange(len(starts)))
        return p[order], after[:, order], before[:, order], first


def distributions(
    questions: pd.DataFrame, forecasts: pd.DataFrame, waiting: Collection[Hashable] = ()
) -> Distributions:
    """Return the forecasts that were live; the arguments as at `pit`. Raises InputError."""
    if len(waiting):  # any outcome has the forecasts scored
        missing = questions["question_id"].isin(list(waiting))
        came = questions["resolution"].mask(missing, "below_lower_bound")
        questions = questions.assign(resolution=came)
    ledger = read_frames(questions, forecasts)
    numeric = [each for each in live_blocks(ledger, scored=True) if each[0].p.ndim == 3]
    if not numeric:
        names = ("question_id", "forecaster", "weight", "below", "upto")
        table = pd.DataFrame({name: [] for name in names})
        nothing = np.empty(0, dtype=np.intp)
        return Distributions(table, np.empty((0, 2, 0)), nothing, nothing.astype(np.bool_))
    [(block, live)] = numeric
    rank = np.arange(len(live)) - np.repeat(live.first, live.sizes) + 1
    order = np.lexsort((live.start, live.per_segment(live.question)))
    question = live.per_segment(live.question)[order]
    knots = block.p.take(live.row[order], axis=0)
    below, upto, _ = intervals(knots, ledger.questions.outcome[question][:, None])
    table = pd.DataFrame(
        {
            "question_id": ledger.questions.ids.take(question),
            "forecaster": ledger.forecasters.take(live.per_segment(live.forecaster)[order]),
            "weight": 1 / rank[order],
            "below": below[:, 0],
            "upto": upto[:, 0],
        }
    )
    waits = table["question_id"].isin(list(waiting)).to_numpy()
    return Distributions(table, knots, np.flatnonzero(np.diff(question, prepend=-1)), waits)


def _paths(knots: Floats, weight: Floats) -> tuple[Places, Floats, Floats, Floats]:
    """Return the rows of questions with as many forecasts each, with the question's place.

    ``knots`` are (questions, forecasts, 2, knots). The sum of the earlier payoffs takes values
    within an interval of the present forecast; here it is the one with the larger product with the
    forecast's own payoff.
    """
    many, size, _, _ = knots.shape
    points = _points(knots)
    low, high, inside = intervals(
        knots.reshape(many * size, 2, -1), np.repeat(points, size, axis=0)
    )
    gain = payoffs(low, high) * weight.reshape(-1, 1)
    by_question = gain.reshape(2, many, size, -1)
    earlier = (np.cumsum(by_question, axis=2) - by_question).reshape(gain.shape)[:, inside]
    row, low, high, own = np.nonzero(inside)[0], low[inside], high[inside], gain[:, inside]
    new = [np.diff(values, prepend=-1) != 0 for values in (row, low, high)]
    starts = np.flatnonzero(np.logical_or.reduce(new))
    most, least = (of(earlier, starts, axis=1) for of in (np.maximum.reduceat, np.minimum.reduceat))
    before = np.where(own[:, starts] >= 0, most, least)
    possible = high[starts] > low[starts]
    starts, before = starts[possible], before[:, possible]
    return row[starts] // size, high[starts] - low[starts], before + own[:, starts], before


def _points(knots: Floats) -> Floats:
    """Return points of each part of the stated values of questions with as many forecasts each."""
    many = len(knots)
    stated = np.sort(knots[:, :, 1, :].reshape(many, -1), axis=1)
    stated[:, 1:][stated[:, 1:] == stated[:, :-1]] = np.inf
    stated = np.sort(stated, axis=1)[:, : np.isfinite(stated).sum(axis=1).max()]
    between = (stated[:, 1:] + stated[:, :-1]) / 2
    ends = np.full((many, 1), np.inf)
    return np.sort(np.concatenate([-ends, stated, between, ends], axis=1), axis=1)


def payoffs(below: Floats, upto: Floats) -> Floats:
    """Return the payoffs level and spread, means over the interval of the PIT: (2, ...)."""
    a, b = below - 0.5, upto - 0.5
    # The mean of u² from a to b is (a² + ab + b²) / 3.
    return np.stack([(a + b) / 2, 4 * (a * a + a * b + b * b) - 1])


def intervals(knots: Floats, at: Floats) -> tuple[Floats, Floats, Flags]:
    """Return the intervals of the PIT, their lower and upper ends, at points (n, m).

    ``knots`` are distributions (n, 2, knots). The third matrix is False where a point is a single
    stated value: it belongs to the intervals on both sides, and has both together. At a value with
    several levels, a jump, the interval is the jump. An outcome beyond a bound has the interval of
    the probability stated there; without any, that of the outermost stated level.
    """
    level, value = knots[:, 0, :], knots[:, 1, :]
    below, upto = np.zeros(at.shape, dtype=np.intp), np.zeros(at.shape, dtype=np.intp)
    for column in value.T:
        below += column[:, None] < at
        upto += column[:, None] <= at
    zero, one = np.zeros((len(knots), 1)), np.ones((len(knots), 1))
    padded = np.concatenate([zero, level, one], axis=1)
    low, high = (np.take_along_axis(padded, of, axis=1) for of in (below, upto + 1))
    first, last = (np.take_along_axis(padded, of, axis=1) for of in (below + 1, upto))
    jump = last > first
    low, high = np.where(jump, first, low), np.where(jump, last, high)
    lowest = np.where(level > 0, level, 1.0).min(axis=1, keepdims=True)
    highest = np.where(level < 1, level, 0.0).max(axis=1, keepdims=True)
    low, high = np.where(low >= 1, highest, low), np.where(high <= 0, lowest, high)
    return low, high, (below == upto) | jump
