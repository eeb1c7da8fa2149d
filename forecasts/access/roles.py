"""Roles: what a member may do, in the whole ledger, in a team and on a question."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import ColumnElement, Engine, and_, bindparam, false, func, or_, true
from sqlmodel import Session, col, select

from forecasts.access.members import find_member
from forecasts.common.errors import Forbidden, NotFound, Refused
from forecasts.ledger.following import known
from forecasts.ledger.models import (
    Appointment,
    Forecast,
    Member,
    MemberKind,
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
from forecasts.ledger.urls import is_embedded

# Every act asks it: made once, since to make a statement takes longer than to run it.
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


class Action(StrEnum):
    """What a member may or may not do; the words that a refusal says it in."""

    see = "see"
    capture = "capture an article"
    ask = "ask a question"
    forecast = "forecast on"
    propose = "propose an outcome of"
    dispute = "dispute the outcome of"
    revise = "change"
    resolve = "decide on the outcome of"
    manage = "say who belongs to"
    administer = "change who may do what in this ledger"
    vouch = "vouch for when imported forecasts were made"
    record = "import the forecasts of others"


REQUIRED_ROLES: dict[Action, Role] = {
    Action.see: Role.viewer,
    Action.capture: Role.forecaster,
    Action.ask: Role.forecaster,
    Action.forecast: Role.forecaster,
    Action.propose: Role.forecaster,
    Action.dispute: Role.forecaster,
    Action.revise: Role.resolver,
    Action.resolve: Role.resolver,
    Action.manage: Role.admin,
    Action.administer: Role.admin,
    Action.vouch: Role.admin,
    Action.record: Role.admin,
}


# What an author who may forecast may do with their own question, whatever their role.
AUTHOR_ACTIONS = (Action.revise, Action.resolve)


@dataclass(frozen=True)
class Rights:
    """What a member is at a moment, all over the ledger.

    ``own``: the ledger has no admin. ``general``: the role where no team says otherwise.
    ``teams``: the role in each team, by its id.
    """

    member_id: int | None
    unshared: bool
    general: Role
    teams: dict[int, Role]

    @property
    def unrestricted(self) -> bool:
        """Whether nothing is refused to the member and nothing kept from them."""
        return self.unshared or self.general is Role.admin

    def role_on(self, team_id: int | None) -> Role:
        """Return the role on a question of that team, None for one of none."""
        return self.general if team_id is None else self.teams.get(team_id, self.general)

    def allows(self, action: Action, team_id: int | None = None) -> bool:
        """Return whether it is the member's on what others ask of that team, None: of none."""
        return self.unrestricted or self.role_on(team_id).rank >= REQUIRED_ROLES[action].rank


def is_shared(session: Session) -> bool:
    """Return whether the ledger has an admin, so that roles hold in it."""
    found = session.exec(select(Appointment.id).where(Appointment.role == Role.admin).limit(1))
    return found.first() is not None


def is_shared_ledger(session: Session) -> bool:
    """Return whether others than its owner use the ledger: it has an admin, or is on a server."""
    return not is_embedded(cast("Engine", session.get_bind())) or is_shared(session)


def appointed_role(session: Session, member: Member) -> Role | None:
    """Return the member's role in the whole ledger; None where nobody has said."""
    return _appointed(session, member)[1]


def _appointed(session: Session, member: Member | None) -> tuple[bool, Role | None]:
    """Return whether the ledger has an admin, and the member's role in all of it, if any."""
    id_ = 0 if member is None else member.id or 0
    rows = known(
        session,
        ("appointments", id_),
        lambda session: session.exec(_APPOINTMENTS, params={"member_id": id_}).all(),
    )
    own = [Role(role) for of, role in rows if of == id_]
    return any(role == Role.admin for _, role in rows), own[-1] if own else None


def memberships(session: Session, member: Member) -> list[Membership]:
    """Return the member's stays in teams, each as the newest row has it, in the order begun."""
    own = select(Membership).where(Membership.member_id == member.id).order_by(col(Membership.id))
    rows = known(session, ("stays", member.id), lambda session: session.exec(own).all())
    return list({(row.team_id, row.joined_at): row for row in rows}.values())


def is_active(stay: Membership, now: datetime) -> bool:
    """Return whether the stay goes on at that moment."""
    return (stay.joined_at is None or stay.joined_at <= now) and (
        stay.left_at is None or now < stay.left_at
    )


def member_rights(session: Session, member: Member | None, *, now: datetime) -> Rights:
    """Return what the member is now; None: somebody of whom the ledger knows nothing."""
    shared, general = _appointed(session, member)
    if member is None or not shared:
        return Rights(None if member is None else member.id, not shared, Role.forecaster, {})
    teams = {
        stay.team_id: Role(stay.role)
        for stay in memberships(session, member)
        if is_active(stay, now)
    }
    if general is None:
        only_looks = bool(teams) and set(teams.values()) == {Role.viewer}
        general = Role.viewer if only_looks else Role.forecaster
    return Rights(member.id, False, general, teams)


