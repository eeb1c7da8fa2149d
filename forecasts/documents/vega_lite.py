"""Charts as Vega-Lite, for pages: a point under the pointer shows its sentence.

The colours are Okabe and Ito's, for any colour vision, and each has a contrast of about 3:1 or more
on the light and the dark background. Members' words are data: they appear in values and plain
titles, never in expressions. Rejected: Altair, which copies and validates objects at every step
(120 ms a page, now 13).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

from forecasts.documents.charts import STYLES, Axis, Chart, Forest, Series, Style

Spec = dict[str, Any]  # a chart, or a part of one, as Vega-Lite reads it

COLOURS = {
    "curve": "#0072B2",
    "second": "#009E73",
    "point": "#D55E00",
    "third": "#CC79A7",
    "fourth": "#9966FF",
    "soft": "#7A7F85",
    "bar": "#8A949C",
    "page": "#FFFFFF",
}
# vega-tooltip shows the value under this title alone, with no name before it.
_TOOLTIP = {"field": "sentence", "type": "nominal", "title": "title"}
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
_LINES = ("line", "steps")
_ROW, _AXES = 56, 70  # pixels of a forest plot


def vega_lite(
    chart: Chart, *, height: int, legend: bool = False, offset: timedelta = timedelta()
) -> Spec:
    """Return a chart as Vega-Lite; ``legend``: name the labelled lines above it.

    ``offset``: of the reader's time from UTC, for labels with hours.
    """
    x, y = _channel(chart.x, offset), _channel(chart.y, offset)
    drawn = [series for series in chart.series if series.points]
    named = {one.label: STYLES[one.style] for one in drawn if one.label and one.shape in _LINES}
    key = _legend(named) if legend else {}
    # Series alike in shape and style are one layer: hundreds of members have a line each.
    alike = groupby(drawn, key=lambda one: (one.shape, one.style, bool(one.sentences)))
    layers = [layer for _, group in alike for layer in _layers(chart, list(group), x, y, key)]
    return {"height": height, "layer": layers}


def forest(
    plot: Forest, title: str | list[str], *, labels: str = "+.3~f", row: int = _ROW
) -> Spec | None:
    """Return a forest plot as Vega-Lite, ``labels`` as d3 formats them; None without an interval.

    Where it is narrow, a name is broken after " − ". ``row``: the height of one, in pixels.
    """
    rows = [
        {"name": one.name, "dot": dot, "low": low, "high": high, "firm": one.firm, "sentence": said}
        for one in plot.rows
        if one is not None and one.interval is not None
        for (low, high), said in [(one.interval, f"{one.name}: {one.text}")]
        for dot in one.dots
    ]
    if not rows:
        return None
    x: Spec = {
        "type": "quantitative",
        "title": title,
        "scale": {"domain": [plot.low, plot.high]},
        "axis": {
            "labelExpr": f"datum.value ? format(datum.value, '{labels}') : '0'",
            "tickCount": 5,
        },
    }
    pair = "width > 600 ? datum.label : split(replace(datum.label, ' − ', ' −\\n'), '\\n')"
    names = {"labelLimit": 300, "labelExpr": pair}
    firm = {"condition": {"test": "datum.firm", "value": COLOURS["curve"]}}
    encoding = {
        "y": {"field": "name", "type": "nominal", "title": None, "sort": None, "axis": names},
        "color": firm | {"value": COLOURS["soft"]},
        "tooltip": _TOOLTIP,
    }
    dashes = {"condition": {"test": "datum.firm", "value": [1, 0]}, "value": [4, 3]}
    whisker = {"x": x | {"field": "low"}, "x2": {"field": "high"}, "strokeDash": dashes}
    data = {"values": rows}
    layers: list[Spec] = [
        {"data": data, "mark": {"type": "rule", "strokeWidth": 2.5}, "encoding": whisker},
        {
            "data": data,
            "mark": {"type": "point", "filled": True, "size": 90, "opacity": 1},
            "encoding": {"x": x | {"field": "dot"}},
        },
    ]
    for layer in layers:
        layer["encoding"] |= encoding
    if plot.reference is not None:
        middle = {"type": "rule", "strokeDash": [4, 3], "color": COLOURS["soft"]}
        at = {"x": {"field": "at", "type": "quantitative"}}
        reference = {"data": {"values": [{"at": plot.reference}]}, "mark": middle, "encoding": at}
        layers.insert(0, reference)
    return {"height": row * len(rows) + _AXES, "layer": layers}


def _layers(chart: Chart, alike: list[Series], x: Spec, y: Spec, key: Spec) -> list[Spec]:
    """Return the layers of like series: their marks, and over lines unseen points to touch."""
    first = alike[0]
    look, names = _SHAPES[first.shape]
    axes = {"x": (chart.x, x), "x2": (chart.x, {}), "y": (chart.y, y), "y2": (chart.y, {})}
    units = [1000 if axes[name][0].scale == "dates" else 1 for name in names]
    label = next((series.label for series in alike if series.label), "")
    named = key if label and first.shape in _LINES else {}
    more: list[Spec] = [
        ({"series": place} if len(alike) > 1 else {}) | ({"label": label} if named else {})
        for place in range(len(alike))
    ]
    rows = [
        row | with_
        for series, with_ in zip(alike, more, strict=True)
        for row in _rows(series, names, units)
    ]
    encoding: Spec = {name: axes[name][1] | {"field": name} for name in names}
    if first.shape == "bars":
        encoding["y2"] = {"datum": chart.y.low}
    if len(alike) > 1:
        encoding["detail"] = {"field": "series", "type": "nominal"}
    if first.sizes:
        scale = {"domain": [0, 1], "range": [30, _MOST_AREA]}
        encoding["size"] = {"field": "size", "type": "quantitative", "scale": scale, "legend": None}
    encoding |= named
    layer = {"data": {"values": rows}, "mark": look | _look(first), "encoding": encoding}
    if not first.sentences:
        return [layer]
    touched = layer | {"encoding": encoding | {"tooltip": _TOOLTIP}}
    if first.shape not in _LINES:
        return [touched]
    unseen = {"type": "point", "size": 60, "opacity": 0, "filled": True}
    at = {name: encoding[name] for name in encoding if name not in ("color", "strokeDash")}
    return [layer, touched | {"mark": unseen, "encoding": at | {"tooltip": _TOOLTIP}}]


def _rows(series: Series, names: Sequence[str], units: Sequence[float]) -> Iterator[Spec]:
    for at, point in enumerate(series.points):
        row: Spec = {
            name: value * unit for name, value, unit in zip(names, point, units, strict=True)
        }
        if series.sentences:
            row["sentence"] = series.sentences[at]
        if series.sizes:
            row["size"] = series.sizes[at]
        yield row


def _channel(axis: Axis, offset: timedelta) -> Spec:
    if axis.scale == "dates":
        return _times(axis, offset)
    scale: Spec = {"domain": [axis.low, axis.high], "nice": False}
    scale |= {"type": "log"} if axis.scale == "log" else {"zero": False}
    # The labels are texts of numbers, never anyone's words.
    labels, ticks = json.dumps(axis.labels, ensure_ascii=False), json.dumps(axis.ticks)
    shown = {
        "values": list(axis.ticks),
        "labelExpr": f"{labels}[indexof({ticks}, datum.value)]",
        "labelFlush": False,
        "labelAngle": 0,
    }
    return {"type": "quantitative", "title": axis.title or None, "scale": scale, "axis": shown}


def _times(axis: Axis, offset: timedelta) -> Spec:
    """Return an axis of ISO 8601 times, in UTC, or with hours in the reader's time.

    Within a day the labels are short, or a phone would have no room for one; the title has the day.
    """
    days, title = (axis.high - axis.low) / 86_400, axis.title
    form = "%Y-%m" if days > 400 else "%Y-%m-%d" if days > 7 else "%m-%d %H:%M"
    if days <= 1:
        form = "%H:%M" if days > 0.01 else "%H:%M:%S"
    if days <= 7:
        day = f"{datetime.fromtimestamp(axis.low, UTC) + offset:%Y-%m-%d}"
        title = f"{title}, from {day}" if title else day
    shown: Spec = {"format": form, "tickCount": 6, "labelOverlap": "greedy", "labelSeparation": 8}
    if offset and days <= 7:
        shifted = f"datum.value + {offset // timedelta(milliseconds=1)}"
        shown["labelExpr"] = f"utcFormat({shifted}, '{form}')"
    return {
        "type": "temporal",
        "title": title or None,
        "scale": {"type": "utc", "domain": [_instant(axis.low), _instant(axis.high)]},
        "axis": shown | {"labelBound": True},
    }


def _instant(seconds: float) -> Spec:
    """Return a time as Vega-Lite reads it in a domain, where a number is not taken for a time."""
    moment = datetime.fromtimestamp(seconds, UTC)
    day = {"year": moment.year, "month": moment.month, "date": moment.day}
    clock = {"hours": moment.hour, "minutes": moment.minute, "seconds": moment.second}
    return {**day, **clock, "utc": True}


def _legend(named: Mapping[str, Style]) -> Spec:
    """Return the encodings of colour and dash, with one legend for all labelled lines."""
    # In pixels, about, with the symbols; on a narrow screen the second column would be cut.
    two_columns = 14 * max(map(len, named)) + 80
    shown = {
        "title": None,
        "orient": "top",
        "columns": {"expr": f"width < {two_columns} ? 1 : 2"},
        "labelLimit": {"expr": "min(300, width - 40)"},
        "symbolType": "stroke",
        "symbolOpacity": 1,
        "symbolSize": 700,
        "symbolStrokeWidth": 2.4,
    }
    ranges: dict[str, list[Any]] = {
        "color": [COLOURS[style.stroke] for style in named.values()],
        "strokeDash": [list(style.dash) or [1, 0] for style in named.values()],
    }
    return {
        channel: {
            "field": "label",
            "type": "nominal",
            "scale": {"domain": list(named), "range": values},
            "legend": shown,
        }
        for channel, values in ranges.items()
    }


def _look(series: Series) -> Spec:
    """Return colour, width, dash and form of a mark."""
    style = STYLES[series.style]
    hollow = not style.fill or style.fill == "page"
    look: Spec = {"color": COLOURS[style.stroke if hollow else style.fill]}
    if style.width:
        look["strokeWidth"] = style.width
    if style.dash:
        look["strokeDash"] = list(style.dash)
    if series.shape == "points":
        look |= {"filled": not hollow, "opacity": 1, "shape": style.mark}
        if not hollow and style.stroke:
            look["stroke"] = COLOURS[style.stroke]
    elif style.opacity != 1:
        look["opacity"] = style.opacity
    return look
