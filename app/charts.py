"""From the ledger's lines and a report's numbers to Altair charts. Nothing is computed here.

Colours are Okabe and Ito's, told apart with any colour vision, and never alone in carrying a
meaning: lines differ in dash and width as well, marks in shape. Everyone's words are data: they
stand in values, never in titles or expressions.
"""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from app.words import when
from forecasts.models import QuestionText, QuestionType
from forecasts.paths import CROWD, Paths
from forecasts.reports import Group

Chart = alt.Chart | alt.LayerChart | alt.FacetChart

OTHERS = "Everyone else"
NAMED = 5  # forecasters besides the reader who get a colour of their own
_MINE = "#0072B2"
_CROWD = "#E69F00"
_NAMED = ("#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#B8AC00")
_GREY = "#8A949C"
_SHAPES = {"supports": "triangle-up", "opposes": "triangle-down", "context": "circle"}


def paths_chart(paths: Paths, text: QuestionText, *, me: str, named: Sequence[str]) -> Chart:
    """Return every forecaster's steps, the crowd's, and a mark where evidence came in.

    ``me`` and those ``named`` get a line of their own colour; the others share a quiet one.
    """
    coloured = [me, *(name for name in named if name != me)]
    steps = paths.steps.assign(
        who=paths.steps["forecaster"].where(paths.steps["forecaster"].isin(coloured), OTHERS),
        at=paths.steps["time"].map(when),
    )
    crowd = paths.crowd.assign(
        who=CROWD,
        at=paths.crowd["time"].map(when),
        said=paths.crowd["live"].map(lambda live: f"of {live}"),
    )
    marks = paths.marks.assign(
        who=paths.marks["forecaster"].where(paths.marks["forecaster"].isin(coloured), OTHERS),
        at=paths.marks["time"].map(when),
    )
    present = [who for who in (*coloured, OTHERS) if (steps["who"] == who).any()]
    colours = dict(zip([me, *coloured[1:]], (_MINE, *_NAMED), strict=False)) | {OTHERS: _GREY}
    key = alt.Color(
        "who:N",
        scale=alt.Scale(
            domain=[*present, CROWD], range=[*(colours[who] for who in present), _CROWD]
        ),
        legend=alt.Legend(
            title=None,
            orient="top",
            columns=2,
            labelLimit=150,
            symbolType="stroke",
            symbolOpacity=1,
        ),
    )
    x = alt.X("time:T", scale=alt.Scale(type="utc"), title=None)
    y = _value_axis(text)
    quiet = steps["who"] == OTHERS
    layers = []
    # An empty layer would make Vega warn of an infinite extent.
    for part, width, opacity in ((steps[quiet], 1.0, 0.55), (steps[~quiet], 2.2, 1.0)):
        if len(part):
            layers.append(
                alt.Chart(part)
                .mark_line(interpolate="step-after", strokeWidth=width, opacity=opacity)
                .encode(x=x, y=y, detail="forecaster:N", color=key)
            )
    median = (
        alt.Chart(crowd)
        .mark_line(interpolate="step-after", strokeWidth=2.6, strokeDash=[6, 4])
        .encode(x=x, y=y, color=key)
    )
    said = [
        alt.Tooltip("forecaster:N", title="Forecaster"),
        alt.Tooltip("said:N", title="Forecast"),
        alt.Tooltip("at:N", title="Made"),
    ]
    touch = (
        alt.Chart(steps)
        .mark_point(size=60, opacity=0, filled=True)
        .encode(x=x, y=y, color=key, tooltip=said)
    )
    layers += [median, touch]
    if len(marks):
        shape = alt.Scale(domain=list(_SHAPES), range=list(_SHAPES.values()))
        layers.append(
            alt.Chart(marks)
            .mark_point(size=95, filled=True, opacity=1, stroke="white", strokeWidth=0.8)
            .encode(
                x=x,
                y=y,
                color=key,
                shape=alt.Shape("stance:N", scale=shape, legend=None),
                tooltip=[
                    alt.Tooltip("evidence:N", title="Evidence"),
                    alt.Tooltip("stance:N", title="Stance"),
                    *said,
                    alt.Tooltip("reason:N", title="Reason"),
                ],
            )
        )
    return alt.layer(*layers).properties(height=340)


