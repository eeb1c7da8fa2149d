"""Standing forecasts: each forecaster's forecasts over time, as half-open segments.

A forecast is live from the moment it is made (or the open time if that is later) until the same
forecaster's next row, withdrawals included, or the question's actual close. Of two rows at the same
instant the later one in the frame wins, because the first ends where it starts. Times are integer
microseconds since the question opened, so sums of durations are exact.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from scoring.arrays import Codes, Flags, Floats, Ints, Places
from scoring.input_frames import Block, Ledger, Questions, read_frames
from scoring.ordering import in_order


@dataclass(frozen=True)
class Paths:
    """Live segments on one clock, grouped into paths: one forecaster on one question.

    Per path, sorted by (question, forecaster): ``question``, ``forecaster``, ``updates`` (forecasts
    made before the close, superseded ones included) and ``first`` (index of the first segment). Per
    segment, sorted by path and time: ``start``, ``end`` and ``order`` (the row of the forecast in
    its block; None if the segments are the block's rows in order).
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
        """The row of each segment's forecast in its block."""
        return np.arange(len(self)) if self.order is None else self.order

    @property
    def sizes(self) -> Ints:
        """Number of segments of each path."""
        return np.diff(self.first, append=len(self)).astype(np.int64, copy=False)

    def per_segment(self, value: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return a value of each path, repeated for each of its segments."""
        return value.repeat(self.sizes)

    @cached_property
    def length(self) -> Ints:
        """Length of each segment, in the clock's unit."""
        return self.end - self.start

    @cached_property
    def total(self) -> Ints:
        """Live time of each path, in the clock's unit."""
        if not len(self):
            return self.length
        last = np.append(self.first[1:], len(self)) - 1
        # A sum beyond 64 bits wraps around, and the difference wraps back.
        return np.diff(np.cumsum(self.length).take(last), prepend=0)

    def continues(self) -> Flags:
        """Return which segments start at the moment the path's previous one ends."""
        joined = np.ones(len(self), dtype=np.bool_)
        joined[self.first] = False
        joined[1:] &= self.start[1:] == self.end[:-1]
        return joined

    @cached_property
    def live(self) -> Paths:
        """The segments of positive length."""
        return self.only(self.start < self.end)

    def only(self, keep: Flags) -> Paths:
        """Return the segments where ``keep`` holds, without paths that have none left."""
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


def segments(block: Block, questions: Questions, *, scored: bool) -> Paths:
    """Return the segments of a block, in microseconds since each question opened.

    There is one per row: withdrawals and unused forecasts have length 0. ``scored`` keeps only
    questions with an outcome.
    """
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
        question, forecaster, given = question[order], forecaster[order], given[order]
        another, changed = _changes(question, forecaster)
    opens, first = _starts(another), _starts(changed)

    opened_question, sizes = question.take(opens), np.diff(opens, append=n)
    open_us = questions.open_us.take(opened_question)
    close = (questions.close_us.take(opened_question) - open_us).repeat(sizes)
    start = time - open_us.repeat(sizes)
    early = start < close
    # Times outside the question's life are clipped to its ends, where they have length 0.
    np.maximum(start, 0, out=start)
    np.minimum(start, close, out=start)
    end = np.empty_like(start)
    end[:-1] = start[1:]
    last = np.append(first[1:], n) - 1
    end[last] = close.take(last)
    if not given.all():
        np.copyto(end, start, where=~given)
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
    unresolved = np.isnan(questions.outcome.take(opened_question))
    if scored and unresolved.any():
        return paths.only(~unresolved.repeat(sizes))
    return paths


def _given(p: Floats) -> Flags:
    """Return which rows are forecasts rather than withdrawals."""
    known = ~np.isnan(p)
    return known if p.ndim == 1 else np.asarray(known.reshape(len(p), -1).any(axis=1))


def _starts(another: Flags) -> Places:
    """Return the starts of groups; ``another`` flags rows that differ from the previous one."""
    return np.flatnonzero(np.append(True, another))


def _count(flags: Flags, first: Places) -> Ints:
    """Return the number of flags set in each group of rows; groups start at ``first``."""
    return np.add.reduceat(flags, first, dtype=np.int64)


def _changes(question: Codes, forecaster: Codes) -> tuple[Flags, Flags]:
    """Return which rows differ from the previous one in question, and in path."""
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
    """Return the live segments of every forecaster on every question, one row per segment.

    Columns: ``question_id``, ``forecaster``; ``start_s`` and ``end_s``, seconds since the question
    opened, half-open; ``weight``, the segment's share of the forecaster's live time on the question
    (sums to 1); ``forecast``, the row of ``forecasts``, from 0; ``p``, the probability of "yes" on
    a binary question; if there are multiple-choice questions, ``p0``, ``p1``, … for their options
    (NaN for an option that is null or does not exist, and where not applicable). Sorted by
    question, forecaster, start.

    Includes unresolved questions, up to their actual close or else their scheduled one. Both frames
    are described at `score`. Raises InputError. A forecast counts for as long as it stands: the
    rule of https://www.metaculus.com/help/scores-faq/ and https://www.gjopen.com/faq.

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
    widest = max((b.p.shape[1] for b in ledger.blocks if b.p.ndim == 2), default=0)
    parts = []
    for block, live in live_blocks(ledger, scored=False):
        part = of_segments(block, live)
        part["end_s"] = live.end / 1e6
        part["weight"] = live.length / live.per_segment(live.total)
        if block.p.ndim == 1:
            part["p"] = block.p[live.row]
        elif block.p.ndim == 2:
            part |= {f"p{k}": block.p[live.row, k] for k in range(block.p.shape[1])}
        parts.append(pd.DataFrame(part))
    names = ["question_id", "forecaster", "start_s", "end_s", "weight", "forecast", "p"]
    return table(ledger, parts, [*names, *(f"p{k}" for k in range(widest))], ["forecast"])


def live_blocks(ledger: Ledger, *, scored: bool) -> Iterator[tuple[Block, Paths]]:
    """Return the blocks that have live segments, each with these (see `segments`)."""
    for block in ledger.blocks:
        live = segments(block, ledger.questions, scored=scored).live
        if len(live):
            yield block, live


def of_segments(block: Block, live: Paths) -> dict[str, npt.NDArray[Any]]:
    """Return the columns that name live segments: question, forecaster, input row and start."""
    return {
        "question_id": live.per_segment(live.question),
        "forecaster": live.per_segment(live.forecaster),
        "forecast": live.row if block.row is None else block.row[live.row],
        "start_s": live.start / 1e6,
    }


def table(
    ledger: Ledger, parts: list[pd.DataFrame], names: list[str], whole: list[str]
) -> pd.DataFrame:
    """Return the blocks' parts as one sorted table, with ids in place of positions.

    ``names`` are its columns, of which ``whole`` are integers; a part may lack some of them.
    """
    found = pd.concat(parts or [pd.DataFrame(columns=names, dtype=float)], ignore_index=True)
    found = found.reindex(columns=names)
    found = found.astype(dict.fromkeys(["question_id", "forecaster", *whole], np.int64))
    if len(parts) > 1:
        keys = [name for name in ("question_id", "forecaster", "start_s") if name in names]
        found = found.sort_values(keys, ignore_index=True)
    ids = ledger.questions.ids.take(found["question_id"].to_numpy())
    return found.assign(
        question_id=ids, forecaster=ledger.forecasters.take(found["forecaster"].to_numpy())
    )
