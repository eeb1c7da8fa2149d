"""The charts of a comparison on a page: ``reports.comparison.charts`` drawn as Vega-Lite."""

from __future__ import annotations

from app.charts.records import COLOURS, TOOLTIP, Spec, drawn
from forecasts.reports.comparison import Comparison, Pair, charts
from forecasts.reports.render.wording import BRIER

_ROW, _AXES = 56, 70


def forest_chart(comparison: Comparison) -> Spec | None:
    """Return each pair's difference with its interval, about 0; None if no pair has one."""
    forest = charts.differences(comparison)
    rows = [
        {
            "pair": row.name,
            "difference": row.dots[0],
            "low": row.interval[0],
            "high": row.interval[1],
            "firm": row.firm,
            "sentence": f"{row.name}: {row.text}",
        }
        for row in forest.rows
        if row is not None and row.interval is not None
    ]
    if not rows:
        return None
    x = {
        "field": "low",
        "type": "quantitative",
        "title": [BRIER, "← first better · second better →"],
        "scale": {"domain": [forest.low, forest.high]},
        "axis": {"labelExpr": "datum.value ? format(datum.value, '+.3~f') : '0'", "tickCount": 5},
    }
    rows_of_pairs = {
        "field": "pair",
        "type": "nominal",
        "title": None,
        "sort": None,
        "axis": {"labelLimit": 150, "labelExpr": "split(datum.label, ' − ')"},
    }
    firm = {"test": "datum.firm", "value": COLOURS["curve"]}
    solid = {"test": "datum.firm", "value": [1, 0]}
    every = {
        "y": rows_of_pairs,
        "color": {"condition": firm, "value": COLOURS["soft"]},
        "tooltip": TOOLTIP,
    }
    data = {"values": rows}
    return {
        "height": _ROW * len(rows) + _AXES,
        "layer": [
            {
                "data": {"values": [{"reference": forest.reference}]},
                "mark": {"type": "rule", "strokeDash": [4, 3], "color": COLOURS["soft"]},
                "encoding": {"x": {"field": "reference", "type": "quantitative"}},
            },
            {
                "data": data,
                "mark": {"type": "rule", "strokeWidth": 2.5},
                "encoding": every
                | {
                    "x": x,
                    "x2": {"field": "high"},
                    "strokeDash": {"condition": solid, "value": [4, 3]},
                },
            },
            {
                "data": data,
                "mark": {"type": "point", "filled": True, "size": 90, "opacity": 1},
                "encoding": every | {"x": x | {"field": "difference"}},
            },
        ],
    }


def evidence_chart(pair: Pair) -> Spec | None:
    """Return the evidence over time, which stays valid at any time; None without a line."""
    chart = charts.evidence(pair)
    return None if chart is None else drawn(chart, 200)
