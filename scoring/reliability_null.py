"""The null of a reliability diagram: a calibrated forecaster who makes the same forecasts.

Outcomes are drawn many times: question q draws one uniform number U_q, and those of its forecasts
above it come true in that draw, y* = 1{U_q < p}. All forecasts on a question therefore share its
outcome as far as they agree, each comes true as often as it says, and no draw depends on the actual
outcomes.

**Families.** Outcomes within a family are correlated. Drawing them independently rejects a
calibrated forecaster of linked questions too often (16% in simulation at a nominal 5%, with five
questions per family). Their uniforms therefore share a component, U_q = Φ(√ρ Z_family +
√(1−ρ) ε_q), with ρ estimated from the agreement of the outcomes within families (`link_of`).
Two alternatives were tried: one uniform per family is safe but has hardly any power, and flipping
the signs of a family's residuals keeps the size with less power.

**Different forecasts on one question** share its outcome fully, but a draw only in part: no uniform
makes 30% and 70% come true together more than 30% of the time. The draws therefore vary too little
together (a nominal 5% is 6 to 7%), so their level, slope and curvature are widened for the p-value
and the band (`_widened`). The expected miscalibration, which widening would overstate, comes from
the draws themselves.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from scoring.arrays import Flags, Floats, Places
from scoring.calibration import CalibrationErrors, band, errors_of
from scoring.errors import float_array, refuse_where, require, require_number
from scoring.forecast_pairs import distinct, grouped_pairs, pairs
from scoring.outcome_draws import Draws, link_of, outcome_draws, residual_sums

# With more distinct forecasts than this they are binned, to half a percentage point: finer steps
# are invisible, and the cost grows with the number of steps.
STEPS = 200
# Degree of the smooth part of a draw's deviations that is widened.
DEGREE = 4
# Number of points at which the band is found.
EDGES = 50
# Relative tolerance of sums in single precision.
ROUNDING = 1e-5
# Probabilities of the options of one forecast sum to 1 within this, even after rescaling.
SLACK = 1e-6


class Chance(NamedTuple):
    """The distribution under calibration of a reliability curve and its miscalibration.

    ``curve`` has the columns of `reliability_curve`, one row per forecast (or bin of forecasts).
    ``miscalibration`` is the observed one, ``expected`` a calibrated forecaster's mean, and
    ``p_value`` the probability of at least the observed one; all three are of the same curve, and
    so are ``errors``, its distance from the forecasts, and their means under calibration.
    """

    curve: pd.DataFrame
    miscalibration: float
    expected: float
    p_value: float
    errors: CalibrationErrors
    expected_errors: CalibrationErrors


def chance(
    *,
    p: npt.ArrayLike,
    y: npt.ArrayLike,
    weight: npt.ArrayLike | None = None,
    question: npt.ArrayLike | None = None,
    family: npt.ArrayLike | None = None,
    below: npt.ArrayLike | None = None,
    level: float = 0.9,
    draws: Draws | None = None,
) -> Chance:
    """Return the reliability curve with its band, and the miscalibration expected by chance.

    Pairs as in `scoring.forecast_pairs`. ``question`` (n,) identifies pairs that share a draw and
    ``family`` (n,) questions whose outcomes are linked; by default every pair is a question, and
    every question a family, of its own. ``below`` (n,) is for multiple choice: the total
    probability of the options listed before this one (default 0). An option comes true if below ≤
    U_q < below + p, so exactly one option of each forecast does. The pairs of a question are in
    order of time. ``level`` is that of the band: as many whole curves lie in it.

    ``draws``, from `outcome_draws`, serves several groups on the same questions: ``question`` then
    holds row numbers of ``draws``, and ``family`` is not needed.

    The p-value is (1 + number of draws with at least the observed miscalibration) / (1 + draws),
    so it is never 0. Raises InputError.

    Dimitriadis, Gneiting & Jordan (2021), doi:10.1073/pnas.2016191118; for the p-value Davison &
    Hinkley (1997), doi:10.1017/CBO9780511802843.

    >>> found = chance(p=[0.2, 0.2, 0.8, 0.8], y=[0, 1, 1, 1])
    >>> found.curve[["forecast", "recalibrated", "weight"]]
       forecast  recalibrated  weight
    0       0.2           0.5     2.0
    1       0.8           1.0     2.0
    >>> found.p_value > 0.2
    True
    """
    require_number("level", level, lambda share: 0 < share < 1, "must fulfil 0 < level < 1")
    forecast, outcome, weights, group = grouped_pairs(p, y, weight, question)
    every, _, given = pairs(p, y, weight)
    kept = given > 0
    under = np.zeros(len(every)) if below is None else float_array("below", below)
    require("below", under.shape, under.shape == every.shape, "needs one entry per pair")
    rule = "must be at least 0, and at most 1 together with the forecast"
    refuse_where("below", ~((under >= 0) & (under + every <= 1 + SLACK)), under, rule)
    claims = Claims(forecast, weights, group, under[kept])
    if draws is None:
        linked = _families(claims.question, family, kept)
        sums = residual_sums(
            claims.forecast, outcome, claims.weight, claims.question, claims.below, len(linked)
        )
        draws = outcome_draws(linked, link_of(sums, linked))
    else:
        claims = claims._replace(question=_rows(question, kept, draws))
    steps = _stepped(claims)
    seen = (
        np.bincount(steps.place, claims.weight * outcome, minlength=len(steps.points)) / steps.total
    )
    drawn = _drawn(claims, steps, draws)
    fits, null = _miscalibration(np.column_stack([seen, drawn]), steps)
    curves, widened = _miscalibration(_widened(drawn, claims, steps), steps)
    as_much = widened >= null[0] * (1 - ROUNDING) - 1e-9
    lower, upper = np.clip(_band(curves, steps, level), 0, 1)
    errors = errors_of(np.abs(fits - steps.points[:, None]), steps.total)
    curve = {"forecast": steps.points, "recalibrated": fits[:, 0], "weight": steps.total}
    return Chance(
        pd.DataFrame(curve | {"lower": lower, "upper": upper}),
        miscalibration=max(float(null[0]), 0.0),
        expected=float(null[1:].mean()),
        p_value=float(1 + as_much.sum()) / (1 + len(as_much)),
        errors=CalibrationErrors(*(float(each[0]) for each in errors)),
        expected_errors=CalibrationErrors(*(float(each[1:].mean()) for each in errors)),
    )


def _rows(question: npt.ArrayLike | None, kept: Flags, draws: Draws) -> Places:
    """Return the row of ``draws`` for each kept pair."""
    rule = "must come from outcome_draws: one row per question, one column per draw"
    require("draws", np.shape(draws), np.ndim(draws) == 2 and draws.shape[1] > 0, rule)
    rows = np.asarray(question)
    require("question", question, rows.dtype.kind in "iu", "must be whole numbers: rows of draws")
    rule = f"must be a row of draws, 0 to {len(draws) - 1}"
    refuse_where("question", (rows < 0) | (rows >= len(draws)), rows, rule)
    return rows.astype(np.intp)[kept]


class Claims(NamedTuple):
    """Validated pairs: forecast, weight, row among the draws, probability of the options before."""

    forecast: Floats
    weight: Floats
    question: Places
    below: Floats


def _families(group: Places, family: npt.ArrayLike | None, kept: Flags) -> Places:
    """Return the family number of each question."""
    questions = int(group.max()) + 1
    if family is None:
        return np.arange(questions)
    names = np.asarray(family)
    names = names[kept] if names.shape == kept.shape else names
    require("family", names.shape, names.shape == group.shape, "needs one entry per pair")
    numbers = np.zeros(questions, dtype=np.intp)
    numbers[group] = pd.factorize(names, use_na_sentinel=False)[0]
    return numbers


class Steps(NamedTuple):
    """Bins of forecasts: the bin of each claim, and each bin's mean forecast and weight."""

    place: Places
    points: Floats
    total: Floats


