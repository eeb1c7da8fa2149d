"""The calibration of one group, from its claims (see ``scored``)."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd

import scoring
from forecasts.frames import rows
from forecasts.reports.report import Bin, CurvePoint, Decomposition, Recalibration, ZTest

BINS = 10
BAND_LEVEL = 0.9
# Resampling the band takes as long as there are forecasts to tell apart. Beyond so many, those
# that agree to a tenth of a per cent are drawn as one point, which no eye can see.
MOST_POINTS = 1000


def decomposition(claims: pd.DataFrame, questions: int) -> Decomposition:
    """Return the parts of the mean Brier score of that many questions.

    The claims of a multiple-choice question weigh half its number of options in all, so the parts
    are scaled by total weight / questions; then they add up to the mean over questions.
    """
    if claims.empty:
        return Decomposition(None, None, None)
    parts = scoring.decompose(claims["p"], claims["y"], claims["weight"])
    scale = float(claims["weight"].sum()) / questions
    return Decomposition(
        parts.miscalibration * scale, parts.discrimination * scale, parts.uncertainty * scale
    )


def recalibration(claims: pd.DataFrame, family: npt.NDArray[np.integer]) -> Recalibration:
    """Return the recalibration line of the claims; ``family`` is the cluster of each."""
    if claims.empty:
        return Recalibration(None, None, None, False, "no question has been scored")
    line = scoring.recalibration(claims["p"], claims["y"], claims["weight"], family)
    return Recalibration(
        _known(line.intercept),
        _known(line.slope),
        _known(line.p_value),
        line.estimable,
        line.reason,
    )


def spiegelhalter(claims: pd.DataFrame, family: npt.NDArray[np.integer]) -> ZTest:
    """Return the test for claims whose confidence was not borne out."""
    return _z(scoring.spiegelhalter, claims, family)


def in_the_large(claims: pd.DataFrame, family: npt.NDArray[np.integer]) -> ZTest:
    """Return the test that claims came true as often as they said, all together."""
    return _z(scoring.calibration_in_the_large, claims, family)


def auc(claims: pd.DataFrame) -> float | None:
    """Return the area under the ROC curve; None while only one outcome has occurred."""
    if claims.empty:
        return None
    return _known(scoring.roc_auc(claims["p"], claims["y"], claims["weight"]))


def _z(
    test: Callable[..., scoring.Test], claims: pd.DataFrame, family: npt.NDArray[np.integer]
) -> ZTest:
    if claims.empty:
        return ZTest(None, None)
    found = test(claims["p"], claims["y"], claims["weight"], family)
    return ZTest(_known(found.statistic), _known(found.p_value))


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def bins(claims: pd.DataFrame) -> tuple[Bin, ...]:
    """Return the claims by bin of equal width, empty bins too.

    The interval of a bin is that of as many observations as it has weight, but never of more than
    it has questions: the options of one question are no observations apart.
    """
    if claims.empty:
        return ()
    weight = claims["weight"].to_numpy()
    table = scoring.reliability_bins(claims["p"], claims["y"], weight, bins=BINS)
    place = np.searchsorted(table["lower"].to_numpy(), claims["p"].to_numpy(), side="right") - 1
    held = claims["question"].groupby(place).nunique()
    # To weigh all claims of a bin alike by less changes its interval, and neither of its means.
    share = np.array(
        [min(1.0, held[k] / table["weight"][k]) if k in held else 1.0 for k in table.index]
    )
    capped = scoring.reliability_bins(claims["p"], claims["y"], weight * share[place], bins=BINS)
    intervals = list(zip(capped["observed_lower"], capped["observed_upper"], strict=True))
    return tuple(
        Bin(
            lower=row.lower,
            upper=row.upper,
            questions=int(held.get(number, 0)),
            weight=row.weight,
            forecast=row.forecast if row.weight > 0 else None,
            observed=row.observed if row.weight > 0 else None,
            interval=intervals[number] if row.weight > 0 else None,
        )
        for number, row in enumerate(rows(table))
    )


def curve(claims: pd.DataFrame) -> tuple[CurvePoint, ...]:
    """Return the isotonic reliability curve with its consistency band, in order of the forecast.

    An option of a multiple-choice question draws its own outcome in the band's resamples, as a
    claim of its own; all the forecasts made on it share that draw.
    """
    if claims.empty:
        return ()
    claims = _merged(claims)
    drawn = claims["question"] * (claims["option"].max() + 1) + claims["option"]
    table = scoring.reliability_curve(
        claims["p"], claims["y"], claims["weight"], drawn, level=BAND_LEVEL, seed=0
    )
    return tuple(CurvePoint(*row) for row in rows(table))


def _merged(claims: pd.DataFrame) -> pd.DataFrame:
    p = claims["p"].to_numpy()
    step = p
    if len(np.unique(p)) > MOST_POINTS:
        # Certainty stays apart: a band has no width there.
        step = np.where(p == 1, MOST_POINTS + 1, np.where(p == 0, 0, np.floor(p * MOST_POINTS) + 1))
        total = pd.Series(claims["weight"].to_numpy()).groupby(step).transform("sum")
        share = pd.Series(p * claims["weight"].to_numpy()).groupby(step).transform("sum")
        p = (share / total).to_numpy()
    return (
        claims.assign(p=p, step=step)
        .groupby(["question", "option", "step", "y"], as_index=False)
        .agg(p=("p", "first"), weight=("weight", "sum"))
    )
