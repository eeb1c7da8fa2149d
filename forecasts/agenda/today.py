"""The questions and forecasts that need a member today: the data of the page Today."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlmodel import Session, select

from forecasts.access.roles import Action, Rights, allows, member_rights
from forecasts.access.visibility import question_visible
from forecasts.agenda.revisits import Intervals, intervals, seen_until
from forecasts.ledger.models import Article, Forecast, Member, Question
from forecasts.news.inbox import Suggestion, newest_suggestions
from forecasts.questions.standing import QuestionState, by_id, outlines
from forecasts.resolution.disputes import open_disputes
from forecasts.resolution.progress import parked_ids
from forecasts.scores.crowd_moves import CrowdMove, crowd_moves
from forecasts.scores.scored_questions import ScoredQuestion, scored_questions
from forecasts.updates.look_again import updated_since
from forecasts.updates.updates import current_forecasts

SHOWN = 7  # of the agenda at first
RECENT = 5  # resolved questions
SOON = timedelta(days=7)  # a question that closes within it is urgent
OUTCOMES_FIRST = 3  # closed questions that come before the open ones of the week
LAST_LOOK = timedelta(days=1)  # before a close: an older forecast is looked at once more


class Todo(StrEnum):
    """The need of a question, for a member to do."""

    forecast = "forecast"
    review = "review"
    news = "news"
    resolve = "resolve"
    decide = "decide"
    retry = "retry"


@dataclass(frozen=True)
class Item:
    """A question that needs the member today, and why; ``forecast``: the member's own.

    A review is due as the forecast is older than its ``interval`` (``overdue``), as the crowd has
    moved, as the forecast on a linked question was updated since (``linked``), or else as the
    question closes within ``LAST_LOOK``. News has the newest
    ``article`` that is suggested for the question since, with the ``suggestion``.
    """

    todo: Todo
    state: QuestionState
    forecast: Forecast | None = None
    interval: timedelta | None = None
    overdue: bool = False
    crowd_move: CrowdMove | None = None
    linked: QuestionState | None = None
    suggestion: Suggestion | None = None
    article: Article | None = None

    def urgency(self, now: datetime) -> tuple[int, float]:
        """Return the place in the agenda: the smallest comes first.

        First what closes within a day; then what waits for an outcome, since nothing of it is
        scored before; then what closes within a week; then moves of the crowd, the largest first;
        reviews, the longest due first; news, the newest first; then the rest by its close.
        """
        closes = self.state.text.close_time
        left, is_open = closes - now, self.todo in (Todo.forecast, Todo.review, Todo.news)
        if is_open and left < LAST_LOOK:
            return 0, left.total_seconds()
        if self.todo in (Todo.resolve, Todo.decide):
            return 1, closes.timestamp()
        if is_open and left < SOON:
            return 2, left.total_seconds()
        if self.crowd_move is not None:
            return 3, -self.crowd_move.distance
        if self.forecast is not None and self.interval is not None:
            return 4, (self.forecast.made_at + self.interval).timestamp()
        if self.article is not None:
            return 5, -self.article.captured_at.timestamp()
        return (7 if self.todo == Todo.retry else 6), closes.timestamp()

    def why(self, now: datetime) -> str:
        """Return the reason in a few plain words; "" if it is the close."""
        if (move := self.crowd_move) is not None:
            return f"crowd {move.before} → {move.now}"
        if self.overdue and self.forecast is not None:
            return f"{(now - self.forecast.made_at).days} days old"
        if self.linked is not None:
            return f"since {self.linked.slug}"
        if self.article is not None:
            return f"article {self.article.id}"
        words = {Todo.decide: "disputed", Todo.retry: "parked"}
        if self.todo == Todo.resolve:
            return "proposed" if self.state.proposals else str(self.state.status.name)
        return words.get(self.todo, "")


@dataclass(frozen=True)
class Today:
    """The questions that need the member, the most urgent first, each once.

    Closed questions beyond the first few come last, so that they do not hide the open ones.
    ``agenda``: of the questions without the member's forecast, of those to resolve, to decide and
    to retry only the first are in it; ``totals`` counts all. ``seen``: when the member last marked
    the results as seen. ``fresh``: forecasts that need nothing. ``may_forecast``: ids of the open
    questions on which the member may forecast. ``read_only``: there are open questions, and none
    of these is among them.
    """

    agenda: list[Item]
    totals: Counter[Todo]
    seen: datetime | None
    fresh: list[tuple[QuestionState, Forecast]]
    may_forecast: frozenset[int]
    read_only: bool
    intervals: Intervals

    @property
    def total(self) -> int:
        """How many questions need the member."""
        return sum(self.totals.values())

    def of(self, *wanted: Todo) -> list[Item]:
        """Return the items with these things to do, in their order."""
        return [one for one in self.agenda if one.todo in wanted]


def today(session: Session, member: Member | None, *, now: datetime, shown: int = SHOWN) -> Today:
    """Return the questions that need the member now; None: a reader without forecasts.

    Of the lists that can be long only the first ``shown`` are read: those without the member's
    forecast, to resolve, to decide and to retry.
    """
    unresolved = outlines(session)
    mine = {} if member is None else current_forecasts(session, member, at=now, unresolved=True)
    live = [one for one in unresolved if one.accepts_forecasts(now)]
    rights = member_rights(session, member, now=now)
    teams = {one.team_id for one in unresolved}
    may_in = {team: rights.allows(Action.forecast, team) for team in teams}
    may_report = {team: rights.allows(Action.propose, team) for team in teams}
    may_forecast = frozenset(one.id for one in live if may_in[one.team_id])
    parked = parked_ids(session)
    new = [one.id for one in live if one.id in may_forecast and one.id not in mine]
    closed = [
        one.id
        for one in unresolved
        if one.awaits(now) and not one.proposed and may_report[one.team_id]
    ]
    decisions = {
        Todo.resolve: [one.id for one in unresolved if one.proposed],
        Todo.decide: list(dict.fromkeys(question.id for _, _, question in open_disputes(session))),
        Todo.retry: [one.id for one in unresolved if one.id in parked and not one.awaits(now)],
    }
    forecast = [one.id for one in live if one.id in mine]
    read = [*forecast, *new[:shown], *closed[:shown], *itertools.chain(*decisions.values())]
    states = by_id(session, read, now=now)
    lists = {Todo.forecast: new} | {
        todo: [id_ for id_ in ids if _may_decide(rights, states[id_])]
        for todo, ids in decisions.items()
    }
    lists[Todo.resolve] += closed
    current = [(states[id_], mine[id_]) for id_ in forecast]
    own = [one for one in current if one[0].id in may_forecast]
    review_intervals = intervals(session, member)
    items = [] if member is None else _reviews(session, member, own, review_intervals, now)
    reviewed = {one.state.id for one in items}
    rest = [one for one in own if one[0].id not in reviewed]
    items += [] if member is None else _news(session, member, rest, now)
    done = {one.state.id for one in items}
    totals = Counter(one.todo for one in items)
    seen = None if member is None else seen_until(session, member)
    # A question that needs two things is listed for the first.
    for todo, ids in lists.items():
        others = [id_ for id_ in ids if id_ not in done]
        items += [Item(todo, states[id_], mine.get(id_)) for id_ in others if id_ in states][:shown]
        if others:
            totals[todo] = len(others)
        done.update(others[:shown])
    agenda = sorted(items, key=lambda one: one.urgency(now))
    waiting = [one for one in agenda if one.todo in (Todo.resolve, Todo.decide)]
    later = {one.state.id for one in waiting[OUTCOMES_FIRST:]}
    return Today(
        agenda=sorted(agenda, key=lambda one: one.state.id in later),
        totals=totals,
        seen=seen,
        fresh=[one for one in current if one[0].id not in done],
        may_forecast=may_forecast,
        read_only=bool(live) and not may_forecast,
        intervals=review_intervals,
    )


def new_results(
    session: Session, member: Member | None, *, seen: datetime | None
) -> list[ScoredQuestion]:
    """Return the member's latest ``RECENT`` scored questions, if resolved since ``seen``."""
    return [] if member is None else scored_questions(session, member, limit=RECENT, since=seen)


