"""A member's resolved questions: the score of each, and the points that each update earned."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
from sqlmodel import Session

import scoring
from forecasts.folder.frames import rows
from forecasts.ledger.models import Member, Score
from forecasts.ledger.searched_words import word_pattern
from forecasts.questions.standing import QuestionState
from forecasts.scores.coherence import Price, hanging
from forecasts.scores.ledger_frames import forecast_frame, question_frame
from forecasts.scores.stored_scores import main_protocol, member_scores
from forecasts.values.value import Value, format_probability, format_value

BATCH = 100  # questions whose forecasts are in memory at a time


@dataclass(frozen=True)
class ScoredForecast:
    """A forecast's value, the time that it was current, its score (0 to 1) and its points.

    ``since``: when it took effect. For a multiple-choice question ``value`` and ``probability`` are
    those of the option that came true; a number or date has no ``probability``. ``points``: the
    improvement on the forecast that it replaced, times the share of the question's time left;
    positive is better. None for a forecast that replaced nothing.
    """

    value: str
    probability: float | None
    since: datetime
    duration: timedelta
    score: float
    points: float | None


@dataclass(frozen=True)
class ScoredQuestion:
    """A resolved question with the member's score: the mean of their ``forecasts``, by time.

    ``against_crowd``: the advantage over the mean of the others' forecasts at the same times, by
    the Brier score (``crowd_skill`` / 100); positive is better. None without others, and for
    numbers and dates. ``family``: as reports count it; blank for one of its own. ``price``: that of
    incoherence, None where nothing could contradict.
    """

    state: QuestionState
    score: Score
    forecasts: list[ScoredForecast]
    against_crowd: float | None
    family: str = ""
    price: Price | None = None

    @property
    def known_at(self) -> datetime:
        """When the outcome became known (``QuestionState.outcome_at``)."""
        assert self.state.outcome_at is not None
        return self.state.outcome_at

    @property
    def last(self) -> ScoredForecast:
        """The forecast that was current last."""
        return self.forecasts[-1]

    @property
    def points(self) -> float | None:
        """The points of all updates together; None if no update replaced a forecast."""
        known = [one.points for one in self.forecasts if one.points is not None]
        return math.fsum(known) if known else None


# The orders of a list; a question without the value is last.
ORDERS: dict[str, Callable[[ScoredQuestion], float | None]] = {
    "resolved": lambda one: -one.known_at.timestamp(),
    "best": lambda one: one.score.score,
    "worst": lambda one: -one.score.score,
    "earned": lambda one: None if one.points is None else -one.points,
    "lost": lambda one: one.points,
    "crowd": lambda one: None if one.against_crowd is None else -one.against_crowd,
}


def ordered(scored: Sequence[ScoredQuestion], by: str) -> list[ScoredQuestion]:
    """Return the questions in one of ``ORDERS``."""

    def place(one: ScoredQuestion) -> tuple[bool, float]:
        value = ORDERS[by](one)
        return value is None, value or 0.0

    return sorted(scored, key=place)


def scored_questions(
    session: Session,
    member: Member,
    *,
    limit: int | None = None,
    since: datetime | None = None,
    question: int | None = None,
    crowd: bool = True,
) -> list[ScoredQuestion]:
    """Return the member's scored questions, the latest known first (``known_at``).

    All with a current resolution, also those that closed early. ``since`` keeps those resolved
    later, ``limit`` the first, ``question`` the one with this id. Without ``crowd`` no
    ``against_crowd`` is computed, and the forecasts of others are not read.
    """
    scores = member_scores(session, member, limit=limit, since=since, question=question)
    return explained(session, member, scores, crowd=crowd)


def explained(
    session: Session,
    member: Member,
    scores: Sequence[tuple[QuestionState, Score]],
    *,
    crowd: bool = True,
) -> list[ScoredQuestion]:
    """Return some of the member's scores (``member_scores``) as ``scored_questions`` does."""
    found = []
    together = hanging(session, member, [state for state, _ in scores])
    for start in range(0, len(scores), BATCH):
        some = scores[start : start + BATCH]
        states = {state.slug: state for state, _ in some}
        questions = question_frame(sorted(states.values(), key=lambda state: state.id))
        advantage: dict[str, float] = {}
        only = None if crowd else member.id
        made = forecast_frame(session, list(states), member=only, rationales=False, cited=False)
        if crowd:
            advantage = _advantage(questions, made, member)
            made = made[made["forecaster"] == member.handle].reset_index(drop=True)
        forecasts = _forecasts(questions, made, states)
        found += [
            ScoredQuestion(
                state,
                score,
                forecasts[state.slug],
                advantage.get(state.slug),
                together.families.get(state.slug, state.text.family),
                together.prices.get(state.slug),
            )
            for state, score in some
            if forecasts[state.slug]  # none if the reader may not see another member's
        ]
    return found


def _advantage(questions: pd.DataFrame, made: pd.DataFrame, member: Member) -> dict[str, float]:
    """Return the member's advantage over the others by question, where there are others."""
    crowd = scoring.score(questions, made, "crowd_skill")
    # A forecaster alone has an advantage of 0 by definition, which says nothing.
    crowd = crowd[crowd["question_id"].duplicated(keep=False)]
    crowd = crowd[crowd["forecaster"] == member.handle]
    return {row.question_id: row.score / 100 for row in rows(crowd)}


def _forecasts(
    questions: pd.DataFrame, own: pd.DataFrame, states: dict[str, QuestionState]
) -> dict[str, list[ScoredForecast]]:
    """Return by slug the member's forecasts on each question, in the order made."""
    scored: dict[str, list[ScoredForecast]] = {slug: [] for slug in states}
    made = list(rows(own))
    updates = [
        update
        for protocol in dict.fromkeys(main_protocol(state.text.type) for state in states.values())
        for update in rows(scoring.attribution(questions, own, protocol))
    ]
    for this, following in itertools.zip_longest(updates, updates[1:]):
        state = states[this.question_id]
        # The time after its replacement is not its own; one made after a gap replaces none.
        replaced = (
            following is not None
            and following.question_id == this.question_id
            and not math.isnan(following.score_before)
        )
        share = this.remaining - (following.remaining if replaced else 0)
        text = state.text
        value, probability = _value(made[this.forecast], state)
        scored[this.question_id].append(
            ScoredForecast(
                value,
                probability,
                text.open_time + timedelta(seconds=this.start_s),
                (text.scheduled_close_time - text.open_time) * share,
                this.score,
                None if math.isnan(this.points) else this.points,
            )
        )
    return scored


def _value(row: Any, state: QuestionState) -> tuple[str, float | None]:
    """Return the value in a row of the forecasts frame, formatted, and its probability."""
    vector, options = row.probabilities, state.text.options or []
    if vector is None:
        p = None if math.isnan(row.probability) else float(row.probability)
        return format_value(Value(p, quantiles=row.quantiles)), p
    assert state.resolution is not None
    # An option added later counts as part of the last one, as in scoring.
    came_true = vector[options.index(state.resolution.outcome)]
    p = vector[-1] if came_true is None else came_true
    return format_probability(p), p


def matching(scored: Sequence[ScoredQuestion], words: str) -> list[ScoredQuestion]:
    """Return the questions that have all the words in their title, tags or family."""
    wanted = [word_pattern(word) for word in words.casefold().split()]
    return [one for one in scored if all(re.search(w, _described(one.state)) for w in wanted)]


def _described(state: QuestionState) -> str:
    text = state.text
    return " ".join([text.title, *(text.tags or []), text.family]).casefold()
