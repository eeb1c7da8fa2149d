"""The command that tells whether a difference is real: compare."""

from __future__ import annotations

from typing import Annotated, Any, get_args

import typer
from typer.core import TyperCommand

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

BETWEEN = "--between"


class _Names(TyperCommand):
    """A command whose ``--between`` takes all the words up to the next option."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Return what is left of ``args``, read into ``ctx.params``."""
        read: list[str] = []
        naming = False
        for arg in args:
            if arg.startswith(f"{BETWEEN}="):
                naming = True
                read += [BETWEEN, arg.removeprefix(f"{BETWEEN}=")]
            elif arg.startswith("-") and arg != "-":
                naming = arg == BETWEEN
                read += [] if naming else [arg]
            else:
                read += [BETWEEN, arg] if naming else [arg]
        return super().parse_args(ctx, read)


@app.command(cls=_Names)
def compare(
    folder: Folder = None,
    between: Annotated[
        list[str] | None,
        typer.Option(BETWEEN, metavar="NAME NAME...", help="Whom to compare: two or more."),
    ] = None,
    of: Annotated[
        str, typer.Option("--of", metavar="teams|forecasters", help="What the names are of.")
    ] = "teams",
    cohort: CohortName = "scheduled",
    tag: Tags = None,
    since: Since = None,
    until: Until = None,
    lead: Lead = None,
    people_like_them: Annotated[
        bool,
        typer.Option(
            "--people-like-them",
            help="Claim it of people like the members, not of these members only: wider intervals.",
        ),
    ] = False,
    form: Form = None,
    output: Output = None,
    as_of: AsOf = None,
    database: Database = None,
) -> None:
    """Compare teams or forecasters on what they forecast at the same times, and what luck could do.

    Two are paired by question and time; with several, every two of them, allowing for their number.
    """
    from forecasts.reports.comparison import build
    from forecasts.reports.comparison.comparison import Of

    rendering = form_of(form, output)
    made = build(
        frames_of(folder, database, words=False),
        between=between or [],
        of=one_of("--of", of, get_args(Of)),
        choice=chosen(cohort, tag, since, until, lead),
        as_of=moment(as_of) or now(),
        alike=people_like_them,
    )
    emit(rendered(made, rendering), output)
