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
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from scoring.arrays import Floats, Places
from scoring.inference import Test

# A variance below this, in the statistic's unit, is that of certain forecasts.
CERTAIN = 1e-12
ROUNDING = 1e-12
# The least variance, as a share of that of forecasts which have nothing to do with each other.
LEAST_SHARE = 0.05
# 97.5% of a standard normal lie below it.
FAR = 1.959963984540054
_STEPS = 50
_JUMPS = 3
# The exponential series of this degree is exact to 1e-7 for exponents up to 1.5.
_DEGREE, _NEAR = 15, 1.5
# Of its derivatives, the factors and the powers of each term: one row each.
_TERM, _LESS = np.arange(_DEGREE + 1), np.arange(4)[:, None]
_POWERS = np.maximum(_TERM - _LESS, 0)
_FACTORS = np.cumprod(np.vstack([_TERM**0, np.maximum(_TERM - _LESS[:3], 0)]), axis=0)
_FURTHEST = 30.0  # exponents beyond it are not needed for any p-value above 1e-12


class Sums(NamedTuple):
    """A statistic: per row (forecast and possible option) p, S after and before it, and its path.

    ``gain``: U of each path. ``slack``: how far their sum may be below and above 0 without a fault.
    ``wider``: variance of their sum beyond that of forecasts without noise.
    """

    p: Floats
    after: Floats
    before: Floats
    first: Places
    gain: Floats
    slack: tuple[float, float] = (0.0, 0.0)
    wider: float = 0.0

    def beyond(self, total: float) -> float:
        """Return the part of a sum of earnings that is beyond the slack."""
        below, above = self.slack
        return min(total + below, 0.0) if total < 0 else max(total - above, 0.0)

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
        found = np.empty((4, len(self.first)))
        for row in found:
            row[:] = self._totals(now - earlier)
            now, earlier = now * self.after, earlier * self.before
        found[0] += 1
        return found

    def series(self) -> Floats:
        """Return the coefficients of E exp(θ U) in powers of θ (degree + 1, paths)."""
        now = earlier = self.p
        found = np.ones((_DEGREE + 1, len(self.first)))
        for power in range(1, _DEGREE + 1):
            now, earlier = now * self.after, earlier * self.before
            found[power] = self._totals(now - earlier) / math.factorial(power)
        return found


class Cumulants(NamedTuple):
    """The cumulant generating function of a statistic at a point, and its first derivatives."""

    value: float
    mean: float
    variance: float
    third: float

    @property
    def jump(self) -> float:
        """The size in which the statistic moves in the tail of that argument."""
        return abs(self.third / self.variance) if self.variance > 0 else 0.0


