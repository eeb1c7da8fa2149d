"""The language model: its settings and budget, its calls, and its proposals."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Literal

from pydantic import Field
from sqlmodel import Session

from forecasts.access.members import handle_of
from forecasts.access.visibility import is_visible
from forecasts.common.text import amount
from forecasts.ledger import models
from forecasts.ledger.models import AnswerState, Decision, QuestionType
from forecasts.proposals import challenges, model_forecasts, model_outcomes
from forecasts.proposals.calls import Used
from forecasts.proposals.decisions import AboutQuestion, Listed
from forecasts.proposals.endpoint import Endpoint
from forecasts.proposals.prompts import is_repair
from forecasts.proposals.questions import read_content
from forecasts.questions.same_questions import find_duplicates
from forecasts.values.value import format_value
from forecasts.views.view import View

HIDDEN = "(hidden until you have forecast the question)"


class ModelSettings(View):
    """The model that is set, with the use of its budget today."""

    model: str
    host: str
    has_key: bool
    timeout: float = Field(description="seconds")
    callers: list[str] = Field(description="who may ask it; empty: every member who may ask")
    tokens: int = Field(description="that it may use in a day")
    tokens_used: int
    cost: float | None = Field(description="that it may have in a day; null: no limit")
    cost_used: float
    calls: int = Field(description="of today (UTC)")


class ModelCall(View):
    """A call of the model."""

    number: int
    at: datetime = Field(description="when it was sent")
    by: str = Field(description="who asked")
    model: str
    host: str
    kind: str = Field(description="of the proposals wanted")
    article: int | None
    question: str | None = Field(description="that it is about, if you may see it")
    prompt_hash: str = Field(description="SHA-256 of the request")
    state: AnswerState | None = Field(description="null: no answer has come")
    reason: str = Field(description="why there is no usable answer, with the remedy, or blank")
    tokens_in: int | None
    tokens_out: int | None
    cost: float | None
    seconds: float | None
    misquoted: int | None = Field(description="proposals dropped: their quotation is not there")
    unusable: int | None = Field(description="proposals dropped for another reason")


class ModelCallText(ModelCall):
    """A call of the model, with the request and the answer."""

    request: str = Field(
        description="as sent, without the key; hidden with an answer that it repeats"
    )
    answer: str = Field(description="as received; a forecast is hidden until you have forecast")


class Proposal(View):
    """A question that a model proposes to you."""

    number: int
    kind: Literal["questions"]
    model: str
    article: int
    title: str
    type: QuestionType
    options: list[str] | None
    lower_bound: str | None
    upper_bound: str | None
    unit: str | None
    close_date: date | None
    resolution_criteria: str
    fine_print: str
    quote: str = Field(description="the passage of the article, letter by letter")
    told: str = Field(description="a passage that seems to tell the outcome, or blank")
    like: str | None = Field(description="a question with the same subject and deadline")
    decision: Decision | None = Field(description="yours; null while it is open")


class ProposalAboutQuestion(View):
    """A forecast, an outcome or a challenge that a model gives you."""

    number: int
    kind: Literal["forecast", "outcome", "challenge"]
    model: str
    question: str | None = Field(description="that it is about, if you may see it")
    hidden: bool = Field(description="true for a forecast until you have forecast the question")
    answer: str = Field(description="the outcome, or not_yet or cannot_tell; blank for other kinds")
    decision: Decision | None = Field(
        description="yours; null while it is open; accepted: a forecast that was shown"
    )


class Proposals(View):
    """The proposals that a model has just made."""

    call: int
    proposals: list[Proposal]
    misquoted: int = Field(description="dropped: the article lacks their quotation")
    unusable: int = Field(description="dropped for another reason")


class Reason(View):
    """A point for or against, with the passage that shows it, or blank."""

    point: str
    quotation: str


class ModelForecast(View):
    """A model's forecast that you asked for, with its reasons once you may see it."""

    number: int
    model: str
    question: str
    hidden: bool = Field(description="true until you have forecast the question")
    value: str | None = Field(description="the forecast, or null while it is hidden")
    reference_class: str
    base_rate: str
    evidence_for: list[Reason]
    evidence_against: list[Reason]
    forecast: int | None = Field(
        description="the forecast as recorded for the model's bot; null if it was not"
    )


class ModelPassage(View):
    """A passage of an article, letter by letter, and the part of the criteria that it meets."""

    quotation: str
    meets: str
    article: int


class ModelOutcome(View):
    """A model's answer on a question's outcome, as the articles show it."""

    number: int
    model: str
    question: str
    answer: str = Field(description="outcome, not_yet, cannot_tell or cancelled")
    outcome: str = Field(description="that it proposes, or blank")
    known_at: datetime | None
    passages: list[ModelPassage]
    note: str
    decision: Decision | None = Field(description="yours; null while it is open")


class ModelChallenge(View):
    """A model's case against a forecast of yours."""

    number: int
    model: str
    question: str
    forecast: str = Field(description="yours, as it was sent")
    case: str
    points: list[Reason]
    review: list[str] = Field(description="things to check again")
    decision: Decision | None = Field(description="dismissed, or null")


