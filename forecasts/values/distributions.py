"""CDFs at set numbers between a question's bounds, to and from the ledger's quantiles.

Metaculus gives forecasts of numbers and dates so. A CDF has 201 points; that of a discrete question
has one more than there are outcomes. Its first point is the probability below the bounds, and one
minus its last is the probability above them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from forecasts.common.errors import BadInput
from forecasts.common.times import iso
from forecasts.common.vocabulary import QuestionType
from forecasts.values.outcomes import bounds, figure_to_float
from forecasts.values.outline import HasOutline
from forecasts.values.value import OUTSIDE_LEVELS, Value
from scoring.arrays import Floats

STEPS = 200
_WIDE = 1000  # a range with this ratio of its bounds
# A point this near the line between its neighbours is left out: bots round to ten digits.
_SAME_LINE = 1.5e-10
_NOISE = 1e-14  # of the arithmetic on a CDF
_RISE = 1e-7  # spread over the range of a CDF that is flat somewhere, as levels must differ


def outcome_count(text: HasOutline) -> int | None:
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


def zero_point(text: HasOutline) -> float | None:
    """Return 0 for a question whose CDFs are given at equal ratios, None for equal steps.

    Those are numbers of three orders of magnitude and more, of which equal steps would leave most
    to the first step. The platform's formula then reduces to ratios.
    """
    if text.type != QuestionType.numeric:
        return None
    low, high = bounds(text)
    return 0.0 if low > 0 and high / low >= _WIDE else None


def grid(text: HasOutline) -> Floats:
    """Return the numbers at which the question's CDFs are given, from bound to bound."""
    return spaced(text, (outcome_count(text) or STEPS) + 1)


def spaced(text: HasOutline, count: int) -> Floats:
    """Return so many numbers from bound to bound, at equal steps or ratios (see ``zero_point``)."""
    low, high = bounds(text)
    points: Floats = (np.linspace if zero_point(text) is None else np.geomspace)(low, high, count)
    if text.type == QuestionType.numeric:
        points[1:-1] = [_number(point) for point in points[1:-1].tolist()]
    return points


def from_cdf(cdf: Sequence[float], text: HasOutline) -> Value:
    """Return the forecast of a CDF; BadInput for one that the question cannot have.

    Its CRPS differs from that of the CDF, which is linear between its points, by less than 1e-6.
    """
    at, levels = grid(text), np.asarray(cdf, dtype=np.float64)
    if len(levels) != len(at):
        raise BadInput(
            f"continuous_cdf has {len(levels)} numbers; this question needs {len(at)}.",
            remedy="Give the CDF at each number of the question's scaling.continuous_range.",
        )
    [place] = first_faults(levels[np.newaxis]).tolist()
    if place >= 0:
        raise BadInput(
            f"continuous_cdf must rise from 0 to 1 at most; number {place + 1}, "
            f"{levels[place]}, does not."
        )
    [found] = quantiles(levels[np.newaxis], at, text.type)
    return Value(quantiles=found)


def first_faults(cdfs: Floats) -> npt.NDArray[np.intp]:
    """Return the first place in each CDF (n, points) that is not from 0 to 1 or falls; -1 if none.

    >>> first_faults(np.array([[0, 0.5, 1], [0.2, 0.1, 1], [0, 0.5, 1.1]])).tolist()
    [-1, 1, 2]
    """
    wrong = ~((cdfs >= 0) & (cdfs <= 1))
    wrong[:, 1:] |= cdfs[:, 1:] < cdfs[:, :-1]
    return np.where(wrong.any(axis=1), wrong.argmax(axis=1), -1)


