"""Scoring rules: the score of one forecast, given the outcome. Lower is better.

The public functions check their arguments and call the same kernels as `score`. A kernel takes
forecasts of one shape, one per row, and their outcomes:

    binary            p (n,), the probability of "yes"           y (n,), 0..1
    multiple choice   p (n, K), NaN for an option that is null   y (n, K), the outcome vector
    numeric, date     p (n, 2, m): m knots of the distribution,  y (n,), the outcome
                      their levels and their values

To add a rule, write a kernel and add it to `RULES`. A quadratic rule also has a *deviation*, the
vector whose squared length is the score: the score of a crowd's mean forecast then follows from the
mean of its members' deviations.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scoring.arrays import Floats
from scoring.errors import broadcast, float_array, refuse_where, require

Kernel = Callable[[Floats, Floats], Floats]

SUM_TOLERANCE = 1e-9
ROOT_TWO = math.sqrt(2)
HALF_ROOT = math.sqrt(0.5)


@dataclass(frozen=True)
class Rule:
    """A scoring rule: its kernel, its scope, and its deviation if it is quadratic.

    ``numeric``: it scores distributions rather than probabilities. ``ordered``: on multiple choice
    it requires ordered options.
    """

    kernel: Kernel
    deviation: Kernel | None = None
    numeric: bool = False
    ordered: bool = False


# --- kernels -------------------------------------------------------------------------------


def _squared_length(deviation: Floats) -> Floats:
    """Return the squared lengths; may overwrite ``deviation``."""
    if deviation.ndim == 1:
        return np.multiply(deviation, deviation, out=deviation)
    return np.asarray(np.einsum("ij,ij->i", deviation, deviation), dtype=np.float64)


def _difference(p: Floats, y: Floats) -> Floats:
    return p - y if p.ndim == 1 else np.nan_to_num(p - y)


def _brier_deviation(p: Floats, y: Floats) -> Floats:
    deviation = _difference(p, y)
    return deviation if p.ndim == 1 else deviation * HALF_ROOT


def _brier(p: Floats, y: Floats) -> Floats:
    length = _squared_length(_difference(p, y))
    return length if p.ndim == 1 else length / 2


def _brier_original_deviation(p: Floats, y: Floats) -> Floats:
    deviation = _difference(p, y)
    return deviation * ROOT_TWO if p.ndim == 1 else deviation


def _brier_original(p: Floats, y: Floats) -> Floats:
    return 2 * _brier(p, y)


def _log(p: Floats, y: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        if p.ndim == 1:
            # Subtracted from 0.0, because −log(1) would be −0.0.
            yes, no = 0.0 - np.log(p), 0.0 - np.log1p(-p)
            # Only a fractional outcome needs both terms; elsewhere 0 · ∞ would give NaN.
            both = np.where(y == 0, no, y * yes + (1 - y) * no)
            return np.asarray(np.where(y == 1, yes, both))
        return np.asarray(0.0 - np.where(y > 0, y * np.log(p), 0.0).sum(axis=1))


def _spherical(p: Floats, y: Floats) -> Floats:
    if p.ndim == 1:
        return 1 - (p * y + (1 - p) * (1 - y)) / np.hypot(p, 1 - p)
    p = np.nan_to_num(p)
    return np.asarray(1 - (p * y).sum(axis=1) / np.sqrt(_squared_length(p)))


def _rps_deviation(p: Floats, y: Floats) -> Floats:
    if p.ndim == 1:
        return p - y
    there = ~np.isnan(p)
    excess = np.cumsum(np.nan_to_num(p - y), axis=1)
    # A null option adds no split, and after the last option both sums are one.
    last = p.shape[1] - 1 - np.argmax(there[:, ::-1], axis=1)
    there[np.arange(len(p)), last] = False
    splits = np.maximum(there.sum(axis=1), 1)
    return np.asarray(np.where(there, excess, 0.0) / np.sqrt(splits)[:, None])


def _rps(p: Floats, y: Floats) -> Floats:
    return _squared_length(_rps_deviation(p, y))


def _rps_original(p: Floats, y: Floats) -> Floats:
    return 2 * _rps(p, y)


def _crps(p: Floats, y: Floats) -> Floats:
    level, value = p[:, 0, :], p[:, 1, :]
    # By a power of two, which changes no digit: a range up to the largest floats must not overflow.
    exponent = np.frexp(np.maximum(abs(value[:, 0]), abs(value[:, -1])))[1] + 1
    value, y = np.ldexp(value, -exponent[:, None]), np.ldexp(y, -exponent)
    left, right, low, high = value[:, :-1], value[:, 1:], level[:, :-1], level[:, 1:]
    width = right - left
    at = np.clip(y[:, None], left, right)
    share = np.divide(at - left, width, out=np.zeros_like(width), where=width > 0)
    middle = low + (high - low) * share
    # ∫ of the square of a line from a to b over a length d is d (a² + ab + b²) / 3.
    before = (at - left) * (low * low + low * middle + middle * middle)
    low, middle, high = 1 - low, 1 - middle, 1 - high
    after = (right - at) * (middle * middle + middle * high + high * high)
    span = value[:, -1] - value[:, 0]
    crps: Floats = (before + after).sum(axis=1) / (3 * span)
    return crps


RULES: dict[str, Rule] = {
    "brier": Rule(_brier, _brier_deviation),
    "brier_original": Rule(_brier_original, _brier_original_deviation),
    "log": Rule(_log),
    "spherical": Rule(_spherical),
    "rps": Rule(_rps, _rps_deviation, ordered=True),
    # The mean of the original Brier scores of the K − 1 questions "at most option k?".
    "rps_original": Rule(_rps_original, ordered=True),
    "crps": Rule(_crps, numeric=True),
}


# --- shared with other modules -------------------------------------------------------------


def align_options(
    p: Floats, outcome: npt.NDArray[np.integer], *, ordered: bool
) -> tuple[Floats, Floats]:
    """Return multiple-choice forecasts (n, K), and their outcome vectors, ready to score.

    A forecast made before the outcome's option was added is scored by its last option ("Other"):
    that probability is moved to the outcome's option, so that old and new forecasts can be
    averaged. For ordered options it stays in place, and the last option counts as the outcome.
    """
    rows = np.arange(len(p))
    lacks = np.isnan(p[rows, outcome])
    y = np.zeros(p.shape)
    if ordered:
        y[rows, np.where(lacks, p.shape[1] - 1, outcome)] = 1.0
    else:
        y[rows, outcome] = 1.0
        if lacks.any():
            p = p.copy()
            p[rows[lacks], outcome[lacks]] = p[lacks, -1]
            p[lacks, -1] = np.nan
    return p, y


def uniform(p: Floats) -> Floats:
    """Return uniform forecasts, in the shape and over the options of ``p``."""
    if p.ndim == 1:
        return np.full(len(p), 0.5)
    if p.ndim == 2:
        there = ~np.isnan(p)
        return np.where(there, 1 / there.sum(axis=1, keepdims=True), np.nan)
    value = p[:, 1, :]
    level = (value - value[:, :1]) / (value[:, -1:] - value[:, :1])
    return np.stack([level, value], axis=1)


# --- public functions -----------------------------------------------------------------------


def _checked(p: npt.ArrayLike, y: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return forecasts and outcome vectors of equal shape, or raise InputError."""
    forecasts, outcomes = float_array("p", p), float_array("y", y)
    rule = "forecasts must be (n,), or (n, K) with one per row"
    require("p", forecasts.shape, forecasts.ndim <= 2, rule)
    rule = "outcomes must be (n,), or (n, K) if the forecasts are"
    require("y", outcomes.shape, outcomes.ndim <= max(forecasts.ndim, 1), rule)
    out_of_range = "a probability must be finite and lie within 0..1"
    refuse_where("p", ~((forecasts >= 0) & (forecasts <= 1)), forecasts, out_of_range)
    refuse_where("y", ~np.isfinite(outcomes), outcomes, "an outcome must be finite")
    certain = np.isin(forecasts, (0, 1)).all() and 0 < forecasts.sum() < forecasts.size
    swapped = certain and outcomes.size > 1 and ((outcomes > 0) & (outcomes < 1)).all()
    require("p", None, not swapped, "holds only 0 and 1, and y only probabilities: swapped?")
    if forecasts.ndim <= 1:
        outside = (outcomes < 0) | (outcomes > 1)
        refuse_where("y", outside, outcomes, "a binary outcome must lie within 0..1")
        # A scalar is broadcast.
        shape = max(forecasts.shape, outcomes.shape)
        rule = "needs one outcome per forecast"
        return broadcast("p", forecasts, shape, rule), broadcast("y", outcomes, shape, rule)
    off = np.abs(forecasts.sum(axis=1) - 1) > SUM_TOLERANCE
    refuse_where("p", off, forecasts, "the probabilities of one forecast must sum to 1 within 1e-9")
    if outcomes.ndim == 2:
        off = (np.abs(outcomes.sum(axis=1) - 1) > SUM_TOLERANCE) | (outcomes < 0).any(axis=1)
        refuse_where("y", off, outcomes, "an outcome vector must be non-negative and sum to 1")
        rule = "needs one outcome vector per forecast, over the same options"
        return forecasts, broadcast("y", outcomes, forecasts.shape, rule)
    n, options = forecasts.shape
    index = broadcast("y", outcomes, (n,), "needs one outcome per forecast")
    unknown = ~np.isin(index, np.arange(options))
    rule = f"an outcome must be the index of an option, 0..{options - 1}"
    refuse_where("y", unknown, index, rule)
    return forecasts, np.eye(options)[index.astype(np.intp)]


