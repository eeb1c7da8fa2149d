"""CDFs at set numbers between a question's bounds, to and from the ledger's quantiles.

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
_WIDE = 1000  # a range with this ratio of its bounds
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


def zero_point(text: QuestionText) -> float | None:
    """Return 0 for a question whose CDFs are given at equal ratios, None for equal steps.

    Those are numbers of three orders of magnitude and more, of which equal steps would leave most
    to the first step. The platform's formula then reduces to ratios.
    """
    if text.type != QuestionType.numeric:
        return None
    low, high = bounds(text)
    return 0.0 if low > 0 and high / low >= _WIDE else None


def grid(text: QuestionText) -> Floats:
    """Return the numbers at which the question's CDFs are given, from bound to bound."""
    spaced = np.linspace if zero_point(text) is None else np.geomspace
    points: Floats = spaced(*bounds(text), (outcome_count(text) or STEPS) + 1)
    return points


def from_cdf(cdf: Sequence[float], text: QuestionText) -> Value:
    """Return the forecast of a CDF; BadInput for one that the question cannot have.

    Its CRPS differs from that of the CDF, which is linear between its points, by less than 1e-6.
    """
    at, levels = grid(text), np.asarray(cdf, dtype=np.float64)
    if len(levels) != len(at):
        raise BadInput(
            f"continuous_cdf has {len(levels)} numbers; this question needs {len(at)}.",
            remedy="Give the CDF at each number of the question's scaling.continuous_range.",
        )
    wrong = ~((levels >= 0) & (levels <= 1))
    wrong[1:] |= levels[1:] < levels[:-1]
    if wrong.any():
        place = int(wrong.argmax())
        raise BadInput(
            f"continuous_cdf must rise from 0 to 1 at most; number {place + 1}, "
            f"{levels[place]}, does not."
        )
    levels = _rising(levels)
    inside = levels[0] < levels[-1]  # else all outside; a uniform one is stated by its middle
    corners = (_corners(at, levels)[1:-1] or [len(at) // 2]) if inside else []
    figures = [_figure(float(number), text) for number in at[corners]]
    quantiles = dict(zip(map(repr, levels[corners].tolist()), figures, strict=True))
    outside = zip(OUTSIDE_LEVELS, (float(levels[0]), float(1 - levels[-1])), strict=True)
    return Value(quantiles=quantiles | {name: p for name, p in outside if p > 0 or not inside})


def _figure(number: float, text: QuestionText) -> float | str:
    """Return a number as a quantile has it, without the noise of the last digit, or a date."""
    if text.type == QuestionType.date:
        return iso(datetime.fromtimestamp(number, UTC))
    return float(f"{number:.15g}")


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


def _corners(at: Floats, cdf: Floats) -> list[int]:
    """Return the points between which the CDF is linear, in order (Douglas & Peucker, 1973)."""
    found, lines = {0, len(cdf) - 1}, [(0, len(cdf) - 1)]
    while lines:
        ends = first, last = lines.pop()
        part = slice(first, last + 1)
        off = np.abs(cdf[part] - np.interp(at[part], at[list(ends)], cdf[list(ends)]))
        farthest = first + int(off.argmax())
        if off[farthest - first] > _SAME_LINE:
            found.add(farthest)
            lines += [(first, farthest), (farthest, last)]
    return sorted(found)
