"""The lead-time profile: how good the forecasts were some days before the scheduled close.

A row has the numbers of the report at that lead.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from forecasts.reports.estimates import BRIER, known, mean_over_questions
from forecasts.reports.report import Lead
from forecasts.reports.when_made import Forecasts
from scoring.calibration_when_made import sharpness


def profile(
    days: Sequence[float], at: Sequence[Forecasts], family: npt.NDArray[np.integer]
) -> dict[str, tuple[Lead, ...]]:
    """Return the profile of each group: a row for each of ``days`` with a forecast at that lead.

    ``at``: the forecasts current at each of them, and ``family`` the cluster of each question.
    """
    found: dict[str, tuple[Lead, ...]] = {}
    for lead, made in zip(days, at, strict=True):
        for name, own in made.rows.groupby("group", sort=False, observed=True):
            row = _row(lead, made.of(own), family)
            found[str(name)] = (*found.get(str(name), ()), row)
    return found


def _row(days: float, made: Forecasts, family: npt.NDArray[np.integer]) -> Lead:
    # A member has one forecast at a lead, so a question's score is the mean of its rows.
    ordered = made.ordered
    asked, of = made.question[ordered.first], np.cumsum(ordered.starts) - 1
    many = np.bincount(of)
    brier, expected = (
        np.bincount(of, each.sum(axis=1) / 2) / many
        for each in ((made.p - made.y) ** 2, made.p * (1 - made.p))
    )
    cluster = family[asked]
    return Lead(
        days=days,
        questions=len(asked),
        families=len(np.unique(cluster)),
        brier=mean_over_questions(brier, cluster, BRIER, lopsided=True),
        expected=float(expected.mean()),
        p_value=known(sharpness(ordered).test().p_value),
    )
