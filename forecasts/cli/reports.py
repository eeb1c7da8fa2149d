"""The commands for track records and calibration: report, compare."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, get_args

import pandas as pd
from typer import Option

from forecasts.cli import bulk_scores
from forecasts.cli.console import now, one_of, out, print_note
from forecasts.cli.dates import time_of
from forecasts.cli.options import OnLedger
from forecasts.cli.outputs import emit
from forecasts.cli.root import app
from forecasts.cli.session import next_step, settings, use_own_zone
from forecasts.cli.table_output import FolderOrParts, Output, format_of, frames_of
from forecasts.common.errors import BadInput
from forecasts.common.text import printable
from forecasts.documents.as_json import json_pieces
from forecasts.folder.frames import Frames
from forecasts.parts.folder import Parts
from forecasts.parts.reports.comparisons import compare_parts
from forecasts.parts.reports.reports import report_parts
from forecasts.reports import Report, formats
from forecasts.reports.build import build as build_report
from forecasts.reports.cohort import listed
from forecasts.reports.comparison import Comparison
from forecasts.reports.comparison import build as build_comparison
from forecasts.reports.comparison.build import BY, require_two
from forecasts.reports.comparison.comparison import Of
from forecasts.reports.groups import chosen, group_names
from forecasts.reports.report import By
from forecasts.reports.selection import Choice, Cohort

# The formats of ``reports.formats``, whose import brings pandas.
_FORMATS = ("text", "json", "html", "pdf", "csv", "md")
# The modules that report on parts and compare them.
_REPORTS = "forecasts.parts.reports.reports"
_COMPARISONS = "forecasts.parts.reports.comparisons"

CohortName = Annotated[
    str,
    Option(
        metavar="scheduled|resolved",
        help="Count resolved questions whose scheduled close has passed, or all resolved ones.",
    ),
]
Tags = Annotated[
    list[str] | None,
    Option(metavar="TAG", help="Only questions with a given tag; repeat for more."),
]
Since = Annotated[
    str | None,
    Option(metavar="TIME", help="Only questions scheduled to close at this time or later."),
]
Until = Annotated[
    str | None,
    Option(
        metavar="TIME",
        help="Only questions scheduled to close at this time or earlier. A day means its end.",
    ),
]
Lead = Annotated[
    float | None,
    Option(
        metavar="DAYS",
        help="Score only the forecasts active this many days before the scheduled close.",
    ),
]
MadeBefore = Annotated[
    str | None,
    Option(
        metavar="TIME",
        help="Only forecasts made before this time, such as the capture of an article.",
    ),
]
Workers = Annotated[
    int | None,
    Option(
        metavar="N",
        min=1,
        help="Number of processes for a folder of parts. [default: one per core]",
        show_default=False,
    ),
]
Scheduler = Annotated[
    str | None,
    Option(metavar="ADDRESS", help="Work on a folder of parts on this Dask cluster instead."),
]
AsOf = Annotated[str | None, Option(metavar="TIME", help="Date of the document. [default: now]")]
ReportFormat = Annotated[
    str | None,
    Option(
        "--format",
        metavar="|".join(_FORMATS),
        help="Output format. [default: by the extension of --output, else text]",
    ),
]


def _choice(
    cohort: str,
    tags: list[str] | None,
    since: str | None,
    until: str | None,
    lead: float | None,
    made_before: str | None,
) -> Choice:

    return Choice(
        cohort=one_of("--cohort", cohort, get_args(Cohort)),
        tags=tuple(tags or ()),
        since=time_of(since, past=True),
        until=time_of(until, end_of_day=True),
        lead=lead,
        made_before=time_of(made_before, past=True),
    )


def _format(given: str | None, output: Path | None) -> str:
    """Return the format; BadInput for an unknown one, or a PDF to a terminal."""
    form = format_of(given, output, _FORMATS)
    if form == "pdf" and output is None and sys.stdout.isatty():
        raise BadInput(
            "A PDF cannot be printed to a terminal.", remedy="Name a file with --output."
        )
    return form


def _chosen_early(parts: Parts | None, by: By, names: Sequence[str]) -> Sequence[str]:
    """Return ``groups.chosen`` if forecasts are not needed for it, else the given names.

    They are not needed for leads, nor for the teams of a folder of parts.
    """
    if by not in ("all", "lead") and (parts is None or by != "team"):
        return names
    blank = pd.DataFrame()
    teams = blank if parts is None else parts.whole("teams")
    return chosen(Frames(blank, blank, teams, blank, blank), by=by, names=names)


def _emit(document: Report | Comparison, form: Any, output: Path | None) -> None:
    """Write the document in that format; text is as wide as the terminal."""
    if form == "json":
        emit(json_pieces(document), output)
        return
    made = formats.rendered(document, form, width=out().width if sys.stdout.isatty() else 100)
    # Control characters in a name could command the terminal.
    emit(printable(str(made)) if form == "text" else made, output)


@app.command(cls=OnLedger)
def report(
    folder: FolderOrParts = None,
    by: Annotated[
        str,
        Option(
            metavar="all|forecaster|team|tag|lead|kind|model|owner",
            help="Report each of these separately.",
        ),
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
    made_before: MadeBefore = None,
    form: ReportFormat = None,
    output: Output = None,
    as_of: AsOf = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
) -> None:
    """Report scores and calibration, and compare them with luck.

    A folder of parts (see forecasts partition) can have any size: several processes share the work.
    The numbers are the same.
    """
    form = _format(form, output)
    if folder is None:
        use_own_zone()
    wanted: dict[str, Any] = {
        "by": one_of("--by", by, get_args(By)),
        "names": name or [],
        "choice": _choice(cohort, tag, since, until, lead, made_before),
        "as_of": time_of(as_of, past=True) or now(),
    }
    parts = bulk_scores.parts_in(folder)
    if parts is None and (workers or scheduler):
        raise bulk_scores.needs_parts(folder)
    _chosen_early(parts, wanted["by"], wanted["names"])
    if parts is None:
        frames = frames_of(folder, rationales=False)
        made = build_report(frames, **wanted)
    else:
        with (
            bulk_scores.engine(workers, scheduler, _REPORTS) as executor,
            bulk_scores.showing_progress("Reporting", parts.rows("forecasts")) as progress,
        ):
            made = report_parts(parts, executor=executor, progress=progress, **wanted)
    _emit(made, form, output)
    if folder is None and by == "all" and form == "text" and output is None:
        _offer_own(frames)


def _offer_own(frames: Frames) -> None:
    """Name the command for the member's own report, if others have forecasts too."""
    own, handles = settings().member, frames.forecasts["forecaster"].unique()
    if own in handles and len(handles) > 1:
        step = next_step("report", by="forecaster", name=own)
        print_note(f"Yours alone: {step}")


