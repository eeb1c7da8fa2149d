"""From the ledger's lines and a report's numbers to charts. Nothing is computed here.

Colours are Okabe and Ito's, told apart with any colour vision, and never alone in carrying a
meaning: lines differ in dash and width as well, marks in shape. Each has a contrast of about 3 to
1 or more on the light background and on the dark one. Everyone's words are data: they stand in
values, and in titles as plain text, never in expressions.

The chart of a question's paths is written as Vega-Lite itself, since its page is run more often
than any other. Rejected: Altair, as elsewhere. Its objects are copied and checked against the
schema at every step, and that took more than half of the page's whole run: 120 ms, now 13.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import altair as alt
import pandas as pd

from app.markdown_text import figure, shortened, when
from forecasts.common.errors import LedgerError
from forecasts.ledger.models import QuestionText, QuestionType
from forecasts.questions.outcomes import figure_to_float
from forecasts.scores.paths import CROWD, Paths
from forecasts.updates.previews import Slice
from forecasts.updates.values import format_probability

Chart = alt.Chart | alt.LayerChart | alt.FacetChart
Spec = dict[str, Any]  # a chart, or a part of one, as Vega-Lite reads it

OTHERS = "Everyone else"
_BLUE, _GREEN, _VERMILLION, _PURPLE = "#0072B2", "#009E73", "#D55E00", "#CC79A7"
# The palette's other colours are too pale for white; this one is far from those four in any vision.
_VIOLET = "#9966FF"
_GREY, _NEUTRAL = "#8A949C", "#7A7F85"
_SOLID: list[int] = [1, 0]
# The reader's line, then those that are named: a colour and a dash of its own each.
LINES = (
    (_BLUE, _SOLID),
    (_GREEN, [7, 2]),
    (_VERMILLION, [2, 2]),
    (_PURPLE, [9, 2, 2, 2]),
    (_VIOLET, [14, 3]),
)
NAMED = len(LINES) - 1  # forecasters besides the reader who get a line of their own
_SHAPES = {"supports": "triangle-up", "opposes": "triangle-down", "context": "circle"}
_SHORTEST = timedelta(hours=1)
QUARTERS = [0, 0.25, 0.5, 0.75, 1]
# Shares are written as everywhere: the sign apart; and each beside its line.
_SHARES: dict[str, Any] = {
    "labelExpr": "format(100 * datum.value, '.3~f') + '\u00a0%'",
    "labelFlush": False,
}


def share_axis(**more: Any) -> alt.Axis:
    """Return an axis of shares."""
    return alt.Axis(**_SHARES, **more)


def paths_chart(
    paths: Paths, text: QuestionText, *, me: str, named: Sequence[str], outcome: str | None = None
) -> Spec:
    """Return every forecaster's steps, the crowd's, and a mark where evidence came in.

    ``me`` and those ``named`` get a line of their own colour and dash; the others share a quiet
    one. The crowd's is grey, broad and dashed. Each forecast is a dot, so that a first one shows
    before its line has any length. A number or a day that is the ``outcome`` is a rule across.
    The data stand in ``datasets``, a frame a name.
    """
    coloured = [me, *(name for name in named if name != me)]
    steps = _labelled(paths.steps, coloured)
    crowd = _labelled(paths.crowd.assign(forecaster=CROWD), [CROWD])
    marks = _labelled(paths.marks, coloured).assign(earned=paths.marks["points"].map(_points))
    key = _key([who for who in (*coloured, OTHERS) if (steps["who"] == who).any()], me)
    came_true = _came_true(text, outcome)
    at = {
        "x": _time_axis(paths.steps["time"]),
        "y": _value_axis(text, [*paths.steps["value"], *came_true]),
    }
    coloured_at = {**at, "color": key["color"]}
    stretch = [_field("forecaster"), _field("stretch")]
    # The last row of a stretch says when it ends; the others are what was said.
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
    if came_true:
        frames["outcome"] = pd.DataFrame({"value": came_true, "said": [f"outcome {outcome}"]})
        layers += _outcome_rule("outcome", at["y"])
    layers += [
        _layer(
            *(name, "line", {**at, "detail": stretch, **key}),
            interpolate="step-after",
            strokeWidth=width,
            opacity=opacity,
        )
        for name, width, opacity in (("quiet", 1.0, 0.6), ("crowd", 3.2, 0.9), ("lines", 2.2, 1.0))
    ]
    layers += [
        _layer(name, "point", coloured_at, size=size, filled=True, opacity=opacity)
        for name, size, opacity in (("quietDots", 10, 0.6), ("dots", 34, 1.0))
    ]
    said = [
        _field("forecaster", title="Forecaster"),
        _field("said", title="Forecast"),
        _field("at", title="At"),
    ]
    median = [
        _field("forecaster", title="Forecaster"),
        _as_read(text),
        _field("live", "quantitative", title="Standing"),
        said[-1],
    ]
    layers += [
        _layer(name, "point", {**coloured_at, "tooltip": tip}, size=60, opacity=0, filled=True)
        for name, tip in (("crowd", median), ("steps", said))
    ]
    shape = {"domain": list(_SHAPES), "range": list(_SHAPES.values())}
    tooltip = [
        _field("evidence", title="Evidence"),
        _field("stance", title="Stance"),
        *said,
        _field("reason", title="Reason"),
        *([] if outcome is None else [_field("earned", title="Earned")]),
    ]
    layers.append(
        _layer(
            "evidence",
            "point",
            {
                **coloured_at,
                "shape": _field("stance", scale=shape, legend=None),
                "tooltip": tooltip,
            },
            size=95,
            filled=True,
            opacity=1,
            stroke="white",
            strokeWidth=0.8,
        )
    )
    # An empty layer would make Vega warn of an infinite extent.
    shown = [layer for layer in layers if len(frames[layer["data"]["name"]])]
    used = {layer["data"]["name"] for layer in shown}
    return {
        "layer": shown,
        "height": 340,
        "datasets": {name: frame for name, frame in frames.items() if name in used},
    }


def _layer(frame: str, mark: str, encoding: Spec, **how: Any) -> Spec:
    """Return a layer that draws the frame of that name."""
    return {"data": {"name": frame}, "mark": {"type": mark, **how}, "encoding": encoding}


def _field(name: str, kind: str = "nominal", **how: Any) -> Spec:
    """Return how a column of the frame is read."""
    return {"field": name, "type": kind, **how}


def _points(points: float) -> str:
    """Return what a piece of evidence earned, for a person."""
    return "–" if math.isnan(points) else f"{points:+.4f} (above 0: it helped)"


def _came_true(text: QuestionText, outcome: str | None) -> list[float]:
    """Return where a number or a day that came true lies on the axis; nothing of anything else."""
    if outcome is None or not text.is_quantitative:
        return []
    try:
        return [figure_to_float(outcome, text.type)]
    except (ValueError, LedgerError):
        return []  # beyond a bound, and no more is known


def _outcome_rule(frame: str, y: Spec) -> list[Spec]:
    """Return the rule across the chart, and the word that says what it is."""
    said = _field("said")
    rule = {"y": y, "tooltip": {**said, "title": "Outcome"}}
    word = {"x": {"value": 0}, "y": y, "text": said}
    lies = {"align": "left", "baseline": "bottom", "dx": 4, "dy": -3}
    return [
        _layer(frame, "rule", rule, color=_VERMILLION, strokeDash=[1, 3], strokeWidth=2),
        _layer(frame, "text", word, color=_VERMILLION, **lies),
    ]


def say_paths(paths: Paths, text: QuestionText, *, me: str) -> str:
    """Return in words where the lines end: the reader's own, and the crowd's."""
    own = paths.steps[paths.steps["forecaster"] == me]
    said = [f"Forecasts on “{text.title}” over time."]
    if len(own):
        said.append(f"Your line ends at {own['said'].iloc[-1]}.")
    if len(paths.crowd):
        last = paths.crowd.iloc[-1]
        median = say_median(last["value"], text)
        said.append(f"The crowd’s median ends at {median}, of {last['live']} standing.")
    return " ".join([*said, "Every forecast stands in the table under the chart."])


def say_median(value: Any, text: QuestionText) -> str:
    """Return the crowd's value as a person reads it: a probability, a number or a day; – if none.

    ``value`` as in ``Paths.crowd``.
    """
    if pd.isna(value):
        return "–"
    if text.type == QuestionType.date:
        return figure(value.timestamp(), text)
    if text.type == QuestionType.numeric:
        return figure(value, text)
    return format_probability(value)


def density_chart(slices: Sequence[Slice], text: QuestionText) -> Chart:
    """Return how densely the chance lies between two quantiles; the area of each is its chance.

    The rule is where it would lie if all between the bounds were equally likely.
    """
    dated = text.type == QuestionType.date
    frame = pd.DataFrame(
        {
            "low": _on_axis([one.low for one in slices], dated=dated),
            "high": _on_axis([one.high for one in slices], dated=dated),
            "density": [one.density for one in slices],
            "from": [figure(one.low, text) for one in slices],
            "to": [figure(one.high, text) for one in slices],
            "chance": [format_probability(one.chance) for one in slices],
        }
    ).dropna()
    scale = alt.Scale(type="utc", nice=False) if dated else alt.Scale(nice=False, zero=False)
    axis = alt.Axis(format="%Y-%m-%d", tickCount=3) if dated else alt.Axis(tickCount=5)
    unit = shortened(text.unit, 40) if text.unit else None
    drawn = alt.Chart(frame)
    area = drawn.mark_rect(color=_BLUE, opacity=0.75, stroke=_NEUTRAL, strokeWidth=1).encode(
        x=alt.X("low:T" if dated else "low:Q", title=unit, scale=scale, axis=axis),
        x2="high",
        y=alt.Y(
            "density:Q", title="Density", axis=alt.Axis(tickCount=3), scale=alt.Scale(zero=True)
        ),
        y2=alt.datum(0),
        tooltip=[
            alt.Tooltip("from:N", title="From"),
            alt.Tooltip("to:N", title="To"),
            alt.Tooltip("chance:N", title="Chance"),
        ],
    )
    even = (
        alt.Chart(pd.DataFrame({"even": [1.0]}))
        .mark_rule(color=_NEUTRAL, strokeDash=[4, 4])
        .encode(y="even:Q")
    )
    return alt.layer(area, even).properties(height=150)


def _on_axis(numbers: Sequence[float], *, dated: bool) -> Any:
    return pd.to_datetime(list(numbers), unit="s", utc=True) if dated else list(numbers)


def _labelled(frame: pd.DataFrame, coloured: Sequence[str]) -> pd.DataFrame:
    """Return the frame with the name in the legend (``who``) and the time in words (``at``)."""
    return frame.assign(
        who=frame["forecaster"].where(frame["forecaster"].isin(coloured), OTHERS),
        at=frame["time"].map(when),
    )


def _key(present: Sequence[str], me: str) -> Spec:
    """Return the colour and the dash of each line in the legend, of which the crowd's is last."""
    own = iter(LINES[1:])
    lines = {
        who: LINES[0] if who == me else (_GREY, _SOLID) if who == OTHERS else next(own)
        for who in present
    } | {CROWD: (_NEUTRAL, [6, 4])}
    legend = {
        "title": None,
        "orient": "top",
        "columns": 2,
        "labelLimit": 150,
        "symbolType": "stroke",
        "symbolOpacity": 1,
        "symbolSize": 700,
        "symbolStrokeWidth": 2.4,
    }
    domain = list(lines)
    colours, dashes = ([line[i] for line in lines.values()] for i in range(2))
    return {
        "color": _field("who", scale={"domain": domain, "range": colours}, legend=legend),
        "strokeDash": _field("who", scale={"domain": domain, "range": dashes}, legend=legend),
    }


