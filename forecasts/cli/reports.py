"""The commands for track records and calibration: report, compare."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, get_args

from forecasts.cli import bulk_scores
from forecasts.cli.bulk_scores import Scheduler, Workers
from forecasts.cli.console import now, one_of
from forecasts.cli.dates import time_of
from forecasts.cli.options import AsMember, flag, option
from forecasts.cli.outputs import emit
from forecasts.cli.printing import out, print_note
from forecasts.cli.root import app
from forecasts.cli.session import next_step, settings, use_own_zone
from forecasts.cli.table_output import FolderOrParts, Output, format_of, frames_of
from forecasts.common.errors import BadInput
from forecasts.common.text import printable
from forecasts.documents.as_json import json_pieces
from forecasts.folder.frames import Frames
from forecasts.parts.reports.comparisons import compare_parts
from forecasts.parts.reports.reports import report_parts
from forecasts.reports import Report, formats, selection
from forecasts.reports.build import build as build_report
from forecasts.reports.comparison import Comparison
from forecasts.reports.comparison import build as build_comparison
from forecasts.reports.comparison.comparison import Of
from forecasts.reports.report import By

# The formats of ``reports.formats``, whose import brings pandas.
_FORMATS = ("text", "json", "html", "pdf", "csv", "md")

CohortName = Annotated[
    str,
    option(
        "scheduled|resolved",
        "Count resolved questions whose scheduled close has passed, or all resolved ones.",
    ),
]
Tags = Annotated[
    list[str] | None, option("TAG", "Only questions with a given tag; repeat for more.")
]
Since = Annotated[
    str | None, option("TIME", "Only questions scheduled to close at this time or later.")
]
Until = Annotated[
    str | None,
    option(
        "TIME", "Only questions scheduled to close at this time or earlier. A day means its end."
    ),
]
Lead = Annotated[
    float | None,
    option("DAYS", "Score only the forecasts active this many days before the scheduled close."),
]
MadeBefore = Annotated[
    str | None,
    option("TIME", "Only forecasts made before this time, such as the capture of an article."),
]
Without = Annotated[
    list[str] | None,
    option("HANDLE", "Leave out a member's forecasts; repeat for more.", "--without"),
]
Witnessed = Annotated[
    bool,
    flag(
        "--witnessed",
        "Without imported times, and without questions resolved by their only forecaster.",
    ),
]
AsOf = Annotated[str | None, option("TIME", "Date of the document. [default: now]")]
ReportFormat = Annotated[
    str | None,
    option(
        "|".join(_FORMATS),
        "Output format. [default: by the extension of --output, else text]",
        "--format",
    ),
]


def _wanted(
    folder: Path | None,
    as_of: str | None,
    cohort: str,
    tags: list[str] | None,
    since: str | None,
    until: str | None,
    lead: float | None,
    made_before: str | None,
    without: list[str] | None,
    witnessed: bool,
) -> dict[str, Any]:
    """Return the questions and forecasts to count, and as of when, for the verb."""
    if folder is None:
        use_own_zone()
    choice = selection.Choice(
        cohort=one_of("--cohort", cohort, get_args(selection.Cohort)),
        tags=tuple(tags or ()),
        since=time_of(since, past=True),
        until=time_of(until, end_of_day=True),
        lead=lead,
        made_before=time_of(made_before, past=True),
        without=tuple(without or ()),
        witnessed=witnessed,
    )
    return {"choice": choice, "as_of": time_of(as_of, past=True) or now()}


def _format(given: str | None, output: Path | None) -> str:
    """Return the format; BadInput for an unknown one, or a PDF to a terminal."""
    form = format_of(given, output, _FORMATS)
    if form == "pdf" and output is None and sys.stdout.isatty():
        raise BadInput(
            "A PDF cannot be printed to a terminal.", remedy="Name a file with --output."
        )
    return form


def emit_document(document: Report | Comparison, form: Any, output: Path | None) -> None:
    """Write the document in that format; text is as wide as the terminal."""
    if form == "json":
        emit(json_pieces(document), output)
        return
    made = formats.rendered(document, form, width=out().width if sys.stdout.isatty() else 100)
    # Control characters in a name could command the terminal.
    emit(printable(str(made)) if form == "text" else made, output)


@app.command()
def report(
    folder: FolderOrParts = None,
    by: Annotated[
        str,
        option("all|forecaster|team|tag|lead|kind|model|owner", "Report each of these separately."),
    ] = "all",
    name: Annotated[
        list[str] | None,
        option("NAME", "Only this name (with --by lead: days); repeat for more. [default: all]"),
    ] = None,
    cohort: CohortName = "scheduled",
    tag: Tags = None,
    since: Since = None,
    until: Until = None,
    lead: Lead = None,
    made_before: MadeBefore = None,
    without: Without = None,
    witnessed: Witnessed = False,
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
    wanted: dict[str, Any] = {
        "by": one_of("--by", by, get_args(By)),
        "names": name or [],
        **_wanted(folder, as_of, cohort, tag, since, until, lead, made_before, without, witnessed),
    }
    parts = bulk_scores.parts_to_share(folder, workers, scheduler)
    if parts is None:
        frames = frames_of(folder, rationales=False)
        made = build_report(frames, **wanted)
    else:
        with bulk_scores.sharing(
            "Reporting", parts.rows("forecasts"), report_parts.__module__, workers, scheduler
        ) as how:
            made = report_parts(parts, **how, **wanted)
    emit_document(made, form, output)
    if parts is None and folder is None and by == "all" and form == "text" and output is None:
        _offer_own(frames)


def _offer_own(frames: Frames) -> None:
    """Name the command for the member's own report, if others have forecasts too."""
    own, handles = settings().member, frames.forecasts["forecaster"].unique()
    if own in handles and len(handles) > 1:
        step = next_step("report", by="forecaster", name=own)
        print_note(f"Yours alone: {step}")