def quantiles(cdfs: Floats, at: Floats, kind: str) -> list[dict[str, float | str]]:
    """Return the quantiles of valid CDFs (n, points) at the numbers ``at`` (see ``from_cdf``).

    ``kind``: numeric or date. The quantiles' own CDF has the same quantiles.
    """
    figures = np.array([_figure(number, kind) for number in at.tolist()], dtype=object)
    found = []
    levels = _rising(cdfs)
    corners = _corners(at, levels)
    corners[:, [0, -1]] = False
    for one, places in zip(levels, corners, strict=True):
        below, most = float(one[0]), float(one[-1])
        inside = below < most  # else all outside; a uniform one is stated by its middle
        if inside and not places.any():
            places[len(at) // 2] = True
        above = round(1 - most, 15)  # 0.04 for 1 - 0.96
        if (one[places] > 1 - above).any():
            above = 1 - most
        stated: dict[str, float | str] = dict(
            zip(map(repr, one[places].tolist()), figures[places].tolist(), strict=True)
        )
        outside = zip(OUTSIDE_LEVELS, (below, above), strict=True)
        found.append(stated | {name: p for name, p in outside if p > 0 or not inside})
    return found


def _figure(number: float, kind: str) -> float | str:
    """Return a number as a quantile has it, or a date."""
    if kind == QuestionType.date:
        return iso(datetime.fromtimestamp(number, UTC))
    return _number(number)


def _number(number: float) -> float:
    """Return a number without the noise of its last digit: 3.0 for 3.0000000000000004."""
    return float(f"{number:.15g}")


def to_cdf(value: Value, text: HasOutline) -> list[float]:
    """Return the CDF of a forecast by quantiles: exact at its points, and rising throughout."""
    levels, figures = knots(value, text)
    cdf = np.interp(grid(text), figures, levels)
    cdf[0], cdf[-1] = levels[0], levels[-1]
    [rising] = _rising(cdf[np.newaxis]).tolist()
    return [float(p) for p in rising]


def _rising(cdfs: Floats) -> Floats:
    """Return CDFs that rise at each step, if they rise at all; their ends are kept."""
    flat = (np.diff(cdfs) <= 0).any(axis=1)
    if not flat.any():
        return cdfs
    rising = cdfs.copy()
    ends = np.linspace(cdfs[flat, 0], cdfs[flat, -1], cdfs.shape[1], axis=1)
    rising[flat] = (1 - _RISE) * cdfs[flat] + _RISE * ends
    return rising


def _corners(at: Floats, cdfs: Floats) -> npt.NDArray[np.bool_]:
    """Return which points each CDF is linear between (Douglas & Peucker, 1973).

    All lines of all CDFs are divided together: at each line's farthest point, while that is off it.
    """
    corners = np.zeros(cdfs.shape, dtype=np.bool_)
    corners[:, [0, -1]] = True
    row = np.arange(len(cdfs) if len(at) > 2 else 0)
    first, last = np.zeros_like(row), np.full_like(row, len(at) - 1)
    while len(row):
        between = last - first - 1
        starts = np.cumsum(between) - between
        line = np.repeat(np.arange(len(row)), between)
        place = np.arange(len(line)) - starts[line] + first[line] + 1
        low, high = cdfs[row, first], cdfs[row, last]
        slope = (high - low) / (at[last] - at[first])
        chord = low[line] + slope[line] * (at[place] - at[first][line])
        off = np.abs(cdfs[row[line], place] - chord)
        most = np.maximum.reduceat(off, starts)
        # The first of equally far ones is a corner; the next may be on its way to another.
        at_most = np.flatnonzero(off >= (most - _NOISE)[line])
        farthest = place[at_most[np.diff(line[at_most], prepend=-1) > 0]]
        bent = most > _SAME_LINE
        row, first, middle, last = (one[bent] for one in (row, first, farthest, last))
        corners[row, middle] = True
        row = np.concatenate([row, row])
        first, last = np.concatenate([first, middle]), np.concatenate([middle, last])
        open_ = last - first > 1
        row, first, last = row[open_], first[open_], last[open_]
    return corners


def knots(value: Value, text: HasOutline) -> tuple[list[float], list[float]]:
    """Return the levels and figures between which the distribution is linear, as in scoring."""
    quantiles = value.quantiles or {}
    low, high = bounds(text)
    inside = sorted(
        (figure_to_float(figure, text.type), float(level))
        for level, figure in quantiles.items()
        if level not in OUTSIDE_LEVELS
    )
    ends = (low, float(quantiles.get("below", 0))), (high, 1 - float(quantiles.get("above", 0)))
    # A level stated at a bound includes the mass beyond it; it is not a jump inside.
    first = [] if inside and inside[0][0] == low else [ends[0]]
    last = [] if inside and inside[-1][0] == high else [ends[1]]
    figures, levels = zip(*first, *inside, *last, strict=True)
    return list(levels), list(figures)
