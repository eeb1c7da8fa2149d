"""Order statistics of what is live, and sums over those that rank below: O(n log n), no loops.

Both functions walk a wavelet matrix: the sequence is split bit by bit of its ranks, highest bit
first, zeros before ones and otherwise in order; a range of the sequence stays a range at every
level. All queries walk down together, and no level is kept. Loops run over bits, never over items.

Claude, Navarro & Ordóñez (2015), The wavelet matrix, doi:10.1016/j.is.2014.06.002.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from scoring.arrays import Codes, Flags, Floats
from scoring.compensated_sums import merge, split

Number = TypeVar("Number", np.int32, np.complex128)


def nth_live(rank: Codes, sign: Codes, since: Codes, until: Codes, nth: Codes) -> Codes:
    """Return the ``nth`` smallest rank (from 0) of what is live after some changes.

    ``rank`` and ``sign`` are changes in order of time: +1 where something of that rank comes,
    −1 where it goes. Query i looks at the changes ``since[i]`` to ``until[i]``, of which more
    than ``nth[i]`` must be left.
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
    """Return sums over ranges of a sequence, of one of three values of each item.

    Query i has a rank of its own, and takes the items from ``since[i]`` to before ``until[i]``:
    the ``above`` of those that rank above it, the ``equal`` of those that rank the same, the
    ``below`` of those that rank below it.
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
    """Return the sums of the steps before each place, and of all at the end."""
    sums = np.zeros(len(steps) + 1, dtype=steps.dtype)
    np.cumsum(steps, out=sums[1:])
    return sums
