"""Memberships: who is in which team, from when to when, in which role.

A membership is append-only: its newest row counts. A change of role ends one membership and starts
another. A stay that was entered after it began is told as such (``entered_later``): it has the
forecasts of that time, but gave no rights in it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlmodel import Session, col, select

from forecasts.common.errors import BadInput
from forecasts.common.limits import require_name
from forecasts.common.times import iso
from forecasts.ledger.append import written
from forecasts.ledger.current import in_order, newest_memberships
from forecasts.ledger.facts import known
from forecasts.ledger.models import Entry, Member, Membership, Role, Team

AUDIENCES = ("everyone", "me")  # which no team is called


def team_names(session: Session) -> list[str]:
    """Return the names of the teams, in alphabetical order."""
    return list(session.exec(select(Team.name).order_by(Team.name)))


def team_or_new(session: Session, name: str, *, now: datetime) -> Team:
    """Return the team with this name; a new one is written. BadInput for an audience's name."""
    require_name(name, "The name of the team")
    team = session.exec(select(Team).where(Team.name == name)).first()
    if team is None:
        if name.casefold() in AUDIENCES:
            raise BadInput(f"{name!r} cannot be a team name: it is an audience of its own.")
        team = written(session, Team(name=name, created_at=now))
    return team


def join(
    session: Session,
    team: Team,
    member: Member,
    *,
    joined_at: datetime | None = None,
    left_at: datetime | None = None,
    role: Role = Role.forecaster,
) -> Membership:
    """Return the membership that began at ``joined_at``; a row is written if anything is new.

    ``left_at`` ends an open membership. BadInput if it is not after ``joined_at``, or if the
    membership already ended at another time.
    """
    newest = same_membership(session, team, member, joined_at, left_at)
    if newest is not None and left_at in (None, newest.left_at):
        return newest
    role = role if newest is None else Role(newest.role)
    return write_stay(session, team, member, joined_at, left_at, role)


def write_stay(
    session: Session,
    team: Team,
    member: Member,
    joined_at: datetime | None,
    left_at: datetime | None = None,
    role: Role = Role.forecaster,
) -> Membership:
    """Return the new row of a membership, which is written."""
    row = Membership(
        team_id=team.id, member_id=member.id, joined_at=joined_at, left_at=left_at, role=role
    )
    return written(session, row)


def same_membership(
    session: Session,
    team: Team,
    member: Member,
    joined_at: datetime | None,
    left_at: datetime | None,
) -> Membership | None:
    """Return the stored membership that began at ``joined_at``; BadInput as in ``join``."""
    if joined_at is not None and left_at is not None and left_at <= joined_at:
        raise BadInput(
            f"{member.handle} cannot leave {team.name} on {iso(left_at)}: that is not after "
            f"{iso(joined_at)}, when the membership began."
        )
    newest = session.exec(
        select(Membership)
        .where(
            Membership.team_id == team.id,
            Membership.member_id == member.id,
            col(Membership.joined_at).is_not_distinct_from(joined_at),
        )
        .order_by(col(Membership.id).desc())
    ).first()
    ended = None if newest is None or is_taken_back(newest) else newest.left_at
    if ended is not None and left_at not in (None, ended):
        raise BadInput(
            f"{member.handle} left {team.name} on {iso(ended)} in this ledger, "
            f"not on {iso(left_at)}."
        )
    return newest


def memberships_of(session: Session, member: Member) -> list[Membership]:
    """Return the newest row of each of the member's memberships, in the order they were entered.

    Without stays that were taken back.
    """
    own = col(Membership.member_id) == member.id
    rows = known(session, ("memberships", member.id), lambda at: in_order(at, Membership, own))
    newest = {(row.team_id, row.joined_at): row for row in rows}.values()
    return [row for row in newest if not is_taken_back(row)]


def is_taken_back(row: Membership) -> bool:
    """Return whether the row takes back a stay that was entered by mistake."""
    return row.left_at is not None and row.left_at == row.joined_at


def is_active(membership: Membership, now: datetime) -> bool:
    """Return whether the membership has begun and not ended at ``now``."""
    return (membership.joined_at is None or membership.joined_at <= now) and (
        membership.left_at is None or now < membership.left_at
    )


