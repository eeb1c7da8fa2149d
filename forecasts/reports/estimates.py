"""Means over questions, with intervals that allow for questions whose outcomes hang together."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from forecasts.reports.report import Estimate

LEVEL = 0.95


def mean_over_questions(
    score: npt.NDArray[np.float64], family: npt.NDArray[np.integer]
) -> Estimate:
    """Return the mean of one score a question, with its interval clustered by family.

    ``score`` (n,) and ``family`` (n,), the cluster of each question. With e_g the sum of the
    deviations from the mean in family g, of G, the standard error is √(G/(G−1) Σ e_g²) / n, and
    the interval reaches t(G−1) times as far to either side. No interval with one family.
    """
    if not len(score):
        return Estimate(None, None)
    mean = float(np.mean(score))
    cluster = np.unique(family, return_inverse=True)[1]
    sums = np.bincount(cluster, score - mean)
    many = len(sums)
    if many < 2:
        return Estimate(mean, None)
    error = float(np.sqrt(many / (many - 1) * (sums @ sums))) / len(score)
    reach = float(stdtrit(many - 1, (1 + LEVEL) / 2)) * error
    return Estimate(mean, (mean - reach, mean + reach))
