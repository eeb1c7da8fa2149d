"""Previews: the expected score of an update, the density of its quantiles, the score so far.

The expected score assumes that the new forecast is right: "if you are right". Under a
proper score the new forecast then has the best expectation, and the difference from the current
forecast is the value of the update. The score so far needs no assumption but an outcome: "if it
resolved yes today: 0.06".
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

import scoring
from forecasts.documents.numbers import number
from forecasts.ledger.models import Forecast, QuestionText, QuestionType
from forecasts.values.distributions import knots
from forecasts.values.outcomes import format_figure
from forecasts.values.value import OUTSIDE_LEVELS, Value, value_of
from scoring.rules import expected_brier, expected_crps

# The columns of a question that its score depends on.
_SCORED = (
    "options", "ordered", "lower_bound", "upper_bound", "open_time", "scheduled_close_time",
    "spot_time",
)  # fmt: skip


@dataclass(frozen=True)
class Slice:
    """An interval of outcomes and its probability.

    ``low`` and ``high``: numbers, or seconds since 1970 for dates. ``density``: relative to a
    uniform distribution between the bounds; None for a single point.
    """

    low: float
    high: float
    chance: float
    density: float | None


def expected_scores(
    text: QuestionText, current: Forecast | None, value: Value
) -> tuple[float | None, float]:
    """Return the expected scores of the current forecast and of ``value``, if that is right.

    They are Brier scores, or CRPS for a number or a date: 0 to 1, 0 is best.
    """

    def score(forecast: Value) -> float:
        if text.is_quantitative:
            return expected_crps(*knots(forecast, text), *knots(value, text))
        return float(expected_brier([_vector(forecast, text)], [_vector(value, text)])[0])

    return None if current is None else score(value_of(current)), score(value)


def format_expected_scores(text: QuestionText, current: Forecast | None, value: Value) -> str:
    """Return ``expected_scores`` in words: 'Expected Brier 0.208 → 0.160 if right.'."""
    before, after = expected_scores(text, current, value)
    rule = "CRPS" if text.is_quantitative else "Brier"
    scores = [number(one) for one in (before, after) if one is not None]
    return f"Expected {rule} {' → '.join(dict.fromkeys(scores))} if right."


def score_so_far(
    text: QuestionText, forecasts: Sequence[Forecast], outcome: str, *, now: datetime
) -> float | None:
    """Return the score if the question resolved to ``outcome`` now: 0 to 1, 0 is best.

    It is the score of reports: Brier, or CRPS for a number or a date, averaged over the time that
    the forecasts were current. ``forecasts``: one member's, in the order made. None without a
    current forecast in the time until now.
    """
    if not text.open_time < now:
        return None
    question = {name: getattr(text, name) for name in _SCORED} | {
        "question_id": "q", "type": str(text.type), "actual_close_time": now, "resolution": outcome,
    }  # fmt: skip
    rows = [
        {
            "question_id": "q", "forecaster": "me", "made_at": forecast.made_at,
            **value_of(forecast).over(text.options).columns(),
        }
        for forecast in forecasts
        if forecast.made_at < now
    ]  # fmt: skip
    if not rows:
        return None
    protocol = "crps" if text.is_quantitative else "brier"
    found = scoring.score(pd.DataFrame([question]), pd.DataFrame(rows), protocol)
    return None if found.empty else float(found["score"].iloc[0])


def format_score_so_far(text: QuestionText, forecasts: Sequence[Forecast], *, now: datetime) -> str:
    """Return the score so far for the outcomes at stake, '' without one.

    'If it resolved yes today: 0.0612; no: 0.614'. For options: the likeliest one. For a number or a
    date: the median of the last forecast.
    """
    current = forecasts[-1] if forecasts else None
    if current is None or current.withdrawn:
        return ""
    outcomes = _outcomes_at_stake(text, value_of(current).over(text.options))
    scores = [(one, score_so_far(text, forecasts, one, now=now)) for one in outcomes]
    said = [f"{one} today: {number(score)}" for one, score in scores[:1] if score is not None]
    said += [f"{one}: {number(score)}" for one, score in scores[1:] if score is not None]
    return f"If it resolved {'; '.join(said)}" if said else ""


def _outcomes_at_stake(text: QuestionText, value: Value) -> list[str]:
    """Return yes and no, the likeliest option, or the stated figure nearest the median."""
    if text.type == QuestionType.binary:
        return ["yes", "no"]
    if text.type == QuestionType.multiple_choice:
        vector = [p or 0.0 for p in value.probabilities or ()]
        return [(text.options or [])[vector.index(max(vector))]] if vector else []
    levels = [level for level in value.quantiles or {} if level not in OUTSIDE_LEVELS]
    if not levels:
        return []
    nearest = min(levels, key=lambda level: abs(float(level) - 0.5))
    return [format_figure((value.quantiles or {})[nearest])]


def _vector(value: Value, text: QuestionText) -> list[float]:
    """Return the probability of each outcome; NaN for an option that did not exist yet."""
    if value.probability is not None:
        return [value.probability, 1 - value.probability]
    vector = value.over(text.options or []).probabilities or ()
    return [math.nan if p is None else p for p in vector]


def implied_density(text: QuestionText, value: Value) -> list[Slice]:
    """Return the intervals between the value's quantiles with their probabilities, in order.

    Within an interval the distribution is uniform, as in scoring. Probability outside the bounds is
    left out.
    """
    levels, figures = knots(value, text)
    span = figures[-1] - figures[0]
    slices = []
    for (low, left), (high, right) in itertools.pairwise(zip(levels, figures, strict=True)):
        chance, width = high - low, right - left
        if width > 0 or chance > 0:
            even = chance / (width / span) if width > 0 else None
            slices.append(Slice(left, right, chance, even))
    return slices
