"""A comparison in sentences that are alike in every document and on every page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from forecasts.common.text import count, in_words
from forecasts.documents.as_csv import value_at
from forecasts.documents.document import Columns, Term
from forecasts.documents.numbers import (
    NOTHING,
    decimals,
    interval,
    number,
    p_value,
    percent,
    signed,
    signed_interval,
)
from forecasts.reports.chance import often, survives
from forecasts.reports.cohort import COUNTS
from forecasts.reports.comparison.comparison import (
    Comparison,
    Dominant,
    Imputed,
    Of,
    Pair,
    Side,
    Watched,
)
from forecasts.reports.glossary import OF_COMPARISONS
from forecasts.reports.selection import Choice
from forecasts.reports.wording import (
    ADJUSTED_INTERVAL,
    BRIER,
    BRIER_ORIGINAL,
    OF_MODELS,
    OF_TEAMS,
    REASONS,
    adjusted,
    at_lead,
    choice_sentences,
)
from scoring.comparison import NEVER_TOGETHER

NEVER_AT_LEAD = "at that lead they never both had a forecast on one question"
# Reasons to leave a question out while its outcome is unknown, or its close is ahead.
TO_COME = ("open", "awaiting_resolution", "not_in_cohort")
# With more pairs than this, a document shows only those that differ.
MOST_PAIRS = 15
# The conclusion names at most so many.
_MOST_NAMED = 3
_MOST_BLOCKS = 100_000
_LOW_COVERAGE = 0.2
ASSUMPTION = (
    "Given the forecasts, the outcomes of different families of questions are taken as "
    "independent. Each claim says how much correlation between families open at the same time "
    "it bears."
)
RANKS = "Scores are over all questions of each; ranks rest on the shared ones."
SKILL_INTERVAL = "Shrunk, 95% interval"


def explained(comparison: Comparison) -> list[Term]:
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


def rank_columns(sides: Sequence[Side]) -> Columns[Side]:
    """Return the columns of the table of ranks."""
    columns: dict[str, Callable[[Side], str]] = {
        "Rank": rank_range,
        "Questions": lambda side: f"{side.questions:,}",
        "Coverage": lambda side: percent(side.coverage),
        "No forecast, questions": lambda side: percent(side.unanswered),
        "No forecast, time": lambda side: percent(side.silent),
        "May be best": lambda side: "yes" if side.may_be_best else "no",
        BRIER: lambda side: number(side.brier.mean),
        "95% interval": lambda side: interval(side.brier.interval),
        BRIER_ORIGINAL: lambda side: number(side.brier_original.mean),
    }
    if any(side.adjusted for side in sides):
        columns |= {
            "Adjusted": lambda side: adjusted(side.adjusted),
            ADJUSTED_INTERVAL: lambda side: interval(value_at(side, "adjusted.interval")),
        }
    if any(side.skill for side in sides):
        columns |= {
            "Skill, raw": lambda side: signed(value_at(side, "skill.mean"), 1),
            "Skill, shrunk": lambda side: signed(value_at(side, "skill.shrunk"), 1),
            SKILL_INTERVAL: lambda side: signed_interval(
                value_at(side, "skill.shrunk_interval"), 1
            ),
        }
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
    more = "".join(f" {each}" for each in (*_without_family(pair), *_without_abstention(pair)))
    digits = difference_decimals(pair)
    if pair.better is None:
        return (
            f"{pair.a} and {pair.b} show no clear difference {on}: {_difference(pair)}. A true "
            f"difference of {number(pair.detectable, digits)} would show in 8 of 10 such "
            f"records.{more}"
        )
    worse = pair.b if pair.better == pair.a else pair.a
    low, high = sorted(abs(end) for end in pair.interval)
    allowing = f", allowing for the {pairs} pairs compared" if pairs > 1 else ""
    return (
        f"{pair.better} did better than {worse} {on}: its Brier score (0–1) was lower by "
        f"{number(abs(pair.difference), digits)} (95% interval {number(low, digits)} to "
        f"{number(high, digits)}). Between equals, chance alone would do this in "
        f"{often(pair.p_adjusted)} such comparisons{allowing}. {survives(pair.tipping)}"
        f"{_by_time(pair)}{more}"
    )


def difference_decimals(pair: Pair) -> int:
    """Return the decimals of a pair's difference, its interval and the detectable difference."""
    return decimals(pair.difference, *pair.interval or ())


