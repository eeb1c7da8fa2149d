"""The charts of a report on a page: ``reports.render.charts`` drawn as Vega-Lite.

A point under the pointer shows a sentence. See ``charts.paths`` on colours and on Altair.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from app.charts.question_chart import LINES, Spec, field, lines_key
from forecasts.documents.charts import STYLES, Axis, Chart, Series
from forecasts.reports import Group, charts
from forecasts.reports.own_scores import OwnScores

# Legible on the light background and on the dark one.
COLOURS = {"curve": "#0072B2", "point": "#D55E00", "soft": "#7A7F85", "bar": "#8A949C"}
# vega-tooltip shows the value under this title alone, with no name before it.
TOOLTIP = field("sentence", title="title")
_MOST_AREA = 380
# The mark of each shape, and the columns of its points.
_SHAPES: dict[str, tuple[Spec, tuple[str, ...]]] = {
    "line": ({"type": "line"}, ("x", "y")),
    "steps": ({"type": "line", "interpolate": "step-after"}, ("x", "y")),
    "level": ({"type": "rule"}, ("y",)),
    "band": ({"type": "area"}, ("x", "y", "y2")),
    "interval": ({"type": "rule"}, ("x", "y", "y2")),
    "points": ({"type": "point", "size": 80}, ("x", "y")),
    "bars": ({"type": "bar"}, ("x", "x2", "y")),
}


def reliability_chart(group: Group, *, height: int = 380) -> Spec | None:
    """Return the reliability diagram: the curve, the band of chance, the bins; None without data.

    On the diagonal, events happened as often as forecast.
    """
    return drawn(charts.reliability(group), height) if group.curve else None


def histogram_chart(group: Group) -> Spec:
    """Return how the forecasts spread over the bins, as shares of their time."""
    return drawn(charts.histogram(group), 130)


def murphy_chart(group: Group) -> Spec | None:
    """Return the loss at each threshold, beside that of the base rate; None without data."""
    if not group.murphy:
        return None
    lines = [(COLOURS["curve"], [1, 0]), (COLOURS["bar"], [4, 3])]
    return _with_legend(charts.murphy(group), lines, 280)


def roc_chart(group: Group) -> Spec:
    """Return the ROC curve, and the line without discrimination."""
    return drawn(charts.roc(group), 280)


def pit_chart(group: Group) -> Spec:
    """Return the share of the outcomes in each tenth of the numeric and date forecasts."""
    return drawn(charts.pit(group), 160)


def murphy_curves(groups: Sequence[Group]) -> Spec:
    """Return the Murphy curves of several groups, each with a curve, in one chart."""
    spec = _with_legend(charts.murphy_curves(groups), LINES[: len(groups)], 360)
    spec["encoding"]["color"]["legend"] |= {"columns": 1, "labelLimit": 280}
    return spec


def lead_chart(group: Group) -> Spec | None:
    """Return the Brier score at each lead with its interval; None if no lead has one.

    The hollow mark beside it is the expected score.
    """
    if all(lead.brier.mean is None for lead in group.leads):
        return None
    return drawn(charts.leads(group), 240)


def trend_chart(own: OwnScores) -> Spec | None:
    """Return a member's scores over time with their running mean; None for fewer than three."""
    return drawn(charts.trend(own), 220) if len(own.calls) > 2 else None


def sparkline_chart(own: OwnScores) -> Spec | None:
    """Return the running mean of a member's scores as a line alone; None for fewer than three."""
    if len(own.calls) < 3:
        return None
    rows = [{"place": place, "mean": call.running} for place, call in enumerate(own.calls)]
    mean = field("mean", "quantitative", axis=None, scale={"zero": False})
    return {
        "height": 40,
        "padding": 0,
        "config": {"view": {"stroke": None}},
        "data": {"values": rows},
        "mark": {"type": "line", "color": COLOURS["curve"]},
        "encoding": {"x": field("place", "quantitative", axis=None), "y": mean},
    }


