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
from typing import Any

from sqlmodel import Session

from forecasts.access import kinds
from forecasts.ledger.models import Forecast, QuestionText, QuestionType
from forecasts.questions.trends import rows_at
from forecasts.scores.paths import quantile_at
from forecasts.values.outcomes import bounds, format_figure
from forecasts.values.value import Stated, format_probability, value_of
from scoring.crowds import RunningMedian

THRESHOLD = 0.1  # the least increase of the distance
MOST_QUESTIONS = 100
_READ = (
    *(Forecast.question_id, Forecast.member_id, Forecast.made_at, Forecast.withdrawn),
    *(Forecast.probability, Forecast.probabilities, Forecast.quantiles),
)


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
    others: dict[int, list[Any]] = defaultdict(list)
    times = {own.question_id: {own.made_at, now} for _, own in looked_at}
    for row in rows_at(session, times, *_READ):
        others[row.question_id].append(row)
    pool = kinds.crowd(session).pool
    moves = {}
    for text, own in looked_at:
        rows = [row for row in others[own.question_id] if row.member_id != own.member_id]
        moves[own.question_id] = _move(own, text, rows, pool, now)
    return {id_: move for id_, move in moves.items() if move is not None}


def _numbers(forecast: Stated, text: QuestionText) -> list[float]:
    """Return the numbers to compare: probabilities, or a median as a share of the range."""
    if forecast.probability is not None:
        return [forecast.probability]
    if forecast.probabilities is not None:
        vector = value_of(forecast).over(text.options).probabilities or ()
        return [math.nan if p is None else p for p in vector]
    low, high = bounds(text)
    return [(quantile_at(forecast.quantiles or {}, text) - low) / (high - low)]


def _move(
    own: Forecast,
    text: QuestionText,
    others: Sequence[Any],
    pool: Callable[[int], str | None],
    now: datetime,
) -> CrowdMove | None:
    numbers = _numbers(own, text)
    before, after = (_crowds(others, at, text, len(numbers), pool) for at in (own.made_at, now))
    then, here = ([crowd.median() for crowd in crowds] for crowds in (before, after))
    away = [
        abs(mine - current) - abs(mine - earlier)
        for mine, earlier, current in zip(numbers, then, here, strict=True)
    ]
    known = [place for place, distance in enumerate(away) if not math.isnan(distance)]
    most = max(known, key=lambda place: away[place], default=None)
    if most is None or away[most] < THRESHOLD - 1e-9:
        return None
    return CrowdMove(
        distance=away[most],
        option=text.options[most] if text.options else "",
        before=_format(then[most], text),
        now=_format(here[most], text),
        forecasters=max(map(len, after)),
    )


def _crowds(
    rows: Sequence[Any],
    at: datetime,
    text: QuestionText,
    size: int,
    pool: Callable[[int], str | None],
) -> list[RunningMedian]:
    """Return the crowd of each of the ``size`` numbers at that time."""
    crowds = [RunningMedian() for _ in range(size)]
    for row in {row.member_id: row for row in rows if row.made_at <= at}.values():
        if not row.withdrawn:
            for crowd, number in zip(crowds, _numbers(row, text), strict=True):
                crowd.update(row.member_id, number, pool(row.member_id))
    return crowds


def _format(number: float, text: QuestionText) -> str:
    if not text.is_quantitative:
        return format_probability(number)
    low, high = bounds(text)
    figure = low + number * (high - low)
    if text.type == QuestionType.date:
        return datetime.fromtimestamp(figure, UTC).date().isoformat()
    return f"{format_figure(float(f'{figure:.6g}'))} {text.unit or ''}".rstrip()
