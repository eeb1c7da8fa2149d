"""The meaning of each number of a report or a comparison, in one sentence, with its page in docs.

The foot of every document and the help on the pages both read it here. The names are those of the
fields of ``report.Group``, ``measures.Decomposition``, ``measures.Miscalibration``,
``comparison.Pair`` and ``comparison.Side``.
"""

from __future__ import annotations

from collections.abc import Mapping

from forecasts.documents.document import Term
from forecasts.reports.report import Report

OF_REPORTS: Mapping[str, Term] = {
    "verdict": Term(
        "Verdict",
        "whether forecasts when made differ from the outcomes by more than chance explains, in "
        "level or in slope, at the 5% level; withheld below 30 questions or 30 families, where "
        "luck and error look alike.",
        "verdict.md",
    ),
    "p_value": Term(
        "p-value",
        "how often chance alone puts a calibrated record this far off; the verdict rests on its "
        "own (recalibration line), not on that of miscalibration, which looks for any fault and "
        "finds a plain one less often; among several tests, one below 0.05 is common.",
        "verdict.md",
    ),
    "left_out": Term(
        "Left out",
        "questions without a score here, counted by reason; the outcome “yes” or “no” is never a "
        "reason.",
        "cohort.md",
    ),
    "questions": Term(
        "Questions",
        "the unit of every statistic: each counts once, however many members forecast it and "
        "however often.",
        "coverage.md",
    ),
    "families": Term(
        "Families",
        "questions with linked outcomes are one piece of evidence, so every interval "
        "(95%) and every p-value counts families of questions, never updates.",
        "README.md",
    ),
    "updates": Term(
        "Updates",
        "forecasts made while the questions were open; their number does not affect any test.",
        "coverage.md",
    ),
    "coverage": Term(
        "Coverage", "the share of the questions’ scheduled time with a forecast.", "coverage.md"
    ),
    "brier": Term(
        "Brier (0–1)",
        "the mean squared distance between forecast and outcome, weighted by the time for which "
        "each forecast was current; 0 is best, and always forecasting 50% scores 0.25.",
        "brier.md",
    ),
    "brier_original": Term(
        "Brier, original (0–2)",
        "the same on its scale of 1950, twice the other; 0 is best, and always forecasting 50% "
        "scores 0.5.",
        "brier.md",
    ),
    "log": Term(
        "Log score",
        "−ln of the probability of the outcome; 0 is best, and an outcome that was called "
        "impossible has an infinite score, which is counted separately.",
        "log.md",
    ),
    "skill": Term(
        "Skill",
        "how much better the Brier score is than that of the others who forecast the same "
        "questions at the same times, × 100, over the questions’ scheduled time; above 0 is "
        "better.",
        "skill.md",
    ),
    "crowd_skill": Term(
        "Crowd skill",
        "the same against the mean of the others’ forecasts, which is harder to beat than the "
        "others are.",
        "skill.md",
    ),
    "brier_skill": Term(
        "Brier skill",
        "the share of the Brier score of the base rate that the forecasts save: 1 is perfect, 0 no "
        "better than always forecasting the rate of “yes” on the record’s other families, which "
        "nobody knew beforehand (hindsight).",
        "brier-skill.md",
    ),
    "crowd_brier_skill": Term(
        "Brier skill against the crowd",
        "the same share of the Brier score of the mean of the others’ forecasts, at times when "
        "someone else had one.",
        "brier-skill.md",
    ),
    "adjusted": Term(
        "Adjusted for difficulty",
        "the Brier score (0–1) if all had forecast all questions, from those shared with others; "
        "it assumes that a question is harder for everyone by the same amount.",
        "difficulty.md",
    ),
    "score": Term(
        "Score when made",
        "the mean score of forecasts when made, the sum of its parts; it differs from the score of "
        "the record, which is by time.",
        "decomposition.md",
    ),
    "miscalibration": Term(
        "Miscalibration",
        "the loss from forecasts that do not match the frequency of the outcomes; only an excess "
        "over luck alone, beyond chance, counts as a fault.",
        "decomposition.md",
    ),
    "when_made": Term(
        "When made",
        "of forecasts as they were made, whatever happened later: a forecaster’s first on a "
        "question has weight 1, the second 1/2, the third 1/3.",
        "when-made.md",
    ),
    "expected": Term(
        "Luck alone",
        "the mean miscalibration of a calibrated forecaster with the same forecasts on the same "
        "questions.",
        "decomposition.md",
    ),
    "discrimination": Term(
        "Discrimination",
        "the gain of the recalibrated forecasts over always forecasting the base rate; more is "
        "better.",
        "decomposition.md",
    ),
    "uncertainty": Term(
        "Uncertainty",
        "the score of always forecasting the base rate, a property of the questions.",
        "decomposition.md",
    ),
    "log_decomposition": Term(
        "Parts of the log score",
        "the same three parts of the log score, in which errors near 0% and 100% weigh more; "
        "infinite scores are left out.",
        "decomposition.md",
    ),
    "errors": Term(
        "Calibration errors",
        "how far forecasts are from how often they came true: Eavg on average, E90 for nine of "
        "ten, Emax at most; luck alone keeps all three above 0.",
        "errors.md",
    ),
    "luck": Term(
        "Brier expected",
        "the score expected if the forecasts are right, the mean of p (1 − p) when made; an actual "
        "score above it means too much certainty.",
        "luck.md",
    ),
    "recalibration": Term(
        "Recalibration line",
        "fitted to the log odds of forecasts when made: a slope below 1 means overconfident, "
        "above 1 underconfident, an intercept above 0 too low; its p-value is that of the verdict.",
        "recalibration.md",
    ),
    "spiegelhalter": Term(
        "Spiegelhalter’s z",
        "whether the confidence was justified; above 0, outcomes were less certain than forecast.",
        "spiegelhalter.md",
    ),
    "calibration_in_the_large": Term(
        "Calibration in the large",
        "whether as many events happened as were forecast in total; above 0, more did; options "
        "without an order have none.",
        "in-the-large.md",
    ),
    "auc": Term(
        "AUC",
        "the probability that an event had a higher forecast than a non-event, when made; 0.5 is "
        "guessing.",
        "auc.md",
    ),
    "auc_interval": Term(
        "Interval of the AUC",
        "95%, over families of questions, wider with few events.",
        "auc.md",
    ),
    "roc": Term(
        "ROC curve",
        "the share of events called against the share of false alarms, for every forecast from "
        "which an event could be called.",
        "auc.md",
    ),
    "sharpness": Term(
        "Sharpness",
        "the mean of p (1 − p) when made, from 0.25 (undecided) to 0 (certain), which is good only "
        "in a calibrated record.",
        "histogram.md",
    ),
    "movement": Term(
        "Excess movement",
        "Σ (2p − 1)(p − next p), the mean over questions: above 0, forecasts swing back "
        "(over-reaction); below 0, they drift (under-reaction); only what remains once forecasts "
        "are recalibrated counts.",
        "movement.md",
    ),
    "staleness": Term(
        "Staleness",
        "the Brier points (0–1) that moving each unrevised forecast with the time passed, as this "
        "record’s own outcomes suggest, would have saved; it describes, and is not miscalibration.",
        "staleness.md",
    ),
    "certainty": Term(
        "Certainty",
        "the number of questions with a forecast of exactly 0 or 1, and of those on which it was "
        "wrong, which no chance explains.",
        "verdict.md",
    ),
    "curve": Term(
        "Reliability",
        "how often events happened at each forecast when made: below the diagonal less often than "
        "forecast, above it more often; chance keeps 9 of 10 whole curves inside the band.",
        "reliability.md",
    ),
    "bins": Term(
        "By forecast",
        "for each range of forecasts when made, its share and how often it came true.",
        "bins.md",
    ),
    "murphy": Term(
        "Murphy curve",
        "the loss from acting when the forecast exceeds a threshold, for every threshold; "
        "lower is better, and the area under the curve is the Brier score (0–1) when made.",
        "murphy.md",
    ),
    "pit": Term(
        "Numbers and dates",
        "where in the forecast distributions the outcomes lie: a tenth in each tenth if "
        "calibrated, more in the outer ones if distributions are too narrow.",
        "pit.md",
    ),
    "leads": Term(
        "Lead time",
        "how good the forecasts were at each time before the scheduled close.",
        "lead-time.md",
    ),
    "moved": Term(
        "Points earned by updates",
        "the reduction of the Brier score by each update, times the share of time left; it is "
        "bookkeeping, not causation, and the last update gets the credit.",
        "evidence.md",
    ),
    "earned": Term(
        "Points earned by evidence",
        "the same, divided among the evidence that an update cites.",
        "evidence.md",
    ),
}

