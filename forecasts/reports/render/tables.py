"""The tables of a report, as words: every rendering shows these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from forecasts.reports.render import wording
from forecasts.reports.render.diagram import corners
from forecasts.reports.render.wording import NOTHING, number, p_value, percent, signed
from forecasts.reports.report import Earned, Group, Report, Skill

# A heading of more signs than this is broken over two lines where room is scarce.
_LONG_HEADING = 10
_LONG_NAME = 60
_THIN = 10  # of the thresholds of the Murphy curve, every tenth is listed


@dataclass(frozen=True)
class Table:
    """A table of texts. ``words``: how many columns from the left hold words, not numbers.

    ``below`` is a sentence on how to read it; empty for none.
    """

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: int = 1
    below: str = ""


def on_two_lines(heading: str) -> str:
    """Return a long heading on two lines, as even as its words allow.

    >>> on_two_lines("Share of time").splitlines()
    ['Share', 'of time']
    """
    words = heading.split()
    if len(heading) <= _LONG_HEADING or len(words) < 2:
        return heading
    breaks = [(" ".join(words[:k]), " ".join(words[k:])) for k in range(1, len(words))]
    return "\n".join(min(breaks, key=lambda two: max(map(len, two))))


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
            "95 % interval",
            wording.BRIER_ORIGINAL,
            "Log score",
        ),
        tuple(
            (
                wording.group_name(report, group),
                ", ".join(map(wording.badge, wording.kinds(group))),
                f"{group.questions:,}",
                f"{group.updates:,}",
                percent(group.coverage),
                number(group.brier.mean),
                wording.interval(group.brier.interval),
                number(group.brier_original.mean),
                wording.log_score(group),
            )
            for group in report.groups
        ),
        words=2,
        below="Intervals are over families of questions.",
    )


def scores(group: Group) -> Table:
    """Return the scores of a group with their intervals."""
    rows = [
        (wording.BRIER, number(group.brier.mean), wording.interval(group.brier.interval)),
        (
            wording.BRIER_ORIGINAL,
            number(group.brier_original.mean),
            wording.interval(group.brier_original.interval),
        ),
        ("Log score", wording.log_score(group), wording.interval(group.log.interval)),
    ]
    for name, skill in (
        ("Skill against the others (× 100)", group.skill),
        ("Skill against their mean forecast (× 100)", group.crowd_skill),
    ):
        if skill is not None:
            rows.append((name, signed(skill.mean, 1), wording.signed_interval(skill.interval, 1)))
    return Table(
        "Scores",
        ("Score", "Mean", "95 % interval"),
        tuple(rows),
        below=f"Intervals are {wording.over(group.families)}. {against(group.skill)}".strip(),
    )


def against(skill: Skill | None) -> str:
    """Return on what a skill rests, as a sentence; empty where nobody could be compared with."""
    if skill is None:
        return ""
    if not skill.questions:
        return "No question was forecast by anybody else, so there is no skill."
    return (
        f"Skill: on {wording.count(skill.questions, 'question')} that somebody else forecast too; "
        "above 0 is better than they."
    )


def parts(group: Group) -> Table:
    """Return the parts of the Brier score, the miscalibration beside what luck makes of it."""
    one = group.decomposition
    return Table(
        "Where the Brier score (0–1) comes from",
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
        below="Luck alone: the miscalibration that a calibrated forecaster shows on average; p: "
        f"how often one shows at least as much, {wording.over(group.families)}; both by the time "
        "to the scheduled close.",
    )


def tests(group: Group) -> Table:
    """Return the tests of calibration, and what a calibrated forecaster would show."""
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
    if moved is not None:
        rows.append(("Excess movement", signed(moved.excess.mean), "0", p_value(moved.p_value)))
    said = [
        "Forecasts weigh by the time to the scheduled close; "
        f"p-values are {wording.over(group.families)}"
    ]
    if moved is not None and moved.families != group.families:
        said.append(f", that of the movement, open questions included, over {moved.families:,}")
    said.append(".")
    if not line.estimable:
        said.append(f" The line cannot be estimated: {line.reason}.")
    said.append(
        f" What came true had the higher forecast in {percent(group.auc)} of pairs (AUC); "
        f"sharpness, the mean of p (1 − p), is {number(group.sharpness)}."
    )
    return Table(
        "Tests of calibration",
        ("Test", "This record", "Calibrated", "p"),
        tuple(rows),
        below="".join(said),
    )


def bins(group: Group) -> Table:
    """Return the binned table."""
    whole = sum(bin_.weight for bin_ in group.bins)
    return Table(
        "By what was forecast",
        ("Forecasts", "Questions", "Share of time", "Mean forecast", "Came true", "95 % interval"),
        tuple(
            (
                wording.bin_range(bin_),
                f"{bin_.questions:,}",
                percent(bin_.weight / whole),
                percent(bin_.forecast),
                percent(bin_.observed),
                wording.percents(bin_.interval),
            )
            for bin_ in group.bins
        ),
        below="A question counts in each bin in which a forecast on it stood. Intervals are over "
        "families of questions.",
    )


def curve(group: Group) -> Table:
    """Return the reliability curve and its band, as far as the drawing needs them."""
    return Table(
        "The curve and its band",
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
        "The Murphy curve",
        ("Act above", "Loss", "Loss of always saying the base rate"),
        tuple(
            (percent(point.threshold), number(point.score), number(point.base_rate))
            for point in group.murphy[::_THIN]
        ),
    )


def murphy_together(groups: Sequence[Group]) -> Table:
    """Return the Murphy curves of several groups, thinned."""
    return Table(
        "The Murphy curves",
        ("Act above", *(group.name for group in groups)),
        tuple(
            (percent(points[0].threshold), *(number(point.score) for point in points))
            for points in list(zip(*(group.murphy for group in groups), strict=True))[::_THIN]
        ),
    )


def leads(group: Group) -> Table:
    """Return the lead-time profile."""
    return Table(
        "By lead time",
        ("Days before", "Questions", wording.BRIER, "95 % interval", "Expected", "p"),
        tuple(
            (
                f"{row.days:g}",
                f"{row.questions:,}",
                number(row.brier.mean),
                wording.interval(row.brier.interval),
                number(row.expected),
                p_value(row.p_value),
            )
            for row in group.leads
        ),
        below="Expected: what those forecasts promised; p: how often chance alone is that far off, "
        "over families of questions.",
    )


def earned(group: Group) -> Table:
    """Return what the updates earned by what they cite."""
    return Table(
        "What evidence earned",
        ("Cited", "Times", "Questions", "Earned", "Per question", "95 % interval"),
        tuple(
            (
                source(row),
                f"{row.citations:,}" if row.citations else NOTHING,
                f"{row.questions:,}",
                signed(row.points),
                signed(row.per_question.mean, 4),
                wording.signed_interval(row.per_question.interval, 4),
            )
            for row in group.earned
            if row.by != "evidence"
        ),
        below="Points taken off the Brier score (0–1) of a question, the mean over all members; "
        "above 0 helped. It is bookkeeping, not causation: whoever moved last gets the credit. "
        "Intervals are over families of questions.",
    )


def evidence(group: Group) -> Table:
    """Return the pieces of evidence that earned and lost most."""
    pieces = [row for row in group.earned if row.by == "evidence"]
    return Table(
        "Evidence that earned and lost most",
        ("Evidence", "Times", "Questions", "Earned", "Per question", "95 % interval"),
        tuple(
            (
                wording.shortened(row.title, _LONG_NAME),
                f"{row.citations:,}",
                f"{row.questions:,}",
                signed(row.points),
                signed(row.per_question.mean, 4),
                wording.signed_interval(row.per_question.interval, 4),
            )
            for row in pieces
        ),
        below=wording.more_evidence(group.evidence - len(pieces)),
    )


def moved(group: Group) -> Table:
    """Return the updates that earned and lost most; there must be some."""
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
        words=3,
        below=wording.updates(group.moved),
    )


def credits(group: Group) -> list[Table]:
    """Return the tables of what was earned, those that have anything in them."""
    found = [earned(group), evidence(group)] if group.earned else []
    return [*found, moved(group)] if group.moved is not None else found


def source(row: Earned) -> str:
    """Return what was cited, in words."""
    if row.by == "publisher":
        return f"Publisher: {row.name}" if row.name else "Publisher: none named"
    return f"Kind: {row.name.replace('_', ' ')}" if row.name else "Nothing cited"


def shown(group: Group) -> Sequence[Table]:
    """Return the tables of a group in their order, those that have anything in them."""
    if not group.questions:
        return []
    return [
        scores(group),
        parts(group),
        tests(group),
        bins(group),
        *([leads(group)] if group.leads else []),
        *credits(group),
    ]
