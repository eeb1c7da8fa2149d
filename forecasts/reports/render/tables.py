"""The tables of a report, alike in every document and on every page."""

from __future__ import annotations

from collections.abc import Sequence

from forecasts.reports.numbers import (
    NOTHING,
    count,
    interval,
    number,
    over_families,
    p_value,
    percent,
    percents,
    signed,
    signed_interval,
)
from forecasts.reports.render import wording
from forecasts.reports.render.charts import brier_forest, corners
from forecasts.reports.render.document import Table
from forecasts.reports.report import Earned, Group, Report

_LONG_NAME = 60
_MURPHY_STEP = 10  # of the thresholds of the Murphy curve, every tenth is listed
_INTERVAL = "95% interval"


def overview(report: Report) -> Table:
    """Return all groups, one a row."""
    return Table(
        "",
        (
            "",
            "Verdict",
            "Questions",
            "Updates",
            "Coverage",
            wording.BRIER,
            _INTERVAL,
            wording.BRIER_ORIGINAL,
            "Log score",
        ),
        tuple(
            (
                wording.group_name(report, group),
                ", ".join(
                    f"{wording.SIGNS[kind]} {wording.badge(kind)}" for kind in wording.kinds(group)
                ),
                f"{group.questions:,}",
                f"{group.updates:,}",
                percent(group.coverage),
                number(group.brier.mean),
                interval(group.brier.interval),
                number(group.brier_original.mean),
                wording.log_score(group),
            )
            for group in report.groups
        ),
        text_columns=2,
        note="Intervals are over families of questions.",
        optional=("Verdict", "Log score"),
        plot=brier_forest(report),
        plot_heading=f"{wording.BRIER} from 0;\ndashed: 0.25, always 50%",
        links=tuple(range(1, len(report.groups) + 1)),
    )


def measures(group: Group) -> Table:
    """Return the size of a record and its scores."""
    log = interval(group.log.interval)
    if group.log.infinite:
        log += f"; {count(group.log.infinite, 'question')} infinite, not in the mean"
    rows = [
        ("Questions", f"{group.questions:,}", f"in {count(group.families, 'family')}"),
        ("Updates", f"{group.updates:,}", f"by {count(group.forecasters, 'forecaster')}"),
        ("Coverage", percent(group.coverage), "of the questions’ time"),
        (wording.BRIER, number(group.brier.mean), interval(group.brier.interval)),
        (
            wording.BRIER_ORIGINAL,
            number(group.brier_original.mean),
            interval(group.brier_original.interval),
        ),
        ("Log score", number(group.log.mean), log),
    ]
    for name, skill in (("Skill (× 100)", group.skill), ("Crowd skill (× 100)", group.crowd_skill)):
        if skill is not None:
            rows.append((name, signed(skill.mean, 1), signed_interval(skill.interval, 1)))
    note = ""
    if group.questions:
        note = f"Intervals are {over_families(group.families)}. {wording.skill_basis(group.skill)}"
    return Table(
        "Scores",
        ("Measure", "Value", f"Basis or {_INTERVAL}"),
        tuple(rows),
        note=note.strip(),
        tiles=True,
    )


def parts(group: Group) -> Table:
    """Return the parts of the Brier score, with the miscalibration that luck alone makes."""
    one = group.decomposition
    return Table(
        "Parts of the Brier score (0–1)",
        ("Part", "This record", "Luck alone", "p"),
        (
            (
                "Miscalibration",
                number(one.miscalibration),
                number(one.miscalibration_expected),
                p_value(one.p_value),
            ),
            ("− discrimination", number(one.discrimination), NOTHING, NOTHING),
            ("+ uncertainty", number(one.uncertainty), NOTHING, NOTHING),
            (f"= {wording.BRIER}", number(group.brier.mean), NOTHING, NOTHING),
        ),
        note="Luck alone: the mean miscalibration of a calibrated forecaster; p: how often luck "
        f"makes at least this much, {over_families(group.families)}. Both are weighted by the time "
        "to the scheduled close.",
    )


def tests(group: Group) -> Table:
    """Return the tests of calibration, and the value for a calibrated forecaster."""
    line, luck = group.recalibration, group.luck
    rows = [
        (
            "Recalibration line: intercept, slope",
            f"{signed(line.intercept, 2)}, {number(line.slope, 2)}" if line.estimable else NOTHING,
            "0, 1",
            p_value(line.p_value),
        ),
        (
            f"Brier score (0–1) of {number(luck.realised)} less the expected "
            f"{number(luck.expected)}",
            signed(luck.difference.mean),
            "0",
            p_value(luck.p_value),
        ),
        (
            "Spiegelhalter’s z",
            signed(group.spiegelhalter.z, 2),
            "0",
            p_value(group.spiegelhalter.p_value),
        ),
        (
            "Calibration in the large, z",
            signed(group.calibration_in_the_large.z, 2),
            "0",
            p_value(group.calibration_in_the_large.p_value),
        ),
    ]
    moved = group.movement
    note = (
        "Forecasts are weighted by the time to the scheduled close; "
        f"p-values are {over_families(group.families)}"
    )
    if moved is not None:
        rows.append(("Excess movement", signed(moved.excess.mean), "0", p_value(moved.p_value)))
        if moved.families != group.families:
            note += f", except for movement: {moved.families:,}, open questions included"
    note += "."
    if not line.estimable:
        note += f" The line cannot be estimated: {line.reason}."
    note += (
        f" In {percent(group.auc)} of pairs the event that happened had the higher forecast (AUC); "
        f"sharpness, the mean of p (1 − p), is {number(group.sharpness)}."
    )
    return Table(
        "Tests of calibration", ("Test", "This record", "Calibrated", "p"), tuple(rows), note=note
    )


