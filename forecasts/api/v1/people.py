"""Members, teams, and the caller themselves."""

from __future__ import annotations

from fastapi import APIRouter

from forecasts.access import teams, tokens
from forecasts.access.members import kind_of
from forecasts.access.roles import Scope
from forecasts.api.caller import At, Reads
from forecasts.api.paging import PAGE_SIZE, Cursor, Limit, place
from forecasts.ledger.models import Member
from forecasts.ledger.receipts import ledger_id
from forecasts.views.members import Me, Members, Teams, team
from forecasts.views.members import Member as MemberView

router = APIRouter(tags=["Members"])
_EVERY = 1_000_000


@router.get("/me")
def show_me(caller: Reads) -> Me:
    """Show the member whose token you sent, and its scopes."""
    with caller.reading() as at:
        return Me(
            handle=at.member.handle,
            kind=kind_of(at.session, at.member),
            owner=_owner(at, at.member),
            scopes=list(Scope) if at.token.scopes is None else at.token.scopes,
            expires_at=at.token.expires_at,
            ledger=ledger_id(at.session),
        )


@router.get("/members")
def list_members(caller: Reads, limit: Limit = PAGE_SIZE, cursor: Cursor = None) -> Members:
    """List the members by handle, with their kind and roles."""
    with caller.reading() as at:
        rows, _ = teams.members_page(at.session, now=at.now, size=_EVERY)
        found = {one.member.handle: one for one in rows}
        shown, following = place(cursor, at.now).page(list(found), limit)
        listed = [
            MemberView(
                handle=handle,
                kind=kind_of(at.session, found[handle].member),
                owner=_owner(at, found[handle].member),
                role=found[handle].appointed,
                teams=dict(found[handle].teams),
            )
            for handle in shown
        ]
    return Members(members=listed, next=following)


def _owner(at: At, member: Member) -> str | None:
    owner = tokens.owner_of(at.session, member)
    return None if owner is None else owner.handle


@router.get("/teams")
def list_teams(caller: Reads) -> Teams:
    """List the teams with their current members."""
    with caller.reading() as at:
        return Teams(teams=[team(one) for one in teams.listing(at.session, now=at.now)])
