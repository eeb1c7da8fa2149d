"""The commands for folders of plain files: import, export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from forecasts.cli.console import print_line, print_note
from forecasts.cli.options import Database, Member
from forecasts.cli.root import app
from forecasts.cli.session import acting, ledger, reading_as, settings
from forecasts.cli.table_output import frames_of


@app.command("import")
def import_(
    folder: Annotated[
        Path, Argument(metavar="FOLDER", help="A ledger folder or a ZIP archive of one.")
    ],
    vouch: Annotated[
        bool,
        Option(
            "--vouch",
            help="Vouch for the folder's forecast times; needs an admin. Otherwise the forecasts "
            "count from now on. Implied in a ledger of your own.",
        ),
    ] = False,
    database: Database = None,
    member: Member = None,
) -> None:
    """Import a ledger folder, all or nothing. Importing it again changes nothing."""
    from forecasts.exchange.import_ import compact, import_frames

    frames = frames_of(folder, None)
    compact(frames)
    with acting(database, member, begin=True) as (session, who, now):
        done = import_frames(session, frames, member=who, now=now, vouch=vouch)
    print_line(str(done))
    if done.private_note:
        print_note(done.private_note)
    if done.unvouched:
        print_note(
            f"{done.unvouched} of the forecasts count as made now, because nobody vouches for the "
            "folder's times. An admin of the ledger can: forecasts import --vouch"
        )


@app.command()
def export(
    folder: Annotated[Path, Argument(metavar="FOLDER", help="The ledger folder to write.")],
    overwrite: Annotated[
        bool, Option("--overwrite", help="Replace the ledger in the folder.")
    ] = False,
    proofs: Annotated[
        bool, Option("--proofs", help="Add proofs, so that verify --receipt works on the folder.")
    ] = False,
    database: Database = None,
    member: Member = None,
) -> None:
    """Export the ledger as a folder of plain files.

    Anything that you may not see is left out.
    """
    from forecasts.exchange.export import exported
    from forecasts.exchange.folder.folder import write_folder
    from forecasts.exchange.proofs import FILE, write_proofs

    engine = ledger(settings(database, member))
    with reading_as(database, member, engine=engine) as (session, who, now):
        frames, omitted = exported(session, member=who, now=now)
        files = write_folder(frames, folder, overwrite=overwrite)
        if proofs:
            files.append(write_proofs(session, folder, member=who, now=now))
        else:  # of the ledger that was replaced
            (folder / FILE).unlink(missing_ok=True)
    if omitted:
        print_note(f"Left out, because a ledger folder cannot hold it: {'; '.join(omitted)}.")
    for file in files:
        print_line(str(file))
