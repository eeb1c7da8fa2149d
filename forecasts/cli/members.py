"""The commands for members, teams, roles and tokens: team, token, member, identify."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import Engine
from sqlmodel import Session

from forecasts.access import identities, members, roles, teams, tokens
from forecasts.cli.console import day, now, one_of, when
from forecasts.cli.dates import time_of
from forecasts.cli.options import Handle, OnLedger, TextOrJson, argument, flag, option
from forecasts.cli.printing import (
    WRAPPED,
    print_line,
    print_note,
    print_table,
    printed_json,
)
from forecasts.cli.root import app, group
from forecasts.cli.session import (
    acting,
    as_member,
    ledger,
    ledger_to_read,
    next_step,
    reading_as,
    settings,
    use_own_zone,
)
from forecasts.common.errors import BadInput, Forbidden, Refused
from forecasts.common.json_text import json_ready, json_text
from forecasts.common.private_files import create_private, create_private_folder
from forecasts.common.text import without_formulas
from forecasts.ledger import clock, models
from forecasts.ledger.database import reading, writing
from forecasts.operations import privacy
from forecasts.views import members as views

team = group("team", help="Manage teams, their members' roles and their rules.")
token = group("token", help="Manage tokens, by which bots and scripts act.")
member = group("member", help="Export or remove a member's data, or adopt a model as your bot.")

ROLES = "viewer|forecaster|resolver|admin"
Team = Annotated[str, argument("TEAM", "The team's name.")]
RoleName = Annotated[
    str,
    argument(
        ROLES,
        "viewer: read; forecaster: also ask, forecast and propose; resolver: also resolve and "
        "reword; admin: also manage members.",
    ),
]
Repeated = Annotated[str | None, option("HANDLE", "Repeat the handle instead of being prompted.")]


@team.command("create")
def create_team(name: Team) -> None:
    """Create a team that you manage. The ledger's first team makes you the ledger's admin."""
    with acting(begin=True) as (session, who, now):
        created = teams.create(session, name, member=who, now=now)
    print_line(f"{created.name}: created, without members")
    print_note(f"To add a member, or yourself: {next_step('team add', created.name, 'HANDLE')}")


@team.command()
def add(
    name: Team,
    handle: Handle,
    role: Annotated[
        str | None, option(ROLES, "Their role in the team. [default: forecaster]")
    ] = None,
    since: Annotated[
        str | None,
        option(
            "TIME",
            "Also count their forecasts from this time on, of a member too. A later time "
            "corrects it. Needs an admin of the ledger. [default: from now on]",
        ),
    ] = None,
) -> None:
    """Add a member to a team. An unknown handle becomes a member."""
    given = None if role is None else _role(role)
    with acting() as (session, who, now):
        found = teams.find(session, name)
        unknown = identities.unknown_note(session, handle)
        other = members.member_or_new(session, handle, now=now)
        start = time_of(since, past=True, moment=now)
        before = teams.roster(session, found, now=now).later.get(other.id)
        stay = teams.add(session, found, other, given, since=start, member=who, now=now)
    counted = "" if start is None else f"; forecasts count since {day(start)}"
    if start and before and before.since and before.since < start:
        counted += f" (before: since {day(before.since)})"
    print_line(f"{found.name}: {other.handle} is now {_as_role(stay.role)}{counted}")
    if unknown:
        undo = next_step("team remove", found.name, other.handle)
        print_note(f"{unknown} If the name is wrong: {undo}")


@team.command()
def role(name: Team, handle: Handle, role: RoleName) -> None:
    """Change a member's role in a team."""
    given = _role(role)
    with acting() as (session, who, now):
        found, other = teams.find(session, name), members.member_named(session, handle)
        teams.set_role(session, found, other, given, member=who, now=now)
    print_line(f"{found.name}: {other.handle} is now {_as_role(given)}")


def _as_role(role: models.Role) -> str:
    return f"{'an' if role == 'admin' else 'a'} {role}"


def _role(name: str) -> models.Role:
    return models.Role(one_of("A role", name, [str(one) for one in models.Role]))


@team.command("remove")
def remove_from_team(name: Team, handle: Handle) -> None:
    """Remove a member from a team. Their work in it is kept."""
    with acting() as (session, who, now):
        found, other = teams.find(session, name), members.member_named(session, handle)
        teams.remove(session, found, other, member=who, now=now)
    print_line(f"{found.name}: {other.handle} has left")


