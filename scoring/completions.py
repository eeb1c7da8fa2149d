"""Bounds of a test while outcomes are missing: its extremes over all of their completions.

Outcomes that come in unequally select: where a "no" is recorded later than a "yes", the resolved
questions of a calibrated forecaster have too many events. Nothing is known of the missing outcomes,
so a finding counts only if it holds with any (Manski 2003, *Partial
Identification of Probability Distributions*, doi:10.1007/b97478). With m of them there are 2^m
completions, but none needs to be listed, since each bound is monotone.

**Calibration.** Each statistic is r* of a sum U of the questions' earnings, and rises with U. So it
is largest where each missing outcome is the one that pays most, and smallest where it pays least.
The questions of a family add the products U_i U_j, which widen the distribution; they are bounded
by those of the extremes. Level and slopes are bounded one by one, so that the bounds of their
common p-value are wider than the completions: a finding that they keep holds for all.

**Comparison.** The mean M of the differences and its error s make a claim if M + c s < 0, which is
convex in the differences, so a family is at its worst at an end of its range. For each M the
largest Σ e² over families is that of a fractional knapsack: the families whose e² rises most
per unit of M go to their upper end first. The bound is the largest M + c s over M.

Rejected: to list completions (2^m); to draw some (the worst are rare); to weight the known outcomes
by how often such ones are known (that takes the reason of the delay as unrelated to the outcome).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from scoring.arrays import Flags, Floats, Places
from scoring.calibration_when_made import (
    Forecasts,
    correlation,
    failures,
    level_and_slopes,
    p_of,
)
from scoring.inference import Recalibration
from scoring.movement import OVER, UNDER, excess_sums, line_of
from scoring.null_distribution import CERTAIN, FAR, Sums, null

SIGNIFICANCE = 0.05
MEANS = 33  # of a difference, at which its error is bounded in one step of a search

Range = tuple[float, float]


class Bounds(NamedTuple):
    """The smallest and the largest value of each figure of `when_made` over all completions.

    ``waiting``: the number of questions with a missing outcome. A test of nothing is 0 to 0.
    """

    waiting: int
    level: Range
    slope: Range
    middle: Range
    p_value: Range

    @property
    def settled(self) -> bool:
        """Whether all completions have the same finding: none, or the same fault."""
        if self.p_value[0] >= SIGNIFICANCE:
            return True
        rejected = self.p_value[1] < SIGNIFICANCE
        return rejected and same_fault([self.level], [self.slope, self.middle])


def same_fault(*kinds: Sequence[Range]) -> bool:
    """Return whether all completions have the largest statistic in one kind, with one sign.

    Each kind has the ranges of its statistics.
    """
    for kind in kinds:
        rest = max(furthest(one) for other in kinds if other is not kind for one in other)
        low, high = min(one[0] for one in kind), max(one[1] for one in kind)
        leads = any(nearest(one) > furthest(other) for one in kind for other in kind)
        if max(map(nearest, kind)) > rest and (low > 0 or high < 0 or leads):
            return True
    return False


def completions(made: Forecasts, possible: Flags) -> Bounds:
    """Return the bounds of `when_made` over the missing outcomes of some questions.

    ``made`` is from `in_order_of_time`. ``possible`` (n, K) marks the options that may be the
    outcome, in the rows of the questions that lack one; their ``y`` is not read. The other rows are
    False.

    >>> from scoring import in_order_of_time
    >>> p, y = [[0.1, 0.9]] * 10, [[1.0, 0.0]] * 5 + [[0.0, 1.0]] * 5
    >>> made = in_order_of_time(p=p, y=y, path=range(10), question=range(10))
    >>> found = completions(made, np.repeat([[True], [False]], [2, 8], axis=0) & [True, True])
    >>> found.waiting, [round(float(end), 2) for end in found.level], found.settled
    (2, [-3.22, -1.66], False)
    """
    missing = _Missing(made, possible)
    every = missing.by_option(level_and_slopes)
    found = [missing.range(one) for one in every]
    alike = correlation(every[1][0], every[2][0])
    ends = []
    for of in (furthest, nearest):
        level, slope, middle = (math.nan if math.isnan(one[0]) else of(one) for one in found)
        ends.append(p_of(level, slope, middle, alike))
    if len(failures(made._replace(y=np.where(possible, 1.0, made.y)))[0]):
        ends[0] = 0.0  # outcomes that were called impossible may come
    levels, slopes, middles = ((0.0, 0.0) if math.isnan(one[0]) else one for one in found)
    return Bounds(int(missing.waits.sum()), levels, slopes, middles, (ends[0], ends[1]))


def reaction_settled(made: Forecasts, possible: Flags, line: Recalibration) -> bool:
    """Return whether `reaction` finds the same, over- or under-reaction or neither, in each case.

    ``made`` and ``possible`` as in `completions`, ``line`` the recalibration line of the known
    outcomes. The line depends on the missing ones too, so the statistic is bounded with this line
    and with those of the completions in which level and slope are largest and smallest.
    """
    missing = _Missing(made, possible)
    lines = [line]
    for one in missing.by_option(level_and_slopes)[:2]:
        for best in (np.argmax, np.argmin):
            lines.append(line_of(missing.with_outcomes(missing.best(one, best))))
    excess, ends = (math.nan, math.nan), []
    for each in lines:
        plain, recalibrated = missing.by_option(partial(excess_sums, line=each))
        excess = missing.range(plain)
        ends.append(missing.range(recalibrated))
    low, high = min(one[0] for one in ends), max(one[1] for one in ends)
    over, under = FAR * math.sqrt(OVER), FAR * math.sqrt(UNDER)
    always_over = min(excess[0] / FAR, low / over) > 1
    never_over = min(excess[1] / FAR, high / over) <= 1
    always_under = excess[1] < 0 and -high > under
    never_under = excess[0] >= 0 or -low <= under
    return always_over or always_under or (never_over and never_under)


class _Missing:
    """Forecasts on questions of which some lack an outcome."""

    def __init__(self, made: Forecasts, possible: Flags) -> None:
        self.made = made
        self.sizes = np.diff(made.first, append=len(made.p))
        self.may: Flags = possible[made.first + self.sizes - 1]
        self.waits: Flags = np.asarray(self.may.any(axis=1))

    def with_outcomes(self, option: Places) -> Forecasts:
        """Return the forecasts with that option as the outcome of each question that lacks one."""
        here = np.repeat(self.waits, self.sizes)[:, None]
        came = np.eye(self.may.shape[1])[np.repeat(option, self.sizes)]
        return self.made._replace(y=np.where(here, came, self.made.y))

    def by_option(self, of: Callable[[Forecasts], tuple[Sums, ...]]) -> list[list[Sums]]:
        """Return each statistic with one option after another as the missing outcomes."""
        options = np.arange(self.may.shape[1])
        every = [of(self.with_outcomes(np.full(len(self.waits), one))) for one in options]
        return list(map(list, zip(*every, strict=True)))

    def best(self, each: list[Sums], best: Callable[..., Any]) -> Places:
        """Return the option that pays most (argmax), or least (argmin), on each question."""
        gains = np.stack([sums.gain for sums in each], axis=1)
        never = -np.inf if best is np.argmax else np.inf
        return np.asarray(best(np.where(self.may, gains, never), axis=1))

    def range(self, each: list[Sums]) -> Range:
        """Return the smallest and the largest statistic over all completions."""
        gains = np.stack([sums.gain for sums in each], axis=1)
        at = np.arange(len(gains))
        low, high = (gains[at, self.best(each, best)] for best in (np.argmin, np.argmax))
        return range_of(each[0], low, high, self.made.family)


def range_of(sums: Sums, low: Floats, high: Floats, family: Places) -> Range:
    """Return the smallest and the largest statistic if each question earns from low to high.

    NaN if chance cannot move it.
    """
    ends = _family_squares(low, high, family)
    nulls = [null(sums, family, products) for products in _products(low, high, family)]
    if any(math.isnan(one.deviation) for one in nulls):
        return math.nan, math.nan
    totals = float(low.sum()), float(high.sum())
    values = [one.statistic_of(total) for one in nulls for total in totals if not one.normal]
    if any(one.normal for one in nulls):  # its variance is the one observed
        values += [
            sums.beyond(total) / math.sqrt(max(end, CERTAIN)) for total in totals for end in ends
        ]
    return min(values), max(values)


def _products(low: Floats, high: Floats, family: Places) -> set[float]:
    """Return the bounds of the sum of U_i U_j over the pairs of a family."""
    many = np.bincount(family)[family] > 1
    low, high, own = low[many], high[many], family[many]
    least, most = _family_squares(low, high, own)
    single_least, single_most = (float(end.sum()) for end in _squares(low, high))
    return {least - single_most, most - single_least}


def _family_squares(low: Floats, high: Floats, family: Places) -> Range:
    """Return the bounds of the sum over families of the square of the sum of each."""
    sums = (np.asarray(np.bincount(family, end), dtype=np.float64) for end in (low, high))
    least, most = _squares(*sums)
    return float(least.sum()), float(most.sum())


def _squares(low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Return the smallest and the largest square of numbers in these ranges."""
    ends = np.stack([low**2, high**2])
    return np.where((low <= 0) & (high >= 0), 0.0, ends.min(axis=0)), ends.max(axis=0)