def _by_time(pair: Pair) -> str:
    if pair.periods is None:
        return ""
    over = count(pair.periods, "period")
    return f" A test by time, over {over}, gives p {p_value(pair.p_by_time)}."


def correlation(value: float | None) -> str:
    """Return a tipping correlation: 0.03, 0.0042, < 0.001."""
    if value is None:
        return NOTHING
    return "< 0.001" if value < 0.001 else f"{value:.2g}"


def _without_family(pair: Pair) -> tuple[str, ...]:
    large = pair.dominant
    if large is None:
        return ()
    return (
        f"The family {large.family} holds {percent(large.share)} of these questions; without it "
        f"the difference is {_difference(large, f', p {p_value(large.p_value)}')}.",
    )


def _without_abstention(pair: Pair) -> tuple[str, ...]:
    filled = pair.imputed
    if filled is None:
        return ()
    changes = " Abstention changes the claim." if filled.better != pair.better else ""
    return (
        "One side was silent for longer: with the crowd’s forecast for each while it had none, the "
        f"difference is {_difference(filled)} on {count(filled.questions, 'question')}.{changes}",
    )


def _difference(of: Pair | Dominant | Imputed, more: str = "") -> str:
    """Return a difference with its interval."""
    digits = decimals(of.difference, *of.interval or ())
    between = signed_interval(of.interval, digits)
    return f"{signed(of.difference, digits)} (95% interval {between}{more})"


def never_together(apart: Mapping[str, int], *, lead: float | None) -> str:
    """Return why a pair has no difference; ``apart``: its shared questions by reason ("": counts).

    See ``pairwise.Pairwise``.
    """
    left_out = {why: n for why, n in apart.items() if why != COUNTS}
    if left_out and COUNTS not in apart:
        return none_counts(left_out)
    if lead is not None:
        return NEVER_AT_LEAD
    if left_out:
        return "they were never live at the same time on a question that counts"
    return NEVER_TOGETHER


def none_counts(left_out: Mapping[str, int]) -> str:
    """Return that no question that two share counts, and why not; ``left_out``: by reason."""
    yet = " yet" if not left_out.keys().isdisjoint(TO_COME) else ""
    reasons = [f"{left_out[why]:,} {said}" for why, said in REASONS.items() if why in left_out]
    return f"no shared question counts{yet}: {in_words(reasons)}"


def shown(comparison: Comparison) -> tuple[Pair, ...]:
    """Return the pairs that a document shows: all, or of many only those that differ."""
    if len(comparison.pairs) <= MOST_PAIRS:
        return comparison.pairs
    return tuple(pair for pair in comparison.pairs if pair.better is not None)


def conclusion(sides: Sequence[Side], pairs: Sequence[Pair]) -> str:
    """Return the conclusion of a comparison in at most three sentences, however many are compared.

    The sides that did better, the pairs that cannot be told apart, the limits of the claims.
    """
    compared = [pair for pair in pairs if pair.comparable]
    if not compared:
        if len(pairs) > _MOST_NAMED:
            return f"No conclusion: none of the {len(pairs):,} pairs is comparable."
        reasons = "; ".join(f"{pair.a} and {pair.b}: {pair.reason}" for pair in pairs)
        return f"No conclusion: {reasons}."
    claims = [pair for pair in compared if pair.better is not None]
    if not claims:
        return "No difference is clearer than chance."
    alike = [pair for pair in compared if pair.better is None]
    sentences = [_better(sides, claims, len(compared))]
    if 0 < len(alike) <= _MOST_NAMED:
        names = "; ".join(f"{pair.a} and {pair.b}" for pair in alike)
        sentences.append(f"No clear difference: {names}.")
    elif alike:
        sentences.append(f"No clear difference in {len(alike):,} pairs.")
    return " ".join(filter(None, [*sentences, _limits(claims)]))