def role_in(
    session: Session, member: Member, team: Team | None = None, *, now: datetime
) -> Role | None:
    """Return the member's role in the team now, None outside it; without a team, elsewhere."""
    if team is None:
        return member_rights(session, member, now=now).general
    here = [
        one
        for one in memberships(session, member)
        if one.team_id == team.id and is_active(one, now)
    ]
    return Role(here[-1].role) if here else None


def require_own_name(session: Session, signer: str, handle: str, *, now: datetime) -> None:
    """Refuse, with Forbidden, that ``signer`` acts or reads as ``handle``, who is somebody else.

    Nobody writes a forecast in another's name. A ledger's admin may act for a bot or a service;
    in a ledger of one's own, and in a file, whose owner could sign as anybody, it is not refused.
    """
    if signer == handle or is_embedded(cast("Engine", session.get_bind())):
        return
    if not is_shared(session):
        return
    other, admin = find_member(session, handle), find_member(session, signer)
    served = other is not None and other.kind in (MemberKind.bot, MemberKind.service)
    if served and admin is not None and member_rights(session, admin, now=now).unrestricted:
        return
    raise Forbidden(
        f"{signer} cannot act as {handle}: in a shared ledger nobody acts in another's name.",
        remedy="Leave --as out. A ledger's admin may act for a bot or a service.",
    )


def ensure_admin(session: Session, member: Member, *, now: datetime) -> bool:
    """Return whether the member has become the ledger's admin just now: if it had none."""
    if is_shared(session):
        return False
    assert member.id is not None
    session.add(Appointment(member_id=member.id, role=Role.admin, recorded_at=now))
    session.flush()
    return True


def require(
    session: Session,
    member: Member,
    action: Action,
    thing: Question | Team | None = None,
    *,
    now: datetime,
) -> None:
    """Refuse, with Forbidden, what the member may not do; ``thing``: on what, where it matters.

    NotFound for a question that the member may not see.
    """
    rights = member_rights(session, member, now=now)
    if rights.unrestricted:
        return
    if isinstance(thing, Question):
        text = _newest(session, thing)
        if not _sees(rights, thing, text):
            raise question_not_found(thing.slug)
        if allows(rights, action, thing, text):
            return
        role: Role | None = rights.role_on(text.team_id)
        needed = _needed(rights, action, thing)
        team = None if text.team_id is None else session.get(Team, text.team_id)
    else:
        team, needed = thing, REQUIRED_ROLES[action]
        role = rights.general if thing is None else rights.teams.get(thing.id or 0)
        if role is not None and role.rank >= needed.rank:
            return
    raise _forbidden(session, member, action, thing, team, role, needed, rights, now=now)


def allows(rights: Rights, action: Action, question: Question, text: QuestionRevision) -> bool:
    """Return whether whoever has these rights may do that on the question as it is worded."""
    enough = rights.role_on(text.team_id).rank >= _needed(rights, action, question).rank
    return rights.unrestricted or (enough and _sees(rights, question, text))


def allowed_condition(rights: Rights, action: Action, text: Any) -> ColumnElement[bool]:
    """Return what ``allows`` tells, but for whether it is seen, as a condition.

    It is one on ``Question`` and ``text``, its wording.
    """
    if rights.unrestricted:
        return true()

    def enough(needed: Role) -> ColumnElement[bool]:
        here = [team for team, role in rights.teams.items() if role.rank >= needed.rank]
        elsewhere = or_(text.team_id.is_(None), text.team_id.not_in(list(rights.teams)))
        general = elsewhere if rights.general.rank >= needed.rank else false()
        return or_(text.team_id.in_(here), general)

    if action not in AUTHOR_ACTIONS:
        return enough(REQUIRED_ROLES[action])
    own = col(Question.member_id) == rights.member_id
    return or_(enough(REQUIRED_ROLES[action]), and_(own, enough(Role.forecaster)))


def _needed(rights: Rights, action: Action, question: Question) -> Role:
    own = question.member_id == rights.member_id and action in AUTHOR_ACTIONS
    return Role.forecaster if own else REQUIRED_ROLES[action]


def _newest(session: Session, question: Question) -> QuestionRevision:
    newest = (
        select(QuestionRevision)
        .where(QuestionRevision.question_id == question.id)
        .order_by(col(QuestionRevision.number).desc())
        .limit(1)
    )
    return known(session, ("wording", question.id), lambda session: session.exec(newest).one())


def _sees(rights: Rights, question: Question, text: QuestionRevision) -> bool:
    return (
        rights.unrestricted
        or text.visibility == Visibility.everyone
        or question.member_id == rights.member_id
        or (text.visibility == Visibility.team and text.team_id in rights.teams)
    )


