"""The command on what the scores show: report."""

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
    chosen,
    moment,
)
from forecasts.cli.report_output import Form, form_of, rendered
from forecasts.cli.root import app
from forecasts.cli.table_output import Folder, Output, frames_of


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
    lead: Lead = None,
    form: Form = None,
    output: Output = None,
    as_of: AsOf = None,
    database: Database = None,
) -> None:
    """Report scores and calibration: what the record shows, and what luck could explain."""
    from forecasts.reports.build import build
    from forecasts.reports.report import By

    rendering = form_of(form, output)
    made = build(
        frames_of(folder, database, words=False),
        by=one_of("--by", by, get_args(By)),
        names=name or [],
        choice=chosen(cohort, tag, since, until, lead),
        as_of=moment(as_of) or now(),
    )
    emit(rendered(made, rendering), output)
