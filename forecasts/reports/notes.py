"""The caveats of a report; the general meaning of its numbers is in ``render.glossary``."""

from __future__ import annotations

from collections.abc import Sequence

from forecasts.common.text import count, in_words
from forecasts.reports.report import By, Group
from forecasts.reports.selection import Cohort

_MOST_NAMES = 5
_MANY_TESTS = 4
OF_TEAMS = (
    "A member counts in a team with the forecasts made as its member, while they were current."
)
OF_MODELS = (
    "A model has the forecasts made with it, while they were current, of all bots that used it."
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
