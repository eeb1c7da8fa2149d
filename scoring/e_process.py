"""Evidence that may be looked at whenever one likes, while questions keep arriving.

A p-value holds for one look, at a time fixed in advance. Who looks every week finds, sooner or
later, a difference between any two groups. An e-process is the wealth of a gambler who bets on
the difference with 1 at the start: if neither group is better, the chance that it ever reaches 20
is at most 1 in 20, however often one looks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from scoring.arrays import Floats
from scoring.errors import InputError, Problem, float_array, refuse_where

BETS = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9)
ENOUGH = 20.0


@dataclass(frozen=True)
class EProcess:
    """An e-process after each of n differences, as natural logarithms (n,).

    ``log_a`` is for a being better (differences below 0), ``log_b`` for b, ``log_either`` for one
    of them being: the logarithm of the mean of the two. ``reached`` is how many differences it
    took until ``log_either`` first was ln 20 or more, None if it never was. What was reached
    stays reached, whatever came after.
    """

    log_either: Floats
    log_a: Floats
    log_b: Floats
    reached: int | None

    @property
    def better(self) -> str | None:
        """Which of "a" and "b" the evidence that was enough spoke for."""
        if self.reached is None:
            return None
        return "a" if self.log_a[self.reached - 1] > self.log_b[self.reached - 1] else "b"


def e_process(difference: npt.ArrayLike) -> EProcess:
    """Return the evidence that one of two groups is better, after each difference (n,).

    ``difference`` lies within −1..1, one for each family of questions, in an order that does not
    depend on what came of them: that of the scheduled close (`by_family` puts them so). For b,
    E = mean over λ of Π (1 + λ D), λ in 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9; for a the same
    of −D; for either the mean of the two. 20 is evidence. The guarantee is Ville's: it needs
    that, were the groups equally good, no difference could be expected from those before it.

    Waudby-Smith & Ramdas (2024), doi:10.1093/jrsssb/qkad009; for probability forecasts Henzi &
    Ziegel (2022), doi:10.1093/biomet/asab047. Raises InputError for a difference outside −1..1.

    >>> found = e_process([0.5, 0.4, 0.6] * 8)
    >>> found.log_either.round(2)[:3].tolist()
    [0.0, 0.04, 0.15]
    >>> found.reached, found.better
    (15, 'b')
    """
    d = float_array("difference", difference)
    if d.shape != (d.size,):
        rule = "must be one-dimensional"
        raise InputError([Problem("", "difference", None, d.shape, rule)])
    refuse_where("difference", ~(np.abs(d) <= 1), d, "must lie within -1..1")
    bets = np.array(BETS)[:, None]
    log_a, log_b = (_log_mean(np.cumsum(np.log1p(bets * side), axis=1)) for side in (-d, d))
    log_either = _log_mean(np.stack([log_a, log_b]))
    enough = np.flatnonzero(log_either >= np.log(ENOUGH))
    return EProcess(log_either, log_a, log_b, int(enough[0]) + 1 if len(enough) else None)


def by_family(
    difference: npt.ArrayLike, family: npt.ArrayLike, scheduled_close: pd.Series
) -> pd.DataFrame:
    """Return one difference a family, in the order in which the families were to be over.

    Takes one entry a question. Columns ``family``; ``scheduled_close``, the last of its questions;
    ``questions``, how many; ``difference``, their mean. Families that were to be over at one
    moment stand in order of their names. A family counts when its last question was to close, so
    leave out those of which one is still open: its difference would change after it was seen.
    So the order and the number of the differences are known before what they are, as the evidence
    needs it: Henzi & Ziegel (2022), doi:10.1093/biomet/asab047. That a family is one observation
    is a definition of this package.

    Raises InputError unless all three are of one length, every difference is finite, and every
    entry has a family and a close.

    >>> closes = pd.Series(pd.to_datetime(["2026-03-01", "2026-01-01", "2026-02-01"], utc=True))
    >>> by_family([0.1, 0.2, 0.3], ["x", "y", "x"], closes)[["family", "questions", "difference"]]
      family  questions  difference
    0      y          1         0.2
    1      x          2         0.2
    """
    values, named = float_array("difference", difference), np.asarray(family)
    closes = scheduled_close.reset_index(drop=True)
    for name, shape in (
        ("difference", values.shape),
        ("family", named.shape),
        ("scheduled_close", closes.shape),
    ):
        if shape != (len(closes),):
            rule = "there must be one entry a question in each of the three"
            raise InputError([Problem("", name, None, shape, rule)])
    refuse_where("difference", ~np.isfinite(values), values, "must be finite")
    refuse_where("family", pd.isna(named), named, "every entry needs a family")
    rule = "every entry needs a close"
    refuse_where("scheduled_close", closes.isna().to_numpy(), closes.to_numpy(dtype=object), rule)
    number, names = pd.factorize(named, sort=True)
    questions = np.bincount(number, minlength=len(names))
    # The last row of a family, once they stand in order of their closes, is the last to close.
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
    """Return the logarithm of the mean over the first axis of what these are logarithms of."""
    most = log.max(axis=0, initial=-np.inf)
    return np.asarray(most + np.log(np.mean(np.exp(log - most), axis=0)))
