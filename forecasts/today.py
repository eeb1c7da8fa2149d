"""What needs a member today: the one reading behind the first page."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlmodel import Session, select

from forecasts.access import Action, rights_of
from forecasts.models import Article, Forecast, Member, Score
from forecasts.questions import Stands, Status, listing
from forecasts.scores import CRPS, earned
from forecasts.updates import standing_of
from forecasts.values import Value, say_probability, say_value

if TYPE_CHECKING:
    import pandas as pd

# Beyond these, what was resolved is looked up with its question.
RECENT = 5
# A standing forecast that has not been touched for so long is due for a second look.
STALE = timedelta(days=14)


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

    stands: Stands
    score: Score
    stood: list[Stood]


@dataclass(frozen=True)
class Today:
    """The questions by what they ask of the member.

    ``unforecast``: open, without a standing forecast of the member's, the soonest close first.
    ``stale``: open, with one that is older than ``STALE``, the longest untouched first.
    ``awaiting``: closed or proposed. ``resolved``: the latest, with what the member earned.
    ``fresh``: open, with one that needs nothing.
    ``able``: the ids of those open ones on which the member may forecast; the others ask nothing
    of them. ``only_looks``: there are open ones, and none of them asks anything.
    ``empty``: nothing has been captured or asked yet.
    """

    unforecast: list[Stands]
    stale: list[tuple[Stands, Forecast]]
    awaiting: list[Stands]
    resolved: list[Earned]
    fresh: list[tuple[Stands, Forecast]]
    able: frozenset[int]
    only_looks: bool
    empty: bool


def today(session: Session, member: Member | None, *, now: datetime) -> Today:
    """Return what needs the member now; nobody's forecasts stand for one who has not acted yet."""
    questions = listing(session, now=now)
    mine = {} if member is None else standing_of(session, member, at=now)
    live = [stands for stands in questions if stands.takes_forecasts(now)]
    rights = rights_of(session, member, now=now)
    able = frozenset(
        stands.id for stands in live if rights.allow(Action.forecast, stands.text.team_id)
    )
    standing = [(stands, mine[stands.id]) for stands in live if stands.id in mine]
    old = [one for one in standing if now - one[1].made_at > STALE]
    stale = [one for one in old if one[0].id in able]
    return Today(
        unforecast=[stands for stands in live if stands.id in able and stands.id not in mine],
        stale=sorted(stale, key=lambda one: one[1].made_at),
        awaiting=[
            stands for stands in questions if stands.status in (Status.awaiting, Status.proposed)
        ],
        resolved=[] if member is None else _earned(session, member),
        fresh=[one for one in standing if one not in stale],
        able=able,
        only_looks=bool(live) and not able,
        empty=not questions and session.exec(select(Article.id).limit(1)).first() is None,
    )


def _earned(session: Session, member: Member) -> list[Earned]:
    scored = earned(session, member, limit=RECENT)
    stood = _stood(session, member, [stands for stands, _ in scored])
    return [Earned(stands, score, stood[stands.slug]) for stands, score in scored]


def _stood(session: Session, member: Member, resolved: Sequence[Stands]) -> dict[str, list[Stood]]:
    """Return by slug what the member said on each question while it was open, in its order."""
    stood: dict[str, list[Stood]] = {stands.slug: [] for stands in resolved}
    if not resolved:
        return stood
    import scoring
    from forecasts.frames import rows, scoring_frames

    of = {stands.slug: stands for stands in resolved}
    questions, forecasts = scoring_frames(session, questions=list(of))
    own = forecasts[forecasts["forecaster"] == member.handle].reset_index(drop=True)
    updates = [
        update
        for protocol in ("brier", CRPS)
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


def _said(row: pd.Series[Any], one: Stands) -> str:
    """Return in words what a row of the forecasts frame says."""
    vector, options = row["probabilities"], one.text.options or []
    if vector is None:
        p = row["probability"]
        return say_value(Value(None if math.isnan(p) else p, quantiles=row["quantiles"]))
    assert one.resolution is not None
    # An option that was not there yet is read from the last one, as in scoring.
    came_true = vector[options.index(one.resolution.outcome)]
    return say_probability(vector[-1] if came_true is None else came_true)
