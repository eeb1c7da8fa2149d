"""The policy of a question: how its resolvers' findings become an outcome."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from forecasts.access.roles import Action, require
from forecasts.common.errors import BadInput, Remedy
from forecasts.ledger.models import Member, Policy, PolicyKind, Question
from forecasts.resolution.assignments import resolvers, schedule_lookup

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
    session.add(row)
    if count:
        schedule_lookup(session, question, now)
    session.flush()
    return row
