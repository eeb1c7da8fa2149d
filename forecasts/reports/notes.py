"""How to read a report: what its numbers mean in general, and what to mind in this one."""

from __future__ import annotations

from collections.abc import Sequence

from forecasts.reports.report import By, Cohort, Group

# What holds of every report, by what it explains.
GUIDE = {
    "brier": (
        "The Brier score (0–1) is the mean squared distance between forecast and outcome, over "
        "the time that each forecast stood; 0 is best, and always saying 50 % earns 0.25. The "
        "original Brier scale (0–2) is twice that."
    ),
    "question": (
        "The unit is the question: each counts once, however many forecast it and however often. "
        "Intervals are 95 %, and treat questions of one family as one piece of evidence."
    ),
    "miscalibration": (
        "Brier score = miscalibration − discrimination + uncertainty. Luck alone leaves a "
        "perfectly calibrated forecaster a miscalibration of about 0.033 with 50 questions and "
        "0.013 with 200, so this number by itself is no fault."
    ),
    "verdict": (
        "The verdict says whether forecasts and outcomes differ by more than chance explains "
        "(an F test of the recalibration line at the 5 % level). It is withheld below 30 "
        "questions, and below 30 families of linked questions: with few of either the test finds "
        "fault too often."
    ),
}
_MOST_NAMES = 5
_MANY_GROUPS = 5


def notes(
    groups: Sequence[Group],
    *,
    by: By,
    cohort: Cohort,
    several_options: bool,
    in_several_teams: Sequence[str],
) -> tuple[str, ...]:
    """Return what to mind in this report, as full sentences."""
    said = []
    if len(groups) >= _MANY_GROUPS:
        said.append(
            f"This report has {len(groups)} verdicts. Of calibrated records about 1 in 20 is "
            "found faulty by chance, so one such verdict among many is weak evidence."
        )
    if cohort == "resolved":
        said.append(
            "All resolved questions are in, also those whose scheduled close is still to come. "
            "Questions that resolve early lean towards “yes”, which makes forecasts look too low."
        )
    if several_options:
        said.append(
            "A multiple-choice question enters the calibration as one yes/no claim an option, "
            "each of half the weight, so that two options count exactly as the binary question "
            "they are. The parts of the score are per question, and add up to the Brier score."
        )
    if any(group.log.infinite for group in groups):
        said.append(
            "The log score is infinite where something happened that was called impossible. "
            "Such questions are counted apart; the mean is over the others."
        )
    if by == "team":
        said.append(
            "A member counts in a team with the forecasts made while in it, for as long as these "
            "stood."
        )
        if in_several_teams:
            more = len(in_several_teams) - _MOST_NAMES
            said.append(
                "In two teams at one time, and counted in each: "
                + ", ".join(in_several_teams[:_MOST_NAMES])
                + (f" and {more} more." if more > 0 else ".")
            )
    if by == "tag":
        said.append("A question with several tags counts under each of them.")
    return tuple(said)