def _stepped(claims: Claims) -> Steps:
    """Return the distinct forecasts as bins, or ``STEPS`` bins of equal width if there are more."""
    points, place = distinct(claims.forecast)
    if len(points) > STEPS:
        # Keep 0 and 1 apart: chance cannot change a certain forecast.
        step = np.floor(points * STEPS) + 1
        step[points == 0], step[points == 1] = 0, STEPS + 1
        place = np.unique(step, return_inverse=True)[1][place]
    total = np.bincount(place, claims.weight).astype(np.float64)
    return Steps(place, np.bincount(place, claims.weight * claims.forecast) / total, total)


def _drawn(claims: Claims, steps: Steps, draws: Draws) -> Floats:
    """Return the share of each bin that comes true in each draw: (bins, draws)."""
    # Combine the claims of a question that fall in one bin.
    order = np.lexsort((claims.below, claims.question, steps.place))
    place, question, below = steps.place[order], claims.question[order], claims.below[order]
    new = (np.diff(place, prepend=-1) != 0) | (np.diff(question, prepend=-1) != 0)
    new |= np.diff(below, prepend=-1.0) != 0
    first = np.flatnonzero(new)
    weight = np.add.reduceat(claims.weight[order], first).astype(np.float32)
    place, question = place[first], question[first]
    low = below[first].astype(np.float32)[:, None]
    high = low + steps.points[place].astype(np.float32)[:, None]
    share, several = np.empty((len(steps.points), draws.shape[1])), low.any()
    starts = np.flatnonzero(np.diff(place, prepend=-1))
    for step, rows in enumerate(map(slice, starts, [*starts[1:], len(first)])):
        drawn = draws[question[rows]]
        true = drawn < high[rows]
        if several:
            true &= drawn >= low[rows]
        # einsum sums in a fixed order, whatever the number of processors.
        share[step] = np.einsum("i,ij->j", weight[rows], true.astype(np.float32))
    return np.asarray(share / steps.total[:, None])


