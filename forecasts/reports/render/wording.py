"""Numbers and findings in words, the same in every rendering."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time

from forecasts.common.text import on_one_line
from forecasts.common.times import iso, iso_day_or_time
from forecasts.reports.report import (
    Bin,
    CurvePoint,
    Group,
    Interval,
    Lead,
    LeftOut,
    Metadata,
    MurphyPoint,
    Report,
    Updates,
)
from forecasts.reports.selection import Choice

NOTHING = "–"
BRIER = "Brier (0–1)"
BRIER_ORIGINAL = "Brier, original (0–2)"
# A smaller difference between two Murphy curves is not spoken of.
_SLIGHT = 0.002

REASONS = {
    "open": "still open",
    "awaiting_resolution": "closed, awaiting resolution",
    "annulled": "annulled",
    "ambiguous": "ambiguous",
    "not_in_cohort": "resolved, but scheduled to close later; they count in the cohort “resolved”",
    "not_selected": "not asked for",
    "numeric_or_date": "numeric or date, without a yes/no probability",
    "never_live": "without a forecast that stood while it was open",
    "in_no_group": "of none of the groups that are reported on",
    "none_at_lead": "without a forecast that stood at that lead",
}
KINDS = {
    "calibrated": "calibrated",
    "overconfident": "overconfident",
    "underconfident": "underconfident",
    "too_high": "too high",
    "too_low": "too low",
    "too_few": "too few to tell",
    "not_estimable": "no verdict",
}
REACTIONS = {"over_reacting": "over-reacts", "under_reacting": "under-reacts"}
# Beside a word, never in place of it: what differs must not differ by colour alone.
SIGNS = {
    "calibrated": "✓",
    "overconfident": "◆",
    "underconfident": "◇",
    "too_high": "▲",
    "too_low": "▼",
    "too_few": "…",
    "not_estimable": "…",
    "over_reacting": "↔",
    "under_reacting": "→",
}


def tied(words: str) -> str:
    """Return the words with each sign of per cent on one line with its number."""
    return words.replace(" %", "\u00a0%")


def title(report: Report) -> str:
    """Return what the report is, as a heading."""
    by = report.metadata.by
    if by == "lead":
        return "Track record by lead time"
    return "Track record" if by == "all" else f"Track record by {by}"


def counted_questions(choice: Choice, as_of: datetime) -> str:
    """Return which questions count, and which forecasts, as sentences."""
    moment = f"{as_of:%Y-%m-%d %H:%M} UTC"
    said = [
        f"Questions whose scheduled close had passed on {moment}."
        if choice.cohort == "scheduled"
        else f"All questions resolved as of {moment}, whether or not they were to close by then."
    ]
    if choice.tags:
        said.append(f"Only those with the tag {' or '.join(choice.tags)}.")
    if choice.since is not None or choice.until is not None:
        said.append(f"Only those scheduled to close {_span(choice.since, choice.until)}.")
    if choice.lead is not None:
        said.append(f"Forecasts as they stood {at_lead(choice.lead)}.")
    return " ".join(said)


def at_lead(days: float) -> str:
    """Return when a lead is: ``7 days before the scheduled close``."""
    return f"{count(days, 'day')} before the scheduled close"


def scope(report: Report) -> str:
    """Return which questions and forecasts the report is about, as sentences."""
    about = report.metadata
    said = [counted_questions(about, about.as_of)]
    if about.by == "lead":
        said.append("Everyone's forecasts, as they stood so many days before that close.")
    return " ".join(said)


def _span(since: datetime | None, until: datetime | None) -> str:
    ends = []
    if since is not None:
        ends.append(f"from {iso_day_or_time(since)}")
    if until is not None:
        whole_day = until.time().replace(microsecond=0) == time(23, 59, 59)
        ends.append(f"until {until:%Y-%m-%d}" if whole_day else f"until {iso_day_or_time(until)}")
    return " ".join(ends)


def nobody(report: Report) -> str:
    """Return why a report has no groups."""
    return f"There is no {report.metadata.by} in this ledger."


def made_with(about: Metadata) -> str:
    """Return what a report was made of and with, in a line."""
    return (
        f"Engine {about.engine_version} · protocol {about.protocol} · cohort {about.cohort} · "
        f"as of {iso(about.as_of)} · input SHA-256 {about.input_sha256}"
    )


def group_name(report: Report, group: Group) -> str:
    """Return the name of a group for a person, on one line."""
    return "Everyone" if report.metadata.by == "all" else on_one_line(group.name)


def number(value: float | None, digits: int = 3) -> str:
    """Return a score with that many decimals; what rounds to zero has no sign.

    >>> number(-0.0123), number(-1e-17)
    ('−0.012', '0.000')
    """
    if value is None:
        return NOTHING
    return f"{round(value, digits) + 0.0:.{digits}f}".replace("-", "−")


def signed(value: float | None, digits: int = 3) -> str:
    """Return a difference with its sign: +0.021, −0.021, 0.000."""
    said = number(value, digits)
    return said if value is None or round(value, digits) <= 0 else f"+{said}"


def interval(value: Interval | None, digits: int = 3) -> str:
    """Return an interval of scores."""
    if value is None:
        return NOTHING
    return f"{number(value[0], digits)} to {number(value[1], digits)}"


def signed_interval(value: Interval | None, digits: int = 3) -> str:
    """Return an interval of differences."""
    return NOTHING if value is None else f"{signed(value[0], digits)} to {signed(value[1], digits)}"


def p_value(value: float | None) -> str:
    """Return a p-value: 0.42, 0.0042, < 0.0001."""
    if value is None:
        return NOTHING
    return "< 0.0001" if value < 1e-4 else f"{value:.4f}" if value < 0.01 else f"{value:.2f}"


def percent(value: float | None, digits: int = 0) -> str:
    """Return a share in per cent."""
    return NOTHING if value is None else f"{value * 100:.{digits}f} %"


def percents(value: Interval | None) -> str:
    """Return an interval of shares in per cent."""
    return NOTHING if value is None else f"{value[0] * 100:.0f} to {value[1] * 100:.0f} %"


def count(many: float, noun: str) -> str:
    """Return ``1 question``, ``2 families``, ``1,234 questions``, ``0.5 days``."""
    if many != 1:
        noun = f"{noun[:-1]}ies" if noun.endswith("ly") else f"{noun}s"
    return f"{many:,.6f}".rstrip("0").rstrip(".") + f" {noun}"


def over(families: int) -> str:
    """Return what an interval or a p-value counts: ``over 212 families of questions``."""
    return f"over {count(families, 'family')} of questions"


def chance(p_value: float, families: int) -> str:
    """Return a p-value as so many of so many records, and what it counts.

    >>> chance(0.42, 212)
    '42 of 100 such records (212 families of questions)'
    >>> chance(0.0026, 212)
    '1 of 380 such records (212 families of questions)'
    >>> chance(1e-9, 1)
    'fewer than 1 of 10,000 such records (1 family of questions)'
    """
    if p_value >= 0.05:
        often = f"{p_value * 100:.0f} of 100"
    elif p_value < 1e-4:
        often = "fewer than 1 of 10,000"
    else:
        often = f"1 of {float(f'{1 / p_value:.2g}'):,.0f}"
    return f"{often} such records ({count(families, 'family')} of questions)"


def findings(group: Group) -> list[str]:
    """Return what a group's record shows, as sentences: the verdict, and a reaction beside it."""
    said = [group.verdict.sentence]
    if group.movement is not None and group.movement.kind in REACTIONS:
        said.append(group.movement.sentence)
    return said


