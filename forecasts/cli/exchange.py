"""The commands for files from elsewhere and of the ledger: import, export."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from forecasts.cli.console import now, zone_named
from forecasts.cli.import_output import import_or_preview, print_counted, print_wait
from forecasts.cli.options import (
    Account,
    DryRun,
    ImportedVisibleTo,
    Overwrite,
    Vouch,
    argument,
    flag,
    option,
)
from forecasts.cli.outputs import progress_bar
from forecasts.cli.parts import Count, print_made, showing_steps
from forecasts.cli.printing import print_line, print_lines, print_note
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
        argument(
            "PATH",
            "A ledger folder, or exports of other platforms: each a file, a folder or a ZIP.",
        ),
    ],
    format_: Annotated[
        str | None, option("NAME", "The platform's format. [default: recognised]", "--format")
    ] = None,
    dry_run: DryRun = False,
    timezone: Annotated[
        str, option("ZONE", "Time zone of times without one, such as Europe/Paris.")
    ] = "UTC",
    account: Account = None,
    aggregates: Annotated[
        bool, flag("--aggregates", "Import the platform's crowds too, as bots.")
    ] = False,
    real_ids: Annotated[
        bool,
        flag(
            "--real-ids",
            "Keep anonymised ids as they are. They can be undone, so aliases are the default.",
        ),
    ] = False,
    column: Annotated[
        list[str] | None,
        option("OURS=THEIRS", "Our name for a spreadsheet's column; repeat for more."),
    ] = None,
    closes: Annotated[
        str | None, option("WHEN", "Last day of a spreadsheet's open questions that name none.")
    ] = None,
    vouch: Vouch = False,
    visible_to: ImportedVisibleTo = None,
) -> None:
    """Import a ledger folder or exports of other platforms.

    All or nothing. Importing it again changes nothing; a newer export adds only new rows.
    """
    folder = next((path for path in paths if format_ is None and is_ledger_folder(path)), None)
    if folder is not None:
        if len(paths) > 1:
            raise BadInput(
                f"{folder} is a ledger folder, which is imported alone.",
                remedy=f"Import it with a command of its own: {command('import', str(folder))}",
            )
        _import_folder(folder, dry_run, vouch, visible_to)
        return

    at, there = now(), zone_named(timezone)
    choices = Choices(
        owner=acting_handle(),
        zone=there,
        alias=str if real_ids else _aliases(dry_run),
        aggregates=aggregates,
        columns=dict(map(_column, column or ())),
        closes=None if closes is None else read_date(closes, now=at, zone=there),
        now=at,
    )
    with progress_bar("import", "%") as show, ExitStack() as open_files:
        records = {}  # a path that is given twice is read once
        for path in dict.fromkeys(paths):
            show(step=f"Reading {path.name}")
            records[str(path)] = read(open_files.enter_context(opened(path)), choices, format_)
        import_or_preview(
            records, show, dry_run=dry_run, vouch=vouch, visible_to=visible_to, account=account
        )


def _import_folder(folder: Path, dry_run: bool, vouch: bool, visible_to: str | None) -> None:
    frames = frames_of(folder)
    with previewing() if dry_run else acting(begin=True) as (session, who, now):
        how: dict[str, Any] = {"vouch": vouch, "visible_to": visible_to, "dry_run": dry_run}
        done = import_frames(session, frames, member=who, now=now, **how)
    print_line(f"An import would add {done}." if dry_run else str(done))
    if dry_run:
        print_wait(done)
    print_counted(done, "" if dry_run else "FIELD=VALUE")


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


def _column(pair: str) -> tuple[str, str]:
    ours, is_pair, theirs = pair.partition("=")
    if not is_pair or not ours.strip():
        raise BadInput(
            f"--column {pair!r} does not name two columns.",
            remedy='Write ours=theirs, as in: --column "probability=My forecast"',
        )
    return ours.strip(), theirs.strip()


@app.command()
def export(
    folder: Annotated[Path, argument("PATH", "The folder or file to write.")],
    format_: Annotated[
        str | None,
        option(
            "NAME",
            "Another format: metaculus, json, calendar, forecastbench, forecasting-tools. "
            "[default: a ledger folder]",
            "--format",
        ),
    ] = None,
    overwrite: Overwrite = False,
    proofs: Annotated[
        bool, flag("--proofs", "Add proofs, so that verify --receipt works on the folder.")
    ] = False,
    parquet: Annotated[
        bool, flag("--parquet", "Write a folder of parts in Parquet, for bulk scoring.")
    ] = False,
    parts: Count = None,
) -> None:
    """Export a ledger folder, or files in another platform's format.

    Anything that you may not see is left out.
    """
    if parquet and (format_ is not None or proofs or overwrite):
        raise BadInput(
            "--parquet makes a new folder, without proofs, and is a format of its own.",
            remedy="Leave out --format, --proofs and --overwrite.",
        )
    if parts is not None and not parquet:
        raise BadInput("Only --parquet writes parts.", remedy="Add --parquet.")
    if format_ is not None and proofs:
        raise BadInput("Only a ledger folder can have proofs.", remedy="Leave out --format.")
    with reading_as(engine=ledger(settings())) as (session, who, now):
        if parquet:
            with showing_steps() as tell:
                made, omitted = export_parts(
                    session, folder, member=who, now=now, parts=parts, tell=tell
                )
            _print_left_out("a folder of parts cannot hold it", omitted)
            print_made(made)
            return
        if format_ is not None:
            written = export_as(session, format_, folder, member=who, now=now, overwrite=overwrite)
            _print_left_out("the format has no place for it", written.left_out)
            _print_files(folder, written.files)
            return
        with progress_bar("Exporting", "forecasts", rate=True) as tell:
            files, omitted = write_export(
                session, folder, member=who, now=now, overwrite=overwrite, tell=tell
            )
        if proofs:
            files.append(write_proofs(session, folder, member=who, now=now))
        else:  # of the ledger that was replaced
            (folder / FILE).unlink(missing_ok=True)
    _print_left_out("a ledger folder cannot hold it", omitted)
    _print_files(folder, files)


def _print_left_out(why: str, omitted: Sequence[str]) -> None:
    if omitted:
        print_note(f"Left out, because {why}: {'; '.join(omitted)}.")


def _print_files(folder: Path, files: Sequence[Path]) -> None:
    if len(files) > _MOST_FILES:
        print_line(f"{folder}: {len(files):,} files")
    else:
        print_lines(map(str, files))
