"""Over- and under-reaction: whether forecasts move as much as they learn.

A forecast that is right at each moment cannot be expected to go up or down. Then its movement,
the sum of its squared steps, is on average exactly the uncertainty that it takes away, the fall
of p (1 − p); the difference of the two is the *excess movement* of a path,

    Σ (p_t − p_{t+1})² − Σ [p_t (1 − p_t) − p_{t+1} (1 − p_{t+1})] = Σ (2 p_t − 1)(p_t − p_{t+1}).

Positive: the steps were taken back, the forecaster moved more than was learned (over-reaction).
Negative: steps went on in the same direction, each could have been larger (under-reaction).

**Which steps.** From each forecast to the next that stands, and from the last one to the outcome.
Every question counts, resolved or open: who looked only at those that are resolved would pick
paths by where they went. A withdrawal is passed over: the step goes on to what is said afterwards,
or to the outcome. To stop there instead would accuse forecasters who withdraw when they have
become unsure, because the step to being unsure would be missing. A path stops at the question's
actual close or at ``as_of``; a question that is open, annulled or ambiguous has no step to its
outcome.

Augenblick & Rabin (2021), doi:10.1093/qje/qjaa043.
"""

from __future__ import annotations

import math
from datetime import datetime
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from scoring.arrays import Floats
from scoring.errors import InputError, Problem
from scoring.input_frames import BINARY, MULTIPLE_CHOICE, Block, Questions, read_frames
from scoring.means import clustered_mean
from scoring.paths import Paths, live_paths


class Movement(NamedTuple):
    """The mean excess movement of a question, and the test that it is 0.

    ``excess`` with its 95 % interval from ``lower`` to ``upper``; positive: over-reaction. NaN
    throughout where no question has a path; interval and test with fewer than two families.
    """

    excess: float
    lower: float
    upper: float
    statistic: float
    p_value: float
    questions: int


def movement(
    questions: pd.DataFrame,
    forecasts: pd.DataFrame,
    family: npt.ArrayLike | None = None,
    as_of: datetime | None = None,
) -> Movement:
    """Return whether these forecasters, all together, move too much or too little.

    A question's excess movement is the mean over the paths of its forecasters (`excess_movement`)
    that have a step; ``questions`` counts those. The mean over questions is tested over families:
    ``family``, one entry a row of ``questions``, says which of them hang together (a question by
    itself needs an entry of its own). Without it each is one. Both frames are described at
    `score`; raises InputError.

    >>> import pandas as pd
    >>> questions = pd.DataFrame({"question_id": ["q"], "open_time": ["2026-01-01T00:00:00Z"],
    ...     "scheduled_close_time": ["2026-01-11T00:00:00Z"], "resolution": ["yes"]})
    >>> forecasts = pd.DataFrame({"question_id": "q", "forecaster": "ana",
    ...     "probability": [0.5, 0.7], "made_at": ["2026-01-01T00:00:00Z", "2026-01-05T00:00:00Z"]})
    >>> found = movement(questions, forecasts)
    >>> round(found.excess, 2), found.questions
    (-0.12, 1)
    """
    paths = excess_movement(questions, forecasts, as_of)
    paths = paths[paths["steps"] > 0]
    if paths.empty:
        return Movement(*(math.nan,) * 5, questions=0)
    each = paths.groupby("question_id", sort=True)["excess"].mean()
    cluster = None
    if family is not None:
        names = np.asarray(family)
        if names.shape != (len(questions),):
            rule = "there must be one entry a question"
            raise InputError([Problem("", "family", None, names.shape, rule)])
        cluster = names[pd.Index(questions["question_id"]).get_indexer(each.index)]
    found = clustered_mean(each.to_numpy(), cluster, lopsided=True)
    return Movement(*found, questions=len(each))