def kinds(group: Group) -> list[str]:
    """Return the kinds of ``findings``, to be shown as badges."""
    found: list[str] = [group.verdict.kind]
    if group.movement is not None and group.movement.kind in REACTIONS:
        found.append(group.movement.kind)
    return found


def badge(kind: str) -> str:
    """Return a kind in a word or two."""
    return (KINDS | REACTIONS)[kind]


def bin_range(bin_: Bin) -> str:
    """Return the forecasts that a bin holds."""
    return f"{bin_.lower * 100:.0f}–{bin_.upper * 100:.0f} %"


def log_score(group: Group) -> str:
    """Return the mean log score, with the infinite ones counted apart."""
    mean = number(group.log.mean)
    return f"{mean} (+ {group.log.infinite} infinite)" if group.log.infinite else mean


def parts(group: Group) -> str:
    """Return the decomposition as a sum, the miscalibration beside what luck makes of it."""
    one = group.decomposition
    return (
        f"{number(group.brier.mean)} = {number(one.miscalibration)} miscalibration (luck alone: "
        f"{number(one.miscalibration_expected)}, p {p_value(one.p_value)} "
        f"{over(group.families)}) − {number(one.discrimination)} discrimination + "
        f"{number(one.uncertainty)} uncertainty"
    )


def left_out(entries: Sequence[LeftOut]) -> str:
    """Return how many questions were left out and why, as a sentence; empty for none."""
    if not entries:
        return ""
    listed = "; ".join(f"{entry.questions:,} {REASONS[entry.reason]}" for entry in entries)
    return f"Left out: {listed}."


