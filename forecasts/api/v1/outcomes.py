"""Outcomes: propose, confirm, withdraw, reject, dispute, uphold.

Each answers with the question.
"""

from __future__ import annotations

from fastapi import APIRouter

from forecasts.api.caller import At, acts
from forecasts.api.v1 import requests
from forecasts.api.v1.questions import document
from forecasts.common.errors import Refused
from forecasts.questions import registry
from forecasts.resolution import confirmation, disputes, proposals
from forecasts.views.questions import QuestionDocument, ResolvedQuestion

router = APIRouter(prefix="/questions/{id}", tags=["Outcomes"])


@router.post("/propose", status_code=201)
@acts
def propose_outcome(at: At, id: str, body: requests.Outcome) -> QuestionDocument:
    """Propose an outcome, for someone who may decide it."""
    question = registry.find(at.session, id)
    proposals.propose(at.session, question, **dict(body), **at.by)
    return document(at, question)


@router.post("/resolve", status_code=201)
@acts
def resolve_question(at: At, id: str, body: requests.Outcome) -> ResolvedQuestion:
    """Confirm an outcome and score the forecasts; of a resolved question, correct it.

    `no_longer_count` has the forecasts that the time at which the outcome was known leaves out.
    """
    question = registry.find(at.session, id)
    settled = confirmation.confirm(at.session, question, **dict(body), **at.by)
    return ResolvedQuestion(**vars(document(at, question)), no_longer_count=settled.left_out)


@router.post("/unresolve", status_code=201)
@acts
def unresolve_question(at: At, id: str, body: requests.Because) -> QuestionDocument:
    """Withdraw the outcome, with a reason: the question is open again, or awaits an outcome."""
    question = registry.find(at.session, id)
    confirmation.withdraw(at.session, question, reason=body.reason, **at.by)
    return document(at, question)


@router.post("/reject", status_code=201)
@acts
def reject_proposals(at: At, id: str, body: requests.Because) -> QuestionDocument:
    """Reject the question's open proposals, with a reason."""
    question = registry.find(at.session, id)
    proposed = proposals.proposals_on(at.session, question)
    if not proposed:
        raise Refused(
            f"No outcome of {question.slug!r} awaits a decision.",
            remedy="See the questions with status=proposed.",
        )
    for proposal in proposed:
        proposals.reject(at.session, proposal, note=body.reason, **at.by)
    return document(at, question)


@router.post("/dispute", status_code=201)
@acts
def dispute_outcome(at: At, id: str, body: requests.Because) -> QuestionDocument:
    """Dispute the outcome, with a reason. Scores are provisional until a decision."""
    question = registry.find(at.session, id)
    disputes.dispute(at.session, question, reason=body.reason, **at.by)
    return document(at, question)


@router.post("/uphold", status_code=201)
@acts
def uphold_outcome(at: At, id: str, body: requests.Because) -> QuestionDocument:
    """Uphold a disputed outcome, which makes it final."""
    question = registry.find(at.session, id)
    disputes.uphold(at.session, question, reason=body.reason, **at.by)
    return document(at, question)
