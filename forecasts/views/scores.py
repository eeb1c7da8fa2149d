"""A member's record: their resolved questions with scores. And the rows of the score tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import ConfigDict, Field

from forecasts.questions.standing import QuestionState
from forecasts.scores import scored_questions
from forecasts.scores.printed_scores import Printed
from forecasts.views.view import Next, Score, View


class ScoredForecast(View):
    """A forecast's part of a score."""

    value: str = Field(description="of the option that came true, if there are options")
    probability: float | None = Field(description="of the outcome")
    from_: datetime = Field(alias="from", description="when it took effect")
    days: float = Field(description="how long it was current")
    score: float | None
    earned: float | None = Field(description="by this update; above 0 is better")


class ScoredQuestion(View):
    """A resolved question with your score, or with printed scores alone if the ledger has none."""

    number: int
    id: str
    title: str
    outcome: str
    known_at: datetime | None
    resolved_at: datetime
    protocol: str | None = Field(description="brier or crps")
    score: float | None = Field(description="from 0, the best, to 1")
    coverage: float | None = Field(description="the share of its time with your forecast")
    against_crowd: float | None = Field(description="above 0 is better; null without others")
    earned: float | None = Field(description="by all updates; above 0 is better")
    forecasts: list[ScoredForecast]
    printed_scores: list[Printed] = Field(description="those that the platform printed")


class Scores(View):
    """A page of your scores on resolved questions, the latest first."""

    scores: list[ScoredQuestion]
    next: Next


class ScoreRow(View):
    """A forecaster's score on a question by one protocol."""

    question_id: str
    forecaster: str
    protocol: str
    score: Score
    coverage: float
    updates: int


class CrowdRow(View):
    """The crowd's forecast on a question."""

    model_config = ConfigDict(extra="allow")

    question_id: str
    at: datetime
    forecasters: int
    p: float | None = Field(description="of yes; of options, `p0`, `p1` and so on in their order")


class AttributionRow(View):
    """An update and its effect, in points of the score."""

    question_id: str
    forecaster: str
    made_at: datetime
    remaining: float
    score_before: Score | None
    score: Score
    points: Score | None = Field(description="null for a first forecast")
    promised: Score | None
    surprise: Score | None
    evidence: str


class SourceRow(View):
    """Evidence, its publisher, author, kind or feed, and the points of the updates that cite it.

    Blank: points that no evidence accounts for.
    """

    evidence_id: str | None = Field(None, description="null unless by evidence")
    title: str | None = Field(None, description="of the evidence; null unless by evidence")
    publisher: str | None = Field(None, description="null unless by evidence or publisher")
    author: str | None = Field(None, description="of the article; null unless by author")
    kind: str | None = Field(None, description="of evidence; null unless by evidence or kind")
    feed: str | None = Field(
        None, description="of yours, that brought the article; null unless by feed"
    )
    citations: int
    updates: int
    questions: int = Field(description="how many questions")
    points: Score
    families: int
    per_question: Score = Field(description="the mean of points per question")
    per_question_lower: Score | None = Field(description="its 95% interval; null for one family")
    per_question_upper: Score | None = Field(description="its 95% interval; null for one family")
    dated: int = Field(description="the citations of something with a known day of publication")
    late: int = Field(description="of these, those more than 7 days after that day")
    compared: int = Field(
        description="the updates on yes-or-no questions with a current forecast of two others"
    )
    followed: int = Field(
        description="of these, those after which the others' mean moved the same way, by half as "
        "much or more"
    )
    days_ahead: float | None = Field(
        description="how many days later that was, the median; null if it never was"
    )


class Digest(View):
    """The digest of the ledger's newest entry."""

    ledger: str
    digest: str
    at: datetime


class CrowdPage(View):
    """A page of the crowd's forecasts."""

    rows: list[CrowdRow]
    next: Next


class AttributionPage(View):
    """A page of updates, or of evidence, publishers, authors, kinds or feeds, most points first."""

    rows: list[AttributionRow | SourceRow]
    next: Next


def scored_question(
    one: scored_questions.ScoredQuestion, printed: Sequence[Printed]
) -> ScoredQuestion:
    """Return a question with the member's score and updates."""
    forecasts = []
    for each in one.forecasts:
        days = each.duration.total_seconds() / 86_400
        forecasts.append(ScoredForecast.of(each, from_=each.since, days=days, earned=each.points))
    own = {"against_crowd": one.against_crowd, "earned": one.points, "forecasts": forecasts}
    return ScoredQuestion.of(one.score, **_resolved(one.state), **own, printed_scores=printed)


def unscored_question(state: QuestionState, printed: Sequence[Printed]) -> ScoredQuestion:
    """Return a question on which the ledger has no score of the member, but a platform has."""
    blank = dict.fromkeys(("protocol", "score", "coverage", "against_crowd", "earned"))
    return ScoredQuestion(**_resolved(state), **blank, forecasts=[], printed_scores=printed)


def _resolved(state: QuestionState) -> dict[str, Any]:
    resolution = state.resolution
    assert resolution is not None
    return {
        "number": state.id,
        "id": state.slug,
        "title": state.text.title,
        "outcome": resolution.outcome,
        "known_at": resolution.known_at,
        "resolved_at": resolution.recorded_at,
    }
