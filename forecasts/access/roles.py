"""Roles: what a member may do in the ledger, in a team and on a question.

A ledger is unshared until it has an admin: anyone who can open it may do everything, under any
name. The first member to restrict something (to create a team, or a question that not everyone may
see) becomes its admin (``ensure_admin``), and roles apply from then on.

- An admin of the ledger may do everything and sees every question.
- On a team's question, a member has their current role in that team.
- Elsewhere, a member has the role they were appointed to in the whole ledger. Without an
  appointment they are a forecaster, or a viewer if they are only that in each of their teams.
- An author who may forecast may also change and resolve their own question.

Each verb that writes calls ``require`` with the acting member.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, false, or_, true
from sqlmodel import Session, col, select

from forecasts.access.members import find_member, kind_of
from forecasts.access.memberships import (
    active_membership,
    is_active,
    members_with_role,
    memberships_of,
)
from forecasts.common.errors import Forbidden, NotFound, Remedy
from forecasts.ledger.append import written
from forecasts.ledger.current import newest_appointments, newest_wording
from forecasts.ledger.facts import known
from forecasts.ledger.models import (
    Appointment,
    Member,
    MemberKind,
    Question,
    QuestionRevision,
    Role,
    Team,
    Visibility,
)
from forecasts.ledger.urls import is_embedded

# Built once, since every verb runs it and building it takes longer.
_APPOINTMENTS = (
    select(Appointment.member_id, Appointment.role)
    .where(
        or_(
            col(Appointment.role) == Role.admin,
            col(Appointment.member_id) == bindparam("member_id"),
        )
    )
    .order_by(col(Appointment.id))
)

_MOST_NAMED = 5  # members that a refusal suggests to ask


class Scope(StrEnum):
    """The acts that a token may be limited to, besides its member's role."""

    read = "read"
    forecast = "forecast"
    ask = "ask"
    resolve = "resolve"
    admin = "admin"


class Action(StrEnum):
    """An act in the words of a refusal, with the role that it needs and the scope of a token."""

    see = "see", Role.viewer, Scope.read
    capture = "capture an article", Role.forecaster, Scope.forecast
    ask = "ask a question", Role.forecaster, Scope.ask
    forecast = "forecast on", Role.forecaster, Scope.forecast
    propose = "propose an outcome for", Role.forecaster, Scope.forecast
    dispute = "dispute the outcome of", Role.forecaster, Scope.forecast
    revise = "change", Role.resolver, Scope.ask
    resolve = "decide the outcome of", Role.resolver, Scope.resolve
    manage = "manage the members of", Role.admin, Scope.admin
    administer = "manage roles in this ledger", Role.admin, Scope.admin
    vouch = "vouch for the times of imported forecasts", Role.admin, Scope.admin
    record = "import other members' forecasts", Role.admin, Scope.admin

    role: Role
    scope: Scope

    def __new__(cls, words: str, role: Role, scope: Scope) -> Action:
        """Return the act, which is its words."""
        act = str.__new__(cls, words)
        act._value_, act.role, act.scope = words, role, scope
        return act


# For these, an author needs only the forecaster role on their own question.
AUTHOR_ACTIONS = (Action.revise, Action.resolve)
_SCOPES = "ledger_scopes"  # in a session: the scopes of the token that acts


def limit_scopes(session: Session, scopes: Sequence[str] | None) -> None:
    """Let the session do only what these scopes allow; None: whatever its member may do."""
    session.info[_SCOPES] = scopes


def has_scope(session: Session, scope: Scope) -> bool:
    """Return whether the session's token, if it acts by one, has the scope."""
    scopes: Sequence[str] | None = session.info.get(_SCOPES)
    return scopes is None or scope in scopes


def require_scope(session: Session, scope: Scope) -> None:
    """Refuse, with Forbidden, an act outside the scopes of the session's token."""
    require_one_of(session.info.get(_SCOPES), scope)


def require_one_of(scopes: Sequence[str] | None, scope: Scope) -> None:
    """Refuse, with Forbidden, an act outside the scopes of a token; None: it has all."""
    if scopes is not None and scope not in scopes:
        raise Forbidden(
            f"This token has no scope {scope}; its scopes are {', '.join(scopes)}.",
            remedy=Remedy("To create one with it: {}", "token create", "NAME", scope=str(scope)),
        )


