"""E-processes: evidence that stays valid however often it is checked.

A p-value is valid for one look at a time fixed in advance; checking weekly eventually finds a
difference between any two groups. An e-process is the wealth of a gambler who starts with 1 and
bets on the difference: if neither group is better, the probability of ever reaching 20 is at most
1 in 20, however often one looks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from scoring.arrays import Floats
from scoring.errors import float_array, float_vector, refuse_where, require

BETS = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9)
ENOUGH = 20.0


@dataclass(frozen=True)
class EProcess:
    """An e-process after each of n differences, as natural logarithms (n,).

    ``log_a`` is the evidence that a is better (negative differences), ``log_b`` that b is, and
    ``log_either`` the logarithm of the mean of the two e-values. ``reached`` is the number of
    differences until ``log_either`` first reached ln 20, None if it has not; later differences do
    not change it.
    """

    log_either: Floats
    log_a: Floats
    log_b: Floats
    reached: int | None

    @property
    def better(self) -> str | None:
        """The better group, "a" or "b", once the evidence was sufficient."""
        if self.reached is None:
            return None
        return "a" if self.log_a[self.reached - 1] > self.log_b[self.reached - 1] else "b"


def e_process(difference: npt.ArrayLike) -> EProcess:
    """Return the evidence that one of two groups is better, after each difference (n,).

    ``difference`` lies in −1..1, one per family of questions, in an order fixed before the outcomes
    were known: by scheduled close (see `by_family`). For b, E = mean over λ of Π (1 + λ D), with λ
    in 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9; for a the same with −D; for either, the mean of
    the two. E of 20 is sufficient evidence. By Ville's inequality this holds whenever, under equal
    skill, each difference has conditional mean 0 given those before it.

    Waudby-Smith & Ramdas (2024), doi:10.1093/jrsssb/qkad009; for probability forecasts Henzi &
    Ziegel (2022), doi:10.1093/biomet/asab047. Raises InputError for a difference outside −1..1.

    >>> found = e_process([0.5, 0.4, 0.6] * 8)
    >>> found.log_either.round(2)[:3].tolist()
    [0.0, 0.04, 0.15]
    >>> found.reached, found.better
    (15, 'b')
    """
    d = float_vector("difference", difference)
    refuse_where("difference", ~(np.abs(d) <= 1), d, "must lie within -1..1")
    bets = np.array(BETS)[:, None]
    log_a, log_b = (_log_mean(np.cumsum(np.log1p(bets * side), axis=1)) for side in (-d, d))
    log_either = _log_mean(np.stack([log_a, log_b]))
    enough = np.flatnonzero(log_either >= np.log(ENOUGH))
    return EProcess(log_either, log_a, log_b, int(enough[0]) + 1 if len(enough) else None)


def by_family(
    difference: npt.ArrayLike, family: npt.ArrayLike, scheduled_close: pd.Series
) -> pd.DataFrame:
    """Return one difference per family, in the order of the families' scheduled closes.

    The arguments have one entry per question. Columns: ``family``; ``scheduled_close``, the last of
    its questions; ``questions``, their number; ``difference``, their mean. Ties are sorted by name.
    A family counts from the scheduled close of its last question, so leave out families with an
    open question: their difference could still change. Order and number of the differences are thus
    known before their values, as the e-process requires: Henzi & Ziegel (2022),
    doi:10.1093/biomet/asab047. Treating a family as one observation is a definition of this
    package.

    Raises InputError unless all three have equal length, differences are finite, and every entry
    has a family and a close.

    >>> closes = pd.Series(pd.to_datetime(["2026-03-01", "2026-01-01", "2026-02-01"], utc=True))
    >>> by_family([0.1, 0.2, 0.3], ["x", "y", "x"], closes)[["family", "questions", "difference"]]
      family  questions  difference
    0      y          1         0.2
    1      x          2         0.2
    """
    values, named = float_array("difference", difference), np.asarray(family)
    closes = scheduled_close.reset_index(drop=True)
    rule = "all three need one entry per question"
    for name, given in (("difference", values), ("family", named), ("scheduled_close", closes)):
        require(name, given.shape, given.shape == closes.shape, rule)
    refuse_where("difference", ~np.isfinite(values), values, "must be finite")
    refuse_where("family", pd.isna(named), named, "every entry needs a family")
    rule = "every entry needs a close"
    refuse_where("scheduled_close", closes.isna().to_numpy(), closes.to_numpy(dtype=object), rule)
    number, names = pd.factorize(named, sort=True)
    questions = np.bincount(number, minlength=len(names))
    # Sorted by close within a family, its last row is the last to close.
    order = np.lexsort((closes.to_numpy(), number))
    last = order[np.cumsum(questions) - 1]
    table = pd.DataFrame(
        {
            "family": names,
            "scheduled_close": closes.take(last).array,
            "questions": questions,
            "difference": np.bincount(number, values, len(names)) / questions,
        }
    )
    return table.sort_values("scheduled_close", kind="stable", ignore_index=True)


def _log_mean(log: Floats) -> Floats:
    """Return the logarithm of the mean of exp(log) over the first axis."""
    most = log.max(axis=0, initial=-np.inf)
    return np.asarray(most + np.log(np.mean(np.exp(log - most), axis=0)))