def _forbidden(
    session: Session,
    member: Member,
    action: Action,
    thing: Question | Team | None,
    team: Team | None,
    role: Role | None,
    needed: Role,
    rights: Rights,
    *,
    now: datetime,
) -> Forbidden:
    what = repr(thing.slug) if isinstance(thing, Question) else thing.name if thing else ""
    inside = team is not None and team.id in rights.teams
    if role is None:
        being = f"{member.handle} is not in the team"
    else:
        where = f"in {team.name}" if inside and team is not None else "in this ledger"
        being = f"{member.handle} is a {role} {where}"
    # Who may only forecast cannot do it for another; who gives roles can give that one.
    helper = max(needed, Role.resolver, key=lambda one: one.rank)
    if needed is Role.forecaster:
        helper = Role.admin
    author = session.get(Member, thing.member_id) if isinstance(thing, Question) else None
    able = [
        *([author.handle] if author is not None and helper is not Role.admin else []),
        *([] if team is None else members_with_role(session, helper, team, now=now)),
        *admins(session),
    ]
    asked = " or ".join(list(dict.fromkeys(able))[:_MOST_NAMED])
    return Forbidden(
        f"{member.handle} may not {action}{f' {what}' if what else ''}: {being}, and that takes "
        f"a role of {needed} or more.",
        remedy=f"Ask {asked} for that role."
        if needed is Role.forecaster
        else f"Ask {asked}, who may.",
    )


_MOST_NAMED = 5  # of those who may do what somebody may not


def admins(session: Session) -> list[str]:
    """Return the handles of the ledger's admins, in alphabetical order; none: it is one's own."""
    newest = select(func.max(Appointment.id)).group_by(col(Appointment.member_id))
    return list(
        session.exec(
            select(Member.handle)
            .join(Appointment, col(Appointment.member_id) == col(Member.id))
            .where(col(Appointment.id).in_(newest), Appointment.role == Role.admin)
            .order_by(Member.handle)
        )
    )


def team_members(session: Session, team: Team, *, now: datetime) -> list[tuple[str, Membership]]:
    """Return who is in the team now, by handle, each with the stay that has their role."""
    newest = select(func.max(Membership.id)).group_by(
        col(Membership.team_id), col(Membership.member_id), col(Membership.joined_at)
    )
    rows = session.exec(
        select(Member.handle, Membership)
        .join(Membership, col(Membership.member_id) == col(Member.id))
        .where(Membership.team_id == team.id, col(Membership.id).in_(newest))
        .order_by(Member.handle, col(Membership.id))
    )
    here = {handle: stay for handle, stay in rows if is_active(stay, now)}
    return list(here.items())


def members_with_role(session: Session, needed: Role, team: Team, *, now: datetime) -> list[str]:
    """Return the handles of those in the team whose role is that or more."""
    return [
        handle
        for handle, stay in team_members(session, team, now=now)
        if Role(stay.role).rank >= needed.rank
    ]


def require_second_resolver(
    session: Session, member: Member, question: Question, proposal: Resolution | None
) -> None:
    """Refuse that somebody who has forecast resolves alone, where the team's rule forbids it.

    They are not alone where they confirm what somebody else has proposed. What a resolver has
    proposed, whoever attached it did.
    """
    if proposal is not None:
        attached = proposal.resolver_id and session.get_one(Resolver, proposal.resolver_id)
        if (attached or proposal).member_id != member.id:
            return
    if needs_second_resolver(session, member.id, question):
        raise Refused(
            f"{member.handle} has forecast on {question.slug!r}, and by its team's rule nobody "
            "resolves such a question alone.",
            remedy=f"Propose the outcome (forecasts propose {question.slug} OUTCOME); another "
            "resolver confirms it.",
        )


def needs_second_resolver(session: Session, member_id: int | None, question: Question) -> bool:
    """Return whether they may not resolve it alone: they have forecast, and their team says so."""
    if not requires_second_resolver(session, _newest(session, question).team_id):
        return False
    own = select(Forecast.id).where(
        Forecast.question_id == question.id, Forecast.member_id == member_id
    )
    return session.exec(own.limit(1)).first() is not None


def requires_second_resolver(session: Session, team_id: int | None) -> bool:
    """Return whether the team's rule is that a forecaster's resolution takes a second one."""
    rule = session.exec(
        select(TeamRule.second_resolver)
        .where(TeamRule.team_id == team_id)
        .order_by(col(TeamRule.id).desc())
        .limit(1)
    ).first()
    return bool(rule)


def question_not_found(slug: str, near: list[str] | None = None) -> NotFound:
    """Return the error that there is no such question, as far as whoever asks may know."""
    return NotFound(
        f"There is no question {slug!r} in this ledger.",
        remedy=f"Did you mean {' or '.join(near)}?" if near else "See: forecasts questions.",
    )
