"""Outcomes: propose, confirm, withdraw, reject, dispute, uphold.

Each answers with the question.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from fastapi import APIRouter, Response

from forecasts.api import answers
from forecasts.api.caller import Acts, At, Caller
from forecasts.api.v1 import requests
from forecasts.api.v1.questions import document
from forecasts.common.errors import Refused
from forecasts.ledger.models import Question
from forecasts.questions import registry
from forecasts.resolution import confirmation, disputes, proposals
from forecasts.views.questions import QuestionDocument, ResolvedQuestion

Done = TypeVar("Done")

router = APIRouter(prefix="/questions/{id}", tags=["Outcomes"])


@router.post("/propose", status_code=201, response_model=QuestionDocument)
def propose_outcome(caller: Acts, id: str, body: requests.Outcome) -> QuestionDocument | Response:
    """Propose an outcome, for someone who may decide it."""

    def do(at: At, question: Question) -> None:
        _say(at, question, body, proposals.propose)

    return _decided(caller, id, do)


@router.post("/resolve", status_code=201, response_model=ResolvedQuestion)
def resolve_question(caller: Acts, id: str, body: requests.Outcome) -> ResolvedQuestion | Response:
    """Confirm an outcome and score the forecasts; of a resolved question, correct it.

    `no_longer_count` has the forecasts that the time at which the outcome was known leaves out.
    """

    def act(at: At) -> ResolvedQuestion:
        question = registry.find(at.session, id)
        settled = _say(at, question, body, confirmation.confirm)
        shown = document(at, question)
        return ResolvedQuestion(**vars(shown), no_longer_count=settled.left_out)

    return answers.acted(caller, act)


@router.post("/unresolve", status_code=201, response_model=QuestionDocument)
def unresolve_question(
    caller: Acts, id: str, body: requests.Because
) -> QuestionDocument | Response:
    """Withdraw the outcome, with a reason: the question is open again, or awaits an outcome."""

    def do(at: At, question: Question) -> None:
        confirmation.withdraw(at.session, question, reason=body.reason, **at.by)

    return _decided(caller, id, do)


@router.post("/reject", status_code=201, response_model=QuestionDocument)
def reject_proposals(caller: Acts, id: str, body: requests.Because) -> QuestionDocument | Response:
    """Reject the question's open proposals, with a reason."""

    def do(at: At, question: Question) -> None:
        proposed = proposals.proposals_on(at.session, question)
        if not proposed:
            raise Refused(
                f"No outcome of {question.slug!r} awaits a decision.",
                remedy="See the questions with status=proposed.",
            )
        for proposal in proposed:
            proposals.reject(at.session, proposal, note=body.reason, **at.by)

    return _decided(caller, id, do)


@router.post("/dispute", status_code=201, response_model=QuestionDocument)
def dispute_outcome(caller: Acts, id: str, body: requests.Because) -> QuestionDocument | Response:
    """Dispute the outcome, with a reason. Scores are provisional until a decision."""

    def do(at: At, question: Question) -> None:
        disputes.dispute(at.session, question, reason=body.reason, **at.by)

    return _decided(caller, id, do)


@router.post("/uphold", status_code=201, response_model=QuestionDocument)
def uphold_outcome(caller: Acts, id: str, body: requests.Because) -> QuestionDocument | Response:
    """Uphold a disputed outcome, which makes it final."""

    def do(at: At, question: Question) -> None:
        disputes.uphold(at.session, question, reason=body.reason, **at.by)

    return _decided(caller, id, do)


def _say(at: At, question: Question, body: requests.Outcome, verb: Callable[..., Done]) -> Done:
    """Propose or confirm the outcome that a request names."""
    return verb(
        at.session,
        question,
        body.outcome,
        known_at=body.known_at,
        note=body.note,
        source=body.source,
        **at.by,
    )


def _decided(
    caller: Caller, id: str, do: Callable[[At, Question], None]
) -> QuestionDocument | Response:
    """Return the question after ``do``, one act on it."""

    def act(at: At) -> QuestionDocument:
        question = registry.find(at.session, id)
        do(at, question)
        return document(at, question)

    return answers.acted(caller, act)
