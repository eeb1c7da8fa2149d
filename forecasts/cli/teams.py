"""The commands on who belongs to a team and in which role: team create, add, role, remove."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from forecasts.cli.console import (
    Database,
    Member,
    acting,
    ledger,
    now,
    one_of,
    out,
    plain,
    reading_as,
    say_shared,
    settings,
)
from forecasts.cli.root import app

if TYPE_CHECKING:
    from forecasts.access.teams import Roster

team = typer.Typer(
    name="team",
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Make a team, say who belongs to it in which role, and what it has agreed on.",
)
app.add_typer(team)

ROLES = "viewer|forecaster|resolver|admin"
Team = Annotated[str, typer.Argument(metavar="TEAM", help="The team's name.")]
Who = Annotated[str, typer.Argument(metavar="HANDLE", help="Whom it is about.")]
RoleName = Annotated[
    str,
    typer.Argument(
        metavar=ROLES,
        help="Each may do what those before may: see; ask, forecast and propose; decide and "
        "reword; say who belongs.",
    ),
]


@team.command()
def create(name: Team, database: Database = None, member: Member = None) -> None:
    """Make a team, and be its first admin. In a ledger of your own you become its admin too."""
    from forecasts.access import teams
    from forecasts.access.roles import is_shared
    from forecasts.ledger.database import writing

    chosen, moment = settings(database, member), now()
    with writing(ledger(chosen, begin=True)) as session:
        shared = is_shared(session)
        who = acting(session, chosen, now=moment)
        made = teams.create(session, name, member=who, now=moment)
    out().print(plain(f"{made.name}: made; {who.handle} is its admin"))
    if not shared:
        say_shared(who.handle)


@team.command()
def add(
    name: Team,
    handle: Who,
    role: Annotated[str, typer.Option("--role", metavar=ROLES)] = "forecaster",
    database: Database = None,
    member: Member = None,
) -> None:
    """Take a member into a team; somebody new becomes a member by it."""
    _place(name, handle, role, database, member)


@team.command()
def role(
    name: Team, handle: Who, role: RoleName, database: Database = None, member: Member = None
) -> None:
    """Give a member of a team another role, from now on."""
    _place(name, handle, role, database, member, inside=True)


def _place(
    name: str,
    handle: str,
    role: str,
    database: str | None,
    member: str | None,
    *,
    inside: bool = False,
) -> None:
    from forecasts.access import teams
    from forecasts.access.members import member_named, member_or_new
    from forecasts.ledger.database import writing
    from forecasts.ledger.models import Role

    chosen, moment = settings(database, member), now()
    given = Role(one_of("A role", role, [str(one) for one in Role]))
    with writing(ledger(chosen)) as session:
        who = acting(session, chosen, now=moment)
        found = teams.find(session, name)
        whom = (
            member_named(session, handle) if inside else member_or_new(session, handle, now=moment)
        )
        teams.place(session, found, whom, given, member=who, now=moment)
    out().print(plain(f"{found.name}: {whom.handle} is a {given} from now on"))


@team.command()
def remove(name: Team, handle: Who, database: Database = None, member: Member = None) -> None:
    """End a member's stay in a team. What they did in it stays."""
    from forecasts.access import teams
    from forecasts.access.members import member_named
    from forecasts.ledger.database import writing

    chosen, moment = settings(database, member), now()
    with writing(ledger(chosen)) as session:
        who = acting(session, chosen, now=moment)
        found, whom = teams.find(session, name), member_named(session, handle)
        teams.remove(session, found, whom, member=who, now=moment)
    out().print(plain(f"{found.name}: {whom.handle} has left it"))


@team.command()
def agree(
    name: Team,
    second_resolver: Annotated[
        bool,
        typer.Option(
            "--second-resolver/--no-second-resolver",
            help="Whether nobody resolves a question of the team alone on which they have "
            "forecast: one proposes the outcome, and another confirms it.",
        ),
    ],
    database: Database = None,
    member: Member = None,
) -> None:
    """Say what a team has agreed on."""
    from forecasts.access import teams
    from forecasts.ledger.database import writing

    chosen, moment = settings(database, member), now()
    with writing(ledger(chosen)) as session:
        who = acting(session, chosen, now=moment)
        found = teams.find(session, name)
        teams.agree(session, found, second_resolver=second_resolver, member=who, now=moment)
        roster = teams.roster(session, found, now=moment)
    out().print(plain(f"{found.name}: {_rule(roster)}"))


def _rule(roster: Roster) -> str:
    return (
        "nobody resolves alone a question on which they have forecast"
        if roster.second_resolver
        else "whoever may resolve a question may do so alone"
    )


@team.command()
def show(
    name: Annotated[
        str | None, typer.Argument(metavar="[TEAM]", help="[default: every team]")
    ] = None,
    database: Database = None,
    member: Member = None,
) -> None:
    """Show who is in a team, since when and in which role; and the roles in the whole ledger."""
    from forecasts.access import teams

    moment = now()
    with reading_as(settings(database, member)) as (session, _):
        rosters = (
            teams.listing(session, now=moment)
            if name is None
            else [teams.roster(session, teams.find(session, name), now=moment)]
        )
        everywhere = teams.appointments(session) if name is None else []
    for roster in rosters:
        out().print(plain(f"{roster.team.name}: {_rule(roster)}"))
        for handle, stay in roster.members:
            since = "" if stay.joined_at is None else f" since {stay.joined_at:%Y-%m-%d}"
            out().print(plain(f"  {handle}: {stay.role}{since}"))
    if everywhere:
        out().print("The whole ledger")
        for handle, held in everywhere:
            out().print(plain(f"  {handle}: {held}"))
    elif name is None:
        out().print("This ledger has no admin: whoever can open it may do everything in it.")


@team.command()
def appoint(handle: Who, role: RoleName, database: Database = None, member: Member = None) -> None:
    """Give a member a role in the whole ledger. Its admins may do everything."""
    from forecasts.access import teams
    from forecasts.access.members import member_or_new
    from forecasts.ledger.database import writing
    from forecasts.ledger.models import Role

    chosen, moment = settings(database, member), now()
    given = Role(one_of("A role", role, [str(one) for one in Role]))
    with writing(ledger(chosen, begin=True)) as session:
        who = acting(session, chosen, now=moment)
        whom = member_or_new(session, handle, now=moment)
        teams.appoint(session, whom, given, member=who, now=moment)
    out().print(plain(f"{whom.handle} is a {given} in the whole ledger from now on"))
