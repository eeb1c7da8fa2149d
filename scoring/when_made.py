"""Tests of calibration when made: of what was called 30%, 30% came true.

**Payoffs.** A test gives each option of a forecast a payoff that is known when the forecast is
made, such as its log odds. What the outcome pays, less what the forecast expected it to pay, has
mean 0 for a calibrated forecaster, whatever happens later: the question may close early, the
forecaster may stop or join late. The statistic is the sum U over a question's forecasts, and over
questions. A payoff may depend on earlier forecasts (the weight 1/k of a forecaster's k-th one), but
not on later ones, nor on how long the forecast lasted, which later events decide.

**The null.** Let p_k be the k-th forecast on a question, and S_k the sum of the payoffs up to it,
less their expectations: one number an option. Given all that is known at k,

    E exp(θ U_k) = Σ_o p_k,o exp(θ S_k,o),    and so    E exp(θ U) = 1 + E Σ_k G_k(θ),
    G_k(θ) = Σ_o p_k,o [exp(θ S_k,o) − exp(θ S_k−1,o)].

So 1 + Σ_k G_k(θ) estimates the moment generating function of U without bias, and without an
outcome. Its second derivative at 0 is the variance: with payoffs a_k for "yes",
Σ_k p_k (1 − p_k) a_k (a_k + 2 Σ_j<k a_j). For a single forecast the distribution is exact. P-values
come from the saddlepoint approximation to the sum, by the root r* of Barndorff-Nielsen (1986),
doi:10.1093/biomet/73.2.307. They hold with one or two rare events, where observed variances fail.

Forecasts of several members on one question are taken in order of time as one path, since they
share the outcome. This assumes that each is calibrated given the earlier ones. If a member knows
less than those before, the variance is too large rather than too small.

**Families.** Outcomes of linked questions move together. Their covariance is estimated as a share
of the largest possible, Σ √(V_i V_j), from the products U_i U_j of questions in one family. Each
question's statistic is stretched, and given less weight, until the sum has that variance.

Rejected: the variance observed between questions (with a base rate of 3% it rests on one or two
events, and accuses a fifth of calibrated forecasters); the time that a forecast lasted as its
weight (forecasters who speak once, on questions that a yes closes, are then called too high);
outcomes drawn from the last forecast (conditional on the path, they are not centred).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from scoring.arrays import Flags, Floats, Places
from scoring.errors import require
from scoring.inference import Test

# Of the slope: the share of the payoff that is for the change from the forecaster's last forecast.
CHANGE = 0.5
# A variance below this, in the statistic's unit, is that of certain forecasts.
CERTAIN = 1e-12
_LEAST_P = 1e-4  # below it the slope's payoff stays the same
_STEPS = 50
_FURTHEST = 30.0  # exponents beyond it are not needed for any p-value above 1e-12


class WhenMade(NamedTuple):
    """The tests of calibration when made. Each statistic is standard normal under calibration.

    ``level``: above 0, more came true than was forecast. ``slope``: below 0, forecasts are too
    extreme; above 0, not extreme enough. ``sharpness``, Spiegelhalter's test: above 0, the actual
    Brier score is worse than the expected one. ``p_value`` is of level and slope together.
    ``failed``: the positions of forecasts that gave the outcome a probability of 0. Chance explains
    none of them, so ``p_value`` is then 0.
    """

    level: Test
    slope: Test
    sharpness: Test
    p_value: float
    failed: Places


class _Sums(NamedTuple):
    """A statistic: per row (forecast and possible option) p, S after and before it, and its path.

    ``gain``: U of each path.
    """

    p: Floats
    after: Floats
    before: Floats
    first: Places
    gain: Floats

    def variances(self, other: _Sums | None = None) -> Floats:
        """Return each path's variance, or covariance with another statistic of the same paths."""
        of = self if other is None else other
        return self._totals(self.p * (self.after * of.after - self.before * of.before))

    def less(self, other: _Sums, times: float) -> _Sums:
        """Return the statistic less ``times`` another of the same paths."""
        return self._replace(
            after=self.after - times * other.after,
            before=self.before - times * other.before,
            gain=self.gain - times * other.gain,
        )

    def stretched(self, by: Floats) -> _Sums:
        """Return the statistic with the sums, but not the gain, of each path multiplied."""
        rows = np.repeat(by, np.diff(self.first, append=len(self.p)))
        return self._replace(after=self.after * rows, before=self.before * rows)

    def _totals(self, values: Floats) -> Floats:
        return np.add.reduceat(values, self.first)

    def cumulants(self, at: float, stretch: Floats) -> Cumulants:
        """Return the cumulant generating function of U at that argument, and its derivatives."""
        now = self.p * np.exp(at * self.after)
        earlier = self.p * np.exp(at * self.before)
        moment = np.maximum(1 + self._totals(now - earlier), 1e-9)
        powers = []
        for _ in range(3):
            now, earlier = now * self.after, earlier * self.before
            powers.append(self._totals(now - earlier) / moment)
        first, second, third = powers
        share = 1 / stretch
        return Cumulants(
            float(share @ np.log(moment)),
            float(share @ first),
            float(share @ (second - first**2)),
            float(share @ (third - 3 * first * second + 2 * first**3)),
        )


