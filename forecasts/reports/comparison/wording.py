"""A comparison in words, the same in every rendering."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from forecasts.common.times import iso
from forecasts.reports.comparison.comparison import About, Comparison, Of, Pair, Side
from forecasts.reports.render.glossary import OF_COMPARISONS, Statistic
from forecasts.reports.render.wording import (
    BRIER,
    BRIER_ORIGINAL,
    NOTHING,
    at_lead,
    count,
    counted_questions,
    interval,
    number,
    percent,
    signed,
    signed_interval,
)
from forecasts.reports.selection import Choice


def explained(comparison: Comparison) -> list[Statistic]:
    """Return the statistics that the comparison shows, in their order."""
    skilled = any(side.skill is not None for side in comparison.groups)
    return [one for name, one in OF_COMPARISONS.items() if name != "skill" or skilled]


NEVER_AT_LEAD = "at that lead they never both had a forecast on one question"


def protocol(lead: float | None) -> str:
    """Return the name of what is compared, and when."""
    return f"brier, paired {'in time' if lead is None else f'at a lead of {lead:g} days'}"


def title(comparison: Comparison) -> str:
    """Return what the comparison is, as a heading."""
    return f"Comparison of {comparison.metadata.of}"


def scope(comparison: Comparison) -> str:
    """Return which questions the comparison is about, as sentences."""
    return counted_questions(comparison.metadata, comparison.metadata.as_of)


def evidence(value: float) -> str:
    """Return an e-value: 0.31, 24, over a million."""
    if value >= 1e6:
        return "over a million"
    return f"{value:,.0f}" if value >= 100 else f"{value:.2g}"


RANKS = "The scores are over everybody’s own questions; the ranks rest on the shared ones."


def ranks(side: Side) -> str:
    """Return the ranks that a group may have: 1, or 2–3."""
    if side.rank_low == side.rank_high:
        return str(side.rank_low)
    return f"{side.rank_low}–{side.rank_high}"


def rank_columns(comparison: Comparison) -> dict[str, list[str]]:
    """Return the table of ranks, a list of cells a column."""
    sides = comparison.groups
    columns = {
        "Rank": [ranks(side) for side in sides],
        "Questions": [f"{side.questions:,}" for side in sides],
        "Coverage": [percent(side.coverage) for side in sides],
        BRIER: [number(side.brier.mean) for side in sides],
        "95 % interval": [interval(side.brier.interval) for side in sides],
        BRIER_ORIGINAL: [number(side.brier_original.mean) for side in sides],
    }
    skills = [side.skill for side in sides]
    if any(skills):
        columns["Skill, raw"] = [signed(skill.mean, 1) if skill else NOTHING for skill in skills]
        columns["Skill, shrunk"] = [
            signed(skill.shrunk, 1) if skill else NOTHING for skill in skills
        ]
        columns["Its 95 % interval"] = [
            signed_interval(skill.shrunk_interval, 1) if skill else NOTHING for skill in skills
        ]
    return columns


def told(pair: Pair, *, pairs: int, lead: float | None) -> Pair:
    """Return the pair with its sentence; ``pairs`` are compared in all, at that lead."""
    return replace(pair, sentence=_sentence(pair, pairs, lead))


def _sentence(pair: Pair, pairs: int, lead: float | None) -> str:
    if not pair.comparable:
        return f"{pair.a} and {pair.b} are not comparable: {pair.reason}."
    assert pair.difference is not None
    assert pair.interval is not None
    assert pair.detectable is not None
    when = "at the same times" if lead is None else f"by {at_lead(lead)}"
    on = f"on the {count(pair.shared_questions, 'question')} that both forecast {when}"
    if pair.better is None:
        return (
            f"{pair.a} and {pair.b} cannot be told apart {on}: the difference is "
            f"{signed(pair.difference)} (95 % interval {signed_interval(pair.interval)}). A true "
            f"one of {number(pair.detectable)} would have been found in 8 of 10 such records."
        )
    worse = pair.b if pair.better == pair.a else pair.a
    low, high = sorted(abs(end) for end in pair.interval)
    allowing = f", allowing for the {pairs} pairs compared" if pairs > 1 else ""
    return (
        f"{pair.better} did better than {worse} {on}: its Brier score (0–1) was lower by "
        f"{number(abs(pair.difference))} (95 % interval {number(low)} to {number(high)}). Between "
        f"equals chance alone would do this in {_chance(pair.p_adjusted)}{allowing}."
    )


def _chance(p: float | None) -> str:
    assert p is not None
    if p < 1e-4:
        return "fewer than 1 of 10,000 such comparisons"
    return f"1 of {float(f'{1 / p:.2g}'):,.0f} such comparisons"


def verdict(sides: Sequence[Side], pairs: Sequence[Pair]) -> str:
    """Return what the comparison shows, in a sentence or two."""
    if not any(pair.comparable for pair in pairs):
        return (
            "Nothing can be told: "
            + "; ".join(f"{pair.a} and {pair.b}: {pair.reason}" for pair in pairs)
            + "."
        )
    found = []
    for side in sides:
        beaten = [
            pair.b if pair.better == pair.a else pair.a
            for pair in pairs
            if pair.better == side.name
        ]
        if beaten:
            found.append(f"{side.name} did better than {_listed(beaten)}.")
    if not found:
        return "No difference between them is more than chance explains."
    alike = [pair for pair in pairs if pair.comparable and pair.better is None]
    if alike:
        found.append(
            "Not told apart: " + "; ".join(f"{pair.a} and {pair.b}" for pair in alike) + "."
        )
    return " ".join(found)


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def watched(pair: Pair) -> str:
    """Return what the evidence that may be looked at any time says, as a sentence."""
    if pair.watched is None:
        return ""
    seen = pair.watched
    over = f"over {count(seen.families, 'family')}".replace("familys", "families")
    if seen.better is not None:
        return (
            f"Whenever you look: the evidence that {seen.better} is better reached "
            f"{evidence(seen.highest)}, and {seen.enough:.0f} is enough ({over})."
        )
    return (
        f"Whenever you look: the evidence for a difference stands at {evidence(seen.e_value)}; "
        f"{seen.enough:.0f} would be enough ({over})."
    )


def whole(pair: Pair) -> str:
    """Return all that is to be said of a pair."""
    return " ".join(text for text in (pair.sentence, watched(pair)) if text)


def notes(
    pairs: Sequence[Pair], *, of: Of, choice: Choice, alike: bool, awaiting: int
) -> tuple[str, ...]:
    """Return what to mind in this comparison, as full sentences."""
    said = [
        "The claims are about people like the members: who they are is taken as chance too, and "
        "the intervals are wider for it."
        if alike
        else "The claims are about these members, on questions like these."
    ]
    if choice.cohort == "resolved":
        said.append(
            "All resolved questions are in, also those whose scheduled close is still to come."
        )
    if choice.lead is not None:
        said.append(
            "A question that was not open yet, had closed by then, or on which one of the two had "
            "no forecast then, is not shared."
        )
    if awaiting:
        said.append(
            f"{count(awaiting, 'question')} closed and awaiting the resolution: "
            "where one outcome is written down sooner than the other, those that are in are no "
            "fair sample. Resolve these before you act on a small difference."
        )
    if of == "teams":
        said.append(
            "A member counts in a team with the forecasts made while in it, for as long as these "
            "stood."
        )
    if any(pair.shared_questions and not pair.comparable for pair in pairs):
        said.append("The numbers of a pair that is not comparable are shown, and claim nothing.")
    return tuple(said)


def made_with(about: About) -> str:
    """Return what a comparison was made of and with, in a line."""
    return (
        f"Engine {about.engine_version} · protocol {about.protocol} · cohort {about.cohort} · "
        f"as of {iso(about.as_of)} · input SHA-256 {about.input_sha256}"
    )
