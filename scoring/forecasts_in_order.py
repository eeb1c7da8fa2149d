"""Forecasts in order of time, as the tests of calibration when made take them.

All forecasts on a question, of one member or several, follow each other as one path, since they
share the outcome. This is a definition of this package; see `null_distribution`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from scoring.arrays import Flags, Floats, Places
from scoring.errors import require
from scoring.null_distribution import Sums


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
        added = payoff - np.einsum("ij,ij->i", self.p, payoff)[:, None]
        upto = np.cumsum(added, axis=0)
        sizes = np.diff(self.first, append=len(self.p))
        after = upto - np.repeat(upto[self.first] - added[self.first], sizes, axis=0)
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
