"""The charts of a comparison on a page: ``reports.comparison.charts`` drawn as Vega-Lite."""

from __future__ import annotations

from app.charts.question_chart import Spec, field, layer
from app.charts.records import COLOURS, TOOLTIP, drawn
from forecasts.reports.comparison import Comparison, Pair, charts
from forecasts.reports.wording import BRIER

_ROW, _AXES = 56, 70


def forest_chart(comparison: Comparison) -> Spec | None:
    """Return each pair's difference with its interval, about 0; None if no pair has one."""
    forest = charts.differences(comparison)
    rows: list[Spec] = [
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
    x = field(
        "low",
        "quantitative",
        title=[BRIER, "← first better · second better →"],
        scale={"domain": [forest.low, forest.high]},
        axis={"labelExpr": "datum.value ? format(datum.value, '+.3~f') : '0'", "tickCount": 5},
    )
    labels = {"labelLimit": 150, "labelExpr": "split(datum.label, ' − ')"}
    firm = {"test": "datum.firm", "value": COLOURS["curve"]}
    solid = {"test": "datum.firm", "value": [1, 0]}
    every = {
        "y": field("pair", title=None, sort=None, axis=labels),
        "color": {"condition": firm, "value": COLOURS["soft"]},
        "tooltip": TOOLTIP,
    }
    whisker = {"x": x, "x2": {"field": "high"}}
    whisker["strokeDash"] = {"condition": solid, "value": [4, 3]}
    mean, zero = {"x": x | {"field": "difference"}}, {"x": field("reference", "quantitative")}
    middle: list[Spec] = [{"reference": forest.reference}]
    return {
        "height": _ROW * len(rows) + _AXES,
        "layer": [
            layer(middle, "rule", zero, strokeDash=[4, 3], color=COLOURS["soft"]),
            layer(rows, "rule", every | whisker, strokeWidth=2.5),
            layer(rows, "point", every | mean, filled=True, size=90, opacity=1),
        ],
    }


def losses_chart(pair: Pair) -> Spec:
    """Return the difference of the losses of a pair at each threshold, with its band."""
    return drawn(charts.murphy(pair), 240)


def evidence_chart(pair: Pair) -> Spec | None:
    """Return the evidence over time, which stays valid at any time; None without a line."""
    chart = charts.evidence(pair)
    return None if chart is None else drawn(chart, 200)