def _time_axis(times: pd.Series[pd.Timestamp]) -> Spec:
    """Return an axis in UTC, labelled as ISO 8601 does: as long as tells two ticks apart."""
    first, last = times.min(), times.max()
    if last - first < _SHORTEST:
        last = first + _SHORTEST
    span = last - first
    labels = (
        "%Y-%m" if span > timedelta(days=400)
        else "%Y-%m-%d" if span > timedelta(days=7)
        else "%Y-%m-%d %H:%M"
    )  # fmt: skip
    return _field(
        "time",
        "temporal",
        title=None,
        scale={"type": "utc", "domain": [_instant(first), _instant(last)]},
        axis={
            "format": labels,
            "tickCount": 6,
            "labelOverlap": "greedy",
            "labelSeparation": 8,
            "labelBound": True,
        },
    )


def _instant(moment: pd.Timestamp) -> Spec:
    return {
        "year": moment.year,
        "month": moment.month,
        "date": moment.day,
        "hours": moment.hour,
        "minutes": moment.minute,
        "seconds": moment.second,
        "milliseconds": moment.microsecond // 1000,
        "utc": True,
    }


def _as_read(text: QuestionText) -> Spec:
    """Return the crowd's value as a person reads it."""
    if text.type == QuestionType.date:
        return _field("value", "temporal", title="Median", format="%Y-%m-%d")
    if text.type == QuestionType.numeric:
        return _field("value", "quantitative", title="Median")
    return _field("value", "quantitative", title="Median", format=".1%")