def _widened(drawn: Floats, claims: Claims, steps: Steps) -> Floats:
    """Return the draws with the smooth part of their deviations from the forecast widened.

    That part is a polynomial in the forecast. Each of its orthogonal axes (level, slope, …)
    deviates in the draws as one uniform per question makes it; the factor is the root of the ratio
    of the variance that it has under calibration to that one (`variances`), at least 1.
    """
    deviation = drawn - steps.points[:, None]
    certain = (steps.points == 0) | (steps.points == 1)
    axes = _axes(steps)
    values = claims.weight[:, None] * axes[steps.place]
    calibrated, uniform = variances(claims, values)
    # Options add up to 1: their level never deviates, but for rounding.
    least = ROUNDING * (claims.forecast @ values**2)
    added = np.zeros_like(deviation)
    for k in np.flatnonzero((calibrated > uniform) & (uniform > least)):
        axis = axes[:, k]
        fit = np.einsum("i,ij->j", steps.total * axis, deviation)
        added += np.outer((math.sqrt(calibrated[k] / uniform[k]) - 1) * axis, fit)
    added[certain] = 0  # chance cannot change a certain forecast
    return np.asarray(drawn + added)


def _axes(steps: Steps) -> Floats:
    """Return orthonormal polynomials in the forecast, by the bins' weights: (bins, axes)."""
    count = min(DEGREE + 1, len(steps.points))
    root = np.sqrt(steps.total)
    powers = np.polynomial.legendre.legvander(2 * steps.points - 1, count - 1)
    return np.asarray(np.linalg.qr(root[:, None] * powers)[0] / root[:, None])


