"""The command on what the scores show: report."""

from __future__ import annotations

from typing import Annotated, get_args

import typer

from forecasts.cli import app
from forecasts.cli.console import Database, emit, now, one_of
from forecasts.cli.renderings import Form, form_of, rendered
from forecasts.cli.tables import Folder, Output, frames_of
from forecasts.times import read_time


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
    form: Form = None,
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

    chosen = form_of(form, output)
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
    emit(rendered(made, chosen), output)
