"""Members, teams and tokens."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from forecasts.access.roles import Scope
from forecasts.access.teams import Roster
from forecasts.ledger.models import MemberKind, Role
from forecasts.views.view import Next, View


class Member(View):
    """A member; a bot has an owner."""

    handle: str
    kind: MemberKind
    owner: str | None
    role: Role | None = Field(description="in the whole ledger")
    teams: dict[str, Role] = Field(description="the role in each team")


class Members(View):
    """A page of members, by handle."""

    members: list[Member]
    next: Next


class Me(View):
    """The caller and their token."""

    handle: str
    kind: MemberKind
    owner: str | None
    scopes: list[Scope]
    expires_at: datetime | None
    ledger: str = Field(description="the ledger's ID, as in receipts")


class EnteredLater(View):
    """A stay in a team that was entered after it began."""

    since: datetime | None = Field(description="forecasts count since then; null: all of them")
    entered_at: datetime


class TeamMember(View):
    """A member's place in a team."""

    handle: str
    role: Role
    joined_at: datetime | None
    entered_later: EnteredLater | None = Field(description="if earlier forecasts count too")


class Team(View):
    """A team with its current members."""

    name: str
    team: str = Field(description="the same as `name`")
    second_resolver: bool = Field(description="an outcome needs a second member's confirmation")
    members: list[TeamMember]


class Teams(View):
    """The teams, by name."""

    teams: list[Team]


class Appointment(View):
    """A member's role in the whole ledger."""

    handle: str
    role: Role


class TeamsAndRoles(Teams):
    """The teams, and the roles in the whole ledger."""

    ledger: list[Appointment]


class Token(View):
    """A token, without its secret."""

    handle: str
    key: str
    made_at: datetime
    expires_at: datetime | None
    scopes: list[Scope] | None = Field(description="null: all")
    state: str


def team(roster: Roster) -> Team:
    """Return a team with its current members."""
    name = roster.team.name
    members = [
        TeamMember.of(stay, handle=handle, entered_later=roster.later.get(stay.member_id))
        for handle, stay in roster.members
    ]
    return Team(name=name, team=name, second_resolver=roster.second_resolver, members=members)
