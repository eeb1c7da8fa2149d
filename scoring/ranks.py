"""Order statistics of live values, and sums by rank, in O(n log n) without loops over items.

`nth_live` and `sum_by_rank` use a wavelet matrix: the sequence is split by the bits of its ranks,
highest bit first, zeros before ones and otherwise in order, so that a range of the sequence remains
a range at every level. All queries descend together, and no level is stored.
Claude, Navarro & Ordóñez (2015), The wavelet matrix, doi:10.1016/j.is.2014.06.002.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from scoring.arrays import Codes, Flags, Floats, Places
from scoring.event_sweep import Sweep, merge, split

Number = TypeVar("Number", np.int32, np.complex128)


def nth_live(rank: Codes, sign: Codes, since: Codes, until: Codes, nth: Codes) -> Codes:
    """Return the ``nth`` smallest rank (from 0) among the live items after a range of changes.

    ``rank`` and ``sign`` are changes in order of time: +1 if an item of that rank starts, −1 if it
    ends. Query i uses the changes ``since[i]`` to ``until[i]``, which must leave more than
    ``nth[i]`` items live.
    """
    nth = nth.copy()
    found = np.zeros_like(nth)
    for bit, one, zeros_before in _levels(rank, _most(rank)):
        sign = np.concatenate([sign[~one], sign[one]])
        alive = _before(sign)
        low, high = zeros_before[since], zeros_before[until]
        smaller = alive[high] - alive[low]
        right = nth >= smaller
        nth -= np.where(right, smaller, 0)
        found |= right.astype(np.int32) << bit
        since = np.where(right, zeros_before[-1] + since - low, low)
        until = np.where(right, zeros_before[-1] + until - high, high)
    return found


def sum_by_rank(
    rank: Codes, above: Floats, equal: Floats, below: Floats, since: Codes, until: Codes, own: Codes
) -> Floats:
    """Return sums over ranges of a sequence, with one of three values of each item.

    Query i compares the items from ``since[i]`` to before ``until[i]`` with its rank ``own[i]``,
    and sums the ``above`` of items with a higher rank, the ``equal`` of items with the same rank,
    and the ``below`` of items with a lower rank.
    """
    so_far = _before(split(above))
    total = so_far[until] - so_far[since]
    lower, same = split(below - above), split(equal - above)
    for bit, one, zeros_before in _levels(rank, max(_most(rank), _most(own))):
        lower = np.concatenate([lower[~one], lower[one]])
        same = np.concatenate([same[~one], same[one]])
        so_far = _before(lower)
        low, high = zeros_before[since], zeros_before[until]
        right = (own >> bit) & 1 == 1
        total += np.where(right, so_far[high] - so_far[low], 0)
        since = np.where(right, zeros_before[-1] + since - low, low)
        until = np.where(right, zeros_before[-1] + until - high, high)
    so_far = _before(same)
    return merge(total + so_far[until] - so_far[since])


def _most(rank: Codes) -> int:
    return int(rank.max(initial=0))


def _levels(rank: Codes, most: int) -> Iterator[tuple[int, Flags, Codes]]:
    """Yield each bit of ranks up to ``most``, the items where it is set, and the zeros before."""
    for bit in reversed(range(most.bit_length())):
        one = (rank >> bit) & 1 == 1
        yield bit, one, _before((~one).astype(np.int32))
        rank = np.concatenate([rank[~one], rank[one]])


def _before(steps: npt.NDArray[Number]) -> npt.NDArray[Number]:
    """Return the sums of the steps before each position, and the total."""
    sums = np.zeros(len(steps) + 1, dtype=steps.dtype)
    np.cumsum(steps, out=sums[1:])
    return sums


def live_ranks(
    sweep: Sweep, rank: Codes, least: int, which: Callable[[Codes], Sequence[Codes]]
) -> tuple[Places, Codes]:
    """Return the events that last with at least ``least`` live segments, and ranks of these.

    ``rank`` is per segment. ``which`` returns, for the numbers of live segments, places among them
    in order of rank, from 0; there is one row of ranks for each.
    """
    at = np.flatnonzero((sweep.live >= least) & (sweep.width > 0))
    segment, sign, upto = sweep.changes()
    nth = np.stack(which(sweep.live[at])).astype(np.int32)
    since = np.append(np.int32(0), upto)[sweep.begin[sweep.question[at]]]
    ends = np.tile(since, len(nth)), np.tile(upto[at], len(nth))
    return at, nth_live(rank[segment], sign, *ends, nth.ravel()).reshape(nth.shape)


def sums_over_life(
    sweep: Sweep, rank: Codes, at: Places, of: Codes
) -> Callable[[Floats, Floats, Floats], Floats]:
    """Return a function that sums one of three values of events over each segment's life, by rank.

    ``rank`` is per segment, ``at`` the events that count and ``of`` the rank of each. The function
    takes, per event, the values that count for segments of a lower rank than the event's, of the
    same rank, and of a higher one.
    """
    counted = np.zeros(len(sweep), dtype=np.int32)
    counted[at] = 1
    upto = _before(counted)
    since, until = upto[sweep.start], upto[sweep.end]
    return lambda above, equal, below: sum_by_rank(of, above, equal, below, since, until, rank)
