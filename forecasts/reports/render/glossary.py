"""What each number of a report or a comparison says, in one plain sentence, and its page in docs.

The one place for it: the foot of a document and the help in the app both read here. The names are
those of the fields of ``report.Group`` and ``report.Decomposition``, and of ``comparison.Pair`` and
``comparison.Side``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from forecasts.reports.report import Report


@dataclass(frozen=True)
class Statistic:
    """A number: its ``title``, what it says in one ``sentence``, and its ``page`` in docs."""

    title: str
    sentence: str
    page: str

    @property
    def whole(self) -> str:
        """The title, and after it the sentence."""
        return f"{self.title}: {self.sentence}"

    @property
    def help(self) -> str:
        """The sentence by itself, as it stands behind a question mark beside the title."""
        return self.sentence[0].upper() + self.sentence[1:]


OF_REPORTS: Mapping[str, Statistic] = {
    "verdict": Statistic(
        "Verdict",
        "whether forecasts and outcomes differ by more than chance explains (an F test of the "
        "recalibration line at the 5 % level); it is withheld below 30 questions or 30 families, "
        "with which the test finds fault too often.",
        "verdict.md",
    ),
    "left_out": Statistic(
        "Left out",
        "questions that have no score here, counted by the reason, which is never that “yes” or "
        "“no” came true.",
        "cohort.md",
    ),
    "questions": Statistic(
        "Questions",
        "the unit of everything: each counts once, however many forecast it and however often.",
        "coverage.md",
    ),
    "families": Statistic(
        "Families",
        "questions whose outcomes hang together are one piece of evidence, and every interval "
        "(95 %) and every p-value counts families of questions, never updates.",
        "README.md",
    ),
    "updates": Statistic(
        "Updates",
        "forecasts made while the questions were open, which count for nothing in any test.",
        "coverage.md",
    ),
    "coverage": Statistic(
        "Coverage",
        "the share of the questions’ scheduled time in which a forecast stood.",
        "coverage.md",
    ),
    "brier": Statistic(
        "Brier (0–1)",
        "the mean squared distance between forecast and outcome, over the time that each forecast "
        "stood; 0 is best, and always saying 50 % earns 0.25.",
        "brier.md",
    ),
    "brier_original": Statistic(
        "Brier, original (0–2)",
        "the same on its scale of 1950, twice the other; 0 is best, and always saying 50 % earns "
        "0.5.",
        "brier.md",
    ),
    "log": Statistic(
        "Log score",
        "−ln of the probability given to what happened; 0 is best, and where that was impossible "
        "it is infinite and counted apart.",
        "log.md",
    ),
    "skill": Statistic(
        "Skill",
        "how much better the Brier score was than that of the others who forecast the same "
        "questions at the same times, × 100, over the questions’ scheduled time; above 0 is better "
        "than they.",
        "skill.md",
    ),
    "crowd_skill": Statistic(
        "Crowd skill",
        "the same against the mean of the others’ forecasts, which is harder to beat than they "
        "are.",
        "skill.md",
    ),
    "miscalibration": Statistic(
        "Miscalibration",
        "what was lost because numbers did not mean what they said; a fault only by what exceeds "
        "luck alone by more than chance, which is judged by the time to the scheduled close.",
        "decomposition.md",
    ),
    "miscalibration_expected": Statistic(
        "Luck alone",
        "the miscalibration that a calibrated forecaster shows on average who says the same on the "
        "same questions.",
        "decomposition.md",
    ),
    "discrimination": Statistic(
        "Discrimination",
        "what the recalibrated forecasts gain over always saying how often things came true; more "
        "is better.",
        "decomposition.md",
    ),
    "uncertainty": Statistic(
        "Uncertainty",
        "the score of always saying how often things came true, which belongs to the questions.",
        "decomposition.md",
    ),
    "luck": Statistic(
        "Brier expected",
        "what the forecasts promise if they are right, the mean of p (1 − p), beside the Brier "
        "score that came, both by the time to the scheduled close; worse than expected, more "
        "certainty was claimed than there was.",
        "luck.md",
    ),
    "recalibration": Statistic(
        "Recalibration line",
        "through the log odds of forecasts and outcomes: a slope below 1 says overconfident, above "
        "1 underconfident, an intercept above 0 too low.",
        "recalibration.md",
    ),
    "spiegelhalter": Statistic(
        "Spiegelhalter’s z",
        "whether the confidence was borne out; above 0, things were less certain than forecast.",
        "spiegelhalter.md",
    ),
    "calibration_in_the_large": Statistic(
        "Calibration in the large",
        "whether as much came true as was forecast, all together; above 0, more did.",
        "in-the-large.md",
    ),
    "auc": Statistic(
        "AUC",
        "the chance that what came true had the higher forecast than what did not.",
        "auc.md",
    ),
    "sharpness": Statistic(
        "Sharpness",
        "the mean of p (1 − p), from 0.25, undecided, to 0, certain, which is good only if "
        "calibrated.",
        "histogram.md",
    ),
    "movement": Statistic(
        "Excess movement",
        "Σ (2p − 1)(p − next p), the mean over questions: above 0 forecasts swing back "
        "(over-reaction), below 0 they creep on (under-reaction), and at 0 each update was as "
        "large as what was learned.",
        "movement.md",
    ),
    "certainty": Statistic(
        "Certainty",
        "on how many questions exactly 0 or 1 was said, which has no log odds and therefore no "
        "verdict, and on how many of them it was wrong.",
        "verdict.md",
    ),
    "curve": Statistic(
        "Reliability",
        "how often such forecasts came true: below the diagonal less often than said, above it "
        "more often, and inside the band by no more than chance.",
        "reliability.md",
    ),
    "bins": Statistic(
        "By what was forecast",
        "for each range of forecasts, for what share of the time one stood and how often it came "
        "true.",
        "bins.md",
    ),
    "murphy": Statistic(
        "Murphy curve",
        "what somebody loses who acts when the forecast exceeds a threshold, for every threshold; "
        "lower is better, and the area under the curve is the Brier score (0–1).",
        "murphy.md",
    ),
    "leads": Statistic(
        "Lead time",
        "how good the forecasts were that stood so long before the scheduled close.",
        "lead-time.md",
    ),
    "moved": Statistic(
        "What updates earned",
        "what each took off the Brier score, times the time that was left; it is bookkeeping, not "
        "causation, and whoever moved last gets the credit.",
        "evidence.md",
    ),
    "earned": Statistic(
        "What evidence earned",
        "the same, shared out among the evidence that an update cites.",
        "evidence.md",
    ),
}

OF_COMPARISONS: Mapping[str, Statistic] = {
    "difference": Statistic(
        "Difference",
        "the mean of the first one’s Brier score (0–1) less the second one’s, at the times at "
        "which both had forecasts on the same questions, or at the lead asked for; negative: the "
        "first is better, and on the original Brier scale (0–2) it is twice that.",
        "comparison.md",
    ),
    "comparable": Statistic(
        "Comparable",
        "whether two share 30 questions or more, in 30 families or more, which are one piece of "
        "evidence each; below that nothing is claimed, and intervals are 95 %.",
        "comparison.md",
    ),
    "p_adjusted": Statistic(
        "p, adjusted",
        "the p-value raised for the number of pairs (Holm), so that the chance of any false claim "
        "among all of them stays at 5 %.",
        "comparison.md",
    ),
    "detectable": Statistic(
        "Detectable",
        "the smallest true difference that so many questions would show in 8 of 10 such records.",
        "detectable.md",
    ),
    "watched": Statistic(
        "Evidence at any time",
        "an e-process, which stays valid however often one looks while questions keep arriving: "
        "between equals it ever reaches 20 in at most 1 of 20 cases.",
        "e-process.md",
    ),
    "rank": Statistic(
        "Rank",
        "an interval, for groups that cannot be told apart share ranks, and nobody is compared "
        "through a third who shares questions with both.",
        "ranks.md",
    ),
    "skill": Statistic(
        "Skill, shrunk",
        "the raw advantage over the others at the same times, drawn towards the mean of all as far "
        "as luck makes the best and the worst of many look better and worse than they are.",
        "shrinkage.md",
    ),
}


def explained(report: Report) -> list[Statistic]:
    """Return the statistics that the report shows, in their order."""
    return [
        one
        for name, one in OF_REPORTS.items()
        if any(getattr(group, name, one) not in (None, ()) for group in report.groups)
    ]
