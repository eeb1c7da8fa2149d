"""Practice: forecast questions whose answer is known, and see how calibrated you are.

Nothing is stored or counted, since a forecast made after the outcome is not a forecast.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd
from sqlmodel import Session, col, select

from forecasts.access.visibility import question_visible
from forecasts.folder.frames import complete
from forecasts.ledger.current import has_outcome, is_newest_wording
from forecasts.ledger.models import Question, QuestionRevision, QuestionType
from forecasts.questions.standing import listing
from forecasts.reports import Group, build
from forecasts.samples.demonstration import outcomes, table_of

_MOST = 500  # practice questions of a ledger, the newest
_ANSWERS = {"yes": True, "no": False}


@dataclass(frozen=True)
class Exercise:
    """A yes-or-no question whose answer is known. ``about``: its background."""

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
    """A member's answer to an exercise: the probability of yes."""

    exercise: Exercise
    p: float

    @property
    def brier(self) -> float:
        """The squared distance from the outcome: 0 is best, and 50% always scores 0.25."""
        return (self.p - self.exercise.answer) ** 2


def of_ledger(session: Session, *, now: datetime) -> list[Exercise]:
    """Return the ledger's resolved yes-or-no questions: the newest 500 that the reader may see."""
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
    """Return the questions from the demonstration's articles with an outcome known by ``now``."""
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
    """Return the next exercise, in an order given by the seed; None after the last."""
    ordered = sorted(exercises, key=lambda one: one.slug)
    random.Random(seed).shuffle(ordered)  # noqa: S311 an order, not a secret
    return next((one for one in ordered if one.slug not in done), None)


def record(answers: Sequence[Answer], *, now: datetime) -> Group:
    """Return the report on the answers, as if each had been an active forecast all the time."""
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
