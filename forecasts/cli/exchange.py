"""The commands between the ledger and a folder of plain files: import, export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from forecasts.cli.console import (
    Database,
    Member,
    acting,
    ledger,
    messages,
    now,
    out,
    plain,
    reading_as,
    settings,
)
from forecasts.cli.root import app
from forecasts.cli.table_output import frames_of


@app.command("import")
def import_(
    folder: Annotated[Path, typer.Argument(help="A ledger folder, or a ZIP archive of one.")],
    vouch: Annotated[
        bool,
        typer.Option(
            "--vouch",
            help="Vouch that the forecasts were made when the folder says. It takes an admin; "
            "in a ledger of your own you do. Else they count from now on.",
        ),
    ] = False,
    database: Database = None,
    member: Member = None,
) -> None:
    """Take a ledger folder into the ledger, all or nothing; the same twice changes nothing."""
    from forecasts.exchange.import_ import import_frames
    from forecasts.ledger.database import writing

    chosen, moment = settings(database, member), now()
    frames = frames_of(folder, None)
    with writing(ledger(chosen, begin=True)) as session:
        who = acting(session, chosen, now=moment)
        done = import_frames(session, frames, member=who, now=moment, vouch=vouch)
    out().print(str(done))
    if done.unvouched:
        messages().print(
            f"{done.unvouched} of the forecasts count as made now, and not when the folder says: "
            "nobody vouches for that. An admin of the ledger can, with: forecasts import --vouch"
        )


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(help="Where the ledger folder shall be.")],
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the ledger that is in the folder.")
    ] = False,
    database: Database = None,
    member: Member = None,
) -> None:
    """Write the ledger as a folder of plain files; what you may not see is not among it."""
    from forecasts.exchange.export import exported
    from forecasts.exchange.folder.folder import write_folder

    chosen = settings(database, member)
    with reading_as(chosen, ledger(chosen)) as (session, who):
        frames, beyond = exported(session, member=who, now=now())
    files = write_folder(frames, folder, overwrite=overwrite)
    if beyond:
        messages().print(
            "Left out, as a ledger folder has no place for it: " + "; ".join(beyond) + "."
        )
    out().print(plain("\n".join(str(file) for file in files)))
