"""Order statistics of live values, and sums by rank, in O(n log n) without loops over items.

`nth_live` and `sum_by_rank` use a wavelet matrix: the sequence is split by the bits of its ranks,
highest bit first, zeros before ones and otherwise in order, so that a range of the sequence remains
a range at every level. All queries descend together, and no level is stored.
Claude, Navarro & Ordóñez (2015), The wavelet matrix, doi:10.1016/j.is.2014.06.002.

`live_ranks` takes the events of a sweep in windows, in memory far below the sweep's own. From the
earlier events, a window needs only the number of live segments at each rank, and only at ranks near
those sought: an order statistic moves by at most the number of changes. Segments live before and
after the window are looked up in one sorted list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from scoring import parallel
from scoring.arrays import Codes, Flags, Floats, Places
from scoring.compensated_sums import merge, split
from scoring.event_sweep import Sweep

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