def drawn(chart: Chart, height: int) -> Spec:
    """Return a chart as Vega-Lite."""
    layers = [layer for series in chart.series for layer in _layers(chart, series) if series.points]
    return {"height": height, "layer": layers}


def _with_legend(chart: Chart, lines: Sequence[tuple[str, list[int]]], height: int) -> Spec:
    """Return a chart of lines, each with a colour, a dash and an entry in the legend."""
    of = {series.label: line for series, line in zip(chart.series, lines, strict=True)}
    # The dash is in addition to colours, which look alike to some readers.
    encoding = lines_key("label", of, symbolSize=400)
    del encoding["strokeDash"]["legend"]
    spec = drawn(chart, height)
    for layer in spec["layer"]:
        for fixed in ("color", "strokeDash"):
            layer["mark"].pop(fixed, None)
    return spec | {"encoding": encoding}


def _layers(chart: Chart, series: Series) -> list[Spec]:
    """Return the layers of a series: its marks, and over a line unseen points to touch."""
    look, names = _SHAPES[series.shape]
    rows: list[dict[str, Any]] = []
    for place, point in enumerate(series.points):
        row: dict[str, Any] = dict(zip(names, point, strict=True))
        if chart.x.scale == "dates" and "x" in row:
            row["x"] *= 1000  # milliseconds
        if series.sentences:
            row["sentence"] = series.sentences[place]
        if series.sizes:
            row["size"] = series.sizes[place]
        if series.label:
            row["label"] = series.label
        rows.append(row)
    encoding: Spec = {
        name: {"field": name} if name.endswith("2") else _channel(chart, name) for name in names
    }
    if series.shape == "bars":
        encoding["y2"] = {"datum": chart.y.low}
    if series.sizes:
        scale = {"domain": [0, 1], "range": [30, _MOST_AREA]}
        encoding["size"] = field("size", "quantitative", scale=scale, legend=None)
    mark = {"data": {"values": rows}, "mark": look | _look(series)}
    touched = {"encoding": encoding | {"tooltip": TOOLTIP}}
    if not series.sentences:
        return [mark | {"encoding": encoding}]
    if series.shape not in ("line", "steps"):
        return [mark | touched]
    unseen = {"type": "point", "size": 60, "opacity": 0, "filled": True}
    return [mark | {"encoding": encoding}, mark | touched | {"mark": unseen}]


def _channel(chart: Chart, name: str) -> Spec:
    axis = chart.x if name == "x" else chart.y
    if axis.scale == "dates":
        days = {"format": "%Y-%m-%d", "tickCount": 5, "labelOverlap": True}
        return field(name, "temporal", title=axis.title, scale={"type": "utc"}, axis=days)
    scale: Spec = {"domain": [axis.low, axis.high], "nice": False}
    scale |= {"type": "log"} if axis.scale == "log" else {"zero": False}
    return field(name, "quantitative", title=axis.title, scale=scale, axis=_axis(axis))


def _axis(axis: Axis) -> Spec:
    """Return the ticks with their labels, which are texts of numbers, never anyone's words."""
    labels = json.dumps(axis.labels, ensure_ascii=False)
    places = f"indexof({json.dumps(axis.ticks)}, datum.value)"
    return {
        "values": list(axis.ticks),
        "labelExpr": f"{labels}[{places}]",
        "labelFlush": False,
        "labelAngle": 0,
    }


def _look(series: Series) -> Spec:
    """Return colour, width and dash of a mark."""
    style = STYLES[series.style]
    hollow = not style.fill or style.fill == "page"
    look: Spec = {"color": COLOURS[style.stroke if hollow else style.fill]}
    if style.width:
        look["strokeWidth"] = style.width
    if style.dash:
        look["strokeDash"] = list(style.dash)
    if series.shape == "points":
        look |= {"filled": not hollow, "opacity": 1}
    elif style.opacity != 1:
        look["opacity"] = style.opacity
    return look
