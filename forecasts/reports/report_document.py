"""A report as a document."""

from __future__ import annotations

from typing import Literal

from forecasts.common.text import count
from forecasts.documents.document import (
    Beside,
    Block,
    Document,
    Figure,
    Finding,
    Section,
)
from forecasts.reports import charts, tables, wording
from forecasts.reports.glossary import OF_REPORTS, explained
from forecasts.reports.report import Group, Report

_NOTHING = (
    "Nothing is scored yet. Next: record an outcome on the page Resolve or with forecasts resolve. "
    "A question counts once its scheduled close has passed; with --cohort resolved, at once."
)
_NO_MEMBER = (
    "No forecast counts in {team}, as none was made while its author was in the team. On "
    "{questions} of this ledger every forecast was made outside the teams, by others or before its "
    "author joined. To count the earlier forecasts of a member, an admin of the ledger says since "
    "when they belong to the team, on the page Team or with forecasts team add TEAM MEMBER --since "
    "DAY."
)


def report_document(report: Report) -> Document:
    """Return the document of a report: an overview, then each group."""
    overview: tuple[Section, ...] = ()
    if not report.groups:
        overview = (Section("", blocks=(f"There is no {report.metadata.by} in this ledger.",)),)
    elif len(report.groups) > 1:
        overview = (Section("", blocks=(tables.overview(report),)),)
    return Document(
        title=wording.title(report),
        scope=f"{wording.scope(report)} {wording.left_out(report.left_out)}".strip(),
        sections=(*overview, *(_section(report, group) for group in report.groups)),
        notes=report.notes,
        terms=tuple(explained(report)),
        # Without these the numbers mislead.
        key_terms=tuple(OF_REPORTS[name] for name in ("families", "miscalibration", "p_value")),
        about=wording.about(report.metadata, report.questions),
    )


def _section(report: Report, group: Group) -> Section:
    name = wording.group_name(report, group)
    left_out = wording.left_out(group.left_out) if report.metadata.by != "all" else ""
    blocks: list[Block] = []
    if group.questions:
        blocks.append(tables.measures(group))
    elif group.pit is None:
        blocks.append(_nothing(report, group))
    if left_out:
        blocks.append(left_out)
    if group.questions:
        blocks += _charts(name, group)
    else:
        blocks += pit(name, group)
    if group.staleness is not None:
        blocks.append(f"Staleness: {group.staleness.sentence}")
        blocks += [tables.unrevised(group)] if group.staleness.most else []
    blocks += tables.credits(group)
    score = ""
    if group.questions:
        score = f"{wording.decomposition(group)} Log score: {wording.log_score(group)}."
    return Section(
        name,
        findings=tuple(
            Finding(sentence, _tone(kind), sign=wording.BADGES[kind][0])
            for kind, sentence in wording.findings(group).items()
        ),
        blocks=tuple(blocks),
        summary=tuple(text for text in (score, left_out) if text),
    )


def _nothing(report: Report, group: Group) -> str:
    """Return why a group has no score, and the next step."""
    outside = sum(one.questions for one in report.left_out if one.reason == "in_no_group")
    if report.metadata.by != "team" or group.left_out or not outside:
        return _NOTHING
    return _NO_MEMBER.format(team=group.name, questions=count(outside, "question"))


def _charts(name: str, group: Group) -> list[Block]:
    return [
        Beside((reliability(name, group), tables.bins(group))),
        Beside((tables.parts(group), tables.tests(group))),
        Beside((tables.errors(group), *roc(name, group))),
        Beside((*leads(name, group), murphy(name, group))),
        *pit(name, group),
    ]


def reliability(name: str, group: Group) -> Figure:
    """Return the reliability diagram over the histogram of the forecasts."""
    return Figure(
        "Reliability",
        f"Reliability diagram of {name}",
        wording.reliability_summary(group),
        (charts.reliability(group), charts.histogram(group)),
        tables.curve(group),
    )


def murphy(name: str, group: Group) -> Figure:
    """Return the Murphy curve."""
    return Figure(
        "Murphy curve",
        f"Murphy curve of {name}",
        wording.murphy_summary(group),
        (charts.murphy(group),),
        tables.murphy(group),
    )


def leads(name: str, group: Group) -> tuple[Figure, ...]:
    """Return the score by lead time; nothing without leads."""
    if not group.leads:
        return ()
    figure = Figure(
        "Lead time",
        f"{wording.BRIER} of {name} by lead time",
        wording.leads_summary(group),
        (charts.leads(group),),
        tables.leads(group),
        listed=True,
    )
    return (figure,)


def roc(name: str, group: Group) -> tuple[Figure, ...]:
    """Return the ROC curve; nothing without one."""
    if not group.roc:
        return ()
    chart, table = charts.roc(group), tables.roc(group)
    return (
        Figure("ROC curve", f"ROC curve of {name}", wording.roc_summary(group), (chart,), table),
    )


def pit(name: str, group: Group) -> tuple[Figure, ...]:
    """Return where in their distributions the outcomes of numbers and dates lie, if there are."""
    if group.pit is None:
        return ()
    about = (
        f"{count(group.pit.questions, 'numeric or date question')} in "
        f"{count(group.pit.families, 'family')}. {group.pit.sentence}"
    )
    chart, table = charts.pit(group), tables.pit(group)
    alt = f"Outcomes in the numeric and date forecasts of {name}"
    return (Figure("Numbers and dates", alt, about, (chart,), table),)


def _tone(kind: str) -> Literal["good", "fault", "neutral"]:
    if kind == "calibrated":
        return "good"
    return "neutral" if kind in ("too_few", "not_estimable") else "fault"