class Cumulants(NamedTuple):
    """The cumulant generating function of a statistic at a point, and its first derivatives."""

    value: float
    mean: float
    variance: float
    third: float


def when_made(
    p: npt.ArrayLike,
    y: npt.ArrayLike,
    path: npt.ArrayLike,
    question: npt.ArrayLike,
    family: npt.ArrayLike | None = None,
    level: npt.ArrayLike | None = None,
) -> WhenMade:
    """Return the tests of calibration of forecasts when made.

    ``p``, ``y`` (n, K): probabilities and outcome of the options, 0 for those a question does not
    have; binary is [no, yes], and ``y`` may be a fraction. ``path`` (n,) identifies a forecaster's
    forecasts on a question, ``question`` and ``family`` (n,) those that share an outcome or are
    linked; questions follow each other, and the forecasts of one are in order of time. ``level``
    (n, K): what an option counts towards the level, by default 1 for "yes" if K is 2 and nothing
    otherwise: on unordered options Σ (y − p) is 0. Raises InputError.

    The payoffs, with k the number of the forecast in its path: ``level`` / k; for the slope half of
    ln p / k, and half of the change of ln p since the forecaster's previous forecast; −p / k for
    the sharpness. The slope is made uncorrelated with the level. ``p_value`` is that of the sum of
    their squares, chi-squared with two degrees of freedom.

    Cox (1958), doi:10.1093/biomet/45.3-4.562; Spiegelhalter (1986), doi:10.1002/sim.4780050506.

    >>> p, y = [[0.1, 0.9]] * 10, [[1.0, 0.0]] * 5 + [[0.0, 1.0]] * 5
    >>> found = when_made(p, y, range(10), range(10))
    >>> round(found.level.statistic, 2), found.level.p_value < 0.01
    (-3.22, True)
    """
    forecast, outcome = np.asarray(p, dtype=np.float64), np.asarray(y, dtype=np.float64)
    rule = "p and y must be matrices of the same shape, one row a forecast, and not empty"
    require("p", forecast.shape, forecast.ndim == 2 and len(forecast) > 0, rule)
    require("y", outcome.shape, outcome.shape == forecast.shape, rule)
    n, options = forecast.shape
    names = [np.asarray(path), np.asarray(question)]
    names.append(names[1] if family is None else np.asarray(family))
    for name, given in zip(("path", "question", "family"), names, strict=True):
        require(name, given.shape, given.shape == (n,), "needs one entry per forecast")
    starts = np.append(True, names[1][1:] != names[1][:-1])
    first = np.flatnonzero(starts)
    linked = _numbers(names[2][first])
    rank, previous = _ranks(_numbers(names[0]))
    if level is None:
        counts = np.zeros_like(forecast)
        counts[:, -1] = 1.0 if options == 2 else 0.0
    else:
        counts = np.asarray(level, dtype=np.float64)
        require("level", counts.shape, counts.shape == forecast.shape, rule)
    weight = (1 / rank)[:, None]
    logs = np.log(np.maximum(forecast, _LEAST_P))
    before = np.where((previous < 0)[:, None], 0.0, logs[previous])
    payoffs = (
        weight * counts,
        (1 - CHANGE) * weight * logs + CHANGE * (logs - before),
        -weight * forecast,
    )
    impossible = (forecast <= 0) & (outcome > 0)
    failed = np.flatnonzero(impossible.any(axis=1))
    levels, slopes, sharpness = (
        _sums(forecast, outcome, payoff, first, starts) for payoff in payoffs
    )
    spread = float(levels.variances().sum())
    if spread > CERTAIN:
        slopes = slopes.less(levels, float(slopes.variances(levels).sum()) / spread)
    tests = [_test(sums, linked) for sums in (levels, slopes, sharpness)]
    both = [test.statistic for test in tests[:2] if not math.isnan(test.statistic)]
    square = sum(z * z for z in both)
    p_value = {0: math.nan, 1: math.erfc(math.sqrt(square / 2)), 2: math.exp(-square / 2)}[
        len(both)
    ]
    return WhenMade(tests[0], tests[1], tests[2], 0.0 if len(failed) else p_value, failed)