def settings(endpoint: Endpoint, used: Used) -> ModelSettings:
    """Return the model's settings, with the use of its budget today."""
    return ModelSettings(
        model=endpoint.model,
        host=endpoint.host,
        has_key=endpoint.key is not None,
        timeout=endpoint.seconds,
        callers=list(endpoint.callers),
        tokens=endpoint.tokens,
        tokens_used=used.tokens,
        cost=endpoint.cost,
        cost_used=used.cost,
        calls=used.calls,
    )


def call(session: Session, row: models.ModelCall, answer: models.ModelAnswer | None) -> ModelCall:
    """Return a call for a list."""
    return ModelCall.of(row, **_of_call(session, row, answer))


def subject(one: ModelCall) -> str:
    """Return the name of the article or the question that a call is about."""
    return f"article {one.article}" if one.article else one.question or "a question"


def used(one: ModelCall) -> list[str]:
    """Return the tokens, seconds and cost of a call, each as a text; none without an answer."""
    if one.tokens_in is None or one.tokens_out is None:
        return []
    tokens = f"{one.tokens_in + one.tokens_out:,} tokens"
    return [tokens, f"{one.seconds:.1f} s", f"cost {amount(one.cost or 0)}"]


def call_text(
    session: Session,
    row: models.ModelCall,
    answer: models.ModelAnswer | None,
    reader: models.Member | None,
    *,
    now: datetime,
) -> ModelCallText:
    """Return a call with its texts; a forecast is hidden until the reader has made their own."""
    sent, answered = row.request, "" if answer is None else answer.answer
    if model_forecasts.is_hidden(session, row, reader, now=now):
        answered = HIDDEN
        if row.kind == "challenge" or is_repair(sent):  # which repeats the answer before it
            sent = HIDDEN
    return ModelCallText.of(row, **_of_call(session, row, answer), request=sent, answer=answered)


def _of_call(
    session: Session, row: models.ModelCall, answer: models.ModelAnswer | None
) -> dict[str, Any]:
    names = ("state", "tokens_in", "tokens_out", "cost", "seconds", "misquoted", "unusable")
    return {
        **{name: getattr(answer, name, None) for name in names},
        "number": row.id,
        "at": row.recorded_at,
        "by": handle_of(session, row.member_id),
        "article": row.article_id,
        "question": _slug(session, row.about_id),
        "reason": "" if answer is None else answer.reason,
    }


def proposals(session: Session, listed: Sequence[Listed], *, now: datetime) -> list[Proposal]:
    """Return proposed questions, each with the question that may be the same."""
    alike = find_duplicates(session, [one.draft for one in listed], now=now)
    return [
        Proposal(
            number=one.draft.number,
            kind="questions",
            model=one.draft.model,
            article=one.article.id,
            title=one.draft.question,
            **one.draft.type_fields,
            close_date=one.draft.close_date,
            resolution_criteria=one.draft.criteria,
            fine_print=one.draft.fine_print,
            quote=one.draft.quote,
            told=one.draft.told,
            like=None if twin is None else twin.slug,
            decision=one.decision,
        )
        for one, twin in zip(listed, alike, strict=True)
    ]


def about_question(
    session: Session, one: AboutQuestion, reader: models.Member | None, *, now: datetime
) -> ProposalAboutQuestion:
    """Return a proposal about a question for a list."""
    fields = read_content(one.proposal) if one.call.kind == "outcome" else {}
    return ProposalAboutQuestion.of(
        one.call,
        number=one.proposal.id,
        question=_slug(session, one.call.about_id),
        hidden=model_forecasts.is_hidden(session, one.call, reader, now=now),
        answer=fields.get("outcome") or fields.get("answer", ""),
        decision=one.decision,
    )


def _slug(session: Session, number: int | None) -> str | None:
    question = None if number is None else session.get(models.Question, number)
    return question.slug if question is not None and is_visible(session, question) else None


def model_forecast(one: model_forecasts.ModelForecast) -> ModelForecast:
    """Return a model's forecast that its reader may see."""
    sides = {
        side: [Reason.of(reason) for reason in getattr(one, side)]
        for side in ("evidence_for", "evidence_against")
    }
    return ModelForecast(
        number=one.number,
        model=one.model,
        question=one.question.slug,
        hidden=False,
        value=format_value(one.value, one.text.options),
        reference_class=one.reference_class,
        base_rate=one.base_rate,
        forecast=None if one.forecast is None else one.forecast.id,
        **sides,
    )


def hidden_forecast(number: int, model: str, question: str) -> ModelForecast:
    """Return a model's forecast as it is shown before its reader has forecast."""
    return ModelForecast(
        number=number,
        model=model,
        question=question,
        hidden=True,
        value=None,
        reference_class="",
        base_rate="",
        evidence_for=[],
        evidence_against=[],
        forecast=None,
    )


def model_outcome(one: model_outcomes.ModelOutcome) -> ModelOutcome:
    """Return a model's answer on an outcome."""
    passages = [ModelPassage.of(passage) for passage in one.passages]
    return ModelOutcome.of(one, question=one.question.slug, passages=passages)


def model_challenge(one: challenges.ModelChallenge) -> ModelChallenge:
    """Return a model's case against a forecast."""
    points = [Reason.of(point) for point in one.points]
    return ModelChallenge.of(
        one, question=one.question.slug, points=points, review=list(one.review)
    )
