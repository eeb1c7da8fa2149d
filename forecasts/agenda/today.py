"""What needs a member today: the one reading behind the first page."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlmodel import Session, select

from forecasts.access.roles import Action, member_rights
from forecasts.access.visibility import question_visible
from forecasts.agenda.crowd_moves import Moved, moved_away
from forecasts.agenda.news import Mention, mentioned
from forecasts.agenda.revisits import Intervals, intervals, seen_until
from forecasts.ledger.models import (
    Article,
    Forecast,
    Member,
    Question,
    Score,
)
from forecasts.questions.standing import QuestionState, by_id, outlines
from forecasts.resolution.disputes import open_disputes
from forecasts.scores.scores import CRPS, earned
from forecasts.updates.updates import current_forecasts
from forecasts.updates.values import Value, format_probability, format_value

if TYPE_CHECKING:
    import pandas as pd

# Of each list, so that the next one is in sight; the rest is a link away.
FIRST = 3
# Beyond these, what was resolved is looked up with its question.
RECENT = 5
# A question that closes within this and lacks one's forecast comes before everything else.
SOON = timedelta(days=7)


@dataclass(frozen=True)
class Stood:
    """What the member said for a while, how long it stood, and its score (0..1).

    On a multiple-choice question ``said`` is what the option had that came true.
    """

    said: str
    lasted: timedelta
    score: float


@dataclass(frozen=True)
class Earned:
    """A resolved question with the member's score and why: the mean of ``stood``, by time."""

    state: QuestionState
    score: Score
    stood: list[Stood]


@dataclass(frozen=True)
class Again:
    """A standing forecast that wants a second look, and why.

    ``every``: after how long the member looks at it again; ``overdue``: that has passed.
    ``moved``: how the others have moved away from it since; None where they have not.
    """

    state: QuestionState
    forecast: Forecast
    every: timedelta
    overdue: bool
    moved: Moved | None


@dataclass(frozen=True)
class InTheNews:
    """A standing forecast with a new article that mentions what its question is about."""

    state: QuestionState
    forecast: Forecast
    mention: Mention


@dataclass(frozen=True)
class Some:
    """The first questions of a list, and how many are on it."""

    first: list[QuestionState]
    total: int


@dataclass(frozen=True)
class Today:
    """The questions by what they ask of the member, each in one list, in order of what it is worth.

    ``closing``: open, close within ``SOON``, without a standing forecast of the member's, the
    soonest first. ``again``: with one that wants a second look, first those that the others have
    moved away from most, then those that have waited longest beyond their time.
    ``news``: with one that a new article may bear on. ``awaiting``: closed or proposed.
    ``disputed``: with an outcome that somebody disputes, and nobody has decided on since.
    ``resolved``: the latest since the member last said that they had seen them (``seen``), with
    what they earned. ``later``: as ``closing``, but close after that.
    ``fresh``: open, with a standing forecast that needs nothing.
    ``able``: the ids of those open ones on which the member may forecast; the others ask nothing
    of them. ``only_looks``: there are open ones, and none of them asks anything.
    ``empty``: nothing has been captured or asked yet.
    """

    closing: Some
    again: list[Again]
    news: list[InTheNews]
    awaiting: Some
    disputed: Some
    resolved: list[Earned]
    seen: datetime | None
    later: Some
    fresh: list[tuple[QuestionState, Forecast]]
    able: frozenset[int]
    only_looks: bool
    empty: bool
    intervals: Intervals

    @property
    def unforecast(self) -> int:
        """How many are open without a standing forecast of the member's."""
        return self.closing.total + self.later.total


