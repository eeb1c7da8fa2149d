"""Charts as data: axes, series and bands, each chart described once.

``vega_lite`` shows a description on a page, ``svg`` in a file. Rejected: one plotting library for
both. A page needs tooltips and a legend; a file takes the reader's light, dark or print colours,
holds no script, and has the same bytes each time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from forecasts.documents.numbers import Interval, percent

Shape = Literal["line", "steps", "level", "band", "interval", "points", "bars"]
Point = tuple[float, ...]

QUARTERS = (0.0, 0.25, 0.5, 0.75, 1.0)
DIAGONAL: tuple[Point, ...] = ((0.0, 0.0), (1.0, 1.0))


@dataclass(frozen=True)
class Style:
    """How a series is drawn. Colours are names, which each medium looks up in its palette."""

    stroke: str = ""
    width: float = 0.0
    dash: tuple[float, ...] = ()
    fill: str = ""
    opacity: float = 1.0
    mark: Literal["circle", "triangle-up", "triangle-down"] = "circle"


STYLES = {
    "grid": Style("line", 1),
    "frame": Style("soft", 1),
    "reference": Style("soft", 1.25, (5, 4)),
    "band": Style(fill="curve", opacity=0.17),
    "crowd-band": Style(fill="soft", opacity=0.17),
    "curve": Style("curve", 2.25),
    "whisker": Style("point", 1.5),
    "bin": Style("point", 2, fill="page", opacity=0.75),
    "bar": Style(fill="bar"),
    "interval": Style("curve", 2.5),
    "mean": Style(fill="curve"),
    "expected": Style("point", 2, fill="page"),
    "open-interval": Style("bar", 2.5, (3, 2)),
    "open-mean": Style("bar", 1.5, fill="page"),
    # Lines that differ in dash as well, for any colour vision.
    "line-2": Style("second", 2, (7, 2)),
    "line-3": Style("point", 2, (2, 2)),
    "line-4": Style("third", 2, (9, 2, 2, 2)),
    "line-5": Style("fourth", 2, (14, 3)),
    "dot-2": Style(fill="second"),
    "dot-3": Style(fill="point"),
    "dot-4": Style(fill="third"),
    "dot-5": Style(fill="fourth"),
    "slice": Style("soft", 1, fill="curve", opacity=0.75),
    "crowd": Style("soft", 3, (6, 4)),
    "quiet": Style("bar", 1),
    "outcome": Style("point", 2, (1, 3)),
    "supports": Style("page", 1, fill="curve", mark="triangle-up"),
    "opposes": Style("page", 1, fill="point", mark="triangle-down"),
    "context": Style("page", 1, fill="soft"),
}
LINES = ("curve", "line-2", "line-3", "line-4", "line-5")


@dataclass(frozen=True)
class Axis:
    """An axis from ``low`` to ``high`` with a label at each tick; ``dates`` are POSIX seconds."""

    title: str
    low: float
    high: float
    ticks: tuple[float, ...]
    labels: tuple[str, ...]
    scale: Literal["linear", "log", "dates"] = "linear"


@dataclass(frozen=True)
class Series:
    """Points drawn in one shape and style.

    A point is (x, y); of a band and an interval (x, low, high); of bars (left, right, height); of
    a level (y,). ``label``: its entry in the legend, '' for none. ``sentences``: a tooltip for each
    point. ``sizes``: the area of each point relative to the largest.
    """

    shape: Shape
    style: str
    points: tuple[Point, ...]
    label: str = ""
    sentences: tuple[str, ...] = ()
    sizes: tuple[float, ...] = ()


@dataclass(frozen=True)
class Chart:
    """A chart with two axes. ``height`` of the plot, where its width is 380."""

    x: Axis
    y: Axis
    series: tuple[Series, ...]
    height: float = 190.0
    framed: bool = False


@dataclass(frozen=True)
class ForestRow:
    """One row of a forest plot: its dots and its interval; ``text`` says the same in words."""

    name: str
    dots: tuple[float, ...]
    interval: Interval | None
    text: str
    firm: bool = True


@dataclass(frozen=True)
class Forest:
    """A forest plot: rows on one scale, with a line at ``reference``; None: an empty row."""

    low: float
    high: float
    reference: float | None
    rows: tuple[ForestRow | None, ...]


def percent_axis(title: str) -> Axis:
    """Return an axis from 0 to 100%."""
    return Axis(title, 0.0, 1.0, QUARTERS, tuple(map(percent, QUARTERS)))


def axis_from_zero(title: str, most: float) -> Axis:
    """Return an axis from 0 to a round number that is at least ``most``, which is about 1 or less.

    >>> axis_from_zero("Loss", 0.1).labels
    ('0', '0.03', '0.06', '0.09', '0.12')
    """
    steps = (0.04, 0.08, 0.12, 0.2, 0.28, 0.4, 0.6, 0.8)
    top = next((step for step in steps if most <= step), max(1.0, most))
    ticks = tuple(top * place / 4 for place in range(5))
    labels = tuple(f"{tick:.3f}".rstrip("0").rstrip(".") for tick in ticks)
    return Axis(title, 0.0, top, ticks, labels)


def round_ticks(low: float, high: float) -> tuple[float, ...]:
    """Return 3 to 7 round numbers that span the values.

    >>> round_ticks(3, 97)
    (0.0, 20.0, 40.0, 60.0, 80.0, 100.0)
    """
    rough = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(one * power for one in (1, 2, 5, 10) if one * power >= rough * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return tuple(float(f"{place * step:.12g}") for place in range(first, last + 1))