def _value_axis(text: QuestionText) -> alt.Y:
    if text.type == QuestionType.date:
        return alt.Y("value:T", title="Median day", scale=alt.Scale(type="utc", zero=False))
    if text.type == QuestionType.numeric:
        return alt.Y("value:Q", title="Median", scale=alt.Scale(zero=False))
    return alt.Y(
        "value:Q",
        title=None,
        scale=alt.Scale(domain=[0, 1], nice=False),
        axis=alt.Axis(format="%", values=[0, 0.25, 0.5, 0.75, 1]),
    )


def reliability_chart(group: Group) -> Chart | None:
    """Return the reliability diagram: the curve, the band of chance, the bins; None without data.

    On the diagonal, what was said happened as often as it was said.
    """
    if not group.curve:
        return None
    curve = pd.DataFrame(
        [(c.forecast, c.recalibrated, c.lower, c.upper) for c in group.curve],
        columns=["forecast", "observed", "lower", "upper"],
    )
    bins = pd.DataFrame(
        [
            (b.forecast, b.observed, *b.interval, b.questions)
            for b in group.bins
            if b.forecast is not None and b.observed is not None and b.interval is not None
        ],
        columns=["forecast", "observed", "lower", "upper", "questions"],
    )
    share = alt.Axis(format="%", values=[0, 0.25, 0.5, 0.75, 1])
    unit = alt.Scale(domain=[0, 1])
    x = alt.X("forecast:Q", title="Forecast", scale=unit, axis=share)
    y = alt.Y("observed:Q", title="Happened", scale=unit, axis=share)
    diagonal = (
        alt.Chart(pd.DataFrame({"forecast": [0.0, 1.0], "observed": [0.0, 1.0]}))
        .mark_line(strokeDash=[3, 4], strokeWidth=1.2, color=_GREY)
        .encode(x=x, y=y)
    )
    band = (
        alt.Chart(curve)
        .mark_area(opacity=0.22, color=_GREY)
        .encode(x=x, y=alt.Y("lower:Q", scale=unit, title="Happened"), y2="upper:Q")
    )
    line = alt.Chart(curve).mark_line(color=_MINE, strokeWidth=2.4).encode(x=x, y=y)
    whiskers = (
        alt.Chart(bins)
        .mark_rule(color=_NAMED[2], opacity=0.6)
        .encode(x=x, y=alt.Y("lower:Q", scale=unit, title="Happened"), y2="upper:Q")
    )
    points = (
        alt.Chart(bins)
        .mark_point(filled=True, color=_NAMED[2], opacity=1)
        .encode(
            x=x,
            y=y,
            size=alt.Size("questions:Q", legend=None, scale=alt.Scale(range=[30, 220])),
            tooltip=[
                alt.Tooltip("forecast:Q", title="Mean forecast", format=".1%"),
                alt.Tooltip("observed:Q", title="Happened", format=".1%"),
                alt.Tooltip("questions:Q", title="Questions"),
            ],
        )
    )
    return alt.layer(band, diagonal, line, whiskers, points).properties(height=380)


def histogram_chart(group: Group) -> Chart:
    """Return how the forecasts spread over the bins, as shares of the time that they stood."""
    whole = sum(b.weight for b in group.bins)
    bins = pd.DataFrame(
        [(b.lower, b.upper, b.weight / whole) for b in group.bins],
        columns=["lower", "upper", "share"],
    )
    chart: alt.Chart = (
        alt.Chart(bins)
        .mark_bar(color=_MINE, opacity=0.75)
        .encode(
            x=alt.X(
                "lower:Q",
                title="Forecast",
                scale=alt.Scale(domain=[0, 1]),
                axis=alt.Axis(format="%", values=[0, 0.25, 0.5, 0.75, 1]),
                bin="binned",
            ),
            x2="upper:Q",
            y=alt.Y("share:Q", title="Share of the time", axis=alt.Axis(format="%")),
            tooltip=[alt.Tooltip("share:Q", title="Share of the time", format=".1%")],
        )
        .properties(height=130)
    )
    return chart
