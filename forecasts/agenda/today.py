"""The questions and forecasts that need a member today: the data of the page Today."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, select

from forecasts.access.roles import Action, member_rights
from forecasts.access.visibility import question_visible
from forecasts.agenda.crowd_moves import CrowdMove, crowd_moves
from forecasts.agenda.news import Mention, new_mentions
from forecasts.agenda.revisits import Intervals, intervals, seen_until
from forecasts.ledger.models import Article, Forecast, Member, Question
from forecasts.questions.standing import QuestionState, by_id, outlines
from forecasts.resolution.disputes import open_disputes
from forecasts.resolution.progress import parked_ids
from forecasts.scores.scored_questions import ScoredQuestion, scored_questions
from forecasts.updates.updates import current_forecasts

SHOWN = 3  # of each list, so that the next list is in sight
RECENT = 5  # resolved questions
SOON = timedelta(days=7)  # a question that closes within it is urgent


@dataclass(frozen=True)
class Review:
    """A current forecast due for review: ``overdue`` by its interval, or after a crowd move."""

    state: QuestionState
    forecast: Forecast
    interval: timedelta
    overdue: bool
    crowd_move: CrowdMove | None


@dataclass(frozen=True)
class InTheNews:
    """A current forecast with a new article that mentions its question."""

    state: QuestionState
    forecast: Forecast
    mention: Mention


@dataclass(frozen=True)
class Shortlist:
    """The first questions of a list, and its length."""

    first: list[QuestionState]
    total: int


@dataclass(frozen=True)
class Today:
    """The questions in lists by the action that they need, each in one list, most valuable first.

    ``to_forecast``: open, without the member's forecast; the next to close first. ``overdue``:
    forecasts due for review by their interval, by the size of the crowd's move, then by their due
    date. ``moved``: others that the crowd has moved away from. ``news``: forecasts that a new
    article may affect. ``resolved``: the latest ``RECENT`` since ``seen``, when the member last
    marked them as seen. ``fresh``: forecasts that need nothing. ``awaiting``: closed, or with an
    open proposal. ``disputed``: with an open dispute. ``parked``: others that runs no longer check
    until a person acts. ``may_forecast``: ids of the open questions
    on which the member may forecast. ``read_only``: there are open questions, and none of these
    is among them.
    """

    to_forecast: Shortlist
    overdue: list[Review]
    moved: list[Review]
    news: list[InTheNews]
    resolved: list[ScoredQuestion]
    seen: datetime | None
    fresh: list[tuple[QuestionState, Forecast]]
    awaiting: Shortlist
    disputed: Shortlist
    parked: Shortlist
    may_forecast: frozenset[int]
    read_only: bool
    intervals: Intervals

    @property
    def to_review(self) -> list[tuple[QuestionState, Forecast]]:
        """The forecasts that need a second look, whatever the reason."""
        every: list[Review | InTheNews] = [*self.overdue, *self.moved, *self.news]
        return [(one.state, one.forecast) for one in every]


def today(session: Session, member: Member | None, *, now: datetime, shown: int = SHOWN) -> Today:
    """Return the member's lists now; None: a reader without forecasts.

    Of questions without their forecast only the first ``shown`` of each list are read.
    """
    unresolved = outlines(session)
    mine = {} if member is None else current_forecasts(session, member, at=now, unresolved=True)
    live = [one for one in unresolved if one.accepts_forecasts(now)]
    rights = member_rights(session, member, now=now)
    may_in = {team: rights.allows(Action.forecast, team) for team in {one.team_id for one in live}}
    may_forecast = frozenset(one.id for one in live if may_in[one.team_id])
    parked = parked_ids(session)
    lists = {
        "to_forecast": [one.id for one in live if one.id in may_forecast and one.id not in mine],
        "awaiting": [one.id for one in unresolved if one.awaits(now)],
        "disputed": list(dict.fromkeys(question.id for _, _, question in open_disputes(session))),
        "parked": [one.id for one in unresolved if one.id in parked and not one.awaits(now)],
    }
    forecast = [one.id for one in live if one.id in mine]
    read = itertools.chain.from_iterable(ids[:shown] for ids in lists.values())
    states = by_id(session, [*forecast, *read], now=now)
    shortlists = {
        name: Shortlist([states[id_] for id_ in ids[:shown]], len(ids))
        for name, ids in lists.items()
    }
    current = [(states[id_], mine[id_]) for id_ in forecast]
    review_intervals = intervals(session, member)
    reviews = _reviews(
        session, [one for one in current if one[0].id in may_forecast], review_intervals, now
    )
    reviewed = {one.state.id for one in reviews}
    rest = [one for one in current if one[0].id not in reviewed]
    news = [] if member is None else _news(session, member, rest, may_forecast, now)
    mentioned = {one.state.id for one in news}
    seen = None if member is None else seen_until(session, member)
    return Today(
        **shortlists,
        overdue=[one for one in reviews if one.overdue],
        moved=[one for one in reviews if not one.overdue],
        news=news,
        resolved=[]
        if member is None
        else scored_questions(session, member, limit=RECENT, since=seen),
        seen=seen,
        fresh=[one for one in rest if one[0].id not in mentioned],
        may_forecast=may_forecast,
        read_only=bool(live) and not may_forecast,
        intervals=review_intervals,
    )


def is_empty(session: Session) -> bool:
    """Return whether there is no article yet, and no question that the reader may see."""
    question = select(Question.id).where(question_visible(session)).limit(1)
    return all(session.exec(one).first() is None for one in (question, select(Article.id).limit(1)))


def _reviews(
    session: Session,
    current: Sequence[tuple[QuestionState, Forecast]],
    review_intervals: Intervals,
    now: datetime,
) -> list[Review]:
    moves = crowd_moves(session, [(state.text, forecast) for state, forecast in current], now=now)
    found = []
    for state, forecast in current:
        interval = review_intervals.on(state.id)
        overdue = now - forecast.made_at > interval
        if overdue or state.id in moves:
            found.append(Review(state, forecast, interval, overdue, moves.get(state.id)))
    return sorted(
        found,
        key=lambda one: (
            0.0 if one.crowd_move is None else -one.crowd_move.distance,
            one.forecast.made_at + one.interval,
        ),
    )


def _news(
    session: Session,
    member: Member,
    current: Sequence[tuple[QuestionState, Forecast]],
    may_forecast: frozenset[int],
    now: datetime,
) -> list[InTheNews]:
    """Return the forecasts with a new article, newest article first."""
    own = [one for one in current if one[0].id in may_forecast]
    found = new_mentions(session, member, [(state.text, mine) for state, mine in own], now=now)
    news = [InTheNews(*one, found[one[0].id]) for one in own if one[0].id in found]
    return sorted(news, key=lambda one: one.mention.article.captured_at, reverse=True)
