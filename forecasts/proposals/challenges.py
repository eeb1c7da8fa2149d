"""A red team: a model's strongest case against the forecast of the one who asks.

It is the only kind that sends a forecast: their own, and nobody else's. It proposes no act, so
nobody judges it; they may dismiss it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from forecasts.access.visibility import reader_id, require_visible
from forecasts.common.errors import Refused, Remedy
from forecasts.ledger.models import Decision, Member, ModelCall, Question
from forecasts.proposals import decisions
from forecasts.proposals.kinds import Checked, Kind, Material, Wanted
from forecasts.proposals.model_forecasts import FORECAST, question_material, verbatim
from forecasts.proposals.prompts import ProposedChallenge, Reason, sent_data
from forecasts.proposals.questions import read_content
from forecasts.questions import registry
from forecasts.updates.updates import current_forecast
from forecasts.values.value import format_value


@dataclass(frozen=True)
class ModelChallenge:
    """A model's case against a forecast of the one who asked; ``forecast``: as it was sent.

    ``review``: what they could check again, in plain words.
    """

    number: int
    model: str
    question: Question
    forecast: str
    case: str
    points: Sequence[Reason]
    review: Sequence[str]
    decision: Decision | None


def _require(session: Session, wanted: Wanted, member: Member, now: datetime) -> None:
    FORECAST.require(session, wanted, member, now)
    _own_forecast(session, wanted, member, now)


def _own_forecast(session: Session, wanted: Wanted, member: Member | None, now: datetime) -> str:
    """Return the member's current forecast in words; Refused without one."""
    question = registry.find(session, wanted.question)
    own = None if member is None else current_forecast(session, question, member, at=now, own=True)
    if own is None:
        raise Refused(
            f"You have no forecast of {question.slug!r} that a model could challenge.",
            remedy=Remedy("Forecast it first: {}", "update", question.slug, "P"),
        )
    return format_value(own, registry.newest_wording(session, question).options)


def _material(session: Session, wanted: Wanted, now: datetime) -> Material:
    """Return the question and its articles with the reader's own forecast."""
    material = question_material(session, wanted, now)
    reader = session.get(Member, reader_id(session))
    own = _own_forecast(session, wanted, reader, now)
    return material._replace(data={**material.data, "forecast": own})


def _check(session: Session, call: ModelCall, answer: ProposedChallenge, now: datetime) -> Checked:
    """Return the case as it is stored, without points whose quotation no article has."""
    sound = verbatim(call, answer.points)
    misquoted = len(answer.points) - len(sound)
    if not answer.case.strip():
        return Checked((), misquoted, unusable=1)
    fields = answer.model_dump() | {
        "forecast": sent_data(call.request)["forecast"],
        "points": [one.model_dump() for one in sound],
    }
    return Checked((json.dumps(fields, ensure_ascii=False),), misquoted)


CHALLENGE = Kind(_require, _material, _check)


def find(session: Session, number: int, member: Member) -> ModelChallenge:
    """Return the challenge that the member asked for; Refused for another proposal."""
    row = decisions.find(session, number, member)
    call = decisions.require_kind(session, row, "challenge")
    fields = read_content(row)
    question = session.get_one(Question, call.about_id)
    require_visible(session, question)
    decision = decisions.newest_decision(row, session)
    return ModelChallenge(
        number=number,
        model=call.model,
        question=question,
        forecast=fields["forecast"],
        case=fields["case"],
        points=[Reason.model_validate(one) for one in fields["points"]],
        review=fields["review"],
        decision=None if decision is None else decision.decision,
    )
