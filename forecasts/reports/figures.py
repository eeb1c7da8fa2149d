"""The figures of a report: each a chart with a caption in words and the table of its numbers.

A tooltip is a row of the table in words. Nothing is computed here beyond the ends of an axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter, itemgetter

from forecasts.common.text import count, in_words, shortened
from forecasts.documents.charts import (
    DIAGONAL,
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
from forecasts.documents.document import Columns, Figure, Table, table_of
from forecasts.documents.numbers import column, interval, number, percent, percents, span
from forecasts.reports import wording
from forecasts.reports.glossary import TERMS
from forecasts.reports.own_scores import Mark, OwnScores
from forecasts.reports.report import FAULTS, Bin, CurvePoint, Group, MurphyPoint, Report, RocPoint

# The band changes slowly: so many points draw it, besides the corners of the curve.
_BAND_POINTS = 40
_MURPHY_STEP = 10  # of the thresholds of the Murphy curve, every tenth is listed
_ROC_ROWS = 12
# A smaller difference between two Murphy curves is not worth a word.
_SLIGHT = 0.002


_HOW_TO_READ = (
    "Further right, the forecasts are higher; further up, the events happened more often. On the "
    "dashed line they agree: events forecast at 30% happened 30% of the time. Luck alone keeps 9 "
    "of 10 whole curves inside the shaded band."
)


def bins(group: Group) -> Table:
    """Return the binned table."""
    total = sum(bin_.weight for bin_ in group.bins) or 1.0
    columns: Columns[Bin] = {
        "Forecasts": lambda bin_: percents((bin_.lower, bin_.upper)),
        "Questions": lambda bin_: f"{bin_.questions:,}",
        "Share": lambda bin_: percent(bin_.weight / total),
        "Mean forecast": lambda bin_: percent(bin_.forecast),
        "Came true": lambda bin_: percent(bin_.observed),
        "95% interval": lambda bin_: percents(bin_.interval),
    }
    note = (
        "Forecasts when made; a question counts in each range with a forecast on it. Intervals "
        "count families of questions."
    )
    return table_of("By forecast", group.bins, columns, note=note, term=TERMS["reliability"])


def reliability(name: str, group: Group) -> Figure:
    """Return the reliability diagram (curve, band of chance, bins) over a histogram."""
    columns: Columns[CurvePoint] = {
        "Forecast": lambda point: percent(point.forecast, 1),
        "Came true (curve)": lambda point: percent(point.recalibrated, 1),
        "Band from": lambda point: percent(point.lower, 1),
        "to": lambda point: percent(point.upper, 1),
    }
    points = _corners(group.curve)
    curve = table_of("Curve and chance band", points, columns)
    words = bins(group).in_words
    most = max((bin_.weight for bin_ in group.bins), default=1.0) or 1.0
    total = sum(bin_.weight for bin_ in group.bins) or 1.0
    filled = [pair for pair in zip(group.bins, words, strict=True) if pair[0].forecast is not None]
    shown, said = [bin_ for bin_, _ in filled], tuple(sentence for _, sentence in filled)
    band = _points(points, "forecast", "lower", "upper")
    line = _points(points, "forecast", "recalibrated")
    whiskers = tuple((one.forecast or 0.0, *one.interval) for one in shown if one.interval)
    dots = _points(shown, "forecast", "observed")
    sizes = tuple(bin_.weight / most for bin_ in shown)
    series = (
        Series("band", "band", band, "band of luck, 9 in 10"),
        Series("line", "reference", DIAGONAL, "as often as forecast"),
        Series("interval", "whisker", whiskers),
        Series("line", "curve", line, "how often it happened", curve.in_words),
        Series("points", "bin", dots, "group of forecasts, 95% interval", said, sizes),
    )
    bars = tuple((bin_.lower, bin_.upper, bin_.weight / total) for bin_ in group.bins)
    share = Axis("Share", 0.0, most / total, (0.0, most / total), ("0%", percent(most / total)))
    forecast = percent_axis("Forecast")
    drawn = (
        Chart(forecast, percent_axis("Happened"), series, height=380.0, framed=True),
        Chart(forecast, share, (Series("bars", "bar", bars, sentences=words),), height=46.0),
    )
    alt = f"Reliability diagram of {name}"
    term = TERMS["reliability"]
    return Figure("Forecasts and outcomes", alt, _HOW_TO_READ, drawn, curve, term=term)


def reliability_in_words(group: Group) -> str:
    """Return how far the curve is from the diagonal, beside chance."""
    filled = [bin_ for bin_ in group.bins if bin_.forecast is not None]
    if not filled:
        return "There is nothing to draw: this group has no scored question."
    heaviest = max(filled, key=lambda bin_: bin_.weight)
    share = percent(heaviest.weight / sum(bin_.weight for bin_ in filled))
    inside = sum(
        bin_.interval[0] <= bin_.forecast <= bin_.interval[1]
        for bin_ in filled
        if bin_.interval is not None and bin_.forecast is not None
    )
    outside = sum(
        point.weight
        for point in group.curve
        if not point.lower - 1e-9 <= point.recalibrated <= point.upper + 1e-9
    ) / sum(point.weight for point in group.curve)
    finer = "; the test of the verdict finds smaller faults" if group.verdict.kind in FAULTS else ""
    leaves = f"The whole curve lies in the band, as in 9 of 10 records without a fault{finer}."
    if outside:
        far = "less than 1%" if outside < 0.01 else percent(outside)
        leaves = (
            f"The curve leaves the band at {far} of the forecasts; luck alone makes a curve leave "
            "its band somewhere in 1 of 10 records."
        )
    return (
        f"Forecasts of {percents((heaviest.lower, heaviest.upper))} are the most common ({share} "
        f"of all): on average {percent(heaviest.forecast)}, and {percent(heaviest.observed)} came "
        f"true. In {inside} of {count(len(filled), 'range')} of forecasts, the outcomes agree with "
        f"them (95% interval). {leaves}"
    )


def roc(name: str, group: Group) -> tuple[Figure, ...]:
    """Return the ROC curve and the line without discrimination; nothing without a curve."""
    if not group.roc:
        return ()
    columns: Columns[RocPoint] = {
        "Called from": lambda point: (
            "never" if point.threshold is None else percent(point.threshold, 1)
        ),
        "Hit rate": lambda point: percent(point.hit_rate),
        "False alarm rate": lambda point: percent(point.false_alarm_rate),
    }
    table = table_of("ROC curve", group.roc, columns)
    curve = _points(group.roc, "false_alarm_rate", "hit_rate")
    axes = percent_axis("False alarm rate"), percent_axis("Hit rate")
    series = (
        Series("line", "reference", DIAGONAL, "no discrimination"),
        Series("line", "curve", curve, "this record", table.in_words),
    )
    chart = Chart(*axes, series, height=280.0, framed=True)
    summary = (
        f"Of an event that happened and one that did not, the first had the higher forecast in "
        f"{percent(group.auc)} of pairs (AUC {number(group.auc, 2)}, 95% interval "
        f"{interval(group.auc_interval, 2)}); by guessing it is half."
    )
    every = -(-len(group.roc) // _ROC_ROWS)
    alt = f"ROC curve of {name}"
    listed = table.thinned(every)
    return (Figure("ROC curve", alt, summary, (chart,), listed, term=TERMS["auc"]),)


def pit(name: str, group: Group) -> tuple[Figure, ...]:
    """Return where in their distributions the outcomes of numbers and dates lie, if there are."""
    found = group.pit
    if found is None:
        return ()
    step = 1 / len(found.bins)
    ends = [(place * step, (place + 1) * step) for place in range(len(found.bins))]
    inside = ", ".join(
        f"{percent(one.share)} in the middle {percent(one.level)}" for one in found.inside
    )
    bars = tuple((*end, share) for end, share in zip(ends, found.bins, strict=True))
    head = ("Part of the distribution", "Outcomes", "Calibrated")
    rows = tuple((percents((low, high)), percent(p), percent(step)) for low, high, p in bars)
    table = Table("Numbers and dates", head, rows, note=f"Of all outcomes, {inside}.")
    most = max(*found.bins, 2 * step)
    outcomes = Axis("Outcomes", 0.0, most, (0.0, step, most), ("0%", percent(step), percent(most)))
    series = (
        Series("bars", "bar", bars, sentences=table.in_words),
        Series("level", "reference", ((step,),), "calibrated"),
    )
    chart = Chart(percent_axis(head[0]), outcomes, series, height=130.0)
    about = (
        f"{count(found.questions, 'numeric or date question')} in "
        f"{count(found.families, 'family')}. {found.sentence}"
    )
    alt = f"Outcomes in the numeric and date forecasts of {name}"
    return (Figure("Numbers and dates", alt, about, (chart,), table, term=TERMS["pit"]),)


def murphy(name: str, group: Group) -> Figure:
    """Return the loss at each threshold, beside that of always forecasting the base rate."""
    columns: Columns[MurphyPoint] = {
        "Act above": lambda point: percent(point.threshold),
        "Loss": column(group.murphy, lambda point: point.score),
        "Loss with the base rate": column(group.murphy, lambda point: point.base_rate),
    }
    table = table_of("Murphy curve", group.murphy, columns)
    own, base = (_points(group.murphy, "threshold", name) for name in ("score", "base_rate"))
    chart = _losses(
        Series("line", "curve", own, "this record", table.in_words),
        Series("line", "reference", base, "base rate", table.in_words),
    )
    worst = max(group.murphy, key=lambda point: point.score)
    behind = [point.score > point.base_rate + _SLIGHT for point in group.murphy]
    ranges = stretches([point.threshold for point in group.murphy], behind)
    smaller = "not noticeably smaller at any threshold."
    if ranges:
        at = in_words(ranges)
        smaller = f"smaller at thresholds of {at}, which may be luck."
    summary = (
        "The loss of someone who acts when the forecast exceeds a threshold is largest at "
        f"{percent(worst.threshold)}. With the overall share of “yes” as the forecast, it is "
        f"{smaller}"
    )
    alt = f"Murphy curve of {name}"
    listed = table.thinned(_MURPHY_STEP)
    return Figure("Murphy curve", alt, summary, (chart,), listed, term=TERMS["murphy"])


def murphy_curves(groups: Sequence[Group]) -> Figure:
    """Return the Murphy curves of up to five groups, and in words where each is lowest."""
    thresholds = [point.threshold for point in groups[0].murphy]
    scores = list(zip(*([point.score for point in group.murphy] for group in groups), strict=True))
    rows = (
        (percent(threshold), *map(number, losses))
        for threshold, losses in zip(thresholds, scores, strict=True)
    )
    names = [group.name for group in groups]
    table = Table("Murphy curves", ("Act above", *names), tuple(rows))
    curves = (_points(group.murphy, "threshold", "score") for group in groups)
    lines = (
        Series("line", style, curve, name, table.in_words)
        for name, curve, style in zip(names, curves, LINES, strict=False)
    )
    lowest = [losses.index(min(losses)) for losses in scores]
    parts = []
    for best in sorted(dict.fromkeys(lowest), key=lambda best: -lowest.count(best)):
        longest = max(_runs(thresholds, [one == best for one in lowest]), key=len)
        parts.append(
            f"{names[best]} at {percent(lowest.count(best) / len(lowest))} of the thresholds "
            f"(such as {span((longest[0], longest[-1]))})"
        )
    summary = f"Lowest loss: {'; '.join(parts)}."
    chart = _losses(*lines)
    return Figure("Murphy curves", summary, summary, (chart,), table.thinned(_MURPHY_STEP))


def stretches(thresholds: Sequence[float], flags: Sequence[bool]) -> list[str]:
    """Return each stretch of thresholds with a flag: ``10 to 20%``."""
    return [span((run[0], run[-1])) for run in _runs(thresholds, flags)]


def _runs(values: Sequence[float], flags: Sequence[bool]) -> list[list[float]]:
    """Return each unbroken run of values with a flag."""
    runs = groupby(zip(flags, values, strict=True), key=itemgetter(0))
    return [[value for _, value in run] for flag, run in runs if flag]


def _losses(*lines: Series) -> Chart:
    most = max((point[1] for line in lines for point in line.points), default=0.0)
    return Chart(percent_axis("Threshold for acting"), axis_from_zero("Mean loss", most), lines)


def leads(name: str, group: Group) -> tuple[Figure, ...]:
    """Return the score at each lead, and the expected one beside it; nothing without leads."""
    if not group.leads:
        return ()
    rows = sorted(group.leads, key=lambda row: -row.days)
    table = table_of(
        "By lead time",
        rows,
        {
            "Days before": lambda row: f"{row.days:g}",
            "Questions": lambda row: f"{row.questions:,}",
            wording.BRIER: column(rows, lambda row: row.brier.mean),
            "95% interval": column(rows, lambda row: row.brier.interval, interval),
            "Expected": column(rows, lambda row: row.expected),
        },
        note=f"Expected: the score if the forecasts are right. {wording.STILL_OPEN}",
    )
    # The two scores of a lead are a little apart, whatever the number of leads.
    apart = 0.016 * len(rows)
    means = tuple((place - apart, row.brier.mean or 0.0) for place, row in enumerate(rows))
    expected = tuple((place + apart, row.expected or 0.0) for place, row in enumerate(rows))
    intervals = tuple(
        (place - apart, *row.brier.interval) for place, row in enumerate(rows) if row.brier.interval
    )
    days = tuple(f"{row.days:g}" for row in rows)
    places = tuple(map(float, range(len(rows))))
    before = Axis("Days before the scheduled close", -0.5, len(rows) - 0.5, places, days)
    most = max(at[-1] for at in (*intervals, *means, *expected))
    series = (
        Series("interval", "interval", intervals),
        Series("points", "mean", means, f"{wording.BRIER}, 95% interval", table.in_words),
        Series("points", "expected", expected, "expected", table.in_words),
    )
    chart = Chart(before, axis_from_zero(wording.BRIER, most), series)
    first, last = rows[0], rows[-1]
    summary = (
        f"{count(last.days, 'day').capitalize()} before the scheduled close, the Brier score (0–1) "
        f"was {number(last.brier.mean)}, with {number(last.expected)} expected"
    )
    if first is not last:
        summary += (
            f"; {count(first.days, 'day')} before, {number(first.brier.mean)} with "
            f"{number(first.expected)} expected. Each lead has different questions"
        )
    alt = f"{wording.BRIER} of {name} by lead time"
    term = TERMS["when_made"]
    return (Figure("Lead time", alt, f"{summary}.", (chart,), table, listed=True, term=term),)


def trend(own: OwnScores) -> Chart:
    """Return a member's Brier scores over time, and their running mean."""
    times = [call.known_at.timestamp() for call in own.calls]
    low, high = min(times, default=0.0), max(times, default=0.0)
    room = max((high - low) / 50, 43_200.0)  # half a day at least
    most = max((call.score for call in own.calls), default=wording.COIN)
    titles = tuple(
        f"{number(call.score)}: {shortened(call.question.state.text.title)}" for call in own.calls
    )
    scores, running = (
        tuple(zip(times, map(attrgetter(name), own.calls), strict=True))
        for name in ("score", "running")
    )
    series = (
        Series("points", "open-mean", scores, sentences=titles),
        Series("line", "curve", running),
        Series("level", "reference", ((wording.COIN,),)),
    )
    known = Axis("Outcome known", low - room, high + room, (), (), "dates")
    return Chart(known, axis_from_zero(wording.BRIER, max(most, wording.COIN)), series)


