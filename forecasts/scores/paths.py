"""A question's forecasts as lines over time: every forecaster's path, and the crowd's.

A path is a step function: what was said stands until the next row, a withdrawal or the close.
Where nothing stands there is no line; so a line comes in stretches, with a gap between two.
The crowd here is the median of the forecasts that stand, which anybody can check by eye; the
other crowds (recency weights, extremising) are ``scoring``'s.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from sqlmodel import Session, col, select

import scoring
from forecasts.common.times import iso_day_or_time
from forecasts.ledger.models import (
    Citation,
    Evidence,
    Forecast,
    Question,
    QuestionRevision,
    QuestionText,
    QuestionType,
)
from forecasts.questions.outcomes import figure_to_float
from forecasts.scores.attribution import divided
from forecasts.scores.frames import rows as frame_rows
from forecasts.scores.frames import scoring_frames
from forecasts.scores.stored_scores import main_protocol
from forecasts.updates.updates import evidence_of, history
from forecasts.updates.values import format_value
from scoring.running_median import RunningMedian

CROWD = "Crowd (median)"
_STEP = ["forecaster", "stretch", "time", "value", "said"]
_MARK = ["forecaster", "time", "value", "said", "stance", "evidence", "reason", "points"]
_Said = tuple[str, datetime, float, str]  # forecaster, time, value (NaN: none stands), words


@dataclass(frozen=True)
class Paths:
    """The lines of one question; times are datetime64[us, UTC].

    ``steps``: forecaster, stretch, time, value, said; a value holds until the next row of its
    stretch. A stretch begins with a forecast and ends with a row at the withdrawal, the close or
    now, which repeats its last value.
    ``crowd``: stretch, time, value, live (how many forecasts stand; 0 where that ends a stretch).
    ``marks``: a row an evidence cited: forecaster, time, value, said, stance, evidence, reason,
    points (what it earned: its part of the points of its update, positive is better; NaN where the
    question is not scored, and for a first forecast, which replaced none).
    Values are probabilities, figures, or for a date question times.
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
    """Return the paths from the open up to ``now`` or the close, whichever is earlier.

    What was said before the open, as imported forecasts may be, stands from the open on; what was
    said from the close on never stood. So it is in scoring.

    ``option``: which option's probability a multiple choice question shows. Of quantiles the
    median is shown, read off between the two that enclose it. ``scored``: the question has an
    outcome, and the marks tell what they earned.
    """
    end = min(now, text.close_time)
    rows = _while_open(history(session, question), text, now)
    cited = evidence_of(session, question)
    lists = _option_lists(session, question)
    said = [
        (
            handle,
            max(forecast.made_at, text.open_time),
            _value(forecast, text, option, lists),
            format_value(forecast, text.options),
        )
        for forecast, handle in rows
    ]
    earned = _earned(session, question, text) if scored and cited else {}
    marks = [
        (*one, str(citation.stance), _named(evidence), forecast.rationale, points * part)
        for one, (forecast, _) in zip(said, rows, strict=True)
        for points in [earned.get(forecast.id, float("nan"))]
        for (citation, evidence), part in _parts(_of(cited, forecast))
    ]
    return Paths(
        steps=_frame(_steps(said, end), _STEP, text),
        crowd=_frame(_crowd(said, end), ["stretch", "time", "value", "live"], text),
        marks=_frame(marks, _MARK, text),
    )


def told(lines: Paths) -> pd.DataFrame:
    """Return the lines as rows to read, the newest first: what the chart shows, in words.

    A row a forecast or withdrawal: time, forecaster, said; crowd, the median that stood from then
    on (its type is that of the values), and live, of how many. Both are blank where nothing stood.
    """
    rows = lines.steps[lines.steps.duplicated(["forecaster", "stretch"], keep="last")]
    ends = lines.steps[lines.steps["said"] == "withdrawn"]
    rows = pd.concat([rows, ends]).sort_values("time", kind="stable")
    crowd = lines.crowd.rename(columns={"value": "crowd"})[["time", "crowd", "live"]]
    # As pandas wants it to be where one of them has no rows.
    joined = pd.merge_asof(rows, crowd.sort_values("time"), on="time")
    joined.loc[joined["live"] == 0, "crowd"] = None
    return joined[["time", "forecaster", "said", "crowd", "live"]].iloc[::-1]


