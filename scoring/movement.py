"""Excess movement, and the tests of over- and under-reaction.

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

**The tests.** The excess is a sum of payoffs (`null_distribution`): "yes" pays 1 − 2 p at first,
and at each update minus twice the change of p. An overconfident path swings by itself, an
underconfident one drifts. So the path is recalibrated first, with the line of the same forecasts,
and the excess made uncorrelated with the level and the slope of the recalibrated forecasts: then a
fault of calibration leaves no trace in it (Neyman's C(α) test). The line is estimated, which widens
the statistic's distribution and leans it to over-reaction. Its variance is therefore raised, more
on that side, and a reaction claimed only where the path leans the same way without recalibration.

**Swings** of a point or two, or of the grid on which someone speaks, add 2 v an update to the
excess, for a variance v. Over-reaction is claimed beyond that only.

Augenblick & Rabin (2021), doi:10.1093/qje/qjaa043; Neyman (1959) for C(α).
"""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

import numpy as np
import pandas as pd

from scoring.arrays import Floats
from scoring.calibration_when_made import LEAST_P, Forecasts
from scoring.errors import require
from scoring.inference import Recalibration, Test, recalibration
from scoring.input_frames import Block, Questions, read_frames
from scoring.null_distribution import Null, Sums, null
from scoring.paths import Paths, live_blocks, table
from scoring.rules import align_options


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
    for block, every in live_blocks(ledger, scored=False):
        live = every
        if moment is not None:
            opened = live.per_segment(ledger.questions.open_us[live.question])
            live = live.only(opened + live.start < moment)
        if len(live) and block.p.ndim < 3:
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
    y = align_options(p, outcome.astype(np.intp), ordered=True)[1]
    return np.where(np.isnan(p), np.nan, y)


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


# The variance of the recalibrated excess beside that with a known line, on the side of
# under-reaction and of over-reaction: found by simulation.
UNDER, OVER = 1.5, 2.25


class Reaction(NamedTuple):
    """The tests of excess movement; a statistic above 0 means over-reaction.

    ``excess``: of the paths as they are; ``recalibrated``: of the recalibrated paths. ``p_value``
    is the latter's, or for over-reaction the larger of both; 1 where the two lean to different
    sides. Both are less the slack of swings; ``swing_p_value`` is that of over-reaction without
    slack. ``swing``: the standard deviation of the noise in each forecast that would explain the
    excess, 0 if it is not above 0.
    """

    excess: Test
    recalibrated: Test
    p_value: float
    swing: float = 0.0
    swing_p_value: float = 1.0


def reaction(made: Forecasts, line: Recalibration | None = None) -> Reaction:
    """Return the tests of over- and under-reaction of forecasts in order.

    ``made`` is from `in_order_of_time`, which raises InputError. ``line`` is the recalibration line
    of these forecasts, if it is known.

    >>> from scoring import in_order_of_time
    >>> p = [[0.5, 0.5], [0.1, 0.9], [0.5, 0.5], [0.9, 0.1]] * 20
    >>> y = [[0, 1], [0, 1], [1, 0], [1, 0]] * 20
    >>> question = [number // 2 for number in range(80)]
    >>> made = in_order_of_time(p=p, y=y, path=question, question=question)
    >>> round(reaction(made).excess.statistic, 2)
    -2.11
    """
    line = line_of(made) if line is None else line
    nulls = [null(sums, made.family) for sums in excess_sums(made, line)]
    found = _tested(*nulls)
    swing = math.sqrt(max(float(nulls[0].sums.gain.sum()), 0.0) / (2 * np.count_nonzero(made.p)))
    plain = _tested(*(replace(one, sums=one.sums._replace(slack=(0.0, 0.0))) for one in nulls))
    shown = plain.p_value if plain.recalibrated.statistic > 0 else 1.0
    return found._replace(swing=swing, swing_p_value=shown)


def _tested(plain: Null, fitted: Null) -> Reaction:
    excess, z = plain.test(), fitted.statistic
    over = z > 0
    z /= math.sqrt(OVER if over else UNDER)
    recalibrated = Test(z, math.erfc(abs(z) / math.sqrt(2)))
    p_value = max(recalibrated.p_value, excess.p_value) if over else recalibrated.p_value
    return Reaction(excess, recalibrated, 1.0 if excess.statistic * z < 0 else p_value)


def excess_sums(made: Forecasts, line: Recalibration) -> tuple[Sums, Sums]:
    """Return the excess of the paths as they are, and of the paths recalibrated by the line."""
    fitted = made._replace(p=_recalibrated(made, line)) if line.estimable else made
    counts = ~made.rounded[:, None]
    weight, logs = counts / made.rank[:, None], np.log(np.maximum(fitted.p, LEAST_P))
    faults = [fitted.sums(weight * payoff) for payoff in (made.level, logs)]
    noise = counts * made.noise()
    # The line moves a forecast by so much a point.
    before, after = (np.maximum(each.p * (1 - each.p), LEAST_P) for each in (made, fitted))
    times = line.slope * after / before if line.estimable else np.ones_like(before)
    plain, clear = _excess(made), _excess(fitted).clear_of(faults)
    return (
        plain._replace(slack=(0.0, 2 * float(noise.sum()))),
        clear._replace(slack=(0.0, 2 * float((noise * times**2).sum()))),
    )


def _excess(made: Forecasts) -> Sums:
    payoff = -2 * made.change(made.p)
    payoff[made.rank == 1] += 1
    return made.sums(payoff * ~made.rounded[:, None])


def line_of(made: Forecasts) -> Recalibration:
    """Return the recalibration line of forecasts in order."""
    several = np.asarray(made.p[:, 2:].any(axis=1))
    shown = (made.p > 0) & (made.p < 1)
    shown[~several, 0] = False
    row, option = np.nonzero(shown)
    if not len(row):
        nothing = (math.nan,) * 4
        return Recalibration(*nothing, estimable=False, reason="all forecasts are 0 or 1")
    question = np.cumsum(made.starts) - 1
    weight = np.where(several, 0.5, 1.0)[row] / made.rank[row]
    family = made.family[question[row]]
    return recalibration(
        p=made.p[row, option], y=made.y[row, option], weight=weight, question=family
    )


def _recalibrated(made: Forecasts, line: Recalibration) -> Floats:
    """Return the forecasts moved to the recalibration line; those of 0 and 1 stay."""
    several = np.asarray(made.p[:, 2:].any(axis=1))
    shift = np.zeros(made.p.shape[1])
    shift[1] = line.intercept  # options without order have none
    with np.errstate(divide="ignore"):
        odds = line.slope * np.log(made.p) + np.where(several[:, None], 0.0, shift)
    odds = np.where(made.p > 0, odds, -np.inf)
    odds -= odds.max(axis=1, keepdims=True)
    fitted = np.exp(odds)
    return np.asarray(fitted / fitted.sum(axis=1, keepdims=True))
