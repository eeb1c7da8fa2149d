"""Teams: create one, manage its members and its rule; appoint members to a role in the ledger.

Memberships, appointments and rules are append-only; earlier rows stay readable.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, func, select

from forecasts.access.memberships import (
    active_membership,
    append_membership,
    is_active,
    join,
    team_members,
    team_names,
    team_or_new,
)
from forecasts.access.roles import (
    Action,
    Rights,
    admins,
    appointed_role,
    ensure_admin,
    require,
)
from forecasts.access.second_resolver import requires_second_resolver
from forecasts.common.errors import BadInput, NotFound, Refused
from forecasts.ledger.current import newest_appointments, newest_memberships
from forecasts.ledger.models import (
    Appointment,
    Member,
    Membership,
    Role,
    Team,
    TeamRule,
    Visibility,
)

# Audiences of a question other than a team.
EVERYONE, ME = "everyone", "me"


@dataclass(frozen=True)
class Roster:
    """A team with its current members (handle and membership) and its rule."""

    team: Team
    members: list[tuple[str, Membership]]
    second_resolver: bool


@dataclass(frozen=True)
class MemberRoles:
    """A member with their appointed role (None without one) and their role in each team."""

    member: Member
    appointed: Role | None
    teams: list[tuple[str, Role]]


def find(session: Session, name: str) -> Team:
    """Return the team with this name; NotFound names the existing teams."""
    team = session.exec(select(Team).where(Team.name == name)).first()
    if team is None:
        names = ", ".join(team_names(session))
        raise NotFound(
            f"There is no team {name!r} in this ledger.",
            remedy=f"The teams are: {names}."
            if names
            else "Create it with: forecasts team create.",
        )
    return team


def roster(session: Session, team: Team, *, now: datetime) -> Roster:
    """Return the team's current members, by handle, and its rule."""
    members = team_members(session, team, now=now)
    return Roster(team, members, requires_second_resolver(session, team.id))


def listing(session: Session, *, now: datetime) -> list[Roster]:
    """Return every team with its current members and rule, by name, in three statements."""
    members: dict[int, dict[str, Membership]] = defaultdict(dict)
    for handle, membership in session.exec(
        select(Member.handle, Membership)
        .join(Membership, col(Membership.member_id) == col(Member.id))
        .where(col(Membership.id).in_(newest_memberships()))
        .order_by(Member.handle, col(Membership.id))
    ):
        if is_active(membership, now):
            members[membership.team_id][handle] = membership
    in_order = select(TeamRule.team_id, TeamRule.second_resolver).order_by(col(TeamRule.id))
    rules = dict(session.exec(in_order).all())
    return [
        Roster(team, list(members[team.id].items()), rules.get(team.id, False))
        for team in session.exec(select(Team).order_by(Team.name)).all()
    ]


def members_page(
    session: Session, *, now: datetime, words: str = "", page: int = 1, size: int = 50
) -> tuple[list[MemberRoles], int]:
    """Return a page of the members whose handle contains ``words``, and their total number.

    It takes four statements, however many members there are.
    """
    matches = func.lower(col(Member.handle)).contains(words.lower(), autoescape=True)
    total = session.exec(select(func.count(col(Member.id))).where(matches)).one()
    in_order = select(Member).where(matches).order_by(Member.handle)
    members = session.exec(in_order.offset((page - 1) * size).limit(size)).all()
    ids = [member.id for member in members]
    appointed = dict(
        session.exec(
            select(Appointment.member_id, Appointment.role).where(
                col(Appointment.id).in_(newest_appointments()), col(Appointment.member_id).in_(ids)
            )
        ).all()
    )
    teams: dict[int, list[tuple[str, Role]]] = defaultdict(list)
    for name, membership in session.exec(
        select(Team.name, Membership)
        .join(Membership, col(Membership.team_id) == col(Team.id))
        .where(col(Membership.id).in_(newest_memberships()), col(Membership.member_id).in_(ids))
        .order_by(Team.name, col(Membership.id))
    ):
        if is_active(membership, now):
            teams[membership.member_id].append((name, Role(membership.role)))
    return [
        MemberRoles(
            member,
            Role(appointed[member.id]) if member.id in appointed else None,
            teams[member.id],
        )
        for member in members
    ], total


def appointments(session: Session) -> list[tuple[str, Role]]:
    """Return the handle and role of every member appointed to a role in the whole ledger."""
    rows = session.exec(
        select(Member.handle, Appointment.role)
        .join(Appointment, col(Appointment.member_id) == col(Member.id))
        .where(col(Appointment.id).in_(newest_appointments()))
        .order_by(Member.handle)
    )
    return [(handle, Role(role)) for handle, role in rows]


def visibility_fields(session: Session, audience: str | None) -> dict[str, Any]:
    """Return the fields of a question visible to ``audience``: everyone, me, or a team by name.

    Empty for None. A team's question opened to everyone stays the team's.
    """
    if audience is None:
        return {}
    if audience in (EVERYONE, ME):
        return {"visibility": Visibility.everyone if audience == EVERYONE else Visibility.author}
    return {"visibility": Visibility.team, "team_id": find(session, audience).id}


