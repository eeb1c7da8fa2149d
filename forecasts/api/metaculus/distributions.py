"""CDFs at equal steps between a question's bounds, to and from the ledger's quantiles.

A CDF has 201 points; that of a discrete question has one more than there are outcomes. Its first
point is the probability below the bounds, and one minus its last is the probability above them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np

from forecasts.common.errors import BadInput
from forecasts.common.times import iso
from forecasts.ledger.models import QuestionText, QuestionType
from forecasts.questions.outcomes import figure_to_float
from forecasts.updates.previews import knots
from forecasts.updates.values import OUTSIDE_LEVELS, Value
from scoring.arrays import Floats

STEPS = 200
# A point this near the line between its neighbours is left out: bots round to ten digits.
_SAME_LINE = 1.5e-10
_RISE = 1e-7  # spread over the range of a CDF that is flat somewhere, as levels must differ


def bounds(text: QuestionText) -> tuple[float, float]:
    """Return the bounds of a numeric or date question; those of dates in seconds since 1970."""
    low, high = (figure_to_float(one, text.type) for one in (text.lower_bound, text.upper_bound))
    return low, high


def outcome_count(text: QuestionText) -> int | None:
    """Return the number of outcomes of a discrete question; None for any other question.

    A question is discrete if its bounds are halfway between whole numbers: those from -0.5 to 10.5
    leave eleven.
    """
    if text.type != QuestionType.numeric:
        return None
    low, high = bounds(text)
    count = high - low
    is_discrete = low % 1 == high % 1 == 0.5 and 2 <= count <= STEPS
    return int(count) if is_discrete else None


def grid(text: QuestionText) -> Floats:
    """Return the numbers at which the question's CDFs are given, from bound to bound."""
    return np.linspace(*bounds(text), (outcome_count(text) or STEPS) + 1)


def from_cdf(cdf: Sequence[float], text: QuestionText) -> Value:
    """Return the forecast of a CDF; BadInput for one that the question cannot have.

    Its CRPS differs from that of the CDF, which is linear between its points, by less than 1e-6.
    """
    at, levels = grid(text), np.asarray(cdf, dtype=np.float64)
    if len(levels) != len(at):
        raise BadInput(
            f"continuous_cdf has {len(levels)} numbers; this question needs {len(at)}.",
            remedy="Give the CDF at equal steps between the bounds, both included.",
        )
    wrong = ~((levels >= 0) & (levels <= 1))
    wrong[1:] |= np.diff(levels) < 0
    if wrong.any():
        place = int(wrong.argmax())
        raise BadInput(
            f"continuous_cdf must rise from 0 to 1 at most; number {place + 1}, "
            f"{levels[place]}, does not."
        )
    levels = _rising(levels)
    inside = levels[0] < levels[-1]  # else all outside; a uniform one is stated by its middle
    corners = (_corners(levels)[1:-1] or [len(at) // 2]) if inside else []
    figures = at[corners].tolist()
    if text.type == QuestionType.date:
        figures = [iso(datetime.fromtimestamp(one, UTC)) for one in figures]
    quantiles = dict(zip(map(repr, levels[corners].tolist()), figures, strict=True))
    outside = zip(OUTSIDE_LEVELS, (float(levels[0]), float(1 - levels[-1])), strict=True)
    return Value(quantiles=quantiles | {name: p for name, p in outside if p > 0 or not inside})


def to_cdf(value: Value, text: QuestionText) -> list[float]:
    """Return the CDF of a forecast by quantiles: exact at its points, and rising throughout."""
    levels, figures = knots(value, text)
    cdf = np.interp(grid(text), figures, levels)
    cdf[0], cdf[-1] = levels[0], levels[-1]
    return [float(p) for p in _rising(cdf)]


def _rising(cdf: Floats) -> Floats:
    """Return a CDF that rises at each step, if it rises at all; its ends are kept."""
    if (np.diff(cdf) > 0).all():
        return cdf
    return (1 - _RISE) * cdf + _RISE * np.linspace(cdf[0], cdf[-1], len(cdf))


def _corners(cdf: Floats) -> list[int]:
    """Return the points between which the CDF is linear, in order (Douglas & Peucker, 1973)."""
    found, lines = {0, len(cdf) - 1}, [(0, len(cdf) - 1)]
    while lines:
        first, last = lines.pop()
        line = np.linspace(cdf[first], cdf[last], last - first + 1)
        off = np.abs(cdf[first : last + 1] - line)
        farthest = first + int(off.argmax())
        if off[farthest - first] > _SAME_LINE:
            found.add(farthest)
            lines += [(first, farthest), (farthest, last)]
    return sorted(found)
