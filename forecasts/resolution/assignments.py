"""Watching: which resolvers a question carries, by what policy, and when they look next.

What is written here the runs (``runs``) read: a resolver that is set takes the place of all before
it, one that is added stands beside them; and each question that carries any has one ``Watch``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from sqlalchemy import ColumnElement
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, func, select

from forecasts.access.roles import Action, is_shared_ledger, require
from forecasts.access.visibility import question_visible, require_visible
from forecasts.articles.article import canonical
from forecasts.common.errors import BadInput, NotFound, Refused
from forecasts.ledger.models import (
    Member,
    Policy,
    PolicyKind,
    Question,
    QuestionType,
    Resolver,
    ResolverRun,
    RunState,
    Watch,
)
from forecasts.questions.outcomes import read_outcome
from forecasts.questions.registry import find
from forecasts.questions.standing import QuestionState, Status, current_state, has_outcome
from forecasts.resolution.resolvers import files
from forecasts.resolution.resolvers.kinds import kind
from forecasts.resolution.resolvers.protocol import Asked

NONE = "none"  # the kind of a row that takes the place of a question's resolvers, and looks nowhere
MOST_DAYS = 3650  # for which a resolution can be disputed
_DONE = (RunState.confirmed, RunState.proposed, RunState.failed, RunState.parked)


def attach(
    session: Session,
    question: Question,
    kind_name: str,
    settings: Mapping[str, Any],
    *,
    member: Member,
    now: datetime,
    beside: bool = False,
) -> Resolver:
    """Return the resolver that the question carries from now on; BadInput for its settings.

    It takes the place of those before it, unless it stands ``beside`` them, for a quorum; Refused
    where one of them is just the same, and where the question is resolved. It looks in the next
    run. It takes who may decide on the outcome: what the resolver finds is confirmed unasked.
    """
    require(session, member, Action.resolve, question, now=now)
    state = current_state(session, question, now=now)
    if state.resolution is not None:
        raise Refused(
            f"{state.slug!r} is resolved, so nothing would be looked up for it.",
            remedy="To correct it, resolve it again with another outcome.",
        )
    settings = _located(session, kind_name, settings, asked(state))
    if kind_name == "question":
        settings = _following(session, state, settings, now)
    if beside and any(
        _looks_at(other.kind, other.settings) == _looks_at(kind_name, settings)
        for other in resolvers(session, question)
    ):
        raise Refused(
            f"{state.slug!r} carries a resolver that looks there already, and one that looks in "
            "the same place is no second witness.",
            remedy="Add one that looks elsewhere.",
        )
    resolver = Resolver(
        question_id=state.id,
        kind=kind_name,
        settings=settings,
        member_id=member.id,
        recorded_at=now,
        beside=beside,
    )
    session.add(resolver)
    _look_next(session, question, now)
    session.flush()
    return resolver


def detach(session: Session, question: Question, *, member: Member, now: datetime) -> int:
    """Return how many resolvers the question carried; from now on it carries none.

    What they have looked up stays. NotFound where it carries none; it takes who may decide on the
    outcome.
    """
    require(session, member, Action.resolve, question, now=now)
    carries = resolvers(session, question)
    if not carries:
        raise NotFound(f"{question.slug!r} carries no resolver, so there is none to remove.")
    assert question.id is not None
    session.add(
        Resolver(
            question_id=question.id, kind=NONE, settings={}, member_id=member.id, recorded_at=now
        )
    )
    _look_next(session, question, None)
    session.flush()
    return len(carries)


def _located(
    session: Session, kind_name: str, given: Mapping[str, Any], of: Asked
) -> dict[str, Any]:
    """Return the settings as they are stored, whose files are found wherever a run starts."""
    which = kind(kind_name)
    settings = which.check(kind_name, given, of)
    shared = is_shared_ledger(session)
    for name in which.places:
        if isinstance(settings.get(name), str):
            settings[name] = files.located(settings[name])
            if not files.is_page(settings[name]):
                files.allowed(Path(settings[name]), shared=shared)
    return settings


def _following(
    session: Session, state: QuestionState, settings: dict[str, Any], now: datetime
) -> dict[str, Any]:
    """Return the settings as they fit the question that is followed, which has to be there."""
    other = current_state(session, find(session, settings["question"]), now=now)
    when, rule = settings.get("when"), settings.get("rule", "same")
    if when is not None:
        return settings | {"when": read_outcome(when, other.text)}
    if rule == "same":
        follows = other.text.type == state.text.type
    else:
        follows = rule != "opposite" or other.text.type == QuestionType.binary
    if not follows:
        raise BadInput(
            f"{state.slug!r} is a {state.text.type} question and {other.slug!r} a "
            f"{other.text.type} one, so it cannot come out as the {rule} of that.",
            remedy="Follow a question of the same type.",
        )
    return settings


def _looks_at(kind_name: str, settings: Mapping[str, Any]) -> Any:
    """Return the place where such a resolver looks; what names none is told by all it is."""
    for name in ("source", "url", "path"):
        if name in settings:
            return _same_place(settings[name])
    if "question" in settings:
        return "question", settings["question"]
    if "program" in settings:
        return "program", os.path.normpath(settings["program"])
    return kind_name, sorted(settings.items())


def _same_place(address: str) -> str:
    """Return one name for a file or a page, however it is written and whatever links lead there."""
    if not files.is_page(address):
        return os.path.realpath(address)
    parts = urlsplit(canonical(address) or address)
    # By either scheme; dots and escapes are what browsers make of them.
    path = os.path.normpath(unquote(parts.path))
    return f"//{parts.netloc}{path}?{parts.query}"


def asked(state: QuestionState) -> Asked:
    """Return the question as its resolver sees it."""
    text = state.text
    return Asked(
        slug=state.slug,
        title=text.title,
        type=text.type,
        open_time=text.open_time,
        close_time=text.close_time,
        scheduled_close_time=text.scheduled_close_time,
        scheduled_resolve_time=text.scheduled_resolve_time,
        options=tuple(text.options or ()),
        proposed=state.status == Status.proposed,
    )


def decide_by(
    session: Session,
    question: Question,
    policy: PolicyKind,
    *,
    agreeing: int | None = None,
    dispute_days: float = 0,
    member: Member,
    now: datetime,
) -> Policy:
    """Return the policy that holds for the question from now on; BadInput where it cannot.

    ``agreeing``: of a quorum, how many of the resolvers that the question carries. It takes who
    may decide on the outcome.
    """
    require(session, member, Action.resolve, question, now=now)
    if not 0 <= dispute_days <= MOST_DAYS:
        raise BadInput(
            f"A resolution can be disputed for 0 to {MOST_DAYS:,} days; {dispute_days:g} was given."
        )
    if (policy is PolicyKind.quorum) != (agreeing is not None):
        raise BadInput(
            "A quorum, and no other policy, says how many resolvers have to agree.",
            remedy="Give --agreeing with quorum, or leave it out.",
        )
    carried = len(resolvers(session, question))
    if agreeing is not None and not 2 <= agreeing <= carried:
        raise BadInput(
            f"A quorum is two resolvers or more that the question carries; {agreeing} were asked "
            f"for, and {question.slug!r} carries {carried}.",
            remedy=f"Add others first: forecasts resolver add {question.slug} KIND --with …",
        )
    assert question.id is not None
    assert member.id is not None
    row = Policy(
        question_id=question.id,
        kind=policy,
        agreeing=agreeing or 1,
        dispute_days=dispute_days,
        member_id=member.id,
        recorded_at=now,
    )
    session.add(row)
    if carried:
        _look_next(session, question, now)
    session.flush()
    return row


def policy_of(session: Session, question: Question) -> Policy | None:
    """Return the policy that holds for the question; None: whatever is found is confirmed."""
    require_visible(session, question)
    return session.exec(
        select(Policy).where(Policy.question_id == question.id).order_by(col(Policy.id).desc())
    ).first()


def resolvers(session: Session, question: Question) -> list[Resolver]:
    """Return the resolvers that the question carries, in the order in which they were given."""
    require_visible(session, question)
    return list(
        session.exec(
            select(Resolver)
            .where(Resolver.question_id == question.id, carried())
            .order_by(col(Resolver.id))
        )
    )


@cache
def carried() -> ColumnElement[bool]:
    """Return the condition that no later resolver, or none, has taken the place of this one."""
    later = aliased(Resolver)
    last = (
        select(func.max(later.id))
        .where(col(later.question_id) == col(Resolver.question_id), ~col(later.beside))
        .scalar_subquery()
    )
    return (col(Resolver.id) >= func.coalesce(last, 0)) & (col(Resolver.kind) != NONE)


def _look_next(session: Session, question: Question, at: datetime | None) -> None:
    """Let the question's resolvers look from then on, or never; whoever looks now does in vain."""
    watch = session.exec(select(Watch).where(Watch.question_id == question.id)).first()
    if watch is None:
        assert question.id is not None
        watch = Watch(question_id=question.id)
    watch.next_at, watch.parked_at, watch.attempts, watch.reason = at, None, 0, ""
    watch.claimed_by = watch.claimed_until = None
    session.add(watch)


