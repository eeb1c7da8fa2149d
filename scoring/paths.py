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

from scoring.columns import Codes, Flags, Ints
from scoring.frames import MULTIPLE_CHOICE, Block, Questions, read
from scoring.ordering import Places, in_order


@dataclass(frozen=True)
class Paths:
    """The live segments of some forecasters on some questions, on one clock.

    A path is what one forecaster had standing on one question. ``question``, ``forecaster``,
    ``updates`` (how many forecasts they made before it closed, superseded ones included) and
    ``first`` (where the path's segments start) hold one item a path, in the order (question,
    forecaster); ``start``, ``end`` and ``row`` (the segment's forecast, a position in its block)
    one a segment, in the order of the paths and of time.
    """

    question: Codes
    forecaster: Codes
    updates: Ints
    first: Places
    start: Ints
    end: Ints
    row: Places

    @property
    def sizes(self) -> Ints:
        """How many segments each path has."""
        return np.diff(self.first, append=len(self.row)).astype(np.int64, copy=False)

    def each(self, value: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return a value of each path once for each of its segments."""
        return value.repeat(self.sizes)

    @cached_property
    def length(self) -> Ints:
        """How long each segment is, in the clock's unit."""
        return self.end - self.start

    @cached_property
    def total(self) -> Ints:
        """How long each path is live, in the clock's unit."""
        return np.add.reduceat(self.length, self.first) if len(self.row) else self.length

    def joined(self) -> Flags:
        """Return which segments take over from the one before, which ends at that moment."""
        joined = np.ones(len(self.row), dtype=np.bool_)
        joined[self.first] = False
        joined[1:] &= self.start[1:] == self.end[:-1]
        return joined

    def timed(self, start: Ints, end: Ints) -> Paths:
        """Return the same forecasts with other starts and ends."""
        return replace(self, start=start, end=end)

    def only(self, keep: Flags) -> Paths:
        """Return the segments where ``keep`` holds; a path with none left is gone."""
        if keep.all():
            return self
        kept = np.flatnonzero(keep)
        # Where the first of each would stand among those kept, and how many of each there are.
        until: Codes = np.cumsum(keep, dtype=np.int32)
        first = (until[self.first] - keep[self.first]).astype(np.intp)
        stays = np.diff(first, append=len(kept)) > 0
        return Paths(
            question=self.question[stays],
            forecaster=self.forecaster[stays],
            updates=self.updates[stays],
            first=first[stays],
            start=self.start.take(kept),
            end=self.end.take(kept),
            row=self.row.take(kept),
        )


def live_paths(block: Block, questions: Questions, *, scored: bool) -> Paths:
    """Return what is live in a block, in microseconds since each question opened.

    With ``scored``, only on questions that have an outcome.
    """
    if not len(block):
        nobody = np.zeros(0, dtype=np.int32)
        nothing = np.zeros(0, dtype=np.int64)
        return Paths(nobody, nobody, nothing, nothing, nothing, nothing, nothing)
    order = _order(block)
    question, forecaster = block.question, block.forecaster
    time, given = block.time_us, _given(block)
    if order is not None:
        question, forecaster = question.take(order), forecaster.take(order)
        time, given = time.take(order), given.take(order)
    opens = np.flatnonzero(np.append(True, question[1:] != question[:-1]))
    sizes = np.diff(opens, append=len(question))
    asked = question[opens]
    start = time - questions.open_us[asked].repeat(sizes)
    close = (questions.close_us - questions.open_us)[asked].repeat(sizes)
    changed = (question[1:] != question[:-1]) | (forecaster[1:] != forecaster[:-1])
    first = np.flatnonzero(np.append(True, changed))
    # Each segment ends where the next one starts, and the last of a path at the close.
    end = np.append(start[1:], 0)
    last = np.append(first[1:], len(start)) - 1
    end[last] = close[last]
    np.minimum(end, close, out=end)
    given &= start < close
    np.maximum(start, 0, out=start)
    live = given & (start < end)
    if scored:
        live &= ~np.isnan(questions.outcome[asked]).repeat(sizes)
    made: Codes = np.cumsum(given, dtype=np.int32)
    before = made[first] - given[first]
    paths = Paths(
        question=question[first],
        forecaster=forecaster[first],
        updates=np.diff(before, append=made[-1]).astype(np.int64),
        first=first,
        start=start,
        end=end,
        row=np.arange(len(block)) if order is None else order,
    )
    return paths.only(live)


def _given(block: Block) -> Flags:
    """Return which rows are forecasts rather than withdrawals."""
    missing = np.isnan(block.p)
    missing = missing.reshape(len(block), -1)
    return ~np.asarray(missing.all(axis=1))


def _order(block: Block) -> Places | None:
    """Return the rows in the order (question, forecaster, time), None if they are in it.

    Rows equal in all three keep the order of the input.
    """
    question, forecaster, time = block.question, block.forecaster, block.time_us
    behind = time[1:] >= time[:-1]
    behind |= forecaster[1:] != forecaster[:-1]
    behind &= forecaster[1:] >= forecaster[:-1]
    behind |= question[1:] != question[:-1]
    behind &= question[1:] >= question[:-1]
    if behind.all():
        return None
    first, people = int(question.min()), int(forecaster.max()) + 1
    code = (question.astype(np.int64) - first) * people + forecaster
    return in_order(code, time)


def standing(questions: pd.DataFrame, forecasts: pd.DataFrame) -> pd.DataFrame:
    """Return the live segments of every forecaster on every question, one a row.

    ``question_id`` and ``forecaster``; ``start_s`` and ``end_s``, seconds since the question
    opened, half open; ``weight``, the segment's share of the time that this forecaster was live
    on this question (sums to 1 over the two); ``forecast``, the row of ``forecasts``, from 0;
    ``p``, the probability of "yes" on a binary question. Where there are multiple-choice
    questions, the probabilities of their options stand in ``p0``, ``p1``, … (NaN: the option is
    null or not there; whatever does not apply is NaN). Sorted by question, forecaster, start.

    Resolved or not, every question that has been open has its segments, up to its actual close
    or else its scheduled one. Both frames are described at `score`; raises InputError.

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
    ledger = read(questions, forecasts)
    widest = max((b.p.shape[1] for b in ledger.blocks if b.kind == MULTIPLE_CHOICE), default=0)
    parts = []
    for block in ledger.blocks:
        live = live_paths(block, ledger.questions, scored=False)
        part = {
            "question": live.each(live.question),
            "forecaster": live.each(live.forecaster),
            "start_s": live.start / 1e6,
            "end_s": live.end / 1e6,
            "weight": live.length / live.each(live.total),
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
