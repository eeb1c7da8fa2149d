"""Scores: from two frames to one score per question and forecaster, and the points of updates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from scoring import parallel
from scoring.arrays import Flags, Floats, Ints
from scoring.errors import require
from scoring.input_frames import Block, Ledger, Questions, Rows, read_frames
from scoring.paths import Paths, live_blocks, of_segments, segments, table
from scoring.peer_scores import REFERENCES, ScoredPaths, own
from scoring.protocols import OVER_LN_K, PARTICIPATION, Protocol, get_protocol
from scoring.rules import RULES, Rule, align_options
from scoring.timings import AVERAGES, timing

# Question, forecaster, score, coverage, updates.
Scored = list[npt.NDArray[Any]]


def score(
    questions: pd.DataFrame,
    forecasts: pd.DataFrame,
    protocol: str | Protocol | Sequence[str | Protocol] = "brier",
) -> pd.DataFrame:
    """Return the score of every forecaster live on every question with an outcome.

    Columns: ``question_id``, ``forecaster``, ``protocol``, ``score``, ``coverage`` (live time as a
    share of the question's scheduled time; of its days for the daily protocols; 1 for the spot
    ones) and ``updates`` (number of forecasts made before the actual close), sorted by protocol,
    question_id, forecaster. ``protocol`` is a key of `PROTOCOLS`, a `Protocol`, a name such as
    ``"brier_lead(30)"`` (30 days before the scheduled close), or several of these; its orientation
    says which scores are better. Questions that are open, annulled, ambiguous, closed before they
    opened, or of a type that the rule does not apply to have no rows.

    ``questions`` needs ``question_id``, ``open_time``, ``scheduled_close_time``, and may have
    ``type`` (default binary), ``options``, ``ordered``, ``lower_bound``, ``upper_bound``,
    ``actual_close_time``, ``spot_time`` and ``resolution``. ``forecasts`` needs ``question_id``,
    ``forecaster``, ``made_at`` and at least one of ``probability``, ``probabilities``,
    ``quantiles``; a row with all of them empty is a withdrawal. The order of rows matters only
    between two of one forecaster at the same instant: the later row wins.

    Raises InputError, before computing anything, listing every invalid value. The components and
    their sources: `scoring.rules`, `scoring.timings`, `scoring.peer_scores`; the platforms'
    protocols: https://www.metaculus.com/help/scores-faq/ and https://www.gjopen.com/faq.

    >>> questions = pd.DataFrame({"question_id": ["q"], "open_time": ["2026-01-01T00:00:00Z"],
    ...     "scheduled_close_time": ["2026-01-11T00:00:00Z"], "resolution": ["yes"]})
    >>> forecasts = pd.DataFrame({"question_id": "q", "forecaster": "ana",
    ...     "probability": [0.4, 0.7], "made_at": ["2026-01-01T00:00:00Z", "2026-01-05T00:00:00Z"]})
    >>> score(questions, forecasts)
      question_id forecaster protocol  score  coverage  updates
    0           q        ana    brier  0.198       1.0        2
    """
    if isinstance(protocol, str | Protocol):
        protocol = [protocol]
    chosen = list(protocol) if hasattr(protocol, "__iter__") else []
    require("protocol", protocol, len(chosen) > 0, "must name at least one protocol")
    ledger = read_frames(questions, forecasts)
    protocols = sorted((get_protocol(choice) for choice in chosen), key=lambda each: each.name)
    found: list[list[Scored]] = [[] for _ in protocols]
    for block in ledger.blocks:

        def scored(rows: Rows, block: Block = block) -> list[Scored | None]:
            batch = block.part(rows)
            every = segments(batch, ledger.questions, scored=True)
            if not any(map(_is_plain, protocols)):
                every = every.live
            return [_scores(each, batch, every, ledger.questions) for each in protocols]

        for parts in parallel.map_threads(scored, block.batches()):
            for part, kept in zip(parts, found, strict=True):
                if part is not None:
                    kept.append(part)
    frames = [_frame(ledger, *each) for each in zip(protocols, found, strict=True)]
    return pd.concat(frames, ignore_index=True) if len(frames) > 1 else frames[0]


def _frame(ledger: Ledger, protocol: Protocol, parts: Sequence[Scored]) -> pd.DataFrame:
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)] or [
        np.zeros(0, dtype=kind) for kind in ("int32", "int32", "float64", "float64", "int64")
    ]
    if len(ledger.blocks) > 1:
        order = np.lexsort((columns[1], columns[0]))
        columns = [column[order] for column in columns]
    question, forecaster, score, coverage, updates = columns
    return pd.DataFrame(
        {
            "question_id": ledger.questions.ids.take(question),
            "forecaster": ledger.forecasters.take(forecaster),
            "protocol": protocol.name,
            "score": score,
            "coverage": coverage,
            "updates": updates,
        },
        copy=False,
    )


def rule_for(protocol: Protocol, block: Block) -> Rule | None:
    """Return the rule that scores this block, None if the protocol's rule does not apply to it."""
    choice = block.p.ndim == 2
    ordered_rule = protocol.ordered_rule if choice and block.ordered else None
    rule = RULES[ordered_rule or protocol.rule]
    if rule.numeric != (block.p.ndim == 3) or (rule.ordered and choice and not block.ordered):
        return None
    if protocol.reference == "crowd_median" and block.p.ndim != 1:
        return None
    return rule


