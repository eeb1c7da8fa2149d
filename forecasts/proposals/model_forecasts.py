"""A model's forecast with its reasons: hidden until the person who asked has forecast themselves.

It is in the ledger as the proposal of a call, which nobody reads before. Once the person has
forecast, they may see it; it is then recorded as a forecast of the model's bot, and counts and is
scored from there on as any bot's. So it cannot anchor them, and no crowd that they are shown before
has it.

Rejected: recording it at once, with its row hidden from one reader: every crowd, list and export
would then depend on its reader.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlmodel import Session, col, select

from forecasts.access import roles
from forecasts.access.roles import Action
from forecasts.access.visibility import is_visible, require_visible
from forecasts.articles.library import find_article
from forecasts.common.errors import (
    BadInput,
    Forbidden,
    LedgerError,
    NotFound,
    Refused,
    Remedy,
    command,
)
from forecasts.common.times import iso
from forecasts.ledger.models import (
    Article,
    Decision,
    Forecast,
    Member,
    ModelAnswer,
    ModelCall,
    ModelDecision,
    ModelProposal,
    Question,
    QuestionRevision,
    Visibility,
)
from forecasts.news.matches import AT_ONCE, matches
from forecasts.proposals import decisions
from forecasts.proposals.kinds import Checked, Kind, Material, Wanted
from forecasts.proposals.prompts import ProposedForecast, Reason, sent_data
from forecasts.proposals.questions import as_data, read_content
from forecasts.proposals.quotations import find_quotation
from forecasts.questions import passages, registry, revisions
from forecasts.updates.model_uses import Model
from forecasts.updates.typed_values import require_offered_range
from forecasts.updates.updates import current_forecast, update
from forecasts.values.value import Value
from forecasts.values.value_parsing import read_value

ARTICLES = 5  # that are sent with a question
MOST_TEXT = 6_000  # characters of each
LOWEST = 0.001  # probability
ORIGIN = "model"
_SENT = (  # fields of a wording
    *("title", "type", "options", "lower_bound", "upper_bound", "unit"),
    *("background", "resolution_criteria", "fine_print"),
)


@dataclass(frozen=True)
class ModelForecast:
    """A model's forecast that its reader may see; ``forecast``: as recorded, None if it was not.

    ``text``: the wording that was sent.
    """

    number: int
    model: str
    question: Question
    text: QuestionRevision
    value: Value
    reference_class: str
    base_rate: str
    evidence_for: Sequence[Reason]
    evidence_against: Sequence[Reason]
    forecast: Forecast | None


def _require(session: Session, wanted: Wanted, member: Member, now: datetime) -> None:
    question = registry.find(session, wanted.question)
    roles.require(session, member, Action.forecast, question, now=now)
    text = registry.newest_wording(session, question)
    require_sendable(question, text, member)
    if text.close_time <= now:
        raise Refused(
            f"{question.slug!r} has closed, so a forecast would not count.",
            remedy=f"To ask for its outcome: {command('model outcome', question.slug)}",
        )


def require_sendable(question: Question, text: QuestionRevision, member: Member) -> None:
    """Refuse, with Forbidden, to send a question that not everyone may see, but for its author."""
    if text.visibility != Visibility.everyone and question.member_id != member.id:
        raise Forbidden(
            f"Not everyone may see {question.slug!r}, so only its author may send it to a model.",
            remedy="Ask its author to send it.",
        )


def question_material(session: Session, wanted: Wanted, now: datetime) -> Material:
    """Return the question's wording and articles on it, without forecasts, crowd and comments.

    The articles: those named, those that it was taken from, and the best matches of the news.
    """
    question = registry.find(session, wanted.question)
    text = registry.newest_wording(session, question)
    # As on a page: it is read in a turn to write, which must be short.
    found = matches(session, now=now, only=[question.id], best=ARTICLES, at_once=AT_ONCE)
    numbers = list(wanted.articles)
    numbers += [article.id for _, article in passages.sources(session, question)]
    numbers += [one.article_id for one in sorted(found, key=lambda one: -one.score)]
    chosen = [find_article(session, id_) for id_ in list(dict.fromkeys(numbers))[:ARTICLES]]
    return Material(sent_question(text, chosen, now), about_id=question.id)


def sent_question(
    text: QuestionRevision, articles: Sequence[Article], at: datetime
) -> dict[str, Any]:
    """Return a wording and articles as they are sent at this time."""
    asked = {name: value for name in _SENT if (value := getattr(text, name))}
    times = {"opens": iso(text.open_time), "closes": iso(text.scheduled_close_time)}
    return {
        "today": iso(at),
        "question": asked | times,
        "articles": [{"number": one.id, **as_data(one, MOST_TEXT)} for one in articles],
    }


def _check(session: Session, call: ModelCall, answer: ProposedForecast, now: datetime) -> Checked:
    text = registry.newest_wording(session, session.get_one(Question, call.about_id))
    return checked_forecast(call, answer, text, now)


def checked_forecast(
    call: ModelCall, answer: ProposedForecast, text: QuestionRevision, at: datetime
) -> Checked:
    """Return the forecast as it is stored, without points whose quotation no article has."""
    try:
        read_forecast(answer.forecast, text, at)
    except LedgerError:
        return Checked((), unusable=1)
    kept: dict[str, list[dict[str, str]]] = {}
    misquoted = 0
    for side in ("evidence_for", "evidence_against"):
        reasons: list[Reason] = getattr(answer, side)
        sound = verbatim(call, reasons)
        misquoted += len(reasons) - len(sound)
        kept[side] = [one.model_dump() for one in sound]
    fields = answer.model_dump(include={"reference_class", "base_rate", "forecast"}) | kept
    return Checked((json.dumps(fields, ensure_ascii=False),), misquoted)


FORECAST = Kind(_require, question_material, _check)


def verbatim(call: ModelCall, reasons: Sequence[Reason]) -> list[Reason]:
    """Return the reasons whose quotation an article of the call has, or that have none."""
    texts = [str(one.get("text", "")) for one in sent_data(call.request).get("articles", [])]
    return [
        one
        for one in reasons
        if not one.quotation.strip() or any(find_quotation(text, one.quotation) for text in texts)
    ]


def read_forecast(typed: str, text: QuestionRevision, now: datetime) -> Value:
    """Return a forecast as our parser reads it; a LedgerError if it cannot or is too certain."""
    return require_offered_range(read_value(typed.strip(), text, now=now, zone=UTC), LOWEST)


def is_hidden(session: Session, call: ModelCall, member: Member | None, *, now: datetime) -> bool:
    """Return whether a call has a forecast that the reader may not see yet.

    A model's is in its answer, a member's in the request to challenge it. They may once they have
    forecast the question, or it has closed; not if they do not see it.
    """
    if call.kind not in ("forecast", "challenge") or call.about_id is None:
        return False
    question = session.get_one(Question, call.about_id)
    if not is_visible(session, question):
        return True
    if registry.newest_wording(session, question).close_time <= now:
        return False
    return member is None or current_forecast(session, question, member, at=now, own=True) is None


def reveal(session: Session, number: int, *, member: Member, now: datetime) -> ModelForecast:
    """Return the model's forecast that the member asked for.

    The first time it is recorded as a forecast of the model's bot, unless the question has closed
    or was reworded, or the bot may not forecast it, or has a later forecast from a call. Refused
    before the member has forecast.
    """
    row = decisions.find(session, number, member)
    call = decisions.require_kind(session, row, "forecast")
    fields: dict[str, Any] = read_content(row)
    question = session.get_one(Question, call.about_id)
    require_visible(session, question)
    if is_hidden(session, call, member, now=now):
        raise Refused(
            f"The forecast of {call.model} is hidden until you have forecast {question.slug!r}.",
            remedy=Remedy("Forecast it first: {}", "update", question.slug, "P"),
        )
    text = wording_at(session, question, call.recorded_at)
    value = read_forecast(fields["forecast"], text, call.recorded_at)
    sides = {
        side: [Reason.model_validate(one) for one in fields[side]]
        for side in ("evidence_for", "evidence_against")
    }
    decision = decisions.newest_decision(row, session)
    recorded = None
    if decision is None:
        made = {}
        with suppress(BadInput, NotFound, Refused):
            _require_current(session, call, text)
            recorded = update(
                session,
                question,
                value,
                member=session.get_one(Member, call.bot_id),
                now=now,
                rationale=_rationale(fields, sides),
                model=_model(session, call),
                origin=ORIGIN,
            ).forecast
            made = {"made_forecast_id": recorded.id}
        decisions.record(session, row, Decision.accepted, member, now, **made)
    elif decision.made_forecast_id is not None:
        recorded = session.get(Forecast, decision.made_forecast_id)
    return ModelForecast(
        number=number,
        model=call.model,
        question=question,
        text=text,
        value=value,
        reference_class=fields["reference_class"],
        base_rate=fields["base_rate"],
        forecast=recorded,
        **sides,
    )


def wording_at(session: Session, question: Question, at: datetime) -> QuestionRevision:
    """Return the wording that the question had at a time; Refused before it had any."""
    wordings = [one for one in revisions.history(session, question) if one.recorded_at <= at]
    if not wordings:
        raise Refused(f"{question.slug!r} was registered later.")
    return wordings[-1]


def _require_current(session: Session, call: ModelCall, text: QuestionRevision) -> None:
    """Refuse to record a forecast on an earlier wording, or older than one that the bot has."""
    newest = registry.newest_wording(session, session.get_one(Question, call.about_id))
    if any(getattr(newest, name) != getattr(text, name) for name in _SENT):
        raise Refused(f"The question was reworded after {call.model} had forecast it.")
    later = (
        select(ModelDecision.id)
        .join(ModelProposal, col(ModelProposal.id) == col(ModelDecision.model_proposal_id))
        .join(ModelCall, col(ModelCall.id) == col(ModelProposal.model_call_id))
        .where(col(ModelDecision.made_forecast_id).is_not(None), ModelCall.bot_id == call.bot_id)
        .where(ModelCall.about_id == call.about_id, col(ModelCall.id) > call.id)
    )
    if session.exec(later.limit(1)).first() is not None:
        raise Refused(f"{call.model} has forecast this later.")


def _model(session: Session, call: ModelCall) -> Model:
    answer = session.exec(select(ModelAnswer).where(ModelAnswer.model_call_id == call.id)).one()
    return Model(
        name=call.model,
        prompt_hash=call.prompt_hash,
        cost=answer.cost,
        tokens=answer.tokens_in + answer.tokens_out,
        seconds=answer.seconds,
    )


def _rationale(fields: dict[str, Any], sides: dict[str, list[Reason]]) -> str:
    """Return the reasons of a forecast as its text."""
    parts = [f"Base rate: {fields['base_rate']} ({fields['reference_class']})"]
    for side, words in (("evidence_for", "For"), ("evidence_against", "Against")):
        parts += [f"{words}: {one.point}" for one in sides[side]]
    return "\n\n".join(parts)