OF_COMPARISONS: Mapping[str, Term] = {
    "difference": Term(
        "Difference",
        "the mean of the first’s Brier score (0–1) minus the second’s, on questions and at times "
        "that both forecast, or at the chosen lead; negative: the first is better, and on the "
        "original Brier scale (0–2) it is twice that.",
        "comparison.md",
    ),
    "comparable": Term(
        "Comparable",
        "whether two share at least 30 questions in at least 30 families, each one piece of "
        "evidence; below that no claim is made, and intervals are 95%.",
        "comparison.md",
    ),
    "p_adjusted": Term(
        "p, adjusted",
        "the p-value raised for the number of pairs (Holm), so that the chance of any false claim "
        "among all of them stays at 5%.",
        "comparison.md",
    ),
    "detectable": Term(
        "Detectable",
        "the smallest true difference that this many questions would show in 8 of 10 such records.",
        "detectable.md",
    ),
    "tipping": Term(
        "Tipping",
        "the smallest correlation between families of questions open at the same time with which "
        "the claim would fail: outcomes of different families are taken as independent, and news "
        "can move many at once.",
        "comparison.md",
    ),
    "murphy": Term(
        "Difference of the losses",
        "the first’s mean loss from acting above a threshold minus the second’s, for every "
        "threshold: below 0 the first loses less; the bands hold all curves, whole, in 95 of 100 "
        "cases.",
        "murphy.md",
    ),
    "adjusted": OF_REPORTS["adjusted"],
    "silent": Term(
        "No forecast",
        "the share of the questions compared, and of their scheduled time while open, without a "
        "forecast from a side; forecasting only when sure can look like skill.",
        "comparison.md",
    ),
    "watched": Term(
        "Evidence at any time",
        "an e-process: however often you check it, between equals it ever reaches 20 in at most 1 "
        "of 20 cases; it bets once a block of time, as questions open together share news, or once "
        "a family, if families are independent.",
        "e-process.md",
    ),
    "may_be_best": Term(
        "May be best",
        "no once the evidence over time has excluded a group from the best; the best itself is "
        "ever excluded in at most 1 of 20 cases.",
        "ranks.md",
    ),
    "rank": Term(
        "Rank",
        "an interval, because groups without a clear difference share ranks, and nobody is ranked "
        "through a third who shares questions with both.",
        "ranks.md",
    ),
    "skill": Term(
        "Skill, shrunk",
        "the raw advantage over the others at the same times, drawn towards the mean of all to "
        "allow for the luck of the best and the worst of many.",
        "shrinkage.md",
    ),
}


def explained(report: Report) -> list[Term]:
    """Return the statistics that the report shows, in their order."""
    return [
        one
        for name, one in OF_REPORTS.items()
        if any(getattr(group, name, one) not in (None, ()) for group in report.groups)
    ]
