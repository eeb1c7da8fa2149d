"""The calibration and discrimination of one group, all of its forecasts when made (``when_made``).

Scores are by time (``member_scores``); everything here has the weights of the tests.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

import scoring
from forecasts.documents.numbers import Interval
from forecasts.folder.frames import rows
from forecasts.reports import when_made
from forecasts.reports.estimates import known
from forecasts.reports.report import (
    Bin,
    Certainty,
    CurvePoint,
    Decomposition,
    Errors,
    LogDecomposition,
    Miscalibration,
    MurphyPoint,
    RocPoint,
)
from forecasts.reports.when_made import Claims, Forecasts
from scoring.arrays import Floats, Places
from scoring.calibration import decompose_log
from scoring.discrimination import roc_curve
from scoring.outcome_draws import residual_sums

BINS = 10
BAND_LEVEL = 0.9
THRESHOLDS = np.linspace(0, 1, 101)
# With more different forecasts than this, those of the ROC curve are rounded to half a point.
MOST_POINTS = 200


class Drawn(NamedTuple):
    """Simulated outcomes: one row of ``draws`` for each of these questions, which rise."""

    question: Places
    draws: npt.NDArray[np.float32]


def question_sums(every: Iterable[Forecasts], questions: int) -> Floats:
    """Return sums for each question, which show how closely those of a family are linked.

    ``every``: the forecasts of all groups. See `residual_sums`.
    """
    sums = np.zeros((4, questions))
    for made in every:
        if len(made.rows):
            found = when_made.claims(made)
            sums += residual_sums(
                found.p, found.y, found.weight, found.question, found.below, questions
            )
    return sums


def calibration(made: Claims, drawn: Drawn) -> dict[str, Any]:
    """Return the calibration and the discrimination of a group, as fields of ``Group``.

    The curve with its band, the parts of the scores, and the part of luck. Empty without claims.
    """
    if not len(made.p):
        return {}
    # All parts are at least 0, up to rounding.
    parts = Decomposition(
        *(max(part, 0.0) * made.scale for part in scoring.decompose(**_pairs(made)))
    )
    found = scoring.chance(
        p=made.p,
        y=made.y,
        weight=made.weight,
        question=np.searchsorted(drawn.question, made.question),
        below=made.below,
        level=BAND_LEVEL,
        draws=drawn.draws,
    )
    area, interval = auc(made)
    expected = found.expected * made.scale
    return {
        "curve": tuple(CurvePoint(*row) for row in _plain(found.curve)),
        "decomposition": parts,
        "miscalibration": Miscalibration(parts.miscalibration, expected, found.p_value),
        "errors": Errors(*found.errors, *found.expected_errors),
        "log_decomposition": _log_decomposition(made),
        "auc": area,
        "auc_interval": interval,
        "roc": _roc(made),
        # Of several options, half the sum.
        "sharpness": float(np.average(made.p * (1 - made.p), weights=made.weight)) * made.scale,
        "certainty": _certainty(made),
        "bins": _bins(made),
        "murphy": _murphy(made),
    }


def _pairs(made: Claims) -> dict[str, Floats]:
    return {"p": made.ranked.p, "y": made.ranked.y, "weight": made.ranked.weight}


def _plain(table: pd.DataFrame) -> Iterator[tuple[float, ...]]:
    return table.itertuples(index=False, name=None)


def _log_decomposition(made: Claims) -> LogDecomposition:
    """Return the parts of the mean log score of the claims."""
    parts = decompose_log(**_pairs(made))
    return LogDecomposition(
        known(parts.score),
        known(max(parts.miscalibration, 0.0)),
        known(max(parts.discrimination, 0.0)),
        known(parts.uncertainty),
        parts.infinite,
    )


def auc(made: Claims) -> tuple[float | None, Interval | None]:
    """Return the area under the ROC curve, and its interval; None until both outcomes occurred."""
    found = scoring.auc_interval(**_pairs(made), question=made.ranked.family)
    area = known(found.value)
    return area, None if area is None else (found.lower, found.upper)


def _roc(made: Claims) -> tuple[RocPoint, ...]:
    """Return the ROC curve; empty until both outcomes have occurred."""
    pairs = _pairs(made)
    if np.count_nonzero(np.diff(pairs["p"])) >= MOST_POINTS:
        pairs["p"] = np.round(pairs["p"] * MOST_POINTS) / MOST_POINTS
    table = roc_curve(**pairs)
    if table.isna().to_numpy().any():
        return ()
    first, *others = (RocPoint(*row) for row in _plain(table))
    return (RocPoint(None, first.hit_rate, first.false_alarm_rate), *others)


def _certainty(made: Claims) -> Certainty:
    """Return the number of questions with a forecast of exactly 0 or 1, and with a wrong one."""
    certain = (made.p == 0) | (made.p == 1)
    wrong = certain & (made.p != made.y)
    return Certainty(*(len(np.unique(made.question[which])) for which in (certain, wrong)))


def _bins(made: Claims) -> tuple[Bin, ...]:
    """Return the claims by bin of equal width, empty bins too.

    The interval of a bin is for as many observations as it has weight, but for no more than its
    effective number of families: neither the options of a question nor the questions of a family
    are independent.
    """
    made = made.ranked
    table = scoring.reliability_bins(p=made.p, y=made.y, weight=made.weight, bins=BINS)
    place = np.searchsorted(table["lower"].to_numpy(), made.p, side="right") - 1
    claims = pd.DataFrame({"bin": place, "question": made.question, "family": made.family})
    held = claims.groupby("bin")["question"].nunique().reindex(range(BINS), fill_value=0)
    # The effective number of families, (Σ w)² / Σ w² over their weights.
    own = claims.assign(weight=made.weight).groupby(["bin", "family"])["weight"].sum()
    total, squares = (of.groupby(level="bin").sum() for of in (own, own**2))
    # A smaller weight of all claims in a bin changes its interval, but neither of its means.
    share = (total / squares).clip(upper=1.0).reindex(range(BINS), fill_value=1.0).to_numpy()
    capped = scoring.reliability_bins(
        p=made.p, y=made.y, weight=made.weight * share[place], bins=BINS
    )
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


def _murphy(made: Claims) -> tuple[MurphyPoint, ...]:
    """Return the Murphy curve, and that of always forecasting the base rate.

    The area under it is the mean Brier score.
    """
    own = scoring.murphy_curve(**_pairs(made), thresholds=THRESHOLDS)["score"] * made.scale
    # With a constant forecast, claims with equal outcomes can be merged.
    came, place = np.unique(made.y, return_inverse=True)
    total = np.bincount(place, made.weight)
    base = np.full(len(came), came @ total / total.sum())
    constant = (
        scoring.murphy_curve(p=base, y=came, weight=total, thresholds=THRESHOLDS)["score"]
        * made.scale
    )
    return tuple(
        MurphyPoint(float(at), float(a), float(b))
        for at, a, b in zip(THRESHOLDS, own, constant, strict=True)
    )