def nearest(ends: Range) -> float:
    """Return the smallest size of a number in a range."""
    return 0.0 if ends[0] <= 0 <= ends[1] else min(map(abs, ends))


def furthest(ends: Range) -> float:
    """Return the largest size of a number in a range."""
    return max(map(abs, ends))


def largest_claim(low: Floats, high: Floats, family: npt.ArrayLike, least: float) -> float:
    """Return the largest M / s over all completions; a claim that a difference is below 0.

    ``low`` and ``high`` (n,) are the ends of each question's difference, ``family`` (n,) its
    cluster; M is their mean, and s its error (`mean_and_error`), at least ``least``. 0 if M may be
    0 or above.

    >>> d = np.tile([-0.06, -0.02], 20)
    >>> round(largest_claim(d, d, np.arange(40), 0.0), 2)
    -12.49
    >>> round(largest_claim(d, np.where(np.arange(40) < 4, 0.06, d), np.arange(40), 0.0), 2)
    -5.28
    """
    code = np.unique(np.asarray(family), return_inverse=True)[1]
    size = np.bincount(code).astype(np.float64)
    bottom, top = (np.bincount(code, end) for end in (low, high))
    many = len(low)
    if top.sum() >= 0:
        return 0.0
    effective = many**2 / float(size @ size)
    width = top - bottom

    def claims(at: Floats) -> Floats:
        """Return the largest M / s at these means."""
        e_low, e_high = (end - size * at[:, None] for end in (bottom, top))
        # The slope of the chord of e² over a family's range is the sum of its ends.
        rise = e_low + e_high
        order = np.argsort(-rise, axis=1, kind="stable")
        room = (many * at - bottom.sum())[:, None]
        filled = np.clip(room - (np.cumsum(width[order], axis=1) - width[order]), 0, width[order])
        squares = (e_low**2).sum(axis=1)
        squares += (filled * np.take_along_axis(rise, order, axis=1)).sum(axis=1)
        error = np.sqrt(effective / (effective - 1) * np.maximum(squares, 0)) / many
        with np.errstate(divide="ignore"):
            return np.asarray(at / np.maximum(error, least))

    # M + c s is concave in M, so M / s has a single peak.
    start, end = bottom.sum() / many, top.sum() / many
    for _ in range(5):
        at = np.linspace(start, end, MEANS)
        found = claims(at)
        peak = int(found.argmax())
        start, end = at[max(peak - 1, 0)], at[min(peak + 1, MEANS - 1)]
    return float(found.max())
