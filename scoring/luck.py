"""What a forecaster's own probabilities promised, beside what came."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from scoring.forecast_pairs import grouped_pairs
from scoring.inference import spiegelhalter
from scoring.means import clustered_mean


class Luck(NamedTuple):
    """The Brier score (0–1) that was expected, the one that came, and how far they are apart.

    ``difference`` = realised − expected, with its 95 % interval from ``lower`` to ``upper``, and
    the two-sided test that it is 0. Interval and test are NaN with fewer than two questions.
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
    """Return the mean of p (1 − p), which is the Brier score (0–1) to expect of p, and the score.

    Pairs as in `scoring.calibration`; ``question`` (n,) says which share an outcome or belong to
    one family: interval and test take sums within these first. A realised score above the expected
    one says that the forecasts claimed more certainty than they had, one below that they claimed
    less. For a multiple-choice forecast give each option as a pair of half the weight.

    With outcomes of 0 and 1 the paired difference (p − y)² − p (1 − p) is (y − p)(1 − 2p), so
    the test that its mean is 0 is that of `spiegelhalter`, whose statistic it has too.

    Spiegelhalter (1986), doi:10.1002/sim.4780050506. Raises InputError.

    >>> found = luck([0.9, 0.9, 0.9, 0.8], [1, 0, 1, 0])
    >>> round(found.expected, 4), round(found.realised, 4)
    (0.1075, 0.3675)
    """
    forecast, outcome, weights, group = grouped_pairs(p, y, weight, question)
    expected = forecast * (1 - forecast)
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
