"""The verdict: what a record shows beyond what chance explains, in a sentence.

It rests on the recalibration line logit P(y) = a + b · logit p and its F test, clustered by
family. It is withheld below 30 questions, and below 30 families: with few clusters the test finds
fault too often, and its size is claimed from 30 up. Where the test speaks, the kind of fault is
the larger part of the mean squared gap between the line and the forecasts: its mean (forecasts too
high or too low throughout) or what varies about it (too far from the middle, or not far enough).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from forecasts.reports.report import Recalibration, Verdict
from forecasts.values import say_probability

FEWEST = 30  # questions, and families of linked ones
SIGNIFICANCE = 0.05
# What a fault is shown at: the clearest call that is made with some weight.
_CALLS = (0.9, 0.1, 0.8, 0.2, 0.7, 0.3, 0.6, 0.4)
_CALL_WEIGHT = 0.05


def verdict(questions: int, families: int, claims: pd.DataFrame, line: Recalibration) -> Verdict:
    """Return the verdict on the claims of so many questions, whose recalibration line is given.

    ``families`` are the clusters of the questions; one without a family is a family of its own.
    """
    if min(questions, families) < FEWEST:
        return Verdict(
            "too_few",
            f"Too few to tell: {_counted(questions, families)} scored, and with fewer than "
            f"{FEWEST} of either luck looks like any fault.",
        )
    if not line.estimable:
        return Verdict(
            "not_estimable", f"No verdict: calibration cannot be tested, because {line.reason}."
        )
    assert line.intercept is not None
    assert line.slope is not None
    assert line.p_value is not None
    if line.p_value >= SIGNIFICANCE:
        return Verdict(
            "calibrated",
            f"Calibrated, as far as {questions} questions can tell: chance alone gives a "
            f"calibrated forecaster a record this far off in {_chance(line.p_value)}.",
        )
    p, y, weight = (claims[name].to_numpy() for name in ("p", "y", "weight"))
    gap = _recalibrated(p, line.intercept, line.slope) - p
    mean = float(np.average(gap, weights=weight))
    luck = f"chance alone would do this in {_chance(line.p_value)}"
    if mean**2 >= float(np.average((gap - mean) ** 2, weights=weight)):
        forecast, came = (float(np.average(values, weights=weight)) for values in (p, y))
        return Verdict(
            "too_high" if mean < 0 else "too_low",
            f"Too {'high' if mean < 0 else 'low'}: on average {_percent(forecast)} is forecast "
            f"and {_percent(came)} happens; {luck}.",
        )
    over = line.slope < 1
    called = _call(p, weight, line.intercept, line.slope, over=over)
    happens = float(_recalibrated(np.array([called]), line.intercept, line.slope)[0])
    return Verdict(
        "overconfident" if over else "underconfident",
        f"{'Overconfident' if over else 'Underconfident'}: what is called {_percent(called)} "
        f"happens about {_percent(happens)} of the time; {luck}.",
    )


def _counted(questions: int, families: int) -> str:
    if not questions:
        return "no question"
    return (
        f"{questions:,} question{'' if questions == 1 else 's'} in "
        f"{families:,} famil{'y' if families == 1 else 'ies'}"
    )


def _recalibrated(p: np.ndarray, intercept: float, slope: float) -> np.ndarray:
    odds = intercept + slope * (np.log(p) - np.log1p(-p))
    return np.asarray(1 / (1 + np.exp(-odds)))


def _call(
    p: np.ndarray, weight: np.ndarray, intercept: float, slope: float, *, over: bool
) -> float:
    """Return the forecast at which the fault shows best."""
    for call in _CALLS:
        beyond = weight[p >= call if call > 0.5 else p <= call].sum() / weight.sum()
        happens = float(_recalibrated(np.array([call]), intercept, slope)[0])
        nearer_middle = happens < call if call > 0.5 else happens > call
        if beyond >= _CALL_WEIGHT and nearer_middle == over:
            return call
    return _CALLS[0]


def _percent(p: float) -> str:
    return say_probability(round(p, 2) if 0.01 <= p <= 0.99 else p)


def _chance(p_value: float) -> str:
    """Return a p-value as so many of so many records.

    >>> [_chance(p) for p in (0.42, 0.0026, 1e-9)]
    ['42 of 100 such records', '1 of 380 such records', 'fewer than 1 of 10,000 such records']
    """
    if p_value >= SIGNIFICANCE:
        return f"{p_value * 100:.0f} of 100 such records"
    if p_value < 1e-4:
        return "fewer than 1 of 10,000 such records"
    return f"1 of {float(f'{1 / p_value:.2g}'):,.0f} such records"
