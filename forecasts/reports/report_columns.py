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


def _estimate(name: str, path: str, *more: str) -> dict[str, str]:
    """Return the columns of a mean with its interval, and of more fields beside it."""
    return {
        f"{name}_mean": f"{path}.mean",
        **_ends(name, path),
        **{f"{name}_{field}": f"{path}.{field}" for field in more},
    }


def _ends(name: str, path: str) -> dict[str, str]:
    return {f"{name}_lower": f"{path}.interval.0", f"{name}_upper": f"{path}.interval.1"}


def _fields(path: str, *names: str, prefix: str | None = None) -> dict[str, str]:
    """Return columns for these fields; ``prefix``: of their names, the path by default."""
    before = f"{path}_" if prefix is None else prefix
    return {f"{before}{name}": f"{path}.{name}" for name in names}


_PARTS = ("miscalibration", "discrimination", "uncertainty")
_ERRORS = ("average", "p90", "largest")
COLUMNS: Columns = {
    **{
        name: name
        for name in ("name", "forecasters", "questions", "families", "updates", "coverage")
    },
    **_estimate("brier", "brier"),
    "brier_original_mean": "brier_original.mean",
    **_estimate("log", "log", "infinite"),
    **_estimate("skill", "skill", "questions"),
    "brier_skill": "brier_skill.mean",
    **_ends("brier_skill", "brier_skill"),
    "crowd_brier_skill": "crowd_brier_skill.mean",
    **_ends("crowd_brier_skill", "crowd_brier_skill"),
    "adjusted": "adjusted.mean",
    **_ends("adjusted", "adjusted"),
    **_fields("adjusted", "questions", "component"),
    **_estimate("crowd_skill", "crowd_skill"),
    "score_when_made": "decomposition.score",
    **_fields("decomposition", *_PARTS, prefix=""),
    **_fields("miscalibration", "when_made", "expected", "p_value"),
    "log_score_when_made": "log_decomposition.score",
    **_fields("log_decomposition", *_PARTS, prefix="log_"),
    **_fields("errors", *_ERRORS, prefix="error_"),
    **{f"error_{name}_expected": f"errors.expected_{name}" for name in _ERRORS},
    **_fields("luck", "expected", "realised"),
    "luck_difference": "luck.difference.mean",
    **_ends("luck", "luck.difference"),
    "luck_p_value": "luck.p_value",
    **_fields("recalibration", "intercept", "slope", "p_value"),
    **_fields("spiegelhalter", "z", "p_value"),
    **_fields("calibration_in_the_large", "z", "p_value"),
    "auc": "auc",
    "auc_lower": "auc_interval.0",
    "auc_upper": "auc_interval.1",
    "sharpness": "sharpness",
    **_fields("pit", "questions", "families"),
    "pit_level_z": "pit.level.z",
    "pit_spread_z": "pit.spread.z",
    "pit_p_value": "pit.p_value",
    **_fields("movement", "questions", "families", "revised"),
    "movement_excess": "movement.excess.mean",
    **_ends("movement", "movement.excess"),
    "movement_p_value": "movement.p_value",
    "movement": "movement.kind",
    **_fields("staleness", "questions", "drift"),
    "staleness_cost": "staleness.cost.mean",
    **_ends("staleness", "staleness.cost"),
    "staleness": "staleness.kind",
    "evidence": "evidence",
    **_fields("moved", "updates", "points", "promised"),
    "moved_per_question": "moved.per_question.mean",
    **_ends("moved", "moved.per_question"),
    **_fields("certainty", "questions", "wrong", prefix="certain_"),
    "verdict": "verdict.kind",
    **_fields("verdict", "rest", "tipping"),
    "verdict_sentence": lambda group: " ".join(findings(group).values()),
    **{f"left_out_{reason}": partial(_left_out, reason) for reason in get_args(Reason)},
}
ABOUT = ("engine_version", "protocol", "by", *CHOICE, "as_of", "input_sha256")