def active_membership(
    session: Session, team: Team, member: Member, now: datetime
) -> Membership | None:
    """Return the member's membership of the team at ``now``, None outside it."""
    active = [
        one
        for one in memberships_of(session, member)
        if one.team_id == team.id and is_active(one, now)
    ]
    return active[-1] if active else None


def team_members(session: Session, team: Team, *, now: datetime) -> list[tuple[str, Membership]]:
    """Return the team's current members by handle, each with the membership."""
    rows = current_memberships(session, Membership.team_id == team.id, now=now)
    return list({handle: one for handle, _, one in rows}.items())


def current_memberships(
    session: Session, *conditions: Any, now: datetime
) -> list[tuple[str, str, Membership]]:
    """Return the current memberships, each after its member's handle and team's name, by those."""
    rows = session.exec(
        select(Member.handle, Team.name, Membership)
        .join(Membership, col(Membership.member_id) == col(Member.id))
        .join(Team, col(Team.id) == col(Membership.team_id))
        .where(col(Membership.id).in_(newest_memberships()), *conditions)
        .order_by(Member.handle, Team.name, col(Membership.id))
    )
    return [row for row in rows if is_active(row[2], now)]


class EnteredLater(NamedTuple):
    """The earliest time from which a member is in a team by an entry made later, and its time.

    ``since`` is None if they are in it from the beginning.
    """

    since: datetime | None
    entered_at: datetime


def entered_later(session: Session, *conditions: Any) -> dict[tuple[int, int], EnteredLater]:
    """Return the stays that were entered after they began, by the ids of team and member."""
    found: dict[tuple[int, int], EnteredLater] = {}
    for stay, at in stays_entered_later(session, *conditions):
        found.setdefault((stay.team_id, stay.member_id), EnteredLater(stay.joined_at, at))
    return found


def stays_entered_later(session: Session, *conditions: Any) -> list[tuple[Membership, datetime]]:
    """Return the first rows of those stays and when they were entered, by when they began."""
    is_its_entry = col(Entry.row_id) == col(Membership.id)
    # In these words an index has it.
    entered = select(Entry.at).where(is_its_entry, text("entry.kind = 'membership'"))
    rows = session.exec(
        select(Membership, entered.scalar_subquery())
        .where(*conditions)
        .order_by(col(Membership.id))
    )
    first: dict[tuple[int, int, datetime | None], tuple[Membership, datetime | None]] = {}
    for row, at in rows:
        key = row.team_id, row.member_id, row.joined_at
        if is_taken_back(row):
            first.pop(key, None)
        else:
            first.setdefault(key, (row, at))
    return [
        (stay, at)
        for stay, at in sorted(first.values(), key=lambda one: _began(one[0]))
        if at is not None and _began(stay) < at
    ]


def before_joining(
    session: Session, member: Member, current: Membership
) -> tuple[datetime, list[Membership]]:
    """Return when the member joined the team, and the stays entered later that lead up to that.

    They joined before ``current`` began if it is only a new role.
    """
    own = (Membership.team_id == current.team_id, Membership.member_id == member.id)
    later = {one.joined_at for one, _ in stays_entered_later(session, *own)}
    stays = [one for one in memberships_of(session, member) if one.team_id == current.team_id]
    joined = _began(current)
    for one in sorted(stays, key=_began, reverse=True):
        goes_on = one.left_at is None or (one.left_at == joined and one.joined_at not in later)
        joined = min(joined, _began(one)) if goes_on else joined
    return joined, [
        one for one in stays if one.joined_at in later and one.left_at and one.left_at >= joined
    ]


def _began(stay: Membership) -> datetime:
    return stay.joined_at or datetime.min.replace(tzinfo=UTC)


def members_with_role(session: Session, lowest: Role, team: Team, *, now: datetime) -> list[str]:
    """Return the handles of the team's current members with that role or a higher one."""
    return [
        handle
        for handle, membership in team_members(session, team, now=now)
        if Role(membership.role).rank >= lowest.rank
    ]
