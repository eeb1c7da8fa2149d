"""The null distribution of payoffs: their earnings under calibration.

**Payoffs.** A test gives each option of a forecast a payoff that is known when the forecast is
made, such as its log odds. The payment at the outcome, less the payment that the forecast expected,
has mean 0 for a calibrated forecaster, no matter what happens later: the question may close early,
the forecaster may stop or join late. The statistic is the sum U over a question's forecasts, and
over questions. A payoff may depend on earlier forecasts (the weight 1/k of a forecaster's k-th
one), but not on later ones, nor on how long the forecast lasted, which later events decide.

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
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from scoring.arrays import Flags, Floats, Places
from scoring.errors import require
from scoring.inference import Test

# A variance below this, in the statistic's unit, is that of certain forecasts.
CERTAIN = 1e-12
# The least variance, as a share of that of forecasts which have nothing to do with each other.
LEAST_SHARE = 0.05
_STEPS = 50
_FURTHEST = 30.0  # exponents beyond it are not needed for any p-value above 1e-12


class Forecasts(NamedTuple):
    """Validated forecasts in order of question and time, one row each.

    ``p``, ``y`` (n, K); ``rank`` in the path of their forecaster, from 1; ``previous``, the row of
    the forecast before it, -1 for the first; ``first``, the first row of each question; ``starts``
    marks these; ``family`` of each question.
    """

    p: Floats
    y: Floats
    rank: Places
    previous: Places
    first: Places
    starts: Flags
    family: Places

    def sums(self, payoff: Floats) -> Sums:
        """Return the earnings of payoffs (n, K) on each question."""
        added = payoff - (self.p * payoff).sum(axis=1, keepdims=True)
        upto = np.cumsum(added, axis=0)
        begins = (upto - added)[self.first][np.cumsum(self.starts) - 1]
        after = upto - begins
        last = np.append(self.first[1:], len(self.p)) - 1
        possible = self.p > 0
        counts = np.cumsum(possible.sum(axis=1))
        return Sums(
            self.p[possible],
            after[possible],
            (after - added)[possible],
            np.append(0, counts[last[:-1]]),
            (self.y[last] * after[last]).sum(axis=1),
        )

    def change(self, of: Floats) -> Floats:
        """Return the change of a value of the forecasts since the path's last; at first, itself."""
        return of - np.where((self.previous < 0)[:, None], 0.0, of[self.previous])


def in_order_of_time(
    p: npt.ArrayLike,
    y: npt.ArrayLike,
    path: npt.ArrayLike,
    question: npt.ArrayLike,
    family: npt.ArrayLike | None,
) -> Forecasts:
    """Return the validated forecasts, given in order of question and time.

    ``p``, ``y`` (n, K): probabilities and outcome of the options, 0 for those a question does not
    have; binary is [no, yes], and ``y`` may be a fraction. ``path`` (n,) identifies a forecaster's
    forecasts on a question, ``question`` and ``family`` (n,) those that share an outcome or are
    linked. Raises InputError.
    """
    forecast, outcome = np.asarray(p, dtype=np.float64), np.asarray(y, dtype=np.float64)
    rule = "p and y must be matrices of the same shape, one row a forecast, and not empty"
    require("p", forecast.shape, forecast.ndim == 2 and len(forecast) > 0, rule)
    require("y", outcome.shape, outcome.shape == forecast.shape, rule)
    names = [np.asarray(path), np.asarray(question)]
    names.append(names[1] if family is None else np.asarray(family))
    for name, given in zip(("path", "question", "family"), names, strict=True):
        require(name, given.shape, given.shape == (len(forecast),), "needs one entry per forecast")
    starts = np.append(True, names[1][1:] != names[1][:-1])
    first = np.flatnonzero(starts)
    rank, previous = _ranks(_numbered(names[0]))
    return Forecasts(forecast, outcome, rank, previous, first, starts, _numbered(names[2][first]))


class Sums(NamedTuple):
    """A statistic: per row (forecast and possible option) p, S after and before it, and its path.

    ``gain``: U of each path.
    """

    p: Floats
    after: Floats
    before: Floats
    first: Places
    gain: Floats

    def variances(self, other: Sums | None = None) -> Floats:
        """Return each path's variance, or covariance with another statistic of the same paths."""
        of = self if other is None else other
        return self._totals(self.p * (self.after * of.after - self.before * of.before))

    def clear_of(self, others: Sequence[Sums]) -> Sums:
        """Return the statistic less the multiples of others that leave it uncorrelated with them.

        All are of the same paths; another without variance is left out.
        """
        others = [other for other in others if other.variances().sum() > CERTAIN]
        if not others:
            return self
        both = np.array([[a.variances(b).sum() for b in others] for a in others])
        with_them = np.array([self.variances(other).sum() for other in others])
        times = np.linalg.lstsq(both, with_them, rcond=1e-9)[0]
        after, before, gain = self.after, self.before, self.gain
        for other, by in zip(others, times, strict=True):
            after = after - by * other.after
            before = before - by * other.before
            gain = gain - by * other.gain
        return self._replace(after=after, before=before, gain=gain)

    def stretched(self, by: Floats) -> Sums:
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


def _numbered(names: npt.NDArray[np.generic]) -> Places:
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


def _stretch(sums: Sums, family: Places) -> Floats:
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


def null_test(sums: Sums, family: Places) -> Test:
    """Return the two-sided test that the statistic is 0; NaN if chance cannot move it."""
    # Lazy: scipy is slow to import, and few commands need it.
    from scipy.special import ndtr

    stretch = _stretch(sums, family)
    sums = sums.stretched(stretch)
    total = float(sums.gain.sum())
    variance = sums.cumulants(0.0, stretch).variance
    apart = float(sums.p @ (sums.after - sums.before) ** 2)
    if not apart > CERTAIN:
        return Test(math.nan, math.nan)
    if variance < LEAST_SHARE * apart:
        # Far from calibrated, the estimate can be negative; then the observed variance has to do.
        gains = np.bincount(family, sums.gain)
        z = total / math.sqrt(max(float(gains @ gains), CERTAIN))
        return Test(z, 2 * float(ndtr(-abs(z))))
    at = saddlepoint(sums, stretch, total, variance)
    tilted = sums.cumulants(at, stretch)
    # The statistic moves in jumps, of this size in its tail: one of a few events, or none. The
    # event that occurred belongs to the tail, so it begins half a jump nearer to 0.
    if tilted.variance > 0:
        half = min(abs(tilted.third / tilted.variance) / 2, abs(total))
        total -= math.copysign(half, total)
        at = saddlepoint(sums, stretch, total, variance)
        tilted = sums.cumulants(at, stretch)
    z = total / math.sqrt(variance)
    root = math.copysign(math.sqrt(max(2 * (at * total - tilted.value), 0.0)), at)
    wald = at * math.sqrt(max(tilted.variance, 0.0))
    if abs(root) > 1e-3 and wald / root > 0:
        z = root + math.log(wald / root) / root
    return Test(z, 2 * float(ndtr(-abs(z))))


def null_deviation(sums: Sums, family: Places) -> float:
    """Return the standard deviation of the statistic under calibration, families accounted for."""
    stretch = _stretch(sums, family)
    return math.sqrt(max(sums.stretched(stretch).cumulants(0.0, stretch).variance, 0.0))


def saddlepoint(sums: Sums, stretch: Floats, total: float, variance: float) -> float:
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