def teams_to_ask_in(session: Session, rights: Rights) -> list[str]:
    """Return the names of the teams in which a member with these rights may ask questions."""
    return [
        team.name
        for team in session.exec(select(Team).order_by(Team.name))
        if rights.unrestricted
        or (team.id in rights.teams and rights.teams[team.id].rank >= Role.forecaster.rank)
    ]


def create(session: Session, name: str, *, member: Member, now: datetime) -> Team:
    """Return the new team, which is written with the acting member as its first admin.

    In an unshared ledger, that member becomes the ledger's admin and roles apply from then on; in
    a shared one, only an admin of the ledger may create a team. Refused if the name is taken.
    """
    ensure_admin(session, member, now=now)
    require(session, member, Action.administer, now=now)
    name = " ".join(name.split())
    if not name or not name.isprintable():
        raise BadInput(f"{name!r} is not a team name.", remedy="Give it at least one letter.")
    if name.casefold() in (EVERYONE, ME):
        raise BadInput(f"{name!r} cannot be a team name: it is an audience of its own.")
    if session.exec(select(Team.id).where(Team.name == name)).first() is not None:
        raise Refused(f"There is already a team {name!r}.", remedy="Choose another name.")
    team = team_or_new(session, name, now=now)
    join(session, team, member, joined_at=now, role=Role.admin)
    return team


def set_role(
    session: Session, team: Team, subject: Member, role: Role, *, member: Member, now: datetime
) -> Membership:
    """Return the membership of ``subject`` in that role from now on, which is written.

    A membership in another role ends at the same moment. Only an admin of the team or the ledger
    may do this. Refused if ``subject`` has the role already, or if the team would lose its only
    admin.
    """
    require(session, member, Action.manage, team, now=now)
    ensure_admin(session, member, now=now)
    current = active_membership(session, team, subject, now)
    if current is not None and current.role == role:
        raise Refused(f"{subject.handle} is already a {role} in {team.name}; nothing was changed.")
    if current is not None:
        _require_another_admin(session, team, subject, current, now)
        _end(session, team, subject, current, now)
    return append_membership(session, team, subject, joined_at=now, left_at=None, role=role)


def remove(
    session: Session, team: Team, subject: Member, *, member: Member, now: datetime
) -> Membership:
    """Return the membership of ``subject``, written as ended now; their forecasts stay.

    Only an admin of the team or the ledger may do this. Refused if ``subject`` is not in the team,
    or if the team would lose its only admin.
    """
    require(session, member, Action.manage, team, now=now)
    ensure_admin(session, member, now=now)
    current = active_membership(session, team, subject, now)
    if current is None:
        raise Refused(f"{subject.handle} is not in {team.name}; nothing was changed.")
    _require_another_admin(session, team, subject, current, now)
    return _end(session, team, subject, current, now)


def _require_another_admin(
    session: Session, team: Team, subject: Member, current: Membership, now: datetime
) -> None:
    others = [
        handle
        for handle, membership in team_members(session, team, now=now)
        if membership.role == Role.admin and handle != subject.handle
    ]
    if current.role == Role.admin and not others:
        raise Refused(
            f"{subject.handle} is the only admin of {team.name}.",
            remedy="Give another member the admin role first: forecasts team role.",
        )


def _end(
    session: Session, team: Team, subject: Member, current: Membership, now: datetime
) -> Membership:
    began, role = current.joined_at, Role(current.role)
    return append_membership(session, team, subject, joined_at=began, left_at=now, role=role)


def set_rule(
    session: Session, team: Team, *, second_resolver: bool, member: Member, now: datetime
) -> TeamRule:
    """Return the team's rule from now on, which is written.

    With ``second_resolver``, members who have forecast on a question of the team do not resolve it
    alone. Only an admin of the team or the ledger may set the rule.
    """
    require(session, member, Action.manage, team, now=now)
    rule = TeamRule(
        team_id=team.id, second_resolver=second_resolver, member_id=member.id, recorded_at=now
    )
    session.add(rule)
    session.flush()
    return rule


def appoint(
    session: Session, subject: Member, role: Role, *, member: Member, now: datetime
) -> Appointment:
    """Return the appointment of ``subject`` to a role in the whole ledger, which is written.

    Only an admin of the ledger may do this; in an unshared one, the acting member becomes its
    admin. Refused if ``subject`` has the role already, or if the ledger would lose its only admin.
    """
    is_first_admin = ensure_admin(session, member, now=now)
    require(session, member, Action.administer, now=now)
    before = appointed_role(session, subject)
    if before == role and not is_first_admin:
        raise Refused(f"{subject.handle} is already a {role} in this ledger; nothing was changed.")
    if before is Role.admin and role is not Role.admin and admins(session) == [subject.handle]:
        raise Refused(
            f"{subject.handle} is the only admin of this ledger.",
            remedy="Appoint another admin first: forecasts team appoint.",
        )
    row = Appointment(member_id=subject.id, role=role, by_member_id=member.id, recorded_at=now)
    session.add(row)
    session.flush()
    return row
