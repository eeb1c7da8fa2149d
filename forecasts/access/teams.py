"""Teams: create one, manage its members and its rule; appoint members to a role in the ledger.

The rule, if set: a forecaster does not resolve their team's question alone.

Memberships, appointments and rules are append-only; earlier rows stay readable.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, func, select

from forecasts.access.memberships import (
    AUDIENCES,
    EnteredLater,
    active_membership,
    before_joining,
    current_memberships,
    entered_later,
    same_membership,
    team_names,
    team_or_new,
    write_stay,
)
from forecasts.access.roles import (
    Action,
    Rights,
    admins,
    appointed_role,
    appointments,
    ensure_admin,
    require,
)
from forecasts.common.errors import FILL_IN, BadInput, NotFound, Refused, Remedy
from forecasts.common.times import iso
from forecasts.ledger.append import written
from forecasts.ledger.current import newest_wording
from forecasts.ledger.models import (
    Appointment,
    Forecast,
    Member,
    Membership,
    Question,
    QuestionRevision,
    Resolution,
    Resolver,
    Role,
    Team,
    TeamRule,
    Visibility,
)

# Audiences of a question other than a team.
EVERYONE, ME = AUDIENCES


@dataclass(frozen=True)
class Roster:
    """A team with its current members (handle and membership) and its rule.

    ``later``: by member id, those with a stay in the team that was entered after it began.
    """

    team: Team
    members: list[tuple[str, Membership]]
    second_resolver: bool
    later: dict[int, EnteredLater]


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
            else Remedy("To create it: {}", "team create", name),
        )
    return team


def roster(session: Session, team: Team, *, now: datetime) -> Roster:
    """Return the team's current members, by handle, and its rule."""
    [found] = _rosters(session, [team], now=now)
    return found


def listing(session: Session, *, now: datetime) -> list[Roster]:
    """Return every team with its current members and rule, by name, in four statements."""
    return _rosters(session, session.exec(select(Team).order_by(Team.name)).all(), now=now)


