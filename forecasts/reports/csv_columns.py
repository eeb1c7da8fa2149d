"""The columns of reports and comparisons as CSV: one row a group, or one a pair."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, get_args

from forecasts.documents.as_csv import Columns, as_csv, value_at
from forecasts.reports.comparison.comparison import Comparison, Pair, Side
from forecasts.reports.report import Group, Reason, Report
from forecasts.reports.selection import CHOICE
from forecasts.reports.wording import findings


def report_csv(report: Report) -> str:
    """Return the groups as CSV, each with the metadata of the report."""
    return as_csv(report.groups, _GROUP, report.metadata, _ABOUT_REPORT)


def comparison_csv(comparison: Comparison) -> str:
    """Return the pairs as CSV, with the ranks of both sides and the metadata of the comparison."""
    sides = {side.name: side for side in comparison.groups}
    of_sides = {
        f"{letter}_{name}": partial(_of_side, sides, letter, name)
        for names in (("rank_low", "rank_high"), ("unanswered", "silent"))
        for letter in "ab"
        for name in names
    }
    adjusted = {f"{at}_adjusted": partial(_of_side, sides, at, "adjusted.mean") for at in "ab"}
    return as_csv(
        comparison.pairs, {**_PAIR, **of_sides, **adjusted}, comparison.metadata, _ABOUT_COMPARISON
    )


def _of_side(sides: Mapping[str, Side], letter: str, path: str, pair: Pair) -> Any:
    return value_at(sides[getattr(pair, letter)], path)


def _same(*names: str) -> dict[str, str]:
    return dict(zip(names, names, strict=True))


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
_GROUP: Columns = {
    **_same("name", "forecasters", "questions", "families", "updates", "coverage"),
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
_PAIR: Columns = {
    **_same("a", "b", "shared_questions", "families", "effective_families", "difference"),
    "difference_lower": "interval.0",
    "difference_upper": "interval.1",
    **_same("p_value", "p_adjusted", "detectable", "comparable", "reason", "better", "tipping"),
    **_same("periods", "p_by_time"),
    **_fields("dominant", "family", "share"),
    "difference_without": "dominant.difference",
    "p_value_without": "dominant.p_value",
    **{f"{name}_imputed": f"imputed.{name}" for name in ("difference", "p_adjusted", "better")},
    **_fields("watched", "blocks", "e_value", prefix=""),
    "e_value_highest": "watched.highest",
    "e_value_by_family": "watched_by_family.e_value",
    "e_value_by_family_highest": "watched_by_family.highest",
    "sentence": "sentence",
}
_ABOUT_COMPARISON = (
    *("engine_version", "protocol", "of", "claims"),
    *(*CHOICE, "as_of", "input_sha256"),
)
_ABOUT_REPORT = ("engine_version", "protocol", "by", *CHOICE, "as_of", "input_sha256")