def said_of_bin(bin_: Bin) -> str:
    """Return in a sentence what became of the forecasts of a bin; empty where there are none."""
    if bin_.forecast is None:
        return ""
    return (
        f"What was called {bin_range(bin_)}, on average {percent(bin_.forecast)}, happened "
        f"{percent(bin_.observed)} of the time (95 %: {percents(bin_.interval)}, "
        f"{count(bin_.questions, 'question')})."
    )


def said_of_point(point: CurvePoint) -> str:
    """Return in a sentence what the curve and its band say of one forecast."""
    inside = point.lower - 1e-9 <= point.recalibrated <= point.upper + 1e-9
    return (
        f"What was called {percent(point.forecast, 1)} happened about "
        f"{percent(point.recalibrated)} of the time, {'inside' if inside else 'outside'} what "
        f"chance alone does ({percents((point.lower, point.upper))})."
    )


def said_of_threshold(point: MurphyPoint) -> str:
    """Return in a sentence what those lose who act above a threshold."""
    return (
        f"Those who act above {percent(point.threshold)} lose {number(point.score)} on average, "
        f"and {number(point.base_rate)} by always trusting the base rate."
    )


def said_of_lead(row: Lead) -> str:
    """Return in a sentence how good the forecasts were at a lead."""
    return (
        f"{count(row.days, 'day')} before the scheduled close the Brier score (0–1) was "
        f"{number(row.brier.mean)} (95 %: {interval(row.brier.interval)}); the forecasts promised "
        f"{number(row.expected)}."
    )


def summary(group: Group) -> str:
    """Return in words what the reliability diagram of a group shows."""
    filled = [bin_ for bin_ in group.bins if bin_.forecast is not None]
    if not filled:
        return "There is nothing to draw: no question of this group has been scored."
    heaviest = max(filled, key=lambda bin_: bin_.weight)
    share = percent(heaviest.weight / sum(bin_.weight for bin_ in filled))
    sentences = [
        f"The forecasts most in use are those of {bin_range(heaviest)} ({share} of the time), "
        f"{percent(heaviest.forecast)} on average; {percent(heaviest.observed)} of them came true."
    ]
    inside = sum(
        bin_.interval[0] <= bin_.forecast <= bin_.interval[1]
        for bin_ in filled
        if bin_.interval is not None and bin_.forecast is not None
    )
    sentences.append(
        f"In {inside} of {count(len(filled), 'bin')} with forecasts the 95 % interval of what "
        "happened includes what was forecast."
    )
    weight = sum(point.weight for point in group.curve)
    outside = sum(
        point.weight
        for point in group.curve
        if not point.lower - 1e-9 <= point.recalibrated <= point.upper + 1e-9
    )
    sentences.append(
        f"For {percent(outside / weight)} of the time the curve lies outside the band that "
        "holds a calibrated forecaster's curve nine times in ten, at each forecast by itself."
    )
    return " ".join(sentences)