_BETWEEN = "--between"


class _TakesNames(AsMember):
    """A command whose ``--between`` takes all the words up to the next option."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Return the arguments that are left after parsing into ``ctx.params``."""
        expanded: list[str] = []
        naming = False
        for arg in args:
            if arg.startswith(f"{_BETWEEN}="):
                naming = True
                expanded += [_BETWEEN, arg.removeprefix(f"{_BETWEEN}=")]
            elif arg.startswith("-") and arg != "-":
                naming = arg == _BETWEEN
                expanded += [] if naming else [arg]
            else:
                expanded += [_BETWEEN, arg] if naming else [arg]
        return super().parse_args(ctx, expanded)


@app.command(cls=_TakesNames)
def compare(
    folder: FolderOrParts = None,
    between: Annotated[
        list[str] | None,
        option(
            "NAME NAME...", "Two or more names to compare. [default: all kinds or models]", _BETWEEN
        ),
    ] = None,
    of: Annotated[
        str,
        option(
            "teams|forecasters|kinds|models",
            "Compare teams, forecasters, kinds of members (human, bot) or models.",
        ),
    ] = "teams",
    cohort: CohortName = "scheduled",
    tag: Tags = None,
    since: Since = None,
    until: Until = None,
    lead: Lead = None,
    made_before: MadeBefore = None,
    without: Without = None,
    witnessed: Witnessed = False,
    people_like_them: Annotated[
        bool, flag("--people-like-them", "Generalise beyond these members, with wider intervals.")
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
    wanted: dict[str, Any] = {
        "of": one_of("--of", of, get_args(Of)),
        "alike": people_like_them,
        **_wanted(folder, as_of, cohort, tag, since, until, lead, made_before, without, witnessed),
    }
    parts = bulk_scores.parts_to_share(folder, workers, scheduler)
    if parts is None:
        frames = frames_of(folder, rationales=False)
        comparison = build_comparison(frames, between=between or (), **wanted)
    else:
        with bulk_scores.sharing(
            "Comparing", parts.rows("forecasts"), compare_parts.__module__, workers, scheduler
        ) as how:
            comparison = compare_parts(parts, sides=between or (), **how, **wanted)
    emit_document(comparison, form, output)