@dataclass(frozen=True)
class Rights:
    """A member's roles at a moment.

    ``unshared``: the ledger has no admin. ``general``: the role outside the member's teams.
    ``teams``: the role in each team, by the team's id.
    """

    member_id: int | None
    unshared: bool
    general: Role
    teams: dict[int, Role]

    @property
    def unrestricted(self) -> bool:
        """Whether the member may do and see everything."""
        return self.unshared or self.general is Role.admin

    def role_on(self, team_id: int | None) -> Role:
        """Return the role on that team's questions; None for questions without a team."""
        return self.general if team_id is None else self.teams.get(team_id, self.general)

    def allows(self, action: Action, team_id: int | None = None) -> bool:
        """Return whether the member may do this on other authors' questions of that team."""
        return self.unrestricted or self.role_on(team_id).rank >= action.role.rank


def member_rights(session: Session, member: Member | None, *, now: datetime) -> Rights:
    """Return the member's current rights; None for someone who is not a member."""
    shared, general = _appointment(session, member)
    if member is None or not shared:
        return Rights(None if member is None else member.id, not shared, Role.forecaster, {})
    teams = {
        membership.team_id: Role(membership.role)
        for membership in memberships_of(session, member)
        if is_active(membership, now)
    }
    if general is None:
        general = Role.viewer if set(teams.values()) == {Role.viewer} else Role.forecaster
    return Rights(member.id, False, general, teams)


def appointed_role(session: Session, member: Member) -> Role | None:
    """Return the role the member was appointed to in the whole ledger, None without one."""
    return _appointment(session, member)[1]


def _appointment(session: Session, member: Member | None) -> tuple[bool, Role | None]:
    """Return whether the ledger has an admin, and the member's appointed role."""
    id_ = 0 if member is None else member.id
    rows = known(
        session,
        ("appointments", id_),
        lambda session: session.exec(_APPOINTMENTS, params={"member_id": id_}).all(),
    )
    own = [Role(role) for member_id, role in rows if member_id == id_]
    return any(role == Role.admin for _, role in rows), own[-1] if own else None


def appointments(session: Session) -> list[tuple[str, Role]]:
    """Return the handle and role of every member appointed to a role in the whole ledger."""
    rows = session.exec(
        select(Member.handle, Appointment.role)
        .join(Appointment, col(Appointment.member_id) == col(Member.id))
        .where(col(Appointment.id).in_(newest_appointments()))
        .order_by(Member.handle)
    )
    return [(handle, Role(role)) for handle, role in rows]


def admins(session: Session) -> list[str]:
    """Return the handles of the ledger's admins, in alphabetical order."""
    return [handle for handle, role in appointments(session) if role is Role.admin]


def is_shared(session: Session) -> bool:
    """Return whether the ledger has an admin, so that roles apply."""
    return _appointment(session, None)[0]


def is_shared_ledger(session: Session) -> bool:
    """Return whether several people may use the ledger: it has an admin, or is on a server."""
    return not is_embedded(session.get_bind()) or is_shared(session)


def ensure_admin(session: Session, member: Member, *, now: datetime) -> bool:
    """Return whether the member becomes the ledger's first admin, which is written.

    Forbidden for a token without the scope for that: a bot does not take its owner's ledger over.
    """
    if is_shared(session):
        return False
    if not has_scope(session, Scope.admin):
        raise Forbidden(
            f"{member.handle} would be the first to restrict something in this ledger, and so its "
            "admin; the token has no scope admin.",
            remedy=Remedy("Appoint a person first: {}", "team appoint", "HANDLE", "admin"),
        )
    written(session, Appointment(member_id=member.id, role=Role.admin, recorded_at=now))
    return True


def require_own_name(session: Session, signer: str, handle: str, *, now: datetime) -> None:
    """Refuse, with Forbidden, ``signer`` acting or reading as another member.

    An admin may act for a bot or a service. In an unshared ledger, and in a file, whose owner could
    sign as anyone, nothing is refused.
    """
    if signer == handle or is_embedded(session.get_bind()) or not is_shared(session):
        return
    other, admin = find_member(session, handle), find_member(session, signer)
    is_script = other is not None and kind_of(session, other) != MemberKind.human
    if is_script and admin is not None and member_rights(session, admin, now=now).unrestricted:
        return
    raise Forbidden(
        f"{signer} cannot act as {handle}: in a shared ledger, members act in their own name.",
        remedy=(
            Remedy("Leave out {},", "", as_=True),
            f"or set FORECASTS_MEMBER to {handle} if that is you. An admin of the ledger may act "
            "for a bot or a service.",
        ),
    )


