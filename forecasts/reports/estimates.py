"""Means over questions, with intervals that allow for linked outcomes."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

import scoring
from forecasts.reports.report import Estimate, Interval

WHOLE = (-math.inf, math.inf)


def mean_over_questions(
    score: npt.NDArray[np.float64],
    family: npt.NDArray[np.integer],
    scale: Interval = WHOLE,
    *,
    lopsided: bool = False,
) -> Estimate:
    """Return the mean of one score per question, with its interval clustered by family.

    ``score`` (n,) and ``family`` (n,), the cluster of each question; ``lopsided`` as in
    ``scoring.clustered_mean``. The interval is cut at the ends of ``scale``. None with one family.
    """
    return with_test(score, family, scale, lopsided=lopsided)[0]


def with_test(
    score: npt.NDArray[np.float64],
    family: npt.NDArray[np.integer],
    scale: Interval = WHOLE,
    *,
    lopsided: bool = False,
) -> tuple[Estimate, float | None]:
    """Return the same mean, and the p-value of the test that it is 0."""
    if not len(score):
        return Estimate(None, None), None
    found = scoring.clustered_mean(score, family, lopsided=lopsided)
    if math.isnan(found.lower):
        return Estimate(found.mean, None), None
    interval = (max(found.lower, scale[0]), min(found.upper, scale[1]))
    return Estimate(found.mean, interval), known(found.p_value)


def known(value: float) -> float | None:
    """Return a number, None for NaN."""
    return None if math.isnan(value) else value
