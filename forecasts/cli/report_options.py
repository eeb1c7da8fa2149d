"""The options of reports and comparisons that select questions and forecasts, and set the time."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, get_args

from typer import Option

from forecasts.cli.console import now, one_of
from forecasts.common.times import read_time

if TYPE_CHECKING:
    from forecasts.reports.selection import Choice

CohortName = Annotated[
    str,
    Option(
        "--cohort",
        metavar="scheduled|resolved",
        help="Count resolved questions whose scheduled close has passed, or all resolved ones.",
    ),
]
Tags = Annotated[
    list[str] | None,
    Option("--tag", metavar="TAG", help="Only questions with a given tag; repeat for more."),
]
Since = Annotated[
    str | None,
    Option(
        "--since", metavar="TIME", help="Only questions scheduled to close at this time or later."
    ),
]
Until = Annotated[
    str | None,
    Option(
        "--until",
        metavar="TIME",
        help="Only questions scheduled to close at this time or earlier. A day means its end.",
    ),
]
Lead = Annotated[
    float | None,
    Option(
        "--lead",
        metavar="DAYS",
        help="Score only the forecasts active this many days before the scheduled close.",
    ),
]
AsOf = Annotated[
    str | None, Option("--as-of", metavar="TIME", help="Date of the document. [default: now]")
]


def selection(
    cohort: str,
    tags: list[str] | None,
    since: str | None,
    until: str | None,
    lead: float | None,
) -> Choice:
    """Return the selection that these options make; BadInput for an invalid one."""
    from forecasts.reports.selection import Choice, Cohort

    return Choice(
        cohort=one_of("--cohort", cohort, get_args(Cohort)),
        tags=tuple(tags or ()),
        since=time_of(since),
        until=time_of(until, end_of_day=True),
        lead=lead,
    )


def time_of(given: str | None, *, end_of_day: bool = False) -> datetime | None:
    """Return the time that an option names, if any; BadInput for an invalid one."""
    return None if given is None else read_time(given, end_of_day=end_of_day, now=now())
