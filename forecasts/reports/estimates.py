"""Means over questions, with intervals that allow for linked outcomes."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecasts.documents.numbers import Interval
from forecasts.reports.report import Estimate
from scoring.means import clustered_mean

WHOLE = (-math.inf, math.inf)
BRIER, ORIGINAL = (0.0, 1.0), (0.0, 2.0)


def mean_over_questions(
    score: npt.NDArray[np.float64],
    family: npt.NDArray[np.integer],
    scale: Interval = WHOLE,
    *,
    lopsided: bool = False,
    rare: bool = False,
    least: Interval = (0.0, 0.0),
) -> Estimate:
    """Return the mean of one score per question, with its interval clustered by family.

    ``score`` (n,) and ``family`` (n,), the cluster of each question; ``lopsided`` and ``rare`` as
    in `clustered_mean`. The interval reaches at least ``least`` below and above the mean
    (`least_widths`), and is cut at the ends of ``scale``. None with one family.
    """
    if not len(score):
        return Estimate(None, None)
    found = clustered_mean(score, family, lopsided=lopsided, rare=rare)
    if math.isnan(found.lower):
        return Estimate(found.mean, None)
    lower, upper = min(found.lower, found.mean - least[0]), max(found.upper, found.mean + least[1])
    return Estimate(found.mean, (max(lower, scale[0]), min(upper, scale[1])))


def brier_scores(
    own: pd.DataFrame, family: npt.NDArray[np.integer], least: Interval
) -> tuple[Estimate, Estimate]:
    """Return the mean Brier scores of a group's questions, 0–1 and original (0–2).

    ``own`` are rows of ``member_scores.question_scores``; ``least`` is of the first score.
    """
    low, high = least
    brier, original = (
        mean_over_questions(own[name].to_numpy(), family, scale, lopsided=True, least=widths)
        for name, scale, widths in (
            ("brier", BRIER, least),
            ("brier_original", ORIGINAL, (2 * low, 2 * high)),
        )
    )
    return brier, original


def known(value: float) -> float | None:
    """Return a number, None for NaN."""
    return None if math.isnan(value) else value
