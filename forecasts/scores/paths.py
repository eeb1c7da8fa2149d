"""A question's forecasts as lines over time: each forecaster's path, and the crowd's.

A path is a step function: a forecast holds until the next row, a withdrawal or the close. Without a
current forecast there is no line, so a line consists of stretches with gaps between them. The crowd
here is the median of current forecasts, which anyone can check by eye; other crowds (recency
weights, extremising) are computed by ``scoring``. Of numbers and dates, the crowd's 25th percentile
is the median of the forecasters' 25th percentiles, and so with the 75th.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import numpy as np
import pandas as pd
from sqlmodel import Session

import scoring
from forecasts.access import kinds
from forecasts.access.kinds import CrowdOf
from forecasts.common.times import iso_day_or_time
from forecasts.folder.frames import rows as frame_rows
from forecasts.ledger.models import (
    Citation,
    Evidence,
    Forecast,
    Question,
    QuestionText,
    QuestionType,
)
from forecasts.scores.attribution import citation_parts
from forecasts.scores.ledger_frames import scoring_frames
from forecasts.scores.stored_scores import main_protocol
from forecasts.updates.updates import evidence_of, history
from forecasts.values.distributions import knots
from forecasts.values.value import OUTSIDE_LEVELS, Value, format_value, value_of
from scoring.crowds import RunningMedian

CROWD = "Crowd (median)"
_STEP = ["forecaster", "stretch", "time", "value", "forecast"]
_CROWD = ["stretch", "time", "value", "live"]
_MARK = ["forecaster", "time", "value", "forecast", "stance", "evidence", "url", "reason", "points"]
QUARTILES = {"low": 0.25, "high": 0.75}
_Point = tuple[str, datetime, float, str]  # forecaster, time, value (NaN: withdrawn), formatted


@dataclass(frozen=True)
class Paths:
    """The lines of one question; times are datetime64[us, UTC].

    ``steps``: forecaster, stretch, time, value, forecast (the formatted value); a value holds until
    the next row of its stretch. A stretch ends with a row at the withdrawal, the close or now that
    repeats its last value. ``crowd``: stretch, time, value, live (number of current forecasts; 0
    where that ends a stretch). ``marks``: one row per citation: forecaster, time, value, forecast,
    stance, evidence, url (blank without one), reason, points (its part of the points of its update,
    positive is better; NaN if the question is not scored, and for a first forecast). Values are
    probabilities, numbers, or times for a date question. Of numbers and dates, ``steps`` and
    ``crowd`` have their 25th and 75th percentile too (low, high). ``crowd_of``: the members who
    count in it, "" if no bot has forecast.
    """

    steps: pd.DataFrame
    crowd: pd.DataFrame
    marks: pd.DataFrame
    crowd_of: CrowdOf | Literal[""] = ""


def paths(
    session: Session,
    question: Question,
    text: QuestionText,
    *,
    now: datetime,
    option: int = 0,
    scored: bool = False,
    crowd_of: CrowdOf | None = None,
) -> Paths:
    """Return the paths from the open to ``now`` or the close, whichever is earlier.

    As in scoring, a forecast from before the open (from an import) counts from the open, and a
    forecast from the close on does not count.

    ``option`` selects the option shown for multiple choice. Quantiles are shown as their median.
    ``scored``: the question has an outcome, so marks have points. ``crowd_of``: the members who
    count in the crowd, by default those of ``access.kinds``; the bots of one owner count as one.
    """
    return _read(session, question, text, now, scored, crowd_of)(option)


def paths_of(
    rows: Sequence[tuple[Forecast, str]], text: QuestionText, *, now: datetime, option: int = 0
) -> Paths:
    """Return the paths of these forecasts alone, oldest first with their members' handles.

    As ``paths``, but without evidence, and with a crowd of just these members.
    """
    counted = _while_open(rows, text, now)
    pools: list[tuple[bool, str | None]] = [(True, None)] * len(counted)
    return _paths(counted, pools, {}, {}, text, option, min(now, text.close_time), "")


def option_paths(
    session: Session,
    question: Question,
    text: QuestionText,
    *,
    now: datetime,
    scored: bool = False,
    crowd_of: CrowdOf | None = None,
) -> list[Paths]:
    """Return the paths of each option of a multiple-choice question, in the options' order."""
    of = _read(session, question, text, now, scored, crowd_of)
    return [of(option) for option in range(len(text.options or []))]


