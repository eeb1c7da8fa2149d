"""The tables of a report, alike in every document and on every page."""

from __future__ import annotations

from collections.abc import Sequence

from forecasts.common.text import count, shortened
from forecasts.documents.document import Columns, Table, table_of
from forecasts.documents.numbers import (
    NOTHING,
    interval,
    number,
    p_value,
    percent,
    percents,
    signed,
    signed_interval,
)
from forecasts.reports import wording
from forecasts.reports.chance import over_families
from forecasts.reports.charts import brier_forest, corners
from forecasts.reports.report import (
    Bin,
    CurvePoint,
    Earned,
    Group,
    Lead,
    MurphyPoint,
    Report,
    RocPoint,
    Unrevised,
    Update,
)

_LONG_NAME = 60
_MURPHY_STEP = 10  # of the thresholds of the Murphy curve, every tenth is listed
_ROC_ROWS = 12
_INTERVAL = "95% interval"


_ADJUSTED: Columns[Group] = {
    "Adjusted": lambda group: wording.adjusted(group.adjusted),
    wording.ADJUSTED_INTERVAL: lambda group: (
        interval(group.adjusted.interval) if group.adjusted else NOTHING
    ),
}


def overview(report: Report) -> Table:
    """Return all groups, one a row."""
    columns: Columns[Group] = {
        "": lambda group: wording.group_name(report, group),
        "Verdict": lambda group: ", ".join(
            map(wording.BADGES.__getitem__, wording.findings(group))
        ),
        "Questions": lambda group: f"{group.questions:,}",
        "Updates": lambda group: f"{group.updates:,}",
        "Coverage": lambda group: percent(group.coverage),
        wording.BRIER: lambda group: number(group.brier.mean),
        _INTERVAL: lambda group: interval(group.brier.interval),
        wording.BRIER_ORIGINAL: lambda group: number(group.brier_original.mean),
        "Log score": wording.log_score,
    }
    note = wording.INTERVALS
    if about := wording.adjusted_note(group.adjusted for group in report.groups):
        columns = {**columns, **_ADJUSTED}
        note += f" {about}"
    return table_of(
        "",
        report.groups,
        columns,
        text_columns=2,
        note=note,
        optional=(
            *("Verdict", "Log score", wording.ADJUSTED_INTERVAL),
            *(wording.BRIER_ORIGINAL, "Updates"),
        ),
        plot=brier_forest(report),
        plot_heading=f"{wording.BRIER} from 0;\ndashed: 0.25, always 50%",
        links=tuple(f"#group-{place}" for place in range(1, len(report.groups) + 1)),
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
        *(
            (name, number(score.mean), interval(score.interval))
            for name, score in (
                (wording.BRIER, group.brier),
                (wording.BRIER_ORIGINAL, group.brier_original),
            )
        ),
        ("Log score", number(group.log.mean), log),
    ]
    for name, skill in (("Skill (× 100)", group.skill), ("Crowd skill (× 100)", group.crowd_skill)):
        if skill is not None:
            rows.append((name, signed(skill.mean, 1), signed_interval(skill.interval, 1)))
    for name, saved in (
        ("Brier skill, base rate", group.brier_skill),
        ("Brier skill, crowd", group.crowd_brier_skill),
    ):
        if saved is not None and saved.mean is not None:
            rows.append((name, signed(saved.mean, 2), signed_interval(saved.interval, 2)))
    if group.adjusted is not None:
        one = group.adjusted
        rows.append(("Adjusted for difficulty", wording.adjusted(one), interval(one.interval)))
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
    """Return the parts of the Brier score and of the log score."""
    brier, log = group.decomposition, group.log_decomposition
    note = "Of forecasts when made, while the scores of the record are by time."
    if log.infinite:
        note += f" {count(log.infinite, 'infinite log score')} left out."
    return Table(
        "Parts of the scores",
        ("Part", wording.BRIER, "Log score"),
        tuple(
            (name, number(getattr(brier, part)), number(getattr(log, part)))
            for name, part in (
                ("Miscalibration", "miscalibration"),
                ("− discrimination", "discrimination"),
                ("+ uncertainty", "uncertainty"),
                ("= score when made", "score"),
            )
        ),
        note=note,
    )


