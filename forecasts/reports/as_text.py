"""A report for a terminal: compact tables, no colours."""

from __future__ import annotations

import io
import textwrap

from rich.console import Console
from rich.table import Table
from rich.text import Text

from forecasts.reports import wording
from forecasts.reports.notes import GUIDE
from forecasts.reports.report import Group, Report

_MOST_WIDTH = 110


def as_text(report: Report, *, width: int = 100) -> str:
    """Return the report as lines of at most ``width`` signs; with one group, its bins as well."""
    width = fitting(width)
    parts = [
        wording.title(report) + "\n" + wrapped(wording.scope(report), width),
        drawn(_overview(report), width) if report.groups else wording.nobody(report),
        *(_findings(report, group, width) for group in report.groups),
    ]
    if len(report.groups) == 1 and report.groups[0].bins:
        parts.append(drawn(_reliability(report.groups[0]), width))
    about = report.metadata
    last = [wording.left_out(report.left_out), GUIDE["miscalibration"], *report.notes]
    parts.append("\n".join(wrapped(text, width) for text in last if text))
    parts.append(wrapped(wording.made_with(about), width))
    return "\n\n".join(parts) + "\n"


def _overview(report: Report) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("", overflow="fold", min_width=12)
    for heading in (
        "questions",
        "updates",
        "cover-\nage",
        "Brier\n0–1",
        "95 %\ninterval",
        "original\nBrier 0–2",
    ):
        table.add_column(heading, justify="right", vertical="bottom", no_wrap=True)
    for group in report.groups:
        table.add_row(
            Text(wording.group_name(report, group)),
            f"{group.questions:,}",
            f"{group.updates:,}",
            wording.percent(group.coverage),
            wording.number(group.brier.mean),
            wording.interval(group.brier.interval),
            wording.number(group.brier_original.mean),
        )
    return table


def _findings(report: Report, group: Group, width: int) -> str:
    lines = [wording.group_name(report, group)]
    said = [group.verdict.sentence]
    if group.questions:
        said.append(f"Brier 0–1: {wording.parts(group)}. Log score {wording.log_score(group)}.")
    if report.metadata.by != "all":
        said.append(wording.left_out(group.left_out))
    lines += [wrapped(text, width, "  ") for text in said if text]
    return "\n".join(lines)


def _reliability(group: Group) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in (
        "forecasts",
        "questions",
        "share of\nthe time",
        "forecast,\nmean",
        "came\ntrue",
        "95 %\ninterval",
    ):
        table.add_column(heading, justify="right", vertical="bottom", no_wrap=True)
    whole = sum(bin_.weight for bin_ in group.bins)
    for bin_ in group.bins:
        table.add_row(
            wording.bin_range(bin_),
            str(bin_.questions),
            wording.percent(bin_.weight / whole),
            wording.percent(bin_.forecast),
            wording.percent(bin_.observed),
            wording.percents(bin_.interval),
        )
    return table


def fitting(width: int) -> int:
    """Return the width to use in a terminal that is so wide."""
    return max(60, min(width, _MOST_WIDTH))


def drawn(table: Table, width: int) -> str:
    """Return the table as lines of at most ``width`` signs."""
    text = io.StringIO()
    Console(file=text, width=width, color_system=None, markup=False, highlight=False).print(table)
    return "\n".join(line.rstrip() for line in text.getvalue().rstrip().split("\n"))


def wrapped(text: str, width: int, indent: str = "") -> str:
    """Return the text in lines of at most ``width`` signs."""
    return textwrap.fill(
        text, width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
    )