def _read(
    session: Session,
    question: Question,
    text: QuestionText,
    now: datetime,
    scored: bool,
    crowd_of: CrowdOf | None,
) -> Callable[[int], Paths]:
    """Return a function from an option to its paths, having read the question's forecasts."""
    rows = _while_open(history(session, question), text, now)
    cited = evidence_of(session, question)
    earned = _points_earned(session, question, text) if scored and cited else {}
    crowd = kinds.crowd(session)
    forecasters = {forecast.member_id for forecast, _ in rows}
    has_forecast = crowd.reader in forecasters
    of = crowd_of or crowd.usual(has_forecast=has_forecast, is_open=now < text.close_time)
    pools = [
        (crowd.counts(forecast.member_id, of), crowd.pool(forecast.member_id))
        for forecast, _ in rows
    ]
    end = min(now, text.close_time)
    label: CrowdOf | Literal[""] = of if forecasters & set(crowd.bots) else ""
    return lambda option: _paths(rows, pools, cited, earned, text, option, end, label)


def _paths(
    rows: Sequence[tuple[Forecast, str]],
    pools: Sequence[tuple[bool, str | None]],
    cited: Mapping[int, Sequence[tuple[Citation, Evidence]]],
    earned: Mapping[int | None, float],
    text: QuestionText,
    option: int,
    end: datetime,
    crowd_of: CrowdOf | Literal[""],
) -> Paths:
    def points(level: float = 0.5) -> list[_Point]:
        return [
            (
                handle,
                max(forecast.made_at, text.open_time),
                _value(forecast, text, option, level),
                format_value(forecast, text.options),
            )
            for forecast, handle in rows
        ]

    marks = []
    for point, (forecast, _) in zip(points(), rows, strict=True):
        citations = cited.get(forecast.id or 0, ())
        parts = citation_parts([citation.share for citation, _ in citations])
        gain = earned.get(forecast.id, float("nan"))
        for (citation, evidence), part in zip(citations, parts, strict=True):
            about = (str(citation.stance), _evidence_label(evidence), evidence.url or "")
            marks.append((*point, *about, forecast.rationale, gain * part))
    steps = _frame(_steps(points(), end), _STEP, text)
    crowd = _frame(_crowd(points(), pools, end), _CROWD, text)
    if text.is_quantitative:
        # The same rows as those of the median, because a forecast has all of its quantiles or none.
        for name, level in QUARTILES.items():
            steps[name] = _frame(_steps(points(level), end), _STEP, text)["value"]
            crowd[name] = _frame(_crowd(points(level), pools, end), _CROWD, text)["value"]
    return Paths(steps, crowd, _frame(marks, _MARK, text), crowd_of)


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


def _value(forecast: Forecast, text: QuestionText, option: int, level: float) -> float:
    """Return the number to draw; NaN for a withdrawal, and for an option added since."""
    if forecast.probability is not None:
        return forecast.probability
    if vector := value_of(forecast).over(text.options).probabilities:
        p = vector[option]
        return float("nan") if p is None else p
    if forecast.quantiles is not None:
        return quantile_at(forecast.quantiles, text, level)
    return float("nan")


def quantile_at(quantiles: Mapping[str, Any], text: QuestionText, level: float = 0.5) -> float:
    """Return the quantile at ``level``, as scoring reads it; NaN if no quantile is stated.

    Dates are seconds since 1970.
    """
    if not quantiles.keys() - OUTSIDE_LEVELS:
        return float("nan")
    return float(np.interp(level, *knots(Value(quantiles=quantiles), text)))


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


def _crowd(
    points: Sequence[_Point], pools: Sequence[tuple[bool, str | None]], end: datetime
) -> list[tuple[int, datetime, float, int]]:
    """Return (stretch, time, median, count) at each change, and at the end of each stretch.

    ``pools``: whether each point's forecaster counts, and the pool in which.
    """
    running = RunningMedian()
    medians: dict[datetime, tuple[float, int]] = {}
    for (handle, time, value, _), (counts, pool) in zip(points, pools, strict=True):
        if not counts:
            continue
        running.update(handle, value, pool)
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
