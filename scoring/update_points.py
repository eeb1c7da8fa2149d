"""Points earned by each update: the score improvement times the time remaining."""

from __future__ import annotations

import numpy as np
import pandas as pd

from scoring.arrays import Flags, Floats
from scoring.errors import require
from scoring.input_frames import Block, Questions, read_frames
from scoring.paths import Paths, segments, table
from scoring.protocols import Protocol, get_protocol
from scoring.rules import Rule
from scoring.scores import forecasts_and_outcomes, rule_for


def attribution(
    questions: pd.DataFrame, forecasts: pd.DataFrame, protocol: str | Protocol = "brier"
) -> pd.DataFrame:
    """Return the points that each update on a resolved question earned, one row per update.

    Columns: ``question_id``, ``forecaster``; ``forecast``, the row of the update in ``forecasts``,
    counted from 0; ``start_s``, seconds from the question's opening until the update took effect;
    ``remaining``, the time from then to the earlier of the actual close and the forecaster's next
    withdrawal, as a share of the question's scheduled time (0..1); ``score_before`` and ``score``,
    the scores of the replaced forecast and of the update under the protocol's rule; ``points`` =
    (score_before − score) × remaining, positive if the update helped. Sorted by question,
    forecaster, start.

    A first forecast, or the first after a withdrawal, replaces nothing: its score_before and points
    are NaN. Updates that were never live have no row. For each question and forecaster

        ∫ score dt / (s − o) = Σ score × remaining over those first rows − Σ points,

    up to rounding. Under a quadratic rule, points = promised + surprise: ``promised`` is the
    expected value of the points if the new forecast is right, |Δp|² × remaining for `brier` on a
    binary question, and ``surprise`` is the rest, 2 Δp (y − p) × remaining. Otherwise both are NaN.
    Attribution is bookkeeping, not causation: the last forecaster to move gets the credit. The
    promised points are the divergence of the rule, Gneiting & Raftery (2007), section 2.2,
    doi:10.1198/016214506000001437; multiplying by the remaining time is a definition of this
    package.

    ``protocol`` gives the rule; it may not have a reference. Both frames are described at `score`;
    raises InputError.

    >>> questions = pd.DataFrame({"question_id": ["q"], "open_time": ["2026-01-01T00:00:00Z"],
    ...     "scheduled_close_time": ["2026-01-11T00:00:00Z"], "resolution": ["yes"]})
    >>> forecasts = pd.DataFrame({"question_id": "q", "forecaster": "ana",
    ...     "probability": [0.4, 0.7], "made_at": ["2026-01-01T00:00:00Z", "2026-01-05T00:00:00Z"]})
    >>> earned = attribution(questions, forecasts)
    >>> earned[["remaining", "score", "points", "promised", "surprise"]].round(3)
       remaining  score  points  promised  surprise
    0        1.0   0.36     NaN       NaN       NaN
    1        0.6   0.09   0.162     0.054     0.108
    """
    chosen = get_protocol(protocol)
    rule = "attribution uses a forecaster's own score: choose a protocol without a reference"
    require("protocol", chosen.name, chosen.reference is None, rule)
    ledger = read_frames(questions, forecasts)
    parts = []
    for block in ledger.blocks:
        applied = rule_for(chosen, block)
        paths = segments(block, ledger.questions, scored=True).live
        if applied is not None and len(paths):
            parts.append(_points(applied, block, paths, ledger.questions))
    names = ["question_id", "forecaster", "forecast", "start_s", "remaining", "score_before"]
    names += ["score", "points", "promised", "surprise"]
    return table(ledger, parts, names, ["forecast"])


def _points(rule: Rule, block: Block, paths: Paths, questions: Questions) -> pd.DataFrame:
    p, y = forecasts_and_outcomes(rule, block, paths, questions)
    replaces = paths.continues()
    last = np.flatnonzero(~np.append(replaces[1:], False))
    until = paths.end[last].repeat(np.diff(last, prepend=-1))
    scheduled = paths.per_segment((questions.scheduled_us - questions.open_us)[paths.question])
    remaining = (until - paths.start) / scheduled
    score = rule.kernel(p, y)
    before = _previous(score, replaces)
    promised = np.full(len(paths), np.nan)
    if rule.deviation is not None:
        deviation = rule.deviation(p, y).reshape(len(paths), -1).T
        moved = [axis - _previous(axis, replaces) for axis in deviation]
        promised = sum((axis * axis for axis in moved), np.zeros(len(paths))) * remaining
    with np.errstate(invalid="ignore"):
        points = (before - score) * remaining
    return pd.DataFrame(
        {
            "question_id": paths.per_segment(paths.question),
            "forecaster": paths.per_segment(paths.forecaster),
            "forecast": paths.row if block.row is None else block.row[paths.row],
            "start_s": paths.start / 1e6,
            "remaining": remaining,
            "score_before": before,
            "score": score,
            "points": points,
            "promised": promised,
            "surprise": points - promised,
        }
    )


def _previous(value: Floats, replaces: Flags) -> Floats:
    """Return the value of the segment that each segment replaces, NaN if it replaces none."""
    before = np.full(len(value), np.nan)
    before[1:][replaces[1:]] = value[:-1][replaces[1:]]
    return before
