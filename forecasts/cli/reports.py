"""The commands for track records and calibration: report, compare."""

from __future__ import annotations

from typing import Annotated, Any, get_args

from typer import Option
from typer.core import TyperCommand

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
        str, Option(metavar="all|forecaster|team|tag|lead", help="Report each of these separately.")
    ] = "all",
    name: Annotated[
        list[str] | None,
        Option(
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


BETWEEN = "--between"


class _TakesNames(TyperCommand):
    """A command whose ``--between`` takes all the words up to the next option."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Return the arguments that are left after parsing into ``ctx.params``."""
        expanded: list[str] = []
        naming = False
        for arg in args:
            if arg.startswith(f"{BETWEEN}="):
                naming = True
                expanded += [BETWEEN, arg.removeprefix(f"{BETWEEN}=")]
            elif arg.startswith("-") and arg != "-":
                naming = arg == BETWEEN
                expanded += [] if naming else [arg]
            else:
                expanded += [BETWEEN, arg] if naming else [arg]
        return super().parse_args(ctx, expanded)


@app.command(cls=_TakesNames)
def compare(
    folder: Folder = None,
    between: Annotated[
        list[str] | None,
        Option(BETWEEN, metavar="NAME NAME...", help="Two or more names to compare."),
    ] = None,
    of: Annotated[
        str, Option(metavar="teams|forecasters", help="Compare teams or forecasters.")
    ] = "teams",
    cohort: CohortName = "scheduled",
    tag: Tags = None,
    since: Since = None,
    until: Until = None,
    lead: Lead = None,
    people_like_them: Annotated[
        bool,
        Option("--people-like-them", help="Generalise beyond these members, with wider intervals."),
    ] = False,
    form: ReportFormat = None,
    output: Output = None,
    as_of: AsOf = None,
    database: Database = None,
) -> None:
    """Compare teams or forecasters, and test the differences.

    Each pair is matched by question and time, and the tests are adjusted for the number of pairs.
    """
    from forecasts.reports.comparison import build
    from forecasts.reports.comparison.comparison import Of

    form = report_format(form, output)
    comparison = build(
        frames_of(folder, database, rationales=False),
        between=between or [],
        of=one_of("--of", of, get_args(Of)),
        choice=selection(cohort, tag, since, until, lead),
        as_of=time_of(as_of) or now(),
        alike=people_like_them,
    )
    emit(rendered(comparison, form), output)
