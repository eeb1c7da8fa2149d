"""From a report's numbers to Altair charts. Nothing is computed here; see ``charts`` on colours.

What the pointer touches says in a sentence what it shows.
"""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from app.charts.paths import LINES, QUARTERS, share_axis
from forecasts.reports import Group
from forecasts.reports.render import wording

Chart = alt.Chart | alt.LayerChart | alt.FacetChart

_BLUE, _VERMILLION = "#0072B2", "#D55E00"
_GREY = "#8A949C"
# Under this title the sentence stands by itself, with no name before it.
_SAID = alt.Tooltip("said:N", title="title")
_QUIET = alt.value(None)


def reliability_chart(group: Group) -> Chart | None:
    """Return the reliability diagram: the curve, the band of chance, the bins; None without data.

    On the diagonal, what was said happened as often as it was said.
    """
    if not group.curve:
        return None
    curve = pd.DataFrame(
        [
            (c.forecast, c.recalibrated, c.lower, c.upper, wording.said_of_point(c))
            for c in group.curve
        ],
        columns=["forecast", "observed", "lower", "upper", "said"],
    )
    bins = pd.DataFrame(
        [
            (b.forecast, b.observed, *b.interval, b.questions, wording.said_of_bin(b))
            for b in group.bins
            if b.forecast is not None and b.observed is not None and b.interval is not None
        ],
        columns=["forecast", "observed", "lower", "upper", "questions", "said"],
    )
    share = share_axis(values=QUARTERS)
    unit = alt.Scale(domain=[0, 1])
    x = alt.X("forecast:Q", title="Forecast", scale=unit, axis=share)
    y = alt.Y("observed:Q", title="Happened", scale=unit, axis=share)
    diagonal = (
        alt.Chart(pd.DataFrame({"forecast": [0.0, 1.0], "observed": [0.0, 1.0]}))
        .mark_line(strokeDash=[3, 4], strokeWidth=1.2, color=_GREY)
        .encode(x=x, y=y, tooltip=_QUIET)
    )
    band = (
        alt.Chart(curve)
        .mark_area(opacity=0.22, color=_GREY)
        .encode(
            x=x,
            y=alt.Y("lower:Q", scale=unit, title="Happened"),
            y2="upper:Q",
            tooltip=_QUIET,
        )
    )
    line = alt.Chart(curve).mark_line(color=_BLUE, strokeWidth=2.4).encode(x=x, y=y, tooltip=_QUIET)
    touch = (
        alt.Chart(curve).mark_point(size=60, opacity=0, filled=True).encode(x=x, y=y, tooltip=_SAID)
    )
    whiskers = (
        alt.Chart(bins)
        .mark_rule(color=_VERMILLION, opacity=0.6)
        .encode(x=x, y=alt.Y("lower:Q", scale=unit, title="Happened"), y2="upper:Q", tooltip=_QUIET)
    )
    points = (
        alt.Chart(bins)
        .mark_point(filled=True, color=_VERMILLION, opacity=1)
        .encode(
            x=x,
            y=y,
            size=alt.Size("questions:Q", legend=None, scale=alt.Scale(range=[30, 220])),
            tooltip=_SAID,
        )
    )
    return alt.layer(band, diagonal, line, whiskers, touch, points).properties(height=380)


def histogram_chart(group: Group) -> Chart:
    """Return how the forecasts spread over the bins, as shares of the time that they stood."""
    whole = sum(b.weight for b in group.bins)
    bins = pd.DataFrame(
        [
            (
                b.lower,
                b.upper,
                b.weight / whole,
                f"For {wording.percent(b.weight / whole)} of the time a forecast of "
                f"{wording.bin_range(b)} stood.",
            )
            for b in group.bins
        ],
        columns=["lower", "upper", "share", "said"],
    )
    chart: alt.Chart = (
        alt.Chart(bins)
        .mark_bar(color=_BLUE, opacity=0.75)
        .encode(
            x=alt.X(
                "lower:Q",
                title="Forecast",
                scale=alt.Scale(domain=[0, 1]),
                axis=share_axis(values=QUARTERS),
                bin="binned",
            ),
            x2="upper:Q",
            y=alt.Y("share:Q", title="Time", axis=share_axis(tickCount=3)),
            tooltip=_SAID,
        )
        .properties(height=130)
    )
    return chart