def excess_movement(
    questions: pd.DataFrame, forecasts: pd.DataFrame, as_of: datetime | None = None
) -> pd.DataFrame:
    """Return how much each forecaster moved on each question, one row a path.

    ``question_id``, ``forecaster``; ``steps``, how many there are; ``revisions``, how many of them
    go from one forecast to another that differs; ``movement``, the sum of their squares;
    ``reduction``, the uncertainty that was taken away; ``excess`` = movement − reduction.
    On a multiple-choice question the three are half the sums over the options, so that two options
    count as the binary question they are; an option that one of two forecasts did not have yet is
    read with the last option in both. Sorted by question, forecaster; numeric and date questions
    have no rows, and a single forecast on an open question has a row without a step.

    ``as_of`` (aware): forecasts made later, and outcomes of questions that close later, are not
    looked at. Both frames are described at `score`; raises InputError.

    >>> import pandas as pd
    >>> questions = pd.DataFrame({"question_id": ["q"], "open_time": ["2026-01-01T00:00:00Z"],
    ...     "scheduled_close_time": ["2026-01-11T00:00:00Z"], "resolution": ["yes"]})
    >>> forecasts = pd.DataFrame({"question_id": "q", "forecaster": "ana",
    ...     "probability": [0.5, 0.7], "made_at": ["2026-01-01T00:00:00Z", "2026-01-05T00:00:00Z"]})
    >>> excess_movement(questions, forecasts).drop(columns="question_id").round(2)
      forecaster  steps  revisions  movement  reduction  excess
    0        ana      2          1      0.13       0.25   -0.12
    """
    if as_of is not None and as_of.tzinfo is None:
        rule = "a time needs an offset; a naive one is refused"
        raise InputError([Problem("", "as_of", None, as_of.isoformat(), rule)])
    moment = None if as_of is None else pd.Timestamp(as_of).value // 1000
    ledger = read_frames(questions, forecasts)
    parts = []
    for block in ledger.blocks:
        if block.kind in (BINARY, MULTIPLE_CHOICE):
            live = live_paths(block, ledger.questions, scored=False)
            if moment is not None:
                opened = live.per_segment(ledger.questions.open_us[live.question])
                live = live.only(opened + live.start < moment)
            if len(live.row):
                parts.append(_moved(block, live, ledger.questions, moment))
    names = ["question", "forecaster", "steps", "revisions", "movement", "reduction"]
    found = (
        pd.concat(parts, ignore_index=True)
        if parts
        else pd.DataFrame({name: np.zeros(0) for name in names})
    ).astype(dict.fromkeys(names[:4], np.int64))
    if len(parts) > 1:
        found = found.sort_values(["question", "forecaster"], ignore_index=True)
    found["excess"] = found["movement"] - found["reduction"]
    found.insert(0, "question_id", ledger.questions.ids.take(found.pop("question").to_numpy()))
    found["forecaster"] = ledger.forecasters.take(found["forecaster"].to_numpy())
    return found


def _moved(block: Block, live: Paths, questions: Questions, moment: int | None) -> pd.DataFrame:
    p = block.p[live.row]
    if p.ndim == 1:
        p = np.column_stack([1 - p, p])
    last = np.append(live.first[1:], len(live.row)) - 1
    goes_on = np.ones(len(live.row), dtype=np.bool_)
    goes_on[last] = False
    before = np.flatnonzero(goes_on)

    outcome = questions.outcome[live.question]
    ends = ~np.isnan(outcome)
    if moment is not None:
        ends &= questions.close_us[live.question] <= moment
    came = _outcomes(outcome[ends], p[last[ends]], binary=block.p.ndim == 1)

    path = live.per_segment(np.arange(len(live.question)))
    start = np.concatenate([p[before], p[last[ends]]])
    end = np.concatenate([p[before + 1], came])
    of = np.concatenate([path[before], np.flatnonzero(ends)])
    start, end = _on_shared_options(start, end)
    step = ((start - end) ** 2).sum(axis=1) / 2
    # ½ Σ p (1 − p) = ½ (1 − Σ p²)
    fall = ((end**2).sum(axis=1) - (start**2).sum(axis=1)) / 2
    size = len(live.question)
    # What goes to an outcome stands behind what goes to a forecast.
    revised = (step > 0) & (np.arange(len(of)) < len(before))
    return pd.DataFrame(
        {
            "question": live.question,
            "forecaster": live.forecaster,
            "steps": np.bincount(of, minlength=size),
            "revisions": np.bincount(of[revised], minlength=size),
            "movement": np.bincount(of, step, minlength=size),
            "reduction": np.bincount(of, fall, minlength=size),
        }
    )


def _outcomes(outcome: Floats, p: Floats, *, binary: bool) -> Floats:
    """Return the outcome vector beside each forecast (n, K)."""
    if binary:
        return np.column_stack([1 - outcome, outcome])
    rows, option = np.arange(len(p)), outcome.astype(np.intp)
    y = np.where(np.isnan(p), np.nan, 0.0)
    y[rows, np.where(np.isnan(p[rows, option]), p.shape[1] - 1, option)] = 1.0
    return y


def _on_shared_options(start: Floats, end: Floats) -> tuple[Floats, Floats]:
    """Return both with every option that either lacks read with the last one; 0 in its place."""
    lacking = np.isnan(start) | np.isnan(end)
    if not lacking.any():
        return start, end
    lacking[:, -1] = False
    folded = []
    for vector in (start, end):
        rest = np.where(lacking, np.nan_to_num(vector), 0.0).sum(axis=1)
        kept = np.where(lacking, 0.0, vector)
        kept[:, -1] += rest
        folded.append(kept)
    return folded[0], folded[1]
