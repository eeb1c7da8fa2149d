"""A comparison in sentences that are alike in every document and on every page."""

from __future__ import annotations

from collections.abc import Sequence

from forecasts.reports.comparison.comparison import Comparison, Of, Pair, Side
from forecasts.reports.notes import OF_TEAMS
from forecasts.reports.numbers import (
    NOTHING,
    count,
    in_words,
    interval,
    number,
    often,
    percent,
    signed,
    signed_interval,
)
from forecasts.reports.render.glossary import OF_COMPARISONS, Statistic
from forecasts.reports.render.wording import BRIER, BRIER_ORIGINAL, at_lead, choice_sentences
from forecasts.reports.selection import Choice

NEVER_AT_LEAD = "at that lead they never both had a forecast on one question"
RANKS = "Scores are over all questions of each; ranks rest on the shared ones."
SKILL_INTERVAL = "Shrunk, 95% interval"


def explained(comparison: Comparison) -> list[Statistic]:
    """Return the statistics that the comparison shows, in their order."""
    skilled = any(side.skill is not None for side in comparison.groups)
    return [one for name, one in OF_COMPARISONS.items() if name != "skill" or skilled]


def scope(comparison: Comparison) -> str:
    """Return which questions the comparison is about, as sentences."""
    return choice_sentences(comparison.metadata, comparison.metadata.as_of)


def e_value(value: float) -> str:
    """Return an e-value: 0.31, 24, over a million."""
    if value >= 1e6:
        return "over a million"
    return f"{value:,.0f}" if value >= 100 else f"{value:.2g}"


def rank_range(side: Side) -> str:
    """Return the ranks that a group may have: 1, or 2 to 3."""
    if side.rank_low == side.rank_high:
        return str(side.rank_low)
    return f"{side.rank_low} to {side.rank_high}"


def rank_columns(comparison: Comparison) -> dict[str, list[str]]:
    """Return the table of ranks, a list of cells a column."""
    sides = comparison.groups
    columns = {
        "Rank": [rank_range(side) for side in sides],
        "Questions": [f"{side.questions:,}" for side in sides],
        "Coverage": [percent(side.coverage) for side in sides],
        BRIER: [number(side.brier.mean) for side in sides],
        "95% interval": [interval(side.brier.interval) for side in sides],
        BRIER_ORIGINAL: [number(side.brier_original.mean) for side in sides],
    }
    skills = [side.skill for side in sides]
    if any(skills):
        columns["Skill, raw"] = [signed(skill.mean, 1) if skill else NOTHING for skill in skills]
        columns["Skill, shrunk"] = [
            signed(skill.shrunk, 1) if skill else NOTHING for skill in skills
        ]
        columns[SKILL_INTERVAL] = [
            signed_interval(skill.shrunk_interval, 1) if skill else NOTHING for skill in skills
        ]
    return columns


def sentence(pair: Pair, *, pairs: int, lead: float | None) -> str:
    """Return the difference of a pair in words; ``pairs`` are compared in all, at that lead."""
    if not pair.comparable:
        return f"{pair.a} and {pair.b} are not comparable: {pair.reason}."
    assert pair.difference is not None
    assert pair.interval is not None
    assert pair.detectable is not None
    assert pair.p_adjusted is not None
    when = "at the same times" if lead is None else f"by {at_lead(lead)}"
    on = f"on the {count(pair.shared_questions, 'question')} that both forecast {when}"
    if pair.better is None:
        return (
            f"{pair.a} and {pair.b} show no clear difference {on}: "
            f"{signed(pair.difference)} (95% interval {signed_interval(pair.interval)}). A true "
            f"difference of {number(pair.detectable)} would show in 8 of 10 such records."
        )
    worse = pair.b if pair.better == pair.a else pair.a
    low, high = sorted(abs(end) for end in pair.interval)
    allowing = f", allowing for the {pairs} pairs compared" if pairs > 1 else ""
    return (
        f"{pair.better} did better than {worse} {on}: its Brier score (0–1) was lower by "
        f"{number(abs(pair.difference))} (95% interval {number(low)} to {number(high)}). Between "
        f"equals, chance alone would do this in {often(pair.p_adjusted)} such comparisons"
        f"{allowing}."
    )


def conclusion(sides: Sequence[Side], pairs: Sequence[Pair]) -> str:
    """Return the conclusion of a comparison in a sentence or two."""
    if not any(pair.comparable for pair in pairs):
        reasons = "; ".join(f"{pair.a} and {pair.b}: {pair.reason}" for pair in pairs)
        return f"No conclusion: {reasons}."
    found = []
    for side in sides:
        beaten = [
            pair.b if pair.better == pair.a else pair.a
            for pair in pairs
            if pair.better == side.name
        ]
        if beaten:
            found.append(f"{side.name} did better than {in_words(beaten)}.")
    if not found:
        return "No difference is clearer than chance."
    alike = [pair for pair in pairs if pair.comparable and pair.better is None]
    if alike:
        names = "; ".join(f"{pair.a} and {pair.b}" for pair in alike)
        found.append(f"No clear difference: {names}.")
    return " ".join(found)


def evidence(pair: Pair) -> str:
    """Return the evidence over time as a sentence; empty if there is none."""
    if pair.watched is None:
        return ""
    seen = pair.watched
    families = count(seen.families, "family")
    if seen.better is not None:
        return (
            f"Evidence that {seen.better} is better reached {e_value(seen.highest)} "
            f"({seen.enough:.0f} is enough), over {families}."
        )
    return (
        f"Evidence of a difference is {e_value(seen.e_value)} now "
        f"({seen.enough:.0f} would be enough), over {families}."
    )


def notes(
    pairs: Sequence[Pair], *, of: Of, choice: Choice, alike: bool, awaiting: int
) -> tuple[str, ...]:
    """Return the caveats of this comparison, as full sentences."""
    whom = "The claims are about these members, on questions like these."
    if alike:
        whom = (
            "The claims generalise beyond these members: who they are counts as chance too, which "
            "widens the intervals."
        )
    claims_nothing = any(pair.shared_questions and not pair.comparable for pair in pairs)
    every = (
        (True, whom),
        (
            choice.cohort == "resolved",
            "All resolved questions count, even before their scheduled close.",
        ),
        (
            choice.lead is not None,
            "A question is not shared if at that lead it was not open or either of the two had no "
            "forecast.",
        ),
        (
            awaiting,
            f"{count(awaiting, 'question')} closed and awaiting resolution: if one outcome is "
            "recorded sooner than the other, the resolved questions are a biased sample. Resolve "
            "the rest before you act on a small difference.",
        ),
        (of == "teams", OF_TEAMS),
        (
            claims_nothing,
            "Numbers of a pair that is not comparable are shown, but support no claim.",
        ),
    )
    return tuple(note for applies, note in every if applies)
