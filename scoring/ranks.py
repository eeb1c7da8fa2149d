"""Order statistics of live values, and sums by rank, in O(n log n) without loops over items.

Both functions use a wavelet matrix: the sequence is split by the bits of its ranks, highest bit
first, zeros before ones and otherwise in order, so that a range of the sequence remains a range at
every level. All queries descend together, and no level is stored.

Claude, Navarro & Ordóñez (2015), The wavelet matrix, doi:10.1016/j.is.2014.06.002.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from scoring import parallel
from scoring.arrays import Codes, Flags, Floats
from scoring.compensated_sums import merge, split

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
    rank: Codes,
    above: Floats,
    equal: Floats,
    below: Floats,
    since: Codes,
    until: Codes,
    own: Codes,
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


def sum_of_all_by_rank(rank: Codes, own: Codes) -> Callable[[Floats, Floats, Floats], Floats]:
    """Return a function like `sum_by_rank`, in which each query sums all items.

    It takes ``above``, ``equal`` and ``below``.
    """
    order = np.argsort(rank)
    first, last = (
        np.searchsorted(rank[order], own, side).astype(np.int32) for side in ("left", "right")
    )

    def sums(above: Floats, equal: Floats, below: Floats) -> Floats:
        higher, same, lower = (_before(split(value[order])) for value in (above, equal, below))
        found = np.empty(len(own))
        for part in parallel.parts(len(own)):
            before, upto = first[part], last[part]
            total = higher[-1] - higher[upto]
            total += same[upto] - same[before]
            total += lower[before]
            found[part] = merge(total)
        return found

    return sums


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
