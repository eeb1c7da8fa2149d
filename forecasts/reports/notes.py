"""What to mind in a report; what its numbers say in general stands in ``statistics``."""

from __future__ import annotations

from collections.abc import Sequence

from forecasts.reports.report import By, Group
from forecasts.reports.selection import Cohort

_MOST_NAMES = 5
_MANY_GROUPS = 5


def notes(
    groups: Sequence[Group],
    *,
    by: By,
    cohort: Cohort,
    several_options: bool,
    in_several_teams: Sequence[str],
    provisional: int,
) -> tuple[str, ...]:
    """Return what to mind in this report, as full sentences."""
    said = []
    if provisional:
        many = "One outcome" if provisional == 1 else f"{provisional:,} outcomes"
        said.append(
            f"{many} of those counted here can still be disputed, or is disputed: what is scored "
            "by it is provisional."
            if provisional == 1
            else f"{many} of those counted here can still be disputed, or are disputed: what is "
            "scored by them is provisional."
        )
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
    if any(group.certainty.questions for group in groups):
        said.append(
            "Exactly 0 or 1 has no log odds, so a record that holds one has no recalibration "
            "line and no verdict as a whole. What is read of the rest leaves out the time when "
            "such a forecast stood, which is known before the outcome is."
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
    if by == "lead":
        said.append(
            "A question that was not open yet, had closed by then, or on which nothing stood, is "
            "not in that row: the rows hold different questions."
        )
    return tuple(said)
