"""Sorting by group and time, which dominates the cost of scoring."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from scoring import parallel
from scoring.arrays import Ints, Places

# Rows that can be sorted within a processor's cache, and those that are worth a thread.
PART_ROWS, THREAD_ROWS = 1 << 14, 1 << 19


def in_order(code: Ints, time: Ints) -> tuple[Places, Ints]:
    """Return the stable order by (code, time), and the times in that order.

    Both are integers, codes non-negative. Sorting one integer is several times faster than sorting
    by two keys. Bits beyond 63 are cut from the end of the time; rows that become equal are sorted
    again.
    """
    if not len(time):
        return np.zeros(0, dtype=np.intp), time
    since = int(time.min())
    time_bits = (int(time.max()) - since).bit_length()
    spare = 63 - int(code.max()).bit_length()
    cut = max(time_bits - spare, 0)
    key = time - since
    key >>= cut
    key |= code << (time_bits - cut)
    order = _order(key)
    key = key.take(order)
    equal = np.flatnonzero(key[1:] == key[:-1])
    if len(equal):
        loose = np.union1d(equal, equal + 1)
        rows = order[loose]
        order[loose] = rows[np.lexsort((rows, time[rows], key[loose]))]
    if cut:
        return order, time.take(order)
    key &= (1 << time_bits) - 1
    key += since
    return order, key


def _order(key: Ints) -> Places:
    """Return an order of the keys, not necessarily stable.

    Many keys are first partitioned by their highest bits, by counting, and then sorted by part.
    """
    if len(key) < 8 * PART_ROWS:
        return np.argsort(key)
    least = int(key.min())
    bits = (int(key.max()) - least).bit_length()
    cut = max(bits - min((len(key) // PART_ROWS).bit_length(), 16), 0)
    part = ((key - least) >> cut).astype(np.uint16)
    order = np.argsort(part, kind="stable")
    bounds = [0, *np.cumsum(np.bincount(part)).tolist()]

    def sort(share: int) -> None:
        for start, end in list(pairwise(bounds))[share::shares]:
            rows = order[start:end]
            order[start:end] = rows.take(np.argsort(key.take(rows)))

    shares = -(-len(key) // THREAD_ROWS)
    parallel.map_threads(sort, range(shares))
    return order
