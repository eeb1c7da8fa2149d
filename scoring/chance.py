"""What chance alone does to a calibrated forecaster who says the same on the same questions.

The outcomes are drawn anew, many times: question q draws one uniform number U_q, and comes true in
that draw for those of its forecasts that are above it, y* = 1{U_q < p}. So all forecasts on a
question share its outcome as far as they agree, each comes true as often as it says, and no draw
depends on what really happened.

**Families.** Questions of one family come out alike more often than chance, and drawing them
apart accuses a calibrated forecaster of linked questions too often (in simulation 16 % of the
time, at a nominal 5 %, with five questions a family). Their uniforms are therefore drawn with a
common part, U_q = Φ(√ρ Z_family + √(1−ρ) ε_q), ρ such that the outcomes of a family agree as much
as they were seen to (`family_link`). Drawing one uniform a family instead is safe, and hardly ever
finds anything; flipping the signs of a family's residuals keeps the size with less power.

**Differing forecasts on one question** share its outcome wholly, and a draw only in part: no
uniform makes 30 % and 70 % come true together more than 30 % of the time. Level and slope of the
draws therefore vary too little (a nominal 5 % is 6 to 7 %, and a band of 90 % lets one in eight
out), and for the p-value and the band they are stretched (`_stretched`). The expected
miscalibration, which that would make too large, is that of the draws as they are.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from scoring.arrays import Floats, Places
from scoring.errors import (
    InputError,
    Problem,
    refuse_where,
    require_number,
)
from scoring.outcome_draws import Draws, check_claims, family_link, family_numbers, outcome_draws

# Forecasts are told apart to half a per cent where more of them differ than there are such steps:
# no eye sees less, and drawing takes as long as there are forecasts to tell apart.
STEPS = 200
# So many numbers of the draws are worked on at once, where steps hold few claims,
AT_ONCE = 1 << 21
# fewer than this on average.
CROWDED = 8
# So many forecasts, all draws together, are looked at one by one rather than in steps.
IN_FULL = 1 << 19
# Sums of single precision are equal within this.
ROUNDING = 1e-5


class Chance(NamedTuple):
    """What luck makes of some forecasts: of their reliability curve and their miscalibration.

    ``curve`` has the columns of `reliability_curve`, one row a forecast (or step of forecasts).
    ``expected`` is the miscalibration that a calibrated forecaster shows on average, and
    ``p_value`` how often one shows at least as much as was seen.
    """

    curve: pd.DataFrame
    expected: float
    p_value: float


def chance(
    p: npt.ArrayLike,
    y: npt.ArrayLike,
    weight: npt.ArrayLike | None = None,
    question: npt.ArrayLike | None = None,
    family: npt.ArrayLike | None = None,
    below: npt.ArrayLike | None = None,
    level: float = 0.9,
    draws: Draws | None = None,
) -> Chance:
    """Return the reliability curve with its band, and the miscalibration that luck alone makes.

    Pairs as in `scoring.calibration`. ``question`` (n,) says which share a draw, and ``family``
    (n,) which questions hang together; without them each pair is a question, and each question a
    family, of its own. ``below`` (n,) serves multiple choice: the probability of the options that
    stand before this one, 0 when left out; an option comes true when below ≤ U_q < below + p, so
    that exactly one of a forecast's options does. ``level`` of the band, pointwise.

    ``draws``, from `outcome_draws`, serves several groups on the same questions at once: then
    ``question`` holds rows of it, and ``family`` is not needed.

    The p-value is (1 + draws with at least the miscalibration seen) / (1 + draws), never 0.

    Dimitriadis, Gneiting & Jordan (2021), doi:10.1073/pnas.2016191118; Davison & Hinkley (1997),
    doi:10.1017/CBO9780511802843, for the p-value.

    >>> found = chance([0.2, 0.2, 0.8, 0.8], [0, 1, 1, 1])
    >>> found.curve[["forecast", "recalibrated", "weight"]]
       forecast  recalibrated  weight
    0       0.2           0.5     2.0
    1       0.8           1.0     2.0
    >>> found.p_value > 0.2
    True
    """
    require_number("level", level, lambda share: 0 < share < 1, "must fulfil 0 < level < 1")
    forecast, outcome, weights, group, under, kept = check_claims(p, y, weight, question, below)
    if draws is None:
        linked = family_numbers(group, family, kept)
        link = family_link(forecast, outcome, weights, group, linked[group], under)
        draws = outcome_draws(linked, link)
    else:
        group = _rows(question, kept, draws)
    claims = Claims(forecast, weights, group, under)
    steps = _stepped(claims, STEPS)
    seen = np.bincount(steps.place, weights * outcome, minlength=len(steps.points)) / steps.total
    drawn = _drawn(claims, steps, draws)
    fits, null = _miscalibration(np.column_stack([seen, drawn]), steps)
    expected = float(null[1:].mean())
    if steps.merged and expected > 0:
        # What the steps hide of it shows in a few draws with every forecast by itself.
        whole = _stepped(claims, None)
        few = draws[:, : max(8, min(50, IN_FULL // len(whole.points)))]
        _, full = _miscalibration(_drawn(claims, whole, few), whole)
        expected *= float(full.mean()) / float(null[1 : 1 + full.size].mean())
    chances, stretched = _miscalibration(_stretched(drawn, claims, steps), steps)
    as_much = stretched >= null[0] * (1 - ROUNDING) - 1e-9
    band = np.quantile(chances, [(1 - level) / 2, (1 + level) / 2], axis=1)
    lower, upper = np.clip(band, 0, 1)
    curve = {
        "forecast": steps.points,
        "recalibrated": fits[:, 0],
        "weight": steps.total,
        "lower": lower,
        "upper": upper,
    }
    p_value = float(1 + as_much.sum()) / (1 + len(as_much))
    return Chance(pd.DataFrame(curve), expected, p_value)


def _rows(
    question: npt.ArrayLike | None, kept: npt.NDArray[np.bool_], draws: Draws
) -> npt.NDArray[np.intp]:
    """Return the row of ``draws`` of each pair that is kept."""
    if np.ndim(draws) != 2 or not draws.shape[1]:
        rule = "must be what outcome_draws returns: one row a question, one column a draw"
        raise InputError([Problem("", "draws", None, np.shape(draws), rule)])
    rows = np.asarray(question)
    if rows.dtype.kind not in "iu":
        rule = "must be whole numbers, rows of draws"
        raise InputError([Problem("", "question", None, question, rule)])
    rule = f"must be a row of draws, 0 to {len(draws) - 1}"
    refuse_where("question", (rows < 0) | (rows >= len(draws)), rows, rule)
    return rows.astype(np.intp)[kept]


class Claims(NamedTuple):
    """Checked pairs: forecast, weight, the question's row among the draws, what is below."""

    forecast: Floats
    weight: Floats
    question: Places
    below: Floats


