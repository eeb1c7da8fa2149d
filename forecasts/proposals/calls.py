"""Calls of the model: each is written before it is sent, and its answer when it has come.

A call is never part of another act: nothing is locked while the model works, and nobody waits for
it but the one who asked. One without an answer was cut off, and counts as the most it may have
used. An answer in another form is asked for once more, with the fault.

Everything that was sent and answered stays in the ledger, in its chain, for the one who asked and
for admins. The texts are removed with their member; what comes for a removed member is not kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import TypeAlias, TypeVar

from sqlalchemy import ColumnElement, true
from sqlmodel import Session, col, func, select

from forecasts.access import roles, tokens, visibility
from forecasts.access.members import find_member, kind_of
from forecasts.common.errors import BadInput, Forbidden, NotFound, Refused, Remedy
from forecasts.common.text import amount
from forecasts.ledger.append import written
from forecasts.ledger.clock import act_time
from forecasts.ledger.models import (
    AnswerState,
    Member,
    MemberKind,
    ModelAnswer,
    ModelCall,
    ModelProposal,
    Removal,
    Role,
)
from forecasts.proposals import challenges, model_forecasts, model_outcomes, questions, trials
from forecasts.proposals.endpoint import Endpoint, Reply, Unanswered, send, tokens_in
from forecasts.proposals.kinds import Checked, Kind, Wanted
from forecasts.proposals.prompts import most_tokens, read_answer, request

# Begins an act of the one who asks: the session, the member and the time.
Act: TypeAlias = tuple[Session, Member, datetime]
Acting: TypeAlias = Callable[[], AbstractContextManager[Act]]
# Begins a turn to write: ``database.writing`` with its engine and clock.
Turn: TypeAlias = Callable[[], AbstractContextManager[Session]]
KINDS: Mapping[str, Kind] = {
    "questions": questions.QUESTIONS,
    "forecast": model_forecasts.FORECAST,
    "outcome": model_outcomes.OUTCOME,
    "challenge": challenges.CHALLENGE,
    "trial": trials.TRIAL,
}
_Part = TypeVar("_Part", ModelAnswer, ModelProposal)  # of a call
_REPAIRED = 4_000  # characters of an answer that are sent back
_WITH_ANSWERS = select(ModelCall, ModelAnswer).outerjoin(
    ModelAnswer, col(ModelAnswer.model_call_id) == col(ModelCall.id)
)


@dataclass(frozen=True)
class Used:
    """The use of a day's budget, and the number of calls."""

    calls: int
    tokens: int
    cost: float


@dataclass(frozen=True)
class Asked:
    """The result of asking: the proposals' numbers, and how many were dropped, for which reason."""

    call: int
    proposals: tuple[int, ...]
    misquoted: int
    unusable: int


def preview(session: Session, endpoint: Endpoint, wanted: Wanted, *, now: datetime) -> str:
    """Return the request for these proposals, exactly as it would be sent."""
    data = KINDS[wanted.kind].material(session, wanted, now).data
    return request(wanted.kind, endpoint.model, data)


def ask_model(acting: Acting, turn: Turn, endpoint: Endpoint, wanted: Wanted) -> Asked:
    """Return the proposals that the model makes, which are written.

    Errors as in ``begin`` and ``finish``.
    """
    with acting() as (session, member, now):
        begun = begin(session, endpoint, wanted, member=member, now=now)
    return finish(turn, endpoint, begun)


@dataclass(frozen=True)
class Begun:
    """A call that is written and not yet sent: its number, its member's id, and its request."""

    call: int
    member: int
    wanted: Wanted
    request: str


