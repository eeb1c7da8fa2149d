"""The lead-time profile: how good the forecasts were some days before the scheduled close."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

import scoring
from forecasts.reports.estimates import known, mean_over_questions
from forecasts.reports.report import Lead
from scoring.parallel import map_threads


def profile(
    days: Sequence[float], at: Sequence[pd.DataFrame], family: npt.NDArray[np.integer]
) -> dict[Any, tuple[Lead, ...]]:
    """Return the profile of each group: a row for each of ``days`` with a forecast at that lead.

    ``at``: the claims at each of them, and ``family`` the cluster of each question.
    """

    def rows(at_lead: tuple[float, pd.DataFrame]) -> dict[Any, Lead]:
        lead, claims = at_lead
        p, y, weight = (claims[name].to_numpy() for name in ("p", "y", "weight"))
        parts = claims[["group", "question"]].assign(
            brier=weight * (p - y) ** 2, expected=weight * p * (1 - p)
        )
        sums = parts.groupby(["group", "question"], as_index=False, observed=True).sum()
        of = dict(iter(sums.groupby("group", observed=True)))
        return {
            name: _row(lead, part, of[name], family)
            for name, part in claims.groupby("group", observed=True)
        }

    found: dict[Any, tuple[Lead, ...]] = {}
    for made in map_threads(rows, zip(days, at, strict=True)):
        for name, row in made.items():
            found[name] = (*found.get(name, ()), row)
    return found


def _row(
    days: float, claims: pd.DataFrame, sums: pd.DataFrame, family: npt.NDArray[np.integer]
) -> Lead:
    cluster = family[sums["question"].to_numpy()]
    of_claims = family[claims["question"].to_numpy()]
    test = scoring.spiegelhalter(claims["p"], claims["y"], claims["weight"], of_claims)
    return Lead(
        days=days,
        questions=len(sums),
        families=len(np.unique(cluster)),
        brier=mean_over_questions(sums["brier"].to_numpy(), cluster, (0.0, 1.0), lopsided=True),
        expected=float(sums["expected"].mean()),
        p_value=known(test.p_value),
    )
