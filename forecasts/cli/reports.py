"""The command on what the scores show: report."""

from __future__ import annotations

from typing import Annotated, get_args

import typer

from forecasts.cli import app
from forecasts.cli.console import Database, emit, now, one_of
from forecasts.cli.renderings import Form, form_of, rendered
from forecasts.cli.selecting import AsOf, CohortName, Since, Tags, Until, moment
from forecasts.cli.tables import Folder, Output, frames_of


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
    cohort: CohortName = "scheduled",
    tag: Tags = None,
    since: Since = None,
    until: Until = None,
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
    as_of: AsOf = None,
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
        since=moment(since),
        until=moment(until, end_of_day=True),
        lead=lead,
        as_of=moment(as_of) or now(),
    )
    emit(rendered(made, chosen), output)
