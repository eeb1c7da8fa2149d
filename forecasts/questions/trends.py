"""The crowd's trend on binary questions, as a list of questions shows it."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Integer, column, values
from sqlmodel import Session, col, select

from forecasts.access import kinds
from forecasts.access.kinds import Crowd, CrowdOf
from forecasts.access.visibility import forecast_visible
from forecasts.ledger.columns import Time
from forecasts.ledger.current import forecast_at, is_among
from forecasts.ledger.models import CurrentForecast, Forecast, QuestionType
from forecasts.questions.standing import QuestionState
from scoring.crowds import RunningMedian

POINTS = 12  # of a trend


@dataclass(frozen=True)
class Trend:
    """The crowd's median at equally spaced times over a question's life.

    ``points``: None where no forecast was active. ``forecasters``: how many the last point counts,
    an owner's bots as one. ``of``: the members who count, "" if no bot has forecast.
    """

    points: tuple[float | None, ...]
    forecasters: int
    of: CrowdOf | Literal[""] = ""


def trends(
    session: Session, states: Sequence[QuestionState], *, now: datetime, points: int = POINTS
) -> dict[int, Trend]:
    """Return the crowd's trend on each binary question by its id, in two statements.

    It counts the forecasts that the session's reader may see: those of people until the reader, a
    person, has forecast (``access.kinds``). A question without one has no trend. ``points``: 1 for
    the newest median alone.
    """
    times = {
        state.id: _times(state, now, points)
        for state in states
        if state.text.type == QuestionType.binary
    }
    updates: dict[int, list[tuple[datetime, int, float]]] = defaultdict(list)
    for id_, member_id, made_at, p in rows_at(
        session,
        {id_: {*some, now} for id_, some in times.items()},
        *(Forecast.question_id, Forecast.member_id, Forecast.made_at, Forecast.probability),
    ):
        updates[id_].append((made_at, member_id, math.nan if p is None else p))
    crowd = kinds.crowd(session)
    found = {
        state.id: _trend(updates[state.id], state, times[state.id], crowd, now)
        for state in states
        if state.id in updates
    }
    return {id_: trend for id_, trend in found.items() if trend is not None}


def rows_at(
    session: Session, times: Mapping[int, Collection[datetime]], *columns: Any
) -> Sequence[Any]:
    """Return the visible forecasts and withdrawals that were the last ones at one of the times.

    ``times``: by the question's id. Each row is there once, with these columns, the oldest first.
    The cost depends on the numbers of members and times, not on that of the forecasts.
    """
    pairs = [(id_, at) for id_, some in times.items() for at in some]
    if not pairs:
        return []
    point = values(column("question_id", Integer), column("at", Time()), name="point")
    at = point.data(pairs).cte("point")
    last = (
        select(forecast_at(at.c.at))
        .select_from(CurrentForecast)
        .join(at, at.c.question_id == CurrentForecast.question_id)
    )
    statement = (
        select(*columns)
        .where(is_among(session, last), forecast_visible(session))
        .order_by(col(Forecast.made_at), col(Forecast.id))
    )
    return session.execute(statement).all()


def _times(state: QuestionState, now: datetime, points: int) -> list[datetime]:
    begin, end = state.text.open_time, min(now, state.text.close_time)
    return [begin + (end - begin) * step / points for step in range(1, points + 1)]


def _trend(
    updates: Sequence[tuple[datetime, int, float]],
    state: QuestionState,
    times: Sequence[datetime],
    crowd: Crowd,
    now: datetime,
) -> Trend | None:
    forecasters = {member for _, member, _ in updates}
    of = crowd.usual(has_forecast=crowd.reader in forecasters, is_open=state.accepts_forecasts(now))
    updates = [update for update in updates if crowd.counts(update[1], of)]
    if not updates:
        return None
    running = RunningMedian()
    points: list[float | None] = []
    done = 0
    for until in times:
        while done < len(updates) and updates[done][0] <= until:
            _, member, p = updates[done]
            running.update(member, p, crowd.pool(member))
            done += 1
        points.append(running.median() if len(running) else None)
    return Trend(tuple(points), len(running), of if forecasters & set(crowd.bots) else "")