def bins(group: Group) -> Table:
    """Return the binned table."""
    total = sum(bin_.weight for bin_ in group.bins)
    return Table(
        "By forecast",
        ("Forecasts", "Questions", "Share of time", "Mean forecast", "Came true", _INTERVAL),
        tuple(
            (
                wording.bin_range(bin_),
                f"{bin_.questions:,}",
                percent(bin_.weight / total),
                percent(bin_.forecast),
                percent(bin_.observed),
                percents(bin_.interval),
            )
            for bin_ in group.bins
        ),
        note="A question counts in each bin that held a forecast on it. Intervals are over "
        "families of questions.",
    )


def curve(group: Group) -> Table:
    """Return the reliability curve and its band, as drawn."""
    return Table(
        "Curve and chance band",
        ("Forecast", "Came true (curve)", "Band from", "to"),
        tuple(
            tuple(
                percent(value, 1)
                for value in (point.forecast, point.recalibrated, point.lower, point.upper)
            )
            for point in corners(group.curve)
        ),
    )


def murphy(group: Group) -> Table:
    """Return the Murphy curve, thinned."""
    return Table(
        "Murphy curve",
        ("Act above", "Loss", "Loss with the base rate"),
        tuple(
            (percent(point.threshold), number(point.score), number(point.base_rate))
            for point in group.murphy[::_MURPHY_STEP]
        ),
    )


def murphy_curves(groups: Sequence[Group]) -> Table:
    """Return the Murphy curves of several groups, thinned."""
    return Table(
        "Murphy curves",
        ("Act above", *(group.name for group in groups)),
        tuple(
            (percent(points[0].threshold), *(number(point.score) for point in points))
            for points in list(zip(*(group.murphy for group in groups), strict=True))[
                ::_MURPHY_STEP
            ]
        ),
    )


def leads(group: Group) -> Table:
    """Return the lead-time profile."""
    return Table(
        "By lead time",
        ("Days before", "Questions", wording.BRIER, _INTERVAL, "Expected", "p"),
        tuple(
            (
                f"{row.days:g}",
                f"{row.questions:,}",
                number(row.brier.mean),
                interval(row.brier.interval),
                number(row.expected),
                p_value(row.p_value),
            )
            for row in group.leads
        ),
        note="Expected: the mean of p (1 − p) of those forecasts; p: how often chance alone is "
        "this far off, over families of questions.",
    )


def earned(group: Group) -> Table:
    """Return the points earned by publisher and by kind of evidence."""
    return _earned(
        "Points earned by evidence",
        "Cited",
        [(source(row), row) for row in group.earned if row.by != "evidence"],
        "Points off a question’s Brier score (0–1), as the mean over all members; above 0 helped. "
        "Bookkeeping, not causation: the last update gets the credit. Intervals are over families "
        "of questions.",
    )


def evidence(group: Group) -> Table:
    """Return the pieces of evidence that earned and lost most."""
    pieces = [row for row in group.earned if row.by == "evidence"]
    return _earned(
        "Evidence that earned and lost most",
        "Evidence",
        [(wording.shortened(row.title, _LONG_NAME), row) for row in pieces],
        wording.more_evidence(group.evidence - len(pieces)),
    )


def _earned(caption: str, heading: str, rows: Sequence[tuple[str, Earned]], note: str) -> Table:
    return Table(
        caption,
        (heading, "Citations", "Questions", "Earned", "Per question", _INTERVAL),
        tuple(
            (
                name,
                f"{row.citations:,}" if row.citations else NOTHING,
                f"{row.questions:,}",
                signed(row.points),
                signed(row.per_question.mean, 4),
                signed_interval(row.per_question.interval, 4),
            )
            for name, row in rows
        ),
        note=note,
    )


def moved(group: Group) -> Table:
    """Return the updates that earned and lost most; the group must have some."""
    assert group.moved is not None
    return Table(
        "Updates that earned and lost most",
        ("Question", "By", "Made", "Score before", "Score after", "Time left", "Earned"),
        tuple(
            (
                wording.shortened(row.question, _LONG_NAME),
                wording.shortened(row.forecaster, _LONG_NAME),
                f"{row.made_at:%Y-%m-%d}",
                number(row.score_before),
                number(row.score),
                percent(row.remaining),
                signed(row.points),
            )
            for row in (*group.moved.most, *reversed(group.moved.least))
        ),
        text_columns=3,
        note=wording.updates(group.moved),
    )


def credits(group: Group) -> list[Table]:
    """Return the tables of points earned that have rows."""
    found = [earned(group), evidence(group)] if group.earned else []
    return [*found, moved(group)] if group.moved is not None else found


def source(row: Earned) -> str:
    """Return the publisher or the kind of evidence that was cited."""
    if row.by == "publisher":
        return f"Publisher: {row.name}" if row.name else "Publisher: not named"
    return f"Kind: {row.name.replace('_', ' ')}" if row.name else "Nothing cited"
