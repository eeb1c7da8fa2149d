"""E-processes: evidence that stays valid however often it is checked.

A p-value is valid for one look at a time fixed in advance; checking weekly eventually finds a
difference between any two groups. An e-process is the wealth of a gambler who starts with 1 and
bets on the difference: if neither group is better, the probability of ever reaching 20 is at most
1 in 20, however often one looks.

It multiplies differences, so a shock that several of them share breaks it: with 200 families open
together, opposed tilts and a latent correlation of 0.02, one by family (`by_family`) reaches 20 in
11% of cases, with 0.1 in 44%. The one by blocks of time (`by_block`) takes one difference a block.
Families of a later block open after the earlier blocks closed, so their outcomes are new given all
that was known by then, whatever the families of one block share.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
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

    ``difference`` lies in −1..1, one per block of time (see `by_block`) or, if families are taken
    as independent, per family (see `by_family`), in an order fixed before the outcomes were known:
    by scheduled close. For b, E = mean over λ of Π (1 + λ D), with λ
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
    difference: npt.ArrayLike,
    family: npt.ArrayLike,
    scheduled_close: pd.Series,
    pair: npt.ArrayLike | None = None,
) -> pd.DataFrame:
    """Return one difference per family, in the order of the families' scheduled closes.

    The arguments have one entry per question, or per question and ``pair`` (a number) of several.
    Columns: ``pair``; ``family``; ``scheduled_close``, the last of its questions; ``questions``,
    their number; ``difference``, their mean. Sorted by pair; ties are sorted by name. A family
    counts from the scheduled close of its last question, so leave out families with an
    open question: their difference could still change. Order and number of the differences are thus
    known before their values, as the e-process requires: Henzi & Ziegel (2022),
    doi:10.1093/biomet/asab047. Treating a family as one observation is a definition of this
    package.

    Raises InputError unless all have equal length, differences are finite, and every entry
    has a family and a close.

    >>> closes = pd.Series(pd.to_datetime(["2026-03-01", "2026-01-01", "2026-02-01"], utc=True))
    >>> by_family([0.1, 0.2, 0.3], ["x", "y", "x"], closes)[["family", "questions", "difference"]]
      family  questions  difference
    0      y          1         0.2
    1      x          2         0.2
    """
    table = _entries(difference, family, pair)
    rule = "all need one entry per question"
    require("scheduled_close", scheduled_close.shape, len(scheduled_close) == len(table), rule)
    missing, shown = scheduled_close.isna().to_numpy(), scheduled_close.to_numpy(dtype=object)
    refuse_where("scheduled_close", missing, shown, "every entry needs a close")
    each = table.assign(scheduled_close=scheduled_close.array).groupby(["pair", "family"])
    found = each.agg(
        scheduled_close=("scheduled_close", "max"),
        questions=("difference", "size"),
        difference=("difference", "mean"),
    )
    return found.reset_index().sort_values(
        ["pair", "scheduled_close"], kind="stable", ignore_index=True
    )


def _entries(
    difference: npt.ArrayLike, family: npt.ArrayLike, pair: npt.ArrayLike | None
) -> pd.DataFrame:
    """Return the checked differences, one row each: pair, family, difference."""
    values, named = float_array("difference", difference), np.asarray(family)
    of = np.zeros(len(values), dtype=np.intp) if pair is None else np.asarray(pair, dtype=np.intp)
    for name, column in (("difference", values), ("pair", of)):
        require(name, column.shape, column.shape == named.shape, "needs one per family entry")
    refuse_where("difference", ~np.isfinite(values), values, "must be finite")
    refuse_where("family", pd.isna(named), named, "every entry needs a family")
    return pd.DataFrame({"pair": of, "family": named, "difference": values})


def time_blocks(
    family: npt.ArrayLike, open_time: pd.Series, scheduled_close: pd.Series
) -> pd.DataFrame:
    """Return the families in blocks of time that do not overlap, in order of scheduled close.

    The arguments have one entry per question. Columns: ``family``, ``opened``, ``scheduled_close``,
    ``block`` (from 0; −1: in none). A block ends at the first scheduled close of a family that
    opened since the last one ended; all families that opened since then and close by then are its
    own. These are as many blocks as fit into the time, and a block is fixed at its end, so families
    that come later change none: the bets remain the same whenever one looks. A family that is open
    across the end of a block is in none. Blocks of more families would be fewer, and with
    differences as small as those of Brier scores the number of bets decides. The blocks are
    a definition of this package.

    Raises InputError unless all three have equal length, and every entry has its times.

    >>> days = pd.Series(pd.to_datetime(["2026-01-01", "2026-01-05", "2026-01-20"], utc=True))
    >>> time_blocks(["x", "y", "z"], days, days + pd.Timedelta(days=10))["block"].tolist()
    [0, -1, 1]
    """
    named = np.asarray(family)
    for name, times in (("open_time", open_time), ("scheduled_close", scheduled_close)):
        require(
            name, times.shape, times.shape == named.shape, "all three need one entry a question"
        )
        bad = times.isna().to_numpy()
        refuse_where(name, bad, times.to_numpy(dtype=object), "every entry needs a time")
    given = pd.DataFrame(
        {"family": named, "opened": open_time.array, "scheduled_close": scheduled_close.array}
    )
    each = given.groupby("family", sort=True).agg({"opened": "min", "scheduled_close": "max"})
    each = each.reset_index().sort_values("scheduled_close", kind="stable", ignore_index=True)
    opened, closed = (
        each[name].dt.as_unit("us").astype(np.int64).to_numpy() for name in each.columns[1:]
    )
    block = np.full(len(each), -1)
    number, since = 0, np.iinfo(np.int64).min
    ends = np.flatnonzero(np.append(closed[1:] > closed[:-1], True)) + 1
    for start, end in zip(np.append(0, ends[:-1]), ends, strict=True):
        fresh = opened[start:end] >= since
        if fresh.any():
            block[start:end][fresh] = number
            number, since = number + 1, closed[start]
    return each.assign(block=block)


def by_block(
    difference: npt.ArrayLike,
    family: npt.ArrayLike,
    blocks: pd.DataFrame,
    pair: npt.ArrayLike | None = None,
) -> pd.DataFrame:
    """Return one difference per block of `time_blocks`, the mean of its families' differences.

    ``difference`` and ``family`` have one entry per question, or per question and ``pair`` (a
    number) of several. Columns: ``pair``; ``block``; ``scheduled_close``, its end; ``families``,
    their number; ``difference``. Sorted by pair and block. Blocks without one of these families,
    and families outside blocks, are left out. Raises InputError unless there is one finite
    difference per family entry. Blocks are a definition of this package.

    >>> days = pd.Series(pd.to_datetime(["2026-01-01", "2026-01-01", "2026-01-20"], utc=True))
    >>> blocks = time_blocks(["x", "y", "z"], days, days + pd.Timedelta(days=10))
    >>> by_block([0.1, 0.3, 0.4], ["x", "y", "z"], blocks)[["block", "families", "difference"]]
       block  families  difference
    0      0         2         0.2
    1      1         1         0.4
    """
    inside = blocks[blocks["block"] >= 0]
    table = _entries(difference, family, pair).merge(inside, on="family")
    # One difference a family, then one a block; all families of a block close with it.
    keys = ["pair", "block", "scheduled_close"]
    each = table.groupby([*keys, "family"], sort=True)["difference"].mean()
    found = each.groupby(level=keys).agg(families="size", difference="mean")
    return found.reset_index()


def bets_needed(difference: float) -> int | None:
    """Return how many differences of this size it takes to reach 20, None for 0.

    >>> bets_needed(0.02), bets_needed(0.5)
    (302, 15)
    """
    if not difference:
        return None
    grown = np.log1p(np.array(BETS) * min(abs(difference), 1.0))
    shrunk = np.log1p(-np.array(BETS) * min(abs(difference), 1.0))

    def reached(many: int) -> bool:
        return bool(_log_mean(many * np.concatenate([grown, shrunk])) >= np.log(ENOUGH))

    return bisect_left(range(1, 1 << 60), True, key=reached) + 1


def possibly_best(
    evidence: Mapping[tuple[str, str], Floats], names: Sequence[str]
) -> dict[str, bool]:
    """Return which groups may be the best: those that no look so far has excluded.

    ``evidence[i, j]`` is the logarithm of an e-process that j is better than i, after each of the
    blocks that all pairs share. If i is the best, each of them has an expectation of at most 1, and
    so has their mean over j: the probability that it ever reaches 20 is at most 1 in 20, so
    the best stays with at least 95%, at all looks together. Arnold, Gavrilopoulos, Schulz &
    Ziegel (2024), arXiv:2404.18678.

    >>> import numpy as np
    >>> possibly_best({("a", "b"): np.array([0.0, 4.0]), ("b", "a"): np.array([0.0, -4.0])}, "ab")
    {'a': False, 'b': True}
    """
    kept = {}
    for name in names:
        against = [steps for (own, _), steps in evidence.items() if own == name]
        kept[name] = not against or bool((_log_mean(np.stack(against)) < np.log(ENOUGH)).all())
    return kept


def _log_mean(log: Floats) -> Floats:
    """Return the logarithm of the mean of exp(log) over the first axis."""
    most = log.max(axis=0, initial=-np.inf)
    return np.asarray(most + np.log(np.mean(np.exp(log - most), axis=0)))
