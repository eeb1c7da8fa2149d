"""Tests of calibration when made: forecasts of 30% come true in 30% of cases.

Each is the sum of payoffs of the forecasts (`null_distribution`), so nothing that happens after a
forecast disturbs it: an early close, an update, a withdrawal. All forecasts on a question, of one
member or several, follow each other as one path in order of time, since they share the outcome.
This is a definition of this package.

**Rounding and noise.** Someone who speaks in steps of 10% is off by up to 5 points, and a
calibrated market swings by a point or two. Neither is miscalibration, so both get a slack: level
and slope that of the grid, and the slope also the part that swings add to it. A certain forecast (0
or 1) of someone who rounds means anything up to half a step: it has no payoff, and those that
failed are a fault only if they are more than half a step explains.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from scoring.arrays import Flags, Floats, Places
from scoring.errors import require
from scoring.inference import Test
from scoring.null_distribution import CERTAIN, Null, Sums, null
from scoring.shared_shocks import SURVIVES, tipping

# Of the slope: the share of the payoff that is for the change from the forecaster's last forecast.
CHANGE = 0.5
SIGNIFICANCE = 0.05
# Steps in which people speak, the coarsest first, and the share of forecasts that must be on one.
STEPS, ON_GRID = (0.1, 0.05, 0.01, 0.005, 0.001), 0.9
# The largest standard deviation of swings that are not a fault.
NOISE = 0.03
# Below it the payoff of the slope stays the same.
LEAST_P = 1e-4
# A forecast whose likeliest option has at most this is in the middle. With 95%, a hundred trivial
# questions hide more.
MIDDLE = 0.97
# The weight of the level's square beside that of the slope: a bias is harder to find.
LEVEL = 1.5
_ANGLES = (np.arange(128) + 0.5) * math.pi / 128


class Forecasts(NamedTuple):
    """Validated forecasts in order of question and time, one row each.

    ``p``, ``y``, ``level`` (n, K); ``rank`` in the path of their forecaster, from 1; ``previous``,
    the row of the forecast before it, -1 for the first; ``first``, the first row of each question;
    ``starts`` marks these; ``family`` of each question. ``step``: the grid of each forecast
    (`step_of`), 0 for none.
    """

    p: Floats
    y: Floats
    level: Floats
    rank: Places
    previous: Places
    first: Places
    starts: Flags
    family: Places
    step: Floats

    @property
    def rounded(self) -> Flags:
        """Which forecasts are certain because they are rounded."""
        return np.asarray((self.step > 0) & (self.p >= 1).any(axis=1))

    def noise(self) -> Floats:
        """Return the variance (n, K) of rounding and of swings that come back, which is allowed.

        A swing of variance v makes the product of two changes in a row −v on average.
        """
        change, again = self.change(self.p), self.rank > 2
        back = -(change[again] * change[self.previous[again]]).sum(axis=1)
        # Less its standard error: news alone makes some paths turn back.
        beyond = max(float(back.sum() - np.linalg.norm(back)), 0.0)
        swing = beyond / max(int(np.count_nonzero(self.p[again])), 1)
        # Rounding has variance δ²/12, at each end of a change.
        own = np.sqrt(np.maximum(min(swing, NOISE**2), self.step**2 / 6))[:, None]
        return np.asarray(np.minimum(own, np.minimum(self.p, 1 - self.p)) ** 2)

    def with_slack(self, sums: Sums, swing: Floats | None = None) -> Sums:
        """Return a statistic with the slack of rounding, and of swings on the side below 0.

        ``swing`` (n, K): what the swings of each forecast take off on average. They also hide a
        part of the variance: p and the sum S of the payoffs swing together, against each other.

        The mean of forecasts rounded to a value is up to δ/6 from it, if their density rises from 0
        at one end of the step to the other.
        """
        rows = np.append(0, np.cumsum((self.p > 0).sum(axis=1)))[:-1]
        added = sums.after - sums.before
        ranges = np.maximum.reduceat(added, rows) - np.minimum.reduceat(added, rows)
        band = float(self.step @ ranges) / 6
        if swing is None:
            return sums._replace(slack=(band, band))
        hidden = -2 * float(sums.after @ swing[self.p > 0])
        return sums._replace(slack=(band + float(swing.sum()), band), wider=max(hidden, 0.0))

    def sums(self, payoff: Floats) -> Sums:
        """Return the earnings of payoffs (n, K) on each question."""
        added = payoff - np.einsum("ij,ij->i", self.p, payoff)[:, None]
        upto = np.cumsum(added, axis=0)
        sizes = np.diff(self.first, append=len(self.p))
        after = upto - np.repeat(upto[self.first] - added[self.first], sizes, axis=0)
        last = np.append(self.first[1:], len(self.p)) - 1
        gain = (self.y[last] * after[last]).sum(axis=1)
        before = after - added
        possible = self.p > 0
        if possible.all():
            first = self.first * self.p.shape[1]
            return Sums(self.p.ravel(), after.ravel(), before.ravel(), first, gain)
        counts = np.append(0, np.cumsum(possible.sum(axis=1)))
        of = self.p[possible], after[possible], before[possible]
        return Sums(*of, counts[self.first], gain)

    def change(self, of: Floats) -> Floats:
        """Return the change of a value of the forecasts since the path's last; at first, itself."""
        return of - np.where((self.previous < 0)[:, None], 0.0, of[self.previous])


