"""Questions: a line of a list, and a question with its history."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field
from sqlmodel import Session

from forecasts.access.members import handles
from forecasts.ledger import models
from forecasts.ledger.models import QuestionType, ResolutionState
from forecasts.questions.origins import origins
from forecasts.questions.passages import sources
from forecasts.questions.revisions import history as wordings
from forecasts.questions.standing import QuestionState
from forecasts.resolution.history import steps
from forecasts.resolution.late_forecasts import LateForecasts
from forecasts.scores.printed_scores import Printed, printed_scores
from forecasts.scores.stored_scores import ForecasterScore, score_table
from forecasts.views.forecasts import Forecast, Value, forecasts
from forecasts.views.ties import Ties, ties
from forecasts.views.view import Next, View

if TYPE_CHECKING:  # it loads NumPy and SciPy, which a list of questions needs not
    from forecasts.questions.same_questions import SamePair
    from forecasts.questions.search import Passage


class QuestionFields(View):
    """A question, without anyone's forecast."""

    number: int = Field(description="a short form of the ID, valid in this ledger only")
    id: str = Field(description="the ID, for links and commands")
    title: str
    type: QuestionType
    status: Literal["upcoming", "open", "awaiting", "resolved", "annulled", "ambiguous"] = Field(
        description="the stage of the question"
    )
    proposals: int = Field(description="proposed outcomes that await a decision")
    options: list[str] | None
    ordered: bool = Field(description="the options have an order")
    lower_bound: str | None
    upper_bound: str | None
    unit: str | None
    open_time: datetime
    close_time: datetime
    scheduled_close_time: datetime
    family: str
    tags: list[str]
    has_criteria: bool
    outcome: str | None
    known_at: datetime | None = Field(description="when the outcome became known")


class Question(QuestionFields):
    """A question in a list, with your current forecast."""

    forecast: Value | None


class FoundQuestion(Question):
    """A question in a list, which a search may have found."""

    found: str | None = Field(
        description="the passage with the words of a search and its place: `in a comment: …`; null "
        "without a search, or if the title has them"
    )


class TodaysQuestion(Question):
    """A question with something to do."""

    todo: str = Field(
        description="forecast, review, news, decide (a dispute), resolve, retry (parked) or "
        "resolved (a new result)"
    )
    why: str = Field(
        description="the age of the forecast, the crowd's move, the article or the score"
    )


class Questions(View):
    """A page of questions."""

    questions: list[FoundQuestion]
    matching: int = Field(description="the number of questions on all pages")
    next: Next


class SameQuestions(View):
    """Two questions that may be the same."""

    similarity: float = Field(description="the cosine of their titles, up to 1")
    questions: list[QuestionFields]


class Source(View):
    """A passage that a question is taken from."""

    article: int
    title: str
    url: str | None
    quote: str


class Origin(View):
    """The platform that a question was imported from, with its ID and address there."""

    platform: str
    id: str
    url: str | None


class Wording(View):
    """One wording of a question."""

    number: int
    title: str
    member: str
    recorded_at: datetime
    reason: str


class ResolutionStep(View):
    """One step in the resolution of a question."""

    state: ResolutionState
    outcome: str
    known_at: datetime | None
    recorded_at: datetime
    member: str
    note: str
    source: str
    superseded: bool = Field(description="it was corrected or withdrawn later")


class QuestionHistory(QuestionFields, Ties):
    """A question with its texts, sources, ties, wordings and the steps of its resolution."""

    background: str
    resolution_criteria: str
    fine_print: str
    origins: list[Origin] = Field(description="empty for a question asked here")
    sources: list[Source]
    wordings: list[Wording] = Field(description="oldest first")
    resolutions: list[ResolutionStep] = Field(description="oldest first")


class QuestionDocument(QuestionHistory, Question):
    """A question with its history and your current forecast."""


class ResolvedQuestion(QuestionDocument):
    """A question just resolved."""

    no_longer_count: LateForecasts = Field(
        description="the forecasts made after the outcome was known"
    )


class WholeQuestion(QuestionHistory):
    """A question with its history, its forecasts and their scores."""

    forecasts: list[Forecast] = Field(description="those that you may see, oldest first")
    scores: list[ForecasterScore]
    printed_scores: list[Printed] = Field(description="those that the platform printed")


def question(
    state: QuestionState, mine: models.Forecast | None, found: Passage | None = None
) -> FoundQuestion:
    """Return a question with the reader's current forecast, and the passage that a search found."""
    passage = None if found is None else str(found)
    return FoundQuestion.of(state.text, **_of_state(state), forecast=mine, found=passage)


def todays_question(
    state: QuestionState, mine: models.Forecast | None, todo: str, why: str
) -> TodaysQuestion:
    """Return a question with its task for today and the reason."""
    return TodaysQuestion.of(state.text, **_of_state(state), forecast=mine, todo=todo, why=why)


def _of_state(state: QuestionState) -> dict[str, Any]:
    """Return the fields of a question that are not in its wording."""
    resolution = state.resolution
    return {
        "number": state.id,
        "id": state.slug,
        "status": state.status.name,
        "proposals": state.proposals,
        "tags": state.text.tags or [],
        "outcome": None if resolution is None else resolution.outcome,
        "known_at": None if resolution is None else resolution.known_at,
    }


def same_questions(pair: SamePair) -> SameQuestions:
    """Return a pair of questions that may be the same."""
    both = [QuestionFields.of(one.text, **_of_state(one)) for one in (pair.one, pair.other)]
    return SameQuestions(similarity=pair.similarity, questions=both)


def document(
    session: Session, state: QuestionState, mine: models.Forecast | None, *, now: datetime
) -> QuestionDocument:
    """Return a question with its history and the reader's current forecast."""
    return QuestionDocument.of(state.text, **_history(session, state, now), forecast=mine)


def whole_question(session: Session, state: QuestionState, *, now: datetime) -> WholeQuestion:
    """Return a question with all that the session's reader may see of it."""
    resolution = state.resolution
    return WholeQuestion.of(
        state.text,
        **_history(session, state, now),
        forecasts=forecasts(session, state.question),
        scores=[] if resolution is None else score_table(session, resolution),
        printed_scores=printed_scores(session, state),
    )


def _history(session: Session, state: QuestionState, now: datetime) -> dict[str, Any]:
    """Return the fields of a question's history that are not in its newest wording."""
    named = handles(session)
    return (
        _of_state(state)
        | vars(ties(session, state, now=now))
        | {
            "origins": [
                Origin(platform=one.platform, id=one.platform_id, url=one.url or None)
                for one in origins(session, [state.id]).get(state.id, [])
            ],
            "sources": [
                Source.of(article, article=article.id, quote=source.quote)
                for source, article in sources(session, state.question)
            ],
            "wordings": [
                Wording.of(row, member=named[row.member_id])
                for row in wordings(session, state.question)
            ],
            "resolutions": [
                ResolutionStep.of(step.row, member=step.actor, superseded=step.superseded)
                for step in reversed(steps(session, state.question))
            ],
        }
    )