def begin(
    session: Session,
    endpoint: Endpoint,
    wanted: Wanted,
    *,
    member: Member,
    now: datetime,
    repair: tuple[str, str] | None = None,
) -> Begun:
    """Return a call for these proposals, which is written; nothing is sent yet.

    Refused or Forbidden as the kind requires, and as in ``require_may_call``.
    """
    kind = wanted.kind
    KINDS[kind].require(session, wanted, member, now)
    material = KINDS[kind].material(session, wanted, now)
    sent = request(kind, endpoint.model, material.data, repair)
    require_may_call(session, endpoint, kind, sent, member=member, now=now)
    call = ModelCall(
        member_id=member.id,
        bot_id=_bot(session, endpoint.model, member=member, now=now).id,
        kind=kind,
        article_id=material.article_id,
        about_id=material.about_id,
        model=endpoint.model,
        host=endpoint.host,
        prompt_hash=hashlib.sha256(sent.encode()).hexdigest(),
        most_tokens=tokens_in(sent) + most_tokens(kind),
        request=sent,
        recorded_at=now,
    )
    return Begun(written(session, call).id, member.id, wanted, sent)


def finish(turn: Turn, endpoint: Endpoint, begun: Begun) -> Asked:
    """Return the proposals of a call, which is sent now; its answer and they are written.

    Unanswered if the model gave no answer that can be read. The repair is a call of its own. If the
    member was removed meanwhile, neither the answer nor proposals are kept.
    """
    reply, kind = _sent(turn, endpoint, begun), begun.wanted.kind
    try:
        answer = read_answer(kind, reply.text)
    except BadInput as fault:
        error = _unusable(turn, endpoint, begun, reply, fault)
        with _acting(turn, begun) as (session, member, now):
            if _is_removed(session, member):
                raise error from None
            again = reply.text[:_REPAIRED], fault.message
            begun = begin(session, endpoint, begun.wanted, member=member, now=now, repair=again)
        reply = _sent(turn, endpoint, begun)
        try:
            answer = read_answer(kind, reply.text)
        except BadInput as still:
            raise _unusable(turn, endpoint, begun, reply, still) from None
    with _acting(turn, begun) as (session, member, now):
        call = session.get_one(ModelCall, begun.call)
        checked = Checked(())
        if not _is_removed(session, member):
            checked = KINDS[kind].check(session, call, answer, now)
        ended = _answered(session, endpoint, begun.call, AnswerState.answered, reply, now)
        ended.misquoted, ended.unusable = checked.misquoted, checked.unusable
        by = {"model_call_id": begun.call, "member_id": written(session, ended).member_id}
        made = [
            written(session, ModelProposal(content=content, recorded_at=now, **by)).id
            for content in checked.contents
        ]
    return Asked(begun.call, tuple(made), checked.misquoted, checked.unusable)


@contextmanager
def _acting(turn: Turn, begun: Begun) -> Iterator[Act]:
    """Yield a session of the one who asked, them, and the time."""
    with turn() as session:
        member, now = session.get_one(Member, begun.member), act_time(session)
        visibility.read_as(session, member, now=now)
        yield session, member, now


def _is_removed(session: Session, member: Member) -> bool:
    found = session.exec(select(Removal.id).where(Removal.member_id == member.id))
    return found.first() is not None


def _sent(turn: Turn, endpoint: Endpoint, begun: Begun) -> Reply:
    """Return the answer to a call; if there is none, that is written, and the error raised."""
    try:
        return send(endpoint, begun.request)
    except Unanswered as error:
        _end(turn, endpoint, begun, AnswerState.failed, error)
        raise
    except BaseException:
        cancelled = Unanswered("The call was cancelled.", remedy="", used=None)
        _end(turn, endpoint, begun, AnswerState.failed, cancelled)
        raise


def _unusable(
    turn: Turn, endpoint: Endpoint, begun: Begun, reply: Reply, fault: BadInput
) -> Unanswered:
    """Return the error for an answer in another form, which is written."""
    error = Unanswered(
        f"{endpoint.model} did not answer in the form asked for: {fault.message}",
        remedy="Try again, or set another model.",
    )
    _end(turn, endpoint, begun, AnswerState.unusable, error, reply)
    return error


