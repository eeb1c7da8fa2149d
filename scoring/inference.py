"""Tests of calibration that count questions, not updates.

Pairs as in `scoring.calibration`. ``question`` (n,) says which pairs share an outcome, or belong
to one family of questions: all sums are taken within these first, and only the sums are treated
as independent. Without it each pair is its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from scoring.calibration import Floats, Groups, grouped_pairs

CALIBRATED = np.array([0.0, 1.0])
STEP = 1e-12


@dataclass(frozen=True)
class Test:
    """A test's statistic and its two-sided p-value; NaN where there is nothing to test."""

    statistic: float
    p_value: float

    # Without this pytest takes the class for a test of its own.
    __test__: ClassVar[bool] = False


class Recalibration(NamedTuple):
    """A recalibration line in log odds, and the F test of the line that changes nothing.

    Where ``estimable`` is false the numbers are NaN and ``reason`` says why.
    """

    intercept: float
    slope: float
    f: float
    p_value: float
    estimable: bool
    reason: str


def spiegelhalter(
    p: npt.ArrayLike,
    y: npt.ArrayLike,
    weight: npt.ArrayLike | None = None,
    question: npt.ArrayLike | None = None,
) -> Test:
    """Return Spiegelhalter's z for calibration: large when confidence was not borne out.

    z = Σ u_q / √(Σ u_q²), u_q = Σ w (y − p)(1 − 2p) over the pairs of a question. Positive: the
    outcomes were less certain than the forecasts, overconfidence. ``p_value`` is two-sided, from
    Student's t with G − 1 degrees of freedom for G questions: with few of them the normal finds
    fault with a calibrated forecaster too often.
    Spiegelhalter (1986), doi:10.1002/sim.4780050506; here with the variance that was seen between
    questions in place of the one that independent pairs would have.

    >>> round(spiegelhalter([0.9, 0.9, 0.9, 0.8], [1, 0, 1, 0]).statistic, 2)
    1.19
    """
    forecast, outcome, weights, group = grouped_pairs(p, y, weight, question)
    return _clustered(weights * (outcome - forecast) * (1 - 2 * forecast), group)


def calibration_in_the_large(
    p: npt.ArrayLike,
    y: npt.ArrayLike,
    weight: npt.ArrayLike | None = None,
    question: npt.ArrayLike | None = None,
) -> Test:
    """Return the test that outcomes came true as often as forecast, over all forecasts together.

    z = Σ u_q / √(Σ u_q²), u_q = Σ w (y − p) over the pairs of a question. Positive: more came true
    than was forecast. ``p_value`` is two-sided, from Student's t with G − 1 degrees of freedom.
    Cox (1958), doi:10.1093/biomet/45.3-4.562, with the variance seen between questions.

    >>> calibration_in_the_large([0.25, 0.25, 0.25, 0.25], [1, 1, 0, 1]).statistic
    1.5118...
    """
    forecast, outcome, weights, group = grouped_pairs(p, y, weight, question)
    return _clustered(weights * (outcome - forecast), group)


