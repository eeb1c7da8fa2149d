"""The verdict on a record, beyond chance, in a sentence.

It rests on the recalibration line logit P(y) = a + b · logit p and its F test, clustered by
family. It is withheld below 30 questions or families: with few clusters the test rejects too
often, and its size is guaranteed only from 30. When the test rejects, the kind of fault is the
larger part of the mean squared gap between the line and the forecasts: the square of its mean
(forecasts too high or too low throughout) or its variance (too extreme, or not extreme enough).

A forecast of exactly 0 or 1 has no log odds, so a record with one has no verdict. The sentence then
says how often such a forecast was wrong (a calibrated forecaster's never is), and gives the verdict
on the rest. Leaving that time out does no harm, because it is known before the outcome is.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecasts.reports.calibration import certainty, recalibration
from forecasts.reports.numbers import chance, count
from forecasts.reports.report import Recalibration, Verdict
from forecasts.updates.values import format_probability

FEWEST = 30  # questions, and families of linked questions
SIGNIFICANCE = 0.05
# The forecasts that illustrate a fault, the clearest first, and the least weight beyond one.
_CALLS = (0.9, 0.1, 0.8, 0.2, 0.7, 0.3, 0.6, 0.4)
_CALL_WEIGHT = 0.05


def verdict(claims: pd.DataFrame, family: npt.NDArray[np.integer], line: Recalibration) -> Verdict:
    """Return the verdict on claims with this recalibration line; ``family`` of each claim."""
    questions, families = claims["question"].nunique(), len(np.unique(family))
    if min(questions, families) < FEWEST:
        many = "no question"
        if questions:
            many = f"{count(questions, 'question')} in {count(families, 'family')}"
        return Verdict(
            "too_few",
            f"Too few to tell: {many} scored; below {FEWEST} questions or families, luck and error "
            "look alike.",
        )
    if line.estimable:
        return _found(claims, families, line)
    certain = certainty(claims)
    if not certain.questions:
        return Verdict(
            "not_estimable", f"No verdict: calibration cannot be tested, because {line.reason}."
        )
    between = ((claims["p"] > 0) & (claims["p"] < 1)).to_numpy()
    rest = verdict(
        claims[between], family[between], recalibration(claims[between], family[between])
    )
    wrong = (
        "It was never wrong."
        if not certain.wrong
        else f"It was wrong on {certain.wrong:,} of them, as a calibrated forecaster’s never is."
    )
    return Verdict(
        "not_estimable",
        f"No verdict on the whole record: a forecast of exactly 0% or 100% on "
        f"{count(certain.questions, 'question')} has no log odds to test. {wrong} "
        f"The rest of the time: {rest.sentence}",
        rest=rest.kind,
    )


def _found(claims: pd.DataFrame, families: int, line: Recalibration) -> Verdict:
    assert line.intercept is not None
    assert line.slope is not None
    assert line.p_value is not None
    luck = chance(line.p_value, families)
    if line.p_value >= SIGNIFICANCE:
        return Verdict(
            "calibrated",
            "Calibrated, as far as the record shows: a calibrated forecaster would be at least "
            f"this far off in {luck}.",
        )
    # By the weight of the line's fit, so that the words cannot contradict it.
    p, y, weight = (claims[name].to_numpy() for name in ("p", "y", "fixed"))
    gap = _recalibrated(p, line.intercept, line.slope) - p
    mean = float(np.average(gap, weights=weight))
    if mean**2 >= float(np.average((gap - mean) ** 2, weights=weight)):
        forecast, came = (float(np.average(values, weights=weight)) for values in (p, y))
        return Verdict(
            "too_high" if mean < 0 else "too_low",
            f"Too {'high' if mean < 0 else 'low'}: the mean forecast is {_percent(forecast)}, and "
            f"{_percent(came)} happened; chance alone would do this in {luck}.",
        )
    over = line.slope < 1
    called = _call(p, weight, line.intercept, line.slope, over=over)
    happens = float(_recalibrated(np.array([called]), line.intercept, line.slope)[0])
    return Verdict(
        "overconfident" if over else "underconfident",
        f"{'Overconfident' if over else 'Underconfident'}: forecasts of {_percent(called)} come "
        f"true about {_percent(happens)} of the time; chance alone would do this in {luck}.",
    )


def _recalibrated(p: np.ndarray, intercept: float, slope: float) -> np.ndarray:
    odds = intercept + slope * (np.log(p) - np.log1p(-p))
    return np.asarray(1 / (1 + np.exp(-odds)))


def _call(
    p: np.ndarray, weight: np.ndarray, intercept: float, slope: float, *, over: bool
) -> float:
    """Return a forecast of the record that shows the fault clearly.

    A round one if there is enough weight beyond it; else the mean of the forecasts on one side of
    50%, first the side with more weight.
    """
    sides = [p > 0.5, p < 0.5]
    sides.sort(key=lambda side: -weight[side].sum())
    means = [float(np.average(p[side], weights=weight[side])) for side in sides if side.any()]
    common = [
        call
        for call in _CALLS
        if weight[p >= call if call > 0.5 else p <= call].sum() >= _CALL_WEIGHT * weight.sum()
    ]
    calls = [*common, *means]
    happens = _recalibrated(np.array(calls), intercept, slope)
    for call, came in zip(calls, happens, strict=True):
        nearer_middle = came < call if call > 0.5 else came > call
        if nearer_middle == over:
            return call
    return means[0]


def _percent(p: float) -> str:
    return format_probability(round(p, 2) if 0.01 <= p <= 0.99 else p)