def shortened(words: str, most: int = 90) -> str:
    """Return ``words`` on one line, cut at a word where they are longer than ``most``."""
    plain = " ".join(words.split())
    if len(plain) <= most:
        return plain
    return plain[:most].rsplit(" ", 1)[0].rstrip(",;:.") + " …"


def more_evidence(many: int) -> str:
    """Return how many pieces of evidence are not shown; empty for none."""
    if not many:
        return ""
    return (
        f"{many:,} more earned or lost less; forecasts attribute --by evidence lists every piece."
    )


def updates(moved: Updates) -> str:
    """Return in a sentence or two what all updates earned."""
    still = moved.updates - moved.helped - moved.cost
    rest = moved.updates - len(moved.most) - len(moved.least) - still
    found = (
        f"Of {count(moved.updates, 'update')} that replaced a forecast {moved.helped:,} helped and "
        f"{moved.cost:,} cost. Together they earned {signed(moved.points, 2)} points of the "
        f"Brier score (0–1) on {count(moved.questions, 'question')}, the mean over all members: "
        f"{signed(moved.per_question.mean, 4)} a question (95 %: "
        f"{signed_interval(moved.per_question.interval, 4)}, {over(moved.families)}). They "
        f"promised {number(moved.promised, 2)}; the rest, {signed(moved.surprise, 2)}, is surprise."
    )
    if rest:
        found += f" {rest:,} more earned or lost less."
    return found


def murphy_summary(group: Group) -> str:
    """Return in words what the Murphy curve of a group shows."""
    worst = max(group.murphy, key=lambda point: point.score)
    said = f"Most is lost by those who act above {percent(worst.threshold)}."
    base = "Always saying how often things came true (dashed) would serve"
    behind = [point.score > point.base_rate + _SLIGHT for point in group.murphy]
    edges = [place for place in range(1, len(behind)) if behind[place] != behind[place - 1]]
    ends = [*([0] if behind[:1] == [True] else []), *edges]
    if not ends:
        return f"{said} {base} nobody better."
    ranges = []
    for first, last in zip(ends[::2], [*ends[1::2], len(behind)], strict=False):
        lower, upper = (percent(group.murphy[at].threshold) for at in (first, last - 1))
        ranges.append(upper if lower == upper else f"{lower.removesuffix(' %')} to {upper}")
    return f"{said} {base} those better who act above {' or '.join(ranges)}."


def murphy_together(groups: Sequence[Group]) -> str:
    """Return in words where each of several Murphy curves, of equal thresholds, is lowest."""
    many = len(groups[0].murphy)
    lowest = [
        min(range(len(groups)), key=lambda who: groups[who].murphy[place].score)
        for place in range(many)
    ]
    begins = [place for place in range(many) if place == 0 or lowest[place] != lowest[place - 1]]
    spans = [
        (after - first, first, after - 1)
        for first, after in zip(begins, [*begins[1:], many], strict=True)
    ]
    said = []
    for who in sorted(set(lowest), key=lambda who: -lowest.count(who)):
        _, first, last = max(span for span in spans if lowest[span[1]] == who)
        lower, upper = (percent(groups[0].murphy[at].threshold) for at in (first, last))
        said.append(
            f"{groups[who].name} at {percent(lowest.count(who) / many)} of the thresholds (as at "
            f"{upper if lower == upper else f'{lower} to {upper}'})"
        )
    return f"Least is lost by those who act on the forecasts of {'; of '.join(said)}."


def leads_summary(group: Group) -> str:
    """Return in words what the lead-time profile of a group shows."""
    first, last = (pick(group.leads, key=lambda row: row.days) for pick in (max, min))
    said = (
        f"{count(last.days, 'day').capitalize()} before the scheduled close the Brier score (0–1) "
        f"was {number(last.brier.mean)}, and {number(last.expected)} was to be expected of the "
        "forecasts"
    )
    if first is last:
        return f"{said}."
    return (
        f"{said}; {count(first.days, 'day')} before, {number(first.brier.mean)} and "
        f"{number(first.expected)}. The rows hold different questions."
    )
