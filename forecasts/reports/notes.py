"""How to read a report: what its numbers mean in general, and what to mind in this one."""

from __future__ import annotations

from collections.abc import Sequence

from forecasts.reports.choice import Cohort
from forecasts.reports.report import By, Group

# What each number means, in a sentence or two: at the foot of a report, and beside each in the app.
MEANINGS = {
    "questions": (
        "The unit is the question: each counts once, however many forecast it and however often."
    ),
    "families": (
        "Questions whose outcomes hang together are one family, and one piece of evidence: every "
        "interval (95 %) and every p-value counts families of questions, never updates."
    ),
    "updates": "Forecasts made while the questions were open; they tell of diligence alone.",
    "coverage": "The share of the questions’ scheduled time in which a forecast stood.",
    "brier": (
        "The Brier score (0–1) is the mean squared distance between forecast and outcome, over "
        "the time that each forecast stood; 0 is best, and always saying 50 % earns 0.25. The "
        "original Brier scale (0–2) is twice that."
    ),
    "brier_original": "The Brier score on its scale of 1950, twice the other; 0 is best.",
    "log": (
        "The log score is −ln of the probability given to what happened; 0 is best. It is infinite "
        "where that was 0; such questions are counted apart."
    ),
    "skill": (
        "Skill is how much better the Brier score was than that of the others who forecast the "
        "same questions at the same times, × 100, over the questions’ scheduled time."
    ),
    "crowd_skill": (
        "The same against the mean of the others’ forecasts, which is harder to beat than they are."
    ),
    "miscalibration": (
        "Miscalibration is what recalibrating the forecasts would have gained. Luck alone makes "
        "some, which stands beside it; only what exceeds that by more than chance is a fault. "
        "Chance is judged by the time to the scheduled close, as in every test of calibration."
    ),
    "discrimination": (
        "Discrimination is what the recalibrated forecasts gain over always saying how often "
        "things came true; more is better."
    ),
    "uncertainty": (
        "Uncertainty is the score of always saying how often things came true: it belongs to the "
        "questions."
    ),
    "luck": (
        "If the forecasts are right, a Brier score of p (1 − p) is to be expected on average. "
        "Worse than expected: more certainty was claimed than there was. Both weigh by the time to "
        "the scheduled close, so where questions closed early they are not the Brier score above."
    ),
    "recalibration": (
        "The line through the log odds of forecasts and outcomes: a slope below 1 says "
        "overconfident, above 1 underconfident; an intercept above 0 says too low."
    ),
    "spiegelhalter": "Whether the confidence was borne out: above 0, less certain than forecast.",
    "in_the_large": "Whether as much came true as was forecast, all together: above 0, more did.",
    "movement": (
        "Who is right at each moment moves, on average, by as much as is learned. Excess movement "
        "above 0: forecasts swing back (over-reaction); below 0: they creep on (under-reaction)."
    ),
    "auc": "The chance that what came true had the higher forecast than what did not.",
    "sharpness": "The mean of p (1 − p): 0.25 undecided, 0 certain. Good only if calibrated.",
    "reliability": (
        "How often such forecasts came true: below the diagonal less often than said, above it "
        "more often. Inside the band is what luck does."
    ),
    "histogram": "For what share of the time a forecast in each range stood.",
    "murphy": (
        "What somebody loses who acts when the forecast exceeds a threshold, for every threshold; "
        "lower is better, and the area under the curve is the Brier score (0–1)."
    ),
    "leads": "How good the forecasts were that stood so long before the scheduled close.",
    "earned": (
        "What updates took off the Brier score, split over the evidence they cite. Bookkeeping, "
        "not causation: whoever moved last gets the credit."
    ),
    "verdict": (
        "The verdict says whether forecasts and outcomes differ by more than chance explains "
        "(an F test of the recalibration line at the 5 % level). It is withheld below 30 "
        "questions, and below 30 families of linked questions: with few of either the test finds "
        "fault too often."
    ),
}
# What holds of every report.
GUIDE = {
    name: MEANINGS[name]
    for name in (
        "brier",
        "questions",
        "families",
        "skill",
        "miscalibration",
        "luck",
        "movement",
        "murphy",
        "verdict",
    )
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
