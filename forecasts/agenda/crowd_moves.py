"""How far the crowd has moved away from a member's forecast since it was made.

The crowd is the median of the other members' current forecasts: at the time of the member's own
forecast, and now; the bots of one owner count as one. Distances are differences of probability; for
options the largest one; for numbers and dates the difference of medians, divided by the question's
range.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from typing import Any

import sqlalchemy
from sqlmodel import Session, col, func

from forecasts.access import kinds
from forecasts.access.visibility import forecast_visible
from forecasts.ledger.models import Forecast, QuestionText, QuestionType
from forecasts.scores.paths import quantile_at
from forecasts.values.outcomes import bounds, format_figure
from forecasts.values.value import format_probability, value_of

THRESHOLD = 0.1  # the least increase of the distance
MOST_QUESTIONS = 100


@dataclass(frozen=True)
class CrowdMove:
    """The increase in the crowd's distance (0 to 1), and its median before and now, formatted.

    ``option``: the option with the largest increase; empty for other question types.
    ``forecasters``: the others with a current forecast.
    """

    distance: float
    option: str
    before: str
    now: str
    forecasters: int


def crowd_moves(
    session: Session, forecasts: Sequence[tuple[QuestionText, Forecast]], *, now: datetime
) -> dict[int, CrowdMove]:
    """Return by question the crowd's moves away from a current forecast by ``THRESHOLD`` or more.

    Of the first ``MOST_QUESTIONS`` forecasts, and of the forecasts that the session's reader may
    see; three statements, however many there are.
    """
    own = {forecast.question_id: forecast for _, forecast in forecasts[:MOST_QUESTIONS]}
    texts = {forecast.question_id: text for text, forecast in forecasts[:MOST_QUESTIONS]}
    if not own:
        return {}
    pool = kinds.crowd(session).pool
    before, after = _others(session, own, None), _others(session, own, now)
    moves = {}
    for id_, forecast in own.items():
        text = texts[id_]
        then, current = (_units(rows[id_], text, pool) for rows in (before, after))
        moves[id_] = _move(_numbers(forecast, text), text, then, current)
    return {id_: move for id_, move in moves.items() if move is not None}


def _others(
    session: Session, own: Mapping[int, Forecast], at: datetime | None
) -> dict[int, list[Any]]:
    """Return by question the others' forecasts current at ``at``, or when the own one was made."""
    mine = (
        sqlalchemy.select(col(Forecast.question_id), col(Forecast.member_id), col(Forecast.made_at))
        .where(col(Forecast.id).in_([one.id for one in own.values()]))
        .subquery()
    )
    place = func.row_number().over(
        partition_by=(col(Forecast.question_id), col(Forecast.member_id)),
        order_by=(col(Forecast.made_at).desc(), col(Forecast.id).desc()),
    )
    # With the values themselves, so that no forecast has to be loaded by its id afterwards.
    values: Any = sqlalchemy.select(
        col(Forecast.question_id),
        col(Forecast.member_id),
        col(Forecast.probability),
        col(Forecast.probabilities),
        col(Forecast.quantiles),
        col(Forecast.withdrawn),
        place.label("place"),
    )
    is_other = (mine.c.question_id == Forecast.question_id) & (
        mine.c.member_id != Forecast.member_id
    )
    ranked = (
        values.join(mine, is_other)
        .where(
            col(Forecast.made_at) <= (mine.c.made_at if at is None else at),
            forecast_visible(session),
        )
        .subquery()
    )
    last = sqlalchemy.select(ranked).where(ranked.c.place == 1, ranked.c.withdrawn.is_(False))
    found: dict[int, list[Any]] = defaultdict(list)
    for row in session.connection().execute(last):
        found[row.question_id].append(row)
    return found


def _numbers(forecast: Any, text: QuestionText) -> list[float]:
    """Return the numbers to compare: probabilities, or a median as a share of the range."""
    if forecast.probability is not None:
        return [forecast.probability]
    if forecast.probabilities is not None:
        vector = value_of(forecast).over(text.options).probabilities or ()
        return [math.nan if p is None else p for p in vector]
    low, high = bounds(text)
    return [(quantile_at(forecast.quantiles or {}, text) - low) / (high - low)]


def _units(
    rows: Sequence[Any], text: QuestionText, pool: Callable[[int], str | None]
) -> list[list[float]]:
    """Return the numbers of each forecaster, of the bots of one owner their means."""
    units: dict[int | str, list[list[float]]] = defaultdict(list)
    for row in rows:
        units[pool(row.member_id) or row.member_id].append(_numbers(row, text))
    return [[_mean(column) for column in zip(*said, strict=True)] for said in units.values()]


def _mean(numbers: Sequence[float]) -> float:
    known = [number for number in numbers if not math.isnan(number)]
    return math.fsum(known) / len(known) if known else math.nan


def _move(
    mine: Sequence[float],
    text: QuestionText,
    before: Sequence[list[float]],
    after: Sequence[list[float]],
) -> CrowdMove | None:
    then, now = _medians(before, len(mine)), _medians(after, len(mine))
    away = [
        abs(own - there) - abs(own - here) for own, here, there in zip(mine, then, now, strict=True)
    ]
    known = [place for place, distance in enumerate(away) if not math.isnan(distance)]
    if not known:
        return None
    most = max(known, key=lambda place: away[place])
    if away[most] < THRESHOLD - 1e-9:
        return None
    options = text.options or []
    return CrowdMove(
        distance=away[most],
        option=options[most] if options else "",
        before=_format(then[most], text),
        now=_format(now[most], text),
        forecasters=len(after),
    )


def _medians(vectors: Sequence[list[float]], size: int) -> list[float]:
    """Return the others' median of each number; NaN if no forecast has it."""
    known = [[v[n] for v in vectors if not math.isnan(v[n])] for n in range(size)]
    return [median(numbers) if numbers else math.nan for numbers in known]


def _format(number: float, text: QuestionText) -> str:
    if not text.is_quantitative:
        return format_probability(number)
    low, high = bounds(text)
    figure = low + number * (high - low)
    if text.type == QuestionType.date:
        return datetime.fromtimestamp(figure, UTC).date().isoformat()
    return f"{format_figure(float(f'{figure:.6g}'))} {text.unit or ''}".rstrip()
