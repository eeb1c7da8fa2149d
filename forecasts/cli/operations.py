"""The commands for operators: migrate, check, identify, move."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Engine
from typer import Argument, Option

from forecasts.access import identities
from forecasts.access.members import member_named
from forecasts.access.roles import is_shared
from forecasts.cli.console import now, print_json, print_line, print_note
from forecasts.cli.options import OnLedger, TextOrJson
from forecasts.cli.outputs import progress_bar
from forecasts.cli.root import app
from forecasts.cli.session import ledger, opened, print_migrated, settings
from forecasts.common.errors import BadInput, DatabaseError
from forecasts.common.text import count
from forecasts.ledger import schema
from forecasts.ledger.clock import act_time
from forecasts.ledger.database import reading, writing
from forecasts.ledger.urls import is_embedded, place
from forecasts.operations import health, transfer
from forecasts.operations.stamps import folder_of_proofs, later_than
from forecasts.views.runs import HealthCheck


@app.command(cls=OnLedger)
def migrate() -> None:
    """Create a ledger on a server, or update its schema.

    A ledger in a file is created and updated by the app and by every command; one on a server,
    which others use too, only by this command.
    """
    engine = opened(settings(), begin=True)
    migrated = schema.migrate(engine)
    if migrated is not None:
        print_migrated(engine, migrated)
    revision = schema.schema_revision(engine)
    print_line(f"The ledger {place(engine)} has schema {revision}, the newest.")
    _note_if_open(engine)


@app.command(cls=OnLedger)
def check(format_: TextOrJson = "text") -> None:
    """Check a ledger: schema, permissions, clock, rows and sign-in.

    Nothing is changed. Exit code 0: all is well; 1: something is not, with the remedy below it;
    2: the ledger could not be opened.
    """
    chosen, error = settings(), None
    try:
        found = health.check(opened(chosen), now)
    except DatabaseError as raised:
        error, found = raised, health.check_unopened(chosen.database_url, raised)
    found = [*found, health.check_sign_in()]
    if format_ == "json":
        print_json([HealthCheck.of(one, check=one.about) for one in found])
    for one in [] if format_ == "json" else found:
        if error is not None and one.about == "connection":
            continue  # it is printed last, as an error
        print_line(f"{'✓' if one.passed else '✗'} {one.about}: {one.result}")
        if not one.passed:
            print_line(f"  {one.remedy}")
    if error is not None:
        raise error
    failed = sum(not one.passed for one in found)
    if failed:
        print_note(f"{failed} of {len(found)} checks failed.")
        raise typer.Exit(1)
    print_note("All is well.")


@app.command(cls=OnLedger)
def identify(
    newcomer: Annotated[str, Argument(metavar="NEW", help="The handle created by signing in.")],
    known: Annotated[str, Argument(metavar="HANDLE", help="The member's earlier handle.")],
) -> None:
    """Link a new sign-in to an existing member. For the database owner only."""
    with writing(ledger(settings()), now) as session:
        identities.link_identity(
            session,
            member_named(session, newcomer),
            member_named(session, known),
            now=act_time(session),
        )
    print_line(f"{newcomer} is {known}: from now on this sign-in acts as {known}.")


@app.command(cls=OnLedger)
def move(
    to: Annotated[
        str | None,
        Option(metavar="URL|FILE", help="The target: an empty database or a new SQLite file."),
    ] = None,
    reopen: Annotated[
        bool,
        Option("--reopen", help="Let a file that was moved take acts again, and move nothing."),
    ] = False,
) -> None:
    """Move the ledger to another database and compare every row.

    Nobody can write to the original meanwhile. To continue an interrupted move, run the same
    command again. Afterwards a ledger in a file can be read, but refuses every act with a sentence
    that names the new place.
    """
    if (to is None) is not reopen:
        raise BadInput(
            "A move needs either --to or --reopen.",
            remedy="Name the target: forecasts move --to postgresql://me@host/forecasts",
        )
    source = opened(settings())
    if to is None:
        there = transfer.reopen(source)
        print_line(f"The ledger {place(source)} takes acts again.")
        print_note(
            f"{there} is not changed, and what is stored there is not stored here: let everyone "
            "use one of the two."
        )
        return
    target = opened(settings(database_url=to), begin=True, unfinished=True)
    try:
        with progress_bar("", "rows") as advance_to:

            def tell(step: transfer.Step) -> None:
                action = f"{step.act} {step.table.replace('_', ' ')}"
                advance_to(description=action, completed=step.done, total=step.rows)

            moved = transfer.move(source, target, on_step=tell)
    except KeyboardInterrupt:
        print_note("Stopped. To continue, run the same command again.")
        raise typer.Exit(130) from None
    rows = sum(moved.rows.values())
    resumed = " (resumed)" if moved.resumed else ""
    print_line(
        f"Moved {rows:,} rows of {len(moved.rows)} tables to {place(target)}{resumed}, and "
        "compared each with its original."
    )
    print_note(
        f"The ledger at {place(source)} can be read, and takes no more acts."
        if is_embedded(source)
        else f"The ledger at {place(source)} still takes acts. To refuse them, its owner runs: "
        f"ALTER DATABASE {source.url.database} SET default_transaction_read_only = on"
    )
    print_note("To use the new one, set FORECASTS_DATABASE_URL to it for everyone.")
    _note_stamps(source, target, settings().proofs_folder)
    _note_if_open(target)


def _note_stamps(source: Engine, target: Engine, chosen: Path | None) -> None:
    """Tell the operator where the stamps are, if they are looked for elsewhere from now on."""
    with reading(source) as session, reading(target) as moved:
        here, there = (folder_of_proofs(one, chosen) for one in (session, moved))
    if here != there and (kept := later_than(here, -1)):
        print_note(
            f"{count(kept, 'stamp')} of it in {here}: copy them to {there}, "
            "where forecasts verify looks for them."
        )


def _note_if_open(engine: Engine) -> None:
    """Tell the operator if a ledger on a server has no admin."""
    if is_embedded(engine):
        return
    with reading(engine) as session:
        shared = is_shared(session)
    if not shared:
        print_note(
            "It has no admin yet, so anyone who can open it may do anything in it. To appoint one: "
            "forecasts team appoint HANDLE admin (docs/teams.md)."
        )
