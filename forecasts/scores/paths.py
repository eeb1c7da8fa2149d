"""A question's forecasts as lines over time: each forecaster's path, and the crowd's.

A path is a step function: a forecast holds until the next row, a withdrawal or the close. Without a
current forecast there is no line, so a line consists of stretches with gaps between them. The crowd
here is the median of current forecasts, which anyone can check by eye; other crowds (recency
weights, extremising) are computed by ``scoring``.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from sqlmodel import Session

import scoring
from forecasts.common.times import iso_day_or_time
from forecasts.ledger.models import Evidence, Forecast, Question, QuestionText, QuestionType
from forecasts.questions.outcomes import figure_to_float
from forecasts.scores.attribution import citation_parts
from forecasts.scores.frames import rows as frame_rows
from forecasts.scores.frames import scoring_frames
from forecasts.scores.stored_scores import main_protocol
from forecasts.updates.updates import evidence_of, history
from forecasts.updates.values import format_value, value_of
from scoring.running_median import RunningMedian

CROWD = "Crowd (median)"
_STEP = ["forecaster", "stretch", "time", "value", "forecast"]
_MARK = ["forecaster", "time", "value", "forecast", "stance", "evidence", "reason", "points"]
_Point = tuple[str, datetime, float, str]  # forecaster, time, value (NaN: withdrawn), formatted


@dataclass(frozen=True)
class Paths:
    """The lines of one question; times are datetime64[us, UTC].

    ``steps``: forecaster, stretch, time, value, forecast (the formatted value); a value holds until
    the next row of its stretch. A stretch ends with a row at the withdrawal, the close or now that
    repeats its last value. ``crowd``: stretch, time, value, live (number of current forecasts; 0
    where that ends a stretch). ``marks``: one row per citation: forecaster, time, value, forecast,
    stance, evidence, reason, points (its part of the points of its update, positive is better; NaN
    if the question is not scored, and for a first forecast). Values are probabilities, numbers, or
    times for a date question.
    """

    steps: pd.DataFrame
    crowd: pd.DataFrame
    marks: pd.DataFrame


def paths(
    session: Session,
    question: Question,
    text: QuestionText,
    *,
    now: datetime,
    option: int = 0,
    scored: bool = False,
) -> Paths:
    """Return the paths from the open to ``now`` or the close, whichever is earlier.

    As in scoring, a forecast from before the open (from an import) counts from the open, and a
    forecast from the close on does not count.

    ``option`` selects the option shown for multiple choice. Quantiles are shown as their median,
    interpolated between the two that enclose it. ``scored``: the question has an outcome, so marks
    have points.
    """
    end = min(now, text.close_time)
    rows = _while_open(history(session, question), text, now)
    cited = evidence_of(session, question)
    points = [
        (
            handle,
            max(forecast.made_at, text.open_time),
            _value(forecast, text, option),
            format_value(forecast, text.options),
        )
        for forecast, handle in rows
    ]
    earned = _points_earned(session, question, text) if scored and cited else {}
    marks = []
    for point, (forecast, _) in zip(points, rows, strict=True):
        citations = cited.get(forecast.id or 0, ())
        parts = citation_parts([citation.share for citation, _ in citations])
        gain = earned.get(forecast.id, float("nan"))
        for (citation, evidence), part in zip(citations, parts, strict=True):
            about = (str(citation.stance), _evidence_label(evidence), forecast.rationale)
            marks.append((*point, *about, gain * part))
    return Paths(
        steps=_frame(_steps(points, end), _STEP, text),
        crowd=_frame(_crowd(points, end), ["stretch", "time", "value", "live"], text),
        marks=_frame(marks, _MARK, text),
    )


def path_table(lines: Paths) -> pd.DataFrame:
    """Return the lines as a table, newest first: the chart's data, formatted.

    One row per forecast or withdrawal: time, forecaster, forecast; crowd, the median from then on
    (in the type of the values), and live, the number of forecasts behind it. Both are blank while
    there is no forecast.
    """
    rows = lines.steps[lines.steps.duplicated(["forecaster", "stretch"], keep="last")]
    ends = lines.steps[lines.steps["forecast"] == "withdrawn"]
    rows = pd.concat([rows, ends]).sort_values("time", kind="stable")
    crowd = lines.crowd.rename(columns={"value": "crowd"})[["time", "crowd", "live"]]
    # Sorted, as merge_asof requires even of an empty frame.
    joined = pd.merge_asof(rows, crowd.sort_values("time"), on="time")
    joined.loc[joined["live"] == 0, "crowd"] = None
    return joined[["time", "forecaster", "forecast", "crowd", "live"]].iloc[::-1]


def _points_earned(
    session: Session, question: Question, text: QuestionText
) -> dict[int | None, float]:
    """Return the points of each update of the question, by the id of its forecast."""
    questions, forecasts = scoring_frames(session, questions=[question.slug])
    updates = scoring.attribution(questions, forecasts, main_protocol(text.type))
    # The frames list a forecaster's rows in the order of the history.
    paths: dict[str, list[int | None]] = defaultdict(list)
    for forecast, handle in history(session, question):
        paths[handle].append(forecast.id)
    place = forecasts.groupby("forecaster", sort=False).cumcount()
    return {
        paths[one.forecaster][place.iloc[one.forecast]]: one.points for one in frame_rows(updates)
    }


def _while_open(
    rows: Sequence[tuple[Forecast, str]], text: QuestionText, now: datetime
) -> list[tuple[Forecast, str]]:
    """Return the rows that take effect between the open and the close, and by ``now``."""
    if now < text.open_time:
        return []
    at_open = {handle: forecast for forecast, handle in rows if forecast.made_at <= text.open_time}
    return [
        (forecast, handle)
        for forecast, handle in rows
        if forecast.made_at <= now
        and forecast.made_at < text.close_time
        and (
            forecast.made_at > text.open_time
            or (forecast is at_open[handle] and not forecast.withdrawn)
        )
    ]


def _evidence_label(evidence: Evidence) -> str:
    known = [evidence.title or evidence.note or evidence.url or "", evidence.publisher or ""]
    if evidence.published_at is not None:
        known.append(iso_day_or_time(evidence.published_at))
    return " · ".join(part for part in known if part)


def _value(forecast: Forecast, text: QuestionText, option: int) -> float:
    """Return the number to draw; NaN for a withdrawal, and for an option added since."""
    if forecast.probability is not None:
        return forecast.probability
    if vector := value_of(forecast).over(text.options).probabilities:
        p = vector[option]
        return float("nan") if p is None else p
    if forecast.quantiles is not None:
        return quantile_median(forecast.quantiles, text)
    return float("nan")


def quantile_median(quantiles: dict[str, Any], text: QuestionText) -> float:
    """Return the median of quantiles, dates as seconds since 1970; NaN without any."""
    inside = sorted(
        (float(level), figure_to_float(figure, text.type))
        for level, figure in quantiles.items()
        if level not in ("below", "above")
    )
    if not inside:
        return float("nan")
    levels, figures = zip(*inside, strict=True)
    return float(np.interp(0.5, levels, figures))


def _steps(points: Sequence[_Point], end: datetime) -> list[tuple[str, int, datetime, float, str]]:
    stretches: Counter[str] = Counter()
    open_: dict[str, tuple[float, str]] = {}
    steps: list[tuple[str, int, datetime, float, str]] = []
    for handle, time, value, shown in points:
        if not np.isnan(value):
            stretches[handle] += handle not in open_
            open_[handle] = value, shown
            steps.append((handle, stretches[handle], time, value, shown))
        elif handle in open_:
            last, _ = open_.pop(handle)
            steps.append((handle, stretches[handle], time, last, shown))
    for handle, (value, shown) in open_.items():
        steps.append((handle, stretches[handle], end, value, shown))
    return steps


def _crowd(points: Sequence[_Point], end: datetime) -> list[tuple[int, datetime, float, int]]:
    """Return (stretch, time, median, count) at each change, and at the end of each stretch."""
    running = RunningMedian()
    medians: dict[datetime, tuple[float, int]] = {}
    for handle, time, value, _ in points:
        running.update(handle, value)
        medians[time] = running.median(), len(running)
    crowd: list[tuple[int, datetime, float, int]] = []
    stretch, last, live = 0, float("nan"), 0
    for time, (median, n) in medians.items():
        if n:
            stretch += live == 0
            crowd.append((stretch, time, median, n))
        elif live:
            crowd.append((stretch, time, last, 0))
        last, live = median, n
    if live and crowd[-1][1] < end:
        crowd.append((stretch, end, last, live))
    return crowd


def _frame(rows: Sequence[tuple[Any, ...]], columns: list[str], text: QuestionText) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=columns)
    frame["time"] = pd.to_datetime(frame["time"], utc=True).astype("datetime64[us, UTC]")
    if text.type == QuestionType.date:
        seconds = frame["value"].astype(float)
        frame["value"] = pd.to_datetime(seconds, unit="s", utc=True).astype("datetime64[us, UTC]")
    return frame