def _rosters(session: Session, of: Sequence[Team], *, now: datetime) -> list[Roster]:
    only = col(Membership.team_id).in_([team.id for team in of])
    members: dict[int, dict[str, Membership]] = defaultdict(dict)
    for handle, _, membership in current_memberships(session, only, now=now):
        members[membership.team_id][handle] = membership
    in_order = select(TeamRule.team_id, TeamRule.second_resolver).order_by(col(TeamRule.id))
    rules = dict(session.exec(in_order).all())
    later: dict[int, dict[int, EnteredLater]] = defaultdict(dict)
    for (team_id, member_id), entered in entered_later(session, only).items():
        later[team_id][member_id] = entered
    return [
        Roster(team, list(members[team.id].items()), rules.get(team.id, False), later[team.id])
        for team in of
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
    appointed = dict(appointments(session))
    teams: dict[int, list[tuple[str, Role]]] = defaultdict(list)
    theirs = col(Membership.member_id).in_(ids)
    for _, name, membership in current_memberships(session, theirs, now=now):
        teams[membership.member_id].append((name, Role(membership.role)))
    return [
        MemberRoles(member, appointed.get(member.handle), teams[member.id]) for member in members
    ], total


def visibility_fields(session: Session, audience: str | None) -> dict[str, Any]:
    """Return the fields of a question visible to ``audience``: everyone, me, or a team by name.

    Empty for None. A team's question opened to everyone stays the team's.
    """
    if audience is None:
        return {}
    if (word := audience.casefold()) in (EVERYONE, ME):
        return {"visibility": Visibility.everyone if word == EVERYONE else Visibility.author}
    return {"visibility": Visibility.team, "team_id": find(session, audience).id}


def team_fields(session: Session, name: str) -> dict[str, Any]:
    """Return the fields of a question that belongs to this team, or to none if it is blank."""
    return {"team_id": find(session, name).id if name else None}


def teams_to_ask_in(session: Session, rights: Rights) -> list[str]:
    """Return the names of the teams in which a member with these rights may ask questions."""
    return [
        team.name
        for team in session.exec(select(Team).order_by(Team.name))
        if rights.unrestricted
        or (team.id in rights.teams and rights.teams[team.id].rank >= Role.forecaster.rank)
    ]


def create(session: Session, name: str, *, member: Member, now: datetime) -> Team:
    """Return the new team, which is written without members.

    The acting member manages it as an admin of the ledger, and does not forecast for it unless they
    are added. In an unshared ledger, that member becomes the ledger's admin and roles apply from
    then on; in a shared one, only an admin of the ledger may create a team. Refused if the name is
    taken.
    """
    ensure_admin(session, member, now=now)
    require(session, member, Action.administer, now=now)
    name = " ".join(name.split())
    if not name or not name.isprintable():
        raise BadInput(f"{name!r} is not a team name.", remedy="Give it at least one letter.")
    if session.exec(select(Team.id).where(Team.name == name)).first() is not None:
        raise Refused(f"There is already a team {name!r}.", remedy="Choose another name.")
    return team_or_new(session, name, now=now)


def set_role(
    session: Session, team: Team, subject: Member, role: Role, *, member: Member, now: datetime
) -> Membership:
    """Return the membership of ``subject`` in that role from now on, which is written.

    A membership in another role ends at the same moment. Only an admin of the team or the ledger
    may do this. Refused if ``subject`` has the role already.
    """
    require(session, member, Action.manage, team, now=now)
    ensure_admin(session, member, now=now)
    current = active_membership(session, team, subject, now)
    if current is not None and current.role == role:
        raise Refused(f"{subject.handle} is already a {role} in {team.name}; nothing was changed.")
    if current is not None:
        write_stay(session, team, subject, current.joined_at, now, Role(current.role))
    return write_stay(session, team, subject, now, role=role)


def add(
    session: Session,
    team: Team,
    subject: Member,
    role: Role | None = None,
    *,
    since: datetime | None = None,
    member: Member,
    now: datetime,
) -> Membership:
    """Return the membership of ``subject``, who is added to the team in that role.

    Without a role, someone in the team keeps theirs, and a new member is a forecaster. ``since``
    counts their earlier forecasts too, as ``count_since`` does. The rest is as in ``set_role``.
    """
    current = active_membership(session, team, subject, now)
    if current is None or since is None or role not in (None, current.role):
        given = role or Role.forecaster
        current = set_role(session, team, subject, given, member=member, now=now)
    if since is not None:
        count_since(session, team, subject, since, member=member, now=now)
    return current


def count_since(
    session: Session, team: Team, subject: Member, since: datetime, *, member: Member, now: datetime
) -> Membership:
    """Return the stay of ``subject`` from ``since`` until they joined the team, which is written.

    Their forecasts of that time then count in the team. It gives no rights in the past, and shows
    as entered later. An earlier time extends such a stay. A later time corrects it: the stay from
    the wrong time is taken back by another row, and both stay in the chain. Only an admin of the
    ledger may do this, as only they may import memberships: a team must not take a member's past
    by itself. Refused if nothing would change, and for a time in which they were in the team.
    """
    require(session, member, Action.administer, now=now)
    ensure_admin(session, member, now=now)
    current = active_membership(session, team, subject, now)
    if current is None:
        raise Refused(f"{subject.handle} is not in {team.name}; nothing was changed.")
    if since > now:
        raise BadInput(
            f"{subject.handle} cannot be a member since {iso(since)}, which is ahead.",
            remedy="Name a day in the past.",
        )
    joined, dated_back = before_joining(session, subject, current)
    starts = [one.joined_at for one in dated_back]
    wrong = [start for start in starts if start is None or start < since]
    if joined <= since or None in wrong or (since in starts and not wrong):
        raise Refused(
            f"{subject.handle}'s forecasts since then count in {team.name} already; nothing was "
            "changed."
        )
    same_membership(session, team, subject, since, joined)
    for start, end in [*zip(wrong, wrong, strict=True), (since, joined)]:
        row = write_stay(session, team, subject, start, end)
    return row


def remove(
    session: Session, team: Team, subject: Member, *, member: Member, now: datetime
) -> Membership:
    """Return the membership of ``subject``, written as ended now; their forecasts stay.

    Only an admin of the team or the ledger may do this. Refused if ``subject`` is not in the team.
    """
    require(session, member, Action.manage, team, now=now)
    ensure_admin(session, member, now=now)
    current = active_membership(session, team, subject, now)
    if current is None:
        raise Refused(f"{subject.handle} is not in {team.name}; nothing was changed.")
    return write_stay(session, team, subject, current.joined_at, now, Role(current.role))


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
    return written(session, rule)


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
            remedy=Remedy("Appoint another admin first: {}", "team appoint", "HANDLE", "admin"),
        )
    row = Appointment(member_id=subject.id, role=role, by_member_id=member.id, recorded_at=now)
    return written(session, row)


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
            remedy=Remedy(
                "Another resolver confirms an outcome that you propose: {}",
                "propose",
                question.slug,
                "OUTCOME",
                because=FILL_IN,
            ),
        )


def needs_second_resolver(session: Session, member_id: int | None, question: Question) -> bool:
    """Return whether the member has forecast and a team's rule asks for a second resolver.

    The rule of its team holds, and of each team that it had when someone forecast on it:
    otherwise its author could move it out, and resolve it alone.
    """
    forecast = select(Forecast.id).where(Forecast.question_id == question.id)
    if session.exec(forecast.where(Forecast.member_id == member_id).limit(1)).first() is None:
        return False
    team_then = (
        select(QuestionRevision.team_id)
        .where(QuestionRevision.question_id == Forecast.question_id)
        .where(QuestionRevision.recorded_at <= Forecast.recorded_at)
        .order_by(col(QuestionRevision.number).desc())
        .limit(1)
        .correlate(Forecast)
        .scalar_subquery()
    )
    held = set(
        session.exec(select(team_then).where(Forecast.question_id == question.id).distinct())
    )
    held.add(newest_wording(session, question.id).team_id)
    in_order = select(TeamRule.team_id, TeamRule.second_resolver).order_by(col(TeamRule.id))
    rules = dict(session.exec(in_order.where(col(TeamRule.team_id).in_(held - {None}))).all())
    return any(rules.values())