def recalibration(
    p: npt.ArrayLike,
    y: npt.ArrayLike,
    weight: npt.ArrayLike | None = None,
    question: npt.ArrayLike | None = None,
) -> Recalibration:
    """Return the line logit P(y) = intercept + slope · logit p, and the F test of (0, 1).

    A slope below 1 says overconfident, above 1 underconfident; an intercept above 0 says that
    more came true than was forecast. ``f`` is the Wald statistic over 2, from a covariance
    clustered by question with the factor G/(G−1) for G questions, and ``p_value`` is taken from
    F(2, G−1): small values speak against calibration.

    Not estimable, with the reason: a probability of 0 or 1 (its log odds are infinite) or so close
    to them that the likelihood is flat in floating point, one outcome only, one forecast only,
    outcomes that a threshold on the forecast separates, fewer than 3 questions.

    Cox (1958), doi:10.1093/biomet/45.3-4.562; Liang & Zeger (1986), doi:10.1093/biomet/73.1.13.

    >>> line = recalibration([0.1, 0.1, 0.1, 0.9, 0.9, 0.9], [0, 1, 0, 1, 0, 1])
    >>> round(line.intercept, 3) + 0.0, round(line.slope, 3), line.estimable
    (0.0, 0.315, True)
    >>> recalibration([0.0, 0.5], [0, 1]).reason
    'a probability of 0 or 1 has no log odds'
    """
    forecast, outcome, weights, group = grouped_pairs(p, y, weight, question)
    count = int(group.max()) + 1
    reason = _not_estimable(forecast, outcome, count)
    if reason:
        return Recalibration(math.nan, math.nan, math.nan, math.nan, False, reason)
    # Imported here: not every command that starts needs it.
    from scipy.special import fdtrc

    odds = np.column_stack([np.ones(len(forecast)), np.log(forecast) - np.log1p(-forecast)])
    try:
        line = _fit(odds, outcome, weights)
        fitted = _logistic(odds @ line)
        score = _sums((weights * (outcome - fitted))[:, None] * odds, group)
        bread = np.linalg.inv(_information(odds, weights, fitted))
        covariance = bread @ (score.T @ score) @ bread * (count / (count - 1))
        away = line - CALIBRATED
        statistic = float(away @ np.linalg.solve(covariance, away)) / 2
    except np.linalg.LinAlgError:
        reason = "forecasts this close to 0 or 1 leave no line that fits best"
        return Recalibration(math.nan, math.nan, math.nan, math.nan, False, reason)
    return Recalibration(
        intercept=float(line[0]),
        slope=float(line[1]),
        f=statistic,
        p_value=float(fdtrc(2, count - 1, statistic)),
        estimable=True,
        reason="",
    )


def _sums(value: Floats, group: Groups) -> Floats:
    """Return the sums of the rows of ``value`` (n, k) within each group."""
    return np.stack([np.bincount(group, column) for column in value.T], axis=1)


def _clustered(value: Floats, group: Groups) -> Test:
    """Return the z statistic of the sums of ``value`` within groups."""
    from scipy.special import stdtr

    u = np.bincount(group, value)
    spread = math.sqrt(float(u @ u))
    if spread == 0 or len(u) < 2:
        return Test(math.nan, math.nan)
    z = float(u.sum()) / spread
    return Test(z, 2 * float(stdtr(len(u) - 1, -abs(z))))


def _not_estimable(forecast: Floats, outcome: Floats, questions: int) -> str:
    if forecast.min() <= 0 or forecast.max() >= 1:
        return "a probability of 0 or 1 has no log odds"
    if outcome.min() == 1 or outcome.max() == 0:
        return "only one outcome occurred"
    if forecast.min() == forecast.max():
        return "all forecasts are equal"
    true, false = forecast[outcome > 0], forecast[outcome < 1]
    if true.min() >= false.max() or true.max() <= false.min():
        return "a threshold on the forecast separates the outcomes"
    return f"there are {questions} questions, fewer than 3" if questions < 3 else ""


def _logistic(x: Floats) -> Floats:
    half: Floats = np.tanh(x / 2)
    return 0.5 + half / 2


def _information(odds: Floats, weights: Floats, fitted: Floats) -> Floats:
    return odds.T @ (odds * (weights * fitted * (1 - fitted))[:, None])


def _fit(odds: Floats, outcome: Floats, weights: Floats) -> Floats:
    """Return the maximum-likelihood line by Newton's method, from the calibrated one.

    The likelihood is concave, so halving a step that does not raise it always gets there.
    (statsmodels' GLM finds the same line, and takes seconds to import.)
    """

    def likelihood(line: Floats) -> float:
        x = odds @ line
        return float(weights @ (outcome * x - np.logaddexp(0, x)))

    line, best = CALIBRATED, likelihood(CALIBRATED)
    for _ in range(100):
        fitted = _logistic(odds @ line)
        gradient = odds.T @ (weights * (outcome - fitted))
        step = np.linalg.solve(_information(odds, weights, fitted), gradient)
        while likelihood(line + step) < best and np.abs(step).max() > STEP:
            step = step / 2
        line = line + step
        best = likelihood(line)
        if np.abs(step).max() <= STEP:
            break
    return line
