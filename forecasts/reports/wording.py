"""A report in sentences that are alike in every document and on every page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, time
from math import inf
from typing import Any

from forecasts.common.text import count, in_words, on_one_line
from forecasts.common.times import iso, iso_day_or_time, to_minute
from forecasts.documents.document import Columns
from forecasts.documents.numbers import (
    NOTHING,
    Interval,
    interval,
    number,
    percent,
    signed,
    signed_interval,
)
from forecasts.reports.groups import lead_window
from forecasts.reports.report import (
    FAULTS,
    Adjusted,
    By,
    Group,
    LeftOut,
    Provenance,
    Report,
    Unrevised,
)
from forecasts.reports.selection import Choice, Cohort
from forecasts.reports.verdict import FEWEST, SUBJECT

YOU = "You"
COIN = 0.25  # the Brier score (0–1) of always forecasting 50%
BRIER = "Brier (0–1)"
AGAINST_OTHERS, AGAINST_CROWD = "Against the others", "Against the crowd"
BRIER_ORIGINAL = "Brier, original (0–2)"
ADJUSTED_INTERVAL = "Adjusted, 95% interval"
INTERVALS = "Intervals count families of questions. A dash: too few for an interval."
# Of the largest and smallest of many.
HINDSIGHT = "The rows are the extremes of many, so luck has a part in each."
# Of forecasts current at a lead.
STILL_OPEN = (
    "Questions still open then had no early outcome, so a difference between the two is not a "
    "fault."
)
MOST_NAMES = 5
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
    "outside_stays": "with forecasts made before someone joined or after they left",
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
    "waiting": "… waiting for outcomes",
    "over_reacting": "↔ over-reacts",
    "under_reacting": "→ under-reacts",
    "swings": "≈ small swings",
}


def over_families(families: int) -> str:
    """Return the unit of an interval or a p-value: ``over 212 families of questions``."""
    return f"over {count(families, 'family')} of questions"


def choice_sentences(choice: Choice, as_of: datetime) -> str:
    """Return which questions and forecasts count, as sentences."""
    sentences = [f"Questions scheduled to close by {to_minute(as_of)}."]
    if choice.cohort == "resolved":
        when = f"as of {to_minute(as_of)}, whatever their scheduled close"
        sentences = [f"All questions resolved {when}."]
    if choice.tags:
        sentences.append(f"Only those with the tag {' or '.join(choice.tags)}.")
    if choice.since is not None or choice.until is not None:
        sentences.append(f"Only those scheduled to close {_span(choice.since, choice.until)}.")
    if choice.lead is not None:
        sentences.append(f"Only the forecasts current {at_lead(choice.lead)}.")
    if choice.made_before is not None:
        sentences.append(f"Only forecasts made before {iso_day_or_time(choice.made_before)}.")
    if choice.without:
        sentences.append(f"Without the forecasts of {in_words(choice.without)}.")
    if choice.witnessed:
        sentences.append(
            "Without forecasts whose times only an importer vouches for, and without questions "
            "resolved by their only forecaster."
        )
    return " ".join(sentences)


def provenance(of: Provenance) -> str:
    """Return for how many questions a single person vouches, and how many are likely the same."""
    parts = []
    if of.imported:
        was = "was" if of.imported == 1 else "were"
        parts.append(
            f"{of.imported:,} {was} imported with times that only the importer vouches for"
        )
    if of.resolved_alone:
        was = "was" if of.resolved_alone == 1 else "were"
        parts.append(f"{of.resolved_alone:,} {was} resolved by the only forecaster")
    same = ""
    if of.duplicates:
        same = (
            f"Likely duplicates: {count(of.duplicates, 'pair')} of questions, each counted once. "
            "Separate pairs under Questions, Duplicates (on the command line: forecasts same; in a "
            "ledger folder: two families) before they close: later changes do not count."
        )
    if not parts:
        return same
    listed = "; ".join(parts)
    return (
        f"Sources: of {count(of.questions, 'question')}, {listed}. To see the figures without "
        f"them: choose “Witnessed only” (on the command line: --witnessed). {same}"
    ).strip()


def at_lead(days: float) -> str:
    """Return the time of a lead: ``7 days before the scheduled close``."""
    return f"{count(days, 'day')} before the scheduled close"


def scope(report: Report) -> str:
    """Return which questions and forecasts the report is about, as sentences."""
    said = choice_sentences(report.metadata, report.metadata.as_of)
    if report.metadata.by == "lead":
        said += " Everyone’s forecasts, at each lead before the scheduled close. "
        said += "Calibration: of the forecasts made between a lead and the next one."
    elif report.metadata.lead is not None:
        said += f" Calibration: of the forecasts made {in_window(report.metadata.lead)}."
    return said


def in_window(days: float) -> str:
    """Return the window of a lead, in which forecasts are tested.

    >>> in_window(7)
    '7 to 30 days before the close that was scheduled then'
    >>> in_window(90)
    '90 days or more before the close that was scheduled then'
    """
    least, below = lead_window(days)
    span = f"{least:g} to {below:g} days" if below < inf else f"{count(least, 'day')} or more"
    return f"{span} before the close that was scheduled then"


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


def of(sentence: str, who: str) -> str:
    """Return a sentence of a verdict with its subject: ``who`` are the forecasts, or "You".

    >>> of("These forecasts are overconfident. When they say 97%, it happens.", "Ana’s forecasts")
    'Ana’s forecasts are overconfident. When they say 97%, it happens.'
    >>> of("These forecasts are overconfident. When they say 97%, it happens.", YOU)
    'You are overconfident. When you say 97%, it happens.'
    >>> of("No fault found: these forecasts fit the outcomes.", YOU)
    'No fault found: your forecasts fit the outcomes.'
    """
    if who == YOU:
        sentence = re.sub(rf"\b{SUBJECT}(?= are (over|under))", YOU, sentence)
        sentence = re.sub(r"\bthey\b", "you", re.sub(r"\bthem\b", "you", sentence))
        who = "Your forecasts"
    lower = who[0].lower() + who[1:] if who.startswith(("Your", "Forecasts")) else who
    return sentence.replace(SUBJECT, who).replace(SUBJECT.lower(), lower)


def subject(report: Report, group: Group) -> str:
    """Return the forecasts of a group, as the subject of its sentences."""
    name = group_name(report, group)
    if report.metadata.by == "tag":
        return f"Forecasts on {name}"
    if report.metadata.by == "lead":
        return f"Forecasts {name} before the scheduled close"
    return f"{name}’s forecasts"


def findings(group: Group) -> dict[str, str]:
    """Return the findings on a group, a sentence by kind: the verdict, and a reaction if any.

    A verdict over all time follows one on too few questions of a period.
    """
    found: dict[str, str] = {group.verdict.kind: group.verdict.sentence}
    if group.all_time is not None:
        found[group.all_time.kind] = f"Over all time: {group.all_time.sentence}"
    moved = group.movement
    if moved is not None and moved.kind in ("over_reacting", "under_reacting", "swings"):
        found[moved.kind] = moved.sentence
    return found


def how_good(group: Group) -> str:
    """Return how a record compares with a reference, and its score; empty without a score."""
    if group.brier.mean is None:
        return ""
    score = (
        f"Brier score {number(group.brier.mean)} (lower is better: 0 is perfect, always saying 50% "
        f"scores {number(COIN, 2)})."
    )
    return f"{_against(group)} {score}".strip()


def _against(group: Group) -> str:
    """Return whether a record is better than its best reference."""
    if min(group.questions, group.families) < FEWEST:
        return "Too early to say."
    crowd = "the crowd (the others’ mean forecast at the time)"
    for skill, others in ((group.crowd_skill, crowd), (group.skill, "the others at the time")):
        if skill is not None and skill.mean is not None and skill.questions >= FEWEST:
            by = f", by {number(abs(skill.mean) / 100)} Brier points"
            return _than(others, skill.mean, skill.interval, by)
    saved = group.brier_skill
    return _than("always saying the overall share of “yes”", saved.mean, saved.interval)


def _than(reference: str, mean: float | None, ends: Interval | None, by: str = "") -> str:
    if mean is None or ends is None:
        return ""
    if ends[0] <= 0 <= ends[1]:
        return f"Not clearly better or worse than {reference}."
    return f"{'Better' if mean > 0 else 'Worse'} than {reference}{by}."


def advantage(
    mean: float | None, ends: Interval | None, digits: int | None = None
) -> tuple[str, str]:
    """Return a skill, which files have × 100, as a difference of Brier scores; and its interval."""
    scores = None if mean is None else mean / 100
    between = ends and (ends[0] / 100, ends[1] / 100)
    return signed(scores, digits), signed_interval(between)


def adjusted(one: Adjusted | None) -> str:
    """Return a score adjusted for difficulty; of another set than the largest, with its number."""
    if one is None:
        return NOTHING
    return number(one.mean) + (f" (set {one.component + 1})" if one.component else "")


def adjusted_columns(rows: Iterable[Any]) -> Columns[Any]:
    """Return the columns of adjusted scores; none if no row has one."""
    if not any(row.adjusted for row in rows):
        return {}
    return {
        "Adjusted": lambda row: adjusted(row.adjusted),
        ADJUSTED_INTERVAL: lambda row: interval(row.adjusted.interval) if row.adjusted else NOTHING,
    }


def adjusted_note(rows: Iterable[Any]) -> str:
    """Return the meaning of the rows' adjusted scores, as sentences; empty if there are none."""
    found = [row.adjusted for row in rows if row.adjusted]
    if not found:
        return ""
    note = "Adjusted: the Brier score (0–1) if all had forecast all questions that they share."
    if any(one.component for one in found):
        note += " Groups of different sets share no question, so their scores cannot be compared."
    return note


