"""The commands of whoever looks after a ledger: migrate, check, move."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from forecasts.cli.console import (
    Database,
    ledger,
    messages,
    now,
    opened,
    out,
    plain,
    say_migrated,
    settings,
)
from forecasts.cli.root import app

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from forecasts.operations.transfer import Moved


@app.command()
def migrate(database: Database = None) -> None:
    """Bring a ledger's schema up to date.

    A ledger in a file is brought up to date by the app and every command; one on a server, which
    others use too, by this command alone, and begun by it.
    """
    from forecasts.ledger.database import migrate, schema_revision
    from forecasts.ledger.urls import place

    engine = opened(settings(database), begin=True)
    migrated = migrate(engine)
    if migrated is not None:
        say_migrated(engine, migrated)
    said = f"The ledger {place(engine)} has schema {schema_revision(engine)}, the newest."
    out().print(plain(said))
    _say_whose(engine)


@app.command()
def check(database: Database = None) -> None:
    """Say whether the ledger can be relied on: schema, permissions, triggers, clock, rows, sign-in.

    Nothing is changed. Exit code 0: all is well; 1: something is not, and what to do about it is
    said below it; 2: the ledger could not be opened.
    """
    from forecasts.operations.health import check, check_sign_in

    found = [*check(opened(settings(database)), now), check_sign_in()]
    for one in found:
        out().print(plain(f"{'✓' if one.well else '✗'} {one.about}: {one.said}"))
        if not one.well:
            out().print(plain(f"  {one.remedy}"))
    bad = sum(not one.well for one in found)
    if bad:
        messages().print(f"{bad} of {len(found)} {'is' if bad == 1 else 'are'} not well.")
        raise typer.Exit(1)
    messages().print("All is well.")


@app.command()
def identify(
    newcomer: Annotated[
        str, typer.Argument(metavar="NEW", help="The handle that somebody got by signing in.")
    ],
    known: Annotated[
        str, typer.Argument(metavar="HANDLE", help="The handle that they had before.")
    ],
    database: Database = None,
) -> None:
    """Say that somebody who has signed in is a member from before, as whom they go on.

    For the owner of the ledger's database alone, who can vouch for that.
    """
    from forecasts.access import identities, tokens
    from forecasts.access.members import member_named
    from forecasts.common.errors import Forbidden
    from forecasts.ledger.database import writing

    with writing(ledger(settings(database))) as session:
        if not tokens.owns(session):
            raise Forbidden(
                "Only the owner of the ledger's database says who somebody was before.",
                remedy="Open the ledger as its owner.",
            )
        identities.identify(
            session,
            member_named(session, newcomer),
            member_named(session, known),
            now=now(),
        )
    out().print(plain(f"{newcomer} is {known}: who signs in so acts as {known} from now on."))


@app.command()
def move(
    to: Annotated[
        str,
        typer.Option(
            "--to", metavar="URL|FILE", help="Where to: an empty database, or a new SQLite file."
        ),
    ],
    database: Database = None,
) -> None:
    """Copy the ledger to another database, whole and compared row by row.

    The ledger itself is left as it is, and nobody can write to it meanwhile. A move that was
    stopped goes on where it stopped when the same command is given again.
    """
    from forecasts.ledger.urls import place

    source = opened(settings(database))
    target = opened(settings(to), begin=True, unfinished=True)
    try:
        moved = _moved(source, target)
    except KeyboardInterrupt:
        messages().print("Stopped. The same command goes on from here.")
        raise typer.Exit(130) from None
    rows = sum(moved.rows.values())
    whole = "gone on with, " if moved.resumed else ""
    out().print(
        plain(
            f"Moved {rows:,} rows of {len(moved.rows)} tables to {place(target)}, {whole}each "
            f"compared with its original."
        )
    )
    messages().print(
        plain(
            f"The ledger at {place(source)} is as it was. Let everyone use the new one now: set "
            "FORECASTS_DATABASE_URL to it."
        )
    )
    _say_whose(target)


def _say_whose(engine: Engine) -> None:
    """Say of a ledger on a server that it is open to everyone, where that is so."""
    from forecasts.access.roles import is_shared
    from forecasts.ledger.database import reading
    from forecasts.ledger.urls import is_embedded

    if is_embedded(engine):
        return
    with reading(engine) as session:
        shared = is_shared(session)
    if not shared:
        messages().print(
            "Nobody is its admin yet, so whoever can open it may do everything in it. To name one: "
            "forecasts team appoint HANDLE admin (docs/teams.md)."
        )


def _moved(source: Engine, target: Engine) -> Moved:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from forecasts.operations import transfer

    console = messages()
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("rows"),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    ) as progress:
        bar = progress.add_task("", total=None)

        def tell(step: transfer.Step) -> None:
            said = f"{step.act} {step.table.replace('_', ' ')}"
            progress.update(bar, description=said, completed=step.done, total=step.rows)

        return transfer.move(source, target, tell=tell)
