"""The chart of a question's forecasts over time.

Colours are Okabe and Ito's palette, which works with any colour vision, and colour never carries
meaning alone: lines also differ in dash and width, marks in shape. Each colour has a contrast of
about 3:1 or more on the light and the dark background. Users' text is data: it appears in values
and plain titles, never in expressions.

The chart is written as Vega-Lite itself. Rejected: Altair. It copies and validates objects at every
step, which took more than half of the page's run: 120 ms, now 13.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pandas as pd

from app.markdown_text import figure, shortened, significant
from app.times import when, zone
from forecasts.common.errors import LedgerError
from forecasts.ledger.models import QuestionText, QuestionType
from forecasts.scores.paths import CROWD, Paths
from forecasts.values.outcomes import figure_to_float
from forecasts.values.value import format_probability

Spec = dict[str, Any]  # a chart, or a part of one, as Vega-Lite reads it

OTHERS = "Everyone else"
BLUE, _GREEN, _VERMILLION, _PURPLE = "#0072B2", "#009E73", "#D55E00", "#CC79A7"
# The palette's other colours are too pale on white; this one is distinct from those four to all.
_VIOLET = "#9966FF"
GREY, NEUTRAL = "#8A949C", "#7A7F85"
SOLID: list[int] = [1, 0]
# The reader's line, then the highlighted forecasters' lines: each has its own colour and dash.
LINES = (
    (BLUE, SOLID),
    (_GREEN, [7, 2]),
    (_VERMILLION, [2, 2]),
    (_PURPLE, [9, 2, 2, 2]),
    (_VIOLET, [14, 3]),
)
HIGHLIGHTED = len(LINES) - 1  # forecasters besides the reader with their own line
_SHAPES = {"supports": "triangle-up", "opposes": "triangle-down", "context": "circle"}
_SHORTEST = timedelta(hours=1)


def paths_chart(
    paths: Paths,
    text: QuestionText,
    *,
    me: str,
    highlighted: Sequence[str],
    outcome: str | None = None,
) -> Spec:
    """Return every forecaster's steps, the crowd's line, and a mark for each piece of evidence.

    ``me`` and the ``highlighted`` have their own colour and dash; the others share a thin grey
    line. The crowd's line is grey, broad and dashed. Each forecast is a dot, so that the first one
    is visible before its line has any length. Of numbers and dates, the lines are medians, and a
    band spans the middle 50% of the crowd's forecast and of the reader's. A numeric or date
    ``outcome`` is a rule across. ``datasets`` holds the data as named frames.
    """
    coloured = [me, *(name for name in highlighted if name != me)]
    steps = _labelled(paths.steps, coloured)
    crowd = _labelled(paths.crowd.assign(forecaster=CROWD), [CROWD])
    marks = _labelled(paths.marks, coloured).assign(earned=paths.marks["points"].map(points_earned))
    key = _key([who for who in (*coloured, OTHERS) if (steps["who"] == who).any()], me)
    came_true = _came_true(text, outcome)
    at = {
        "x": time_axis(paths.steps["time"]),
        "y": value_axis(text, [*_drawn_values(paths.steps, text), *came_true]),
    }
    coloured_at = {**at, "color": key["color"]}
    stretch = [field("forecaster"), field("stretch")]
    # The last row of a stretch only marks its end; the others are forecasts.
    forecasts = steps[steps.duplicated(["forecaster", "stretch"], keep="last")]
    frames = {
        "quiet": steps[steps["who"] == OTHERS],
        "crowd": crowd,
        "lines": steps[steps["who"] != OTHERS],
        "quietDots": forecasts[forecasts["who"] == OTHERS],
        "dots": forecasts[forecasts["who"] != OTHERS],
        "steps": steps,
        "evidence": marks,
    }
    layers = []
    if text.is_quantitative:
        for name in ("steps", "lines", "crowd", "quiet"):
            frames[name] = frames[name].assign(middle=_middles(frames[name], text))
        frames["ownBand"] = frames["steps"][frames["steps"]["forecaster"] == me]
        # The crowd of one is that one's forecast.
        frames["crowdBand"] = frames["crowd"] if steps["forecaster"].nunique() > 1 else crowd[:0]
        layers += [_band("crowdBand", at, NEUTRAL), _band("ownBand", at, BLUE)]
    if came_true:
        frames["outcome"] = pd.DataFrame({"value": came_true, "label": [f"outcome {outcome}"]})
        layers += _outcome_rule("outcome", at["y"])
    layers += [
        layer(
            *(name, "line", {**at, "detail": stretch, **key}),
            interpolate="step-after",
            strokeWidth=width,
            opacity=opacity,
        )
        for name, width, opacity in (("quiet", 1.0, 0.6), ("crowd", 3.2, 0.9), ("lines", 2.2, 1.0))
    ]
    layers += [
        layer(name, "point", coloured_at, size=size, filled=True, opacity=opacity)
        for name, size, opacity in (("quietDots", 10, 0.6), ("dots", 34, 1.0))
    ]
    forecast_tips = tips("forecaster", "forecast", "at")
    live = field("live", "quantitative", title="Active")
    median = [forecast_tips[0], _as_read(text), live, forecast_tips[-1]]
    if text.is_quantitative:
        middle = field("middle", title="Middle 50%")
        forecast_tips.insert(1, middle)
        median.insert(2, middle)
    layers += [
        layer(name, "point", {**coloured_at, "tooltip": tip}, size=60, opacity=0, filled=True)
        for name, tip in (("crowd", median), ("steps", forecast_tips))
    ]
    shape = {"domain": list(_SHAPES), "range": list(_SHAPES.values())}
    last = ("reason",) if outcome is None else ("reason", "earned")
    cited = {
        "shape": field("stance", scale=shape, legend=None),
        "tooltip": tips("evidence", "stance", "forecaster", "forecast", "at", *last),
    }
    look = {"size": 95, "filled": True, "opacity": 1, "stroke": "white", "strokeWidth": 0.8}
    layers.append(layer("evidence", "point", coloured_at | cited, **look))
    # An empty layer would make Vega warn of an infinite extent.
    shown = [layer for layer in layers if len(frames[layer["data"]["name"]])]
    used = {layer["data"]["name"] for layer in shown}
    return {
        "layer": shown,
        "height": 340,
        "datasets": {name: frame for name, frame in frames.items() if name in used},
    }


def layer(data: str | list[Spec], mark: str, encoding: Spec, **how: Any) -> Spec:
    """Return a layer that draws the frame of that name, or these rows."""
    of = {"name": data} if isinstance(data, str) else {"values": data}
    return {"data": of, "mark": {"type": mark, **how}, "encoding": encoding}


def field(name: str, kind: str = "nominal", **how: Any) -> Spec:
    """Return the encoding of a column."""
    return {"field": name, "type": kind, **how}


def tips(*names: str) -> list[Spec]:
    """Return the entries of a tooltip, each titled with its column's name."""
    return [field(name, title=name.capitalize()) for name in names]


