"""The charts of a question, in documents and on pages: forecasts over time, and a density.

Tooltips are sentences, with times as ``when`` writes them; a chart in a file has none.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pandas as pd

from forecasts.common.errors import LedgerError
from forecasts.common.text import shortened
from forecasts.documents.charts import (
    LINES,
    Axis,
    Chart,
    Point,
    Series,
    axis_from_zero,
    percent_axis,
    round_ticks,
)
from forecasts.documents.document import Figure, Table, table_of
from forecasts.documents.numbers import NOTHING, signed
from forecasts.folder.frames import rows
from forecasts.ledger.models import QuestionText, QuestionType
from forecasts.scores.paths import CROWD, Paths, path_table
from forecasts.updates.previews import Slice
from forecasts.values.outcomes import figure_to_float
from forecasts.values.value import format_probability

When = Callable[[datetime], str]
Tell = Callable[[Any], str]  # a row of a frame in a sentence
OTHERS = "Everyone else"
HIGHLIGHTED = len(LINES) - 1  # forecasters besides the reader with a line of their own
_DOTS = dict(zip(LINES, ("mean", "dot-2", "dot-3", "dot-4", "dot-5"), strict=True))
_HEIGHT = 210.0
_SHORTEST = 60.0  # seconds across, at least
_LABEL = 24  # characters of an entry in the legend
_DOT = (0.0,)  # the smallest
_ROWS = 50  # of the table


def path_chart(
    lines: Paths,
    text: QuestionText,
    *,
    me: str = "",
    highlighted: Sequence[str] = (),
    others: str = OTHERS,
    crowd: str = CROWD,
    outcome: str | None = None,
    when: When | None = None,
) -> Chart:
    """Return the forecasts on a question over time.

    ``me`` and the ``highlighted`` each have a line with dots; the ``others`` are thin and grey. Of
    several forecasters there is the median too, under the name ``crowd``, and a mark for each piece
    of evidence. Of numbers and dates the lines are medians, with bands for the middle 50% of the
    crowd and of ``me``, and a rule for the ``outcome``.
    """
    whose = lines.steps["forecaster"]
    styles = {who: style for who, style in zip((me, *highlighted), LINES, strict=False) if who}
    everyone = lines.crowd.assign(forecaster="")
    tell = _teller(text, when)
    series: list[Series] = []
    if text.is_quantitative:
        if whose.nunique() > 1:
            series += _bands(everyone, "crowd-band" if styles else "band")
        series += _bands(lines.steps[whose == me], "band")
    quiet = lines.steps[~whose.isin(styles)]
    series += _lines(quiet, "quiet", others, tell)
    if when is not None:
        series += _dots(quiet, "bar")
    if whose.nunique() > 1:
        series += _lines(
            everyone, "crowd" if styles else "curve", crowd, _teller(text, when, crowd)
        )
    for who, style in styles.items():
        own = lines.steps[whose == who]
        series += [*_lines(own, style, who, tell), *_dots(own, _DOTS[style])]
    came_true = _came_true(text, outcome)
    if came_true is not None:
        said = (f"Outcome: {outcome}",) if when is not None else ()
        series.append(Series("level", "outcome", ((came_true,),), "outcome", said))
    axis = _value_axis(series, text)
    if when is not None:
        series += _evidence(lines, when)
    return Chart(_time_axis(lines.steps), axis, tuple(series), height=_HEIGHT)


def options_chart(
    every: Sequence[Paths],
    text: QuestionText,
    *,
    me: str = "",
    outcome: str | None = None,
    when: When | None = None,
) -> Chart:
    """Return a line for each option, the median of the forecasters if they are several.

    The outcome and the likeliest options are named, with their latest median, and have the
    forecasts of ``me`` as dots; the others are thin and grey.
    """
    names, leaders = labels(every, text, outcome), leading(every, text, outcome)
    options = text.options or []
    series: list[Series] = []
    for place, one in enumerate(every):
        if place not in leaders:
            label = "" if series else "Other options"
            crowd = one.crowd.assign(forecaster="")
            series += _lines(crowd, "quiet", label, _teller(text, when, options[place]))
    for place, style in reversed(list(zip(leaders, LINES, strict=False))):
        one, name = every[place], shortened(names[place], 2 * _LABEL)
        crowd = one.crowd.assign(forecaster="")
        series += _lines(crowd, style, name, _teller(text, when, options[place]))
        series += _dots(one.steps[one.steps["forecaster"] == me], _DOTS[style])
    steps = pd.concat([one.steps for one in every])
    return Chart(_time_axis(steps), percent_axis("Forecast"), tuple(series), height=_HEIGHT)


def leading(every: Sequence[Paths], text: QuestionText, outcome: str | None) -> list[int]:
    """Return the places of the options with their own line: the outcome, then the likeliest."""
    options, ends = text.options or [], list(map(_end, every))
    order = sorted(
        range(len(every)),
        key=lambda place: (
            options[place] != outcome,
            1.0 if math.isnan(ends[place]) else -ends[place],
        ),
    )
    return order[: len(LINES)]


def labels(every: Sequence[Paths], text: QuestionText, outcome: str | None) -> list[str]:
    """Return each option with the crowd's latest median: '28% Two'."""
    return [
        f"{NOTHING if math.isnan(end) else format_probability(end)} {option}"
        + (" (outcome)" if option == outcome else "")
        for option, end in zip(text.options or [], map(_end, every), strict=True)
    ]