def _apply(kernel: Kernel, p: npt.ArrayLike, y: npt.ArrayLike) -> Floats:
    forecasts, outcomes = _checked(p, y)
    if forecasts.ndim == 0:
        return kernel(forecasts[None], outcomes[None])[0]  # type: ignore[no-any-return]
    return kernel(forecasts, outcomes)


def brier_score(*, p: npt.ArrayLike, y: npt.ArrayLike) -> Floats:
    """Return the Brier scores ½ Σ_k (p_k − y_k)², one per row: 0..1, 0 is best.

    ``p`` is (n,), probabilities of "yes", with ``y`` (n,) in 0..1 (a fraction if the question
    resolved to a probability); the score is then (p − y)². Or ``p`` is (n, K), rows summing to 1,
    with ``y`` the index of the option that came true, (n,), or outcome vectors, (n, K). Scalars
    give a scalar. Raises InputError.

    Half of Brier's original sum, which puts both types of question on one scale:
    Brier (1950), doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2.

    >>> brier_score(p=[0.7, 0.7, 0.0], y=[1, 0, 0]).round(2).tolist()
    [0.09, 0.49, 0.0]
    >>> float(brier_score(p=[[0.7, 0.2, 0.1]], y=[0])[0].round(2))
    0.07
    """
    return _apply(_brier, p, y)


