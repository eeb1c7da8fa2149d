"""From two frames to one score a question and forecaster."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from scoring.columns import Codes, Floats, Ints
from scoring.frames import BINARY, MULTIPLE_CHOICE, NUMERIC, Block, Ledger, Questions, read
from scoring.protocols import OVER_LN_K, PARTICIPATION, Protocol, named
from scoring.references import REFERENCES, Comparison, own
from scoring.rules import RULES, Rule, as_read
from scoring.segments import Segments, segments
from scoring.timings import timing

Scored = tuple[Codes, Codes, Floats, Floats, Ints]


def score(
    questions: pd.DataFrame,
    forecasts: pd.DataFrame,
    protocol: str | Protocol | Sequence[str | Protocol] = "brier",
) -> pd.DataFrame:
    """Return one score for each forecaster who was live on each question that has an outcome.

    Columns ``question_id``, ``forecaster``, ``protocol``, ``score``, ``coverage`` (the share of
    the question's scheduled time that they were live; of its days for the daily protocols; 1 for
    the spot ones) and ``updates`` (the forecasts that they made before the actual close), sorted
    by protocol, question_id, forecaster. ``protocol`` is a key of `PROTOCOLS`, a `Protocol`, a
    name such as ``"brier_lead(30)"`` (30 days before the scheduled close), or several of these.
    Its orientation says which scores are better. Questions that are open, annulled, ambiguous,
    closed before they opened, or of a type that the rule does not apply to yield no rows.

    ``questions`` needs ``question_id``, ``open_time``, ``scheduled_close_time``, and may have
    ``type`` (binary), ``options``, ``ordered``, ``lower_bound``, ``upper_bound``,
    ``actual_close_time``, ``spot_time`` and ``resolution``. ``forecasts`` needs ``question_id``,
    ``forecaster``, ``made_at`` and at least one of ``probability``, ``probabilities``,
    ``quantiles``; with all of them empty a row is a withdrawal. The order of the rows matters
    only between two of one forecaster at one instant: the later row wins.

    Raises InputError, before anything is computed, naming every value that breaks a rule.

    >>> import pandas as pd
    >>> questions = pd.DataFrame({"question_id": ["q"], "open_time": ["2026-01-01T00:00:00Z"],
    ...     "scheduled_close_time": ["2026-01-11T00:00:00Z"], "resolution": ["yes"]})
    >>> forecasts = pd.DataFrame({"question_id": "q", "forecaster": "ana",
    ...     "probability": [0.4, 0.7], "made_at": ["2026-01-01T00:00:00Z", "2026-01-05T00:00:00Z"]})
    >>> score(questions, forecasts)
      question_id forecaster protocol  score  coverage  updates
    0           q        ana    brier  0.198       1.0        2
    """
    chosen = [protocol] if isinstance(protocol, str | Protocol) else list(protocol)
    return score_ledger(read(questions, forecasts), chosen)


def score_ledger(ledger: Ledger, chosen: Sequence[str | Protocol]) -> pd.DataFrame:
    """Return the scores of frames that were read before."""
    protocols = sorted((named(choice) for choice in chosen), key=lambda each: each.name)
    live = [segments(block, ledger.questions, scored=True) for block in ledger.blocks]
    frames = [_frame(ledger, live, each) for each in protocols]
    return pd.concat(frames, ignore_index=True) if len(frames) > 1 else frames[0]


def _frame(ledger: Ledger, live: Sequence[Segments], protocol: Protocol) -> pd.DataFrame:
    parts = []
    for block, path in zip(ledger.blocks, live, strict=True):
        rule = rule_for(protocol, block)
        if rule is not None and len(path):
            parts.append(_scores(protocol, rule, block, path, ledger.questions))
    nobody, nothing = np.zeros(0, dtype=np.int32), np.zeros(0)
    if not parts:
        parts = [(nobody, nobody, nothing, nothing, nobody.astype(np.int64))]
    columns = [
        np.concatenate(column) if len(parts) > 1 else column[0]
        for column in zip(*parts, strict=True)
    ]
    question, forecaster, score, coverage, updates = columns
    if len(parts) > 1:
        order = np.lexsort((forecaster, question))
        question, forecaster, score, coverage, updates = (column[order] for column in columns)
    return pd.DataFrame(
        {
            "question_id": ledger.questions.ids.take(question),
            "forecaster": ledger.forecasters.take(forecaster),
            "protocol": protocol.name,
            "score": score,
            "coverage": coverage,
            "updates": updates,
        }
    )


def rule_for(protocol: Protocol, block: Block) -> Rule | None:
    """Return the rule that scores this block, None if the protocol's does not apply to it."""
    choice = block.kind == MULTIPLE_CHOICE
    name = protocol.rule
    if choice and block.ordered and protocol.ordered_rule is not None:
        name = protocol.ordered_rule
    rule = RULES[name]
    if rule.numeric != (block.kind == NUMERIC) or (rule.ordered and choice and not block.ordered):
        return None
    if protocol.reference == "crowd_median" and block.kind != BINARY:
        return None
    return rule


def resolved(
    rule: Rule, block: Block, path: Segments, questions: Questions
) -> tuple[Floats, Floats]:
    """Return the forecast of each segment and its outcome, as the rule takes them."""
    p, outcome = block.p[path.row], questions.outcome[path.question]
    if block.kind == MULTIPLE_CHOICE:
        return as_read(p, outcome.astype(np.intp), ordered=rule.ordered)
    return p, outcome


def _scores(
    protocol: Protocol, rule: Rule, block: Block, live: Segments, questions: Questions
) -> Scored:
    timed = timing(protocol.timing)(live, questions)
    path = timed.segments
    p, y = resolved(rule, block, path, questions)
    view = Comparison(timed, p, y, rule, _per_forecast(protocol, p))
    reference = own if protocol.reference is None else REFERENCES[protocol.reference]
    score = reference(view) if len(path) else np.zeros(0)
    if protocol.scale == PARTICIPATION:
        score *= timed.coverage
    elif protocol.scale != OVER_LN_K:
        score *= protocol.scale
    first = path.first
    return path.question[first], path.forecaster[first], score, timed.coverage, path.updates


def _per_forecast(protocol: Protocol, p: Floats) -> float | Floats:
    """Return the part of the scale that differs between forecasts: K is what each one had."""
    if protocol.scale != OVER_LN_K:
        return 1.0
    if p.ndim != 2:
        return 100 / math.log(2)
    options: Ints = (~np.isnan(p)).sum(axis=1)
    # With one option there is nothing to say, and any scale gives 0.
    return np.asarray(100 / np.log(np.maximum(options, 2)))
