"""The charts of a comparison, laid out: coordinates that a template draws as SVG.

Drawn by hand for the reasons that ``forecasts.reports.render.diagram`` gives.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from forecasts.reports.comparison.comparison import Comparison, Pair, Watched

# The forest plot of differences: one row a pair, on one scale, with no difference in the middle.
WIDTH, ROW = 260.0, 20.0
# The evidence over time, on a scale of powers of ten.
LEFT, TOP, BROAD, TALL = 48.0, 10.0, 400.0, 130.0
_MOST_STEPS = 300
_LEAST_REACH = 0.02


def reach(comparison: Comparison) -> float:
    """Return how far the forest plot goes to either side, in Brier points."""
    ends = [abs(end) for pair in comparison.pairs if pair.interval for end in pair.interval]
    means = [abs(pair.difference) for pair in comparison.pairs if pair.difference is not None]
    most = max([*ends, *means], default=0.0)
    step = 10.0 ** math.floor(math.log10(max(most, _LEAST_REACH)))
    return min(1.0, math.ceil(max(most, _LEAST_REACH) / step * 1.02 * 2) * step / 2)


def x_of(difference: float, most: float) -> float:
    """Return where a difference stands in the forest plot."""
    return WIDTH / 2 + (WIDTH / 2 - 6) * difference / most


@dataclass(frozen=True)
class Rise:
    """The evidence of one pair as a line of steps, and the heights of powers of ten.

    Places are from 0 to 1: rightwards from the first close to the last, and downwards.
    """

    points: tuple[tuple[float, float], ...]
    enough: float
    ticks: tuple[tuple[float, str], ...]
    first: str
    last: str


def rise(seen: Watched) -> Rise:
    """Return the line of the evidence, which is level until the next family was to close."""
    low = min(-1, math.floor(math.log10(min(_shown(value) for _, value in seen.path))))
    high = max(2, math.ceil(math.log10(max(_shown(value) for _, value in seen.path))))

    def y_of(value: float) -> float:
        return round((high - math.log10(value)) / (high - low), 4)

    begin, end = seen.path[0][0], seen.path[-1][0]
    span = max((end - begin).total_seconds(), 1.0)
    points: list[tuple[float, float]] = []
    for at, value in steps(seen):
        x, y = round((at - begin).total_seconds() / span, 4), y_of(_shown(value))
        points += [(x, points[-1][1]), (x, y)] if points else [(x, y)]
    every = max(1, (high - low) // 5)
    return Rise(
        points=tuple(points),
        enough=y_of(seen.enough),
        ticks=tuple((y_of(10.0**power), _power(power)) for power in range(low, high + 1, every)),
        first=f"{begin:%Y-%m-%d}",
        last=f"{end:%Y-%m-%d}",
    )


def path(drawn: Rise) -> str:
    """Return the line as an SVG path in the units of the chart."""
    return "".join(
        f"{'ML'[place > 0]}{LEFT + BROAD * x:.1f} {TOP + TALL * y:.1f}"
        for place, (x, y) in enumerate(drawn.points)
    )


def _shown(e_value: float) -> float:
    return max(e_value, 1e-6)


def steps(seen: Watched, most: int = _MOST_STEPS) -> Sequence[tuple[datetime, float]]:
    """Return the path, thinned to about that many steps; the first and the last stay."""
    every = max(1, len(seen.path) // most)
    last = len(seen.path) - 1
    return [step for place, step in enumerate(seen.path) if place % every == 0 or place == last]


def _power(power: int) -> str:
    return f"{10.0**power:g}" if -4 <= power <= 4 else f"1e{power}"


def watched(comparison: Comparison) -> list[Pair]:
    """Return the pairs that have evidence to draw."""
    return [
        pair for pair in comparison.pairs if pair.watched is not None and len(pair.watched.path) > 1
    ]
