"""Expected scores: the mean score of a forecast if the outcome follows some belief.

A proper score has its best expected value for the belief itself; there it is the entropy of the
belief, p (1 − p) for the Brier score of a binary forecast.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from scoring.arrays import Floats
from scoring.errors import float_array
from scoring.rules import RULES, align_options


def expected_brier(p: npt.ArrayLike, belief: npt.ArrayLike) -> Floats:
    """Return the expected Brier scores (0..1, 0 is best) of forecasts under beliefs, one per row.

    ``p`` and ``belief`` are (n,), probabilities of "yes": (p − belief)² + belief (1 − belief). Or
    they are (n, K), NaN for an option that is null: the scores of the K outcomes, weighted by the
    belief; an outcome that the forecast does not have is scored by its last option.
    Raises InputError for arguments that are not numbers.

    Gneiting & Raftery (2007), doi:10.1198/016214506000001437.

    >>> expected_brier([0.4, 0.7], [0.7, 0.7]).round(4).tolist()
    [0.3, 0.21]
    >>> expected_brier([[0.4, 0.6]], [[0.7, 0.3]]).round(4).tolist()
    [0.3]
    """
    forecasts, beliefs = float_array("p", p), float_array("belief", belief)
    if forecasts.ndim < 2:
        return np.asarray((forecasts - beliefs) ** 2 + beliefs * (1 - beliefs))
    scores = [
        RULES["brier"].kernel(*align_options(forecasts, outcome, ordered=False))
        for outcome in np.indices(forecasts.shape)[1].T
    ]
    return np.asarray((np.nan_to_num(beliefs) * np.transpose(scores)).sum(axis=1))


def expected_crps(
    levels: npt.ArrayLike,
    values: npt.ArrayLike,
    belief_levels: npt.ArrayLike,
    belief_values: npt.ArrayLike,
) -> float:
    """Return the expected CRPS (0..1 of the range, 0 is best) of a forecast under a belief.

    Both are piecewise-linear distributions, given by levels and values (m,) from bound to bound.
    The result is ∫ (F − G)² + G (1 − G) dz over the range; the integrand is quadratic between
    knots, so two Gauss points per interval make it exact. Raises InputError for arguments that are
    not numbers.

    Gneiting & Raftery (2007), doi:10.1198/016214506000001437.

    >>> round(expected_crps([0, 1], [0, 10], [0, 1], [0, 10]), 4)
    0.1667
    """
    f_levels, f_values = float_array("levels", levels), float_array("values", values)
    g_levels = float_array("belief_levels", belief_levels)
    g_values = float_array("belief_values", belief_values)
    ends = np.unique(np.concatenate([f_values, g_values]))
    left, width = ends[:-1], np.diff(ends)
    total = 0.0
    for share in (0.5 - 0.5 / np.sqrt(3), 0.5 + 0.5 / np.sqrt(3)):
        points = left + width * share
        f, g = np.interp(points, f_values, f_levels), np.interp(points, g_values, g_levels)
        total += float((((f - g) ** 2 + g * (1 - g)) * width).sum()) / 2
    return total / float(ends[-1] - ends[0])