def murphy_chart(group: Group) -> Chart | None:
    """Return the loss at every threshold of acting, beside that of always saying the base rate."""
    if not group.murphy:
        return None
    whose = {"this record": "score", "always the base rate": "base_rate"}
    rows = pd.DataFrame(
        [
            (name, point.threshold, getattr(point, field), wording.said_of_threshold(point))
            for name, field in whose.items()
            for point in group.murphy
        ],
        columns=["whose", "threshold", "loss", "said"],
    )
    names = list(whose)
    chart: alt.Chart = (
        _losses(rows)
        .encode(
            color=alt.Color(
                "whose:N",
                title=None,
                scale=alt.Scale(domain=names, range=[_BLUE, _GREY]),
                legend=alt.Legend(orient="top"),
            ),
            strokeDash=alt.StrokeDash(
                "whose:N", scale=alt.Scale(domain=names, range=[[1, 0], [4, 3]]), legend=None
            ),
        )
        .properties(height=280)
    )
    return chart


def _losses(rows: pd.DataFrame) -> alt.Chart:
    """Return the lines of the losses by threshold, whosever they are."""
    lines: alt.Chart = (
        alt.Chart(rows)
        .mark_line(strokeWidth=2)
        .encode(
            x=alt.X(
                "threshold:Q",
                title="Threshold at which somebody acts",
                axis=share_axis(values=QUARTERS),
                scale=alt.Scale(domain=[0, 1]),
            ),
            y=alt.Y("loss:Q", title="Mean loss"),
            tooltip=_SAID,
        )
    )
    return lines


def murphy_curves(groups: Sequence[Group]) -> alt.Chart:
    """Return the Murphy curves of several groups, each with a curve, in one chart."""
    names = [group.name for group in groups]
    rows = pd.DataFrame(
        [
            (
                group.name,
                point.threshold,
                point.score,
                f"{group.name}: those who act above {wording.percent(point.threshold)} lose "
                f"{wording.number(point.score)} on average.",
            )
            for group in groups
            for point in group.murphy
        ],
        columns=["whose", "threshold", "loss", "said"],
    )
    chart: alt.Chart = (
        _losses(rows)
        .encode(
            color=alt.Color(
                "whose:N",
                title=None,
                scale=alt.Scale(domain=names, range=[colour for colour, _ in LINES[: len(names)]]),
                legend=alt.Legend(orient="top", columns=1, labelLimit=280, symbolSize=400),
            ),
            # Beside the colours, for whom these are alike.
            strokeDash=alt.StrokeDash(
                "whose:N",
                scale=alt.Scale(domain=names, range=[dash for _, dash in LINES[: len(names)]]),
            ),
        )
        .properties(height=320)
    )
    return chart


def lead_chart(group: Group) -> Chart | None:
    """Return the Brier score at each lead with its interval; None where no lead has one.

    The hollow mark beside it is the score that the forecasts promised.
    """
    rows = pd.DataFrame(
        [
            (
                f"{lead.days:g} d",
                lead.brier.mean,
                *(lead.brier.interval or (None, None)),
                lead.expected,
                wording.said_of_lead(lead),
            )
            for lead in group.leads
            if lead.brier.mean is not None
        ],
        columns=["lead", "brier", "low", "high", "expected", "said"],
    )
    if rows.empty:
        return None
    base = alt.Chart(rows).encode(
        x=alt.X(
            "lead:N", title="Before the scheduled close", sort=None, axis=alt.Axis(labelAngle=0)
        ),
        tooltip=_SAID,
    )
    y = alt.Y("low:Q", title="Brier (0–1)", scale=alt.Scale(zero=True))
    return alt.layer(
        base.mark_rule(strokeWidth=2, color=_BLUE).encode(y=y, y2="high:Q"),
        base.mark_point(filled=True, size=90, opacity=1, color=_BLUE).encode(y="brier:Q"),
        base.mark_point(
            filled=False, size=80, strokeWidth=2, opacity=1, color=_VERMILLION, xOffset=12
        ).encode(y="expected:Q"),
    ).properties(height=240)