def _may_decide(rights: Rights, state: QuestionState) -> bool:
    return allows(rights, Action.resolve, state.question, state.text)


def is_empty(session: Session) -> bool:
    """Return whether there is no article yet, and no question that the reader may see."""
    question = select(Question.id).where(question_visible(session)).limit(1)
    return all(session.exec(one).first() is None for one in (question, select(Article.id).limit(1)))


def _reviews(
    session: Session,
    member: Member,
    current: Sequence[tuple[QuestionState, Forecast]],
    review_intervals: Intervals,
    now: datetime,
) -> list[Item]:
    moves = crowd_moves(session, [(state.text, forecast) for state, forecast in current], now=now)
    states = {state.id: state for state, _ in current}
    said = {state.id: forecast for state, forecast in current}
    linked = updated_since(session, said, member=member) if len(said) > 1 else {}
    found = []
    for state, forecast in current:
        interval, age = review_intervals.on(state.id), now - forecast.made_at
        last_look = state.text.close_time - now < LAST_LOOK <= age
        other = states.get(linked.get(state.id, 0))
        move = moves.get(state.id)
        if age > interval or move is not None or last_look or other is not None:
            overdue = age > interval
            found.append(Item(Todo.review, state, forecast, interval, overdue, move, other))
    return found


def _news(
    session: Session,
    member: Member,
    current: Sequence[tuple[QuestionState, Forecast]],
    now: datetime,
) -> list[Item]:
    """Return the forecasts with a new article."""
    by_question = {state.id: (state, mine) for state, mine in current}
    found = newest_suggestions(session, member, by_question, now=now)
    return [
        Item(Todo.news, state, mine, suggestion=found[state.id][0], article=found[state.id][1])
        for state, mine in current
        if state.id in found
    ]