def _better(sides: Sequence[Side], claims: Sequence[Pair], compared: int) -> str:
    """Return which sides did better than which, or of many the one that did so most often."""
    beaten = {
        side.name: [
            pair.b if pair.better == pair.a else pair.a
            for pair in claims
            if pair.better == side.name
        ]
        for side in sides
    }
    found = [
        f"{name} did better than {in_words(worse, _MOST_NAMED)}"
        for name, worse in beaten.items()
        if worse
    ]
    if len(found) <= _MOST_NAMED:
        return f"{'; '.join(found)}."
    most = max(beaten, key=lambda name: len(beaten[name]))
    return (
        f"In {len(claims):,} of {compared:,} pairs one did better than the other, most often "
        f"{most} (in {len(beaten[most]):,})."
    )


def _limits(claims: Sequence[Pair]) -> str:
    """Return how much correlation the weakest claim bears, and how many abstention changes."""
    parts = []
    weakest = min((pair.tipping for pair in claims if pair.tipping is not None), default=None)
    if weakest is not None:
        which = "This claim" if len(claims) == 1 else "The weakest of these claims"
        parts.append(survives(weakest).replace("This claim", which).removesuffix("."))
    changed = sum(
        pair.imputed is not None and pair.imputed.better != pair.better for pair in claims
    )
    if changed:
        claim = "the claim" if len(claims) == 1 else count(changed, "claim")
        parts.append(f"{'abstention' if parts else 'Abstention'} changes {claim}")
    return f"{'; '.join(parts)}." if parts else ""


def _share(value: float) -> str:
    return "less than 1%" if value < 0.005 else percent(value)


def evidence(pair: Pair) -> str:
    """Return the evidence over time in words, by blocks of time first; empty if there is none."""
    parts = []
    if pair.watched is not None:
        seen = pair.watched
        over = f"{count(seen.blocks or 0, 'block')} of time that do not overlap"
        if seen.blocks == 1:
            over = "one block of time"
        more = max((seen.needed or 0) - (seen.blocks or 0), 0)
        need = ""
        if seen.better is None and seen.needed is not None and more:
            about = f"about {float(f'{more:.2g}'):,.0f}"
            blocks = about if more <= _MOST_BLOCKS else f"over {_MOST_BLOCKS:,}"
            need = f" At this mean difference it would take {blocks} more blocks."
        parts.append(f"{_reached(seen)}, over {over}.{need}")
    if pair.watched_by_family is not None:
        seen = pair.watched_by_family
        parts.append(
            f"Families independent: {_reached(seen, short=True)}, over "
            f"{count(seen.families, 'family')}."
        )
    return " ".join(parts)


def _reached(seen: Watched, *, short: bool = False) -> str:
    enough = "" if short else f" ({seen.enough:.0f} is enough)"
    if seen.better is not None:
        start = "reached" if short else f"Evidence that {seen.better} is better reached"
        return f"{start} {e_value(seen.highest)}{enough}"
    if short:
        return f"{e_value(seen.e_value)} now"
    return (
        f"Evidence of a difference is {e_value(seen.e_value)} now ({seen.enough:.0f} would be "
        "enough)"
    )


def notes(
    pairs: Sequence[Pair],
    *,
    of: Of,
    choice: Choice,
    alike: bool,
    bots: str,
    awaiting: int,
    coverage: float,
) -> tuple[str, ...]:
    """Return the caveats as full sentences; ``coverage``: the lowest of the sides."""
    whom = "The claims are about these members, on questions like these."
    if alike:
        whom = (
            "The claims generalise beyond these members: who they are counts as chance too, which "
            "widens the intervals."
        )
    claims_nothing = any(pair.shared_questions and not pair.comparable for pair in pairs)
    every = (
        (True, whom),
        (bots, bots),
        (True, ASSUMPTION),
        (
            any(pair.imputed is not None for pair in pairs),
            "Where one side had no forecast for more of the time than the other, the crowd’s "
            "forecast (the mean of all current ones) replaces it as a check: forecasting "
            "only when sure can look like skill.",
        ),
        (
            choice.cohort == "resolved",
            "All resolved questions count, even before their scheduled close.",
        ),
        (
            coverage < _LOW_COVERAGE and choice.lead is None,
            f"Coverage is low, down to {_share(coverage)}: a difference is spread over each "
            "question’s whole scheduled time, so it is small where forecasts were active for "
            "little of it.",
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
        (of == "models", OF_MODELS),
        (
            claims_nothing,
            "Numbers of a pair that is not comparable are shown, but support no claim.",
        ),
    )
    return tuple(note for applies, note in every if applies)
