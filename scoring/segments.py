"""Standing forecasts: what each forecaster said at each moment, as half-open segments.

A forecast is live from the moment it is made (from the open time if it was made before) until
the same forecaster's next row, a withdrawal included, or until the question's actual close. Of
two rows at one instant the later one in the frame wins, because the first ends where it starts.
Times are integer microseconds since the question opened, so that no sum of durations rounds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from scoring.columns import Codes, Flags, Ints
from scoring.frames import MULTIPLE_CHOICE, Block, Questions, read

Places = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Segments:
    """Live segments in the order (question, forecaster, start).

    ``row`` is each segment's forecast, a position in its block. ``first`` holds the position of
    the first segment of each (question, forecaster), and ``updates`` how many forecasts that
    forecaster made on that question before it closed, superseded ones included.
    """

    question: Codes
    forecaster: Codes
    start: Ints
    end: Ints
    row: Places
    first: Places
    updates: Ints

    def __len__(self) -> int:
        return len(self.question)

    def only(self, keep: Flags) -> Segments:
        """Return the segments where ``keep`` holds; a forecaster with none left is gone."""
        if keep.all():
            return self
        kept = np.add.reduceat(keep, self.first, dtype=np.int64) if len(self.first) else self.first
        stays = kept > 0
        return Segments(
            question=self.question[keep],
            forecaster=self.forecaster[keep],
            start=self.start[keep],
            end=self.end[keep],
            row=self.row[keep],
            first=(np.cumsum(kept) - kept)[stays],
            updates=self.updates[stays],
        )

    def total(self) -> Ints:
        """Return how long each (question, forecaster) is live, in the segments' own unit."""
        if not len(self):
            return self.start
        return np.add.reduceat(self.end - self.start, self.first)

    def joined(self) -> Flags:
        """Return which segments take over from the one before, which ends at that moment."""
        joined = np.ones(len(self), dtype=np.bool_)
        joined[self.first] = False
        joined[1:] &= self.start[1:] == self.end[:-1]
        return joined

    def timed(self, start: Ints, end: Ints) -> Segments:
        """Return the same forecasts with other starts and ends."""
        return replace(self, start=start, end=end)


def segments(block: Block, questions: Questions, *, scored: bool) -> Segments:
    """Return the live segments of a block; of the questions with an outcome if ``scored``."""
    if not len(block):
        nobody = np.zeros(0, dtype=np.int32)
        nothing = np.zeros(0, dtype=np.int64)
        return Segments(nobody, nobody, nothing, nothing, nothing, nothing, nothing)
    order = _order(block)
    question, forecaster, time, given = (
        block.question,
        block.forecaster,
        block.time_us,
        _given(block),
    )
    if order is not None:
        question, forecaster = question[order], forecaster[order]
        time, given = time[order], given[order]
    start = time - questions.open_us[question]
    close = (questions.close_us - questions.open_us)[question]
    follows = (question[1:] == question[:-1]) & (forecaster[1:] == forecaster[:-1])
    end = close.copy()
    np.minimum(end[:-1], start[1:], out=end[:-1], where=follows)
    made = given & (start < close)
    np.maximum(start, 0, out=start)
    live = made & (start < end)
    if scored:
        live &= ~np.isnan(questions.outcome)[question]
    first = np.flatnonzero(np.append(True, ~follows))
    every = Segments(
        question=question,
        forecaster=forecaster,
        start=start,
        end=end,
        row=np.arange(len(block)) if order is None else order,
        first=first,
        updates=np.add.reduceat(made, first, dtype=np.int64),
    )
    return every.only(live)


def _given(block: Block) -> Flags:
    """Return which rows are forecasts rather than withdrawals."""
    missing = np.isnan(block.p)
    missing = missing.reshape(len(block), -1)
    return ~np.asarray(missing.all(axis=1))


def _order(block: Block) -> Places | None:
    """Return the rows in the order (question, forecaster, time), None if they are in it."""
    question, forecaster, time = block.question, block.forecaster, block.time_us
    behind = time[1:] >= time[:-1]
    behind |= forecaster[1:] != forecaster[:-1]
    behind &= forecaster[1:] >= forecaster[:-1]
    behind |= question[1:] != question[:-1]
    behind &= question[1:] >= question[:-1]
    if behind.all():
        return None
    return np.lexsort((time, forecaster, question))


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
        live = segments(block, ledger.questions, scored=False)
        length = live.end - live.start
        sizes = np.diff(live.first, append=len(live))
        part = {
            "question": live.question,
            "forecaster": live.forecaster,
            "start_s": live.start / 1e6,
            "end_s": live.end / 1e6,
            "weight": length / np.repeat(live.total(), sizes),
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
