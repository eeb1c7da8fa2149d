"""The Brier score that forecasts imply, compared with the actual one."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from scoring.expected_score import expected_brier
from scoring.forecast_pairs import grouped_pairs
from scoring.inference import spiegelhalter
from scoring.means import clustered_mean


class Luck(NamedTuple):
    """Expected and actual Brier score (0–1), and their difference.

    ``difference`` = realised − expected, with its 95% interval from ``lower`` to ``upper`` and the
    two-sided test that it is 0. Interval and test are NaN with fewer than two questions.
    """

    expected: float
    realised: float
    difference: float
    lower: float
    upper: float
    statistic: float
    p_value: float


def luck(
    p: npt.ArrayLike,
    y: npt.ArrayLike,
    weight: npt.ArrayLike | None = None,
    question: npt.ArrayLike | None = None,
) -> Luck:
    """Return the expected Brier score, mean p (1 − p), compared with the actual one (both 0–1).

    Pairs as in `scoring.forecast_pairs`; ``question`` (n,) identifies pairs that share an outcome
    or belong to one family: interval and test are clustered by it. A score above the expected one
    means overconfidence, one below underconfidence. For multiple choice, pass each option as a pair
    of half the weight.

    For outcomes of 0 and 1 the paired difference (p − y)² − p (1 − p) is (y − p)(1 − 2p), so the
    test and its statistic are those of `spiegelhalter`.

    Spiegelhalter (1986), doi:10.1002/sim.4780050506. Raises InputError.

    >>> found = luck([0.9, 0.9, 0.9, 0.8], [1, 0, 1, 0])
    >>> round(found.expected, 4), round(found.realised, 4)
    (0.1075, 0.3675)
    """
    forecast, outcome, weights, group = grouped_pairs(p, y, weight, question)
    expected = expected_brier(forecast, forecast)
    realised = (forecast - outcome) ** 2
    found = clustered_mean(realised - expected, group, weights, lopsided=True)
    test = spiegelhalter(forecast, outcome, weights, group)
    return Luck(
        float(np.average(expected, weights=weights)),
        float(np.average(realised, weights=weights)),
        found.mean,
        found.lower,
        found.upper,
        test.statistic,
        test.p_value,
    )
