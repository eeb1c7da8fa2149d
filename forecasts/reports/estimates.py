"""Means over questions, with intervals that allow for linked outcomes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from forecasts.documents.numbers import Interval
from forecasts.reports.report import Estimate
from scoring.arrays import Floats, Places
from scoring.means import clustered_mean

WHOLE = (-math.inf, math.inf)
BRIER, ORIGINAL = (0.0, 1.0), (0.0, 2.0)


def mean_over_questions(
    score: Floats,
    family: Places,
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
        return Estimate()
    found = clustered_mean(score, family, lopsided=lopsided, rare=rare)
    if math.isnan(found.lower):
        return Estimate(found.mean, None)
    lower, upper = min(found.lower, found.mean - least[0]), max(found.upper, found.mean + least[1])
    return Estimate(found.mean, (max(lower, scale[0]), min(upper, scale[1])))


@dataclass(frozen=True)
class Record:
    """The size of a group's record, and its mean Brier scores, 0–1 and original (0–2)."""

    forecasters: int
    questions: int
    updates: int
    coverage: float | None
    brier: Estimate
    brier_original: Estimate


def record(own: pd.DataFrame, forecasters: int, family: Places, least: Interval) -> Record:
    """Return the record of a group: ``own`` are its rows of ``member_scores.question_scores``.

    ``family`` is the cluster of each of these; ``least`` is of the Brier score of 0–1.
    """
    brier, original = (own[name].to_numpy() for name in ("brier", "brier_original"))
    widths = (2 * least[0], 2 * least[1])
    return Record(
        forecasters,
        questions=len(own),
        updates=int(own["updates"].sum()),
        coverage=float(own["coverage"].mean()) if len(own) else None,
        brier=mean_over_questions(brier, family, BRIER, lopsided=True, least=least),
        brier_original=mean_over_questions(original, family, ORIGINAL, lopsided=True, least=widths),
    )


def known(value: float) -> float | None:
    """Return a number, None for NaN."""
    return None if math.isnan(value) else value
