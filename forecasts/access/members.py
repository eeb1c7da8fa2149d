"""Members: find one by handle, or create one."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam
from sqlmodel import Session, select

from forecasts.common.errors import BadInput, NotFound
from forecasts.common.limits import require_name
from forecasts.ledger.append import written
from forecasts.ledger.facts import known
from forecasts.ledger.models import Member, MemberKind

_BY_HANDLE = select(Member).where(Member.handle == bindparam("handle"))


def find_member(session: Session, handle: str) -> Member | None:
    """Return the member with this handle, None if there is none yet."""
    return session.exec(_BY_HANDLE, params={"handle": handle}).first()


def member_named(session: Session, handle: str) -> Member:
    """Return the member with this handle; NotFound if there is none."""
    member = find_member(session, handle)
    if member is None:
        raise NotFound(f"There is no member {handle!r} in this ledger.")
    return member


def member_or_new(
    session: Session, handle: str, *, now: datetime, kind: MemberKind = MemberKind.human
) -> Member:
    """Return the member with this handle; a new one is written.

    BadInput for a handle that is blank or has a line break.
    """
    handle = handle.strip()
    if not handle or not handle.isprintable():
        raise BadInput(
            f"{handle!r} is not a handle: a handle is one line with at least one character.",
            remedy="Set FORECASTS_MEMBER, or name a member with --as.",
        )
    require_name(handle, "The handle")
    member = known(session, ("member", handle), lambda session: find_member(session, handle))
    if member is None:
        member = written(session, Member(handle=handle, kind=kind, created_at=now))
    return member


def handles(session: Session) -> dict[int, str]:
    """Return every member's handle by id, in alphabetical order."""
    return dict(session.exec(select(Member.id, Member.handle).order_by(Member.handle)).all())
