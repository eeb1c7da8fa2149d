"""Members, teams, and the caller themselves."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from forecasts.access import teams, tokens
from forecasts.access.members import kind_of
from forecasts.access.roles import Scope
from forecasts.api.answers import reads
from forecasts.api.caller import At
from forecasts.api.paging import PAGE_SIZE, Cursor, Limit, place
from forecasts.ledger.models import Member
from forecasts.ledger.receipts import ledger_id
from forecasts.views.members import Me, Members, Teams, team
from forecasts.views.members import Member as MemberView

router = APIRouter(tags=["Members"])
_EVERY = 1_000_000


@router.get("/me")
@reads
def show_me(at: At) -> Me:
    """Show the member whose token you sent, and its scopes."""
    return Me(
        **_member(at, at.member),
        scopes=list(Scope) if at.token.scopes is None else at.token.scopes,
        expires_at=at.token.expires_at,
        ledger=ledger_id(at.session),
    )


@router.get("/members")
@reads
def list_members(at: At, limit: Limit = PAGE_SIZE, cursor: Cursor = None) -> Members:
    """List the members by handle, with their kind and roles."""
    rows, _ = teams.members_page(at.session, now=at.now, size=_EVERY)
    found = {one.member.handle: one for one in rows}
    shown, following = place(cursor, at.now).page(list(found), limit)
    listed = [
        MemberView(**_member(at, one.member), role=one.appointed, teams=dict(one.teams))
        for one in map(found.__getitem__, shown)
    ]
    return Members(members=listed, next=following)


def _member(at: At, member: Member) -> dict[str, Any]:
    owner = tokens.owner_of(at.session, member)
    kind = kind_of(at.session, member)
    return {
        "handle": member.handle,
        "kind": kind,
        "owner": None if owner is None else owner.handle,
    }


@router.get("/teams")
@reads
def list_teams(at: At) -> Teams:
    """List the teams with their current members."""
    return Teams(teams=[team(one) for one in teams.listing(at.session, now=at.now)])