@team.command()
def agree(
    name: Team,
    second_resolver: Annotated[
        bool,
        flag(
            "--second-resolver/--no-second-resolver",
            "Require a second member to confirm the outcome of a question, if the first has "
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


def _rule(roster: teams.Roster) -> str:
    return (
        "nobody resolves alone a question that they have forecast"
        if roster.second_resolver
        else "any resolver may resolve a question alone"
    )


@team.command()
def show(
    name: Annotated[str | None, argument("TEAM", "Only this team. [default: every team]")] = None,
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

    def document() -> views.TeamsAndRoles:
        return views.TeamsAndRoles(
            teams=[views.team(roster) for roster in rosters],
            ledger=[views.Appointment(handle=who, role=role) for who, role in appointments],
        )

    if printed_json(format_, document):
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


def _later(roster: teams.Roster, stay: models.Membership) -> str:
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
        unknown = identities.unknown_note(session, handle)
        other = members.member_or_new(session, handle, now=now)
        teams.appoint(session, other, given, member=who, now=now)
    print_line(f"{other.handle} is now {_as_role(given)} in the whole ledger")
    if unknown and given is not models.Role.viewer:
        undo = next_step("team appoint", other.handle, "viewer")
        print_note(f"{unknown} If the name is wrong: {undo}")


@contextmanager
def _administering(
    engine: Engine | None = None, *, begin: bool = False
) -> Iterator[tuple[Session, models.Member | None, datetime]]:
    """Yield a session that writes, the member who acts, and the act's time.

    The member is None for the owner of the database without a token. ``begin`` as in ``ledger``.
    """
    with writing(engine or ledger(settings(), begin=begin), now) as session:
        at = clock.act_time(session)
        yield session, _by(session, at), at


def _by(session: Session, at: datetime) -> models.Member | None:
    """Return the member who acts; None for the owner of the database without a token."""
    chosen = settings()
    if chosen.token is None and tokens.is_database_owner(session):
        return None
    return as_member(tokens.acting_member, session, chosen, at)


def _owner_by_name(session: Session, at: datetime) -> models.Member | None:
    """Return the member of the settings, None if a name alone proves nothing."""
    with suppress(Forbidden):
        return as_member(tokens.acting_member, session, settings(), at)
    return None


@token.command()
def create(
    name: Annotated[str, argument("NAME", "The bot's handle; a new one becomes your bot.")],
    scope: Annotated[
        list[str] | None,
        option(
            "read|forecast|ask|resolve|admin",
            "Allow only this; repeat for more. forecast includes proposing outcomes, resolve "
            "deciding them. [default: read, forecast and ask]",
        ),
    ] = None,
    expires: Annotated[str | None, option("TIME", "Last day or time. [default: never]")] = None,
) -> None:
    """Create a token for a bot or script, and print it once.

    Send it with each request to the API, or pass it to a script in FORECASTS_TOKEN.
    """
    use_own_zone()
    until = time_of(expires, end_of_day=True)
    with _administering(begin=True) as (session, who, at):
        issued = tokens.create(
            session,
            name,
            member=who,
            owner=who or _owner_by_name(session, at),
            now=at,
            expires_at=until,
            scopes=scope or tokens.USUAL_SCOPES,
        )
        handle, secret, key = issued.member.handle, issued.secret, issued.token.key
    typer.echo(secret)
    print_note(
        f"{handle} acts with this token (scopes: {', '.join(issued.token.scopes or ())}). It is "
        f"not shown again. To revoke it: forecasts token revoke {key}"
    )


@token.command("list")
def list_(format_: TextOrJson = "text") -> None:
    """List tokens with their holders, expiry and state."""
    moment = now()
    with reading(ledger_to_read(settings())) as session:
        rows = tokens.listing(session)
    listed = [
        views.Token.of(
            one.token, handle=one.handle, made_at=one.token.recorded_at, state=one.state(moment)
        )
        for one in rows
    ]
    if printed_json(format_, listed):
        return
    if not rows:
        print_note("There are no tokens. Create one with: forecasts token create NAME")
        return
    columns = {"handle": {}, "key": {}, "expires": {}, "scopes": WRAPPED, "state": {}}
    print_table(columns, map(_cells, listed))


def _cells(one: views.Token) -> tuple[str, ...]:
    expires = "never" if one.expires_at is None else when(one.expires_at)
    scopes = "all" if one.scopes is None else ", ".join(one.scopes)
    return one.handle, one.key, expires, scopes, one.state


@token.command()
def revoke(
    named: Annotated[str, argument("KEY|NAME", "A token's key, or a script with all its tokens.")],
) -> None:
    """Revoke tokens from now on."""
    with _administering() as (session, who, at):
        revoked = tokens.revoke(session, named, member=who, now=at)
    for one in revoked:
        already = "" if one.revoked_at is None else "already "
        print_line(f"{one.handle}: {one.token.key} {already}revoked")


@member.command()
def export(
    handle: Handle, folder: Annotated[Path, argument("FOLDER", "Folder to create.")]
) -> None:
    """Export everything about a member, as JSON and CSV files.

    In CSV, an apostrophe is put before texts that a spreadsheet would take for formulas.
    """
    moment = now()
    with reading(ledger(settings())) as session:
        found = privacy.everything(session, handle, member=_by(session, moment), now=moment)
    for file in _write(folder, json_ready(found)):
        print_line(str(file))


def _cell(value: Any) -> Any:
    text = json_text(value).strip() if isinstance(value, list | dict) else value
    return without_formulas(text) if isinstance(text, str) else text


def _write(folder: Path, tables: dict[str, list[dict[str, Any]]]) -> list[Path]:
    try:
        if folder.exists() and any(folder.iterdir()):
            raise Refused(f"The folder {str(folder)!r} is not empty.", remedy="Name a new one.")
        create_private_folder(folder)
        files = [folder / "member.json"]
        create_private(files[0])
        files[0].write_text(json_text(tables), encoding="utf-8")
        for name, rows in tables.items():
            files.append(folder / f"{name}.csv")
            create_private(files[-1])
            with files[-1].open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
                writer.writeheader()
                writer.writerows({column: _cell(row[column]) for column in row} for row in rows)
    except OSError as error:
        raise BadInput(
            f"The folder {str(folder)!r} cannot be written: {error.strerror or error}.",
            remedy="Name a folder that you may write to.",
        ) from error
    return files


def _require_repeated(handle: str, given: str | None, act: str) -> None:
    """Raise Refused unless the handle is repeated, in the option or at the prompt."""
    if given is None:
        given = typer.prompt(f"This cannot be undone. To {act}, type the handle", err=True)
    if given != handle:
        raise Refused(f"{given!r} is not {handle!r}; nothing was changed.")


@member.command()
def adopt(handle: Handle, confirm: Repeated = None) -> None:
    """Make a member who is a model your bot, for good. Past forecasts count as a bot's too.

    For a model that acted under a name before models were bots, or a bot without an owner. Names,
    forecasts and scores stay. Someone who signs in, or has a role in the whole ledger, is a person.
    """
    _require_repeated(handle, confirm, f"make {handle} your bot")
    with _administering() as (session, who, at):
        owner = who or _owner_by_name(session, at)
        tokens.adopt(session, handle, member=who, owner=owner, now=at)
    print_line(f"{handle} is a bot of {owner.handle if owner else 'nobody'}.")


@member.command()
def remove(handle: Handle, confirm: Repeated = None) -> None:
    """Remove a member's name and texts for good. Their forecasts and scores are kept.

    A tombstone such as "removed member 7" replaces the name, and history stays intact. Backups and
    copies of the ledger are not changed.
    """
    engine = ledger(settings())
    with reading(engine) as session:
        members.member_named(session, handle)
    _require_repeated(handle, confirm, f"remove the name and texts of {handle}")
    with _administering(engine) as (session, who, at):
        done = privacy.remove(session, handle, member=who, now=at)
    privacy.sweep(engine)
    rows = ", ".join(f"{count:,} in {name.replace('_', ' ')}" for name, count in done.rows.items())
    print_line(f"{handle} is now {done.handle}. Texts removed: {rows}.")
    print_note("Backups and copies of this ledger still contain them.")


@app.command(cls=OnLedger)
def identify(
    newcomer: Annotated[str, argument("NEW", "The handle created by signing in.")],
    known: Annotated[str, argument("HANDLE", "The member's earlier handle.")],
) -> None:
    """Link a new sign-in to an existing member. For the database owner only."""
    with writing(ledger(settings()), now) as session:
        new, old = (members.member_named(session, name) for name in (newcomer, known))
        identities.link_identity(session, new, old, now=clock.act_time(session))
    print_line(f"{newcomer} is {known}: from now on this sign-in acts as {known}.")
