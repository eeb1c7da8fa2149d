"""The charts of a report. Nothing is computed here beyond the ends of an axis."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter

from forecasts.common.text import shortened
from forecasts.documents.charts import (
    LINES,
    Axis,
    Chart,
    Forest,
    ForestRow,
    Point,
    Series,
    axis_from_zero,
    percent_axis,
)
from forecasts.documents.numbers import interval, number, percent, percents
from forecasts.reports import wording
from forecasts.reports.own_scores import OwnScores
from forecasts.reports.report import CurvePoint, Group, Report

COIN = 0.25  # the Brier score (0–1) of always forecasting 50%
# The band changes slowly: so many points draw it, besides the corners of the curve.
_BAND_POINTS = 40


def reliability(group: Group) -> Chart:
    """Return the reliability diagram: the curve, the band of chance, the bins."""
    points = corners(group.curve)
    bins = [bin_ for bin_ in group.bins if bin_.forecast is not None]
    most = max((bin_.weight for bin_ in bins), default=1.0)
    whiskers = tuple(
        (bin_.forecast, *bin_.interval)
        for bin_ in bins
        if bin_.forecast is not None and bin_.interval
    )
    series = (
        Series(
            "band",
            "band",
            _points(points, "forecast", "lower", "upper"),
            "90% band of chance",
        ),
        Series("line", "reference", ((0.0, 0.0), (1.0, 1.0)), "calibrated"),
        Series("interval", "whisker", whiskers),
        Series(
            "line",
            "curve",
            _points(points, "forecast", "recalibrated"),
            "curve (isotonic)",
            tuple(map(wording.curve_sentence, points)),
        ),
        Series(
            "points",
            "bin",
            _points(bins, "forecast", "observed"),
            "bin with 95% interval",
            tuple(map(wording.bin_sentence, bins)),
            tuple(bin_.weight / most for bin_ in bins),
        ),
    )
    return Chart(
        percent_axis("Forecast"), percent_axis("Happened"), series, height=380.0, framed=True
    )


def histogram(group: Group) -> Chart:
    """Return how the forecasts when made spread over the bins."""
    total = sum(bin_.weight for bin_ in group.bins) or 1.0
    shares = [(bin_, bin_.weight / total) for bin_ in group.bins]
    most = max((share for _, share in shares), default=1.0)
    bars = Series(
        "bars",
        "bar",
        tuple((bin_.lower, bin_.upper, share) for bin_, share in shares),
        sentences=tuple(
            f"{percent(share)} of forecasts were in {wording.bin_range(bin_)}."
            for bin_, share in shares
        ),
    )
    share = Axis("Share", 0.0, most, (0.0, most), ("0%", percent(most)))
    return Chart(percent_axis("Forecast"), share, (bars,), height=46.0)


def roc(group: Group) -> Chart:
    """Return the ROC curve, and the line without discrimination."""
    return Chart(
        percent_axis("False alarm rate"),
        percent_axis("Hit rate"),
        (
            Series("line", "reference", ((0.0, 0.0), (1.0, 1.0)), "no discrimination"),
            Series(
                "line",
                "curve",
                _points(group.roc, "false_alarm_rate", "hit_rate"),
                "this record",
                tuple(map(wording.roc_sentence, group.roc)),
            ),
        ),
        height=280.0,
        framed=True,
    )


def pit(group: Group) -> Chart:
    """Return the share of the outcomes in each tenth of the forecast distributions."""
    assert group.pit is not None
    shares = group.pit.bins
    step = 1 / len(shares)
    ends = [(place * step, (place + 1) * step) for place in range(len(shares))]
    bars = Series(
        "bars",
        "bar",
        tuple((*end, share) for end, share in zip(ends, shares, strict=True)),
        sentences=tuple(
            f"{percent(share)} of outcomes lie in {percents(end)} of the distributions."
            for end, share in zip(ends, shares, strict=True)
        ),
    )
    most = max(*shares, 2 * step)
    share = Axis("Outcomes", 0.0, most, (0.0, step, most), ("0%", percent(step), percent(most)))
    level = Series("level", "reference", ((step,),), "calibrated")
    return Chart(percent_axis("Part of the distribution"), share, (bars, level), height=130.0)


def murphy(group: Group) -> Chart:
    """Return the loss at each threshold, beside that of always forecasting the base rate."""
    sentences = tuple(map(wording.threshold_sentence, group.murphy))
    own, base = (_points(group.murphy, "threshold", name) for name in ("score", "base_rate"))
    return _losses(
        Series("line", "curve", own, "this record", sentences),
        Series("line", "reference", base, "base rate", sentences),
    )


def murphy_curves(groups: Sequence[Group]) -> Chart:
    """Return the Murphy curves of up to five groups in one chart."""
    return _losses(
        *(
            Series(
                "line",
                style,
                _points(group.murphy, "threshold", "score"),
                group.name,
                tuple(
                    f"{group.name}: acting above {percent(point.threshold)} costs "
                    f"{number(point.score)} on average."
                    for point in group.murphy
                ),
            )
            for group, style in zip(groups, LINES, strict=False)
        )
    )


def _losses(*lines: Series) -> Chart:
    most = max((point[1] for line in lines for point in line.points), default=0.0)
    return Chart(percent_axis("Threshold for acting"), axis_from_zero("Mean loss", most), lines)


def leads(group: Group) -> Chart:
    """Return the Brier score at each lead with its interval, and the expected score beside it."""
    rows = sorted(
        (row for row in group.leads if row.brier.mean is not None), key=lambda row: -row.days
    )
    # The two scores of a lead are a little apart, whatever the number of leads.
    apart = 0.016 * len(rows)
    sentences = tuple(map(wording.lead_sentence, rows))
    days = Axis(
        "Days before the scheduled close",
        -0.5,
        max(len(rows), 1) - 0.5,
        tuple(map(float, range(len(rows)))),
        tuple(f"{row.days:g}" for row in rows),
    )
    scores = list(enumerate(_points(rows, "brier.mean", "expected")))
    means = tuple((place - apart, mean) for place, (mean, _) in scores)
    expected = tuple((place + apart, due) for place, (_, due) in scores)
    intervals = tuple(
        (place - apart, *row.brier.interval)
        for place, row in enumerate(rows)
        if row.brier.interval is not None
    )
    most = max((point[-1] for point in (*intervals, *means, *expected)), default=COIN)
    label = f"{wording.BRIER}, 95% interval"
    series = (
        Series("interval", "interval", intervals),
        Series("points", "mean", means, label, sentences),
        Series("points", "expected", expected, "expected", sentences),
    )
    return Chart(days, axis_from_zero(wording.BRIER, most), series)


def trend(own: OwnScores) -> Chart:
    """Return a member's Brier scores over time, and their running mean."""
    times = [call.known_at.timestamp() for call in own.calls]
    low, high = min(times, default=0.0), max(times, default=0.0)
    room = max((high - low) / 50, 43_200.0)  # half a day at least
    most = max((call.score for call in own.calls), default=COIN)
    series = (
        Series(
            "points",
            "open-mean",
            tuple(zip(times, (call.score for call in own.calls), strict=True)),
            sentences=tuple(
                f"{number(call.score)}: {shortened(call.question.state.text.title)}"
                for call in own.calls
            ),
        ),
        Series("line", "curve", tuple(zip(times, (c.running for c in own.calls), strict=True))),
        Series("level", "reference", ((COIN,),)),
    )
    known = Axis("Outcome known", low - room, high + room, (), (), "dates")
    return Chart(known, axis_from_zero(wording.BRIER, max(most, COIN)), series)


def brier_forest(report: Report) -> Forest:
    """Return the Brier score (0–1) of each group with its interval, from 0."""
    ends = [group.brier.interval[1] for group in report.groups if group.brier.interval]
    means = [group.brier.mean for group in report.groups if group.brier.mean is not None]
    return Forest(
        0.0,
        max([COIN, *ends, *means]) * 1.04,
        COIN,
        tuple(
            None
            if group.brier.mean is None
            else ForestRow(
                wording.group_name(report, group),
                (group.brier.mean,),
                group.brier.interval,
                f"{wording.BRIER} {number(group.brier.mean)}, "
                f"95% interval {interval(group.brier.interval)}",
            )
            for group in report.groups
        ),
    )


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


def _points(rows: Sequence[object], *names: str) -> tuple[Point, ...]:
    """Return the values of these fields of each row."""
    return tuple(map(attrgetter(*names), rows))
