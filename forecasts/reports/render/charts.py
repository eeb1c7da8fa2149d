"""The charts of a report, each described once.

``svg`` draws a description in HTML and PDF documents, ``app.charts`` on the pages as Vega-Lite.
Nothing is computed here beyond the ends of an axis. Rejected: one plotting library for all. A
drawing of our own takes the colours of a page in light, dark and print, and costs no import.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from forecasts.reports.numbers import interval, number, percent
from forecasts.reports.render import wording
from forecasts.reports.report import CurvePoint, Group, Interval, Report

Shape = Literal["line", "steps", "level", "band", "interval", "points", "bars"]
Point = tuple[float, ...]

QUARTERS = (0.0, 0.25, 0.5, 0.75, 1.0)
COIN = 0.25  # the Brier score (0–1) of always forecasting 50%
# The band changes slowly: so many points draw it, besides the corners of the curve.
_BAND_POINTS = 40


@dataclass(frozen=True)
class Style:
    """How a series is drawn. Colours are names, which each medium looks up in its palette."""

    stroke: str = ""
    width: float = 0.0
    dash: tuple[float, ...] = ()
    fill: str = ""
    opacity: float = 1.0


STYLES = {
    "grid": Style("line", 1),
    "frame": Style("soft", 1),
    "reference": Style("soft", 1.25, (5, 4)),
    "band": Style(fill="curve", opacity=0.17),
    "curve": Style("curve", 2.25),
    "whisker": Style("point", 1.5),
    "bin": Style("point", 2, fill="page", opacity=0.75),
    "bar": Style(fill="bar"),
    "interval": Style("curve", 2.5),
    "mean": Style(fill="curve"),
    "expected": Style("point", 2, fill="page"),
    "open-interval": Style("bar", 2.5, (3, 2)),
    "open-mean": Style("bar", 1.5, fill="page"),
}


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


def reliability(group: Group) -> Chart:
    """Return the reliability diagram: the curve, the band of chance, the bins."""
    points = corners(group.curve)
    bins = [bin_ for bin_ in group.bins if bin_.forecast is not None and bin_.observed is not None]
    most = max((bin_.weight for bin_ in bins), default=1.0)
    whiskers = ((b.forecast, *b.interval) for b in bins if b.interval is not None)
    return Chart(
        _percents("Forecast"),
        _percents("Happened"),
        (
            Series(
                "band",
                "band",
                tuple((point.forecast, point.lower, point.upper) for point in points),
                "90% chance band",
            ),
            Series("line", "reference", ((0.0, 0.0), (1.0, 1.0)), "calibrated"),
            Series("interval", "whisker", _known(whiskers)),
            Series(
                "line",
                "curve",
                tuple((point.forecast, point.recalibrated) for point in points),
                "curve (isotonic)",
                tuple(wording.curve_sentence(point) for point in points),
            ),
            Series(
                "points",
                "bin",
                _known((bin_.forecast, bin_.observed) for bin_ in bins),
                "bin with 95% interval",
                tuple(wording.bin_sentence(bin_) for bin_ in bins),
                tuple(bin_.weight / most for bin_ in bins),
            ),
        ),
        height=380.0,
        framed=True,
    )


def histogram(group: Group) -> Chart:
    """Return how the forecasts spread over the bins, as shares of their time."""
    total = sum(bin_.weight for bin_ in group.bins) or 1.0
    shares = [bin_.weight / total for bin_ in group.bins]
    most = max(shares, default=1.0) or 1.0
    return Chart(
        _percents("Forecast"),
        Axis("Time", 0.0, most, (0.0, most), ("0%", percent(most))),
        (
            Series(
                "bars",
                "bar",
                tuple(
                    (bin_.lower, bin_.upper, share)
                    for bin_, share in zip(group.bins, shares, strict=True)
                ),
                sentences=tuple(
                    f"Forecasts were in {wording.bin_range(bin_)} for {percent(share)} of the time."
                    for bin_, share in zip(group.bins, shares, strict=True)
                ),
            ),
        ),
        height=46.0,
    )


def murphy(group: Group) -> Chart:
    """Return the loss at each threshold, beside that of always forecasting the base rate."""
    sentences = tuple(wording.threshold_sentence(point) for point in group.murphy)
    return _losses(
        Series(
            "line",
            "curve",
            tuple((point.threshold, point.score) for point in group.murphy),
            "this record",
            sentences,
        ),
        Series(
            "line",
            "reference",
            tuple((point.threshold, point.base_rate) for point in group.murphy),
            "base rate",
            sentences,
        ),
    )


def murphy_curves(groups: Sequence[Group]) -> Chart:
    """Return the Murphy curves of several groups in one chart."""
    return _losses(
        *(
            Series(
                "line",
                "curve",
                tuple((point.threshold, point.score) for point in group.murphy),
                group.name,
                tuple(
                    f"{group.name}: acting above {percent(point.threshold)} costs "
                    f"{number(point.score)} on average."
                    for point in group.murphy
                ),
            )
            for group in groups
        )
    )


def _losses(*lines: Series) -> Chart:
    most = max((point[1] for line in lines for point in line.points), default=0.0)
    return Chart(_percents("Threshold for acting"), _from_zero("Mean loss", most), lines)


def leads(group: Group) -> Chart:
    """Return the Brier score at each lead with its interval, and the expected score beside it."""
    rows = sorted(group.leads, key=lambda lead: -lead.days)
    ends = [end for row in rows for end in row.brier.interval or ()]
    means = [value for row in rows for value in (row.brier.mean, row.expected) if value is not None]
    many = max(len(rows), 1)
    shift = 0.016 * many
    scored = [(place, row) for place, row in enumerate(rows) if row.brier.mean is not None]
    sentences = tuple(wording.lead_sentence(row) for _, row in scored)
    return Chart(
        Axis(
            "Days before the scheduled close",
            -0.5,
            many - 0.5,
            tuple(float(place) for place in range(len(rows))),
            tuple(f"{row.days:g}" for row in rows),
        ),
        _from_zero(wording.BRIER, max([*ends, *means], default=0.25)),
        (
            Series(
                "interval",
                "interval",
                tuple(
                    (place - shift, *row.brier.interval)
                    for place, row in scored
                    if row.brier.interval is not None
                ),
            ),
            Series(
                "points",
                "mean",
                _known((place - shift, row.brier.mean) for place, row in scored),
                f"{wording.BRIER}, 95% interval",
                sentences,
            ),
            Series(
                "points",
                "expected",
                _known((place + shift, row.expected) for place, row in scored),
                "expected",
                sentences,
            ),
        ),
    )


def brier_forest(report: Report) -> Forest:
    """Return the Brier score (0–1) of each group with its interval, from 0."""
    ends = [group.brier.interval[1] for group in report.groups if group.brier.interval]
    means = [group.brier.mean for group in report.groups if group.brier.mean is not None]
    return Forest(
        0.0,
        max([COIN, *ends, *means]) * 1.04,
        COIN,
        tuple(
            None
            if group.brier.mean is None
            else ForestRow(
                wording.group_name(report, group),
                (group.brier.mean,),
                group.brier.interval,
                f"{wording.BRIER} {number(group.brier.mean)}, "
                f"95% interval {interval(group.brier.interval)}",
            )
            for group in report.groups
        ),
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


def _known(points: Iterable[tuple[float | None, ...]]) -> tuple[Point, ...]:
    """Return the points that have all of their values."""
    return tuple(
        tuple(value for value in point if value is not None)
        for point in points
        if None not in point
    )


def _percents(title: str) -> Axis:
    return Axis(title, 0.0, 1.0, QUARTERS, tuple(map(percent, QUARTERS)))


def _from_zero(title: str, most: float) -> Axis:
    """Return an axis from 0 to a round number that is at least ``most``."""
    steps = (0.04, 0.08, 0.12, 0.2, 0.28, 0.4, 0.6, 0.8)
    top = next((step for step in steps if most <= step), max(1.0, most))
    ticks = tuple(top * place / 4 for place in range(5))
    labels = tuple(f"{tick:.3f}".rstrip("0").rstrip(".") for tick in ticks)
    return Axis(title, 0.0, top, ticks, labels)
