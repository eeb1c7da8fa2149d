"""Shared shocks: how much correlation between families a claim survives.

Verdicts and comparisons take the outcomes of different families as independent, given the
forecasts. News that
moves many of them at once breaks that: with 200 families open together, opposed tilts and a latent
correlation of 0.02, a test at 5% finds a difference between equals in 29% of cases.

No data can exclude such a correlation, so a claim states how much it bears. If the sums of families
i and j correlate by r · o_ij, with o_ij the overlap of their times open, the variance of a mean is

    Σ_i σ_i² + r Σ_{i≠j} o_ij σ_i σ_j,    o_ij = |open_i ∩ open_j| / √(|open_i| |open_j|),

which rises with r, a correlation of outcomes; the *tipping correlation* is the r at which the
p-value is 0.005, a tenth of the level. At the true r the tipping correlation of a false claim is
above it in 0.5% of cases, and false claims are 5% of cases or more: so that of at most one in ten
exceeds the truth. (With the level itself as the limit half of them did where questions overlap
little.) With a latent normal correlation ρ, outcomes near 50% have (2/π) arcsin ρ. o_ij is the
correlation of two families' sums of one steady stream of shocks, each over its time open. For a
verdict σ_i is the family's deviation under calibration, in a comparison in proportion to its
questions: from one outcome a family its share in the variance is hardly known, and equal shares
make the sum the largest.

Sensitivity of a conclusion to an assumption that the data cannot test: Rosenbaum (2002),
doi:10.1007/978-1-4757-3692-2. The form with overlaps is a definition of this package.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from scoring.arrays import Floats, Places
from scoring.means import Families, families_of

# A claim survives a correlation if its p-value stays below this share of the level.
SURVIVES = 0.1


class Spans(NamedTuple):
    """Each question's family, by position, and the time over which each family is open, in days."""

    question: pd.Index
    family: Places
    opened: Floats
    closed: Floats


def spans_of(questions: pd.DataFrame, families: Families | None = None) -> Spans:
    """Return when each family is open: from its first opening to its last scheduled close.

    ``questions`` has question_id, open_time and scheduled_close_time, each with an offset.
    """
    family = families_of(questions["question_id"], families)
    code = np.unique(family, return_inverse=True)[1]
    opened, closed = np.full(len(code), np.inf), np.full(len(code), -np.inf)
    np.minimum.at(opened, code, _days(questions["open_time"]))
    np.maximum.at(closed, code, _days(questions["scheduled_close_time"]))
    of = code.max(initial=-1) + 1
    return Spans(pd.Index(questions["question_id"]), code, opened[:of], closed[:of])


def tipping_correlation(questions: pd.Series, spans: Spans, needed: float) -> float | None:
    """Return the r that adds ``needed`` times the variance without correlation.

    ``questions`` are those of the mean, one entry each. None if r would have to be above 1, as when
    no two families are open at the same time.

    >>> questions = pd.DataFrame({"question_id": [1, 2, 3], "open_time": "2026-01-01T00:00:00Z",
    ...                           "scheduled_close_time": "2026-02-01T00:00:00Z"})
    >>> tipping_correlation(questions["question_id"], spans_of(questions), 1.0)
    0.5
    """
    family = spans.family[spans.question.get_indexer(pd.Index(questions))]
    size = np.bincount(family, minlength=len(spans.opened)).astype(np.float64)
    seen = size > 0
    return tipping(size[seen], spans.opened[seen], spans.closed[seen], needed)


def tipping(weight: Floats, opened: Floats, closed: Floats, needed: float) -> float | None:
    """Return the same for families with these shares in the deviation of a sum."""
    alone = float(weight @ weight)
    together = overlap_sum(weight, opened, closed) - alone
    if together <= 1e-9 * alone or needed * alone > together:
        return None
    return needed * alone / together


def periods(questions: pd.Series, spans: Spans) -> Places:
    """Return the period of each question, by the close of its family.

    Each is as long as the median of these families is open. A definition of this package.
    """
    family = spans.family[spans.question.get_indexer(pd.Index(questions))]
    every = np.unique(family)
    length = float(np.median(spans.closed[every] - spans.opened[every]))
    closed = spans.closed[family]
    return np.asarray((closed - closed.min()) // max(length, 1e-9), dtype=np.intp)


def overlap_sum(weight: Floats, opened: Floats, closed: Floats) -> float:
    """Return Σ_ij o_ij w_i w_j, with i = j included, in one sweep over time.

    It is ∫ (Σ w_i / √length_i over the families open at t)² dt.
    """
    rate = weight / np.sqrt(closed - opened)
    at = np.concatenate([opened, closed])
    order = np.argsort(at, kind="stable")
    level = np.cumsum(np.concatenate([rate, -rate])[order])
    return float(level[:-1] ** 2 @ np.diff(at[order]))


def _days(times: pd.Series) -> Floats:
    moments = pd.to_datetime(times, utc=True)
    return np.asarray((moments - pd.Timestamp(0, tz="UTC")).dt.total_seconds() / 86_400)