def lines_key(name: str, lines: Mapping[str, tuple[str, list[int]]], **legend: Any) -> Spec:
    """Return the colour and the dash of each line, by the values of a column, in one legend."""
    shown: Spec = {"title": None, "orient": "top", "symbolType": "stroke", "symbolOpacity": 1}
    shown |= {"symbolStrokeWidth": 2.4, **legend}
    colours, dashes = ([line[place] for line in lines.values()] for place in range(2))
    return {
        channel: field(name, scale={"domain": list(lines), "range": values}, legend=shown)
        for channel, values in (("color", colours), ("strokeDash", dashes))
    }


def points_earned(points: float) -> str:
    """Return the points earned by a piece of evidence."""
    if math.isnan(points):
        return "–"
    return f"{'+' if points >= 0 else ''}{significant(points)} (above 0: helped)"


def _drawn_values(steps: pd.DataFrame, text: QuestionText) -> list[Any]:
    names = ["value", "low", "high"] if text.is_quantitative else ["value"]
    return [value for name in names for value in steps[name]]


def _band(frame: str, at: Spec, colour: str) -> Spec:
    """Return the area between the quartiles in the frame of that name."""
    area = {"x": at["x"], "y": at["y"] | {"field": "low"}, "y2": field("high")}
    del area["y2"]["type"]
    drawn = {"color": colour, "opacity": 0.16, "interpolate": "step-after"}
    return layer(frame, "area", area | {"detail": [field("stretch")]}, **drawn)


def _middles(frame: pd.DataFrame, text: QuestionText) -> list[str]:
    """Return the middle 50% of each row's forecast as text."""
    return [
        format_middle(low, high, text)
        for low, high in zip(frame["low"], frame["high"], strict=True)
    ]


def _came_true(text: QuestionText, outcome: str | None) -> list[float]:
    """Return a numeric or date outcome's place on the axis, if it has one."""
    if outcome is None or not text.is_quantitative:
        return []
    try:
        return [figure_to_float(outcome, text.type)]
    except (ValueError, LedgerError):
        return []  # beyond a bound; the exact place is unknown


def _outcome_rule(frame: str, y: Spec) -> list[Spec]:
    """Return the rule across the chart and its label."""
    rule = {"y": y, "tooltip": field("label", title="Outcome")}
    word = {"x": {"value": 0}, "y": y, "text": field("label")}
    offset = {"align": "left", "baseline": "bottom", "dx": 4, "dy": -3}
    return [
        layer(frame, "rule", rule, color=_VERMILLION, strokeDash=[1, 3], strokeWidth=2),
        layer(frame, "text", word, color=_VERMILLION, **offset),
    ]


def describe_paths(paths: Paths, text: QuestionText, *, me: str) -> str:
    """Return in words where the lines end: the reader's own, and the crowd's."""
    own = paths.steps[paths.steps["forecaster"] == me]
    sentences = [f"Forecasts on “{text.title}” over time."]
    if len(own):
        sentences.append(f"Your line ends at {own['forecast'].iloc[-1]}.")
    if len(paths.crowd):
        last = paths.crowd.iloc[-1]
        median = format_median(last["value"], text)
        if text.is_quantitative:
            median += f" (middle 50%: {format_middle(last['low'], last['high'], text)})"
        sentences.append(
            f"The crowd’s median ends at {median}, of {last['live']} active forecasts."
        )
    return " ".join([*sentences, "The table under the chart lists every forecast."])


