"""A report as Markdown (GitHub's tables), with everyone's words escaped."""

from __future__ import annotations

import re
from collections.abc import Sequence

from forecasts.reports import wording
from forecasts.reports.notes import GUIDE
from forecasts.reports.report import Group, Report


def as_markdown(report: Report) -> str:
    """Return the report as Markdown: the groups, each with its verdict and bins, and the notes."""
    parts = [f"# {wording.title(report)}", escaped(wording.scope(report))]
    if report.groups:
        parts.append(_overview(report))
    else:
        parts.append(escaped(wording.nobody(report)))
    for group in report.groups:
        parts.append(f"## {escaped(wording.group_name(report, group))}")
        parts.append(f"**{escaped(group.verdict.sentence)}**")
        if group.questions:
            parts += [
                escaped(f"{wording.BRIER}: {wording.parts(group)}."),
                escaped(wording.summary(group)),
                _reliability(group),
            ]
        if report.metadata.by != "all" and group.left_out:
            parts.append(escaped(wording.left_out(group.left_out)))
    parts.append("## Notes")
    last = [wording.left_out(report.left_out), *GUIDE.values(), *report.notes]
    parts.append("\n".join(f"- {escaped(text)}" for text in last if text))
    parts.append(escaped(wording.made_with(report.metadata)))
    return "\n\n".join(parts) + "\n"


_MARKUP = re.compile(
    r"[\\`*_{}\[\]<>#|~&!@]"  # emphasis, code, links, HTML, tables, entities, mentions
    r"|:(?=//)|(?<=www)\."  # what a bare address begins with
    r"|^[-+=]|(?<=^\d)[.)]|(?<=^\d\d)[.)]"  # lists and underlines, at the start of a line
)


def escaped(text: str) -> str:
    """Return ``text`` on one line, with every sign that Markdown would read as markup escaped.

    Control signs are dropped: whoever prints the file would have them command the terminal.
    """
    line = "".join(sign for sign in " ".join(text.split()) if sign.isprintable())
    return _MARKUP.sub(lambda sign: "\\" + sign[0], line)


def _overview(report: Report) -> str:
    return table(
        [
            "",
            "Verdict",
            "Questions",
            "Updates",
            "Coverage",
            wording.BRIER,
            "95 % interval",
            wording.BRIER_ORIGINAL,
            "Log score",
        ],
        [
            [
                wording.group_name(report, group),
                wording.KINDS[group.verdict.kind],
                f"{group.questions:,}",
                f"{group.updates:,}",
                wording.percent(group.coverage),
                wording.number(group.brier.mean),
                wording.interval(group.brier.interval),
                wording.number(group.brier_original.mean),
                wording.log_score(group),
            ]
            for group in report.groups
        ],
        texts=2,
    )


def _reliability(group: Group) -> str:
    whole = sum(bin_.weight for bin_ in group.bins)
    return table(
        ["Forecasts", "Questions", "Share of the time", "Forecast, mean", "Came true", "95 %"],
        [
            [
                wording.bin_range(bin_),
                str(bin_.questions),
                wording.percent(bin_.weight / whole),
                wording.percent(bin_.forecast),
                wording.percent(bin_.observed),
                wording.percents(bin_.interval),
            ]
            for bin_ in group.bins
        ],
        texts=1,
    )


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, texts: int) -> str:
    """Return a table whose first ``texts`` columns are words and the others numbers."""
    rule = [":--"] * texts + ["--:"] * (len(header) - texts)
    cells = [[escaped(cell) for cell in row] for row in [header, *rows]]
    return "\n".join(f"| {' | '.join(row)} |" for row in [cells[0], rule, *cells[1:]])