def _value_axis(text: QuestionText, values: Sequence[object]) -> Spec:
    # Where all values are one, they say nothing of what the axis should span; the question does.
    flat = len(set(values)) == 1
    if text.type == QuestionType.date:
        ends = [pd.Timestamp(bound) for bound in (text.lower_bound, text.upper_bound) if bound]
        return _field(
            "value",
            "temporal",
            title="Median day",
            scale={"type": "utc", "zero": False, **_spanning(flat, list(map(_instant, ends)))},
            axis={"format": "%Y-%m-%d", "tickCount": 5},
        )
    if text.type == QuestionType.numeric:
        numbers = [float(bound) for bound in (text.lower_bound, text.upper_bound) if bound]
        return _field(
            "value",
            "quantitative",
            title=f"Median, {shortened(text.unit, 40)}" if text.unit else "Median",
            scale={"zero": False, "nice": True, **_spanning(flat, numbers)},
            axis={"tickCount": 5},
        )
    return _field(
        "value",
        "quantitative",
        title=None,
        scale={"domain": [0, 1], "nice": False},
        axis={**_SHARES, "values": QUARTERS},
    )


def _spanning(flat: bool, ends: Sequence[object]) -> Spec:
    return {"domain": list(ends)} if flat and len(ends) == 2 else {}
