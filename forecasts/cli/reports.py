"""The command on what the scores show: report."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from forecasts.cli import app
from forecasts.cli.console import Database, emit, now, one_of, out, plain
from forecasts.cli.tables import Folder, Output, format_of, frames_of
from forecasts.errors import BadInput
from forecasts.times import read_time

if TYPE_CHECKING:
    from forecasts.reports.report import Report

# The formats, and the ending of a file that says so.
_FORMATS = {
    "text": ".txt",
    "json": ".json",
    "html": ".html",
    "pdf": ".pdf",
    "csv": ".csv",
    "md": ".md",
}


@app.command()
def report(
    folder: Folder = None,
    by: Annotated[str, typer.Option("--by", metavar="all|forecaster|team|tag|lead")] = "all",
    name: Annotated[
        list[str] | None,
        typer.Option(
            "--name",
            metavar="NAME",
            help="One of them only (by lead: days). Repeat it for several. [default: all]",
        ),
    ] = None,
    cohort: Annotated[
        str,
        typer.Option(
            "--cohort",
            metavar="scheduled|resolved",
            help="Questions whose scheduled close has passed, or all that are resolved.",
        ),
    ] = "scheduled",
    tag: Annotated[
        list[str] | None,
        typer.Option("--tag", metavar="TAG", help="Only questions with it. Repeat it for any of."),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            "--since", metavar="TIME", help="Only questions scheduled to close then or later."
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(
            "--until",
            metavar="TIME",
            help="Only questions scheduled to close then or earlier; of a day, by its end.",
        ),
    ] = None,
    lead: Annotated[
        float | None,
        typer.Option(
            "--lead",
            metavar="DAYS",
            help="Only forecasts as they stood so many days before the scheduled close.",
        ),
    ] = None,
    format_: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="text|json|html|pdf|csv|md",
            help="[default: by the ending of --output, else text]",
        ),
    ] = None,
    output: Output = None,
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of", metavar="TIME", help="The moment the report is made. [default: now]"
        ),
    ] = None,
    database: Database = None,
) -> None:
    """Report scores and calibration: what the record shows, and what luck could explain."""
    from forecasts.reports.build import build
    from forecasts.reports.report import By, Cohort

    chosen = format_of(format_, output, _FORMATS, "text")
    if chosen == "pdf" and output is None and sys.stdout.isatty():
        raise BadInput("A PDF is no text for a terminal.", remedy="Name a file with --output.")
    made = build(
        frames_of(folder, database, words=False),
        by=one_of("--by", by, get_args(By)),
        names=name or [],
        cohort=one_of("--cohort", cohort, get_args(Cohort)),
        tags=tag or [],
        since=None if since is None else read_time(since, now=now()),
        until=None if until is None else read_time(until, end_of_day=True, now=now()),
        lead=lead,
        as_of=now() if as_of is None else read_time(as_of, now=now()),
    )
    emit(_rendered(made, chosen), output)


def _rendered(made: Report, format_: str) -> str | bytes:
    # Only the chosen renderer is imported: each takes its time.
    if format_ == "json":
        from forecasts.reports.as_json import as_json

        return as_json(made)
    if format_ == "html":
        from forecasts.reports.as_html import as_html

        return as_html(made)
    if format_ == "pdf":
        from forecasts.reports.as_pdf import as_pdf

        return as_pdf(made)
    if format_ == "csv":
        from forecasts.reports.as_csv import as_csv

        return as_csv(made)
    if format_ == "md":
        from forecasts.reports.as_markdown import as_markdown

        return as_markdown(made)
    from forecasts.reports.as_text import as_text

    # Control signs in a name could command the terminal.
    width = out().width if sys.stdout.isatty() else 100
    return plain(as_text(made, width=width))