def _end(paths: Paths) -> float:
    return float(paths.crowd["value"].iloc[-1]) if len(paths.crowd) else math.nan


def describe_options(every: Sequence[Paths], text: QuestionText, *, outcome: str | None) -> str:
    """Return in words where the leaders' lines end."""
    names = labels(every, text, outcome)
    ends = "; ".join(names[place] for place in leading(every, text, outcome))
    return (
        f"The crowd’s median of each option of “{text.title}” over time. The lines end at {ends}. "
        "The table under the chart lists every forecast."
    )


def describe_paths(paths: Paths, text: QuestionText, *, me: str) -> str:
    """Return in words where the lines end: the reader's own, and the crowd's."""
    own = paths.steps[paths.steps["forecaster"] == me]
    sentences = [f"Forecasts on “{text.title}” over time."]
    if len(own):
        sentences.append(f"Your line ends at {own['forecast'].iloc[-1]}.")
    if len(paths.crowd):
        last = paths.crowd.iloc[-1]
        median = format_median(last["value"], text) + _middle(last, text)
        sentences.append(
            f"The crowd’s median ends at {median}, of {last['live']} active forecasts."
        )
    return " ".join([*sentences, "The table under the chart lists every forecast."])


def path_rows(lines: Paths, text: QuestionText, *, when: When, medians: bool) -> Table:
    """Return the newest forecasts of the chart; ``medians``: with the crowd's."""
    found = path_table(lines)
    columns: dict[str, Callable[[Any], str]] = {
        "At": lambda one: when(one.time),
        "Forecaster": lambda one: one.forecaster,
        "Forecast": lambda one: one.forecast,
    }
    if medians:
        columns |= {"Crowd’s median": lambda one: format_median(one.crowd, text)}
    note = f"The newest {_ROWS} of {len(found):,}. History lists them all."
    return table_of(
        "Forecasts",
        rows(found.head(_ROWS)),
        columns,
        text_columns=3,
        note=note if len(found) > _ROWS else "",
    )


def density(slices: Sequence[Slice], text: QuestionText) -> Figure:
    """Return the density between quantiles; the area of each bar is its probability.

    The dashed rule is the density if all values between the bounds were equally likely.
    """
    cells = tuple(
        (with_unit(one.low, text), with_unit(one.high, text), format_probability(one.chance))
        for one in slices
    )
    said = [f"{chance} from {low} to {high}" for low, high, chance in cells]
    drawn = [pair for pair in zip(slices, said, strict=True) if pair[0].density is not None]
    heights = [one.density or 0.0 for one, _ in drawn]
    bars = Series(
        "bars",
        "slice",
        tuple((one.low, one.high, height) for (one, _), height in zip(drawn, heights, strict=True)),
        sentences=tuple(sentence for _, sentence in drawn),
    )
    even = Series("level", "reference", ((1.0,),), "equally likely")
    low, high = slices[0].low, slices[-1].high
    dated = text.type == QuestionType.date
    ends = (low, high) if dated else round_ticks(low, high)
    unit, names = shortened(text.unit or "", _LABEL), tuple(map(_short, ends))
    x = Axis(unit, low, high, ends, names, "dates" if dated else "linear")
    most = max([1.0, *heights])
    return Figure(
        "Density",
        "Density of your forecast: " + "; ".join(said),
        "",
        (Chart(x, axis_from_zero("Density", most), (bars, even), height=110.0),),
        Table("Density", ("From", "To", "Chance"), cells),
    )


def with_unit(number: float, text: QuestionText) -> str:
    """Return a number with the question's unit, or a day (from seconds since 1970)."""
    if text.type == QuestionType.date:
        return f"{datetime.fromtimestamp(number, UTC):%-d %b %Y}"
    return f"{number:,.6g} {text.unit or ''}".rstrip()


def format_median(value: Any, text: QuestionText) -> str:
    """Return the crowd's median as a probability, a number or a day; a dash if missing."""
    if pd.isna(value):
        return NOTHING
    if text.is_quantitative:
        day = isinstance(value, pd.Timestamp)
        return with_unit(value.timestamp() if day else value, text)
    return format_probability(value)


def _middle(row: Any, text: QuestionText) -> str:
    """Return the quartiles of a row: ' (middle 50%: 4 m to 8 m)'; '' for other types."""
    if not text.is_quantitative:
        return ""
    low, high = format_median(row.low, text), format_median(row.high, text)
    return f" (middle 50%: {NOTHING if pd.isna(row.low) else f'{low} to {high}'})"


