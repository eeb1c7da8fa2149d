"""A question's forecasts as lines over time: every forecaster's path, and the crowd's.

A path is a step function: what was said stands until the next row, a withdrawal or the close.
The crowd here is the median of the forecasts that stand, which anybody can check by eye; the
other crowds (recency weights, extremising) are ``scoring``'s.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from sqlmodel import Session

from forecasts.models import Citation, Evidence, Forecast, Question, QuestionText, QuestionType
from forecasts.times import iso_day_or_time
from forecasts.updates import evidence_of, history
from forecasts.values import figure_number, say_value

CROWD = "Crowd (median)"
_STEP = ["forecaster", "time", "value", "said"]
_MARK = [*_STEP, "stance", "evidence", "reason"]


@dataclass(frozen=True)
class Paths:
    """The lines of one question; times are datetime64[us, UTC].

    ``steps``: forecaster, time, value, said; a value holds until the forecaster's next row and is
    NaN from a withdrawal on; the last row of each repeats its value at the end of the line.
    ``crowd``: time, value, live (how many forecasts stand).
    ``marks``: a row an evidence cited: the step it came with, stance, evidence, reason.
    Values are probabilities, figures, or for a date question times.
    """

    steps: pd.DataFrame
    crowd: pd.DataFrame
    marks: pd.DataFrame


def paths(
    session: Session, question: Question, text: QuestionText, *, now: datetime, option: int = 0
) -> Paths:
    """Return the paths from the open up to ``now`` or the close, whichever is earlier.

    What was said before the open, as imported forecasts may be, stands from the open on; what was
    said from the close on never stood. So it is in scoring.

    ``option``: which option's probability a multiple choice question shows. Of quantiles the
    median is shown, read off between the two that enclose it.
    """
    end = min(now, text.close_time)
    rows = _while_open(history(session, question), text, now)
    cited = evidence_of(session, question)
    values = [_value(forecast, text, option) for forecast, _ in rows]
    said = [say_value(forecast, text.options) for forecast, _ in rows]
    steps = [
        (handle, max(forecast.made_at, text.open_time), value, words)
        for (forecast, handle), value, words in zip(rows, values, said, strict=True)
    ]
    marks = [
        (*step, str(citation.stance), _named(evidence), forecast.rationale)
        for step, (forecast, _) in zip(steps, rows, strict=True)
        for citation, evidence in _of(cited, forecast)
    ]
    last = {handle: (handle, end, value, words) for handle, time, value, words in steps}
    return Paths(
        steps=_frame([*steps, *last.values()], _STEP, text),
        crowd=_frame(_crowd(steps, end), ["time", "value", "live"], text),
        marks=_frame(marks, _MARK, text),
    )


def _while_open(
    rows: Sequence[tuple[Forecast, str]], text: QuestionText, now: datetime
) -> list[tuple[Forecast, str]]:
    """Return the rows that came to stand between the open and the close, and by ``now``."""
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


def _of(
    cited: dict[int, list[tuple[Citation, Evidence]]], forecast: Forecast
) -> Sequence[tuple[Citation, Evidence]]:
    assert forecast.id is not None
    return cited.get(forecast.id, ())


def _named(evidence: Evidence) -> str:
    known = [evidence.title or evidence.note or evidence.url or "", evidence.publisher or ""]
    if evidence.published_at is not None:
        known.append(iso_day_or_time(evidence.published_at))
    return " · ".join(part for part in known if part)


def _value(forecast: Forecast, text: QuestionText, option: int) -> float:
    """Return the number to draw; NaN where nothing stands or the option did not exist yet."""
    if forecast.probability is not None:
        return forecast.probability
    if forecast.probabilities is not None:
        given = forecast.probabilities[option] if option < len(forecast.probabilities) else None
        return float("nan") if given is None else given
    if forecast.quantiles is not None:
        return _median(forecast.quantiles, text)
    return float("nan")


def _median(quantiles: dict[str, Any], text: QuestionText) -> float:
    inside = sorted(
        (float(level), figure_number(figure, text.type))
        for level, figure in quantiles.items()
        if level not in ("below", "above")
    )
    if not inside:
        return float("nan")
    levels, figures = zip(*inside, strict=True)
    return float(np.interp(0.5, levels, figures))


def _crowd(
    steps: Sequence[tuple[str, datetime, float, str]], end: datetime
) -> list[tuple[datetime, float, int]]:
    """Return (time, median, how many) at each change; the sorted list keeps a change cheap."""
    standing: dict[str, float] = {}
    ordered: list[float] = []
    crowd: list[tuple[datetime, float, int]] = []
    for handle, time, value, _ in steps:
        if handle in standing:
            del ordered[bisect_left(ordered, standing.pop(handle))]
        if not np.isnan(value):
            standing[handle] = value
            insort(ordered, value)
        n = len(ordered)
        median = (ordered[(n - 1) // 2] + ordered[n // 2]) / 2 if n else float("nan")
        if crowd and crowd[-1][0] == time:
            crowd.pop()
        crowd.append((time, median, n))
    if crowd and crowd[-1][0] < end:
        crowd.append((end, *crowd[-1][1:]))
    return crowd


def _frame(rows: Sequence[tuple[Any, ...]], columns: list[str], text: QuestionText) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=columns)
    frame["time"] = pd.to_datetime(frame["time"], utc=True).astype("datetime64[us, UTC]")
    if text.type == QuestionType.date:
        seconds = frame["value"].astype(float)
        frame["value"] = pd.to_datetime(seconds, unit="s", utc=True).astype("datetime64[us, UTC]")
    return frame