def retry(session: Session, question: Question, *, member: Member, now: datetime) -> None:
    """Let the question's resolvers look again in the next run, however often they have failed.

    It takes who may decide on the outcome. NotFound where it carries none, Refused where the
    question is resolved.
    """
    require(session, member, Action.resolve, question, now=now)
    if not resolvers(session, question):
        raise no_resolver(question.slug)
    if current_state(session, question, now=now).resolution is not None:
        raise Refused(
            f"{question.slug!r} is resolved, so nothing is looked up for it any more.",
            remedy="To correct it, resolve it again with another outcome.",
        )
    _look_next(session, question, now)
    session.flush()


def no_resolver(slug: str) -> NotFound:
    """Return the error that a question carries no resolver."""
    return NotFound(
        f"{slug!r} carries no resolver.",
        remedy=f"Give it one: forecasts resolver set {slug} KIND --with NAME=VALUE.",
    )


@dataclass(frozen=True)
class Watched:
    """A question's resolver, its newest look (None: not yet), and when the question's look next."""

    slug: str
    resolver: Resolver
    look: ResolverRun | None
    watch: Watch

    @property
    def parked(self) -> bool:
        """Whether it waits for a person."""
        return self.watch.parked_at is not None


def watched(session: Session) -> list[Watched]:
    """Return the resolvers with their last looks: those that fail first, then the newest."""
    # Of each resolver by itself: all looks there have been grow by the day.
    one = aliased(ResolverRun)
    newest = select(func.max(one.id)).where(one.resolver_id == Resolver.id)
    rows = session.exec(
        select(Question.slug, Resolver, ResolverRun, Watch)
        .join(Resolver, col(Resolver.question_id) == col(Question.id))
        .join(Watch, col(Watch.question_id) == col(Question.id))
        .outerjoin(ResolverRun, col(ResolverRun.id) == newest.correlate(Resolver).scalar_subquery())
        .where(carried(), question_visible(session))
        .order_by(col(ResolverRun.id).desc(), col(Resolver.id))
    ).all()
    found = [Watched(slug, resolver, look, watch) for slug, resolver, look, watch in rows]
    return sorted(found, key=_concern)


