"""A comparison in sentences that are alike in every document and on every page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from forecasts.reports.comparison.comparison import Comparison, Of, Pair, Side
from forecasts.reports.numbers import (
    NOTHING,
    count,
    interval,
    number,
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


def protocol(lead: float | None) -> str:
    """Return the name of the protocol of a comparison, at that lead."""
    return f"brier, paired {'in time' if lead is None else f'at a lead of {lead:g} days'}"


def title(comparison: Comparison) -> str:
    """Return the heading of a comparison."""
    return f"Comparison of {comparison.metadata.of}"


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


def with_sentence(pair: Pair, *, pairs: int, lead: float | None) -> Pair:
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
        f"equals, chance alone would do this in {_chance(pair.p_adjusted)}{allowing}."
    )


def _chance(p: float | None) -> str:
    assert p is not None
    if p < 1e-4:
        return "fewer than 1 of 10,000 such comparisons"
    return f"1 of {float(f'{1 / p:.2g}'):,.0f} such comparisons"


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
            found.append(f"{side.name} did better than {_listed(beaten)}.")
    if not found:
        return "No difference is clearer than chance."
    alike = [pair for pair in pairs if pair.comparable and pair.better is None]
    if alike:
        names = "; ".join(f"{pair.a} and {pair.b}" for pair in alike)
        found.append(f"No clear difference: {names}.")
    return " ".join(found)


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


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
    found = [
        "The claims generalise beyond these members: who they are counts as chance too, which "
        "widens the intervals."
        if alike
        else "The claims are about these members, on questions like these."
    ]
    if choice.cohort == "resolved":
        found.append("All resolved questions count, even before their scheduled close.")
    if choice.lead is not None:
        found.append(
            "A question is not shared if at that lead it was not open or either of the two had no "
            "forecast."
        )
    if awaiting:
        found.append(
            f"{count(awaiting, 'question')} closed and awaiting resolution: if one outcome is "
            "recorded sooner than the other, the resolved questions are a biased sample. Resolve "
            "the rest before you act on a small difference."
        )
    if of == "teams":
        found.append(
            "A member counts in a team with the forecasts made as its member, while they were "
            "current."
        )
    if any(pair.shared_questions and not pair.comparable for pair in pairs):
        found.append("Numbers of a pair that is not comparable are shown, but support no claim.")
    return tuple(found)
