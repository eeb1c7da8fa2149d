"""Standing forecasts: what each forecaster said at each moment, as half-open segments.

A forecast is live from the moment it is made (from the open time if it was made before) until
the same forecaster's next row, a withdrawal included, or until the question's actual close. Of
two rows at one instant the later one in the frame wins, because the first ends where it starts.
Times are integer microseconds since the question opened, so that no sum of durations rounds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from scoring import parallel
from scoring.arrays import Codes, Flags, Floats, Ints, Places
from scoring.input_frames import MULTIPLE_CHOICE, Block, Questions, read_frames
from scoring.ordering import in_order


@dataclass(frozen=True)
class Paths:
    """The live segments of some forecasters on some questions, on one clock.

    A path is what one forecaster had standing on one question. ``question``, ``forecaster``,
    ``updates`` (how many forecasts they made before it closed, superseded ones included) and
    ``first`` (where the path's segments start) hold one item a path, in the order (question,
    forecaster); ``start``, ``end`` and ``order`` (the position in the block of each segment's
    forecast; None: they are all of them, in their order) one a segment, in the order of the paths
    and of time.
    """

    question: Codes
    forecaster: Codes
    updates: Ints
    first: Places
    start: Ints
    end: Ints
    order: Places | None

    def __len__(self) -> int:
        return len(self.start)

    @property
    def row(self) -> Places:
        """Which forecast each segment is, as a position in its block."""
        return np.arange(len(self)) if self.order is None else self.order

    @property
    def sizes(self) -> Ints:
        """How many segments each path has."""
        return np.diff(self.first, append=len(self)).astype(np.int64, copy=False)

    def per_segment(self, value: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return a value of each path once for each of its segments."""
        return value.repeat(self.sizes)

    def question_values(self, column: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return a column of the questions once for each segment."""
        opens = _starts(self.question[1:] != self.question[:-1]) if len(self) else self.first
        sizes = np.diff(self.first.take(opens), append=len(self))
        return column.take(self.question.take(opens)).repeat(sizes)

    @cached_property
    def length(self) -> Ints:
        """How long each segment is, in the clock's unit."""
        return self.end - self.start

    @cached_property
    def total(self) -> Ints:
        """How long each path is live, in the clock's unit."""
        if not len(self):
            return self.length
        last = np.append(self.first[1:], len(self)) - 1
        total: Ints = self.end.take(last) - self.start.take(self.first)
        gap = self.start[1:] - self.end[:-1]
        gap[last[:-1]] = 0
        if gap.any():
            total[:] = np.add.reduceat(self.length, self.first)
        return total

    def continues(self) -> Flags:
        """Return which segments take over from the one before, which ends at that moment."""
        joined = np.ones(len(self), dtype=np.bool_)
        joined[self.first] = False
        joined[1:] &= self.start[1:] == self.end[:-1]
        return joined

    def on_clock(self, start: Ints, end: Ints) -> Paths:
        """Return the same forecasts with other starts and ends."""
        return replace(self, start=start, end=end)

    @cached_property
    def live(self) -> Paths:
        """What stood for any time at all."""
        return self.only(self.start < self.end)

    def only(self, keep: Flags) -> Paths:
        """Return the segments where ``keep`` holds; a path with none left is gone."""
        if keep.all():
            return self
        kept, sizes = np.flatnonzero(keep), _count(keep, self.first)
        stays = np.flatnonzero(sizes)
        return Paths(
            question=self.question.take(stays),
            forecaster=self.forecaster.take(stays),
            updates=self.updates.take(stays),
            first=(np.cumsum(sizes) - sizes).take(stays),
            start=self.start.take(kept),
            end=self.end.take(kept),
            order=kept if self.order is None else self.order.take(kept),
        )


def live_paths(block: Block, questions: Questions, *, scored: bool) -> Paths:
    """Return what is live in a block, in microseconds since each question opened.

    With ``scored``, only on questions that have an outcome.
    """
    return segments(block, questions, scored=scored).live


def segments(block: Block, questions: Questions, *, scored: bool) -> Paths:
    """Return the same with one segment a row: withdrawals and what never stood have no length."""
    question, forecaster, time = block.question, block.forecaster, block.time_us
    given, n = _given(block.p), len(block)
    if n == 0:
        nobody, nothing = np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.int64)
        return Paths(nobody, nobody, nothing, nothing, nothing, nothing, nothing)
    another, changed = _changes(question, forecaster)
    order = None
    if not _in_order(question, forecaster, time, another, changed):
        people = int(forecaster.max()) + 1
        code = (question.astype(np.int64) - int(question.min())) * people + forecaster
        order, time = in_order(code, time)
        question, forecaster, given = (
            parallel.take(column, order) for column in (question, forecaster, given)
        )
        another, changed = _changes(question, forecaster)
    opens, first = _starts(another), _starts(changed)

    asked, sizes = question.take(opens), np.diff(opens, append=n)
    opened = questions.open_us.take(asked)
    close = (questions.close_us.take(asked) - opened).repeat(sizes)
    start = time - opened.repeat(sizes)
    early = start < close
    # What is outside the time of the question is moved to its edge, where it has no length.
    np.maximum(start, 0, out=start)
    np.minimum(start, close, out=start)
    end = np.empty_like(start)
    end[:-1] = start[1:]
    last = np.append(first[1:], n) - 1
    end[last] = close.take(last)
    if not given.all():
        end[~given] = start[~given]
        early &= given
    paths = Paths(
        question=question.take(first),
        forecaster=forecaster.take(first),
        updates=_count(early, first),
        first=first,
        start=start,
        end=end,
        order=order,
    )
    unresolved = np.isnan(questions.outcome.take(asked))
    if scored and unresolved.any():
        return paths.only(~unresolved.repeat(sizes))
    return paths


