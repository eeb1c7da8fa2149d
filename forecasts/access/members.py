"""Members: find one by handle, or create one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam
from sqlmodel import Session, col, select

from forecasts.common.errors import BadInput, NotFound, Remedy
from forecasts.common.limits import require_name
from forecasts.ledger.append import append, written
from forecasts.ledger.facts import known
from forecasts.ledger.models import BotOwner, Member, MemberKind

_BATCH = 10_000  # handles in a statement
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
    _require_handle(handle)
    member = known(session, ("member", handle), lambda session: find_member(session, handle))
    if member is None:
        member = written(session, Member(handle=handle, kind=kind, created_at=now))
    return member


def members_or_new(
    session: Session, handles: Sequence[str], *, now: datetime, kinds: Mapping[str, str]
) -> dict[str, Member]:
    """Return the members with these handles; new ones are written in bulk.

    ``kinds``: of new members; human where none is given. BadInput as in ``member_or_new``.
    """
    found = _with_handles(session, handles)
    new = [handle for handle in dict.fromkeys(handles) if handle not in found]
    if not new:
        return found
    for handle in new:
        _require_handle(handle)
    columns: dict[str, list[Any]] = {
        "handle": new,
        "kind": [str(MemberKind(kinds.get(handle) or MemberKind.human)) for handle in new],
        "created_at": [now] * len(new),
    }
    append(session, "member", columns)
    return found | _with_handles(session, new)


def _with_handles(session: Session, handles: Sequence[str]) -> dict[str, Member]:
    found: dict[str, Member] = {}
    for start in range(0, len(handles), _BATCH):
        some = handles[start : start + _BATCH]
        rows = session.exec(select(Member).where(col(Member.handle).in_(some)))
        found |= {member.handle: member for member in rows}
    return found


def _require_handle(handle: str) -> None:
    if not handle or not handle.isprintable():
        raise BadInput(
            f"{handle!r} is not a handle: a handle is one line with at least one character.",
            remedy=Remedy("Set FORECASTS_MEMBER, or name a member with {}.", "", as_="NAME"),
        )
    require_name(handle, "The handle")


def kind_of(session: Session, member: Member) -> MemberKind:
    """Return the member's kind: an adopted member is a bot (``tokens.adopt``)."""
    if member.kind != MemberKind.human:
        return MemberKind(member.kind)
    adopted = session.exec(select(BotOwner.id).where(BotOwner.bot_id == member.id).limit(1))
    return MemberKind.human if adopted.first() is None else MemberKind.bot


def handle_of(session: Session, member_id: int) -> str:
    """Return the handle of the member with this id."""
    return session.get_one(Member, member_id).handle


def handles(session: Session) -> dict[int, str]:
    """Return every member's handle by id, in alphabetical order."""
    return dict(session.exec(select(Member.id, Member.handle).order_by(Member.handle)).all())
