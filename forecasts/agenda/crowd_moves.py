"""Where the others have moved away from a standing forecast since it was made.

The others are the median of their standing forecasts, without one's own: at the moment when one's
own was made, and now. How far apart they are is a difference of probabilities; of options the
largest; of numbers and days that of the medians, over the question's range.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from typing import Any

import sqlalchemy
from sqlmodel import Session, and_, col, func, select

from forecasts.access.visibility import forecast_visible
from forecasts.ledger.models import Forecast, QuestionText, QuestionType
from forecasts.questions.outcomes import figure_to_float, format_figure
from forecasts.scores.paths import median_of
from forecasts.updates.values import format_probability

FAR = 0.1  # by so much more than then they have to be away from the forecast
LOOKED_AT = 100  # questions, the first of those that are asked about


@dataclass(frozen=True)
class Moved:
    """How far the others have moved away (0..1), and from where to where, in words.

    ``what``: the option whose difference is the largest; blank where the question has none.
    """

    by: float
    what: str
    then: str
    now: str


def moved_away(
    session: Session,
    standing: Sequence[tuple[QuestionText, Forecast]],
    *,
    now: datetime,
) -> dict[int, Moved]:
    """Return by question where others have moved away from the standing forecast by ``FAR``.

    Each of the first ``LOOKED_AT`` questions is looked at: two statements, however many others
    have forecast. What the session's reader may not see is not looked at.
    """
    own = {forecast.question_id: forecast for _, forecast in standing[:LOOKED_AT]}
    texts = {forecast.question_id: text for text, forecast in standing[:LOOKED_AT]}
    if not own:
        return {}
    before = _others(session, own, None)
    after = _others(session, own, now)
    found = {}
    for id_, forecast in own.items():
        moved = _moved(_numbers(forecast, texts[id_]), texts[id_], before[id_], after[id_])
        if moved is not None:
            found[id_] = moved
    return found


def _others(
    session: Session, own: Mapping[int, Forecast], at: datetime | None
) -> dict[int, list[Any]]:
    """Return by question what stood of the others; without ``at`` when one's own was made."""
    mine: Any = select(
        col(Forecast.question_id).label("question_id"),
        col(Forecast.member_id).label("member_id"),
        col(Forecast.made_at).label("made_at"),
    )
    mine_of = mine.where(col(Forecast.id).in_([one.id for one in own.values()])).subquery()
    place = func.row_number().over(
        partition_by=(col(Forecast.question_id), col(Forecast.member_id)),
        order_by=(col(Forecast.made_at).desc(), col(Forecast.id).desc()),
    )
    # With what is asked of each, so that none has to be looked up by its number afterwards.
    said: Any = sqlalchemy.select(
        col(Forecast.question_id),
        col(Forecast.probability),
        col(Forecast.probabilities),
        col(Forecast.quantiles),
        col(Forecast.withdrawn),
        place.label("place"),
    )
    ranked = (
        said.join(
            mine_of,
            and_(
                mine_of.c.question_id == col(Forecast.question_id),
                mine_of.c.member_id != col(Forecast.member_id),
            ),
        )
        .where(
            col(Forecast.made_at) <= (mine_of.c.made_at if at is None else at),
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
    """Return what is compared: a probability, one an option, or a median over the range (0..1)."""
    if forecast.probability is not None:
        return [forecast.probability]
    if forecast.probabilities is not None:
        vector = forecast.probabilities
        lacks = len(text.options or []) - len(vector)
        padded = [*vector[:-1], *[None] * lacks, *vector[-1:]]
        return [math.nan if p is None else p for p in padded]
    low, high = (figure_to_float(end, text.type) for end in (text.lower_bound, text.upper_bound))
    return [(median_of(forecast.quantiles or {}, text) - low) / (high - low)]


def _moved(
    mine: Sequence[float], text: QuestionText, before: Sequence[Any], after: Sequence[Any]
) -> Moved | None:
    then, now = _medians(before, text, len(mine)), _medians(after, text, len(mine))
    away = [
        abs(own - there) - abs(own - here) for own, here, there in zip(mine, then, now, strict=True)
    ]
    known = [place for place, by in enumerate(away) if not math.isnan(by)]
    if not known:
        return None
    most = max(known, key=lambda place: away[place])
    if away[most] < FAR - 1e-9:
        return None
    options = text.options or []
    return Moved(
        by=away[most],
        what=options[most] if options else "",
        then=_said(then[most], text),
        now=_said(now[most], text),
    )


def _medians(rows: Sequence[Any], text: QuestionText, size: int) -> list[float]:
    """Return the others' median of each number; NaN where none of them says it."""
    vectors = [_numbers(row, text) for row in rows]
    medians = []
    for place in range(size):
        said = [vector[place] for vector in vectors if not math.isnan(vector[place])]
        medians.append(median(said) if said else math.nan)
    return medians


def _said(number: float, text: QuestionText) -> str:
    if text.type in (QuestionType.binary, QuestionType.multiple_choice):
        return format_probability(number)
    low, high = (figure_to_float(end, text.type) for end in (text.lower_bound, text.upper_bound))
    figure = low + number * (high - low)
    if text.type == QuestionType.date:
        return datetime.fromtimestamp(figure, UTC).date().isoformat()
    return f"{format_figure(float(f'{figure:.6g}'))} {text.unit or ''}".rstrip()