def in_order_of_time(
    *,
    p: npt.ArrayLike,
    y: npt.ArrayLike,
    path: npt.ArrayLike,
    question: npt.ArrayLike,
    family: npt.ArrayLike | None = None,
    level: npt.ArrayLike | None = None,
    step: npt.ArrayLike = 0.0,
) -> Forecasts:
    """Return the validated forecasts, as `when_made` and `reaction` take them.

    ``p``, ``y`` (n, K): probabilities and outcome of the options, 0 for those a question does not
    have; binary is [no, yes], and ``y`` may be a fraction. ``path`` (n,) identifies a forecaster's
    forecasts on a question, ``question`` and ``family`` (n,) those that share an outcome or are
    linked; questions follow each other, and the forecasts of one are in order of time. ``level``
    (n, K): what an option counts towards the level, by default 1 for "yes" if K is 2 and nothing
    otherwise: on unordered options Σ (y − p) is 0. ``step`` is the grid on which each forecast is
    spoken (`step_of`), 0 for none. Raises InputError.

    >>> in_order_of_time(p=[[0.5, 0.5], [0.2, 0.8]], y=[[0, 1], [0, 1]],
    ...                  path=["ana", "ana"], question=[7, 7]).rank
    array([1, 2])
    """
    forecast, outcome = np.asarray(p, dtype=np.float64), np.asarray(y, dtype=np.float64)
    rule = "p and y must be matrices of the same shape, one row a forecast, and not empty"
    require("p", forecast.shape, forecast.ndim == 2 and len(forecast) > 0, rule)
    require("y", outcome.shape, outcome.shape == forecast.shape, rule)
    names = [np.asarray(path), np.asarray(question)]
    names.append(names[1] if family is None else np.asarray(family))
    for name, given in zip(("path", "question", "family"), names, strict=True):
        require(name, given.shape, given.shape == (len(forecast),), "needs one entry per forecast")
    if level is None:
        counts = np.zeros_like(forecast)
        counts[:, -1] = 1.0 if forecast.shape[1] == 2 else 0.0
    else:
        counts = np.asarray(level, dtype=np.float64)
        rule = "needs one number per probability"
        require("level", counts.shape, counts.shape == forecast.shape, rule)
    starts = np.append(True, names[1][1:] != names[1][:-1])
    first = np.flatnonzero(starts)
    rank, previous = _ranks(names[0])
    cluster = _numbered(names[2][first])
    steps = np.broadcast_to(np.asarray(step, dtype=np.float64), len(forecast))
    return Forecasts(forecast, outcome, counts, rank, previous, first, starts, cluster, steps)


def _ranks(path: npt.NDArray[np.generic]) -> tuple[Places, Places]:
    """Return the number of each forecast in its path, from 1, and the place of the one before it.

    The place is -1 for a first forecast.
    """
    order = np.argsort(path, kind="stable")
    sorted_ = path[order]
    new = np.append(True, sorted_[1:] != sorted_[:-1])
    begins = np.maximum.accumulate(np.where(new, np.arange(len(path)), 0))
    rank, previous = np.empty_like(order), np.empty_like(order)
    rank[order] = np.arange(len(path)) - begins + 1
    previous[order] = np.where(new, -1, np.append(-1, order[:-1]))
    return rank, previous


def _numbered(names: npt.NDArray[np.generic]) -> Places:
    return np.asarray(np.unique(names, return_inverse=True)[1], dtype=np.intp)


