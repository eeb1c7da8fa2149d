"""A comparison in sentences that are alike in every document and on every page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from forecasts.common.text import count, in_words
from forecasts.documents.numbers import (
    NOTHING,
    decimals,
    number,
    p_value,
    percent,
    signed,
    signed_interval,
)
from forecasts.reports.cohort import COUNTS
from forecasts.reports.comparison.comparison import Comparison, Imputed, Of, Pair, Side, Watched
from forecasts.reports.comparison.pairwise import MOST_PAIRS
from forecasts.reports.selection import Choice
from forecasts.reports.verdict import SIGNIFICANCE, WHATEVER, no_outcome, often, survives
from forecasts.reports.wording import MOST_NAMES, OF_MODELS, OF_TEAMS, REASONS, at_lead
from scoring.comparison import NEVER_TOGETHER, Dominant

NEVER_AT_LEAD = "at that lead they never both had a forecast on one question"
# Reasons to leave a question out while its outcome is unknown, or its close is ahead.
TO_COME = ("open", "awaiting_resolution", "not_in_cohort")
# The conclusion names at most so many.
_MOST_NAMED = 3
_MOST_BLOCKS = 100_000
_LOW_COVERAGE = 0.2
# With more further questions than so many times the shared ones, their number says nothing.
_MOST_MORE = 10
LEAST_SHOWN = 0.00005  # smaller differences are 0 to four decimals


ASSUMPTION = (
    "Each family of questions counts as separate evidence. If one event decided many "
    "families, a claim can be wrong. Each claim states the correlation of outcomes that would put "
    "it in doubt."
)


def e_value(value: float) -> str:
    """Return an e-value: 0.31, 24, over a million."""
    if value >= 1e6:
        return "over a million"
    return f"{value:,.0f}" if value >= 100 else f"{value:.2g}"


def rank_range(side: Side) -> str:
    """Return the ranks that a group may have: 1, or 2 to 3."""
    return " to ".join(dict.fromkeys((str(side.rank_low), str(side.rank_high))))


def names(pair: Pair) -> str:
    """Return a pair as the difference of its two sides."""
    return f"{pair.a} − {pair.b}"


def sentence(pair: Pair, *, pairs: int, lead: float | None) -> str:
    """Return the difference of a pair in words; ``pairs`` are compared in all, at that lead."""
    if not pair.comparable:
        return f"{pair.a} and {pair.b} are not comparable: {pair.reason}."
    when = f"by {at_lead(lead)}" if lead is not None else "at the same times"
    if pair.shared_time is not None:
        when += f" ({share(pair.shared_time)} of their scheduled time)"
    start = f"{pair.a} and {pair.b} show no clear difference"
    said = []
    if pair.detectable is not None and pair.detectable >= LEAST_SHOWN:
        least = number(pair.detectable)
        said.append(f"A true difference of {least} would show in 8 of 10 such records.")
    if pair.better is not None and pair.p_adjusted is not None:
        start = f"{pair.better} did better than {_worse(pair)}"
        allowing = f", allowing for the {pairs} pairs compared" if pairs > 1 else ""
        luck = f"{often(pair.p_adjusted)} such comparisons{allowing}"
        said = [
            f"Between equals, luck alone would look like this in {luck}.",
            survives(pair.tipping),
        ]
        if pair.periods is not None:
            over = count(pair.periods, "period")
            said.append(f"A test by time, over {over}, gives p {p_value(pair.p_by_time)}.")
    if pair.waiting and pair.comparable:
        ends = WHATEVER if pair.better is not None else "a claim waits for them"
        said.append(f"{no_outcome(pair.waiting, 'shared question')}; {ends}.")
    if is_undecided(pair):
        start, said = f"{pair.a} and {pair.b} cannot be told apart yet", said[1:]
    if (large := pair.dominant) is not None:
        said.append(
            f"The family {large.family} holds {percent(large.share)} of these questions; without "
            f"it the difference is {difference(large)}, p {p_value(large.p_value)}."
        )
    if (filled := pair.imputed) is not None and pair.better is not None:
        said.append(
            "One side was silent for longer. The claim also holds with the gaps of both filled: "
            f"the difference is then {difference(filled)} on "
            f"{count(filled.questions, 'question')}."
        )
    return (
        f"{start} on the {count(pair.shared_questions, 'question')} that both forecast {when}: the "
        f"difference of their Brier scores (0–1), {names(pair)}, is {difference(pair)}. "
        f"{' '.join(said)}"
    ).strip()


def share(value: float) -> str:
    """Return a share of time, small ones too.

    >>> share(0.31), share(0.004), share(0.00002)
    ('31%', '0.4%', 'less than 0.1%')
    """
    if value < 0.001:
        return "less than 0.1%"
    return percent(value, 1 if value < 0.0095 else 0)


def is_undecided(pair: Pair) -> bool:
    """Return whether a difference beyond chance may still turn with the missing outcomes."""
    return pair.better is None and pair.p_adjusted is not None and pair.p_adjusted < SIGNIFICANCE


def difference_decimals(of: Pair | Dominant | Imputed) -> int:
    """Return the decimals of a difference and its interval, enough for ends that are not 0."""
    ends = [end for end in (of.difference, *(of.interval or ())) if end]
    least = min(map(abs, ends), default=1.0)
    return max(decimals(*ends), min(-math.floor(math.log10(2 * least)), decimals()))


def difference(of: Pair | Dominant | Imputed) -> str:
    """Return a difference with its interval."""
    digits = difference_decimals(of)
    between = signed_interval(of.interval, digits)
    return f"{signed(of.difference, digits)} (95% interval {between})"


def correlation(value: float | None) -> str:
    """Return a tipping correlation: 0.03, 0.0042, < 0.001."""
    if value is None:
        return NOTHING
    return "< 0.001" if value < 0.001 else f"{value:.2g}"


def never_together(apart: Mapping[str, int], *, lead: float | None) -> str:
    """Return why a pair has no difference; ``apart``: its shared questions by reason ("": counts).

    See ``pairwise.Pairwise``.
    """
    if apart and COUNTS not in apart:
        return none_counts(apart)
    return NEVER_TOGETHER if lead is None else NEVER_AT_LEAD


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
    undecided = [pair for pair in compared if is_undecided(pair)]
    most = max((pair.waiting for pair in undecided), default=0)
    wait = f"{no_outcome(most, 'shared question')}, and could change a difference." if most else ""
    if not claims:
        return f"No claim yet: {wait}" if wait else _too_early(compared)
    alike = [
        f"{pair.a} and {pair.b}"
        for pair in compared
        if pair.better is None and pair not in undecided
    ]
    which = f": {'; '.join(alike)}" if len(alike) <= _MOST_NAMED else f" in {len(alike):,} pairs"
    unclear = f"No clear difference{which}." if alike else ""
    sentences = (_better(sides, claims, len(compared)), unclear, wait, _limits(claims))
    return " ".join(filter(None, sentences))


def _too_early(compared: Sequence[Pair]) -> str:
    """Return that no pair differs, and how many more questions would tell, if not far too many."""
    nearest = min(compared, key=lambda pair: pair.p_adjusted or 0.0)
    of, more = f"{nearest.a} and {nearest.b}", nearest.more_questions
    if more is not None and nearest.difference and more <= _MOST_MORE * nearest.shared_questions:
        ahead = nearest.a if nearest.difference < 0 else nearest.b
        which = "" if len(compared) == 1 else f" between {of}, the clearest pair"
        return (
            f"Too early to say who is better: about {float(f'{more:.2g}'):,.0f} more shared "
            f"questions would tell{which}, if {ahead} stays as far ahead as now."
        )
    if len(compared) > 1 or nearest.interval is None:
        return "No one is clearly better: luck alone could explain each difference."
    furthest = max(map(abs, nearest.interval))
    if furthest < LEAST_SHOWN:
        return f"{of} scored alike."
    return (
        f"{of} are about equally good: their Brier scores (0–1) differ by {number(furthest)} at "
        "most, as far as these questions tell."
    )


def _better(sides: Sequence[Side], claims: Sequence[Pair], compared: int) -> str:
    """Return which sides did better than which, or of many the one that did so most often."""
    beaten = {
        side.name: [_worse(pair) for pair in claims if pair.better == side.name] for side in sides
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


def _worse(claim: Pair) -> str:
    return claim.b if claim.better == claim.a else claim.a


def _limits(claims: Sequence[Pair]) -> str:
    """Return how much correlation the weakest claim bears."""
    weakest = min((pair.tipping for pair in claims if pair.tipping is not None), default=None)
    if weakest is None:
        return ""
    which = "This claim" if len(claims) == 1 else "The weakest of these claims"
    return survives(weakest).replace("This claim", which)


def evidence(pair: Pair) -> str:
    """Return the evidence over time in words, by blocks of time first; empty if there is none."""
    parts = []
    if (seen := pair.watched) is not None:
        blocks = seen.blocks or 0
        parts.append(_reached(seen, count(blocks, "separate period")))
        more = (seen.needed or 0) - blocks
        if seen.better is None and more > 0:
            many = f"about {float(f'{more:.2g}'):,.0f}"
            many = many if more <= _MOST_BLOCKS else f"over {_MOST_BLOCKS:,}"
            parts.append(f"If the difference stays as it is, {many} more periods would be enough.")
    if (seen := pair.watched_by_family) is not None:
        parts.append(
            _reached(seen, f"{count(seen.families, 'family')}, each counted as separate evidence")
        )
    return " ".join(parts)


def _reached(seen: Watched, over: str) -> str:
    about, value = "of a difference", f"{e_value(seen.e_value)} so far"
    if seen.better is not None:
        about, value = f"that {seen.better} is better", e_value(seen.highest)
    return f"Evidence {about}: {value}; a claim needs {seen.enough:.0f} ({over})."


def bots(models: Mapping[str, str], *, alike: bool) -> str:
    """Return which bots the claims are about, and which share a model; empty without bots."""
    if not models:
        return ""
    said = [f"The bots here: {in_words(list(models), MOST_NAMES)}."]
    for model in sorted(set(models.values()) - {""}):
        users = [bot for bot, own in models.items() if own == model]
        if len(users) > 1:
            shared = in_words(users, MOST_NAMES)
            said.append(f"{shared} share the model {model}, so their errors tend to agree.")
    if alike and len(said) > 1:
        said.append("Bots of one side that share a model count as one member.")
    return " ".join(said)


def notes(
    pairs: Sequence[Pair],
    *,
    of: Of,
    choice: Choice,
    alike: bool,
    bots: str,
    awaiting: int,
    coverage: float,
    in_both: Sequence[str],
    outside: bool,
) -> tuple[str, ...]:
    """Return the caveats as full sentences; without any difference, only the remedies.

    ``coverage``: the lowest of the sides. ``in_both``: the members who count on two sides.
    ``outside``: a pair lacks shared questions for forecasts outside of a stay in the team.
    """
    whom = "The claims are about these members on questions of this kind; others may differ."
    if alike:
        whom = (
            "The claims go beyond these members. The choice of members adds luck, so the "
            "intervals are wider."
        )
    compares = any(pair.shared_questions for pair in pairs)
    claims_nothing = any(pair.shared_questions and not pair.comparable for pair in pairs)
    every = (
        (compares, whom),
        (compares and bots, bots),
        (
            in_both,
            f"To compare sides that share a member, leave out {in_words(in_both, MOST_NAMES)}: on "
            "the page Compare under Sides and questions, or with --without HANDLE.",
        ),
        (
            outside,
            "A forecast counts for a team if its forecaster was a member then. An admin can count "
            "earlier ones too: “Count earlier forecasts” on the page Team, or forecasts team add "
            "TEAM HANDLE --since DAY.",
        ),
        (compares, ASSUMPTION),
        (
            any(pair.imputed is not None for pair in pairs),
            "Where one side had no forecast for more of the time than the other, a claim is made "
            "only if it also holds with the gaps filled: a withdrawn forecast lasts, and before "
            "its first one a side scores like the mean of all. Forecasting only when sure can "
            "look like skill.",
        ),
        (
            choice.cohort == "resolved",
            "All resolved questions count, even before their scheduled close.",
        ),
        (
            compares and coverage < _LOW_COVERAGE and choice.lead is None,
            f"Coverage is low, down to {percent(coverage, 1)}: a difference is spread over each "
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
        (compares and of == "teams", OF_TEAMS),
        (compares and of == "models", OF_MODELS),
        (
            claims_nothing,
            "Numbers of a pair that is not comparable are shown, but support no claim.",
        ),
    )
    return tuple(note for applies, note in every if applies)
