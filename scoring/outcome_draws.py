"""Simulated outcomes of a calibrated forecaster's questions, correlated within families."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pandas as pd

from scoring.arrays import Floats, Places
from scoring.parallel import map_threads

Draws = npt.NDArray[np.float32]
Words = npt.NDArray[np.uint64]
# The difference between the states of two successive numbers of SplitMix64, and its factors.
STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)

DRAWS = 500
# Questions whose numbers are made at once: they fit a processor's cache.
_AT_ONCE = 256
# Nodes and weights of the quadrature over the part that a family shares.
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(24)


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
    """Return the correlation of outcomes within families: ρ of `outcome_draws`, 0..0.99.

    ``sums`` are `residual_sums`, ``family`` that of each question. A question's residual is its
    mean y − p, standardised by the variance under p; for multiple choice only the first option
    counts. ρ equates the sum of the products of residuals over all pairs of questions in one family
    to its expectation under the draws. 0 if no family has two questions, or if residuals within
    families disagree.

    Two outcomes with probabilities p₁ and p₂ come true together as often as two normals with
    correlation ρ lie below Φ⁻¹(p₁) and Φ⁻¹(p₂); ρ is found by bisection: Emrich & Piedmonte (1991),
    doi:10.1080/00031305.1991.10475828. Solving for one ρ over all pairs is a definition of this
    package.

    >>> p, y, question = np.full(4, 0.5), np.array([1, 1, 0, 0]), np.arange(4)
    >>> sums = residual_sums(p, y, np.ones(4), question, np.zeros(4), 4)
    >>> round(link_of(sums, question // 2), 2)
    0.99
    """
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
    whole number, so that it has the same numbers at any position.

    U_q = Φ(√ρ Z_family + √(1−ρ) ε_q): thresholding correlated normals at each question's
    probability gives correlated outcomes with the right probabilities, Emrich & Piedmonte (1991),
    doi:10.1080/00031305.1991.10475828, here with one correlation per family. The streams are those
    of SplitMix64: Steele, Lea & Flood (2014), doi:10.1145/2660193.2660195.

    >>> outcome_draws([0, 1, 1], link=0.5, draws=4).shape
    (3, 4)
    """
    cluster = pd.factorize(np.asarray(family), use_na_sentinel=False)[0]
    asked = np.arange(len(cluster)) if rows is None else np.asarray(rows, dtype=np.intp)
    of, number = cluster[asked], asked if streams is None else np.asarray(streams)
    linked = np.zeros(len(of), dtype=np.bool_)
    if link > 0 and len(of):
        linked = (np.bincount(cluster) > 1)[of]
    found = np.empty((len(asked), draws), dtype=np.float32)
    if not linked.all():
        found[~linked] = _numbers(_streams(seed, 0, number[~linked]), draws)
    if linked.any():
        # Lazy: scipy is slow to import, and few commands need it.
        from scipy.special import ndtr

        every, member = np.unique(of[linked], return_inverse=True)
        own = _numbers(_streams(seed, 1, number[linked]), draws, normal=True)
        own *= np.float32(math.sqrt(1 - link))
        common = _numbers(_streams(seed, 2, every), draws, normal=True)
        common *= np.float32(math.sqrt(link))
        own += common[member]
        found[linked] = np.minimum(ndtr(own), np.float32(1 - 2**-24))
    return found


def _streams(seed: int, kind: int, number: Places | Words) -> Words:
    """Return where the stream of each of these questions, or families, begins."""
    first = mixed(np.array([int(seed) % 2**62 * 4 + kind], dtype=np.uint64) * STEP)
    return mixed(first + (number.astype(np.uint64) + np.uint64(1)) * STEP)


def _numbers(streams: Words, many: int, *, normal: bool = False) -> Draws:
    """Return that many numbers of each stream: uniform in [0, 1), with 24 bits each, or normal.

    Standard normal numbers are made by pairs (Box & Muller 1958).
    """
    half = (many + 1) // 2
    steps = np.arange(1, half + 1, dtype=np.uint64) * STEP
    found = np.empty((len(streams), many), dtype=np.float32)

    def fill(first: int) -> None:
        rows = slice(first, first + _AT_ONCE)
        words = mixed(streams[rows, None] + steps)
        bits = (words >> np.uint64(40)).astype(np.uint32), words.astype(np.uint32) >> 8
        left, right = (each.astype(np.float32) * np.float32(2**-24) for each in bits)
        if normal:
            radius = np.sqrt(np.float32(-2) * np.log1p(-left))
            angle = right * np.float32(2 * math.pi)
            left, right = radius * np.sin(angle), radius * np.cos(angle)
        found[rows, :half], found[rows, half:] = left, right[:, : many - half]

    map_threads(fill, range(0, len(streams), _AT_ONCE))
    return found


def _pairs(value: Floats, cluster: Places) -> Floats:
    """Return the sum of the products of all pairs within clusters, per column of (n, m)."""
    order = np.argsort(cluster, kind="stable")
    first = np.flatnonzero(np.diff(cluster[order], prepend=-1))
    sums = np.add.reduceat(value[order], first, axis=0)
    return np.asarray((sums**2).sum(axis=0) - (value**2).sum(axis=0))


def mixed(state: Words) -> Words:
    """Return the outputs of SplitMix64 at these states, which are overwritten.

    Steele, Lea & Flood (2014), doi:10.1145/2660193.2660195.
    """
    state ^= state >> np.uint64(30)
    state *= _MIX[0]
    state ^= state >> np.uint64(27)
    state *= _MIX[1]
    state ^= state >> np.uint64(31)
    return state
