"""Simulated outcomes of a calibrated forecaster's questions, correlated within families."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pandas as pd

from scoring.arrays import Flags, Floats, Places
from scoring.errors import float_array, refuse_where, require, require_number, require_whole_number
from scoring.forecast_pairs import grouped_pairs, pairs
from scoring.parallel import map_threads
from scoring.splitmix64 import STEP, Words, mixed

Draws = npt.NDArray[np.float32]

DRAWS = 500
# Probabilities of the options of one forecast sum to 1 within this, even after rescaling.
SLACK = 1e-6
# Nodes and weights of the quadrature over the part that a family shares.
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(24)


def family_link(
    *,
    p: npt.ArrayLike,
    y: npt.ArrayLike,
    weight: npt.ArrayLike | None = None,
    question: npt.ArrayLike,
    family: npt.ArrayLike,
    below: npt.ArrayLike | None = None,
) -> float:
    """Return the correlation of outcomes within families: ρ of `outcome_draws`, 0..0.99.

    A question's residual is its mean y − p, standardised by the variance under p; for multiple
    choice only the first option counts. ρ equates the sum of the products of residuals over all
    pairs of questions in one family to its expectation under the draws. 0 if no family has two
    questions, or if residuals within families disagree.

    Two outcomes with probabilities p₁ and p₂ come true together as often as two normals with
    correlation ρ lie below Φ⁻¹(p₁) and Φ⁻¹(p₂); ρ is found by bisection: Emrich & Piedmonte (1991),
    doi:10.1080/00031305.1991.10475828. Solving for one ρ over all pairs is a definition of this
    package. Arguments as in `chance`. Raises InputError.

    >>> round(family_link(p=[0.5, 0.5, 0.5, 0.5], y=[1, 1, 0, 0],
    ...                   question=[0, 1, 2, 3], family=[0, 0, 1, 1]), 2)
    0.99
    """
    forecast, outcome, weights, group, under, kept = check_claims(p, y, weight, question, below)
    linked = family_numbers(group, family, kept)
    return link_of(residual_sums(forecast, outcome, weights, group, under, len(linked)), linked)


def residual_sums(
    p: Floats, y: Floats, weight: Floats, question: Places, below: Floats, questions: int
) -> Floats:
    """Return the sums over each question's pairs that `link_of` takes: (4, questions).

    These are the sums of the weight, and of the weight times p, p (1 − p) and y − p. The sums of
    parts of the questions add up.
    """
    weights = np.where(below > 0, 0.0, weight)
    values = (1.0, p, p * (1 - p), y - p)
    return np.stack([np.bincount(question, weights * each, questions) for each in values])


def link_of(sums: Floats, family: Places) -> float:
    """Return the correlation of `family_link` from `residual_sums`; ``family`` of each question."""
    known = sums[2] > 0
    (total, forecast, spread, missed), cluster = sums[:, known], family[known]
    mean, deviation = forecast / total, np.sqrt(spread / total)
    residual = missed / total / deviation
    cluster = np.unique(cluster, return_inverse=True)[1]
    many = np.bincount(cluster).astype(np.float64)
    if not many @ (many - 1) or not residual.any():
        return 0.0
    agreed = _pairs(residual[:, None], cluster)[0] / float(np.mean(residual**2))
    # Lazy: scipy is slow to import, and few commands need it.
    from scipy.special import ndtr, ndtri

    edge, share = ndtri(mean)[:, None], WEIGHTS / WEIGHTS.sum()

    def expected(link: float) -> float:
        given = ndtr((edge - math.sqrt(link) * NODES) / math.sqrt(1 - link))
        return float(_pairs((given - mean[:, None]) / deviation[:, None], cluster) @ share)

    low, high = 0.0, 0.99
    if agreed <= 0 or agreed >= expected(high):
        return 0.0 if agreed <= 0 else high
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (middle, high) if expected(middle) < agreed else (low, middle)
    return low


def outcome_draws(
    family: npt.ArrayLike,
    link: float = 0.0,
    draws: int = DRAWS,
    seed: int = 0,
    rows: npt.ArrayLike | None = None,
    streams: npt.ArrayLike | None = None,
) -> Draws:
    """Return uniform numbers in [0, 1): one row per question, one column per draw.

    ``family`` has one entry per question; the normals behind the numbers have correlation ``link``,
    0..1, within a family and are independent between families. ``seed``, a whole number, makes the
    draws reproducible. With ``rows``, positions of questions, only those rows are made, and are the
    same as in the whole: each question and family has a stream of random numbers of its own. By
    default a question's stream is that of its position; ``streams`` gives each row made another
    whole number, so that it has the same numbers at any position. Raises InputError.

    U_q = Φ(√ρ Z_family + √(1−ρ) ε_q): thresholding correlated normals at each question's
    probability gives correlated outcomes with the right probabilities, Emrich & Piedmonte (1991),
    doi:10.1080/00031305.1991.10475828, here with one correlation per family. The streams are those
    of SplitMix64: Steele, Lea & Flood (2014), doi:10.1145/2660193.2660195.

    >>> outcome_draws([0, 1, 1], link=0.5, draws=4).shape
    (3, 4)
    """
    require_number("link", link, lambda share: 0 <= share <= 1, "must lie within 0..1")
    require_whole_number("draws", draws, 1)
    require_whole_number("seed", seed, 0)
    names = np.asarray(family)
    rule = "must be one-dimensional, with one entry per question"
    require("family", names.shape, names.ndim == 1, rule)
    cluster = pd.factorize(names, use_na_sentinel=False)[0]
    asked = np.arange(len(cluster)) if rows is None else np.asarray(rows, dtype=np.intp)
    of, number = cluster[asked], asked if streams is None else np.asarray(streams)
    linked = np.zeros(len(of), dtype=np.bool_)
    if link > 0 and len(of):
        linked = (np.bincount(cluster) > 1)[of]
    found = np.empty((len(asked), draws), dtype=np.float32)
    if not linked.all():
        found[~linked] = _uniform(_streams(seed, 0, number[~linked]), draws)
    if linked.any():
        # Lazy: scipy is slow to import, and few commands need it.
        from scipy.special import ndtr

        every, member = np.unique(of[linked], return_inverse=True)
        own = _normal(_streams(seed, 1, number[linked]), draws)
        own *= np.float32(math.sqrt(1 - link))
        common = _normal(_streams(seed, 2, every), draws)
        common *= np.float32(math.sqrt(link))
        own += common[member]
        found[linked] = np.minimum(ndtr(own), np.float32(1 - 2**-24))
    return found


# Rows whose numbers are made at once, so that they stay in the processor's cache.
_AT_ONCE = 512


def _streams(seed: int, kind: int, number: Places | Words) -> Words:
    """Return where the stream of each of these questions, or families, begins."""
    first = mixed(np.array([int(seed) % 2**62 * 4 + kind], dtype=np.uint64) * STEP)
    return mixed(first + (number.astype(np.uint64) + np.uint64(1)) * STEP)


def _uniform(streams: Words, many: int) -> Draws:
    """Return that many uniform numbers in [0, 1) of each stream, with 24 bits each."""
    found = np.empty((len(streams), many), dtype=np.float32)
    half = (many + 1) // 2
    steps = np.arange(1, half + 1, dtype=np.uint64) * STEP

    def fill(first: int) -> None:
        own = slice(first, first + _AT_ONCE)
        words = mixed(streams[own, None] + steps)
        found[own, :half] = (words >> np.uint64(40)).astype(np.uint32)
        found[own, half:] = words.astype(np.uint32)[:, : many - half] >> np.uint32(8)
        found[own] *= np.float32(2**-24)

    map_threads(fill, range(0, len(streams), _AT_ONCE))
    return found


def _normal(streams: Words, many: int) -> Draws:
    """Return that many standard normal numbers of each stream, by pairs (Box & Muller 1958)."""
    half = (many + 1) // 2
    found = _uniform(streams, 2 * half)

    def fill(first: int) -> None:
        radius, angle = (
            found[first : first + _AT_ONCE, of] for of in (slice(half), slice(half, None))
        )
        radius[:] = np.sqrt(np.float32(-2) * np.log1p(-radius))
        angle *= np.float32(2 * math.pi)
        along = radius * np.cos(angle)
        radius *= np.sin(angle)
        angle[:] = along

    map_threads(fill, range(0, len(streams), _AT_ONCE))
    return found[:, :many]


def check_claims(
    p: npt.ArrayLike,
    y: npt.ArrayLike,
    weight: npt.ArrayLike | None,
    question: npt.ArrayLike | None,
    below: npt.ArrayLike | None,
) -> tuple[Floats, Floats, Floats, Places, Floats, Flags]:
    """Return the pairs with positive weight, ``below`` of each, and the mask of kept pairs."""
    forecast, outcome, weights, group = grouped_pairs(p, y, weight, question)
    every, _, given = pairs(p, y, weight)
    kept = given > 0
    under = np.zeros(len(every)) if below is None else float_array("below", below)
    require("below", under.shape, under.shape == every.shape, "needs one entry per pair")
    rule = "must be at least 0, and at most 1 together with the forecast"
    refuse_where("below", ~((under >= 0) & (under + every <= 1 + SLACK)), under, rule)
    return forecast, outcome, weights, group, under[kept], kept


def family_numbers(group: Places, family: npt.ArrayLike | None, kept: Flags) -> Places:
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


def _pairs(value: Floats, cluster: Places) -> Floats:
    """Return the sum of the products of all pairs within clusters, per column of (n, m)."""
    order = np.argsort(cluster, kind="stable")
    first = np.flatnonzero(np.diff(cluster[order], prepend=-1))
    sums = np.add.reduceat(value[order], first, axis=0)
    return np.asarray((sums**2).sum(axis=0) - (value**2).sum(axis=0))
