"""The chart of all options of a question: the crowd's median of each over time.

See ``charts.question_chart`` on colours, on users' text and on Altair.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from app.charts.question_chart import (
    GREY,
    LINES,
    SOLID,
    Spec,
    field,
    layer,
    lines_key,
    time_axis,
    tips,
    value_axis,
)
from app.times import when
from forecasts.ledger.models import QuestionText
from forecasts.scores.paths import Paths
from forecasts.values.value import format_probability

REST = "Other options"
_LEGEND_ROW = 21  # pixels


def options_chart(
    every: Sequence[Paths], text: QuestionText, *, me: str, outcome: str | None = None
) -> Spec:
    """Return a line per option; the leaders are coloured and named with their latest median.

    ``every``: the paths of each option. The other options are thin and grey. Dots are the reader's
    own forecasts on the leaders. The ``outcome`` is among the leaders. ``datasets`` as in
    ``paths_chart``.
    """
    names = labels(every, text, outcome)
    leaders = leading(every, text, outcome)
    crowd, own = [], []  # the reader's forecasts only on the leaders
    for place, paths in enumerate(every):
        about = {
            "option": (text.options or [])[place],
            "who": names[place] if place in leaders else REST,
        }
        crowd.append(paths.crowd.assign(**about))
        mine = paths.steps[(paths.steps["forecaster"] == me) & (place in leaders)]
        own.append(mine[mine.duplicated("stretch", keep="last")].assign(**about))
    lines, dots = (pd.concat(parts, ignore_index=True) for parts in (crowd, own))
    frames = {"lines": lines, "dots": dots}
    frames = {
        name: frame.assign(
            at=frame["time"].map(when), percent=frame["value"].map(format_probability)
        )
        for name, frame in frames.items()
    }
    frames["quiet"] = frames["lines"][lines["who"] == REST]
    frames["leading"] = frames["lines"][lines["who"] != REST]
    key = {names[place]: line for place, line in zip(leaders, LINES, strict=False)}
    if len(frames["quiet"]):
        key[REST] = (GREY, SOLID)
    key_of = lines_key("who", key, columns=1, labelLimit=300, symbolSize=700)
    at = {
        "x": time_axis(lines["time"]),
        "y": _axis(text, max(lines["value"].max(), dots["value"].max())),
    }
    stretch = [field("option"), field("stretch")]
    coloured = {**at, "color": key_of["color"]}
    told = [*tips("option"), field("percent", title="Median"), field("live", title="Active")]
    said = [*tips("option"), field("percent", title="You"), *tips("at")]
    layers = [
        layer(
            *(name, "line", {**at, "detail": stretch, **key_of}),
            interpolate="step-after",
            strokeWidth=width,
            opacity=opacity,
        )
        for name, width, opacity in (("quiet", 1.0, 0.6), ("leading", 2.2, 1.0))
    ]
    layers += [
        layer("dots", "point", {**coloured, "tooltip": said}, size=34, filled=True, opacity=1),
        layer(
            *("lines", "point", {**coloured, "tooltip": [*told, *tips("at")]}),
            size=60,
            opacity=0,
            filled=True,
        ),
    ]
    shown = [layer for layer in layers if len(frames[layer["data"]["name"]])]
    used = {layer["data"]["name"] for layer in shown}
    return {
        "layer": shown,
        "height": 310 + _LEGEND_ROW * len(key),  # which includes the legend
        "datasets": {name: frame for name, frame in frames.items() if name in used},
    }


def _axis(text: QuestionText, highest: float) -> Spec:
    """Return the axis from 0 to the quarter above the highest probability."""
    axis = value_axis(text, [])
    top = max(0.25, math.ceil(4 * highest) / 4)
    axis["scale"] = {"domain": [0, top], "nice": False}
    axis["axis"] = {**axis["axis"], "values": [top * part / 5 for part in range(6)]}
    return axis


def leading(every: Sequence[Paths], text: QuestionText, outcome: str | None) -> list[int]:
    """Return the places of the options with their own line: the outcome, then the likeliest."""
    options = text.options or []
    ends = [_end(paths) for paths in every]
    places = sorted(
        range(len(every)),
        key=lambda place: (
            options[place] != outcome,
            1 if math.isnan(ends[place]) else -ends[place],
        ),
    )
    return places[: len(LINES)]


def labels(every: Sequence[Paths], text: QuestionText, outcome: str | None) -> list[str]:
    """Return each option with the crowd's latest median: '28% Two'."""
    return [
        f"{'–' if math.isnan(end) else format_probability(end)} {option}"
        + (" (outcome)" if option == outcome else "")
        for option, end in zip(text.options or [], map(_end, every), strict=True)
    ]


def describe_options(every: Sequence[Paths], text: QuestionText, *, outcome: str | None) -> str:
    """Return in words where the leaders' lines end."""
    names = labels(every, text, outcome)
    ends = "; ".join(names[place] for place in leading(every, text, outcome))
    return (
        f"The crowd’s median of each option of “{text.title}” over time. The lines end at {ends}. "
        "The table under the chart lists every forecast."
    )


def _end(paths: Paths) -> float:
    return float(paths.crowd["value"].iloc[-1]) if len(paths.crowd) else math.nan
