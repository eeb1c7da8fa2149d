"""Excess movement: whether forecasts move as much as they reduce uncertainty.

A rational forecast is a martingale. Its expected movement, the sum of its squared steps, equals the
expected reduction of uncertainty, the fall of p (1 − p). Their difference is the *excess movement*
of a path,

    Σ (p_t − p_{t+1})² − Σ [p_t (1 − p_t) − p_{t+1} (1 − p_{t+1})] = Σ (2 p_t − 1)(p_t − p_{t+1}).

Positive: steps tend to be reversed, the forecaster over-reacts. Negative: steps tend to continue in
the same direction, each was too small (under-reaction).

**Steps** go from each forecast to the next live one, and from the last one to the outcome. All
questions count, resolved or open: using only resolved ones would select paths by where they went.
A withdrawal is skipped: the step goes to the next forecast, or to the outcome. Stopping at the
withdrawal would bias the test against forecasters who withdraw because they have become unsure,
since the step to being unsure would be missing. A path stops at the question's actual close or at
``as_of``; open, annulled and ambiguous questions have no step to an outcome.

Augenblick & Rabin (2021), doi:10.1093/qje/qjaa043.
"""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd

from scoring.arrays import Floats
from scoring.errors import require
from scoring.input_frames import NUMERIC, Block, Questions, read_frames
from scoring.paths import Paths, segments, table


def excess_movement(
    questions: pd.DataFrame, forecasts: pd.DataFrame, as_of: datetime | None = None
) -> pd.DataFrame:
    """Return the movement of each forecaster on each question, one row per path.

    Columns: ``question_id``, ``forecaster``; ``steps``, their number; ``revisions``, the steps from
    one forecast to a different one; ``movement``, the sum of squared steps; ``reduction``, the
    reduction of uncertainty; ``excess`` = movement − reduction. For multiple choice the last three
    are half the sums over options, so two options count as a binary question; an option missing
    from one of two forecasts is merged with the last option in both. Sorted by question,
    forecaster. Numeric and date questions have no rows; a single forecast on an open question has a
    row without steps.

    ``as_of`` (aware) excludes later forecasts, and outcomes of questions that close later. Both
    frames are described at `score`. Raises InputError.

    >>> questions = pd.DataFrame({"question_id": ["q"], "open_time": ["2026-01-01T00:00:00Z"],
    ...     "scheduled_close_time": ["2026-01-11T00:00:00Z"], "resolution": ["yes"]})
    >>> forecasts = pd.DataFrame({"question_id": "q", "forecaster": "ana",
    ...     "probability": [0.5, 0.7], "made_at": ["2026-01-01T00:00:00Z", "2026-01-05T00:00:00Z"]})
    >>> excess_movement(questions, forecasts).drop(columns="question_id").round(2)
      forecaster  steps  revisions  movement  reduction  excess
    0        ana      2          1      0.13       0.25   -0.12
    """
    if as_of is not None:
        rule = "a time needs an offset; a naive one is refused"
        require("as_of", as_of.isoformat(), as_of.tzinfo is not None, rule)
    moment = None if as_of is None else pd.Timestamp(as_of).value // 1000
    ledger = read_frames(questions, forecasts)
    parts = []
    for block in ledger.blocks:
        if block.kind != NUMERIC:
            live = segments(block, ledger.questions, scored=False).live
            if moment is not None:
                opened = live.per_segment(ledger.questions.open_us[live.question])
                live = live.only(opened + live.start < moment)
            if len(live):
                parts.append(_moved(block, live, ledger.questions, moment))
    names = ["question_id", "forecaster", "steps", "revisions", "movement", "reduction"]
    found = table(ledger, parts, names, ["steps", "revisions"])
    return found.assign(excess=found["movement"] - found["reduction"])


def _moved(block: Block, live: Paths, questions: Questions, moment: int | None) -> pd.DataFrame:
    p = block.p[live.row]
    if p.ndim == 1:
        p = np.column_stack([1 - p, p])
    last = np.append(live.first[1:], len(live)) - 1
    before = np.delete(np.arange(len(live)), last)

    outcome = questions.outcome[live.question]
    ends = ~np.isnan(outcome)
    if moment is not None:
        ends &= questions.close_us[live.question] <= moment
    came = _outcomes(outcome[ends], p[last[ends]], binary=block.p.ndim == 1)

    path = live.per_segment(np.arange(len(live.question)))
    start = np.concatenate([p[before], p[last[ends]]])
    end = np.concatenate([p[before + 1], came])
    step_path = np.concatenate([path[before], np.flatnonzero(ends)])
    start, end = _on_shared_options(start, end)
    step = ((start - end) ** 2).sum(axis=1) / 2
    # ½ Σ p (1 − p) = ½ (1 − Σ p²)
    fall = ((end**2).sum(axis=1) - (start**2).sum(axis=1)) / 2
    size = len(live.question)
    # Steps to an outcome come after the steps to a forecast.
    revised = (step > 0) & (np.arange(len(step_path)) < len(before))
    return pd.DataFrame(
        {
            "question_id": live.question,
            "forecaster": live.forecaster,
            "steps": np.bincount(step_path, minlength=size),
            "revisions": np.bincount(step_path[revised], minlength=size),
            "movement": np.bincount(step_path, step, minlength=size),
            "reduction": np.bincount(step_path, fall, minlength=size),
        }
    )


def _outcomes(outcome: Floats, p: Floats, *, binary: bool) -> Floats:
    """Return the outcome vectors in the shape of the forecasts (n, K)."""
    if binary:
        return np.column_stack([1 - outcome, outcome])
    rows, option = np.arange(len(p)), outcome.astype(np.intp)
    y = np.where(np.isnan(p), np.nan, 0.0)
    y[rows, np.where(np.isnan(p[rows, option]), p.shape[1] - 1, option)] = 1.0
    return y


def _on_shared_options(start: Floats, end: Floats) -> tuple[Floats, Floats]:
    """Merge options missing from either vector into the last option of both; changes both."""
    lacking = np.isnan(start) | np.isnan(end)
    if not lacking.any():
        return start, end
    lacking[:, -1] = False
    for vector in (start, end):
        vector[:, -1] += np.where(lacking, np.nan_to_num(vector), 0.0).sum(axis=1)
        vector[lacking] = 0.0
    return start, end