def variances(claims: Claims, values: Floats) -> tuple[Floats, Floats]:
    """Return the variance of Σ v (y − p) of calibrated forecasts, and that of one uniform's draws.

    For each column v of ``values`` (n, k). The j-th forecast on a question has probabilities p_j
    and values v_j of its options, known when it is made. So the first is
    Σ_j v_j' C_j (v_j + 2 Σ_i<j v_i) with C_j = diag(p_j) − p_j p_j' (`null_distribution`). The
    second is that of Σ v 1{below ≤ U < below + p}, U uniform; both are summed over the questions.
    """
    # Rows of a forecast follow each other, each option above the one before.
    order = np.argsort(claims.question, kind="stable")
    v, question = values[order], claims.question[order]
    p, low = claims.forecast[order], claims.below[order]
    high = low + p
    of_options = np.bincount(question, low)[question] > 0
    is_new = np.append(True, low[1:] < high[:-1] - ROUNDING) | ~of_options
    is_new |= np.diff(question, prepend=-1) != 0
    first = np.flatnonzero(is_new)
    option = np.arange(len(p)) - first[np.cumsum(is_new) - 1]
    by_option = np.lexsort((option, question))
    before = np.empty_like(v)
    before[by_option] = _sums_before(v[by_option], option[by_option], question[by_option])
    own, both = p[:, None] * v, v + 2 * before
    means = np.add.reduceat(own, first), np.add.reduceat(p[:, None] * both, first)
    calibrated = (own * both).sum(axis=0) - (means[0] * means[1]).sum(axis=0)

    ends = np.lexsort((np.concatenate([low, high]), np.tile(question, 2)))
    at, height = np.concatenate([low, high])[ends], np.concatenate([v, -v])[ends].cumsum(axis=0)
    # From the last end of a question to the first of the next, the height is 0.
    width = np.diff(at, append=at[-1])
    starts = np.flatnonzero(np.diff(question, prepend=-1))
    mean = np.add.reduceat(own, starts)
    uniform = width @ height**2 - (mean**2).sum(axis=0)
    return calibrated, uniform


def _sums_before(value: Floats, option: Places, question: Places) -> Floats:
    """Return the sum of the earlier values of each one's option; rows of an option lie together."""
    is_new = (np.diff(option, prepend=-1) != 0) | (np.diff(question, prepend=-1) != 0)
    first = np.flatnonzero(is_new)
    upto = value.cumsum(axis=0) - value
    return np.asarray(upto - upto[first][np.cumsum(is_new) - 1])


def _band(curves: Floats, steps: Steps, level: float) -> tuple[Floats, Floats]:
    """Return the simultaneous band of rising curves (bins, draws), from ``EDGES`` of their points.

    Between two points a rising curve lies between its values there. At many more points than these
    not even the highest and the lowest of a thousand draws would hold enough new curves.
    """
    if len(curves) <= EDGES:
        return band(curves, level)
    before = (np.cumsum(steps.total) - steps.total / 2) / steps.total.sum()
    at = np.searchsorted(before, np.arange(EDGES) / (EDGES - 1)).clip(max=len(before) - 1)
    at = np.unique(np.append(at, 0))
    lower, upper = band(curves[at], level)
    every = np.arange(len(before))
    return lower[np.searchsorted(at, every, "right") - 1], upper[np.searchsorted(at, every)]


def _miscalibration(observed: Floats, steps: Steps) -> tuple[Floats, Floats]:
    """Return the isotonic fit of each column of ``observed`` (bins, m) and its miscalibration."""
    # Lazy: scipy.optimize is slow to import.
    from scipy.optimize import isotonic_regression

    # One call for all columns, shifted so far apart that they are never pooled.
    apart = (float(np.ptp(observed)) + 1) * np.arange(observed.shape[1])
    weight = np.tile(steps.total, len(apart))
    fit = isotonic_regression((observed + apart).T.ravel(), weights=weight).x
    fits = fit.reshape(observed.T.shape).T - apart
    points = steps.points[:, None]
    # The mean of (p − y)² − (fit − y)² is (p − fit)(p + fit − 2ȳ), with ȳ the mean of y.
    gain = (points - fits) * (points + fits - 2 * observed)
    return fits, np.asarray(np.einsum("i,ij->j", steps.total, gain) / steps.total.sum())