def _end(
    turn: Turn,
    endpoint: Endpoint,
    begun: Begun,
    state: AnswerState,
    error: Unanswered,
    reply: Reply | None = None,
) -> None:
    """Write why a call brought no proposals; the most that it can have used, if that is unknown."""
    most = tokens_in(begun.request), most_tokens(begun.wanted.kind)
    reply = reply or Reply("", *(error.used or most), error.received)
    with _acting(turn, begun) as (session, _, now):
        ended = _answered(session, endpoint, begun.call, state, reply, now)
        ended.reason = str(error)
        written(session, ended)


def _answered(
    session: Session,
    endpoint: Endpoint,
    call: int,
    state: AnswerState,
    reply: Reply,
    now: datetime,
) -> ModelAnswer:
    """Return the row of the answer to a call, which is not written yet."""
    began = session.get_one(ModelCall, call)
    is_kept = not _is_removed(session, session.get_one(Member, began.member_id))
    return ModelAnswer(
        model_call_id=call,
        member_id=began.member_id,
        state=state,
        tokens_in=reply.tokens_in,
        tokens_out=reply.tokens_out,
        cost=endpoint.cost_of(reply.tokens_in, reply.tokens_out),
        seconds=max(0.0, (now - began.recorded_at).total_seconds()),
        answer=reply.received if is_kept else "",
        recorded_at=now,
    )


def _bot(session: Session, model: str, *, member: Member, now: datetime) -> Member:
    """Return the bot with the model's name; a new one is written.

    Refused for the name of a person, and of a bot that forecasts for somebody else.
    """
    bot = find_member(session, model)
    if bot is None:
        return written(session, Member(handle=model, kind=MemberKind.bot, created_at=now))
    if kind_of(session, bot) == MemberKind.human:
        raise Refused(
            f"A person in this ledger has the name {model!r}, so the model cannot have it.",
            remedy=Remedy("If it is the model, make it your bot: {}", "member adopt", model),
        )
    owner = tokens.owner_of(session, bot)
    if owner is not None and owner.id != member.id:
        raise Refused(
            f"{model!r} is the bot of {owner.handle}, whose forecasts yours would replace.",
            remedy="Give the model another name on its server, and set FORECASTS_MODEL to that.",
        )
    return bot


def require_may_call(
    session: Session,
    endpoint: Endpoint,
    kind: str,
    sent: str,
    *,
    member: Member,
    now: datetime,
) -> None:
    """Refuse a request by a member who may not ask the model, or beyond the day's budget."""
    most_in, most_out = tokens_in(sent), most_tokens(kind)
    most = most_in + most_out
    rights = roles.member_rights(session, member, now=now)
    allowed = rights.unrestricted or not endpoint.callers or member.handle in endpoint.callers
    lowest = [Role(name) for name in endpoint.callers if name in list(Role)]
    if not allowed and not any(rights.general.rank >= role.rank for role in lowest):
        raise Forbidden(
            f"{member.handle} may not ask the model here.",
            remedy="The operator can add members to FORECASTS_MODEL_CALLERS.",
        )
    used = used_today(session, endpoint, now=now)
    if used.tokens + most > endpoint.tokens:
        raise Refused(
            f"The model has used {used.tokens:,} of its {endpoint.tokens:,} tokens of today, and "
            f"this could take {most:,}.",
            remedy="Ask again tomorrow (UTC), or let the operator raise FORECASTS_MODEL_TOKENS.",
        )
    most_cost = endpoint.cost_of(most_in, most_out)
    if endpoint.cost is not None and used.cost + most_cost > endpoint.cost:
        raise Refused(
            f"The model has cost {amount(used.cost)} of {amount(endpoint.cost)} today, and this "
            f"could cost {amount(most_cost)}.",
            remedy="Ask again tomorrow (UTC), or let the operator raise FORECASTS_MODEL_COST.",
        )