def _parts(
    cited: Sequence[tuple[Citation, Evidence]],
) -> list[tuple[tuple[Citation, Evidence], float]]:
    """Return each citation of a forecast with the part of the update that it accounts for."""
    parts = divided([citation.share for citation, _ in cited])
    return list(zip(cited, parts, strict=True))


def _earned(session: Session, question: Question, text: QuestionText) -> dict[int | None, float]:
    """Return the points of each update of the question, by the id of its forecast."""
    questions, forecasts = scoring_frames(session, questions=[question.slug])
    updates = scoring.attribution(questions, forecasts, main_protocol(text.type))
    # The frames have a forecaster's rows in the order of their path, as the ledger has.
    paths: dict[str, list[int | None]] = defaultdict(list)
    for forecast, handle in history(session, question):
        paths[handle].append(forecast.id)
    place = forecasts.groupby("forecaster", sort=False).cumcount()
    return {
        paths[one.forecaster][place.iloc[one.forecast]]: one.points for one in frame_rows(updates)
    }


def _option_lists(session: Session, question: Question) -> dict[int, list[str]]:
    """Return the question's lists of options by their length: options are only ever added."""
    statement = select(QuestionRevision.options).where(
        QuestionRevision.question_id == question.id, col(QuestionRevision.options).is_not(None)
    )
    return {len(options): list(options) for options in session.exec(statement) if options}


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


def _value(
    forecast: Forecast, text: QuestionText, option: int, lists: dict[int, list[str]]
) -> float:
    """Return the number to draw; NaN where nothing stands or the option did not exist yet."""
    if forecast.probability is not None:
        return forecast.probability
    if forecast.probabilities is not None:
        options = lists.get(len(forecast.probabilities), [])
        named = dict(zip(options, forecast.probabilities, strict=True))
        given = named.get((text.options or [])[option])
        return float("nan") if given is None else given
    if forecast.quantiles is not None:
        return median_of(forecast.quantiles, text)
    return float("nan")


def median_of(quantiles: dict[str, Any], text: QuestionText) -> float:
    """Return where quantiles have their middle, dates as seconds since 1970; NaN without any."""
    inside = sorted(
        (float(level), figure_to_float(figure, text.type))
        for level, figure in quantiles.items()
        if level not in ("below", "above")
    )
    if not inside:
        return float("nan")
    levels, figures = zip(*inside, strict=True)
    return float(np.interp(0.5, levels, figures))


def _steps(said: Sequence[_Said], end: datetime) -> list[tuple[str, int, datetime, float, str]]:
    stretches: Counter[str] = Counter()
    open_: dict[str, tuple[float, str]] = {}
    steps: list[tuple[str, int, datetime, float, str]] = []
    for handle, time, value, words in said:
        if not np.isnan(value):
            stretches[handle] += handle not in open_
            open_[handle] = value, words
            steps.append((handle, stretches[handle], time, value, words))
        elif handle in open_:
            last, _ = open_.pop(handle)
            steps.append((handle, stretches[handle], time, last, words))
    for handle, (value, words) in open_.items():
        steps.append((handle, stretches[handle], end, value, words))
    return steps


def _crowd(said: Sequence[_Said], end: datetime) -> list[tuple[int, datetime, float, int]]:
    """Return (stretch, time, median, how many stand) at each change, and where a stretch ends."""
    crowd: list[tuple[int, datetime, float, int]] = []
    stretch, last, live = 0, float("nan"), 0
    for time, median, n in _medians(said):
        if n:
            stretch += live == 0
            crowd.append((stretch, time, median, n))
        elif live:
            crowd.append((stretch, time, last, 0))
        last, live = median, n
    if live and crowd[-1][1] < end:
        crowd.append((stretch, end, last, live))
    return crowd


def _medians(said: Sequence[_Said]) -> list[tuple[datetime, float, int]]:
    """Return (time, median, number of forecasters) at each change."""
    running = RunningMedian()
    medians: list[tuple[datetime, float, int]] = []
    for handle, time, value, _ in said:
        running.update(handle, value)
        if medians and medians[-1][0] == time:
            medians.pop()
        medians.append((time, running.median(), len(running)))
    return medians


def _frame(rows: Sequence[tuple[Any, ...]], columns: list[str], text: QuestionText) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=columns)
    frame["time"] = pd.to_datetime(frame["time"], utc=True).astype("datetime64[us, UTC]")
    if text.type == QuestionType.date:
        seconds = frame["value"].astype(float)
        frame["value"] = pd.to_datetime(seconds, unit="s", utc=True).astype("datetime64[us, UTC]")
    return frame
