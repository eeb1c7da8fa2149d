"""The lead-time profile: how good the forecasts were so many days before the scheduled close."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecasts.reports.estimates import mean_over_questions, with_test
from forecasts.reports.report import Lead


def sums(claims: pd.DataFrame) -> pd.DataFrame:
    """Return one row a group and question: the Brier score that came, and the one expected.

    Columns: group, question, brier, expected. ``claims`` as ``scored.claims`` gives them.
    """
    p, y, weight = (claims[name].to_numpy() for name in ("p", "y", "weight"))
    rows = claims[["group", "question"]].assign(
        brier=weight * (p - y) ** 2, expected=weight * p * (1 - p)
    )
    return rows.groupby(["group", "question"], as_index=False, observed=True).sum()


def profile(
    days: Sequence[float], at: Sequence[pd.DataFrame], family: npt.NDArray[np.integer]
) -> dict[Any, tuple[Lead, ...]]:
    """Return the profile of each group: a row for each of ``days`` with a forecast at that lead.

    ``at``: the claims at each of them, and ``family`` the cluster of each question.
    """
    found: dict[Any, tuple[Lead, ...]] = {}
    for lead, claims in zip(days, at, strict=True):
        for name, part in sums(claims).groupby("group", observed=True):
            found[name] = (*found.get(name, ()), _row(lead, part, family))
    return found


def _row(days: float, part: pd.DataFrame, family: npt.NDArray[np.integer]) -> Lead:
    cluster = family[part["question"].to_numpy()]
    brier, expected = part["brier"].to_numpy(), part["expected"].to_numpy()
    return Lead(
        days=days,
        questions=len(part),
        families=len(np.unique(cluster)),
        brier=mean_over_questions(brier, cluster, (0.0, 1.0)),
        expected=float(expected.mean()),
        p_value=with_test(brier - expected, cluster)[1],
    )
