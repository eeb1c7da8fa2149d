"""The scheduled run: look up what is due, confirm what is known, record every look.

Safe to run twice, and side by side: each question is one transaction that looks again whether it
is still unresolved, and the database allows one first confirmation a question.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Engine, Select
from sqlmodel import Session, col, func, select

from forecasts import resolutions
from forecasts.access import Action, member_or_new, require, visible
from forecasts.database import reading, writing
from forecasts.errors import DatabaseError, LedgerError, NotFound
from forecasts.models import (
    Member,
    MemberKind,
    Question,
    Resolver,
    ResolverRun,
    RunState,
)
from forecasts.questions import Stands, Status, as_it_stands, find, listing
from forecasts.resolvers import Asked, Fetch, Finding, kind
from forecasts.resolvers.sources import Sources
from forecasts.times import utc

# Who confirms what no person does.
RUN_MEMBER = "scheduled run"


@dataclass(frozen=True)
class Looked:
    """What one look came to; ``message`` says it in a sentence."""

    slug: str
    state: RunState
    message: str


@dataclass
class Summary:
    """What a run did."""

    looked: list[Looked] = field(default_factory=list)

    def count(self, state: RunState) -> int:
        """Return how many looks ended in that state."""
        return sum(1 for looked in self.looked if looked.state == state)


def attach(
    session: Session,
    question: Question,
    kind_name: str,
    settings: Mapping[str, Any],
    *,
    member: Member,
    now: datetime,
) -> Resolver:
    """Return the resolver that the question carries from now on; BadInput for its settings.

    It takes who may decide on the outcome: what the resolver finds is confirmed unasked.
    """
    require(session, member, Action.resolve, question, now=now)
    stands = as_it_stands(session, question, now=now)
    settings = kind(kind_name).check(kind_name, settings, asked(stands))
    if kind_name == "question":
        find(session, settings["question"])  # it has to be there
    resolver = Resolver(
        question_id=stands.id,
        kind=kind_name,
        settings=settings,
        member_id=member.id,
        recorded_at=now,
    )
    session.add(resolver)
    session.flush()
    return resolver


def asked(stands: Stands) -> Asked:
    """Return the question as its resolver sees it."""
    text = stands.text
    return Asked(
        slug=stands.slug,
        title=text.title,
        type=text.type,
        open_time=text.open_time,
        close_time=text.close_time,
        scheduled_close_time=text.scheduled_close_time,
        scheduled_resolve_time=text.scheduled_resolve_time,
        options=tuple(text.options or ()),
        proposed=stands.status == Status.proposed,
    )


def look(
    engine: Engine, slug: str, *, now: datetime, allow_private: bool = False
) -> Finding | None:
    """Return what the question's resolver finds now, None where nothing yet; nothing is written.

    NotFound without such a question, or without a resolver; other LedgerErrors say what is wrong.
    """
    with reading(engine) as session:
        stands = as_it_stands(session, find(session, slug), now=now)
        resolver = session.exec(
            select(Resolver)
            .where(Resolver.question_id == stands.id)
            .order_by(col(Resolver.id).desc())
            .limit(1)
        ).first()
    if resolver is None:
        raise NotFound(
            f"{slug!r} carries no resolver.",
            remedy=f"Give it one: forecasts resolver set {slug} KIND --with NAME=VALUE.",
        )
    sources = Sources(now, partial(_answer, engine, now), allow_private=allow_private)
    return _looked(resolver, stands, now, sources)


def _looked(resolver: Resolver, stands: Stands, now: datetime, fetch: Fetch) -> Finding | None:
    looks = kind(resolver.kind)
    return looks.look(asked(stands), looks.read(resolver.kind, resolver.settings), now, fetch)


def due(session: Session, *, now: datetime) -> list[tuple[int, str]]:
    """Return (resolver id, slug) of each question that is open or closed, and not resolved.

    Of a question's resolvers the newest counts.
    """
    unresolved = {
        stands.id: stands.slug
        for stands in listing(session, now=now)
        if stands.status in (Status.open, Status.awaiting, Status.proposed)
    }
    resolvers = session.exec(
        select(Resolver.id, Resolver.question_id)
        .where(col(Resolver.id).in_(_newest_resolvers()))
        .order_by(col(Resolver.id))
    ).all()
    return [
        (resolver_id, unresolved[question_id])
        for resolver_id, question_id in resolvers
        if resolver_id is not None and question_id in unresolved
    ]


def _newest_resolvers() -> Select[Any]:
    """Return the statement for the ids of those resolvers that no later one has replaced."""
    return select(func.max(Resolver.id)).group_by(col(Resolver.question_id))


def run(
    engine: Engine,
    *,
    now: datetime,
    tell: Callable[[Looked], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
    allow_private: bool = False,
) -> Summary:
    """Return what was done, in these steps; ``allow_private`` lets it read inside the network.

    It ends between two questions once ``stop`` says so.

    1. List what is due; ``now`` is taken once, so that a run across midnight sees one day.
    2. For each: look (outside a transaction, since a look may take long).
    3. In one transaction: confirm what was found, store its scores, record the look. What a kind
       may only propose is proposed, once.
    4. A look that fails is recorded with its reason, and the others go on.
    5. A look that says what the one before it said is recorded once a day: enough to see that
       the runs go on, and no row an hour for years.
    """
    summary = Summary()
    sources = Sources(now, partial(_answer, engine, now), allow_private=allow_private)
    with reading(engine) as session:
        work = due(session, now=now)
    for resolver_id, slug in work:
        if stop():
            break
        looked = _one(engine, resolver_id, slug, now=now, fetch=sources)
        if looked is not None:
            summary.looked.append(looked)
            tell(looked)
    return summary


def _one(
    engine: Engine, resolver_id: int, slug: str, *, now: datetime, fetch: Fetch
) -> Looked | None:
    with reading(engine) as session:
        resolver = session.exec(select(Resolver).where(Resolver.id == resolver_id)).one()
        stands = as_it_stands(session, find(session, slug), now=now)
    finding: Finding | None = None
    looked = Looked(slug, RunState.not_yet, "not known yet")
    try:
        finding = _looked(resolver, stands, now, fetch)
        if finding is not None:
            settle = _propose if kind(resolver.kind).only_proposes else _confirm
            with writing(engine) as session:
                looked_now = settle(session, resolver, slug, finding, now)
                if looked_now is not None:
                    _record(session, resolver, looked_now, now)
                return looked_now
    except DatabaseError:
        raise
    except LedgerError as error:
        looked = Looked(slug, RunState.failed, str(error))
    except Exception as error:  # one bad question never stops the others, whatever it holds
        looked = Looked(slug, RunState.failed, f"{type(error).__name__}: {error}")
    with reading(engine) as session:
        before = _last_look(session, resolver)
    if before is None or _is_news(looked, before, now):
        with writing(engine) as session:
            _record(session, resolver, looked, now)
    return looked


def _last_look(session: Session, resolver: Resolver) -> ResolverRun | None:
    return session.exec(
        select(ResolverRun)
        .where(ResolverRun.resolver_id == resolver.id)
        .order_by(col(ResolverRun.id).desc())
        .limit(1)
    ).first()


def _is_news(looked: Looked, before: ResolverRun, now: datetime) -> bool:
    same = (looked.state, looked.message) == (before.state, before.message)
    return not same or utc(now).date() != before.started_at.date()


def _confirm(
    session: Session, resolver: Resolver, slug: str, finding: Finding, now: datetime
) -> Looked | None:
    question = find(session, slug)
    if as_it_stands(session, question, now=now).resolution is not None:
        return None  # resolved since the run listed what is due
    resolution = resolutions.confirm(
        session,
        question,
        finding.outcome,
        known_at=finding.known_at,
        now=now,
        member=member_or_new(session, RUN_MEMBER, now=now, kind=MemberKind.service),
        resolver=resolver,
        note=finding.note,
        source=finding.source,
    )
    return Looked(
        slug, RunState.confirmed, f"{resolution.outcome}, known on {finding.known_at:%d %B %Y}"
    )


def _propose(
    session: Session, resolver: Resolver, slug: str, finding: Finding, now: datetime
) -> Looked | None:
    question = find(session, slug)
    if as_it_stands(session, question, now=now).resolution is not None:
        return None
    known = f"{finding.outcome}, known on {finding.known_at:%d %B %Y}"
    for row in resolutions.history(session, question):
        # What waits already, or was turned down, is not put before people again.
        same = row.known_at == finding.known_at or row.note == finding.note.strip()
        if row.resolver_id is not None and row.outcome == finding.outcome and same:
            return Looked(slug, RunState.not_yet, f"{known}: proposed already")
    resolutions.propose(
        session,
        question,
        finding.outcome,
        known_at=finding.known_at,
        now=now,
        member=member_or_new(session, RUN_MEMBER, now=now, kind=MemberKind.service),
        resolver=resolver,
        note=finding.note,
        source=finding.source,
    )
    return Looked(slug, RunState.proposed, f"{known}; it waits for a decision")


def _answer(engine: Engine, now: datetime, slug: str) -> tuple[str, datetime] | None:
    """Return how a question came out and since when that is known, None while it has not."""
    with reading(engine) as session:
        resolution = as_it_stands(session, find(session, slug), now=now).resolution
    if resolution is None:
        return None
    return resolution.outcome, resolution.known_at or resolution.recorded_at


def _record(session: Session, resolver: Resolver, looked: Looked, now: datetime) -> None:
    assert resolver.id is not None
    session.add(
        ResolverRun(
            resolver_id=resolver.id,
            started_at=now,
            ended_at=now,
            state=looked.state,
            message=looked.message,
        )
    )


@dataclass(frozen=True)
class Watched:
    """A question's resolver, and its newest look; None where it has not looked yet."""

    slug: str
    resolver: Resolver
    look: ResolverRun | None


def watched(session: Session) -> list[Watched]:
    """Return each question's resolver with its last look: failures first, then the newest."""
    newest = (
        select(ResolverRun.resolver_id, func.max(ResolverRun.id).label("id"))
        .group_by(col(ResolverRun.resolver_id))
        .subquery()
    )
    rows = session.exec(
        select(Question.slug, Resolver, ResolverRun)
        .join(Resolver, col(Resolver.question_id) == col(Question.id))
        .outerjoin(newest, newest.c.resolver_id == col(Resolver.id))
        .outerjoin(ResolverRun, col(ResolverRun.id) == newest.c.id)
        .where(col(Resolver.id).in_(_newest_resolvers()), visible(session))
        .order_by(col(ResolverRun.id).desc(), col(Resolver.id))
    ).all()
    found = [Watched(slug, resolver, look) for slug, resolver, look in rows]
    return sorted(found, key=lambda w: w.look is None or w.look.state != RunState.failed)
