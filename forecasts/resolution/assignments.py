"""The resolvers assigned to a question (attach, detach, retry), and the policy for their findings.

A resolver that is set replaces all earlier ones of the question; one that is added works beside
them. A question with resolvers has one ``Watch``: the schedule that the runs work through.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from sqlalchemy import ColumnElement, or_
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, func, select

from forecasts.access.roles import Action, is_shared_ledger, require
from forecasts.access.visibility import require_visible
from forecasts.common import permitted_sources
from forecasts.common.errors import BadInput, NotFound, Refused, Remedy
from forecasts.common.settings import Settings
from forecasts.ledger.append import written
from forecasts.ledger.current import in_order
from forecasts.ledger.models import Member, Policy, PolicyKind, Question, Resolver, Watch
from forecasts.questions.registry import find
from forecasts.questions.standing import QuestionState, current_state
from forecasts.reading.article import canonical_url
from forecasts.resolution.resolvers import kinds
from forecasts.resolution.resolvers.kinds import kind
from forecasts.resolution.resolvers.protocol import Asked
from forecasts.values.outcomes import read_outcome

NONE = "none"  # the kind of a row that ends the earlier assignments without a new one


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
    """Return the question's new resolver, which is written and due in the next run.

    It replaces the earlier ones unless it is added ``beside`` them, for a quorum. BadInput for its
    settings; Refused for a source that another one has, and on a resolved question. ``member``
    needs the right to resolve the question, since findings are confirmed in their name.
    """
    require(session, member, Action.resolve, question, now=now)
    state = current_state(session, question, now=now)
    _require_unresolved(state)
    settings = _stored(session, kind_name, settings, question_for_resolver(state))
    if kind_name == "question":
        settings = _following(session, state, settings, now)
    if beside and any(
        _source(other.kind, other.settings) == _source(kind_name, settings)
        for other in resolvers(session, question)
    ):
        raise Refused(
            f"{state.slug!r} already has a resolver with this source, and a quorum needs "
            "independent sources.",
            remedy="Add a resolver with another source.",
        )
    resolver = Resolver(
        question_id=state.id,
        kind=kind_name,
        settings=settings,
        member_id=member.id,
        recorded_at=now,
        beside=beside,
    )
    schedule_lookup(session, question, now)
    return written(session, resolver)


def detach(session: Session, question: Question, *, member: Member, now: datetime) -> int:
    """Return the number of resolvers removed from the question; their past lookups are kept.

    NotFound if it has none. ``member`` needs the right to resolve the question.
    """
    require(session, member, Action.resolve, question, now=now)
    assigned = resolvers(session, question)
    if not assigned:
        raise NotFound(f"{question.slug!r} has no resolver to remove.")
    row = Resolver(question_id=question.id, kind=NONE, settings={}, recorded_at=now)
    row.member_id = member.id
    written(session, row)
    schedule_lookup(session, question, None)
    return len(assigned)


def retry(session: Session, question: Question, *, member: Member, now: datetime) -> None:
    """Make the question due in the next run, however often its resolvers have failed.

    NotFound without a resolver, Refused on a resolved question. ``member`` needs the right to
    resolve the question.
    """
    require(session, member, Action.resolve, question, now=now)
    if not resolvers(session, question):
        raise no_resolver(question.slug)
    _require_unresolved(current_state(session, question, now=now))
    schedule_lookup(session, question, now)


def resolvers(session: Session, question: Question) -> list[Resolver]:
    """Return the question's resolvers in the order of their assignment."""
    require_visible(session, question)
    return in_order(session, Resolver, Resolver.question_id == question.id, is_assigned())


@cache
def is_assigned() -> ColumnElement[bool]:
    """Return the SQL condition: the ``Resolver`` has not been replaced or removed."""
    later = aliased(Resolver)
    last = (
        select(func.max(later.id))
        .where(col(later.question_id) == col(Resolver.question_id), ~col(later.beside))
        .scalar_subquery()
    )
    return (col(Resolver.id) >= func.coalesce(last, 0)) & (col(Resolver.kind) != NONE)


def not_askable_here(session: Session) -> dict[str, ColumnElement[bool]]:
    """Return SQL conditions: this process cannot ask the ``Resolver``; the key is the reason.

    A run leaves such questions to another process: a failure here would say nothing about them.
    """
    chosen = Settings()
    found: dict[str, ColumnElement[bool]] = {
        "their kind is not installed": col(Resolver.kind).not_in(kinds.names())
    }
    if chosen.commands_folder is None:
        found["FORECASTS_COMMANDS_FOLDER is not set"] = col(Resolver.kind) == "command"
    if chosen.files_folder is None and is_shared_ledger(session):
        files = [
            (col(Resolver.kind) == name) & ~address.ilike("http://%") & ~address.ilike("https://%")
            for name, of_kind in kinds.OURS.items()
            for address in (col(Resolver.settings)[place].as_string() for place in of_kind.places)
        ]
        found["FORECASTS_FILES_FOLDER is not set"] = or_(*files)
    return found