def scale(own: OwnScores, marks: Sequence[Mark]) -> Forest:
    """Return the marks of a scale as a forest plot, the member's own with its interval.

    The interval may be wide: it ends where the plot does, a little beyond the last mark.
    """
    most = max(0.3, *(mark.score * 1.1 for mark in marks)) if marks else 1.0
    rows: list[ForestRow | None] = []
    for mark in marks:
        ends = own.brier.interval if mark.name == "You" else None
        said = f"{wording.BRIER} {number(mark.score)}"
        said += f", 95% interval {interval(ends)}" if ends else ""
        low, high = ends or (mark.score, mark.score)
        name, firm = f"{mark.name} {number(mark.score, 3)}", mark.name == "You"
        rows.append(ForestRow(name, (mark.score,), (low, min(high, most)), said, firm))
    return Forest(0.0, most, None, tuple(rows))


def brier_forest(report: Report) -> Forest:
    """Return the Brier score (0–1) of each group with its interval, from 0."""
    rows: list[ForestRow | None] = []
    most = wording.COIN
    for group in report.groups:
        mean, ends = group.brier.mean, group.brier.interval
        if mean is None:
            rows.append(None)
            continue
        text = f"{wording.BRIER} {number(mean)}, 95% interval {interval(ends)}"
        rows.append(ForestRow(wording.group_name(report, group), (mean,), ends, text))
        most = max(most, mean, *(ends or ()))
    return Forest(0.0, most * 1.04, wording.COIN, tuple(rows))


def _corners(curve: Sequence[CurvePoint]) -> list[CurvePoint]:
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
