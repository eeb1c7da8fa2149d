"""The chart of a question's forecasts over time, for documents (see ``render.charts``).

The app draws its own (``app.charts.question_chart``), with tooltips and a choice of lines.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pandas as pd

from forecasts.common.errors import LedgerError
from forecasts.documents.charts import Axis, Chart, Point, Series, percent_axis, round_ticks
from forecasts.ledger.models import QuestionText, QuestionType
from forecasts.reports.wording import shortened
from forecasts.scores.paths import Paths
from forecasts.values.outcomes import figure_to_float

LINES = ("curve", "line-2", "line-3", "line-4")  # options with a line of their own
_HEIGHT = 210.0
_SHORTEST = 3_600.0  # seconds across, at least
_LABEL = 24  # characters of an entry in the legend
_DOT = (0.0,)  # the smallest


def path_chart(
    lines: Paths, text: QuestionText, *, label: str, outcome: str | None = None
) -> Chart:
    """Return the forecasts on a question over time.

    One forecaster: their line, with a dot for each forecast. Several: thin lines, and their median,
    which ``label`` names in the legend. Of numbers and dates the lines are medians, with a band for
    the middle 50%, and a rule for the ``outcome``.
    """
    alone = lines.steps["forecaster"].nunique() == 1
    main = lines.steps if alone else lines.crowd.assign(forecaster="")
    series: list[Series] = []
    if not alone:
        series += _lines(lines.steps, "quiet", "members")
    if text.is_quantitative:
        series += _bands(main)
    series += _lines(main, "curve", label)
    if alone:
        made = main[main.duplicated(["forecaster", "stretch"], keep="last")]
        dots = tuple(zip(_seconds(made["time"]), _numbers(made["value"]), strict=True))
        series.append(Series("points", "mean", dots, sizes=_DOT * len(dots)))
    came_true = _came_true(text, outcome)
    if came_true is not None:
        series.append(Series("level", "reference", ((came_true,),), "outcome"))
    return Chart(_time_axis(lines.steps), _value_axis(series, text), tuple(series), height=_HEIGHT)


def options_chart(every: Sequence[Paths], text: QuestionText, *, outcome: str | None) -> Chart:
    """Return a line for each option, the median of the forecasters if they are several.

    The outcome and the likeliest options are named, the others thin and grey.
    """
    options = text.options or []
    ends = [one.crowd["value"].iloc[-1] if len(one.crowd) else math.nan for one in every]
    order = sorted(
        range(len(options)),
        key=lambda place: (
            options[place] != outcome,
            1.0 if math.isnan(ends[place]) else -ends[place],
        ),
    )
    leaders, rest = order[: len(LINES)], order[len(LINES) :]
    series: list[Series] = []
    for place in rest:
        series += _lines(every[place].crowd.assign(forecaster=""), "quiet", "other options")
    for place, style in reversed(list(zip(leaders, LINES, strict=False))):
        name = shortened(options[place], _LABEL)
        named = f"{name} ✓" if options[place] == outcome else name
        series += _lines(every[place].crowd.assign(forecaster=""), style, named)
    named_once = _each_label_once(series)
    steps = pd.concat([one.steps for one in every])
    return Chart(_time_axis(steps), percent_axis("Forecast"), named_once, height=_HEIGHT)


def _lines(frame: pd.DataFrame, style: str, label: str) -> list[Series]:
    """Return a series for each stretch, with the label at the first."""
    series = [Series("steps", style, points, label) for points in _stretches(frame, "value")]
    return list(_each_label_once(series))


def _stretches(frame: pd.DataFrame, *columns: str) -> list[tuple[Point, ...]]:
    """Return the rows of each stretch as points of the time and these columns."""
    found: dict[tuple[str, int], list[Point]] = {}
    whose = zip(frame["forecaster"], frame["stretch"], strict=True)
    points = zip(_seconds(frame["time"]), *(_numbers(frame[name]) for name in columns), strict=True)
    for key, point in zip(whose, points, strict=True):
        found.setdefault(key, []).append(point)
    return list(map(tuple, found.values()))


def _each_label_once(series: Iterable[Series]) -> tuple[Series, ...]:
    known: set[str] = set()
    found = []
    for one in series:
        again = one.label in known
        known.add(one.label)
        found.append(Series(one.shape, one.style, one.points, "" if again else one.label))
    return tuple(found)


def _bands(frame: pd.DataFrame) -> list[Series]:
    """Return the middle 50% of each stretch, in steps."""
    bands = []
    for edge in _stretches(frame, "low", "high"):
        corners: list[Point] = [
            corner
            for (_, *before), after in pairwise(edge)
            for corner in ((after[0], *before), after)
        ]
        bands.append(Series("band", "band", (edge[0], *corners), "middle 50%"))
    return list(_each_label_once(bands))


def _came_true(text: QuestionText, outcome: str | None) -> float | None:
    """Return the place of a numeric or date outcome; None beyond a bound, or without one."""
    if outcome is None or not text.is_quantitative:
        return None
    try:
        return figure_to_float(outcome, text.type)
    except (ValueError, LedgerError):
        return None


def _time_axis(steps: pd.DataFrame) -> Axis:
    times = _seconds(steps["time"])
    low, high = min(times), max(times)
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
    if low == high:
        low, high = low - (abs(low) or 1.0) / 10, high + (abs(high) or 1.0) / 10
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


def _seconds(times: pd.Series[pd.Timestamp]) -> list[float]:
    return [time.timestamp() for time in times]


def _numbers(values: pd.Series[Any]) -> list[float]:
    """Return probabilities and numbers as they are, and times as POSIX seconds."""
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        return [time.timestamp() for time in values]
    return [float(value) for value in values]
