"""The role of a member, in a team or elsewhere."""

from datetime import datetime

from sqlmodel import Session

from forecasts.access.memberships import active_membership
from forecasts.access.roles import member_rights
from forecasts.ledger.models import Member, Role, Team


def role_in(
    session: Session, member: Member, team: Team | None = None, *, now: datetime
) -> Role | None:
    """Return the member's role in the team at ``now``, None outside it; or their general role."""
    if team is None:
        return member_rights(session, member, now=now).general
    membership = active_membership(session, team, member, now)
    return None if membership is None else Role(membership.role)