def schedule_lookup(session: Session, question: Question, at: datetime | None) -> None:
    """Schedule the question's next lookup, None for never; the claim of a run on it ends."""
    watch = session.exec(select(Watch).where(Watch.question_id == question.id)).first()
    if watch is None:
        watch = Watch(question_id=question.id)
    watch.next_at, watch.parked_at, watch.attempts, watch.reason = at, None, 0, ""
    watch.claimed_by = watch.claimed_until = None
    written(session, watch)


def question_for_resolver(state: QuestionState) -> Asked:
    """Return the question in the form that resolver kinds receive."""
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
        proposed=state.proposals > 0,
    )


def no_resolver(slug: str) -> NotFound:
    """Return the error for a question without a resolver."""
    return NotFound(
        f"{slug!r} has no resolver.",
        remedy=Remedy("Give it one: {}", "resolver set", slug, "KIND", with_="NAME=VALUE"),
    )


def _require_unresolved(state: QuestionState) -> None:
    if state.resolution is not None:
        raise Refused(
            f"{state.slug!r} is resolved, so no resolver will check it again.",
            remedy="To correct it, resolve it again with another outcome.",
        )


def _stored(
    session: Session, kind_name: str, given: Mapping[str, Any], question: Asked
) -> dict[str, Any]:
    """Return the checked settings with absolute paths, so that a run may start anywhere."""
    of_kind = kind(kind_name)
    settings = of_kind.check(kind_name, given, question)
    shared = is_shared_ledger(session)
    for name in of_kind.places:
        if isinstance(settings.get(name), str) and not permitted_sources.is_page(settings[name]):
            path = Path(os.path.expanduser(settings[name])).absolute()
            permitted_sources.allowed(path, shared=shared)
            settings[name] = str(path)
    return settings


def _following(
    session: Session, state: QuestionState, settings: dict[str, Any], now: datetime
) -> dict[str, Any]:
    """Return the settings of kind ``question``, checked against the question it follows."""
    other = current_state(session, find(session, settings["question"]), now=now)
    when, rule = settings.get("when"), settings.get("rule", "same")
    if when is not None:
        return settings | {"when": read_outcome(when, other.text)}
    if other.text.type != state.text.type:  # an opposite is of a binary question (``fits``)
        raise BadInput(
            f"{state.slug!r} is a {state.text.type} question and {other.slug!r} a "
            f"{other.text.type} one, so the rule {rule!r} cannot apply.",
            remedy="Follow a question of the same type.",
        )
    return settings


def _source(kind_name: str, settings: Mapping[str, Any]) -> Any:
    """Return the source of such a resolver; all its settings if none of them names a source."""
    for name in ("source", "url", "path"):
        if name in settings:
            return _normalised(settings[name])
    if "question" in settings:
        return "question", settings["question"]
    if "program" in settings:
        return "program", os.path.normpath(settings["program"])
    return kind_name, sorted(settings.items())


def _normalised(address: str) -> str:
    """Return one form for all the spellings of a file or page, and the links that lead to it."""
    if not permitted_sources.is_page(address):
        return os.path.realpath(address)
    parts = urlsplit(canonical_url(address) or address)
    # Without the scheme; dots and escapes resolved as browsers do.
    path = os.path.normpath(unquote(parts.path))
    return f"//{parts.netloc}{path}?{parts.query}"


MOST_DISPUTE_DAYS = 3650


def set_policy(
    session: Session,
    question: Question,
    kind: PolicyKind,
    *,
    agreeing: int | None = None,
    dispute_days: float = 0,
    member: Member,
    now: datetime,
) -> Policy:
    """Return the question's new policy, which is written; BadInput if it cannot work.

    ``agreeing``: the resolvers that a quorum requires, at most as many as the question has.
    ``member`` needs the right to resolve the question.
    """
    require(session, member, Action.resolve, question, now=now)
    if not 0 <= dispute_days <= MOST_DISPUTE_DAYS:
        raise BadInput(
            f"A resolution can be disputed for 0 to {MOST_DISPUTE_DAYS:,} days, got "
            f"{dispute_days:g}."
        )
    if (kind is PolicyKind.quorum) != (agreeing is not None):
        raise BadInput(
            "A quorum needs the number of resolvers that have to agree, and no other policy has "
            "one.",
            remedy=Remedy("Give {} with quorum, or leave it out.", "", agreeing="N"),
        )
    count = len(resolvers(session, question))
    if agreeing is not None and not 2 <= agreeing <= count:
        raise BadInput(
            "A quorum needs two or more resolvers, and no more than the question has, got "
            f"{agreeing}: {question.slug!r} has {count}.",
            remedy=Remedy(
                "Add others first: {}", "resolver add", question.slug, "KIND", with_="NAME=VALUE"
            ),
        )
    row = Policy(
        question_id=question.id,
        kind=kind,
        agreeing=agreeing or 1,
        dispute_days=dispute_days,
        member_id=member.id,
        recorded_at=now,
    )
    if count:
        schedule_lookup(session, question, now)
    return written(session, row)
