"""One sweep over a question's events, from which every comparison with others is read.

Sort the moments at which somebody's standing forecast starts, changes or ends; keep running sums
of the live forecasts from one event to the next; integrate a function of those sums over time by
a cumulative sum. What a forecaster's segment sees of it is the difference of two prefixes. That
costs one sort, and nothing loops over forecasts or over forecasters at a time.

All questions of a block are swept together. Each ends in an event of its own that takes back
everything the question added, so that no sum is carried, or loses digits, from one to the next.
"""

from __future__ import annotations

from functools import cached_property
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from scoring.columns import Codes, Flags, Floats, Ints
from scoring.ordering import Places, in_order
from scoring.paths import Paths

Number = TypeVar("Number", np.int64, np.float64)

# A running sum is kept as an integer number of these and a float for the rest, so that what is
# added and later taken away again leaves nothing behind.
GRAIN = 2.0**-26


class Sweep:
    """The events of some segments in order of question and time.

    ``live`` is how many are live from each event to the next, ``width`` how long that is, in the
    segments' unit (0 after a question's last event).
    """

    live: Ints
    width: Floats

    def __init__(self, paths: Paths) -> None:
        n = len(paths.row)
        self.joined = paths.joined()
        changes = np.flatnonzero(np.append(True, paths.question[1:] != paths.question[:-1]))
        questions = paths.first[changes]
        # Only ends that something in the question outlasts are events; the rest is its last one.
        last = np.maximum.reduceat(paths.end, questions)
        sizes = np.diff(questions, append=n)
        open_end = ~np.append(self.joined[1:], False)
        self.ended = np.flatnonzero(open_end & (paths.end < np.repeat(last, sizes)))
        ends = len(self.ended)

        question = np.repeat(np.arange(len(questions)), sizes)
        time = np.concatenate([paths.start, paths.end[self.ended], last])
        of = np.concatenate([question, question[self.ended], np.arange(len(questions))])
        # Doubled, so that a question's closing event comes after all else that happens then.
        late = time * 2
        late[n + ends :] += 1
        self.order = in_order(of, late)
        place = np.empty(len(time), dtype=np.intp)
        place[self.order] = np.arange(len(time))
        self.close = place[n + ends :]
        self.begin = np.append(0, self.close[:-1] + 1)
        self.start = place[:n]
        self.end = np.append(self.start[1:], 0)
        self.end[open_end] = self.close[question[open_end]]
        self.end[self.ended] = place[n : n + ends]
        self.question = of[self.order]
        self.first = questions

        time = time[self.order]
        width = np.diff(time, append=0)
        width[self.close] = 0
        self.width = width.astype(np.float64)
        self.live = self._running(np.ones(n, dtype=np.int64))

    def __len__(self) -> int:
        return len(self.order)

    def sum(self, value: Floats) -> Floats:
        """Return the sum of a finite value of the live segments, from each event to the next."""
        coarse = np.rint(value / GRAIN)
        fine = value / GRAIN - coarse
        total: Floats = self._running(coarse.astype(np.int64)) + self._running(fine)
        return total * GRAIN

    def count(self, flag: Flags) -> Ints:
        """Return how many of the live segments are flagged, from each event to the next."""
        return self._running(flag.astype(np.int64))

    def integral(self, rate: Floats | Flags) -> Floats:
        """Return the integral of a rate (one an event) over the life of each segment."""
        area = rate * self.width
        self._take_back(area)
        before = np.zeros(len(area))
        np.cumsum(area[:-1], out=before[1:])
        return np.asarray(before[self.end] - before[self.start])

    @cached_property
    def changes(self) -> tuple[Places, Codes, Codes]:
        """Return who comes and goes, in order of the events.

        Positions of segments, +1 where one comes or −1 where it goes, and for each event how many
        of these changes there were by then.
        """
        n = len(self.start)
        starts, ends = self.order < n, (self.order >= n) & (self.order < n + len(self.ended))
        replaces = np.zeros(len(self), dtype=np.bool_)
        replaces[starts] = self.joined[self.order[starts]]
        upto = np.cumsum(starts.astype(np.int32) + replaces + ends, dtype=np.int32)
        segment = np.empty(upto[-1], dtype=np.intp)
        sign = np.full(upto[-1], -1, dtype=np.int32)
        sign[upto[starts] - 1] = 1
        segment[upto[starts] - 1] = self.order[starts]
        segment[upto[replaces] - 2] = self.order[replaces] - 1
        segment[upto[ends] - 1] = self.ended[self.order[ends] - n]
        return segment, sign, upto

    def _running(self, value: npt.NDArray[Number]) -> npt.NDArray[Number]:
        """Return the running sum over the events of what each segment adds and takes back."""
        change = value.copy()
        change[1:] -= np.where(self.joined[1:], value[:-1], 0)
        steps = np.concatenate([change, -value[self.ended], np.zeros(len(self.close), value.dtype)])
        steps = steps[self.order]
        self._take_back(steps)
        return np.cumsum(steps, out=steps)

    def _take_back(self, steps: npt.NDArray[Number]) -> None:
        """Make every question's steps sum to zero by its last one."""
        steps[self.close] = -np.add.reduceat(steps, self.begin)
