"""Scores relative to a reference: peers, the crowd, or the uniform forecast.

A reference takes `ScoredPaths` and returns one number per (question, forecaster): an advantage,
positive if the forecaster did better, except for `own` and `daily_median`, where lower is better.
To add one, write a function and add it to `REFERENCES`. References to others leave the forecaster
out: if one's own forecast is part of the reference, an honest forecast is not optimal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from scoring.arrays import Codes, Flags, Floats
from scoring.event_sweep import Sweep
from scoring.paths import Paths
from scoring.ranks import live_ranks, sums_over_life
from scoring.rules import Rule, uniform
from scoring.timings import Timed


@dataclass(frozen=True)
class ScoredPaths:
    """Forecasts on a timing's clock, their outcomes, and the rule that scores them.

    ``p`` and ``y`` have one row per segment; ``scale``, if given, multiplies each segment's
    contribution.
    """

    timed: Timed
    p: Floats
    y: Floats
    rule: Rule
    scale: float | Floats | None = None

    @property
    def paths(self) -> Paths:
        """The forecasts' segments on the timing's clock."""
        return self.timed.paths

    @cached_property
    def score(self) -> Floats:
        """Each segment's score under the rule; may be infinite."""
        return self.rule.kernel(self.p, self.y)

    @cached_property
    def sweep(self) -> Sweep:
        """The event sweep over all segments."""
        return Sweep(self.paths)

    def average(self, earned: Floats) -> Floats:
        """Return each path's total over its segments, divided by the timing's divisor."""
        # ∞ − x is ∞; ∞ − ∞ is undefined and gives NaN.
        with np.errstate(invalid="ignore"):
            earned = earned if self.scale is None else earned * self.scale
            return np.add.reduceat(earned, self.paths.first) / self.timed.divisor


Reference = Callable[[ScoredPaths], Floats]


def own(view: ScoredPaths) -> Floats:
    """Return the score itself, without a reference."""
    with np.errstate(invalid="ignore"):
        earned = view.score * view.paths.length
    # NaN arises only as infinity × a length of 0. A sum finds it faster than a search.
    if not np.isfinite(earned.sum()):
        earned[np.isnan(earned)] = 0.0
    return view.average(earned)


def uniform_forecast(view: ScoredPaths) -> Floats:
    """Return the advantage over the forecast with equal probabilities."""
    known = view.rule.kernel(uniform(view.p), view.y)
    return view.average((known - view.score) * view.paths.length)


def peers(view: ScoredPaths) -> Floats:
    """Return the peer score: the advantage over the mean score of the others live at the time.

    While nobody else is live the difference counts as 0. Over all forecasters of a question the
    differences sum to 0 at each instant. An infinite score gives an infinite difference; if both
    sides are infinite the result is NaN.
    """
    sweep, impossible = view.sweep, np.isinf(view.score)
    score = np.where(impossible, 0.0, view.score) if impossible.any() else view.score
    others = _one_over(sweep.live - 1)
    earned = sweep.integral(sweep.sum(score) * others)
    earned -= score * sweep.integral(sweep.live * others)
    if impossible.any():
        earned += _infinities(sweep, impossible)
    return view.average(earned)


def _infinities(sweep: Sweep, own_infinite: Flags) -> Floats:
    """Return +∞ for segments that met another's infinite score, −∞ for those that had one."""
    infinite, company = sweep.count(own_infinite), sweep.live >= 2
    met = np.where(own_infinite, sweep.integral(infinite >= 2), sweep.integral(infinite >= 1)) > 0
    had = own_infinite & (sweep.integral(company) > 0)
    with np.errstate(invalid="ignore"):
        return np.where(met, np.inf, 0.0) - np.where(had, np.inf, 0.0)