def today(session: Session, member: Member | None, *, now: datetime, first: int = FIRST) -> Today:
    """Return what needs the member now; nobody's forecasts stand for one who has not acted yet.

    Of what is not theirs, however much there is, the ``first`` of each list are read.
    """
    asked = outlines(session)
    mine = {} if member is None else current_forecasts(session, member, at=now, unresolved=True)
    live = [one for one in asked if one.accepts_forecasts(now)]
    rights = member_rights(session, member, now=now)
    may = {team: rights.allows(Action.forecast, team) for team in {one.team_id for one in live}}
    able = frozenset(one.id for one in live if may[one.team_id])
    unforecast = [one for one in live if one.id in able and one.id not in mine]
    lists = {
        "closing": [one.id for one in unforecast if one.close_time - now < SOON],
        "later": [one.id for one in unforecast if one.close_time - now >= SOON],
        "awaiting": [one.id for one in asked if one.awaits(now)],
        "disputed": list(
            dict.fromkeys(question.id or 0 for _, _, question in open_disputes(session))
        ),
    }
    stood = [one.id for one in live if one.id in mine]
    shown = itertools.chain.from_iterable(ids[:first] for ids in lists.values())
    state = by_id(session, [*stood, *shown], now=now)
    some = {
        name: Some([state[id_] for id_ in ids[:first]], len(ids)) for name, ids in lists.items()
    }
    standing = [(state[id_], mine[id_]) for id_ in stood]
    every = intervals(session, member)
    again = _again(session, [one for one in standing if one[0].id in able], every, now)
    looked = {one.state.id for one in again}
    rest = [one for one in standing if one[0].id not in looked]
    news = [] if member is None else _news(session, member, rest, able, now)
    mentioned_in = {one.state.id for one in news}
    seen = None if member is None else seen_until(session, member)
    return Today(
        **some,
        again=again,
        news=news,
        resolved=[] if member is None else _earned(session, member, seen),
        seen=seen,
        fresh=[one for one in rest if one[0].id not in mentioned_in],
        able=able,
        only_looks=bool(live) and not able,
        empty=not asked and _is_empty(session),
        intervals=every,
    )


def _is_empty(session: Session) -> bool:
    """Return whether nothing that may be seen was captured or asked."""
    asked = select(Question.id).where(question_visible(session)).limit(1)
    return all(session.exec(one).first() is None for one in (asked, select(Article.id).limit(1)))


def _again(
    session: Session,
    standing: Sequence[tuple[QuestionState, Forecast]],
    every: Intervals,
    now: datetime,
) -> list[Again]:
    moved = moved_away(session, [(state.text, mine) for state, mine in standing], now=now)
    found = []
    for state, forecast in standing:
        after = every.of(state.id)
        overdue = now - forecast.made_at > after
        if overdue or state.id in moved:
            found.append(Again(state, forecast, after, overdue, moved.get(state.id)))
    return sorted(
        found,
        key=lambda one: (
            0.0 if one.moved is None else -one.moved.by,
            one.forecast.made_at + one.every,
        ),
    )


def _news(
    session: Session,
    member: Member,
    standing: Sequence[tuple[QuestionState, Forecast]],
    able: frozenset[int],
    now: datetime,
) -> list[InTheNews]:
    """Return those with a new article, the newest article first."""
    asked = [one for one in standing if one[0].id in able]
    found = mentioned(session, member, [(state.text, mine) for state, mine in asked], now=now)
    news = [InTheNews(*one, found[one[0].id]) for one in asked if one[0].id in found]
    return sorted(news, key=lambda one: one.mention.captured_at, reverse=True)


def _earned(session: Session, member: Member, since: datetime | None) -> list[Earned]:
    scored = earned(session, member, limit=RECENT, since=since)
    stood = _stood(session, member, [state for state, _ in scored])
    return [Earned(state, score, stood[state.slug]) for state, score in scored]


def _stood(
    session: Session, member: Member, resolved: Sequence[QuestionState]
) -> dict[str, list[Stood]]:
    """Return by slug what the member said on each question while it was open, in its order."""
    stood: dict[str, list[Stood]] = {state.slug: [] for state in resolved}
    if not resolved:
        return stood
    import scoring
    from forecasts.scores.frames import rows, scoring_frames

    of = {state.slug: state for state in resolved}
    questions, own = scoring_frames(session, questions=list(of), by=member)
    updates = [
        update
        for protocol in dict.fromkeys(_protocol(state) for state in resolved)
        for update in rows(scoring.attribution(questions, own, protocol))
    ]
    for this, following in itertools.zip_longest(updates, updates[1:]):
        row, one = own.iloc[this.forecast], of[this.question_id]
        # What remained to its replacement is not its own; one after a gap replaces none.
        replaced = (
            following is not None
            and following.question_id == this.question_id
            and not math.isnan(following.score_before)
        )
        share = this.remaining - (following.remaining if replaced else 0)
        lasted = (one.text.scheduled_close_time - one.text.open_time) * share
        stood[this.question_id].append(Stood(_said(row, one), lasted, this.score))
    return stood


def _protocol(state: QuestionState) -> str:
    return CRPS if state.text.is_quantitative else "brier"


def _said(row: pd.Series[Any], one: QuestionState) -> str:
    """Return in words what a row of the forecasts frame says."""
    vector, options = row["probabilities"], one.text.options or []
    if vector is None:
        p = row["probability"]
        return format_value(Value(None if math.isnan(p) else p, quantiles=row["quantiles"]))
    assert one.resolution is not None
    # An option that was not there yet is read from the last one, as in scoring.
    came_true = vector[options.index(one.resolution.outcome)]
    return format_probability(vector[-1] if came_true is None else came_true)
