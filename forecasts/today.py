"""What needs a member today: the one reading behind the first page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, select

from forecasts.models import Article, Forecast, Member, Score
from forecasts.questions import Stands, Status, listing
from forecasts.scores import earned
from forecasts.updates import standing_of

# Beyond these, what was resolved is looked up with its question.
RECENT = 5


@dataclass(frozen=True)
class Today:
    """The questions by what they ask of the member, each list soonest close first.

    ``unforecast``: open, without a standing forecast of the member's. ``standing``: open, with
    it. ``awaiting``: closed or proposed. ``resolved``: the latest with the member's Brier score.
    ``empty``: nothing has been captured or asked yet.
    """

    unforecast: list[Stands]
    standing: list[tuple[Stands, Forecast]]
    awaiting: list[Stands]
    resolved: list[tuple[Stands, Score]]
    empty: bool


def today(session: Session, member: Member | None, *, now: datetime) -> Today:
    """Return what needs the member now; nobody's forecasts stand for one who has not acted yet."""
    questions = listing(session, now=now)
    mine = {} if member is None else standing_of(session, member, at=now)
    live = [stands for stands in questions if stands.takes_forecasts(now)]
    return Today(
        unforecast=[stands for stands in live if stands.id not in mine],
        standing=[(stands, mine[stands.id]) for stands in live if stands.id in mine],
        awaiting=[
            stands for stands in questions if stands.status in (Status.awaiting, Status.proposed)
        ],
        resolved=[] if member is None else earned(session, member, limit=RECENT),
        empty=not questions and session.exec(select(Article.id).limit(1)).first() is None,
    )