def tests(group: Group) -> Table:
    """Return the tests of calibration, and the value for a calibrated forecaster."""
    line, luck, made = group.recalibration, group.luck, group.miscalibration
    rows = [
        (
            "Recalibration line: intercept, slope",
            f"{signed(line.intercept, 2)}, {number(line.slope, 2)}" if line.estimable else NOTHING,
            "0, 1",
            p_value(line.p_value),
        ),
        (
            "Miscalibration",
            number(made.when_made),
            f"{number(made.expected)} from luck",
            p_value(made.p_value),
        ),
        (
            f"Brier score (0–1) of {number(luck.realised)} less the expected "
            f"{number(luck.expected)}",
            signed(luck.difference.mean),
            "0",
            p_value(luck.p_value),
        ),
        *(
            (name, signed(test.z, 2), "0", p_value(test.p_value))
            for name, test in (
                ("Spiegelhalter’s z", group.spiegelhalter),
                ("Calibration in the large, z", group.calibration_in_the_large),
            )
        ),
    ]
    moved = group.movement
    note = (
        "Of forecasts when made, the k-th of a forecaster on a question with weight 1/k; "
        f"p-values are {over_families(group.families)}."
    )
    if moved is not None:
        rows.append(("Excess movement", signed(moved.excess.mean), "0", p_value(moved.p_value)))
        note += (
            " The excess movement includes open questions; its p-value is of the recalibrated "
            "forecasts on the resolved ones."
        )
    if not line.estimable:
        note += f" The line cannot be estimated: {line.reason}."
    return Table(
        "Tests of calibration", ("Test", "This record", "Calibrated", "p"), tuple(rows), note=note
    )


def errors(group: Group) -> Table:
    """Return how far forecasts are from the curve, and how well they tell events apart."""
    far = group.errors
    rows = [
        (name, percent(seen, 1), f"{percent(expected, 1)} from luck")
        for name, seen, expected in (
            ("Average error (Eavg)", far.average, far.expected_average),
            ("90th percentile (E90)", far.p90, far.expected_p90),
            ("Largest error (Emax)", far.largest, far.expected_largest),
        )
    ]
    rows.append(("AUC", number(group.auc, 2), interval(group.auc_interval, 2)))
    rows.append(("Sharpness, mean p (1 − p)", number(group.sharpness), NOTHING))
    note = (
        "Errors are the distances of forecasts when made from the reliability curve, in percentage "
        "points."
    )
    head = ("Measure", "This record", f"From luck, or {_INTERVAL}")
    return Table("Errors and discrimination", head, tuple(rows), note=note)


def bins(group: Group) -> Table:
    """Return the binned table."""
    total = sum(bin_.weight for bin_ in group.bins)
    columns: Columns[Bin] = {
        "Forecasts": wording.bin_range,
        "Questions": lambda bin_: f"{bin_.questions:,}",
        "Share": lambda bin_: percent(bin_.weight / total),
        "Mean forecast": lambda bin_: percent(bin_.forecast),
        "Came true": lambda bin_: percent(bin_.observed),
        _INTERVAL: lambda bin_: percents(bin_.interval),
    }
    note = (
        "Forecasts when made; a question counts in each bin with a forecast on it. Intervals are "
        "over families of questions."
    )
    return table_of("By forecast", group.bins, columns, note=note)


def curve(group: Group) -> Table:
    """Return the reliability curve and its band, as drawn."""
    columns: Columns[CurvePoint] = {
        "Forecast": lambda point: percent(point.forecast, 1),
        "Came true (curve)": lambda point: percent(point.recalibrated, 1),
        "Band from": lambda point: percent(point.lower, 1),
        "to": lambda point: percent(point.upper, 1),
    }
    return table_of("Curve and chance band", corners(group.curve), columns)