def step_of(p: npt.ArrayLike) -> float:
    """Return the coarsest step on which nine in ten of the probabilities between 0 and 1 are.

    The steps are 10%, 5%, 1%, 0.5% and 0.1%; 0 if there is none. The coarsest without any.

    >>> step_of([0.1, 0.4, 1.0]), step_of([0.35, 0.4]), step_of([0.123456])
    (0.1, 0.05, 0.0)
    """
    given = np.asarray(p, dtype=np.float64)
    given = given[(given > 0) & (given < 1)]
    for step in STEPS:
        off = np.abs(given / step - np.round(given / step)) > 1e-6
        if off.sum() <= (1 - ON_GRID) * len(given):
            return step
    return 0.0


class WhenMade(NamedTuple):
    """The tests of calibration when made. Each statistic is standard normal under calibration.

    ``level``: above 0, more came true than was forecast. ``slope``: below 0, forecasts are too
    extreme; above 0, not extreme enough. ``middle``: the slope of the forecasts from 3% to 97%;
    ``alike``, its correlation with the slope of all. ``sharpness``, Spiegelhalter's test: above 0,
    the actual Brier score is worse than the expected one. ``p_value`` is of the first three.
    ``failed``: the positions of forecasts that gave the outcome a probability of 0, unless rounding
    explains them; ``p_value`` is then 0. ``excused``: how many certain forecasts there were, and
    how many failed, if rounding does. ``null`` is the distribution of the sum of the
    sharpness, Σ (actual − expected Brier score) / k, under calibration. ``spread`` is the standard
    deviation that each family has in the largest of level, slope and middle.
    """

    level: Test
    slope: Test
    middle: Test
    alike: float
    sharpness: Test
    p_value: float
    failed: Places
    null: Null
    spread: Floats
    excused: tuple[int, int] = (0, 0)

    def tipping(self, opened: Floats, closed: Floats) -> float | None:
        """Return the correlation between families open together at which ``p_value`` is 0.005.

        ``opened`` and ``closed`` are the times of the families, in the order of their names. 0
        if it takes none, None if more than 1. All forecasts are taken to lean the same way, the
        worst case; see `shared_shocks`.
        """
        # Lazy: scipy is slow to import.
        from scipy.optimize import brentq

        z = [test.statistic for test in (self.level, self.slope, self.middle)]

        def beyond(more: float) -> float:
            """Return how far the p-value is above the limit with so much more variance."""
            level, slope, middle = (each / math.sqrt(1 + more) for each in z)
            return p_of(level, slope, middle, self.alike) - SURVIVES * SIGNIFICANCE

        most = LEVEL * float(np.nansum(np.square(z)))  # no fault is left then
        return tipping(
            self.spread, opened, closed, brentq(beyond, 0.0, most) if beyond(0.0) < 0 else 0.0
        )


def when_made(made: Forecasts) -> WhenMade:
    """Return the tests of calibration of forecasts when made, in order.

    ``made`` is from `in_order_of_time`, which raises InputError.

    The payoffs, with k the number of the forecast in its path: ``level`` / k; for the slope half of
    ln p / k, and half of the change of ln p since the forecaster's previous forecast; −p / k for
    the sharpness. The slope is made uncorrelated with the level. So is the slope of the middle,
    with the payoffs of the forecasts from 3% to 97% and of the next ones: a hundred trivial
    questions have no part in it. ``p_value`` is that of 1.5 times the square of the level and the
    larger square of the slopes. All are less the slack of rounding and swings.

    Cox (1958), doi:10.1093/biomet/45.3-4.562; Spiegelhalter (1986), doi:10.1002/sim.4780050506.

    >>> from scoring import in_order_of_time
    >>> p, y = [[0.1, 0.9]] * 10, [[1.0, 0.0]] * 5 + [[0.0, 1.0]] * 5
    >>> found = when_made(in_order_of_time(p=p, y=y, path=range(10), question=range(10)))
    >>> round(found.level.statistic, 2), found.level.p_value < 0.01
    (-3.22, True)
    """
    every = level_and_slopes(made)
    nulls = [null(sums, made.family) for sums in every]
    level, slope, middle = (each.test() for each in nulls)
    failed, excused = failures(made)
    statistics, alike = (
        (level.statistic, slope.statistic, middle.statistic),
        correlation(*every[1:]),
    )
    p_value = 0.0 if len(failed) else p_of(*statistics, alike)
    spread = nulls[int(np.argmax(np.nan_to_num(np.abs(statistics))))].spread
    sharp = sharpness(made)
    tests = (level, slope, middle, alike, sharp.test())
    return WhenMade(*tests, p_value, failed, sharp, spread, excused)