def format_median(value: Any, text: QuestionText) -> str:
    """Return the crowd's median as a probability, a number or a day; a dash if missing.

    ``value`` as in ``Paths.crowd``.
    """
    if pd.isna(value):
        return "–"
    if text.type == QuestionType.date:
        return figure(value.timestamp(), text)
    if text.type == QuestionType.numeric:
        return figure(value, text)
    return format_probability(value)


def format_middle(low: Any, high: Any, text: QuestionText) -> str:
    """Return the range between two quartiles: '4 m to 8 m'; a dash if missing."""
    if pd.isna(low):
        return "–"
    return f"{format_median(low, text)} to {format_median(high, text)}"


def _labelled(frame: pd.DataFrame, coloured: Sequence[str]) -> pd.DataFrame:
    """Return the frame with the legend's name (``who``) and the time as text (``at``)."""
    return frame.assign(
        who=frame["forecaster"].where(frame["forecaster"].isin(coloured), OTHERS),
        at=frame["time"].map(when),
    )


def _key(present: Sequence[str], me: str) -> Spec:
    """Return the colour and dash of each line in the legend, the crowd's last."""
    own = iter(LINES[1:])
    lines = {
        who: LINES[0] if who == me else (GREY, SOLID) if who == OTHERS else next(own)
        for who in present
    } | {CROWD: (NEUTRAL, [6, 4])}
    return lines_key("who", lines, columns=2, labelLimit=150, symbolSize=700)


def time_axis(times: pd.Series[pd.Timestamp]) -> Spec:
    """Return a time axis with ISO 8601 labels, just long enough to distinguish the ticks.

    Months and days are those of UTC, hours the reader's.
    """
    first, last = times.min(), times.max()
    if last - first < _SHORTEST:
        last = first + _SHORTEST
    span = last - first
    labels = (
        "%Y-%m" if span > timedelta(days=400)
        else "%Y-%m-%d" if span > timedelta(days=7)
        else "%Y-%m-%d %H:%M"
    )  # fmt: skip
    ahead = zone().utcoffset(last.to_pydatetime()) or timedelta()
    local = {}
    if ahead and span <= timedelta(days=7):
        shifted = f"datum.value + {ahead // timedelta(milliseconds=1)}"
        local = {"labelExpr": f"utcFormat({shifted}, '{labels}')"}
    return field(
        "time",
        "temporal",
        title=None,
        scale={"type": "utc", "domain": [_instant(first), _instant(last)]},
        axis={
            "format": labels,
            **local,
            "tickCount": 6,
            "labelOverlap": "greedy",
            "labelSeparation": 8,
            "labelBound": True,
        },
    )


def _instant(moment: pd.Timestamp) -> Spec:
    parts = {f"{part}s": getattr(moment, part) for part in ("hour", "minute", "second")}
    day = {"year": moment.year, "month": moment.month, "date": moment.day}
    return {**day, **parts, "milliseconds": moment.microsecond // 1000, "utc": True}


def _as_read(text: QuestionText) -> Spec:
    """Return the encoding of the crowd's median in a tooltip."""
    if text.type == QuestionType.date:
        return field("value", "temporal", title="Median", format="%Y-%m-%d")
    if text.type == QuestionType.numeric:
        return field("value", "quantitative", title="Median")
    return field("value", "quantitative", title="Median", format=".1%")


def value_axis(text: QuestionText, values: Sequence[object]) -> Spec:
    """Return the axis of probabilities, numbers or days; ``values``: the drawn ones."""
    # Equal values do not determine the axis's span; the question's range does.
    flat = len(set(values)) == 1
    if text.type == QuestionType.date:
        ends = [pd.Timestamp(bound) for bound in (text.lower_bound, text.upper_bound) if bound]
        return field(
            "value",
            "temporal",
            title="Median day",
            scale={"type": "utc", "zero": False, **_spanning(flat, list(map(_instant, ends)))},
            axis={"format": "%Y-%m-%d", "tickCount": 5},
        )
    if text.type == QuestionType.numeric:
        numbers = [float(bound) for bound in (text.lower_bound, text.upper_bound) if bound]
        return field(
            "value",
            "quantitative",
            title=f"Median, {shortened(text.unit, 40)}" if text.unit else "Median",
            scale={"zero": False, "nice": True, **_spanning(flat, numbers)},
            axis={"tickCount": 5},
        )
    return field(
        "value",
        "quantitative",
        title=None,
        scale={"domain": [0, 1], "nice": False},
        axis={
            "labelExpr": "format(100 * datum.value, '.3~f') + '%'",
            "labelFlush": False,
            "values": [0, 0.25, 0.5, 0.75, 1],
        },
    )


def _spanning(flat: bool, ends: Sequence[object]) -> Spec:
    return {"domain": list(ends)} if flat and len(ends) == 2 else {}
