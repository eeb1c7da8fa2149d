"""Numbers and findings in words, the same in every rendering."""

from __future__ import annotations

from collections.abc import Sequence

from forecasts.reports.report import Bin, Group, Interval, LeftOut, Metadata, Report
from forecasts.times import iso

NOTHING = "–"
BRIER = "Brier (0–1)"
BRIER_ORIGINAL = "Brier, original (0–2)"

REASONS = {
    "open": "still open",
    "awaiting_resolution": "closed, awaiting resolution",
    "annulled": "annulled",
    "ambiguous": "ambiguous",
    "not_in_cohort": "resolved, but scheduled to close later",
    "not_selected": "not asked for",
    "numeric_or_date": "numeric or date, without a yes/no probability",
    "never_live": "without a forecast that stood while it was open",
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
# Beside a word, never in place of it: what differs must not differ by colour alone.
SIGNS = {
    "calibrated": "✓",
    "overconfident": "◆",
    "underconfident": "◇",
    "too_high": "▲",
    "too_low": "▼",
    "too_few": "…",
    "not_estimable": "…",
}


def title(report: Report) -> str:
    """Return what the report is, as a heading."""
    by = report.metadata.by
    return "Track record" if by == "all" else f"Track record by {by}"


def scope(report: Report) -> str:
    """Return which questions the report is about, as a sentence."""
    moment = f"{report.metadata.as_of:%Y-%m-%d %H:%M} UTC"
    if report.metadata.cohort == "scheduled":
        return f"Questions whose scheduled close had passed on {moment}."
    return f"All questions resolved as of {moment}, whether or not they were to close by then."


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
    """Return the name of a group for a person."""
    return "Everyone" if report.metadata.by == "all" else group.name


def number(value: float | None, digits: int = 3) -> str:
    """Return a score with that many decimals."""
    return NOTHING if value is None else f"{value:.{digits}f}".replace("-", "−")


def interval(value: Interval | None, digits: int = 3) -> str:
    """Return an interval of scores."""
    if value is None:
        return NOTHING
    return f"{number(value[0], digits)} to {number(value[1], digits)}"


def percent(value: float | None, digits: int = 0) -> str:
    """Return a share in per cent."""
    return NOTHING if value is None else f"{value * 100:.{digits}f} %"


def percents(value: Interval | None) -> str:
    """Return an interval of shares in per cent."""
    return NOTHING if value is None else f"{value[0] * 100:.0f} to {value[1] * 100:.0f} %"


def count(many: int, noun: str) -> str:
    """Return ``1 question``, ``2 families``, ``1,234 questions``."""
    if many != 1:
        noun = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{many:,} {noun}"


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


def bin_range(bin_: Bin) -> str:
    """Return the forecasts that a bin holds."""
    return f"{bin_.lower * 100:.0f}–{bin_.upper * 100:.0f} %"


def log_score(group: Group) -> str:
    """Return the mean log score, with the infinite ones counted apart."""
    mean = number(group.log.mean)
    return f"{mean} (+ {group.log.infinite} infinite)" if group.log.infinite else mean


def parts(group: Group) -> str:
    """Return the decomposition as a sum."""
    one = group.decomposition
    return (
        f"{number(group.brier.mean)} = {number(one.miscalibration)} miscalibration − "
        f"{number(one.discrimination)} discrimination + {number(one.uncertainty)} uncertainty"
    )


def left_out(entries: Sequence[LeftOut]) -> str:
    """Return how many questions were left out and why, as a sentence; empty for none."""
    if not entries:
        return ""
    listed = "; ".join(f"{entry.questions:,} {REASONS[entry.reason]}" for entry in entries)
    return f"Left out: {listed}."


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
    if group.curve:
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
