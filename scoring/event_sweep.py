"""An event sweep over each question's segments: running sums and integrals over live forecasts.

Sort the times at which a standing forecast starts, changes or ends; keep running sums over the live
forecasts between events; integrate a function of those sums over time by cumulative sums. The
integral over a forecaster's segment is the difference of two prefix sums. This costs one sort,
without loops over forecasts or forecasters.

All questions of a block are swept together. Each ends with a closing event that subtracts
everything the question added, so that no sum, and no rounding error, carries over to the next.
"""

from __future__ import annotations

import math
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from scoring.arrays import Codes, Flags, Floats, Ints, Places
from scoring.ordering import in_order
from scoring.paths import Paths

Number = TypeVar("Number", np.int64, np.complex128)
Pairs = npt.NDArray[np.complex128]


class Sweep:
    """The events of the segments, sorted by question and time.

    ``live`` is the number of live segments from each event to the next, ``width`` the time between
    them in the segments' unit (0 after a question's last event).
    """

    live: Codes
    width: Floats

    def __init__(self, paths: Paths) -> None:
        n = len(paths)
        self.continues = paths.continues()
        changes = np.flatnonzero(np.append(True, paths.question[1:] != paths.question[:-1]))
        questions = paths.first[changes]
        # Ends are events only if another segment of the question outlasts them.
        last = np.maximum.reduceat(paths.end, questions)
        sizes = np.diff(questions, append=n)
        question = np.repeat(np.arange(len(questions)), sizes)
        self.lasting = np.flatnonzero(np.append(~self.continues[1:], True))
        outlasted = paths.end.take(self.lasting) < last.take(question.take(self.lasting))
        self.ended = self.lasting[outlasted]
        ends = len(self.ended)

        time = np.concatenate([paths.start, paths.end.take(self.ended), last])
        event_question = np.concatenate(
            [question, question.take(self.ended), np.arange(len(questions))]
        )
        # Doubled, so that the closing event can follow all others at the same time.
        time *= 2
        time[n + ends :] += 1
        self.order, time = in_order(event_question, time)
        place = np.empty(len(time), dtype=np.intp)
        place[self.order] = np.arange(len(time))
        self.close = place[n + ends :]
        self.begin = np.append(0, self.close[:-1] + 1)
        self.start = place[:n]
        self.end = np.append(self.start[1:], 0)
        self.end[self.lasting] = self.close.take(question.take(self.lasting))
        self.end[self.ended] = place[n : n + ends]
        sizes = np.diff(self.close, prepend=-1)
        self.question = np.repeat(np.arange(len(questions), dtype=np.int32), sizes)
        self.first = questions

        time >>= 1
        self.width = np.zeros(len(time))
        np.subtract(time[1:], time[:-1], out=self.width[:-1])
        self.width[self.close] = 0
        self.live = self.count(np.ones(n, dtype=np.bool_)).astype(np.int32)

    def __len__(self) -> int:
        return len(self.order)

    def sum(self, value: Floats) -> Floats:
        """Return the sum of a finite value over the live segments, from each event to the next."""
        return merge(self._running(split(value), np.complex128))

    def count(self, flag: Flags) -> Ints:
        """Return the number of flagged live segments, from each event to the next."""
        # Single bytes, because they fit a processor's cache while they are reordered.
        return self._running(flag.astype(np.int8), np.int64)

    def integral(self, rate: Floats | Flags) -> Floats:
        """Return the integral of a finite rate, one per event, over each segment's life."""
        upto = np.zeros(len(self) + 1, dtype=np.complex128)
        area = split(rate * self.width, upto[1:])
        self._subtract_at_close(area)
        np.cumsum(area, out=area)
        # Most segments end where the next one starts.
        since = upto.take(self.start)
        over = np.empty_like(since)
        over[:-1] = since[1:]
        over[self.lasting] = upto.take(self.end.take(self.lasting))
        over -= since
        return merge(over)

    def duration(self, flag: Flags) -> Ints:
        """Return the part of each segment's life during which a flag, one per event, holds."""
        upto = np.zeros(len(self) + 1, dtype=np.int64)
        upto[1:] = self.width
        upto[1:] *= flag
        np.cumsum(upto, out=upto)
        return upto.take(self.end) - upto.take(self.start)

    def changes(self) -> tuple[Places, Codes, Codes]:
        """Return the segments that start and end at the events, in their order.

        That is: the segments; +1 if one starts and −1 if it ends; and for each event the number of
        such changes up to and including it.
        """
        n, order = len(self.start), self.order
        starts, ends = order < n, (order >= n) & (order < n + len(self.ended))
        replaces = np.zeros(len(order), dtype=np.bool_)
        replaces[starts] = self.continues[order[starts]]
        upto = np.cumsum(starts.astype(np.int32) + replaces + ends, dtype=np.int32)
        segment = np.empty(upto[-1], dtype=np.intp)
        sign = np.full(upto[-1], -1, dtype=np.int32)
        sign[upto[starts] - 1] = 1
        segment[upto[starts] - 1] = order[starts]
        segment[upto[replaces] - 2] = order[replaces] - 1
        segment[upto[ends] - 1] = self.ended[order[ends] - n]
        return segment, sign, upto

    def _running(self, value: npt.NDArray[Any], kind: type[Number]) -> npt.NDArray[Number]:
        """Return the running sum over the events: each segment is added and subtracted again."""
        n = len(value)
        steps = np.zeros(len(self), dtype=value.dtype)
        steps[:n] = value
        np.subtract(steps[1:n], value[:-1], out=steps[1:n], where=self.continues[1:])
        steps[n : n + len(self.ended)] = -value.take(self.ended)
        changes = steps.take(self.order).astype(kind, copy=False)
        self._subtract_at_close(changes)
        return np.cumsum(changes, out=changes)

    def _subtract_at_close(self, steps: npt.NDArray[Number]) -> None:
        """Set each question's closing step so that its steps sum to zero."""
        steps[self.close] = -np.add.reduceat(steps, self.begin)


def split(value: Floats, out: Pairs | None = None) -> Pairs:
    """Return finite numbers as pairs of parts, in ``out`` if given.

    The first parts are multiples of a common unit, chosen so that their sums are exact in double
    precision; the second parts hold the remainders, whose rounding errors are smaller by the same
    factor. Adding a number and subtracting it again therefore leaves nothing, and the difference of
    two large running sums is as accurate as a direct sum. A pair is stored as a complex number, so
    one running sum and one lookup serve both parts.
    """
    most = len(value) * max(float(value.max(initial=0.0)), -float(value.min(initial=0.0)))
    # Adding and subtracting a number this large rounds to multiples of its last digit.
    large = 1.5 * 2.0 ** (math.frexp(most)[1] + 1)
    pairs = np.empty(len(value), dtype=np.complex128) if out is None else out
    exact, rest = pairs.real, pairs.imag
    np.add(value, large, out=exact)
    np.subtract(exact, large, out=exact)
    np.subtract(value, exact, out=rest)
    return pairs


def merge(pairs: Pairs) -> Floats:
    """Return the numbers that the pairs represent."""
    return np.asarray(pairs.real + pairs.imag)
