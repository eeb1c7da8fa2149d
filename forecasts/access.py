"""Members and teams: who acts."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, select

from forecasts.errors import BadInput, NotFound
from forecasts.models import Member, MemberKind, Membership, Team


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
    member = session.exec(select(Member).where(Member.handle == handle)).first()
    if member is None:
        member = Member(handle=handle, kind=kind, created_at=now)
        session.add(member)
        session.flush()
    return member


def team_or_new(session: Session, name: str, *, now: datetime) -> Team:
    """Return the team with this name, which is written first where there is none."""
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
) -> Membership:
    """Return the membership for that time, which is written first where it is not there yet."""
    assert team.id is not None
    assert member.id is not None
    for known in session.exec(
        select(Membership).where(Membership.team_id == team.id, Membership.member_id == member.id)
    ):
        if (known.joined_at, known.left_at) == (joined_at, left_at):
            return known
    membership = Membership(
        team_id=team.id, member_id=member.id, joined_at=joined_at, left_at=left_at
    )
    session.add(membership)
    session.flush()
    return membership
