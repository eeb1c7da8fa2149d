"""A member's forecasts beside their coherent neighbours, before they are saved or after."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlmodel import Session

from forecasts.common.vocabulary import QuestionType
from forecasts.ledger.models import Member
from forecasts.questions.ties import Tied, TiedQuestion, ever_tied, tied
from forecasts.updates.updates import current_forecasts, current_values
from forecasts.values.outcomes import NOT_SCORED
from forecasts.values.value import Value, value_of
from forecasts.values.worlds import LEAST, Worlds, nearest, probability, sets


@dataclass(frozen=True)
class Move:
    """The probability of an outcome as the member says it, and as it fits their other forecasts."""

    question: TiedQuestion
    outcome: str
    said: float
    coherent: float


def contradictions(
    session: Session, values: Mapping[int, Value], *, member: Member, now: datetime
) -> list[list[Move]]:
    """Return the sets of forecasts that contradict each other, each with its coherent neighbours.

    ``values``: of questions by id, not saved yet, beside the member's current forecasts on all that
    hang together with them. Outcomes that are recorded count as known; a forecast on a question
    that is over counts no longer. A set whose forecasts all move by less than half a point is left
    out.
    """
    found = tied(session, values)
    said = current_values(session, member, found.questions, at=now)
    return contradicting(found, said | dict(values), now=now)


def contradicting(found: Tied, said: Mapping[int, Value], *, now: datetime) -> list[list[Move]]:
    """Return the sets of these forecasts, by question id, that contradict each other.

    As ``contradictions``.
    """
    by_slug = {one.slug: one for one in found.questions.values()}
    moves = []
    for worlds in sets(found.ties):
        worlds = _possible(worlds, by_slug)
        p = np.array(
            [
                probability(said[one.id], part, one)
                if (one := by_slug[part.question]).id in said and one.accepts_forecasts(now)
                else np.nan
                for part in worlds.parts
            ]
        )
        if np.isfinite(p).sum() < 2 or not len(worlds.table):
            continue
        own = [
            Move(by_slug[part.question], part.outcome, before, after)
            for part, before, after in zip(
                worlds.parts, p.tolist(), nearest(p[np.newaxis], worlds)[0].tolist(), strict=True
            )
            if not np.isnan(before)
        ]
        if any(abs(one.said - one.coherent) >= LEAST for one in own):
            moves.append(own)
    return moves


def own_contradictions(
    session: Session,
    member: Member,
    *,
    now: datetime,
    questions: Collection[int] | None = None,
) -> list[list[Move]]:
    """Return the sets of the member's current forecasts that contradict each other.

    ``questions``: only sets with a forecast on one of these. The rest as in ``contradictions``.
    """
    said = current_forecasts(session, member, at=now, unresolved=True)
    values = {id_: value_of(said[id_]) for id_ in ever_tied(session, said)}
    found = contradictions(session, values, member=member, now=now) if values else []
    if questions is None:
        return found
    return [moves for moves in found if any(one.question.id in questions for one in moves)]


def coherent_values(moves: Iterable[Move]) -> dict[int, Value]:
    """Return the coherent forecasts by question id; of a number or a date, none."""
    values: dict[int, Value] = {}
    vectors: dict[int, list[float]] = {}
    for one in moves:
        if one.question.type == QuestionType.binary:
            values[one.question.id] = Value(one.coherent)
        elif one.question.type == QuestionType.multiple_choice:
            vectors.setdefault(one.question.id, []).append(one.coherent)
    return values | {
        id_: Value(probabilities=tuple(p / sum(vector) for p in vector))
        for id_, vector in vectors.items()
    }


def _possible(worlds: Worlds, questions: Mapping[str, TiedQuestion]) -> Worlds:
    """Return the worlds with the outcomes that are recorded."""
    table = worlds.table
    for at, part in enumerate(worlds.parts):
        told = questions[part.question].outcome
        if told is None or questions[part.question].is_quantitative:
            continue
        if told in NOT_SCORED:
            table = table[np.isnan(table[:, at])]
        else:
            table = table[table[:, at] == (told == part.outcome)]
    return worlds._replace(table=table)