def brier_original(*, p: npt.ArrayLike, y: npt.ArrayLike) -> Floats:
    """Return Brier's original scores Σ_k (p_k − y_k)², one per row: 0..2, 0 is best.

    Twice `brier_score`, with the same arguments and shapes. Raises InputError.
    Brier (1950), doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2.

    >>> brier_original(p=[0.7, 0.7], y=[1, 0]).round(2).tolist()
    [0.18, 0.98]
    """
    return _apply(_brier_original, p, y)


def log_score(*, p: npt.ArrayLike, y: npt.ArrayLike) -> Floats:
    """Return the logarithmic scores −ln p(outcome), one per row, in nats: 0..∞, 0 is best.

    Arguments and shapes as in `brier_score`. Nothing is clipped: an outcome with probability 0
    scores infinity. A fractional outcome weights both terms. Raises InputError.
    Good (1952), doi:10.1111/j.2517-6161.1952.tb00104.x.

    >>> log_score(p=[0.5, 0.0], y=[1, 1]).round(4).tolist()
    [0.6931, inf]
    """
    return _apply(_log, p, y)


def spherical_score(*, p: npt.ArrayLike, y: npt.ArrayLike) -> Floats:
    """Return the spherical scores 1 − p(outcome) / ‖p‖₂, one per row: 0..1, 0 is best.

    Arguments and shapes as in `brier_score`. Raises InputError.
    Gneiting & Raftery (2007), doi:10.1198/016214506000001437.

    >>> spherical_score(p=[0.5, 1.0, 0.0], y=[1, 1, 1]).round(4).tolist()
    [0.2929, 0.0, 1.0]
    """
    return _apply(_spherical, p, y)