def _numbers(names: npt.NDArray[np.generic]) -> Places:
    return np.asarray(np.unique(names, return_inverse=True)[1], dtype=np.intp)


def _ranks(path: Places) -> tuple[Places, Places]:
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


def _sums(p: Floats, y: Floats, payoff: Floats, first: Places, starts: Flags) -> _Sums:
    """Return the statistic with these payoffs; ``first`` are the questions' first forecasts."""
    added = payoff - (p * payoff).sum(axis=1, keepdims=True)
    upto = np.cumsum(added, axis=0)
    begins = (upto - added)[first][np.cumsum(starts) - 1]
    after = upto - begins
    last = np.append(first[1:], len(p)) - 1
    possible = p > 0
    counts = possible.sum(axis=1)
    return _Sums(
        p[possible],
        after[possible],
        (after - added)[possible],
        np.append(0, np.cumsum(counts)[last[:-1]]),
        (y[last] * after[last]).sum(axis=1),
    )


def _stretch(sums: _Sums, family: Places) -> Floats:
    """Return the factor of each question's variance that accounts for its family."""
    variance = np.maximum(sums.variances(), 0.0)
    deviation = np.sqrt(variance)
    of_family = np.bincount(family, deviation)
    most = float(of_family @ of_family - variance.sum())
    if most <= 1e-12 * float(variance.sum()):
        return np.ones(len(variance))
    gains = np.bincount(family, sums.gain)
    share = float(gains @ gains - sums.gain @ sums.gain) / most
    share = min(max(share, 0.0), 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        stretch = 1 + share * (of_family[family] / deviation - 1)
    return np.where(deviation > 0, stretch, 1.0)


def _test(sums: _Sums, family: Places) -> Test:
    """Return the two-sided test that the statistic is 0; NaN if chance cannot move it."""
    # Lazy: scipy is slow to import, and few commands need it.
    from scipy.special import ndtr

    stretch = _stretch(sums, family)
    sums = sums.stretched(stretch)
    total = float(sums.gain.sum())
    variance = sums.cumulants(0.0, stretch).variance
    if not variance > CERTAIN:
        return Test(math.nan, math.nan)
    at = _saddlepoint(sums, stretch, total, variance)
    tilted = sums.cumulants(at, stretch)
    # The statistic moves in jumps, of this size in its tail: one of a few events, or none. The
    # event that occurred belongs to the tail, so it begins half a jump nearer to 0.
    if tilted.variance > 0:
        half = min(abs(tilted.third / tilted.variance) / 2, abs(total))
        total -= math.copysign(half, total)
        at = _saddlepoint(sums, stretch, total, variance)
        tilted = sums.cumulants(at, stretch)
    z = total / math.sqrt(variance)
    root = math.copysign(math.sqrt(max(2 * (at * total - tilted.value), 0.0)), at)
    wald = at * math.sqrt(max(tilted.variance, 0.0))
    if abs(root) > 1e-3 and wald / root > 0:
        z = root + math.log(wald / root) / root
    return Test(z, 2 * float(ndtr(-abs(z))))


def _saddlepoint(sums: _Sums, stretch: Floats, total: float, variance: float) -> float:
    """Return the argument at which the statistic's mean is ``total``, by Newton's method.

    ``variance`` is that at 0. Beyond the statistic's largest or smallest value there is none; the
    argument then stops where exponents become too large.
    """
    largest = float(np.abs(sums.after).max())
    furthest, longest = _FURTHEST / largest, 2 / largest
    at = min(max(total / variance, -furthest), furthest)
    for _ in range(_STEPS):
        tilted = sums.cumulants(at, stretch)
        if tilted.variance <= CERTAIN * variance:
            break
        step = min(max((total - tilted.mean) / tilted.variance, -longest), longest)
        at = min(max(at + step, -furthest), furthest)
        if abs(step) * math.sqrt(variance) < 1e-4:
            break
    return at
