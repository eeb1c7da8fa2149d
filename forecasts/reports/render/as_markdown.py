"""A report as Markdown (GitHub's tables), with everyone's words escaped."""

from __future__ import annotations

import re
from collections.abc import Sequence

from forecasts.common.text import on_one_line
from forecasts.reports.render import tables, wording
from forecasts.reports.render.glossary import explained
from forecasts.reports.report import Group, Report


def as_markdown(report: Report) -> str:
    """Return the report as Markdown: the groups, each with its findings and tables, and notes."""
    parts = [f"# {wording.title(report)}", escaped(wording.scope(report))]
    if report.groups:
        parts += _table(tables.overview(report))
    else:
        parts.append(escaped(wording.nobody(report)))
    for group in report.groups:
        parts.append(f"## {escaped(wording.group_name(report, group))}")
        parts += _group(group)
        if report.metadata.by != "all" and group.left_out:
            parts.append(escaped(wording.left_out(group.left_out)))
    parts.append("## Notes")
    last = [wording.left_out(report.left_out), *report.notes]
    parts.append("\n".join(f"- {escaped(text)}" for text in last if text))
    parts.append("## What the numbers say")
    parts.append(
        "\n".join(f"- **{one.title}**: {escaped(one.sentence)}" for one in explained(report))
    )
    parts.append(escaped(wording.made_with(report.metadata)))
    return "\n\n".join(parts) + "\n"


def _group(group: Group) -> list[str]:
    parts = [f"**{escaped(sentence)}**" for sentence in wording.findings(group)]
    if group.bins:
        parts.append(escaped(wording.summary(group)))
    for shown in tables.shown(group):
        parts.append(f"### {escaped(shown.caption)}")
        parts += _table(shown)
    return parts


def _table(shown: tables.Table) -> list[str]:
    found = [table(shown.head, shown.rows, texts=shown.words)]
    return [*found, escaped(shown.below)] if shown.below else found


_MARKUP = re.compile(
    r"[\\`*_{}\[\]<>#|~&!@$^]"  # emphasis, code, links, HTML, tables, entities, mentions, LaTeX
    r"|:(?=//)|(?<=www)\."  # what a bare address begins with
    r"|^[-+=]|(?<=^\d)[.)]|(?<=^\d\d)[.)]"  # lists and underlines, at the start of a line
)


# Emoji are put in for their names after the Markdown is read, and escapes are no help by then.
_EMOJI = re.compile(r"(?<!\d):(?=[\w+-]+:)")  # and no time of day
_JOINER = "\u2060"  # invisible, and no letter


def escaped(text: str) -> str:
    """Return ``text`` on one line, with every sign that Markdown would read as markup escaped.

    Control signs are dropped: whoever prints the file would have them command the terminal.
    """
    line = _EMOJI.sub(":" + _JOINER, on_one_line(text))
    return _MARKUP.sub(lambda sign: "\\" + sign[0], line)


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, texts: int) -> str:
    """Return a table whose first ``texts`` columns are words and the others numbers."""
    rule = [":--"] * texts + ["--:"] * (len(header) - texts)
    cells = [[escaped(cell) for cell in row] for row in [header, *rows]]
    return "\n".join(f"| {' | '.join(row)} |" for row in [cells[0], rule, *cells[1:]])