def _given(p: Floats) -> Flags:
    """Return which rows are forecasts rather than withdrawals."""
    said = ~np.isnan(p)
    return said if p.ndim == 1 else np.asarray(said.reshape(len(p), -1).any(axis=1))


def _starts(another: Flags) -> Places:
    """Return where a group starts; ``another`` says which rows are of another than the last."""
    return np.flatnonzero(np.append(True, another))


def _count(flags: Flags, first: Places) -> Ints:
    """Return how many flags are set in each group of rows, the groups starting at ``first``.

    Eight flags are counted at once; a running sum over single ones takes three times as long.
    """
    eights = np.packbits(flags)
    upto = np.zeros(len(eights) + 1, dtype=np.int64)
    np.cumsum(np.bitwise_count(eights), out=upto[1:])
    eight, rest = first >> 3, (8 - (first & 7)).astype(np.uint8)
    before = upto.take(eight) + np.bitwise_count(eights.take(eight) >> rest)
    return np.asarray(np.diff(before, append=upto[-1]))


def _changes(question: Codes, forecaster: Codes) -> tuple[Flags, Flags]:
    """Return which rows are of another question, and of another path, than the row before."""
    another = question[1:] != question[:-1]
    return another, another | (forecaster[1:] != forecaster[:-1])


def _in_order(
    question: Codes, forecaster: Codes, time: Ints, another: Flags, changed: Flags
) -> bool:
    """Return whether the rows are in the order (question, forecaster, time)."""
    return bool(
        (question[1:] >= question[:-1]).all()
        and ((forecaster[1:] >= forecaster[:-1]) | another).all()
        and ((time[1:] >= time[:-1]) | changed).all()
    )


def standing(questions: pd.DataFrame, forecasts: pd.DataFrame) -> pd.DataFrame:
    """Return the live segments of every forecaster on every question, one a row.

    ``question_id`` and ``forecaster``; ``start_s`` and ``end_s``, seconds since the question
    opened, half open; ``weight``, the segment's share of the time that this forecaster was live
    on this question (sums to 1 over the two); ``forecast``, the row of ``forecasts``, from 0;
    ``p``, the probability of "yes" on a binary question. Where there are multiple-choice
    questions, the probabilities of their options stand in ``p0``, ``p1``, … (NaN: the option is
    null or not there; whatever does not apply is NaN). Sorted by question, forecaster, start.

    Resolved or not, every question that has been open has its segments, up to its actual close
    or else its scheduled one. Both frames are described at `score`; raises InputError. That what
    someone said last counts for as long as it stands is the platforms' rule:
    https://www.metaculus.com/help/scores-faq/ and https://www.gjopen.com/faq.

    >>> import pandas as pd
    >>> questions = pd.DataFrame({"question_id": ["q"], "open_time": ["2026-01-01T00:00:00Z"],
    ...                           "scheduled_close_time": ["2026-01-11T00:00:00Z"]})
    >>> forecasts = pd.DataFrame({"question_id": "q", "forecaster": "ana",
    ...     "probability": [0.4, 0.7], "made_at": ["2026-01-01T00:00:00Z", "2026-01-05T00:00:00Z"]})
    >>> standing(questions, forecasts)[["forecaster", "start_s", "end_s", "weight", "p"]]
      forecaster   start_s     end_s  weight    p
    0        ana       0.0  345600.0     0.4  0.4
    1        ana  345600.0  864000.0     0.6  0.7
    """
    ledger = read_frames(questions, forecasts)
    widest = max((b.p.shape[1] for b in ledger.blocks if b.kind == MULTIPLE_CHOICE), default=0)
    parts = []
    for block in ledger.blocks:
        live = live_paths(block, ledger.questions, scored=False)
        part = {
            "question": live.per_segment(live.question),
            "forecaster": live.per_segment(live.forecaster),
            "start_s": live.start / 1e6,
            "end_s": live.end / 1e6,
            "weight": live.length / live.per_segment(live.total),
            "forecast": live.row if block.row is None else block.row[live.row],
        }
        if block.p.ndim == 1:
            part["p"] = block.p[live.row]
        elif block.kind == MULTIPLE_CHOICE:
            part |= {f"p{k}": block.p[live.row, k] for k in range(block.p.shape[1])}
        parts.append(pd.DataFrame(part))
    names = ["question", "forecaster", "start_s", "end_s", "weight", "forecast", "p"]
    names += [f"p{k}" for k in range(widest)]
    kinds = dict.fromkeys(names, np.float64) | dict.fromkeys(
        ("question", "forecaster", "forecast"), np.int64
    )
    whole_frame = (
        pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=names, dtype=float)
    )
    found = whole_frame.reindex(columns=names).astype(kinds)
    if len(parts) > 1:
        found = found.sort_values(["question", "forecaster", "start_s"], ignore_index=True)
    found.insert(0, "question_id", ledger.questions.ids[found.pop("question").to_numpy()])
    found["forecaster"] = ledger.forecasters[found["forecaster"].to_numpy()]
    return found
