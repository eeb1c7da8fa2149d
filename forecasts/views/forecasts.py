"""Forecasts with their reasons and evidence, whether these came with them or in a later comment.

Also the problems of requests (RFC 9457), and the results of a batch, whose rows may have one.
"""

from __future__ import annotations

from datetime import datetime

from pydantic import Field
from sqlmodel import Session

from forecasts.common.errors import Problem
from forecasts.ledger import models
from forecasts.ledger.models import EvidenceKind, Stance
from forecasts.ledger.receipts import Receipt, receipt
from forecasts.updates.comments import by_forecast, reasons, remarks
from forecasts.updates.model_uses import models_of
from forecasts.updates.updates import Only, evidence_of, history
from forecasts.views.view import Next, View


class Value(View):
    """A forecast's value; all three are null for a withdrawal."""

    made_at: datetime
    probability: float | None = Field(description="of yes, from 0 to 1")
    probabilities: list[float | None] | None = Field(description="in the order of `options`")
    quantiles: dict[str, float | str] | None = Field(
        description="a number or a day for each level, such as `0.5`"
    )
    withdrawn: bool


class NewForecast(Value):
    """A forecast that was just made, with the receipt that proves it."""

    number: int
    question: str
    member: str
    receipt: Receipt


class Evidence(View):
    """A piece of evidence as one forecast cites it."""

    stance: Stance
    share: float | None = Field(description="of the update, from 0 to 1")
    kind: EvidenceKind
    title: str
    url: str | None
    note: str
    publisher: str | None
    published_at: datetime | None
    quote: str


class CitedEvidence(Evidence):
    """A piece of evidence with the forecast that cites it."""

    forecast: int
    member: str


class Model(View):
    """The model that made a forecast."""

    name: str
    version: str | None
    prompt_hash: str | None
    temperature: float | None
    cost: float | None = Field(description="in US dollars")
    tokens: int | None = Field(description="read and written")
    seconds: float | None
    tools: list[str] | None


class Forecast(Value):
    """A forecast with its reasons."""

    number: int
    member: str
    rationale: str = Field(description="with reasons that came as comments")
    evidence: list[Evidence]
    model: Model | None


class Forecasts(View):
    """A page of the forecasts on a question that you may see, oldest first."""

    forecasts: list[Forecast]
    next: Next
    crowd_hidden: bool = Field(description="others' are hidden until you have forecast")


class EvidenceList(View):
    """A page of the evidence on a question that you may see."""

    evidence: list[CitedEvidence]
    next: Next


def forecasts(session: Session, question: models.Question, *, only: Only = None) -> list[Forecast]:
    """Return the forecasts on a question that the session's reader may see, oldest first.

    ``only``: those with these numbers.
    """
    cited = evidence_of(session, question, only=only)
    explained = by_forecast(remarks(session, question))
    used = models_of(session, question, only=only)
    return [
        Forecast.of(
            row,
            number=row.id,
            member=handle,
            rationale="\n\n".join(reasons(row, explained)),
            evidence=[evidence(*one) for one in cited.get(row.id, [])],
            model=used.get(row.id),
        )
        for row, handle in history(session, question, only=only)
    ]


def evidence(citation: models.Citation, cited: models.Evidence) -> Evidence:
    """Return a piece of evidence as one forecast cites it."""
    return Evidence.of(cited, stance=citation.stance, share=citation.share)


def new_forecast(
    session: Session, question: models.Question, row: models.Forecast, member: models.Member
) -> NewForecast:
    """Return a forecast that the member has just made."""
    proof = receipt(session, row)
    return NewForecast.of(
        row, number=row.id, question=question.slug, member=member.handle, receipt=proof
    )


class ProblemDocument(View):
    """An error (RFC 9457): its kind, the sentence, and the remedy."""

    title: str
    code: str = Field(
        description="for programs: `not_open`, `closed` or `resolved` (the question takes no "
        "forecasts), `no_forecast` (there is none to withdraw), `daily_limit` (no more of them on "
        "the question today), `key_reused` (the Idempotency-Key came with another request); "
        "otherwise the title with `_` for each space"
    )
    status: int
    detail: str
    remedy: str
    problems: list[Problem]


class BatchRow(View):
    """The result of one forecast of a batch: its number and receipt, or its refusal."""

    number: int | None = None
    receipt: Receipt | None = None
    problem: ProblemDocument | None = None


class BatchResult(View):
    """The results of a batch, in its order."""

    accepted: int
    refused: int
    results: list[BatchRow]
