"""The outcome that a language model found for a member, as a witness for the kind ``model``."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from forecasts.ledger.models import Decision, ModelCall, ModelDecision, ModelProposal, Question
from forecasts.questions import revisions

_KEPT = ("outcome", "known_at", "passages")


def newest(session: Session, question: Question, owner: int | None) -> dict[str, Any] | None:
    """Return the newest outcome that a model found for the owner, with its model and passages.

    None if the newest answer has no outcome, if its words were removed, if the owner dismissed it
    or proposed another outcome instead, or if the question was reworded since.
    """
    query = (
        select(ModelProposal, ModelCall)
        .join(ModelCall, col(ModelCall.id) == col(ModelProposal.model_call_id))
        .where(ModelCall.kind == "outcome", ModelCall.about_id == question.id)
        .where(ModelProposal.member_id == owner)
    )
    found = session.exec(query.order_by(col(ModelProposal.id).desc()).limit(1)).first()
    if found is None:
        return None
    proposal, call = found
    decisions = select(ModelDecision.decision).where(ModelDecision.model_proposal_id == proposal.id)
    decided = session.exec(decisions.order_by(col(ModelDecision.id).desc()).limit(1)).first()
    if decided in (Decision.changed, Decision.dismissed):
        return None
    if _is_reworded(session, question, call.recorded_at):
        return None
    with suppress(ValueError):
        fields = json.loads(proposal.content)
        if fields["outcome"]:
            return {"model": call.model, **{name: fields[name] for name in _KEPT}}
    return None


def _is_reworded(session: Session, question: Question, since: datetime) -> bool:
    wordings = revisions.history(session, question)
    return any(after.recorded_at > since for _, after in revisions.edits(wordings))
