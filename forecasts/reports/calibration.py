"""The calibration of one group.

Curve and miscalibration, which are tested, are of its forecasts when made (``when_made``). All else
describes its claims by the time that they were current (``member_scores``).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

import scoring
from forecasts.reports import when_made
from forecasts.reports.estimates import known
from forecasts.reports.report import (
    Bin,
    Certainty,
    CurvePoint,
    Decomposition,
    Miscalibration,
    MurphyPoint,
)
from forecasts.reports.when_made import Forecasts
from forecasts.scores.frames import rows

BINS = 10
BAND_LEVEL = 0.9
THRESHOLDS = np.linspace(0, 1, 101)
Families = npt.NDArray[np.integer]


def draws(every: Sequence[Forecasts], family: Families) -> npt.NDArray[np.float32]:
    """Return simulated outcomes for all questions, one row a question; ``family`` of each.

    ``every``: the forecasts of all groups, which show how closely the questions of a family are
    linked. The draws are the same for every group, so that equal records look equally lucky.
    """
    made = [when_made.claims(forecasts) for forecasts in every if len(forecasts.rows)]
    link = 0.0
    if made:
        p, y, weight, question, below = (
            np.concatenate([getattr(one, name) for one in made])
            for name in ("p", "y", "weight", "question", "below")
        )
        link = scoring.family_link(p, y, weight, question, family[question], below)
    return scoring.outcome_draws(family, link, seed=0)


def by_chance(
    forecasts: Forecasts, drawn: npt.NDArray[np.float32]
) -> tuple[tuple[CurvePoint, ...], Miscalibration]:
    """Return the reliability curve of forecasts when made, its band, and their miscalibration."""
    if forecasts.rows.empty:
        return (), Miscalibration(None, None, None)
    made = when_made.claims(forecasts)
    found = scoring.chance(
        made.p, made.y, made.weight, made.question, below=made.below, level=BAND_LEVEL, draws=drawn
    )
    curve = tuple(CurvePoint(*row) for row in rows(found.curve))
    scale = made.scale
    return curve, Miscalibration(
        found.miscalibration * scale, found.expected * scale, found.p_value
    )


def decomposition(claims: pd.DataFrame, questions: int) -> Decomposition:
    """Return the parts of the mean Brier score of that many questions."""
    if claims.empty:
        return Decomposition(None, None, None)
    parts = scoring.decompose(claims["p"], claims["y"], claims["weight"])
    scale = _a_question(claims, questions)
    # All parts are at least 0, up to rounding.
    return Decomposition(
        max(parts.miscalibration, 0.0) * scale,
        max(parts.discrimination, 0.0) * scale,
        parts.uncertainty * scale,
    )


def auc(claims: pd.DataFrame) -> float | None:
    """Return the area under the ROC curve; None until both outcomes have occurred."""
    if claims.empty:
        return None
    return known(scoring.roc_auc(claims["p"], claims["y"], claims["weight"]))


def sharpness(claims: pd.DataFrame, questions: int) -> float | None:
    """Return the mean of p (1 − p) over that many questions; of several options, half the sum."""
    if claims.empty:
        return None
    p, weight = claims["p"].to_numpy(), claims["weight"].to_numpy()
    return float(weight @ (p * (1 - p))) / questions


def _a_question(claims: pd.DataFrame, questions: int) -> float:
    """Return the factor that turns a mean over claims into one over questions.

    The claims of a multiple-choice question have a total weight of half its number of options.
    """
    return float(claims["weight"].sum()) / questions


def certainty(claims: pd.DataFrame) -> Certainty:
    """Return the number of questions with a forecast of exactly 0 or 1, and with a wrong one."""
    certain = claims[(claims["p"] == 0) | (claims["p"] == 1)]
    wrong = certain[certain["p"] != certain["y"]]
    return Certainty(certain["question"].nunique(), wrong["question"].nunique())


def bins(claims: pd.DataFrame, family: Families) -> tuple[Bin, ...]:
    """Return the claims by bin of equal width, empty bins too; ``family`` is the cluster of each.

    The interval of a bin is for as many observations as it has weight, but for no more than it has
    families: neither the options of a question nor the questions of a family are independent.
    """
    if claims.empty:
        return ()
    weight = claims["weight"].to_numpy()
    table = scoring.reliability_bins(claims["p"], claims["y"], weight, bins=BINS)
    place = np.searchsorted(table["lower"].to_numpy(), claims["p"].to_numpy(), side="right") - 1
    held, clusters = (_distinct(place, of) for of in (claims["question"].to_numpy(), family))
    # A smaller weight of all claims in a bin changes its interval, but neither of its means.
    total = np.maximum(table["weight"].to_numpy(), 1e-300)
    share = np.minimum(1.0, clusters / total)
    capped = scoring.reliability_bins(claims["p"], claims["y"], weight * share[place], bins=BINS)
    intervals = list(zip(capped["observed_lower"], capped["observed_upper"], strict=True))
    return tuple(
        Bin(
            lower=row.lower,
            upper=row.upper,
            questions=int(held[number]),
            weight=row.weight,
            forecast=row.forecast if row.weight > 0 else None,
            observed=row.observed if row.weight > 0 else None,
            interval=intervals[number] if row.weight > 0 else None,
        )
        for number, row in enumerate(rows(table))
    )


def _distinct(place: npt.NDArray[np.intp], of: npt.NDArray[np.integer]) -> npt.NDArray[np.intp]:
    """Return the number of distinct values of ``of`` in each bin."""
    pairs = np.unique(place * (int(of.max()) + 1) + of)
    return np.bincount(pairs // (int(of.max()) + 1), minlength=BINS)


def murphy(claims: pd.DataFrame, questions: int) -> tuple[MurphyPoint, ...]:
    """Return the Murphy curve, and that of always forecasting the base rate.

    The area under it is the mean Brier score of that many questions.
    """
    if claims.empty:
        return ()
    p, y, weight = (claims[name].to_numpy() for name in ("p", "y", "weight"))
    scale = _a_question(claims, questions)
    own = scoring.murphy_curve(p, y, weight, THRESHOLDS)["score"] * scale
    # With a constant forecast, claims with equal outcomes can be merged.
    came, place = np.unique(y, return_inverse=True)
    total = np.bincount(place, weight)
    base = np.full(len(came), came @ total / total.sum())
    constant = scoring.murphy_curve(base, came, total, THRESHOLDS)["score"] * scale
    return tuple(
        MurphyPoint(float(at), float(a), float(b))
        for at, a, b in zip(THRESHOLDS, own, constant, strict=True)
    )
