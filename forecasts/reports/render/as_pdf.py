"""A report as a PDF, ready to be printed or sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from forecasts.reports.render import diagram, tables, wording
from forecasts.reports.render.glossary import explained
from forecasts.reports.render.typesetting import typeset
from forecasts.reports.report import Group, Report


def as_pdf(report: Report) -> bytes:
    """Return the PDF; the same report gives the same bytes."""
    many = len(report.groups) > 1
    return typeset(
        Path(__file__).with_name("templates") / "report.typ",
        {
            "title": wording.title(report),
            "scope": " ".join(
                text for text in (wording.scope(report), wording.left_out(report.left_out)) if text
            ),
            "nobody": "" if report.groups else wording.nobody(report),
            "overview": _table(tables.overview(report)) if many else None,
            "groups": [_group(report, group) for group in report.groups],
            "notes": report.notes,
            "terms": [one.whole for one in explained(report)],
            "foot": wording.made_with(report.metadata),
        },
    )


def _group(report: Report, group: Group) -> dict[str, Any]:
    left_out = wording.left_out(group.left_out) if report.metadata.by != "all" else ""
    plain: dict[str, Any] = {
        "name": wording.group_name(report, group),
        "findings": [
            {"kind": kind, "words": f"{wording.SIGNS[kind]} {sentence}"}
            for kind, sentence in zip(wording.kinds(group), wording.findings(group), strict=True)
        ],
        "counts": ", ".join(
            (
                f"{wording.count(group.questions, 'question')} in "
                f"{wording.count(group.families, 'family')}",
                f"{wording.count(group.updates, 'update')} by "
                f"{wording.count(group.forecasters, 'forecaster')}",
                f"coverage {wording.percent(group.coverage)}",
            )
        )
        + (f". {left_out}" if left_out else "."),
        "earned": [_table(shown) for shown in tables.credits(group)],
        "record": None,
    }
    if group.questions:
        plain["record"] = {
            "scores": _table(tables.scores(group)),
            "parts": _table(tables.parts(group)),
            "tests": _table(tables.tests(group)),
            "bins": _table(tables.bins(group)),
            "reliability": {
                "picture": diagram.reliability(group).sheet(),
                "said": wording.summary(group),
            },
            "murphy": {
                "picture": diagram.murphy(group).sheet(),
                "said": wording.murphy_summary(group),
            },
            "leads": _table(tables.leads(group))
            | {
                "picture": diagram.leads(group.leads).sheet(),
                "said": wording.leads_summary(group),
            }
            if group.leads
            else None,
        }
    return plain


def _table(shown: tables.Table) -> dict[str, Any]:
    return {
        "caption": shown.caption,
        "head": [
            name if place < shown.words else tables.on_two_lines(name)
            for place, name in enumerate(shown.head)
        ],
        "rows": shown.rows,
        "words": shown.words,
        "below": shown.below,
    }
