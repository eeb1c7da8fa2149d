"""Practice: how sure one is of questions whose answer is known, and how that holds up.

Nothing of it is stored, and nothing of it counts: a forecast made after the outcome is none.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd
from sqlmodel import Session, col, select

from forecasts.access.visibility import question_visible
from forecasts.exchange.samples.demonstration import table_of
from forecasts.exchange.samples.starters import outcomes
from forecasts.ledger.current import has_outcome, is_newest_wording
from forecasts.ledger.models import (
    Question,
    QuestionRevision,
    QuestionType,
)
from forecasts.questions.standing import listing
from forecasts.reports import Group, build
from forecasts.scores.frames import complete

_MOST = 500  # questions of a ledger to practise on: those that were registered last
_ANSWERS = {"yes": True, "no": False}


@dataclass(frozen=True)
class Exercise:
    """A yes-or-no question whose answer is known. ``about``: what to know before answering."""

    slug: str
    title: str
    about: str
    criteria: str
    family: str
    asked: datetime
    closes: datetime
    answer: bool
    note: str = ""


@dataclass(frozen=True)
class Answer:
    """What somebody said about an exercise: the probability of yes."""

    exercise: Exercise
    p: float

    @property
    def brier(self) -> float:
        """The squared distance from what came true: 0 is best, 0.25 is what 50 % always gets."""
        return (self.p - self.exercise.answer) ** 2


def of_ledger(session: Session, *, now: datetime) -> list[Exercise]:
    """Return the resolved yes-or-no questions of the ledger: the newest 500 that may be seen."""
    slugs = session.exec(
        select(Question.slug)
        .join(QuestionRevision, col(QuestionRevision.question_id) == col(Question.id))
        .where(
            is_newest_wording(),
            QuestionRevision.type == QuestionType.binary,
            has_outcome(Question.id),
            question_visible(session),
        )
        .order_by(col(Question.id).desc())
        .limit(_MOST)
    ).all()
    return [
        Exercise(
            slug=state.slug,
            title=state.text.title,
            about=state.text.background,
            criteria=state.text.resolution_criteria,
            family=state.text.family,
            asked=state.text.open_time,
            closes=state.text.scheduled_close_time,
            answer=_ANSWERS[state.resolution.outcome],
            note=state.resolution.note,
        )
        for state in listing(session, now=now, only=slugs)
        if state.resolution is not None and state.resolution.outcome in _ANSWERS
    ]


def of_articles(*, now: datetime) -> list[Exercise]:
    """Return the questions of the demonstration's articles whose outcome was known by then."""
    known = outcomes(now)
    return [
        Exercise(
            slug=item["slug"],
            title=item["title"],
            about=item.get("background", "").strip(),
            criteria=item.get("resolution_criteria", "").strip(),
            family=item.get("family", ""),
            asked=item["open_time"],
            closes=item["scheduled_close_time"],
            answer=_ANSWERS[found["resolution"]],
            note=found["resolution_note"],
        )
        for item in table_of("questions.toml")["questions"]
        if item["type"] == QuestionType.binary
        and (found := known.get(item["slug"])) is not None
        and found["resolution"] in _ANSWERS
    ]


def draw(exercises: Sequence[Exercise], done: Collection[str], *, seed: int) -> Exercise | None:
    """Return the next exercise in an order that the seed decides; None after the last one."""
    ordered = sorted(exercises, key=lambda one: one.slug)
    random.Random(seed).shuffle(ordered)  # noqa: S311 an order, no secret
    return next((one for one in ordered if one.slug not in done), None)


def record(answers: Sequence[Answer], *, now: datetime) -> Group:
    """Return the report on the answers, as if each had been a forecast that stood all the time."""
    opened = now - timedelta(days=2)
    questions = pd.DataFrame(
        {
            "question_id": [one.exercise.slug for one in answers],
            "type": "binary",
            "open_time": opened,
            "scheduled_close_time": opened + timedelta(days=1),
            "family": [one.exercise.family for one in answers],
            "resolution": ["yes" if one.exercise.answer else "no" for one in answers],
        }
    )
    forecasts = pd.DataFrame(
        {
            "question_id": [one.exercise.slug for one in answers],
            "forecaster": "you",
            "made_at": opened,
            "probability": [one.p for one in answers],
        }
    )
    return build(complete(questions, forecasts), by="forecaster", as_of=now).groups[0]
