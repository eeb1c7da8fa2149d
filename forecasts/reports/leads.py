"""The lead-time profile: how good the forecasts were so many days before the scheduled close."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

import scoring
from forecasts.reports.estimates import known, mean_over_questions
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
        each = dict(iter(sums(claims).groupby("group", observed=True)))
        for name, part in claims.groupby("group", observed=True):
            found[name] = (*found.get(name, ()), _row(lead, part, each[name], family))
    return found


def _row(
    days: float, claims: pd.DataFrame, each: pd.DataFrame, family: npt.NDArray[np.integer]
) -> Lead:
    cluster = family[each["question"].to_numpy()]
    of_claims = family[claims["question"].to_numpy()]
    test = scoring.spiegelhalter(claims["p"], claims["y"], claims["weight"], of_claims)
    return Lead(
        days=days,
        questions=len(each),
        families=len(np.unique(cluster)),
        brier=mean_over_questions(each["brier"].to_numpy(), cluster, (0.0, 1.0), lopsided=True),
        expected=float(each["expected"].mean()),
        p_value=known(test.p_value),
    )
