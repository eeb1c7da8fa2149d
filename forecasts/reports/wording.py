"""A report in sentences that are alike in every document and on every page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, time
from itertools import groupby
from operator import itemgetter
from typing import Any

from forecasts.common.text import count, in_words, on_one_line
from forecasts.common.times import iso, iso_day_or_time, to_minute
from forecasts.documents.numbers import (
    NOTHING,
    interval,
    number,
    p_value,
    percent,
    percents,
    signed,
    signed_interval,
    span,
)
from forecasts.reports.chance import over_families
from forecasts.reports.report import (
    FAULTS,
    Adjusted,
    Bin,
    By,
    CurvePoint,
    Group,
    Lead,
    LeftOut,
    MurphyPoint,
    Report,
    RocPoint,
    Skill,
    Unrevised,
    Updates,
)
from forecasts.reports.selection import Choice, Cohort

BRIER = "Brier (0–1)"
BRIER_ORIGINAL = "Brier, original (0–2)"
ADJUSTED_INTERVAL = "Adjusted, 95% interval"
INTERVALS = "Intervals are over families of questions. A dash: too few for an interval."
# Of the largest and smallest of many.
HINDSIGHT = "The rows are chosen in hindsight, so luck has a part in each."
# A smaller difference between two Murphy curves is not worth a word.
_SLIGHT = 0.002
_MOST_NAMES = 5
_MANY_TESTS = 4
OF_TEAMS = (
    "A member counts in a team with the forecasts made as its member, while they were current."
)
OF_MODELS = (
    "A model has the forecasts made with it, while they were current, of all bots that used it."
)

REASONS = {
    "open": "still open",
    "awaiting_resolution": "closed and awaiting resolution",
    "annulled": "annulled",
    "ambiguous": "ambiguous",
    "not_in_cohort": "resolved before the scheduled close (counted in the cohort “resolved”)",
    "not_selected": "outside the filters",
    "numeric_or_date": "numeric or date, with no yes/no probability",
    "never_live": "with no forecast while open",
    "in_no_group": "in none of the groups of this report",
    "none_at_lead": "with no forecast at that lead",
}
# A sign beside a word, never in its place: a difference must not rest on colour alone.
BADGES = {
    "calibrated": "✓ calibrated",
    "overconfident": "◆ overconfident",
    "underconfident": "◇ underconfident",
    "too_high": "▲ too high",
    "too_low": "▼ too low",
    "too_few": "… too few to tell",
    "not_estimable": "… no verdict",
    "over_reacting": "↔ over-reacts",
    "under_reacting": "→ under-reacts",
}


def title(report: Report) -> str:
    """Return the heading of a report."""
    by = report.metadata.by
    return "Track record" + {"all": "", "lead": " by lead time"}.get(by, f" by {by}")


def choice_sentences(choice: Choice, as_of: datetime) -> str:
    """Return which questions and forecasts count, as sentences."""
    sentences = [
        f"Questions scheduled to close by {to_minute(as_of)}."
        if choice.cohort == "scheduled"
        else f"All questions resolved as of {to_minute(as_of)}, whatever their scheduled close."
    ]
    if choice.tags:
        sentences.append(f"Only those with the tag {' or '.join(choice.tags)}.")
    if choice.since is not None or choice.until is not None:
        sentences.append(f"Only those scheduled to close {_span(choice.since, choice.until)}.")
    if choice.lead is not None:
        sentences.append(f"Only the forecasts current {at_lead(choice.lead)}.")
    if choice.made_before is not None:
        sentences.append(f"Only forecasts made before {iso_day_or_time(choice.made_before)}.")
    return " ".join(sentences)


def at_lead(days: float) -> str:
    """Return the time of a lead: ``7 days before the scheduled close``."""
    return f"{count(days, 'day')} before the scheduled close"


def scope(report: Report) -> str:
    """Return which questions and forecasts the report is about, as sentences."""
    about = report.metadata
    sentences = [choice_sentences(about, about.as_of)]
    if about.by == "lead":
        sentences.append("Everyone’s forecasts, at each lead before the scheduled close.")
    return " ".join(sentences)


def _span(since: datetime | None, until: datetime | None) -> str:
    ends = []
    if since is not None:
        ends.append(f"from {iso_day_or_time(since)}")
    if until is not None:
        whole_day = until.time().replace(microsecond=0) == time(23, 59, 59)
        ends.append(f"to {until:%Y-%m-%d}" if whole_day else f"to {iso_day_or_time(until)}")
    return " ".join(ends)


def about(metadata: Any, questions: int, *more: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    """Return how a report or a comparison was made, as names and values."""
    return (
        ("Engine", f"forecast-ledger {metadata.engine_version}"),
        ("Protocol", metadata.protocol),
        *more,
        ("Cohort", f"{metadata.cohort}, of {count(questions, 'question')} in the ledger"),
        ("As of", iso(metadata.as_of)),
        ("Input SHA-256", metadata.input_sha256),
    )


def group_name(report: Report, group: Group) -> str:
    """Return the name of a group on one line."""
    return "Everyone" if report.metadata.by == "all" else on_one_line(group.name)


def findings(group: Group) -> dict[str, str]:
    """Return the findings on a group, a sentence by kind: the verdict, and a reaction if any."""
    found: dict[str, str] = {group.verdict.kind: group.verdict.sentence}
    if group.movement is not None and group.movement.kind in ("over_reacting", "under_reacting"):
        found |= {group.movement.kind: group.movement.sentence}
    return found


def adjusted(one: Adjusted | None) -> str:
    """Return a score adjusted for difficulty; of another set than the largest, with its number."""
    if one is None:
        return NOTHING
    return number(one.mean) + (f" (set {one.component + 1})" if one.component else "")


def adjusted_note(every: Iterable[Adjusted | None]) -> str:
    """Return the meaning of these adjusted scores, as sentences; empty if there are none."""
    found = [one for one in every if one is not None]
    if not found:
        return ""
    note = "Adjusted: the Brier score (0–1) if all had forecast all questions that they share."
    if any(one.component for one in found):
        note += " Groups of different sets share no question, so their scores cannot be compared."
    return note


def bin_range(bin_: Bin) -> str:
    """Return the forecasts that a bin holds: ``80 to 90%``."""
    return percents((bin_.lower, bin_.upper))


def log_score(group: Group) -> str:
    """Return the mean log score, and how many infinite ones it leaves out."""
    mean = number(group.log.mean)
    return f"{mean} (+ {group.log.infinite} infinite)" if group.log.infinite else mean


def skill_basis(skill: Skill | None) -> str:
    """Return the basis of a skill score, as a sentence; empty without others to compare with."""
    if skill is None:
        return ""
    if not skill.questions:
        return "Nobody else forecast any of these questions, so there is no skill score."
    return (
        f"Skill: on the {count(skill.questions, 'question')} that others forecast too; "
        "above 0 is better than they did."
    )


def decomposition(group: Group) -> str:
    """Return the Brier score when made as the sum of its parts, and the effect of luck."""
    one, made = group.decomposition, group.miscalibration
    return (
        f"{BRIER} when made: {number(one.score)} = {number(one.miscalibration)} miscalibration − "
        f"{number(one.discrimination)} discrimination + {number(one.uncertainty)} uncertainty. "
        f"Miscalibration from luck alone: {number(made.expected)} (p = {p_value(made.p_value)}, "
        f"{over_families(group.families)})."
    )


def left_out(entries: Sequence[LeftOut]) -> str:
    """Return how many questions were left out and why, as a sentence; empty for none."""
    if not entries:
        return ""
    listed = "; ".join(f"{entry.questions:,} {REASONS[entry.reason]}" for entry in entries)
    return f"Left out: {listed}."


def bin_sentence(bin_: Bin) -> str:
    """Return how often the forecasts of a bin came true, as a sentence; empty for an empty bin."""
    if bin_.forecast is None:
        return ""
    return (
        f"Forecasts of {bin_range(bin_)}, on average {percent(bin_.forecast)}, came true "
        f"{percent(bin_.observed)} of the time (95% interval {percents(bin_.interval)}, "
        f"{count(bin_.questions, 'question')})."
    )


def curve_sentence(point: CurvePoint) -> str:
    """Return how often one forecast came true by the curve, as a sentence."""
    return (
        f"Forecasts of {percent(point.forecast, 1)} came true about "
        f"{percent(point.recalibrated)} of the time, {'inside' if _in_band(point) else 'outside'} "
        f"the band of chance ({percents((point.lower, point.upper))})."
    )


def _in_band(point: CurvePoint) -> bool:
    return point.lower - 1e-9 <= point.recalibrated <= point.upper + 1e-9


def threshold_sentence(point: MurphyPoint) -> str:
    """Return the loss from acting above a threshold, as a sentence."""
    return (
        f"Acting above {percent(point.threshold)} costs {number(point.score)} on average, "
        f"and {number(point.base_rate)} with the base rate as the forecast."
    )


def lead_sentence(row: Lead) -> str:
    """Return how good the forecasts were at a lead, as a sentence."""
    return (
        f"{count(row.days, 'day')} before the scheduled close, the Brier score (0–1) was "
        f"{number(row.brier.mean)} (95% interval {interval(row.brier.interval)}); "
        f"{number(row.expected)} was expected."
    )


def reliability_summary(group: Group) -> str:
    """Return in words what the reliability diagram of a group shows."""
    filled = [bin_ for bin_ in group.bins if bin_.forecast is not None]
    if not filled:
        return "There is nothing to draw: this group has no scored question."
    heaviest = max(filled, key=lambda bin_: bin_.weight)
    share = percent(heaviest.weight / sum(bin_.weight for bin_ in filled))
    inside = sum(
        bin_.interval[0] <= bin_.forecast <= bin_.interval[1]
        for bin_ in filled
        if bin_.interval is not None and bin_.forecast is not None
    )
    weight = sum(point.weight for point in group.curve)
    outside = sum(point.weight for point in group.curve if not _in_band(point))
    leaves = (
        f"The curve leaves the band at {_at_least_one_percent(outside / weight)} of the forecasts; "
        "chance alone makes a curve leave its band anywhere in 1 of 10 records."
        if outside
        else "The whole curve lies in the band of chance, as 9 of 10 calibrated records do"
        + ("; the verdict’s test finds smaller faults." if group.verdict.kind in FAULTS else ".")
    )
    return (
        f"Forecasts of {bin_range(heaviest)} are the most common ({share} of all): on average "
        f"{percent(heaviest.forecast)}, and {percent(heaviest.observed)} came true. "
        f"In {inside} of {count(len(filled), 'bin')}, the 95% interval of the outcomes includes "
        f"the mean forecast. {leaves}"
    )


def _at_least_one_percent(share: float) -> str:
    return "less than 1%" if share < 0.01 else percent(share)


def unrevised(row: Unrevised, *, several: bool) -> str:
    """Return the cost of a question and its costliest forecast; ``several``: whose it was."""
    days = count(round(row.days, 1 if row.days < 10 else None), "day")
    whose = f" ({on_one_line(row.forecaster)})" if several else ""
    return f"{number(row.points)} points; {percent(row.forecast)}{whose} unrevised for {days}"


def updates(moved: Updates) -> str:
    """Return how much all updates earned, as sentences."""
    still = moved.updates - moved.helped - moved.cost
    rest = moved.updates - len(moved.most) - len(moved.least) - still
    found = (
        f"Of {count(moved.updates, 'update')} that replaced a forecast, {moved.helped:,} helped "
        f"and {moved.cost:,} hurt. Together they earned {signed(moved.points, 2)} points of the "
        f"Brier score (0–1) on {count(moved.questions, 'question')}, as the mean over all members: "
        f"{signed(moved.per_question.mean, 4)} per question (95% interval "
        f"{signed_interval(moved.per_question.interval, 4)}, {over_families(moved.families)}). "
        f"{signed(moved.promised, 2)} was expected if each new forecast was right; the other "
        f"{signed(moved.surprise, 2)} is surprise. {HINDSIGHT}"
    )
    if rest:
        found += f" {rest:,} more that helped or hurt are not shown."
    return found


def murphy_summary(group: Group) -> str:
    """Return in words what the Murphy curve of a group shows."""
    worst = max(group.murphy, key=lambda point: point.score)
    peak = f"The loss is largest when acting on forecasts above {percent(worst.threshold)}."
    base = "With the base rate as the forecast, it"
    behind = [point.score > point.base_rate + _SLIGHT for point in group.murphy]
    ranges = stretches([point.threshold for point in group.murphy], behind)
    if not ranges:
        return f"{peak} {base} is not noticeably smaller at any threshold."
    return (
        f"{peak} {base} is smaller at thresholds of {in_words(ranges)}; no test says whether by "
        "more than chance."
    )


def stretches(thresholds: Sequence[float], flags: Sequence[bool]) -> list[str]:
    """Return each stretch of thresholds with a flag: ``10 to 20%``."""
    runs = groupby(zip(flags, thresholds, strict=True), key=itemgetter(0))
    ends = [[threshold for _, threshold in run] for flag, run in runs if flag]
    return [span((run[0], run[-1])) for run in ends]


def murphy_curves_summary(groups: Sequence[Group]) -> str:
    """Return in words where each of several Murphy curves, of equal thresholds, is lowest."""
    thresholds = [point.threshold for point in groups[0].murphy]
    scores = [[point.score for point in group.murphy] for group in groups]
    lowest = [column.index(min(column)) for column in map(list, zip(*scores, strict=True))]
    runs: dict[int, list[list[float]]] = {}
    for best, run in groupby(zip(lowest, thresholds, strict=True), key=itemgetter(0)):
        runs.setdefault(best, []).append([threshold for _, threshold in run])
    parts = []
    for best in sorted(runs, key=lambda best: -lowest.count(best)):
        longest = max(runs[best], key=len)
        parts.append(
            f"{groups[best].name} at {percent(lowest.count(best) / len(lowest))} of the thresholds "
            f"(such as {span((longest[0], longest[-1]))})"
        )
    return f"Lowest loss: {'; '.join(parts)}."


def roc_summary(group: Group) -> str:
    """Return in words what the ROC curve of a group shows."""
    return (
        f"In {percent(group.auc)} of pairs of an event and a non-event, the event had the higher "
        f"forecast (AUC {number(group.auc, 2)}, 95% interval {interval(group.auc_interval, 2)}); "
        "without discrimination it is half."
    )


def roc_sentence(point: RocPoint) -> str:
    """Return the rates at one threshold of the ROC curve, as a sentence."""
    if point.threshold is None:
        return "Without any call there are no hits and no false alarms."
    return (
        f"Calling an event from {percent(point.threshold, 1)} on hits {percent(point.hit_rate)} of "
        f"the events, with false alarms on {percent(point.false_alarm_rate)} of the rest."
    )


def leads_summary(group: Group) -> str:
    """Return in words what the lead-time profile of a group shows."""
    first, last = (pick(group.leads, key=lambda row: row.days) for pick in (max, min))
    found = (
        f"{count(last.days, 'day').capitalize()} before the scheduled close, the Brier score (0–1) "
        f"was {number(last.brier.mean)}, with {number(last.expected)} expected if the forecasts "
        "are right"
    )
    if first is last:
        return f"{found}."
    return (
        f"{found}; {count(first.days, 'day')} before, {number(first.brier.mean)} with "
        f"{number(first.expected)} expected. Each lead has different questions."
    )


def notes(
    groups: Sequence[Group],
    *,
    by: By,
    cohort: Cohort,
    several_options: bool,
    in_several_teams: Sequence[str],
    provisional: int,
) -> tuple[str, ...]:
    """Return the caveats of this report, as full sentences."""
    verdicts = sum(one.verdict.kind not in ("too_few", "not_estimable") for one in groups)
    reactions = sum(one.movement is not None and one.movement.kind != "too_few" for one in groups)
    every = (
        (
            provisional == 1,
            "One outcome counted here is disputed or can still be disputed, so its scores are "
            "provisional.",
        ),
        (
            provisional > 1,
            f"{provisional:,} outcomes counted here are disputed or can still be disputed, so "
            "their scores are provisional.",
        ),
        (
            verdicts + reactions >= _MANY_TESTS,
            f"This report has {count(verdicts, 'verdict')} and tests "
            f"{count(reactions, 'record')} for reactions. Chance alone finds fault in about 1 in "
            "20 such tests of calibrated records, so one fault among many is weak evidence.",
        ),
        (
            cohort == "resolved",
            "All resolved questions count, even before their scheduled close. Questions that "
            "resolve early tend to resolve “yes”, which makes forecasts look too low.",
        ),
        (
            several_options,
            "For calibration, a multiple-choice question is one yes/no claim per option, each with "
            "half the weight, so a question with two options counts exactly like the equivalent "
            "binary question.",
        ),
        (
            any(group.log.infinite for group in groups),
            "The log score is infinite if an event happened that was called impossible. Such "
            "questions are counted separately; the mean is over the others.",
        ),
        (
            any(group.certainty.questions for group in groups),
            "A forecast of exactly 0% or 100% that came true changes no test. One that failed "
            "cannot be chance: the verdict names it, and judges the other forecasts without it.",
        ),
        (by == "team", OF_TEAMS),
        (
            by == "team" and in_several_teams,
            "In two teams at the same time, and counted in each: "
            f"{in_words(in_several_teams, _MOST_NAMES)}.",
        ),
        (by == "model", OF_MODELS),
        (by == "owner", "An owner’s record is that of their bots alone."),
        (by == "tag", "A question with several tags counts under each of them."),
        (
            by == "lead",
            "A lead leaves out questions that were not open then or had no forecast, so the rows "
            "have different questions.",
        ),
    )
    return tuple(note for applies, note in every if applies)
