"""The columns of a report's CSV: one row a group."""

from __future__ import annotations

from functools import partial
from typing import get_args

from forecasts.documents.as_csv import Columns, as_csv
from forecasts.reports.report import Group, Reason, Report
from forecasts.reports.selection import CHOICE
from forecasts.reports.wording import findings


def report_csv(report: Report) -> str:
    """Return the groups as CSV, each with the metadata of the report."""
    return as_csv(report.groups, COLUMNS, report.metadata, ABOUT)


def _left_out(reason: Reason, group: Group) -> int:
    return sum(entry.questions for entry in group.left_out if entry.reason == reason)


def _ends(name: str, path: str) -> dict[str, str]:
    return {f"{name}_lower": f"{path}.0", f"{name}_upper": f"{path}.1"}


COLUMNS: Columns = {
    **{
        name: name
        for name in ("name", "forecasters", "questions", "families", "updates", "coverage")
    },
    "brier_mean": "brier.mean",
    **_ends("brier", "brier.interval"),
    "brier_original_mean": "brier_original.mean",
    "log_mean": "log.mean",
    **_ends("log", "log.interval"),
    "log_infinite": "log.infinite",
    "skill_mean": "skill.mean",
    **_ends("skill", "skill.interval"),
    "skill_questions": "skill.questions",
    "brier_skill": "brier_skill.mean",
    **_ends("brier_skill", "brier_skill.interval"),
    "crowd_brier_skill": "crowd_brier_skill.mean",
    **_ends("crowd_brier_skill", "crowd_brier_skill.interval"),
    "adjusted": "adjusted.mean",
    **_ends("adjusted", "adjusted.interval"),
    "adjusted_questions": "adjusted.questions",
    "adjusted_component": "adjusted.component",
    "crowd_skill_mean": "crowd_skill.mean",
    **_ends("crowd_skill", "crowd_skill.interval"),
    "score_when_made": "decomposition.score",
    "miscalibration": "decomposition.miscalibration",
    "discrimination": "decomposition.discrimination",
    "uncertainty": "decomposition.uncertainty",
    "miscalibration_when_made": "miscalibration.when_made",
    "miscalibration_expected": "miscalibration.expected",
    "miscalibration_p_value": "miscalibration.p_value",
    "log_score_when_made": "log_decomposition.score",
    "log_miscalibration": "log_decomposition.miscalibration",
    "log_discrimination": "log_decomposition.discrimination",
    "log_uncertainty": "log_decomposition.uncertainty",
    **{f"error_{name}": f"errors.{name}" for name in ("average", "p90", "largest")},
    **{
        f"error_{name}_expected": f"errors.expected_{name}"
        for name in ("average", "p90", "largest")
    },
    "luck_expected": "luck.expected",
    "luck_realised": "luck.realised",
    "luck_difference": "luck.difference.mean",
    **_ends("luck", "luck.difference.interval"),
    "luck_p_value": "luck.p_value",
    "recalibration_intercept": "recalibration.intercept",
    "recalibration_slope": "recalibration.slope",
    "recalibration_p_value": "recalibration.p_value",
    "spiegelhalter_z": "spiegelhalter.z",
    "spiegelhalter_p_value": "spiegelhalter.p_value",
    "calibration_in_the_large_z": "calibration_in_the_large.z",
    "calibration_in_the_large_p_value": "calibration_in_the_large.p_value",
    "auc": "auc",
    **_ends("auc", "auc_interval"),
    "sharpness": "sharpness",
    "pit_questions": "pit.questions",
    "pit_families": "pit.families",
    "pit_level_z": "pit.level.z",
    "pit_spread_z": "pit.spread.z",
    "pit_p_value": "pit.p_value",
    "movement_questions": "movement.questions",
    "movement_families": "movement.families",
    "movement_revised": "movement.revised",
    "movement_excess": "movement.excess.mean",
    **_ends("movement", "movement.excess.interval"),
    "movement_p_value": "movement.p_value",
    "movement": "movement.kind",
    "staleness_questions": "staleness.questions",
    "staleness_drift": "staleness.drift",
    "staleness_cost": "staleness.cost.mean",
    **_ends("staleness", "staleness.cost.interval"),
    "staleness": "staleness.kind",
    "evidence": "evidence",
    "moved_updates": "moved.updates",
    "moved_points": "moved.points",
    "moved_promised": "moved.promised",
    "moved_per_question": "moved.per_question.mean",
    **_ends("moved", "moved.per_question.interval"),
    "certain_questions": "certainty.questions",
    "certain_wrong": "certainty.wrong",
    "verdict": "verdict.kind",
    "verdict_rest": "verdict.rest",
    "verdict_tipping": "verdict.tipping",
    "verdict_sentence": lambda group: " ".join(findings(group).values()),
    **{f"left_out_{reason}": partial(_left_out, reason) for reason in get_args(Reason)},
}
ABOUT = ("engine_version", "protocol", "by", *CHOICE, "as_of", "input_sha256")