def ranked_probability_score(*, p: npt.ArrayLike, y: npt.ArrayLike) -> Floats:
    """Return the ranked probability scores Σ_{k<K} (F_k − Y_k)² / (K − 1): 0..1, 0 is best.

    F and Y are the cumulative sums of forecast and outcome vector over ordered options, so a near
    miss costs less than a distant one. Equals `brier_score` on a binary question. Arguments and
    shapes as there. Raises InputError.
    Epstein (1969), doi:10.1175/1520-0450(1969)008<0985:ASSFPF>2.0.CO;2.

    >>> ranked_probability_score(p=[[0.25, 0.25, 0.3, 0.2]], y=[1]).round(4).tolist()
    [0.1175]
    """
    return _apply(_rps, p, y)


def crps_piecewise(
    *,
    levels: npt.ArrayLike,
    values: npt.ArrayLike,
    outcome: npt.ArrayLike,
    lower: npt.ArrayLike,
    upper: npt.ArrayLike,
) -> Floats:
    """Return the exact CRPS of piecewise-linear distributions over the range: 0..1, 0 is best.

    ∫ (F(z) − 1{z ≥ outcome})² dz from ``lower`` to ``upper``, divided by ``upper − lower``. F is
    linear between levels: ``levels`` (m,) or (n, m) are probabilities, increasing along a row, and
    ``values`` (n, m) the points where F reaches them, within the bounds and non-decreasing (equal
    values are a jump). F starts from 0 at ``lower`` and ends at 1 at ``upper``, unless a value on
    the bound has another level: that states mass outside the bounds. ``outcome``, ``lower`` and
    ``upper`` are scalars or (n,); an outcome may lie outside the bounds, even at infinity. One row
    of ``values`` gives an array of length one. Raises InputError.

    Gneiting & Raftery (2007), doi:10.1198/016214506000001437.

    >>> crps_piecewise(levels=[0.5], values=[[0.5]], outcome=0, lower=0, upper=1).round(4).tolist()
    [0.3333]
    >>> crps_piecewise(levels=[0, 1], values=[[4, 4]], outcome=4, lower=0, upper=10).tolist()
    [0.0]
    """
    at = np.atleast_2d(float_array("values", values))
    rule = "values must be (n, m), with at least one value per row"
    require("values", at.shape, at.ndim <= 2 and at.shape[1] > 0, rule)
    rule = "needs one level per value: (m,), or (n, m) like the values"
    level = broadcast("levels", float_array("levels", levels), at.shape, rule)
    rule = "must be one number, or one per row of values"
    low, high, y = (
        broadcast(name, float_array(name, given), (len(at),), rule)
        for name, given in (("lower", lower), ("upper", upper), ("outcome", outcome))
    )
    rule = "the lower bound must be finite and below the upper bound"
    refuse_where("lower", ~(np.isfinite(low) & np.isfinite(high) & (low < high)), low, rule)
    refuse_where("levels", ~((level >= 0) & (level <= 1)), level, "a level must lie within 0..1")
    refuse_where("levels", np.diff(level, axis=1) < 0, level, "levels must not fall along a row")
    bad = ~((at >= low[:, None]) & (at <= high[:, None]))
    refuse_where("values", bad, at, "a value must lie within the bounds")
    refuse_where("values", np.diff(at, axis=1) < 0, at, "values must not fall along a row")
    refuse_where("outcome", np.isnan(y), y, "an outcome must be a number")
    return _crps(knots(level, at, low, high), y)


