"""The reliability diagram of one group, laid out: coordinates that a template draws as SVG.

Drawn by hand rather than by a plotting library, so that it takes the page's colours in light,
dark and print, scales with its column, and costs no import.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from forecasts.reports.report import CurvePoint, Group

LEFT, TOP, SIDE = 44.0, 12.0, 380.0
HISTOGRAM_TOP, HISTOGRAM_HEIGHT = TOP + SIDE + 10, 46.0
WIDTH, HEIGHT = LEFT + SIDE + 16, HISTOGRAM_TOP + HISTOGRAM_HEIGHT + 40
TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)
_LEAST_RADIUS, _MOST_RADIUS = 3.0, 11.0
# The band changes slowly: so many points beside the curve's corners draw it.
_BAND_POINTS = 40


@dataclass(frozen=True)
class Dot:
    """One bin: where its mean forecast and its observed rate meet, and the interval's ends."""

    x: float
    y: float
    radius: float
    low: float
    high: float


@dataclass(frozen=True)
class Bar:
    """One bin's share of the time, as a bar of the histogram."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Diagram:
    """All that is drawn, in the units of the view box (0, 0, WIDTH, HEIGHT)."""

    band: str
    curve: str
    dots: tuple[Dot, ...]
    bars: tuple[Bar, ...]


def diagram(group: Group) -> Diagram:
    """Return the diagram of a group; band and curve are empty paths where there is no curve."""
    points = corners(group.curve or ())
    upper = [(x_of(point.forecast), y_of(point.upper)) for point in points]
    lower = [(x_of(point.forecast), y_of(point.lower)) for point in reversed(points)]
    most = max((bin_.weight for bin_ in group.bins), default=0.0)
    dots = tuple(
        Dot(
            x=x_of(bin_.forecast),
            y=y_of(bin_.observed),
            radius=max(_LEAST_RADIUS, _MOST_RADIUS * math.sqrt(bin_.weight / most)),
            low=y_of(bin_.interval[0]),
            high=y_of(bin_.interval[1]),
        )
        for bin_ in group.bins
        if bin_.forecast is not None and bin_.observed is not None and bin_.interval is not None
    )
    bars = tuple(
        Bar(
            x=x_of(bin_.lower) + 1,
            y=HISTOGRAM_TOP + HISTOGRAM_HEIGHT * (1 - bin_.weight / most),
            width=SIDE * (bin_.upper - bin_.lower) - 2,
            height=HISTOGRAM_HEIGHT * bin_.weight / most,
        )
        for bin_ in group.bins
        if bin_.weight > 0
    )
    return Diagram(
        band=_path([*upper, *lower]) + "Z" if points else "",
        curve=_path([(x_of(point.forecast), y_of(point.recalibrated)) for point in points]),
        dots=dots,
        bars=bars,
    )


def corners(curve: Sequence[CurvePoint]) -> list[CurvePoint]:
    """Return the points that the drawing needs: the ends of each level stretch, and some more."""
    every = max(1, len(curve) // _BAND_POINTS)
    last = len(curve) - 1
    return [
        point
        for place, point in enumerate(curve)
        if place in (0, last)
        or place % every == 0
        or curve[place - 1].recalibrated != point.recalibrated
        or curve[place + 1].recalibrated != point.recalibrated
    ]


def x_of(forecast: float) -> float:
    """Return where a forecast stands."""
    return LEFT + SIDE * forecast


def y_of(share: float) -> float:
    """Return where a share that came true stands."""
    return TOP + SIDE * (1 - share)


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "".join(f"{'ML'[place > 0]}{x:.1f} {y:.1f}" for place, (x, y) in enumerate(points))
