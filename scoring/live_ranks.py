"""Order statistics of the live segments of an event sweep, in memory far below the sweep's own.

The events are taken in windows. From the earlier events, a window needs only the number of live
segments at each rank, and only at ranks near those sought: an order statistic moves by at most the
number of changes. Segments live before and after the window are looked up in one sorted list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from scoring.arrays import Codes, Floats, Places
from scoring.event_sweep import Sweep
from scoring.ranks import nth_live, sum_by_rank, sum_of_all_by_rank

# The fewest events of a window, few enough for a processor's caches, and the most windows, so that
# the work remains O(n log n).
WINDOW, MOST_WINDOWS = 1 << 16, 32

Sums = Callable[[Floats, Floats, Floats], Floats]


class Window(NamedTuple):
    """The events from ``first`` to before ``last``; ``at``: those that were asked about."""

    first: int
    last: int
    at: Places


def ranked(value: Floats) -> tuple[Floats, Codes]:
    """Return the sorted distinct values, and the rank of each value among them."""
    order = np.argsort(value)
    distinct = value.take(order)
    new = np.append(True, distinct[1:] != distinct[:-1])
    rank = np.empty(len(value), dtype=np.int32)
    rank[order] = np.cumsum(new, dtype=np.int32) - np.int32(1)
    return distinct[new], rank


def live_ranks(
    sweep: Sweep, rank: Codes, least: int, which: Callable[[Codes], Sequence[Codes]]
) -> Iterator[tuple[Window, Codes]]:
    """Return one window after another, with the ranks of some live segments after its events.

    The events are those that last and have at least ``least`` live segments. ``which`` returns, for
    the numbers of live segments, places among them in order of rank, from 0; there is one row of
    ranks for each. ``rank`` is per segment.
    """
    size = max(WINDOW, -(-len(sweep) // MOST_WINDOWS))
    # How many segments of each rank are live when the window begins.
    live = np.zeros(int(rank.max()) + 1, dtype=np.int32)
    for first in range(0, len(sweep), size):
        last = min(first + size, len(sweep))
        here = slice(first, last)
        at = first + np.flatnonzero((sweep.live[here] >= least) & (sweep.width[here] > 0))
        segment, sign, upto = sweep.changes(first, last)
        changed = rank[segment]
        nth = np.stack(which(sweep.live[at])).astype(np.int32)
        begin = sweep.begin[sweep.question[at]]
        carried = begin <= first
        ranks, counts = _nearby(live, nth[:, carried], sign) if first else (live[:0], live[:0])
        before = np.append(0, upto) + len(ranks)
        since = np.where(carried, 0, before[np.maximum(begin - first, 0)]).astype(np.int32)
        until = before[at - first + 1].astype(np.int32)
        found = nth_live(
            np.concatenate([ranks, changed]),
            np.concatenate([counts, sign]),
            np.tile(since, len(nth)),
            np.tile(until, len(nth)),
            nth.ravel(),
        )
        yield Window(first, last, at), found.reshape(nth.shape)
        if last < len(sweep):
            opened = int(sweep.begin[sweep.question[last]])
            if opened > first:
                live[:] = 0
            lasting = slice(before[max(opened - first, 0)] - len(ranks), None)
            np.add.at(live, changed[lasting], sign[lasting])


def _nearby(live: Codes, nth: Codes, sign: Codes) -> tuple[Codes, Codes]:
    """Return ranks and counts that stand for all ``live`` ones in a search for the ``nth``.

    The ranks that may be found, given these changes, have their own counts. All lower ones are
    counted at rank 0; higher ones are left out.
    """
    if not nth.size:
        return live[:0], live[:0]
    upto = np.cumsum(live, dtype=np.int32)
    started = int(np.count_nonzero(sign > 0))
    lowest = max(int(nth.min()) - started, 0)
    highest = int(nth.max()) + len(sign) - started + 1
    low = int(np.searchsorted(upto, lowest, "right"))
    high = int(np.searchsorted(upto, highest, "left"))
    ranks = low + np.flatnonzero(live[low : high + 1]).astype(np.int32)
    counts = live[ranks]
    if low and upto[low - 1]:
        return np.append(np.int32(0), ranks), np.append(upto[low - 1], counts)
    return ranks, counts


class SumsByRank:
    """Sums over each segment's life of one of three values of each event, chosen by rank.

    ``rank`` is per segment. The windows follow each other as `live_ranks` yields them.
    """

    def __init__(self, sweep: Sweep, rank: Codes) -> None:
        self.sweep, self.rank = sweep, rank
        self._open = np.zeros(0, dtype=np.intp)

    def of(self, window: Window, rank: Codes) -> Iterator[tuple[Places, Sums]]:
        """Yield segments, and a function that returns their sums over the window.

        ``rank`` is per event. The function takes, per event, the values that count for segments of
        a lower rank than the event's, of the same rank, and of a higher one.
        """
        sweep, (first, last, at) = self.sweep, window
        order = sweep.order[first:last]
        started = order[order < len(self.rank)]
        # The number of the events of ``at`` before each event.
        upto = np.zeros(last - first + 1, dtype=np.int32)
        upto[at - first + 1] = 1
        np.cumsum(upto, out=upto)
        through = upto[np.minimum(sweep.end[self._open], last) - first] == len(at)
        whole = self._open[through]
        part = np.concatenate([self._open[~through], started])
        since = upto[np.maximum(sweep.start[part] - first, 0)]
        until = upto[np.minimum(sweep.end[part], last) - first]
        own = self.rank[part]
        yield (
            part,
            lambda above, equal, below: sum_by_rank(rank, above, equal, below, since, until, own),
        )
        if len(whole):
            yield whole, sum_of_all_by_rank(rank, self.rank[whole])
        both = np.concatenate([self._open, started])
        self._open = both[sweep.end[both] > last]
