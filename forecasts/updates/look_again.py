"""Linked questions to review, and how far their forecasts are from fitting the link."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby, permutations

from sqlmodel import Session, and_, col, select

from forecasts.common.vocabulary import LinkKind
from forecasts.ledger.models import CurrentForecast, Forecast, Member, QuestionLink
from forecasts.questions.links import Link, link_rows
from forecasts.questions.standing import QuestionState, rows_with
from forecasts.updates.updates import current_forecasts

_TOGETHER = timedelta(days=1)


@dataclass(frozen=True)
class Linked:
    """A link of a question, seen from there.

    ``other``: the question at its other end. ``distance``: by how much the member's two
    forecasts break the link, 0 if they do not; None if it says nothing of them, since it
    is a cause, or one is not a probability. ``is_older``: the forecast on the other was made before
    that on this one, so it may not know of it.
    """

    link: Link
    other: QuestionState
    forecast: Forecast | None
    distance: float | None
    is_older: bool


def updated_since(
    session: Session, said: Mapping[int, Forecast], *, member: Member
) -> dict[int, int]:
    """Return the questions whose forecast may not know of the member's update of a linked one.

    With the question updated last, by ids. ``said``: the member's current forecasts, or some. Only
    a first forecast and one with another value than the one before are updates, and those made
    within a day of each other were made together: else each would ask for the other again.
    """
    own = select(CurrentForecast.question_id).where(CurrentForecast.member_id == member.id)
    ends = col(QuestionLink.question_id).in_(own), col(QuestionLink.other_id).in_(own)
    pairs = [
        (id_, other)
        for row in link_rows(session, and_(*ends))
        for id_, other in permutations((row.question_id, row.other_id))
        if {id_, other} <= said.keys() and said[other].made_at > said[id_].made_at + _TOGETHER
    ]
    updated = _updated(session, sorted({other for _, other in pairs}), member)
    found: dict[int, int] = {}
    for id_, other in sorted(pairs, key=lambda pair: updated[pair[1]]):  # the last one stays
        if updated[other] > said[id_].made_at + _TOGETHER:
            found[id_] = other
    return found


def _updated(session: Session, questions: Sequence[int], member: Member) -> dict[int, datetime]:
    """Return when the member's forecast on each of these questions got its present value."""
    columns = (
        *(Forecast.question_id, Forecast.made_at),
        *(Forecast.probability, Forecast.probabilities, Forecast.quantiles),
    )
    own = select(*columns).where(Forecast.member_id == member.id)  # type: ignore[call-overload]
    own = own.order_by(col(Forecast.question_id), col(Forecast.made_at), col(Forecast.id))
    made = rows_with(session, own, Forecast.question_id, questions)
    found: dict[int, datetime] = {}
    for (question, *_), same in groupby(made, key=lambda row: (row[0], *row[2:])):
        found[question] = next(same)[1]
    return found


def distance(kind: LinkKind | str, one: float, other: float) -> float | None:
    """Return by how much two probabilities break a link; None for a cause.

    >>> [round(distance(kind, 0.6, 0.5), 3) for kind in ("implies", "excludes", "equivalent")]
    [0.1, 0.1, 0.1]
    >>> distance("implies", 0.2, 0.5), distance("cause", 0.2, 0.5)
    (0.0, None)
    """
    match kind:
        case LinkKind.implies:
            return max(0.0, one - other)
        case LinkKind.excludes:
            return max(0.0, one + other - 1)
        case LinkKind.equivalent:
            return abs(one - other)
    return None


def linked(
    session: Session,
    question: QuestionState,
    links: Sequence[Link],
    *,
    member: Member | None,
    now: datetime,
) -> list[Linked]:
    """Return the question's ``links`` with the member's forecasts, the farthest first."""
    said = current_forecasts(session, member, at=now) if links and member is not None else {}
    found = []
    for link in links:
        ends = [said.get(link.one.id), said.get(link.other.id)]
        p = [None if row is None else row.probability for row in ends]
        far = None if p[0] is None or p[1] is None else distance(link.row.kind, p[0], p[1])
        other = link.other if link.one.id == question.id else link.one
        own, row = said.get(question.id), said.get(other.id)
        is_older = own is not None and row is not None and row.made_at < own.made_at
        found.append(Linked(link, other, row, far, is_older and other.accepts_forecasts(now)))
    return sorted(found, key=lambda one: -(one.distance or 0.0))