BETWEEN = "--between"


def _named_again(sides: Sequence[str], of: str, there: Sequence[str]) -> BadInput:
    """Return the error for names that are all the same; ``there``: the names to choose from."""
    times = "twice" if len(sides) == 2 else f"{len(sides)} times"
    choose = f" Choose from: {listed(there)}." if there else ""
    return BadInput(
        f"{BETWEEN} names {sides[0]!r} {times}.", remedy=f"Name two or more {of}.{choose}"
    )


class _TakesNames(OnLedger):
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
    folder: FolderOrParts = None,
    between: Annotated[
        list[str] | None,
        Option(
            BETWEEN,
            metavar="NAME NAME...",
            help="Two or more names to compare. [default: all kinds or models]",
        ),
    ] = None,
    of: Annotated[
        str,
        Option(
            metavar="teams|forecasters|kinds|models",
            help="Compare teams, forecasters, kinds of members (human, bot) or models.",
        ),
    ] = "teams",
    cohort: CohortName = "scheduled",
    tag: Tags = None,
    since: Since = None,
    until: Until = None,
    lead: Lead = None,
    made_before: MadeBefore = None,
    people_like_them: Annotated[
        bool,
        Option("--people-like-them", help="Generalise beyond these members, with wider intervals."),
    ] = False,
    form: ReportFormat = None,
    output: Output = None,
    as_of: AsOf = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
) -> None:
    """Compare teams, forecasters, kinds or models.

    The differences are tested. Each pair is matched by question and time, and the tests are
    adjusted for the number of pairs. A folder of parts (see forecasts partition) can have any size:
    several processes share the work. The numbers are the same.
    """
    form = _format(form, output)
    if folder is None:
        use_own_zone()
    wanted: dict[str, Any] = {
        "of": one_of("--of", of, get_args(Of)),
        "choice": _choice(cohort, tag, since, until, lead, made_before),
        "as_of": time_of(as_of, past=True) or now(),
        "alike": people_like_them,
    }
    sides = between or []
    parts = bulk_scores.parts_in(folder)
    if parts is None and (workers or scheduler):
        raise bulk_scores.needs_parts(folder)
    frames: Frames | None = None
    if parts is None:
        frames = frames_of(folder, rationales=False)
        teams = frames.teams
    else:
        teams = parts.whole("teams")
    if wanted["of"] == "teams" and teams.empty:
        raise BadInput(
            "There are no teams to compare.",
            remedy="To compare forecasters, add --of forecasters and name two or more "
            "after --between.",
        )
    if len(sides) > 1 and len(set(sides)) == 1:
        by = BY[wanted["of"]]
        early = _chosen_early(parts, by, ())
        there = early if frames is None else group_names(frames, by=by)
        raise _named_again(sides, of, there)
    if parts is not None and wanted["of"] == "teams":
        require_two(_chosen_early(parts, "team", sides), sides, "teams")
    if frames is not None:
        comparison = build_comparison(frames, between=sides, **wanted)
    elif parts is not None:
        with (
            bulk_scores.engine(workers, scheduler, _COMPARISONS) as executor,
            bulk_scores.showing_progress("Comparing", parts.rows("forecasts")) as progress,
        ):
            comparison = compare_parts(
                parts, executor=executor, sides=sides, progress=progress, **wanted
            )
    _emit(comparison, form, output)
