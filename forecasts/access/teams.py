"""Teams: make one, say who belongs and in which role, agree on a rule; and appoint admins.

Memberships, appointments and rules are appended to; whatever was said before stays readable.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, func, select

from forecasts.access.members import join, team_or_new
from forecasts.access.roles import (
    Action,
    Rights,
    admins,
    appointed_role,
    ensure_admin,
    is_active,
    memberships,
    require,
    requires_second_resolver,
    team_members,
)
from forecasts.common.errors import BadInput, NotFound, Refused
from forecasts.ledger.models import (
    Appointment,
    Member,
    Membership,
    Role,
    Team,
    TeamRule,
    Visibility,
)

# Who may see a question, where it is not a team.
EVERYONE, ME = "everyone", "me"


@dataclass(frozen=True)
class Roster:
    """A team as it is now: who is in it with which stay, by handle, and its rule."""

    team: Team
    members: list[tuple[str, Membership]]
    second_resolver: bool


def find(session: Session, name: str) -> Team:
    """Return the team of that name; NotFound names the teams that there are."""
    team = session.exec(select(Team).where(Team.name == name)).first()
    if team is None:
        there = session.exec(select(Team.name).order_by(Team.name)).all()
        raise NotFound(
            f"There is no team {name!r} in this ledger.",
            remedy=f"There are: {', '.join(there)}."
            if there
            else "Make it with: forecasts team create.",
        )
    return team


def visibility_fields(session: Session, who: str | None) -> dict[str, Any]:
    """Return the fields of a question that ``who`` may see: everyone, me, or a team by its name.

    None: whatever else says. A team's question that is opened to everyone stays the team's.
    """
    if who is None:
        return {}
    if who in (EVERYONE, ME):
        return {"visibility": Visibility.everyone if who == EVERYONE else Visibility.author}
    return {"visibility": Visibility.team, "team_id": find(session, who).id}


def teams_to_ask_in(session: Session, rights: Rights) -> list[str]:
    """Return the names of the teams of whose members one with these rights may ask a question."""
    return [
        team.name
        for team in session.exec(select(Team).order_by(Team.name))
        if rights.unrestricted
        or (team.id in rights.teams and rights.teams[team.id].rank >= Role.forecaster.rank)
    ]


@dataclass(frozen=True)
class Person:
    """A member as they are now: their role in the whole ledger, if any, and in each team."""

    member: Member
    appointed: Role | None
    teams: list[tuple[str, Role]]


def members_page(
    session: Session, *, now: datetime, words: str = "", place: int = 1, size: int = 50
) -> tuple[list[Person], int]:
    """Return a page of the members whose handle has the words, by handle; and how many there are.

    Three statements, however many members there are.
    """
    fits = func.lower(col(Member.handle)).contains(words.lower(), autoescape=True)
    total = session.exec(select(func.count(col(Member.id))).where(fits)).one()
    statement = select(Member).where(fits).order_by(Member.handle)
    members = session.exec(statement.offset((place - 1) * size).limit(size)).all()
    ids = [member.id for member in members]
    newest = select(func.max(Appointment.id)).where(col(Appointment.member_id).in_(ids))
    newest = newest.group_by(col(Appointment.member_id))
    appointed_to = dict(
        session.exec(
            select(Appointment.member_id, Appointment.role).where(col(Appointment.id).in_(newest))
        ).all()
    )
    stays_of: dict[int, dict[tuple[int, datetime | None], tuple[str, Membership]]] = {}
    for name, stay in session.exec(
        select(Team.name, Membership)
        .join(Membership, col(Membership.team_id) == col(Team.id))
        .where(col(Membership.member_id).in_(ids))
        .order_by(Team.name, col(Membership.id))
    ):
        stays_of.setdefault(stay.member_id, {})[stay.team_id, stay.joined_at] = name, stay
    return [
        Person(
            member,
            Role(appointed_to[member.id or 0]) if member.id in appointed_to else None,
            [
                (name, Role(stay.role))
                for name, stay in stays_of.get(member.id or 0, {}).values()
                if is_active(stay, now)
            ],
        )
        for member in members
    ], total


def roster(session: Session, team: Team, *, now: datetime) -> Roster:
    """Return who is in the team now, in the order of their handles, and what it has agreed on."""
    return Roster(
        team, team_members(session, team, now=now), requires_second_resolver(session, team.id)
    )


def listing(session: Session, *, now: datetime) -> list[Roster]:
    """Return every team as it is now, in the order of their names; three statements in all."""
    newest = select(func.max(Membership.id)).group_by(
        col(Membership.team_id), col(Membership.member_id), col(Membership.joined_at)
    )
    here: dict[int, dict[str, Membership]] = {}
    for handle, stay in session.exec(
        select(Member.handle, Membership)
        .join(Membership, col(Membership.member_id) == col(Member.id))
        .where(col(Membership.id).in_(newest))
        .order_by(Member.handle, col(Membership.id))
    ):
        if is_active(stay, now):
            here.setdefault(stay.team_id, {})[handle] = stay
    rules = select(TeamRule.team_id, TeamRule.second_resolver).order_by(col(TeamRule.id))
    agreed = dict(session.exec(rules).all())
    return [
        Roster(team, list(here.get(team.id or 0, {}).items()), agreed.get(team.id or 0, False))
        for team in session.exec(select(Team).order_by(Team.name)).all()
    ]


def create(session: Session, name: str, *, member: Member, now: datetime) -> Team:
    """Return the new team, which is written with its maker as its first admin.

    In a ledger of one's own the maker becomes the ledger's admin, and roles hold from then on; in
    a shared one it takes a ledger's admin. Refused for a name that is taken.
    """
    ensure_admin(session, member, now=now)
    require(session, member, Action.administer, now=now)
    name = " ".join(name.split())
    if not name or not name.isprintable():
        raise BadInput(f"{name!r} is no name for a team.", remedy="Give it at least one letter.")
    if name.casefold() in (EVERYONE, ME):
        raise BadInput(f"{name!r} names no team: it says who may see a question.")
    if session.exec(select(Team.id).where(Team.name == name)).first() is not None:
        raise Refused(f"There is a team {name!r} already.", remedy="Choose another name.")
    team = team_or_new(session, name, now=now)
    join(session, team, member, joined_at=now, role=Role.admin)
    return team


def set_role(
    session: Session, team: Team, who: Member, role: Role, *, member: Member, now: datetime
) -> Membership:
    """Return the stay in which ``who`` has that role from now on; it is written.

    A stay in another role ends at the same moment. It takes an admin of the team or the ledger.
    Refused where they have that role already, and where the team would be left without an admin.
    """
    require(session, member, Action.manage, team, now=now)
    ensure_admin(session, member, now=now)
    stay = _stay(session, team, who, now)
    if stay is not None and stay.role == role:
        raise Refused(f"{who.handle} is a {role} in {team.name} already; nothing was changed.")
    if stay is not None:
        _require_another_admin(session, team, who, stay, now)
        _end(session, stay, now)
    return _append(session, team, who, joined_at=now, left_at=None, role=role)


def remove(
    session: Session, team: Team, who: Member, *, member: Member, now: datetime
) -> Membership:
    """Return the stay of ``who``, which is written as ended now; their forecasts stay.

    It takes an admin of the team or the ledger. Refused where they are not in the team, and where
    it would be left without an admin.
    """
    require(session, member, Action.manage, team, now=now)
    ensure_admin(session, member, now=now)
    stay = _stay(session, team, who, now)
    if stay is None:
        raise Refused(f"{who.handle} is not in {team.name}; nothing was changed.")
    _require_another_admin(session, team, who, stay, now)
    return _end(session, stay, now)


def _stay(session: Session, team: Team, who: Member, now: datetime) -> Membership | None:
    """Return the stay that goes on now, with whatever role it is in."""
    here = [
        stay
        for stay in memberships(session, who)
        if stay.team_id == team.id and is_active(stay, now)
    ]
    return here[-1] if here else None


def _require_another_admin(
    session: Session, team: Team, who: Member, stay: Membership, now: datetime
) -> None:
    others = [
        handle
        for handle, one in team_members(session, team, now=now)
        if one.role == Role.admin and handle != who.handle
    ]
    if stay.role == Role.admin and not others:
        raise Refused(
            f"{who.handle} is the only admin of {team.name}.",
            remedy="Make somebody else an admin of it first: forecasts team role.",
        )


def _end(session: Session, stay: Membership, now: datetime) -> Membership:
    """Return the row that ends the stay; one that began at this moment lasts no time at all."""
    team, who = session.get_one(Team, stay.team_id), session.get_one(Member, stay.member_id)
    return _append(session, team, who, joined_at=stay.joined_at, left_at=now, role=Role(stay.role))


def _append(
    session: Session,
    team: Team,
    who: Member,
    *,
    joined_at: datetime | None,
    left_at: datetime | None,
    role: Role,
) -> Membership:
    assert team.id is not None
    assert who.id is not None
    row = Membership(
        team_id=team.id, member_id=who.id, joined_at=joined_at, left_at=left_at, role=role
    )
    session.add(row)
    session.flush()
    return row


def set_rule(
    session: Session, team: Team, *, second_resolver: bool, member: Member, now: datetime
) -> TeamRule:
    """Return the team's rule from now on, which is written.

    With ``second_resolver`` nobody resolves a question of the team alone on which they have
    forecast. It takes an admin of the team or the ledger.
    """
    require(session, member, Action.manage, team, now=now)
    assert team.id is not None
    assert member.id is not None
    rule = TeamRule(
        team_id=team.id, second_resolver=second_resolver, member_id=member.id, recorded_at=now
    )
    session.add(rule)
    session.flush()
    return rule


def appoint(
    session: Session, who: Member, role: Role, *, member: Member, now: datetime
) -> Appointment:
    """Return the role of ``who`` in the whole ledger from now on, which is written.

    It takes an admin of the ledger; in one of one's own, whoever says so becomes that. Refused
    where they have that role already, and where the ledger would be left without an admin.
    """
    began = ensure_admin(session, member, now=now)
    require(session, member, Action.administer, now=now)
    before = appointed_role(session, who)
    if before == role and not began:
        raise Refused(f"{who.handle} is a {role} in this ledger already; nothing was changed.")
    if before is Role.admin and role is not Role.admin and admins(session) == [who.handle]:
        raise Refused(
            f"{who.handle} is the only admin of this ledger.",
            remedy="Make somebody else an admin of it first: forecasts team appoint.",
        )
    assert who.id is not None
    row = Appointment(member_id=who.id, role=role, by_member_id=member.id, recorded_at=now)
    session.add(row)
    session.flush()
    return row


def appointments(session: Session) -> list[tuple[str, Role]]:
    """Return the handle and role of everyone who was appointed to one in the whole ledger."""
    newest = select(func.max(Appointment.id)).group_by(col(Appointment.member_id))
    rows = session.exec(
        select(Member.handle, Appointment.role)
        .join(Appointment, col(Appointment.member_id) == col(Member.id))
        .where(col(Appointment.id).in_(newest))
        .order_by(Member.handle)
    )
    return [(handle, Role(role)) for handle, role in rows]
