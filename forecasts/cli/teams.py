"""The commands for teams and roles: team create, add, role, remove, agree, show, appoint."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option

from forecasts.access import roles, teams
from forecasts.access.members import member_named, member_or_new
from forecasts.access.roles import is_shared
from forecasts.access.teams import Roster
from forecasts.cli.console import day, one_of, print_json, print_line, print_now_shared
from forecasts.cli.dates import time_of
from forecasts.cli.options import Handle, TextOrJson
from forecasts.cli.root import group
from forecasts.cli.session import acting, reading_as
from forecasts.ledger.models import Membership, Role
from forecasts.views import members as views

team = group("team", help="Manage teams, their members' roles and their rules.")

ROLES = "viewer|forecaster|resolver|admin"
Team = Annotated[str, Argument(metavar="TEAM", help="The team's name.")]
RoleName = Annotated[
    str,
    Argument(
        metavar=ROLES,
        help="viewer: read; forecaster: also ask, forecast and propose; resolver: also resolve and "
        "reword; admin: also manage members.",
    ),
]


@team.command()
def create(name: Team) -> None:
    """Create a team and become its admin. The ledger's first team makes you its admin too."""
    with acting(begin=True) as (session, who, now):
        shared = is_shared(session)
        created = teams.create(session, name, member=who, now=now)
    print_line(f"{created.name}: created; {who.handle} is its admin")
    if not shared:
        print_now_shared(who.handle)


@team.command()
def add(
    name: Team,
    handle: Handle,
    role: Annotated[
        str | None, Option(metavar=ROLES, help="Their role in the team. [default: forecaster]")
    ] = None,
    since: Annotated[
        str | None,
        Option(
            metavar="TIME",
            help="Also count their forecasts from this time on, of a member too. A later time "
            "corrects it. Needs an admin of the ledger. [default: from now on]",
        ),
    ] = None,
) -> None:
    """Add a member to a team. An unknown handle becomes a member."""
    given = None if role is None else _role(role)
    with acting() as (session, who, now):
        found = teams.find(session, name)
        other = member_or_new(session, handle, now=now)
        start = time_of(since, past=True, moment=now)
        before = teams.roster(session, found, now=now).later.get(other.id)
        stay = teams.add(session, found, other, given, since=start, member=who, now=now)
    counted = "" if start is None else f"; forecasts count since {day(start)}"
    if start and before and before.since and before.since < start:
        counted += f" (before: since {day(before.since)})"
    print_line(f"{found.name}: {other.handle} is now {_as_role(stay.role)}{counted}")


@team.command()
def role(name: Team, handle: Handle, role: RoleName) -> None:
    """Change a member's role in a team."""
    given = _role(role)
    with acting() as (session, who, now):
        found, other = teams.find(session, name), member_named(session, handle)
        teams.set_role(session, found, other, given, member=who, now=now)
    print_line(f"{found.name}: {other.handle} is now {_as_role(given)}")


def _as_role(role: Role) -> str:
    return f"{'an' if role == 'admin' else 'a'} {role}"


def _role(name: str) -> Role:

    return Role(one_of("A role", name, [str(one) for one in Role]))


@team.command()
def remove(name: Team, handle: Handle) -> None:
    """Remove a member from a team. Their work in it is kept."""
    with acting() as (session, who, now):
        found, other = teams.find(session, name), member_named(session, handle)
        teams.remove(session, found, other, member=who, now=now)
    print_line(f"{found.name}: {other.handle} has left")


@team.command()
def agree(
    name: Team,
    second_resolver: Annotated[
        bool,
        Option(
            "--second-resolver/--no-second-resolver",
            help="Require a second member to confirm the outcome of a question, if the first has "
            "forecast it.",
        ),
    ],
) -> None:
    """Set a team's rule for resolving its questions."""
    with acting() as (session, who, now):
        found = teams.find(session, name)
        teams.set_rule(session, found, second_resolver=second_resolver, member=who, now=now)
        roster = teams.roster(session, found, now=now)
    print_line(f"{found.name}: {_rule(roster)}")


def _rule(roster: Roster) -> str:
    return (
        "nobody resolves alone a question that they have forecast"
        if roster.second_resolver
        else "any resolver may resolve a question alone"
    )


@team.command()
def show(
    name: Annotated[
        str | None, Argument(metavar="TEAM", help="Only this team. [default: every team]")
    ] = None,
    format_: TextOrJson = "text",
) -> None:
    """Show the members and roles of teams and of the whole ledger."""
    with reading_as() as (session, _, now):
        rosters = (
            teams.listing(session, now=now)
            if name is None
            else [teams.roster(session, teams.find(session, name), now=now)]
        )
        appointments = roles.appointments(session) if name is None else []
    if format_ == "json":
        print_json(
            views.TeamsAndRoles(
                teams=[views.team(roster) for roster in rosters],
                ledger=[views.Appointment(handle=who, role=role) for who, role in appointments],
            )
        )
        return
    for roster in rosters:
        print_line(f"{roster.team.name}: {_rule(roster)}")
        for handle, stay in roster.members:
            since = "" if stay.joined_at is None else f" since {day(stay.joined_at)}"
            print_line(f"  {handle}: {stay.role}{since}{_later(roster, stay)}")
    if appointments:
        print_line("The whole ledger")
        for handle, role in appointments:
            print_line(f"  {handle}: {role}")
    elif name is None:
        print_line("This ledger has no admin: anyone who can open it may do anything in it.")


def _later(roster: Roster, stay: Membership) -> str:
    """Return from when the forecasts of a member count by an entry made later, and its day."""
    if (entered := roster.later.get(stay.member_id)) is None:
        return ""
    start = "the beginning" if entered.since is None else day(entered.since)
    return f"; forecasts count since {start} (entered {day(entered.entered_at)})"


@team.command()
def appoint(handle: Handle, role: RoleName) -> None:
    """Give a member a role in the whole ledger."""
    given = _role(role)
    with acting(begin=True) as (session, who, now):
        other = member_or_new(session, handle, now=now)
        teams.appoint(session, other, given, member=who, now=now)
    print_line(f"{other.handle} is now {_as_role(given)} in the whole ledger")
