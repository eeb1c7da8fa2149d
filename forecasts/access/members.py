"""Members and teams: find them, make them, and put a member into a team."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam
from sqlmodel import Session, col, select

from forecasts.common.errors import BadInput, NotFound
from forecasts.common.limits import require_name
from forecasts.common.times import iso
from forecasts.ledger.following import known, with_turn
from forecasts.ledger.models import (
    Member,
    MemberKind,
    Membership,
    Role,
    Team,
)

_BY_HANDLE = select(Member).where(Member.handle == bindparam("handle"))


def member_named(session: Session, handle: str) -> Member:
    """Return the member with this handle; NotFound where there is none."""
    member = session.exec(select(Member).where(Member.handle == handle)).first()
    if member is None:
        raise NotFound(f"There is no member {handle!r} in this ledger.")
    return member


def member_or_new(
    session: Session, handle: str, *, now: datetime, kind: MemberKind = MemberKind.human
) -> Member:
    """Return the member with this handle, who is written first where there is none.

    BadInput for a blank handle or one with a line break in it.
    """
    handle = handle.strip()
    if not handle or not handle.isprintable():
        raise BadInput(
            f"{handle!r} is not a handle: it needs at least one sign, and all on one line.",
            remedy="Set FORECASTS_MEMBER, or name somebody with --as.",
        )
    require_name(handle, "The handle")
    member = known(
        session,
        ("member", handle),
        lambda session: session.exec(_BY_HANDLE, params={"handle": handle}).first(),
    )
    if member is None:
        with_turn(session)
        member = Member(handle=handle, kind=kind, created_at=now)
        session.add(member)
        session.flush()
    return member


def team_or_new(session: Session, name: str, *, now: datetime) -> Team:
    """Return the team with this name, which is written first where there is none."""
    require_name(name, "The name of the team")
    team = session.exec(select(Team).where(Team.name == name)).first()
    if team is None:
        team = Team(name=name, created_at=now)
        session.add(team)
        session.flush()
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
    """Return the stay that began at ``joined_at``; a row is written where it says something new.

    An open stay ends at ``left_at`` where that is given; one that ended already stays as it is,
    and BadInput says so where ``left_at`` is another time. BadInput too where it is not after
    ``joined_at``.
    """
    if joined_at is not None and left_at is not None and left_at <= joined_at:
        raise BadInput(
            f"{member.handle} cannot leave {team.name} on {iso(left_at)}: that is not after "
            f"{iso(joined_at)}, when the stay began."
        )
    assert team.id is not None
    assert member.id is not None
    known = session.exec(
        select(Membership)
        .where(
            Membership.team_id == team.id,
            Membership.member_id == member.id,
            col(Membership.joined_at).is_not_distinct_from(joined_at),
        )
        .order_by(col(Membership.id).desc())
    ).first()
    if known is not None and left_at in (None, known.left_at):
        return known
    if known is not None and known.left_at is not None and left_at is not None:
        raise BadInput(
            f"{member.handle} left {team.name} on {iso(known.left_at)} in this ledger, "
            f"not on {iso(left_at)}."
        )
    membership = Membership(
        team_id=team.id,
        member_id=member.id,
        joined_at=joined_at,
        left_at=left_at,
        role=role if known is None else known.role,
    )
    session.add(membership)
    session.flush()
    return membership


def find_member(session: Session, handle: str) -> Member | None:
    """Return the member with this handle; None for somebody who has not acted yet."""
    return session.exec(select(Member).where(Member.handle == handle)).first()


def handles(session: Session) -> dict[int, str]:
    """Return every member's handle by the member's id, in alphabetical order."""
    rows = session.exec(select(Member.id, Member.handle).order_by(col(Member.handle))).all()
    return {id_: handle for id_, handle in rows if id_ is not None}


def team_names(session: Session) -> list[str]:
    """Return the names of the teams, in alphabetical order."""
    return list(session.exec(select(Team.name).order_by(Team.name)))
