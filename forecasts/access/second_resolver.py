"""The second-resolver rule: a forecaster does not resolve their team's question alone."""

from __future__ import annotations

from sqlmodel import Session, col, select

from forecasts.common.errors import Refused
from forecasts.ledger.current import newest_wording
from forecasts.ledger.models import Forecast, Member, Question, Resolution, Resolver, TeamRule


def require_second_resolver(
    session: Session, member: Member, question: Question, proposal: Resolution | None
) -> None:
    """Refuse a resolution by a member who has forecast, if the team's rule forbids it.

    Confirming someone else's proposal is allowed. A resolver's proposal counts as made by the
    member who assigned the resolver.
    """
    if proposal is not None:
        resolver = proposal.resolver_id and session.get_one(Resolver, proposal.resolver_id)
        if (resolver or proposal).member_id != member.id:
            return
    if needs_second_resolver(session, member.id, question):
        raise Refused(
            f"{member.handle} has forecast on {question.slug!r}, and the team's rule requires a "
            "second resolver.",
            remedy=f"Propose the outcome (forecasts propose {question.slug} OUTCOME); another "
            "resolver confirms it.",
        )


def needs_second_resolver(session: Session, member_id: int | None, question: Question) -> bool:
    """Return whether the member has forecast and the team's rule asks for a second resolver."""
    if not requires_second_resolver(session, newest_wording(session, question.id).team_id):
        return False
    own = select(Forecast.id).where(
        Forecast.question_id == question.id, Forecast.member_id == member_id
    )
    return session.exec(own.limit(1)).first() is not None


def requires_second_resolver(session: Session, team_id: int | None) -> bool:
    """Return whether the team has the second-resolver rule."""
    rule = session.exec(
        select(TeamRule.second_resolver)
        .where(TeamRule.team_id == team_id)
        .order_by(col(TeamRule.id).desc())
        .limit(1)
    ).first()
    return bool(rule)
