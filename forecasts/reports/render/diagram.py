"""The charts of one group: reliability with its histogram, Murphy curve, lead-time profile."""

from __future__ import annotations

import math
from collections.abc import Sequence

from forecasts.reports.render.svg import Chart
from forecasts.reports.report import CurvePoint, Group, Lead

_QUARTERS = (0.0, 0.25, 0.5, 0.75, 1.0)
_LEFT, _SIDE = 44.0, 380.0
_BROAD = _LEFT + _SIDE + 16
_LEAST_RADIUS, _MOST_RADIUS = 3.0, 11.0
# The band changes slowly: so many points beside the curve's corners draw it.
_BAND_POINTS = 40


def reliability(group: Group) -> Chart:
    """Return the reliability diagram, and below it on the same axis how the forecasts spread."""
    high = 46.0
    chart = Chart((_BROAD, 12 + _SIDE + 10 + high + 40), _LEFT, 12, _SIDE, _SIDE)
    foot = chart.top + chart.height + 10 + high
    chart.rows(_QUARTERS, _percent)
    chart.columns(_QUARTERS, _percent, below=foot + 16)
    points = corners(group.curve)
    upper = [(point.forecast, point.upper) for point in points]
    lower = [(point.forecast, point.lower) for point in reversed(points)]
    chart.path("band", [*upper, *lower], closed=True)
    chart.rectangle("frame", chart.left, chart.top, chart.width, chart.height)
    chart.path("diagonal", [(0, 0), (1, 1)])
    bins = [bin_ for bin_ in group.bins if bin_.weight > 0]
    most = max((bin_.weight for bin_ in bins), default=0.0)
    for bin_ in bins:
        if bin_.forecast is not None and bin_.interval is not None:
            x = chart.x_of(bin_.forecast)
            low, up = (chart.y_of(end) for end in bin_.interval)
            chart.line("whisker", (x, low), (x, up))
    chart.path("curve", [(point.forecast, point.recalibrated) for point in points])
    for bin_ in bins:
        if bin_.forecast is not None and bin_.observed is not None:
            radius = max(_LEAST_RADIUS, _MOST_RADIUS * math.sqrt(bin_.weight / most))
            chart.circle("dot", bin_.forecast, bin_.observed, radius)
        tall = high * bin_.weight / most
        wide = _SIDE * (bin_.upper - bin_.lower) - 2
        chart.rectangle("bar", chart.x_of(bin_.lower) + 1, foot - tall, wide, tall)
    chart.line("grid", (chart.left, foot), (chart.left + chart.width, foot))
    chart.axis_title("forecast, %", below=foot + 35)
    chart.axis_title("came true, %")
    return chart


def murphy(group: Group) -> Chart:
    """Return the Murphy curve, and dashed that of always saying the base rate."""
    ends = [max(point.score, point.base_rate) for point in group.murphy]
    top = _nice(max(ends, default=0.0))
    chart = Chart((_BROAD, 250), _LEFT, 12, _SIDE, 190, y=(0.0, top))
    chart.rows([top * k / 4 for k in range(5)], _short)
    chart.columns(_QUARTERS, _percent, below=chart.top + chart.height + 17)
    chart.path("diagonal", [(point.threshold, point.base_rate) for point in group.murphy])
    chart.path("curve", [(point.threshold, point.score) for point in group.murphy])
    chart.axis_title("act above, %", below=chart.top + chart.height + 36)
    return chart


def leads(rows: Sequence[Lead]) -> Chart:
    """Return the profile: at each lead the Brier score with its interval, and what was promised."""
    ends = [end for row in rows if row.brier.interval for end in row.brier.interval]
    means = [value for row in rows for value in (row.brier.mean, row.expected) if value is not None]
    top = _nice(max([*ends, *means], default=0.25))
    many = len(rows)
    chart = Chart((_BROAD, 250), _LEFT, 12, _SIDE, 190, x=(-0.5, max(many, 1) - 0.5), y=(0.0, top))
    chart.rows([top * k / 4 for k in range(5)], _short)
    below = chart.top + chart.height
    for place, row in enumerate(sorted(rows, key=lambda row: -row.days)):
        x = chart.x_of(place)
        if row.brier.interval is not None:
            low, up = (chart.y_of(end) for end in row.brier.interval)
            chart.line("reach", (x - 6, low), (x - 6, up))
        shift = 6 / chart.width * (chart.x[1] - chart.x[0])
        if row.brier.mean is not None:
            chart.circle("mean", place - shift, row.brier.mean, 5)
        if row.expected is not None:
            chart.circle("promised", place + shift, row.expected, 5)
        chart.text(x, below + 17, f"{row.days:g}")
    chart.line("grid", (chart.left, below), (chart.left + chart.width, below))
    chart.axis_title("days before the scheduled close", below=below + 36)
    return chart


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


def _percent(value: float) -> str:
    return f"{value * 100:.0f}"


def _short(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")


def _nice(value: float) -> float:
    """Return a round number that is at least ``value``, and easy to divide by four."""
    for step in (0.04, 0.08, 0.12, 0.2, 0.28, 0.4, 0.6, 0.8):
        if value <= step:
            return step
    return max(1.0, value)
