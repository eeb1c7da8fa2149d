"""The options of reports and comparisons that say which questions count, and as of when."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from forecasts.cli.console import now, one_of
from forecasts.common.times import read_time

if TYPE_CHECKING:
    from forecasts.reports.selection import Choice

CohortName = Annotated[
    str,
    typer.Option(
        "--cohort",
        metavar="scheduled|resolved",
        help="Questions whose scheduled close has passed, or all that are resolved.",
    ),
]
Tags = Annotated[
    list[str] | None,
    typer.Option("--tag", metavar="TAG", help="Only questions with it. Repeat it for any of."),
]
Since = Annotated[
    str | None,
    typer.Option(
        "--since", metavar="TIME", help="Only questions scheduled to close then or later."
    ),
]
Until = Annotated[
    str | None,
    typer.Option(
        "--until",
        metavar="TIME",
        help="Only questions scheduled to close then or earlier; of a day, by its end.",
    ),
]
Lead = Annotated[
    float | None,
    typer.Option(
        "--lead",
        metavar="DAYS",
        help="Only forecasts as they stood so many days before the scheduled close.",
    ),
]
AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of", metavar="TIME", help="The moment it is made, which it states. [default: now]"
    ),
]


def chosen(
    cohort: str,
    tags: list[str] | None,
    since: str | None,
    until: str | None,
    lead: float | None,
) -> Choice:
    """Return what these options choose; BadInput for what is none of them."""
    # Imported here: a command that starts need not know what a report is.
    from forecasts.reports.selection import Choice, Cohort

    return Choice(
        cohort=one_of("--cohort", cohort, get_args(Cohort)),
        tags=tuple(tags or ()),
        since=moment(since),
        until=moment(until, end_of_day=True),
        lead=lead,
    )


def moment(given: str | None, *, end_of_day: bool = False) -> datetime | None:
    """Return the moment that was given, None for none; BadInput for what is no time."""
    return None if given is None else read_time(given, end_of_day=end_of_day, now=now())