def crowd_mean(view: ScoredPaths) -> Floats:
    """Return the advantage over the mean of the others' forecasts. The rule must be quadratic.

    If the score is the squared length of a deviation D, the others' mean scores |ΣD|² / (n−1)²
    with the sum over the others: |A − D|² = |A|² − 2 A·D + |D|², with A the sum over everyone.
    """
    assert view.rule.deviation is not None
    sweep = view.sweep
    deviation = view.rule.deviation(view.p, view.y).reshape(len(view.p), -1).T
    others = _one_over(sweep.live - 1)
    squared = others * others
    squared_sum = np.zeros(len(sweep))
    earned = view.score * sweep.integral(squared - (sweep.live >= 2))
    for axis in deviation:
        total = sweep.sum(axis)
        squared_sum += total * total
        earned -= 2 * axis * sweep.integral(total * squared)
    return view.average(earned + sweep.integral(squared_sum * squared))


def crowd_median(view: ScoredPaths) -> Floats:
    """Return the advantage over the median of the others' forecasts. Binary questions only.

    Leaving one forecast out changes the median in one of three ways: it was below the middle, the
    middle itself, or above it. The scores of the three medians are summed over the times at which
    the forecaster's own rank selects each of them.
    """
    sweep = view.sweep
    values, rank = _ranked(view.p)
    at, ranks = live_ranks(sweep, rank, 2, _around_the_middle)
    odd = sweep.live[at] % 2 == 1
    before, mid, after = values[ranks]
    y = view.y[sweep.first][sweep.question[at]]
    scores = np.stack(
        [
            view.rule.kernel(np.where(odd, (mid + after) / 2, after), y),
            view.rule.kernel(np.where(odd, (before + after) / 2, after), y),
            view.rule.kernel(np.where(odd, (before + mid) / 2, mid), y),
        ]
    )
    infinite = np.isinf(scores)
    total = sums_over_life(sweep, rank, at, ranks[1])
    against = total(*np.where(infinite, 0.0, scores) * sweep.width[at])
    company = sweep.duration(sweep.live >= 2)
    own_score = np.where(company == 0, 0.0, view.score)
    with np.errstate(invalid="ignore"):
        if infinite.any():
            against[total(*infinite.astype(np.float64)) > 0] = np.inf
        return view.average(against - own_score * company)


def _around_the_middle(live: Codes) -> tuple[Codes, ...]:
    middle = (live - 1) // 2
    return np.maximum(middle - 1, 0), middle, middle + 1


def perfect_peer(view: ScoredPaths) -> Floats:
    """Return the advantage over a score of 0, at times with someone else live: never above 0.

    With it, the advantage over a reference of others becomes a share of that reference's score.
    """
    with np.errstate(invalid="ignore"):
        earned = -view.score * view.sweep.integral(view.sweep.live >= 2)
    # NaN arises only as infinity × a length of 0.
    return view.average(np.where(np.isnan(earned), 0.0, earned))


def daily_median(view: ScoredPaths) -> Floats:
    """Return the score minus the mean of the median score of everyone live; lower is better.

    The median includes the forecaster. The mean covers all times with a live forecast: on the daily
    clock, all days with a standing forecast.
    """
    sweep = view.sweep
    values, rank = _ranked(view.score)
    at, ranks = live_ranks(sweep, rank, 1, lambda live: ((live - 1) // 2, live // 2))
    low, high = values[ranks]
    area, time = np.zeros(len(sweep)), np.zeros(len(sweep))
    time[at] = sweep.width[at]
    area[at] = (low + high) / 2 * time[at]
    median: Floats = np.add.reduceat(area, sweep.begin) / np.add.reduceat(time, sweep.begin)
    against: Floats = median[sweep.question[sweep.start[view.paths.first]]]
    return own(view) - against


def _ranked(value: Floats) -> tuple[Floats, Codes]:
    """Return the sorted distinct values, and the rank of each value among them."""
    distinct, rank = np.unique(value, return_inverse=True)
    return distinct, rank.astype(np.int32)


def _one_over(n: Codes) -> Floats:
    """Return 1 / n, and 0 if n is 0."""
    return np.divide(1.0, n, out=np.zeros(len(n)), where=n > 0)


REFERENCES: dict[str, Reference] = {
    "uniform": uniform_forecast,
    "peers": peers,
    "crowd_mean": crowd_mean,
    "crowd_median": crowd_median,
    "perfect_peer": perfect_peer,
    "daily_median": daily_median,
}
