"""The commands for files from elsewhere and of the ledger: import, export."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from forecasts.cli.console import now, print_line, print_note, zone_named
from forecasts.cli.import_output import import_or_preview, print_counted, print_wait
from forecasts.cli.outputs import progress_bar
from forecasts.cli.partition import Count, print_made, showing_steps
from forecasts.cli.root import app
from forecasts.cli.session import acting, acting_handle, ledger, previewing, reading_as, settings
from forecasts.cli.table_output import frames_of
from forecasts.common.errors import BadInput, command
from forecasts.exporting.export import export_as, write_export
from forecasts.folder.folder import is_ledger_folder
from forecasts.importing.aliases import aliases
from forecasts.importing.frames import import_frames
from forecasts.parts.export import export_parts
from forecasts.platforms.formats import read
from forecasts.platforms.record import Choices
from forecasts.platforms.source import opened
from forecasts.publication.forecast_proofs import FILE, write_proofs
from forecasts.values.typed_dates import read_date

_MOST_FILES = 20  # that an export lists


@app.command("import")
def import_(
    paths: Annotated[
        list[Path],
        Argument(
            metavar="PATH",
            help="A ledger folder, or exports of other platforms: each a file, a folder or a ZIP.",
        ),
    ],
    format_: Annotated[
        str | None,
        Option(
            "--format",
            metavar="NAME",
            help="The platform's format. [default: recognised from the content]",
            show_default=False,
        ),
    ] = None,
    dry_run: Annotated[
        bool, Option("--dry-run", help="Preview the import; nothing is written.")
    ] = False,
    timezone: Annotated[
        str, Option(metavar="ZONE", help="Time zone of times without one, such as Europe/Paris.")
    ] = "UTC",
    account: Annotated[
        str | None, Option(metavar="NAME", help="Your account, in a file with many forecasters.")
    ] = None,
    aggregates: Annotated[
        bool, Option("--aggregates", help="Import the platform's crowds too, as bots.")
    ] = False,
    real_ids: Annotated[
        bool,
        Option(
            "--real-ids",
            help="Keep anonymised ids as they are. They can be undone, so aliases are the default.",
        ),
    ] = False,
    column: Annotated[
        list[str] | None,
        Option(
            metavar="OURS=THEIRS", help="Read our column from theirs, in a spreadsheet. Repeatable."
        ),
    ] = None,
    closes: Annotated[
        str | None,
        Option(
            metavar="WHEN", help="The last day of a spreadsheet's open questions that name none."
        ),
    ] = None,
    vouch: Annotated[
        bool,
        Option(
            "--vouch",
            help="Vouch for the times of the forecasts; needs an admin. Otherwise they count from "
            "now on. Implied in a ledger of your own.",
        ),
    ] = False,
) -> None:
    """Import a ledger folder or exports of other platforms.

    All or nothing. Importing it again changes nothing; a newer export adds only new rows.
    """
    folder = next((path for path in paths if format_ is None and is_ledger_folder(path)), None)
    if folder is not None and len(paths) > 1:
        raise BadInput(
            f"{folder} is a ledger folder, which is imported alone.",
            remedy=f"Import it with a command of its own: {command('import', str(folder))}",
        )
    if folder is not None:
        _import_folder(folder, dry_run, vouch)
        return

    at, there = now(), zone_named(timezone)
    choices = Choices(
        owner=acting_handle(),
        zone=there,
        alias=str if real_ids else _aliases(dry_run),
        aggregates=aggregates,
        columns=dict(_columns(column or [])),
        closes=None if closes is None else read_date(closes, now=at, zone=there),
        now=at,
    )
    with progress_bar("import", "%") as advance_to, ExitStack() as open_files:
        records = {}  # a path that is given twice is read once
        for path in dict.fromkeys(paths):
            advance_to(description=f"Reading {path.name}")
            records[str(path)] = read(open_files.enter_context(opened(path)), choices, format_)
        import_or_preview(records, advance_to, dry_run=dry_run, vouch=vouch, account=account)


def _import_folder(folder: Path, dry_run: bool, vouch: bool) -> None:
    frames = frames_of(folder)
    if dry_run:
        with previewing() as (session, who, now):
            done = import_frames(session, frames, member=who, now=now, vouch=vouch, dry_run=True)
        print_line(f"An import would add {done}.")
        print_wait(done)
    else:
        with acting(begin=True) as (session, who, now):
            done = import_frames(session, frames, member=who, now=now, vouch=vouch)
        print_line(str(done))
    print_counted(done)


def _aliases(dry_run: bool) -> Callable[[str], str]:
    """Return the alias of an anonymised id; the ledger is opened for the first one."""

    @cache
    def made() -> Callable[[str], str]:

        if dry_run:
            with reading_as(begin=True) as (session, _, _):
                return aliases(session, now=None)
        with acting(begin=True) as (session, _, at):
            return aliases(session, now=at)

    return lambda id_: made()(id_)


def _columns(given: list[str]) -> Iterator[tuple[str, str]]:
    for pair in given:
        ours, is_pair, theirs = pair.partition("=")
        if not is_pair or not ours.strip():
            raise BadInput(
                f"--column {pair!r} does not name two columns.",
                remedy='Write ours=theirs, as in: --column "probability=My forecast"',
            )
        yield ours.strip(), theirs.strip()


@app.command()
def export(
    folder: Annotated[Path, Argument(metavar="PATH", help="The folder or file to write.")],
    format_: Annotated[
        str | None,
        Option(
            "--format",
            metavar="NAME",
            help="Another format: metaculus, json, calendar, forecastbench, forecasting-tools. "
            "[default: a ledger folder]",
            show_default=False,
        ),
    ] = None,
    overwrite: Annotated[
        bool, Option("--overwrite", help="Replace the ledger in the folder.")
    ] = False,
    proofs: Annotated[
        bool, Option("--proofs", help="Add proofs, so that verify --receipt works on the folder.")
    ] = False,
    parquet: Annotated[
        bool, Option("--parquet", help="Write a folder of parts in Parquet, for bulk scoring.")
    ] = False,
    parts: Count = None,
) -> None:
    """Export a ledger folder, or files in another platform's format.

    Anything that you may not see is left out.
    """
    if parquet:
        if format_ is not None or proofs or overwrite:
            raise BadInput(
                "--parquet makes a new folder, without proofs, and is a format of its own.",
                remedy="Leave out --format, --proofs and --overwrite.",
            )
        _export_parts(folder, parts)
        return
    if parts is not None:
        raise BadInput("Only --parquet writes parts.", remedy="Add --parquet.")
    if format_ is not None:
        _export_as(format_, folder, overwrite, proofs)
        return
    engine = ledger(settings())
    with reading_as(engine=engine) as (session, who, now):
        with progress_bar("Exporting", "forecasts", rate=True) as tell:
            files, omitted = write_export(
                session, folder, member=who, now=now, overwrite=overwrite, tell=tell
            )
        if proofs:
            files.append(write_proofs(session, folder, member=who, now=now))
        else:  # of the ledger that was replaced
            (folder / FILE).unlink(missing_ok=True)
    if omitted:
        print_note(f"Left out, because a ledger folder cannot hold it: {'; '.join(omitted)}.")
    for file in files:
        print_line(str(file))


def _export_parts(folder: Path, parts: int | None) -> None:

    engine = ledger(settings())
    with showing_steps() as tell, reading_as(engine=engine) as (session, who, now):
        made, omitted = export_parts(session, folder, member=who, now=now, parts=parts, tell=tell)
    if omitted:
        print_note(f"Left out, because a folder of parts cannot hold it: {'; '.join(omitted)}.")
    print_made(made)


def _export_as(name: str, path: Path, overwrite: bool, proofs: bool) -> None:

    if proofs:
        raise BadInput("Only a ledger folder can have proofs.", remedy="Leave out --format.")
    engine = ledger(settings())
    with reading_as(engine=engine) as (session, who, now):
        written = export_as(session, name, path, member=who, now=now, overwrite=overwrite)
    if written.left_out:
        print_note(
            f"Left out, because the format has no place for it: {'; '.join(written.left_out)}."
        )
    if len(written.files) > _MOST_FILES:
        print_line(f"{path}: {len(written.files):,} files")
        return
    for file in written.files:
        print_line(str(file))