def points_earned(points: float) -> str:
    """Return the points earned by a piece of evidence; '' if they are not known."""
    return "" if math.isnan(points) else f"Earned {signed(points)} (above 0: helped)"


def _teller(text: QuestionText, when: When | None, crowd: str = "") -> Tell | None:
    """Return a function from a row of a line to its sentence; ``crowd``: the name of its line."""
    if when is None:
        return None

    def tell(row: Any) -> str:
        if crowd:
            value = f"{crowd}: {format_median(row.value, text)}"
            return f"{value}{_middle(row, text)} of {row.live} active, {when(row.time)}"
        return f"{row.forecaster}: {row.forecast}{_middle(row, text)}, {when(row.time)}"

    return tell


def _evidence(lines: Paths, when: When) -> Iterator[Series]:
    """Yield the marks of the evidence, a series for each stance."""

    def tell(one: Any) -> str:
        cited = f"{one.evidence} ({one.stance})"
        made = f"{one.forecaster}: {one.forecast}, {when(one.time)}"
        return " · ".join(filter(None, (cited, made, one.reason, points_earned(one.points))))

    for stance, marks in lines.marks.groupby("stance", sort=True):
        points = _points(marks, "value")
        yield Series("points", str(stance), points, sentences=tuple(map(tell, rows(marks))))


def _dots(steps: pd.DataFrame, style: str) -> list[Series]:
    """Return a dot for each forecast; the last row of a stretch only marks its end."""
    points = _points(steps[steps.duplicated(["forecaster", "stretch"], keep="last")], "value")
    return [Series("points", style, points, sizes=_DOT * len(points))] if points else []


def _lines(frame: pd.DataFrame, style: str, label: str, tell: Tell | None) -> list[Series]:
    """Return a series for each stretch, with the label at the first."""
    series: list[Series] = []
    for _, stretch in frame.groupby(["forecaster", "stretch"], sort=False):
        said = () if tell is None else tuple(map(tell, rows(stretch)))
        named = "" if series else label
        series.append(Series("steps", style, _points(stretch, "value"), named, said))
    return series


def _bands(frame: pd.DataFrame, style: str) -> list[Series]:
    """Return the middle 50% of each stretch, in steps."""
    bands: list[Series] = []
    for _, stretch in frame.groupby(["forecaster", "stretch"], sort=False):
        edge = _points(stretch, "low", "high")
        corners = [
            corner
            for before, after in pairwise(edge)
            for corner in ((after[0], *before[1:]), after)
        ]
        bands.append(Series("band", style, (edge[0], *corners), "" if bands else "middle 50%"))
    return bands


def _points(frame: pd.DataFrame, *columns: str) -> tuple[Point, ...]:
    """Return the rows as points of the time and these columns; times are POSIX seconds."""
    return tuple(zip(*(map(_number, frame[name]) for name in ("time", *columns)), strict=True))


def _number(value: Any) -> float:
    return float(value.timestamp() if isinstance(value, pd.Timestamp) else value)


def _came_true(text: QuestionText, outcome: str | None) -> float | None:
    """Return the place of a numeric or date outcome; None beyond a bound, or without one."""
    if outcome is None or not text.is_quantitative:
        return None
    try:
        return figure_to_float(outcome, text.type)
    except (ValueError, LedgerError):
        return None


def _time_axis(steps: pd.DataFrame) -> Axis:
    low, high = _number(steps["time"].min()), _number(steps["time"].max())
    high = max(high, low + _SHORTEST)
    form = "%Y-%m-%d" if high - low > 2 * 86_400 else "%Y-%m-%d %H:%M"
    ticks = (low, high)
    return Axis("", low, high, ticks, tuple(_moment(tick, form) for tick in ticks), "dates")


def _value_axis(series: Sequence[Series], text: QuestionText) -> Axis:
    if not text.is_quantitative:
        return percent_axis("Forecast")
    values = [value for one in series for point in one.points for value in point[1:] or point]
    dated = text.type == QuestionType.date
    low, high = min(values), max(values)
    if low == high:  # which determines no span; the question's range does
        ends = [figure_to_float(end, text.type) for end in (text.lower_bound, text.upper_bound)]
        low, high = min(low, *ends), max(high, *ends)
    if dated:
        ticks = tuple(low + (high - low) * place / 3 for place in range(4))
        labels = tuple(_moment(tick, "%y-%m-%d") for tick in ticks)
        return Axis("Median day", low, high, ticks, labels)
    ticks = round_ticks(low, high)
    title = f"Median, {shortened(text.unit, _LABEL)}" if text.unit else "Median"
    low, high = min(low, ticks[0]), max(high, ticks[-1])
    return Axis(title, low, high, ticks, tuple(map(_short, ticks)))


def _short(value: float) -> str:
    """Return a number for an axis, in at most about seven characters."""
    for size, sign in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            scaled = value / (1e3 if sign == "k" else size)
            return f"{scaled:.4g}{sign}".replace("-", "−")
    return f"{value:,.5g}".replace("-", "−")


def _moment(seconds: float, form: str) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):{form}}"
