"""A report for a terminal: compact tables, no colours."""

from __future__ import annotations

import io
import textwrap

from rich.console import Console
from rich.table import Table
from rich.text import Text

from forecasts.common.text import on_one_line, plain
from forecasts.reports.render import tables, wording
from forecasts.reports.render.glossary import OF_REPORTS
from forecasts.reports.report import Group, Report

_MOST_WIDTH = 110
# Without these two the numbers mislead; a terminal has no room for all.
_AT_THE_FOOT = ("families", "miscalibration")


def as_text(report: Report, *, width: int = 100) -> str:
    """Return the report as lines of at most ``width`` signs; with one group, its tables as well."""
    width = fitting(width)
    parts = [
        wording.title(report) + "\n" + wrapped(wording.scope(report), width),
        drawn(_overview(report), width) if report.groups else wording.nobody(report),
        *(_findings(report, group, width) for group in report.groups),
    ]
    if len(report.groups) == 1:
        parts += [_table(shown, width) for shown in tables.shown(report.groups[0])]
    last = [wording.left_out(report.left_out), *(OF_REPORTS[name].whole for name in _AT_THE_FOOT)]
    parts.append("\n".join(wrapped(text, width) for text in (*last, *report.notes) if text))
    parts.append(wrapped(wording.made_with(report.metadata), width))
    return "\n\n".join(parts) + "\n"


def _overview(report: Report) -> Table:
    table = _new_table()
    table.add_column("", overflow="fold", min_width=12)
    for heading in (
        "questions",
        "updates",
        "cover-\nage",
        "Brier\n0–1",
        "95 % over\nfamilies",
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
    said = wording.findings(group)
    if group.questions:
        said.append(f"Brier 0–1: {wording.parts(group)}. Log score {wording.log_score(group)}.")
    if report.metadata.by != "all":
        said.append(wording.left_out(group.left_out))
    lines += [wrapped(text, width, "  ") for text in said if text]
    return "\n".join(lines)


def _table(shown: tables.Table, width: int) -> str:
    table = _new_table()
    for place, heading in enumerate(shown.head):
        if place < shown.words:
            table.add_column(heading, overflow="fold", vertical="bottom")
        else:
            table.add_column(
                tables.on_two_lines(heading), justify="right", vertical="bottom", no_wrap=True
            )
    for row in shown.rows:
        table.add_row(*(Text(on_one_line(cell)) for cell in row))
    parts = [shown.caption, drawn(table, width)]
    return "\n".join([*parts, wrapped(shown.below, width)] if shown.below else parts)


def _new_table() -> Table:
    return Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))


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
    lines = textwrap.fill(
        wording.tied(plain(text)),
        width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_on_hyphens=False,
    )
    return lines.replace("\u00a0", " ")