class Steps(NamedTuple):
    """The step that each claim stands on; the mean forecast and the weight of each step."""

    place: Places
    points: Floats
    total: Floats
    merged: bool


def _stepped(claims: Claims, most: int | None) -> Steps:
    """Return the distinct forecasts as steps, or ``most`` equal ones where there are more."""
    distinct, place = np.unique(claims.forecast, return_inverse=True)
    merged = most is not None and len(distinct) > most
    if most is not None and merged:
        # Certainty stays apart: luck does nothing to it.
        step = np.floor(distinct * most) + 1
        step[distinct == 0], step[distinct == 1] = 0, most + 1
        place = np.unique(step, return_inverse=True)[1][place]
    total = np.bincount(place, claims.weight).astype(np.float64)
    points = np.bincount(place, claims.weight * claims.forecast) / total
    return Steps(place, points, total, merged)


def _drawn(claims: Claims, steps: Steps, draws: Draws) -> Floats:
    """Return the share of each step that comes true, in each draw: (steps, draws)."""
    # Claims on one step of one question are one.
    order = np.lexsort((claims.below, claims.question, steps.place))
    place, question, below = steps.place[order], claims.question[order], claims.below[order]
    new = (np.diff(place, prepend=-1) != 0) | (np.diff(question, prepend=-1) != 0)
    new |= np.diff(below, prepend=-1.0) != 0
    first = np.flatnonzero(new)
    weight = np.add.reduceat(claims.weight[order], first).astype(np.float32)
    place, question = place[first], question[first]
    low = below[first].astype(np.float32)[:, None]
    high = low + steps.points[place].astype(np.float32)[:, None]
    choices = bool(low.any())

    def came(rows: slice, columns: slice) -> npt.NDArray[np.bool_]:
        drawn = draws[question[rows], columns]
        true: npt.NDArray[np.bool_] = drawn < high[rows]
        return true & (drawn >= low[rows]) if choices else true

    share = np.empty((len(steps.points), draws.shape[1]))
    starts = np.flatnonzero(np.diff(place, prepend=-1))
    if len(first) >= CROWDED * len(starts):
        # One product a step: what it needs stays in the processor's cache. (einsum adds in one
        # order, whatever the number of processors.)
        for step, rows in enumerate(map(slice, starts, [*starts[1:], len(first)])):
            true = came(rows, slice(None)).astype(np.float32)
            share[step] = np.einsum("i,ij->j", weight[rows], true)
    else:
        size = max(1, AT_ONCE // len(first))
        for left in range(0, draws.shape[1], size):
            columns = slice(left, left + size)
            sums = weight[:, None] * came(slice(None), columns)
            share[:, columns] = np.add.reduceat(sums, starts, axis=0)
    return np.asarray(share / steps.total[:, None])


def _stretched(drawn: Floats, claims: Claims, steps: Steps) -> Floats:
    """Return the draws with what is linear in the forecast of their deviations stretched.

    With p̄ the mean and v the variance of the forecasts on a question over the time that they stood,
    the mean of y − p has the variance p̄ (1 − p̄) − 2 v when all of them are calibrated, because
    E yp = E p²; one uniform a question gives it E (Σ w 1{U < p})² − p̄². The factor is the root of
    what these are together, over all questions, but at least 1.
    """
    first = claims.below == 0
    p, w, of = claims.forecast[first], claims.weight[first], claims.question[first]
    order = np.lexsort((p, of))
    p, w, of = p[order], w[order], of[order]
    total = np.bincount(of, w)
    w = w / total[of]
    mean, square = np.bincount(of, w * p), np.bincount(of, w * p * p)
    above = np.cumsum(np.bincount(of, w))[of] - np.cumsum(w)
    both = np.bincount(of, w * p * (w + 2 * above))
    share = total * total
    calibrated = float(share @ (mean * (1 - mean) - 2 * (square - mean * mean)))
    uniform = float(share @ (both - mean * mean))
    if not calibrated > uniform > 0:
        return drawn
    deviation = drawn - steps.points[:, None]
    certain = (steps.points == 0) | (steps.points == 1)
    # Orthogonal columns: level and slope, each with its share of the deviation.
    slope = steps.points - np.average(steps.points, weights=steps.total)
    linear = np.zeros_like(deviation)
    for axis in (np.ones(len(slope)), slope):
        length = float(steps.total @ (axis * axis))
        if length > 0:
            fit = np.einsum("i,ij->j", steps.total * axis, deviation) / length
            linear += np.outer(axis, fit)
    linear[certain] = 0  # luck does nothing to certainty
    return np.asarray(drawn + (np.sqrt(calibrated / uniform) - 1) * linear)


def _miscalibration(observed: Floats, steps: Steps) -> tuple[Floats, Floats]:
    """Return the isotonic fit of each column of ``observed`` (steps, m), and its miscalibration."""
    from scipy.optimize import isotonic_regression

    # One call for all columns: so far apart they never pool.
    apart = (float(np.ptp(observed)) + 1) * np.arange(observed.shape[1])
    weight = np.tile(steps.total, len(apart))
    fit = isotonic_regression((observed + apart).T.ravel(), weights=weight).x
    fits = fit.reshape(observed.T.shape).T - apart
    points = steps.points[:, None]
    # (p − y)² − (fit − y)² averages to (p − fit)(p + fit − 2ȳ) where ȳ is the mean of y.
    gain = (points - fits) * (points + fits - 2 * observed)
    return fits, np.asarray(np.einsum("i,ij->j", steps.total, gain) / steps.total.sum())