def roc(group: Group) -> Table:
    """Return the ROC curve, thinned."""
    columns: Columns[RocPoint] = {
        "Called from": lambda point: (
            "never" if point.threshold is None else percent(point.threshold, 1)
        ),
        "Hit rate": lambda point: percent(point.hit_rate),
        "False alarm rate": lambda point: percent(point.false_alarm_rate),
    }
    every = max(1, -(-len(group.roc) // _ROC_ROWS))
    return table_of("ROC curve", (*group.roc[:-1:every], *group.roc[-1:]), columns)


def pit(group: Group) -> Table:
    """Return where in their distributions the outcomes of numeric and date questions lie."""
    assert group.pit is not None
    shares = group.pit.bins
    step = 1 / len(shares)
    rows = tuple(
        (percents((place * step, (place + 1) * step)), percent(share), percent(step))
        for place, share in enumerate(shares)
    )
    inside = ", ".join(
        f"{percent(one.share)} in the middle {percent(one.level)}" for one in group.pit.inside
    )
    head = ("Part of the distribution", "Outcomes", "Calibrated")
    return Table("Numbers and dates", head, rows, note=f"Of all outcomes, {inside}.")


def murphy(group: Group) -> Table:
    """Return the Murphy curve, thinned."""
    columns: Columns[MurphyPoint] = {
        "Act above": lambda point: percent(point.threshold),
        "Loss": lambda point: number(point.score),
        "Loss with the base rate": lambda point: number(point.base_rate),
    }
    return table_of("Murphy curve", group.murphy[::_MURPHY_STEP], columns)


def murphy_curves(groups: Sequence[Group]) -> Table:
    """Return the Murphy curves of several groups, thinned."""
    thinned = zip(*(group.murphy[::_MURPHY_STEP] for group in groups), strict=True)
    return Table(
        "Murphy curves",
        ("Act above", *(group.name for group in groups)),
        tuple(
            (percent(points[0].threshold), *(number(point.score) for point in points))
            for points in thinned
        ),
    )


def leads(group: Group) -> Table:
    """Return the lead-time profile."""
    columns: Columns[Lead] = {
        "Days before": lambda row: f"{row.days:g}",
        "Questions": lambda row: f"{row.questions:,}",
        wording.BRIER: lambda row: number(row.brier.mean),
        _INTERVAL: lambda row: interval(row.brier.interval),
        "Expected": lambda row: number(row.expected),
        "p": lambda row: p_value(row.p_value),
    }
    note = (
        "Expected: the mean of p (1 − p) of those forecasts; p: how often chance alone is this far "
        "off, over families of questions."
    )
    return table_of("By lead time", group.leads, columns, note=note)


_EARNED: Columns[Earned] = {
    "Citations": lambda row: f"{row.citations:,}" if row.citations else NOTHING,
    "Questions": lambda row: f"{row.questions:,}",
    "Earned": lambda row: signed(row.points),
    "Per question": lambda row: signed(row.per_question.mean, 4),
    _INTERVAL: lambda row: signed_interval(row.per_question.interval, 4),
}


def earned(group: Group) -> Table:
    """Return the points earned by publisher and by kind of evidence."""
    return table_of(
        "Points earned by evidence",
        [row for row in group.earned if row.by != "evidence"],
        {"Cited": source, **_EARNED},
        note="Points off a question’s Brier score (0–1), as the mean over all members; above 0 "
        "helped. Bookkeeping, not causation: the last update gets the credit. "
        f"{wording.INTERVALS}",
    )


def evidence(group: Group) -> Table:
    """Return the pieces of evidence that earned and lost most."""
    pieces = [row for row in group.earned if row.by == "evidence"]
    more = group.evidence - len(pieces)
    note = wording.HINDSIGHT
    if more:
        note += (
            f" {more:,} more pieces are not shown; forecasts attribute --by evidence lists all of "
            "them."
        )
    return table_of(
        "Evidence that earned and lost most",
        pieces,
        {"Evidence": lambda row: shortened(row.title, _LONG_NAME), **_EARNED},
        note=note,
    )


def moved(group: Group) -> Table:
    """Return the updates that earned and lost most; the group must have some."""
    assert group.moved is not None
    columns: Columns[Update] = {
        "Question": _question,
        "By": lambda row: shortened(row.forecaster, _LONG_NAME),
        "Made": lambda row: f"{row.made_at:%Y-%m-%d}",
        "Score before": lambda row: number(row.score_before),
        "Score after": lambda row: number(row.score),
        "Time left": lambda row: percent(row.remaining),
        "Earned": lambda row: signed(row.points),
    }
    rows = [*group.moved.most, *reversed(group.moved.least)]
    caption, note = "Updates that earned and lost most", wording.updates(group.moved)
    return table_of(caption, rows, columns, text_columns=3, note=note)


def _question(row: Update) -> str:
    """Return the title of the question, then its id."""
    name = shortened(row.question, _LONG_NAME)
    return f"{shortened(row.title)} ({name})" if row.title else name


def unrevised(group: Group) -> Table:
    """Return the questions on which a review would have paid most."""
    assert group.staleness is not None
    columns: Columns[Unrevised] = {
        "Question": lambda row: shortened(row.title or row.question),
        "Forecaster": lambda row: row.forecaster,
        "Forecast": lambda row: percent(row.forecast),
        "Unrevised": lambda row: count(round(row.days, 1 if row.days < 10 else None), "day"),
        "Cost": lambda row: number(row.points),
    }
    return table_of(
        "Reviews that would have paid most",
        group.staleness.most,
        columns,
        text_columns=2,
        note="In Brier points (0–1) of the question; with its costliest forecast. "
        f"{wording.HINDSIGHT}",
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
