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
The statistic moves in jumps, of the size K'''/K'' in its tail: one of a few events, or none. The
event that occurred belongs to the tail, so the tail begins half a jump nearer to 0.

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
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from scoring.arrays import Flags, Floats, Places
from scoring.errors import require
from scoring.inference import Test

# A variance below this, in the statistic's unit, is that of certain forecasts.
CERTAIN = 1e-12
ROUNDING = 1e-12
# The least variance, as a share of that of forecasts which have nothing to do with each other.
LEAST_SHARE = 0.05
# 97.5% of a standard normal lie below it.
FAR = 1.959963984540054
_STEPS = 50
# The exponential series of this degree is exact to 1e-7 for exponents up to 1.5.
_DEGREE, _NEAR = 15, 1.5
_FURTHEST = 30.0  # exponents beyond it are not needed for any p-value above 1e-12


class Forecasts(NamedTuple):
    """Validated forecasts in order of question and time, one row each.

    ``p``, ``y``, ``level`` (n, K); ``rank`` in the path of their forecaster, from 1; ``previous``,
    the row of the forecast before it, -1 for the first; ``first``, the first row of each question;
    ``starts`` marks these; ``family`` of each question.
    """

    p: Floats
    y: Floats
    level: Floats
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
        gain = (self.y[last] * after[last]).sum(axis=1)
        before = after - added
        possible = self.p > 0
        if possible.all():
            starts = self.first * self.p.shape[1]
            return Sums(self.p.ravel(), after.ravel(), before.ravel(), starts, gain)
        counts = np.append(0, np.cumsum(possible.sum(axis=1)))
        of = self.p[possible], after[possible], before[possible]
        return Sums(*of, counts[self.first], gain)

    def change(self, of: Floats) -> Floats:
        """Return the change of a value of the forecasts since the path's last; at first, itself."""
        return of - np.where((self.previous < 0)[:, None], 0.0, of[self.previous])


def in_order_of_time(
    p: npt.ArrayLike,
    y: npt.ArrayLike,
    path: npt.ArrayLike,
    question: npt.ArrayLike,
    family: npt.ArrayLike | None = None,
    level: npt.ArrayLike | None = None,
) -> Forecasts:
    """Return the validated forecasts, as `when_made` and `reaction` take them.

    ``p``, ``y`` (n, K): probabilities and outcome of the options, 0 for those a question does not
    have; binary is [no, yes], and ``y`` may be a fraction. ``path`` (n,) identifies a forecaster's
    forecasts on a question, ``question`` and ``family`` (n,) those that share an outcome or are
    linked; questions follow each other, and the forecasts of one are in order of time. ``level``
    (n, K): what an option counts towards the level, by default 1 for "yes" if K is 2 and nothing
    otherwise: on unordered options Σ (y − p) is 0. Raises InputError.

    >>> in_order_of_time([[0.5, 0.5], [0.2, 0.8]], [[0, 1], [0, 1]], ["ana", "ana"], [7, 7]).rank
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
    return Forecasts(forecast, outcome, counts, rank, previous, first, starts, cluster)


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

    def moments(self, at: float) -> Floats:
        """Return E exp(θ U) of each path at that θ, and its first three derivatives (4, paths)."""
        now, earlier = (self.p * np.exp(at * of) for of in (self.after, self.before))
        found = [1 + self._totals(now - earlier)]
        for _ in range(3):
            now, earlier = now * self.after, earlier * self.before
            found.append(self._totals(now - earlier))
        return np.stack(found)

    def series(self) -> Floats:
        """Return the coefficients of E exp(θ U) in powers of θ (degree + 1, paths)."""
        now, earlier = self.p.copy(), self.p.copy()
        found = [np.ones(len(self.first))]
        for power in range(1, _DEGREE + 1):
            now *= self.after
            earlier *= self.before
            found.append(self._totals(now - earlier) / math.factorial(power))
        return np.stack(found)


class Cumulants(NamedTuple):
    """The cumulant generating function of a statistic at a point, and its first derivatives."""

    value: float
    mean: float
    variance: float
    third: float


def _numbered(names: npt.NDArray[np.generic]) -> Places:
    return np.asarray(np.unique(names, return_inverse=True)[1], dtype=np.intp)


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


@dataclass(frozen=True)
class Null:
    """The distribution of a statistic under calibration, families accounted for.

    ``sums`` are multiplied by ``stretch``. ``deviation`` is NaN if chance cannot move the
    statistic; ``spread`` is that of each family. ``normal``: far from calibrated, the estimated
    variance can be negative; then the distribution is normal, and the deviation the one observed.
    """

    sums: Sums
    stretch: Floats
    deviation: float
    spread: Floats
    normal: bool

    def test(self) -> Test:
        """Return the two-sided test that the statistic is 0; NaN if chance cannot move it."""
        # Lazy: scipy is slow to import, and few commands need it.
        from scipy.special import ndtr

        z = self._z(float(self.sums.gain.sum()))
        return Test(z, 2 * float(ndtr(-abs(z))))

    def range(self) -> tuple[float, float]:
        """Return the values between which the statistic lies unless the test rejects at 5%."""
        if self.normal or math.isnan(self.deviation):
            return -FAR * self.deviation, FAR * self.deviation
        return self._end(-1.0), self._end(1.0)

    def cumulants(self, at: float) -> Cumulants:
        """Return the cumulant generating function of the statistic at that argument."""
        if abs(at) * self._largest <= _NEAR:
            degree = np.arange(_DEGREE + 1)
            powers = at**degree
            rows = [powers]
            for _ in range(3):
                powers = np.append(0.0, powers[:-1]) * degree
                rows.append(powers)
            moments = np.stack(rows) @ self._series
        else:
            moments = self.sums.moments(at)
        moment = np.maximum(moments[0], 1e-9)
        first, second, third = moments[1:] / moment
        share = 1 / self.stretch
        return Cumulants(
            float(share @ np.log(moment)),
            float(share @ first),
            float(share @ (second - first**2)),
            float(share @ (third - 3 * first * second + 2 * first**3)),
        )

    def saddlepoint(self, total: float) -> float:
        """Return the argument at which the statistic's mean is ``total``, by Newton's method.

        Beyond the statistic's largest or smallest value there is none; the argument then stops
        where exponents become too large.
        """
        variance = self.deviation**2
        furthest, longest = _FURTHEST / self._largest, 2 / self._largest
        at = min(max(total / variance, -furthest), furthest)
        for _ in range(_STEPS):
            tilted = self.cumulants(at)
            if tilted.variance <= CERTAIN * variance:
                break
            step = min(max((total - tilted.mean) / tilted.variance, -longest), longest)
            at = min(max(at + step, -furthest), furthest)
            if abs(step) * self.deviation < 1e-4:
                break
        return at

    def _z(self, total: float) -> float:
        """Return r*, standard normal under calibration, of a value of the statistic."""
        if self.normal or math.isnan(self.deviation):
            return total / self.deviation
        at = self.saddlepoint(total)
        tilted = self.cumulants(at)
        if tilted.variance > 0:
            half = min(abs(tilted.third / tilted.variance) / 2, abs(total))
            total -= math.copysign(half, total)
            at = self.saddlepoint(total)
            tilted = self.cumulants(at)
        root = math.copysign(math.sqrt(max(2 * (at * total - tilted.value), 0.0)), at)
        wald = at * math.sqrt(max(tilted.variance, 0.0))
        if abs(root) > 1e-3 and wald / root > 0:
            return root + math.log(wald / root) / root
        return total / self.deviation

    def _end(self, side: float) -> float:
        """Return the end of the range on one side; the extreme value if the test rejects none."""
        # Lazy: scipy is slow to import, and few commands need it.
        from scipy.optimize import brentq

        def beyond(size: float) -> float:
            return side * self._z(side * size) - FAR

        most = np.maximum.reduceat(side * self.sums.after, self.sums.first)
        extreme = float(most @ (1 / self.stretch)) * (1 + ROUNDING)
        # The statistic itself is an end of the search, so that the range and the test agree.
        near, far = 0.0, min(FAR * self.deviation, extreme)
        total = side * float(self.sums.gain.sum())
        if total > 0:
            far = total
        while beyond(far) < 0:
            if far >= extreme:
                return side * extreme
            near, far = far, min(1.25 * far, extreme)
        return side * float(brentq(beyond, near, far, xtol=1e-4 * self.deviation))

    @cached_property
    def _series(self) -> Floats:
        return self.sums.series()

    @cached_property
    def _largest(self) -> float:
        return float(np.abs(self.sums.after).max())


def null(sums: Sums, family: Places) -> Null:
    """Return the distribution of a statistic under calibration; ``family`` of each question."""
    stretch = _stretch(sums, family)
    sums = sums.stretched(stretch)
    each = sums.variances() / stretch
    spread = np.sqrt(np.bincount(family, np.maximum(each, 0.0)))
    variance = float(each.sum())
    apart = float(sums.p @ (sums.after - sums.before) ** 2)
    if not apart > CERTAIN:
        return Null(sums, stretch, math.nan, spread, normal=False)
    if variance >= LEAST_SHARE * apart:
        return Null(sums, stretch, math.sqrt(variance), spread, normal=False)
    # Then the observed variance has to do.
    gains = np.bincount(family, sums.gain)
    observed = math.sqrt(max(float(gains @ gains), CERTAIN))
    return Null(sums, stretch, observed, spread, normal=True)