def _stretch(sums: Sums, family: Places, products: float) -> Floats:
    """Return the factor of each question's variance that accounts for its family.

    ``products``: the sum of U_i U_j over the pairs i, j of questions in one family.
    """
    variance = np.maximum(sums.variances(), 0.0)
    deviation = np.sqrt(variance)
    of_family = np.bincount(family, deviation)
    most = float(of_family @ of_family - variance.sum())
    if most <= 1e-12 * float(variance.sum()):
        return np.ones(len(variance))
    share = min(max(products / most, 0.0), 1.0)
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

        return Test(self.statistic, 2 * float(ndtr(-abs(self.statistic))))

    def range(self) -> tuple[float, float]:
        """Return the values between which the statistic lies unless the test rejects at 5%."""
        if self.normal or math.isnan(self.deviation):
            return -FAR * self.deviation, FAR * self.deviation
        return self._end(-1.0), self._end(1.0)

    def cumulants(self, at: float) -> Cumulants:
        """Return the cumulant generating function of the statistic at that argument."""
        if abs(at) * self._largest <= _NEAR:
            moments = (_FACTORS * at**_POWERS) @ self._series
        else:
            moments = self.sums.moments(at)
        moment = np.maximum(moments[0], 1e-9)
        first, second, third = moments[1:] / moment
        share, square = 1 / self.stretch, first**2
        return Cumulants(
            float(share @ np.log(moment)),
            float(share @ first),
            float(share @ (second - square)),
            float(share @ (third + first * (2 * square - 3 * second))),
        )

    def saddlepoint(self, total: float, near: float | None = None) -> float:
        """Return the argument at which the statistic's mean is ``total``, by Newton's method.

        The search begins at ``near``, if it is given. Beyond the statistic's largest or smallest
        value there is none; the argument then stops where exponents become too large.
        """
        variance, furthest = self.deviation**2, self.furthest
        longest = furthest / 15
        at = min(max(total / variance if near is None else near, -furthest), furthest)
        for _ in range(_STEPS):
            tilted = self.cumulants(at)
            if tilted.variance <= CERTAIN * variance:
                break
            step = min(max((total - tilted.mean) / tilted.variance, -longest), longest)
            at = min(max(at + step, -furthest), furthest)
            if abs(step) * self.deviation < 1e-4:
                break
        return at

    @cached_property
    def statistic(self) -> float:
        """r*, standard normal under calibration, of the observed value."""
        return self.statistic_of(float(self.sums.gain.sum()))

    def statistic_of(self, total: float) -> float:
        """Return r* of a value of the statistic, less the slack, with the wider variance."""
        wider = 1 + self.sums.wider / self.deviation**2
        return self._narrow(self.sums.beyond(total)) / math.sqrt(wider)

    def _narrow(self, total: float) -> float:
        """Return r* of a value, without slack."""
        if self.normal or math.isnan(self.deviation):
            return total / self.deviation
        at = self.saddlepoint(total)
        tilted = self.cumulants(at)
        if tilted.variance > 0:
            total -= math.copysign(min(tilted.jump / 2, abs(total)), total)
            at = self.saddlepoint(total)
            tilted = self.cumulants(at)
        return self._root(at, total, tilted)

    def _root(self, at: float, total: float, tilted: Cumulants) -> float:
        """Return r* of a value whose saddlepoint is ``at``."""
        root = math.copysign(math.sqrt(max(2 * (at * total - tilted.value), 0.0)), at)
        wald = at * math.sqrt(max(tilted.variance, 0.0))
        if abs(root) > 1e-3 and wald / root > 0:
            found = root + math.log(wald / root) / root
            # Of paths the cumulants are estimates, which fail far out; then the sign can turn.
            if found * root > 0 or abs(found) < 1:
                return found
        return total / self.deviation

    def _end(self, side: float) -> float:
        """Return the end of the range on one side; the extreme value if the test rejects none.

        The search is for the argument, whose value of r* needs no saddlepoint.
        """

        def beyond(size: float) -> float:
            tilted = self.cumulants(side * size)
            return side * self._root(side * size, tilted.mean, tilted) - FAR

        end, found = self.extreme(side) * (1 + ROUNDING), crossing(beyond, 0.0, self.furthest)
        if found is not None:
            at = side * found
            begins = side * self.cumulants(at).mean
            # The tail begins half a jump nearer to 0 than the end; the jump is that at the end.
            for _ in range(_JUMPS):
                jump = self.cumulants(at).jump / 2
                at = self.saddlepoint(side * (begins + jump), near=at)
            end = min(begins + jump, end)
        # The range and the test agree on the observed value.
        total = side * float(self.sums.gain.sum())
        rejects = side * self.statistic >= FAR
        # Where the cumulants fail, the end is the normal one.
        if not 0 < end < (total if rejects else math.inf):
            end = FAR * self.deviation
        return side * (min(end, total * (1 - ROUNDING)) if rejects else max(end, total))

    def extreme(self, side: float) -> float:
        """Return the size of the largest value (side 1) or smallest value (side −1)."""
        most = np.maximum.reduceat(side * self.sums.after, self.sums.first)
        return float(most @ (1 / self.stretch))

    @cached_property
    def furthest(self) -> float:
        """The argument beyond which exponents are too large."""
        return _FURTHEST / self._largest

    @cached_property
    def _largest(self) -> float:
        return float(max(np.abs(self.sums.after).max(), np.abs(self.sums.before).max()))

    @cached_property
    def _series(self) -> Floats:
        return self.sums.series()


def crossing(of: Callable[[float], float], low: float, high: float) -> float | None:
    """Return where a rising function crosses 0 between two points, None if it does not."""
    # Lazy: scipy.optimize is slow to import.
    from scipy.optimize import brentq

    # The ends are far out, where exponents are large; a crossing is near the middle.
    near = min(max(0.0, low), high)
    at = of(near)
    end = high if at < 0 else low
    step = math.copysign(max(high - low, 0.0) / 128, end - near)
    while near != end:
        there = min(max(near + step, low), high)
        if (of(there) < 0) != (at < 0):
            return float(brentq(of, near, there, xtol=1e-6 * (high - low), rtol=1e-6))
        near, step = there, 2 * step
    return None


def null(sums: Sums, family: Places, products: float | None = None) -> Null:
    """Return the distribution of a statistic under calibration; ``family`` of each question.

    ``products``: the sum of U_i U_j over the pairs of a family, by default the one observed.
    """
    if products is None:
        gains = np.bincount(family, sums.gain)
        products = float(gains @ gains - sums.gain @ sums.gain)
    stretch = _stretch(sums, family, products)
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
