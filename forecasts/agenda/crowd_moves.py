"""How far the crowd has moved away from a member's forecast since it was made.

The crowd is the median of the other members' current forecasts: at the time of the member's own
forecast, and now; the bots of one owner count as one. Distances are differences of probability; for
options the largest one; for numbers and dates the difference of medians, divided by the question's
range.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median

from sqlmodel import Session, col, select

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
    see; two statements, however many there are.
    """
    looked_at = forecasts[:MOST_QUESTIONS]
    others: dict[int, list[Forecast]] = defaultdict(list)
    for row in session.exec(
        select(Forecast)
        .where(
            col(Forecast.question_id).in_([own.question_id for _, own in looked_at]),
            col(Forecast.made_at) <= now,
            forecast_visible(session),
        )
        .order_by(col(Forecast.made_at), col(Forecast.id))
    ):
        others[row.question_id].append(row)
    pool = kinds.crowd(session).pool
    moves = {}
    for text, own in looked_at:
        rows = [row for row in others[own.question_id] if row.member_id != own.member_id]
        then, current = (_units(rows, at, text, pool) for at in (own.made_at, now))
        moves[own.question_id] = _move(_numbers(own, text), text, then, current)
    return {id_: move for id_, move in moves.items() if move is not None}


def _numbers(forecast: Forecast, text: QuestionText) -> list[float]:
    """Return the numbers to compare: probabilities, or a median as a share of the range."""
    if forecast.probability is not None:
        return [forecast.probability]
    if forecast.probabilities is not None:
        vector = value_of(forecast).over(text.options).probabilities or ()
        return [math.nan if p is None else p for p in vector]
    low, high = bounds(text)
    return [(quantile_at(forecast.quantiles or {}, text) - low) / (high - low)]


def _units(
    rows: Sequence[Forecast], at: datetime, text: QuestionText, pool: Callable[[int], str | None]
) -> list[list[float]]:
    """Return the numbers of each forecaster at that time, of the bots of one owner their means."""
    current = {row.member_id: row for row in rows if row.made_at <= at}
    units: dict[int | str, list[list[float]]] = defaultdict(list)
    for row in current.values():
        if not row.withdrawn:
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
