"""The crowd's trend on binary questions, as a list of questions shows it."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlmodel import Session, col, select

from forecasts.access import kinds
from forecasts.access.kinds import Crowd, CrowdOf
from forecasts.access.visibility import forecast_visible
from forecasts.ledger.models import Forecast, QuestionType
from forecasts.questions.standing import QuestionState
from scoring.crowds import RunningMedian

_POINTS = 12  # of a trend


@dataclass(frozen=True)
class Trend:
    """The crowd's median at equally spaced times over a question's life.

    ``points``: None where no forecast was active. ``forecasters``: how many the last point counts,
    an owner's bots as one. ``of``: the members who count, "" if no bot has forecast.
    """

    points: tuple[float | None, ...]
    forecasters: int
    of: CrowdOf | Literal[""] = ""


def trends(session: Session, states: Sequence[QuestionState], *, now: datetime) -> dict[int, Trend]:
    """Return the crowd's trend on each binary question by its id, in two statements.

    It counts the forecasts that the session's reader may see: those of people until the reader, a
    person, has forecast (``access.kinds``). A question without one has no trend.
    """
    binary = {state.id: state for state in states if state.text.type == QuestionType.binary}
    updates: dict[int, list[tuple[datetime, int, float]]] = defaultdict(list)
    for id_, member_id, made_at, p in session.exec(
        select(Forecast.question_id, Forecast.member_id, Forecast.made_at, Forecast.probability)
        .where(
            col(Forecast.question_id).in_(list(binary)),
            col(Forecast.made_at) <= now,
            forecast_visible(session),
        )
        .order_by(col(Forecast.question_id), col(Forecast.made_at), col(Forecast.id))
    ):
        updates[id_].append((made_at, member_id, math.nan if p is None else p))
    crowd = kinds.crowd(session)
    found = {id_: _trend(rows, binary[id_], crowd, now) for id_, rows in updates.items()}
    return {id_: trend for id_, trend in found.items() if trend is not None}


def _trend(
    updates: Sequence[tuple[datetime, int, float]],
    state: QuestionState,
    crowd: Crowd,
    now: datetime,
) -> Trend | None:
    forecasters = {member for _, member, _ in updates}
    of = crowd.usual(has_forecast=crowd.reader in forecasters, is_open=state.accepts_forecasts(now))
    updates = [update for update in updates if crowd.counts(update[1], of)]
    if not updates:
        return None
    begin, end = state.text.open_time, min(now, state.text.close_time)
    running = RunningMedian()
    points: list[float | None] = []
    done = 0
    for step in range(1, _POINTS + 1):
        until = begin + (end - begin) * step / _POINTS
        while done < len(updates) and updates[done][0] <= until:
            _, member, p = updates[done]
            running.update(member, p, crowd.pool(member))
            done += 1
        points.append(running.median() if len(running) else None)
    return Trend(tuple(points), len(running), of if forecasters & set(crowd.bots) else "")
