"""The command for track records and calibration: report."""

from __future__ import annotations

from typing import Annotated, get_args

import typer

from forecasts.cli.console import Database, emit, now, one_of
from forecasts.cli.report_options import (
    AsOf,
    CohortName,
    Lead,
    Since,
    Tags,
    Until,
    selection,
    time_of,
)
from forecasts.cli.report_output import ReportFormat, rendered, report_format
from forecasts.cli.root import app
from forecasts.cli.table_output import Folder, Output, frames_of


@app.command()
def report(
    folder: Folder = None,
    by: Annotated[
        str,
        typer.Option(
            "--by", metavar="all|forecaster|team|tag|lead", help="Report each of these separately."
        ),
    ] = "all",
    name: Annotated[
        list[str] | None,
        typer.Option(
            "--name",
            metavar="NAME",
            help="Only this name (with --by lead: days); repeat for more. [default: all]",
        ),
    ] = None,
    cohort: CohortName = "scheduled",
    tag: Tags = None,
    since: Since = None,
    until: Until = None,
    lead: Lead = None,
    form: ReportFormat = None,
    output: Output = None,
    as_of: AsOf = None,
    database: Database = None,
) -> None:
    """Report scores and calibration, and compare them with luck."""
    from forecasts.reports.build import build
    from forecasts.reports.report import By

    form = report_format(form, output)
    made = build(
        frames_of(folder, database, rationales=False),
        by=one_of("--by", by, get_args(By)),
        names=name or [],
        choice=selection(cohort, tag, since, until, lead),
        as_of=time_of(as_of) or now(),
    )
    emit(rendered(made, form), output)