def _concern(row: Watched) -> int:
    if row.parked:
        return 0
    return 1 if row.look is not None and row.look.state == RunState.failed else 2


@dataclass(frozen=True)
class Parked:
    """A question that waits for a person: since when, after how many attempts, and why."""

    slug: str
    since: datetime
    attempts: int
    reason: str


@dataclass(frozen=True)
class Done:
    """One look that came to something, or failed."""

    slug: str
    kind: str
    state: RunState
    message: str
    at: datetime


@dataclass(frozen=True)
class Due:
    """When a question is looked at next, and after how many failures in a row."""

    slug: str
    at: datetime
    attempts: int


@dataclass(frozen=True)
class Progress:
    """How the work of the runs stands: what was done last, what is parked, what is due next."""

    done: Sequence[Done]
    parked: Sequence[Parked]
    next: Sequence[Due]
    watched: int


def progress(session: Session, *, limit: int = 20) -> Progress:
    """Return what the runs have done last, what they have parked, and what is due next."""
    done = session.exec(
        select(Question.slug, Resolver.kind, ResolverRun)
        .join(Resolver, col(Resolver.id) == col(ResolverRun.resolver_id))
        .join(Question, col(Question.id) == col(Resolver.question_id))
        .where(col(ResolverRun.state).in_(_DONE), question_visible(session))
        .order_by(col(ResolverRun.id).desc())
        .limit(limit)
    ).all()
    waits = unresolved() & question_visible(session)
    of_question = col(Question.id) == col(Watch.question_id)
    due = session.exec(
        select(Question.slug, Watch)
        .join(Question, of_question)
        .where(waits, col(Watch.parked_at).is_(None))
        .order_by(col(Watch.next_at), col(Watch.id))
        .limit(limit)
    ).all()
    count = session.exec(
        select(func.count(col(Watch.id))).join(Question, of_question).where(waits)
    ).one()
    return Progress(
        [Done(slug, k, RunState(r.state), r.message, r.started_at) for slug, k, r in done],
        parked(session),
        [Due(slug, row.next_at, row.attempts) for slug, row in due if row.next_at is not None],
        count,
    )


def parked(session: Session) -> list[Parked]:
    """Return the questions that wait for a person since a look has failed, the newest first."""
    rows = session.exec(
        select(Question.slug, Watch)
        .join(Question, col(Question.id) == col(Watch.question_id))
        .where(col(Watch.parked_at).is_not(None), unresolved(), question_visible(session))
        .order_by(col(Watch.parked_at).desc(), col(Watch.id))
    ).all()
    return [
        Parked(slug, row.parked_at, row.attempts, row.reason)
        for slug, row in rows
        if row.parked_at is not None
    ]


def unresolved() -> ColumnElement[bool]:
    """Return the condition that nobody has resolved the question of the ``Watch`` yet."""
    return col(Watch.next_at).is_not(None) & ~has_outcome(Watch.question_id)