def knots(levels: Floats, values: Floats, lower: Floats, upper: Floats) -> Floats:
    """Return distributions (n, 2, m + 2) whose ends are at the bounds.

    A level stated for a value on a bound is the mass there and beyond, not a jump inside.
    """
    first = np.where(values[:, 0] == lower, levels[:, 0], 0.0)
    last = np.where(values[:, -1] == upper, levels[:, -1], 1.0)
    level, value = np.column_stack([first, levels, last]), np.column_stack([lower, values, upper])
    return np.stack([level, value], axis=1)


def expected_brier(p: npt.ArrayLike, belief: npt.ArrayLike) -> Floats:
    """Return the expected Brier scores (0..1, 0 is best) of forecasts under beliefs, one per row.

    ``p`` and ``belief`` are (n,), probabilities of "yes": (p − belief)² + belief (1 − belief). Or
    they are (n, K), NaN for an option that is null: the scores of the K outcomes, weighted by the
    belief; an outcome that the forecast does not have is scored by its last option.
    Raises InputError for arguments that are not numbers.

    Gneiting & Raftery (2007), doi:10.1198/016214506000001437.

    >>> expected_brier([0.4, 0.7], [0.7, 0.7]).round(4).tolist()
    [0.3, 0.21]
    >>> expected_brier([[0.4, 0.6]], [[0.7, 0.3]]).round(4).tolist()
    [0.3]
    """
    forecasts, beliefs = float_array("p", p), float_array("belief", belief)
    if forecasts.ndim < 2:
        return np.asarray((forecasts - beliefs) ** 2 + beliefs * (1 - beliefs))
    scores = [
        RULES["brier"].kernel(*align_options(forecasts, outcome, ordered=False))
        for outcome in np.indices(forecasts.shape)[1].T
    ]
    return np.asarray((np.nan_to_num(beliefs) * np.transpose(scores)).sum(axis=1))


def expected_crps(
    levels: npt.ArrayLike,
    values: npt.ArrayLike,
    belief_levels: npt.ArrayLike,
    belief_values: npt.ArrayLike,
) -> float:
    """Return the expected CRPS (0..1 of the range, 0 is best) of a forecast under a belief.

    Both are piecewise-linear distributions, given by levels and values (m,) from bound to bound.
    The result is ∫ (F − G)² + G (1 − G) dz over the range; the integrand is quadratic between
    knots, so two Gauss points per interval make it exact. Raises InputError for arguments that are
    not numbers.

    Gneiting & Raftery (2007), doi:10.1198/016214506000001437.

    >>> round(expected_crps([0, 1], [0, 10], [0, 1], [0, 10]), 4)
    0.1667
    """
    f_levels, f_values = float_array("levels", levels), float_array("values", values)
    g_levels = float_array("belief_levels", belief_levels)
    g_values = float_array("belief_values", belief_values)
    ends = np.unique(np.concatenate([f_values, g_values]))
    left, width = ends[:-1], np.diff(ends)
    total = 0.0
    for share in (0.5 - 0.5 / np.sqrt(3), 0.5 + 0.5 / np.sqrt(3)):
        points = left + width * share
        f, g = np.interp(points, f_values, f_levels), np.interp(points, g_values, g_levels)
        total += float((((f - g) ** 2 + g * (1 - g)) * width).sum()) / 2
    return total / float(ends[-1] - ends[0])