def left_out(entries: Sequence[LeftOut]) -> str:
    """Return how many questions were left out and why, as a sentence; empty for none."""
    if not entries:
        return ""
    listed = "; ".join(f"{entry.questions:,} {REASONS[entry.reason]}" for entry in entries)
    return f"Left out: {listed}."


def unrevised(row: Unrevised, *, several: bool) -> str:
    """Return the cost of a question and its costliest forecast; ``several``: whose it was."""
    whose = f" ({on_one_line(row.forecaster)})" if several else ""
    said = f"{percent(row.forecast)}{whose} unrevised for {days(row.days)}"
    return f"{number(row.points)} points; {said}"


def days(many: float) -> str:
    """Return a number of days: with a decimal below 10."""
    return count(round(many, 1 if many < 10 else None), "day")


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
    verdicts = sum(one.verdict.kind in ("calibrated", *FAULTS) for one in groups)
    reactions = sum(
        one.movement is not None and one.movement.kind not in ("too_few", "waiting")
        for one in groups
    )
    every = (
        (
            provisional,
            f"Provisional scores: {count(provisional, 'outcome')} counted here can still change, "
            "being disputed or within the time for disputes.",
        ),
        (
            verdicts + reactions >= _MANY_TESTS,
            f"This report has {count(verdicts, 'verdict')} and tests "
            f"{count(reactions, 'record')} for reactions. Luck alone finds a fault in about 1 of "
            "20 such tests, so one fault among many is weak evidence.",
        ),
        (
            cohort == "resolved",
            "All resolved questions count, even before their scheduled close. Questions that "
            "resolve early tend to resolve “yes”, which makes forecasts look too low.",
        ),
        (
            several_options,
            "For calibration, a question with several options is a yes/no question for each "
            "option, each with half the weight: two options count like one yes/no question.",
        ),
        (
            any(group.log.infinite for group in groups),
            "The log score is infinite if something happened that was called impossible. Such "
            "questions are counted separately; the mean is over the others.",
        ),
        (
            any(group.certainty.questions for group in groups),
            "A forecast of exactly 0% or 100% that came true changes no test. One that failed is "
            "named in the verdict, and the other forecasts are tested without it.",
        ),
        (by == "team", OF_TEAMS),
        (
            by == "team" and in_several_teams,
            "In two teams at the same time, and counted in each: "
            f"{in_words(in_several_teams, MOST_NAMES)}.",
        ),
        (by == "model", OF_MODELS),
        (by == "owner", "An owner’s record is that of their bots alone."),
        (by == "tag", "A question with several tags counts under each of them."),
        (
            by == "lead",
            "Each lead time leaves out questions that were not open then or had no forecast, so "
            "the rows have different questions.",
        ),
    )
    return tuple(note for applies, note in every if applies)
