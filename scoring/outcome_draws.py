"""Simulated outcomes of a calibrated forecaster's questions, correlated within families."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pandas as pd

from scoring.arrays import Flags, Floats, Places
from scoring.errors import float_array, refuse_where, require, require_number, require_whole_number
from scoring.forecast_pairs import grouped_pairs, pairs

Draws = npt.NDArray[np.float32]

DRAWS = 500
# Probabilities of the options of one forecast sum to 1 within this, even after rescaling.
SLACK = 1e-6
# Nodes and weights of the quadrature over the part that a family shares.
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(24)


def family_link(
    p: npt.ArrayLike,
    y: npt.ArrayLike,
    weight: npt.ArrayLike | None,
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

    >>> round(family_link([0.5, 0.5, 0.5, 0.5], [1, 1, 0, 0], None, [0, 1, 2, 3], [0, 0, 1, 1]), 2)
    0.99
    """
    forecast, outcome, weights, group, under, kept = check_claims(p, y, weight, question, below)
    linked = family_numbers(group, family, kept)
    weights = np.where(under > 0, 0.0, weights)
    total = np.bincount(group, weights)
    spread = np.bincount(group, weights * forecast * (1 - forecast))
    known = spread > 0
    total, cluster = total[known], linked[known]
    mean = np.bincount(group, weights * forecast)[known] / total
    deviation = np.sqrt(spread[known] / total)
    residual = np.bincount(group, weights * (outcome - forecast))[known] / total / deviation
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
    family: npt.ArrayLike, link: float = 0.0, draws: int = DRAWS, seed: int = 0
) -> Draws:
    """Return uniform numbers in [0, 1): one row per question, one column per draw.

    ``family`` has one entry per question; the normals behind the numbers have correlation ``link``,
    0..1, within a family and are independent between families. ``seed``, a whole number, makes the
    draws reproducible. Raises InputError.

    U_q = Φ(√ρ Z_family + √(1−ρ) ε_q): thresholding correlated normals at each question's
    probability gives correlated outcomes with the right probabilities, Emrich & Piedmonte (1991),
    doi:10.1080/00031305.1991.10475828, here with one correlation per family.

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
    generator = np.random.default_rng(seed)
    uniform = generator.random((len(cluster), draws), dtype=np.float32)
    together = np.flatnonzero((np.bincount(cluster) > 1)[cluster]) if len(cluster) else cluster
    if link > 0 and len(together):
        # Lazy: scipy is slow to import, and few commands need it.
        from scipy.special import ndtr

        member = pd.factorize(cluster[together])[0]
        common = generator.standard_normal((int(member.max()) + 1, draws), dtype=np.float32)
        own = generator.standard_normal((len(together), draws), dtype=np.float32)
        own *= np.float32(math.sqrt(1 - link))
        own += np.float32(math.sqrt(link)) * common[member]
        uniform[together] = np.minimum(ndtr(own), np.float32(1 - 2**-24))
    return uniform


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