def require(
    session: Session,
    member: Member,
    action: Action,
    target: Question | Team | None = None,
    *,
    now: datetime,
) -> None:
    """Refuse, with Forbidden, an action on ``target`` that the member's role does not allow.

    NotFound for a question that the member may not see. Forbidden also if the session's token does
    not have the scope.
    """
    require_scope(session, action.scope)
    rights = member_rights(session, member, now=now)
    if rights.unrestricted:
        return
    if isinstance(target, Question):
        question_id = target.id
        text = known(session, ("wording", question_id), lambda s: newest_wording(s, question_id))
        if not _can_see(rights, target, text):
            raise question_not_found(target.slug)
        needed = _required_role(rights, action, target)
        role: Role | None = rights.role_on(text.team_id)
        team = None if text.team_id is None else session.get(Team, text.team_id)
    else:
        needed, team = action.role, target
        role = rights.general if target is None else rights.teams.get(target.id)
    if role is None or role.rank < needed.rank:
        raise _forbidden(session, member, action, target, team, role, needed, now)


def allows(rights: Rights, action: Action, question: Question, text: QuestionRevision) -> bool:
    """Return whether a member with these rights may do this on the question."""
    role, needed = rights.role_on(text.team_id), _required_role(rights, action, question)
    return rights.unrestricted or (role.rank >= needed.rank and _can_see(rights, question, text))


def allowed_condition(rights: Rights, action: Action, text: Any) -> ColumnElement[bool]:
    """Return the SQL condition on ``Question`` and its wording ``text``: ``rights`` allow this.

    Whether the member may see the question is a condition of its own (``visibility``).
    """
    if rights.unrestricted:
        return true()

    def has_role(lowest: Role) -> ColumnElement[bool]:
        inside = [team for team, role in rights.teams.items() if role.rank >= lowest.rank]
        outside = or_(text.team_id.is_(None), text.team_id.not_in(list(rights.teams)))
        elsewhere = outside if rights.general.rank >= lowest.rank else false()
        return or_(text.team_id.in_(inside), elsewhere)

    if action not in AUTHOR_ACTIONS:
        return has_role(action.role)
    own = col(Question.member_id) == rights.member_id
    return or_(has_role(action.role), and_(own, has_role(Role.forecaster)))


def _required_role(rights: Rights, action: Action, question: Question) -> Role:
    own = question.member_id == rights.member_id and action in AUTHOR_ACTIONS
    return Role.forecaster if own else action.role


def _can_see(rights: Rights, question: Question, text: QuestionRevision) -> bool:
    return (
        text.visibility == Visibility.everyone
        or question.member_id == rights.member_id
        or (text.visibility == Visibility.team and text.team_id in rights.teams)
    )


def _forbidden(
    session: Session,
    member: Member,
    action: Action,
    target: Question | Team | None,
    team: Team | None,
    role: Role | None,
    needed: Role,
    now: datetime,
) -> Forbidden:
    """Return the refusal: the member's role, the role it takes, and members who can help."""
    name = repr(target.slug) if isinstance(target, Question) else target.name if target else ""
    if role is None:
        reason = f"{member.handle} is not in the team"
    else:
        inside = team is not None and active_membership(session, team, member, now) is not None
        where = f"in {team.name}" if inside and team is not None else "in this ledger"
        reason = f"{member.handle} is a {role} {where}"
    # Nobody can forecast for another member, but an admin can give the forecaster role.
    forecaster = needed is Role.forecaster
    helper = Role.admin if forecaster else max(needed, Role.resolver, key=lambda one: one.rank)
    able = admins(session)
    if team is not None:
        able = members_with_role(session, helper, team, now=now) + able
    author = session.get(Member, target.member_id) if isinstance(target, Question) else None
    if author is not None and helper is not Role.admin:
        able = [author.handle, *able]
    asked = " or ".join(list(dict.fromkeys(able))[:_MOST_NAMED])
    return Forbidden(
        f"{member.handle} may not {action}{f' {name}' if name else ''}: {reason}, and this needs "
        f"the role {needed} or higher.",
        remedy=f"Ask {asked} for that role." if forecaster else f"Ask {asked} to do it.",
    )


def question_not_found(slug: str, similar: list[str] | None = None) -> NotFound:
    """Return the error for a question that does not exist, or that the member may not see."""
    return NotFound(
        f"There is no question {slug!r} in this ledger.",
        remedy=f"Did you mean {' or '.join(similar)}?"
        if similar
        else Remedy("To see them: {}", "questions"),
    )