def used_today(session: Session, endpoint: Endpoint, *, now: datetime) -> Used:
    """Return the use by all calls since midnight UTC; an unanswered one counts as its most."""
    answer, call = ModelAnswer, ModelCall
    answered = func.coalesce(col(answer.tokens_in) + col(answer.tokens_out), call.most_tokens)
    dearest = max(endpoint.price_in, endpoint.price_out) / 1e6
    cost = func.coalesce(col(answer.cost), col(call.most_tokens) * dearest)
    midnight = datetime.combine(now.astimezone(UTC).date(), time(), UTC)
    calls, tokens, money = session.exec(
        select(
            func.count(col(call.id)),
            func.coalesce(func.sum(answered), 0),
            func.coalesce(func.sum(cost), 0.0),
        )
        .select_from(call)
        .outerjoin(answer, col(answer.model_call_id) == col(call.id))
        .where(col(call.recorded_at) >= midnight)
    ).one()
    return Used(calls, int(tokens), float(money))


def own(session: Session, member: Member | None, *, now: datetime) -> ColumnElement[bool]:
    """Return the SQL condition: the call is the member's, or they may see every call."""
    rights = roles.member_rights(session, member, now=now)
    if rights.unrestricted:
        return true()
    return col(ModelCall.member_id) == (0 if member is None else member.id)


def listing(
    session: Session, member: Member | None, *, now: datetime, most: int = 100
) -> list[tuple[ModelCall, ModelAnswer | None]]:
    """Return the newest calls that the member may see, each with its answer, the newest first."""
    found = _WITH_ANSWERS.where(own(session, member, now=now))
    rows = session.exec(found.order_by(col(ModelCall.id).desc()).limit(most))
    return [(call, answer) for call, answer in rows]


def find_call(
    session: Session, number: int, member: Member | None, *, now: datetime
) -> tuple[ModelCall, ModelAnswer | None]:
    """Return the call with this number and its answer; NotFound unless the member may see it."""
    own_call = _WITH_ANSWERS.where(ModelCall.id == number, own(session, member, now=now))
    found = session.exec(own_call).first()
    if found is None:
        raise NotFound(
            f"You have no call {number} of a model.", remedy="To list yours: forecasts model calls"
        )
    return found[0], found[1]


@dataclass(frozen=True)
class Subject:
    """The calls of a member for one kind of proposal, from an article or about a question."""

    member: Member
    kind: str
    article: int | None = None
    question: int | None = None

    @property
    def calls(self) -> tuple[ColumnElement[bool], ...]:
        """The SQL conditions on them."""
        return (
            col(ModelCall.member_id) == self.member.id,
            col(ModelCall.kind) == self.kind,
            col(ModelCall.article_id).is_not_distinct_from(self.article),
            col(ModelCall.about_id).is_not_distinct_from(self.question),
        )


def waiting(session: Session, subject: Subject, *, since: datetime) -> ModelCall | None:
    """Return the newest of these calls, made since then, that has no answer."""
    answered = select(ModelAnswer.id).where(ModelAnswer.model_call_id == ModelCall.id)
    recent = col(ModelCall.recorded_at) >= since
    found = select(ModelCall).where(*subject.calls, recent, ~answered.exists())
    return session.exec(found.order_by(col(ModelCall.id).desc()).limit(1)).first()


def last_answer(session: Session, subject: Subject) -> ModelAnswer | None:
    """Return the end of the newest of these calls that has ended, None without one."""
    return _newest_of(session, subject, ModelAnswer)


def newest_proposal(session: Session, subject: Subject) -> ModelProposal | None:
    """Return the newest proposal of these calls, None without one."""
    return _newest_of(session, subject, ModelProposal)


def _newest_of(session: Session, subject: Subject, table: type[_Part]) -> _Part | None:
    of_call = select(table).join(ModelCall, col(ModelCall.id) == col(table.model_call_id))
    newest = of_call.where(*subject.calls).order_by(col(ModelCall.id).desc(), col(table.id).desc())
    return session.exec(newest.limit(1)).first()