def forecasts_and_outcomes(
    rule: Rule, block: Block, paths: Paths, questions: Questions
) -> tuple[Floats, Floats]:
    """Return the forecast of each segment and its outcome, in the rule's shapes."""
    p = block.p if paths.order is None else block.p.take(paths.order, axis=0)
    outcome = paths.per_segment(questions.outcome.take(paths.question))
    if block.p.ndim == 2:
        return align_options(p, outcome.astype(np.intp), ordered=rule.ordered)
    return p, outcome


def _scores(protocol: Protocol, block: Block, every: Paths, questions: Questions) -> Scored | None:
    """Return the scores of one batch, None if there are none."""
    rule = rule_for(protocol, block)
    if rule is None or not len(live := every if _is_plain(protocol) else every.live):
        return None
    timed = timing(protocol.timing)(live, questions)
    paths = timed.paths
    p, y = forecasts_and_outcomes(rule, block, paths, questions)
    view = ScoredPaths(timed, p, y, rule, _per_forecast(protocol, p))
    reference = own if protocol.reference is None else REFERENCES[protocol.reference]
    score = reference(view) if len(paths) else np.zeros(0)
    if protocol.scale == PARTICIPATION:
        score *= timed.coverage
    elif protocol.scale != OVER_LN_K:
        score *= protocol.scale
    columns: Scored = [paths.question, paths.forecaster, score, timed.coverage, paths.updates]
    places = np.flatnonzero(paths.total)
    return columns if len(places) == len(score) else [each.take(places) for each in columns]


def _is_plain(protocol: Protocol) -> bool:
    """Return whether segments of length 0 need not be dropped, which costs as much as to score."""
    return protocol.reference is None and protocol.timing in AVERAGES


def _per_forecast(protocol: Protocol, p: Floats) -> float | Floats | None:
    """Return the part of the scale that depends on each forecast's number of options K."""
    if protocol.scale != OVER_LN_K:
        return None
    if p.ndim != 2:
        return 100 / math.log(2)
    options: Ints = (~np.isnan(p)).sum(axis=1)
    # ln 1 is 0. With a single option there was nothing else to forecast, so it earns nothing.
    return np.where(options > 1, 100 / np.log(np.maximum(options, 2)), 0.0)


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
    for block, paths in live_blocks(ledger, scored=True):
        if (applied := rule_for(chosen, block)) is not None:
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
    return pd.DataFrame(of_segments(block, paths)).assign(
        remaining=remaining,
        score_before=before,
        score=score,
        points=points,
        promised=promised,
        surprise=points - promised,
    )


def _previous(value: Floats, replaces: Flags) -> Floats:
    """Return the value of the segment that each segment replaces, NaN if it replaces none."""
    before = np.full(len(value), np.nan)
    before[1:][replaces[1:]] = value[:-1][replaces[1:]]
    return before