def failures(made: Forecasts) -> tuple[Places, tuple[int, int]]:
    """Return the forecasts that gave the outcome 0, unless rounding explains them.

    And, if it does, the number of certain forecasts, one a question and option, and of those that
    failed. A calibrated forecaster who rounds is wrong in at most δ/2 of them. Families with a
    failure are counted once.
    """
    # Lazy: scipy is slow to import.
    from scipy.special import bdtrc

    failed = np.flatnonzero(((made.p <= 0) & (made.y > 0)).any(axis=1))
    if not len(failed) or not (made.step[failed] > 0).all():
        return failed, (0, 0)
    question, certain = np.cumsum(made.starts) - 1, np.flatnonzero(made.rounded)
    pair = question[certain] * made.p.shape[1] + made.p[certain].argmax(axis=1)
    pairs, at = np.unique(pair, return_index=True)
    rate = float(made.step[certain[at]].sum()) / 2 / max(len(pairs), 1)
    wrong = len(np.unique(made.family[question[failed]]))
    if wrong <= len(pairs) and bdtrc(wrong - 1, len(pairs), rate) >= SIGNIFICANCE:
        return failed[:0], (len(pairs), wrong)
    return failed, (0, 0)


def level_and_slopes(made: Forecasts) -> tuple[Sums, Sums, Sums]:
    """Return the statistics of `when_made` with the p-value: level, slope, slope of the middle."""
    counts = ~made.rounded[:, None]
    weight = counts / made.rank[:, None]
    logs = np.log(np.maximum(made.p, np.maximum(LEAST_P, made.step / 2)[:, None]))
    levels = made.sums(weight * made.level)
    payoff = (1 - CHANGE) * weight * logs + CHANGE * counts * made.change(logs)
    # A swing of variance v in p moves ln p by v / p on average against the outcome.
    shown = np.where(made.p > 0, made.noise() / np.maximum(made.p, LEAST_P), 0.0)
    swing = ((1 - CHANGE) * weight + CHANGE * counts) * shown
    inside = made.p.max(axis=1) <= MIDDLE
    middle = (inside | ((made.previous >= 0) & inside[made.previous]))[:, None]
    slope, inner = (
        made.with_slack(made.sums(payoff * of).clear_of([levels]), swing * of)
        for of in (np.ones_like(middle), middle)
    )
    return made.with_slack(levels), slope, inner


def correlation(one: Sums, other: Sums) -> float:
    """Return the correlation of two statistics under calibration, 1 if one is always 0."""
    variances = float(one.variances().sum() * other.variances().sum())
    if not variances > CERTAIN**2:
        return 1.0
    # Far from calibrated, estimated variances can be off.
    return min(max(float(one.variances(other).sum()) / math.sqrt(variances), -1.0), 1.0)


def p_of(level: float, slope: float, middle: float, alike: float) -> float:
    """Return the p-value of three statistics, standard normal under calibration; NaN without any.

    It is of the weighted square of the level and the larger square of the slopes. ``alike``: the
    correlation of the slopes; the level has none with them. In the plane of the slopes the larger
    square is g E at each angle, with E exponential of mean 2 and g the larger squared cosine; the
    integral over the level is Dawson's.
    """
    # Lazy: scipy is slow to import.
    from scipy.special import dawsn

    larger = float(np.fmax(slope**2, middle**2))
    if math.isnan(larger):
        return math.erfc(abs(level) / math.sqrt(2))
    g = np.maximum(np.cos(_ANGLES) ** 2, np.cos(_ANGLES - math.acos(alike)) ** 2)
    if math.isnan(level):
        return float(np.exp(-larger / (2 * g)).mean())
    half, root = (level**2 + larger / LEVEL) / 2, np.sqrt(LEVEL / g - 1)
    both = float((dawsn(math.sqrt(half) * root) / root).mean())
    return math.erfc(math.sqrt(half)) + math.exp(-half) * 2 / math.sqrt(math.pi) * both


def sharpness(made: Forecasts) -> Null:
    """Return the distribution of Σ (actual − expected Brier score) / k under calibration.

    Its test is Spiegelhalter's, of forecasts when made; ``made`` as in `when_made`.

    >>> from scoring import in_order_of_time
    >>> p, y = [[0.1, 0.9]] * 4, [[1, 0]] * 4
    >>> made = in_order_of_time(p=p, y=y, path=range(4), question=range(4))
    >>> sharpness(made).test() == when_made(made).sharpness
    True
    """
    return null(made.sums(-made.p / made.rank[:, None]), made.family)
