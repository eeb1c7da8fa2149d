"""A report's groups as CSV: one row a group, numbers in full precision."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any, get_args

from forecasts.common.text import inert
from forecasts.common.times import iso
from forecasts.reports.render.wording import findings
from forecasts.reports.report import (
    Estimate,
    Group,
    LogScore,
    Metadata,
    Reason,
    Report,
    Skill,
)
from forecasts.reports.selection import Choice


def as_csv(report: Report) -> str:
    """Return the groups as CSV with a header. Blank: there is nothing to compute it from.

    A text that a spreadsheet would take for a formula has an apostrophe put before it.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*COLUMNS, *ABOUT])
    about = [cell(read(report.metadata)) for read in ABOUT.values()]
    for group in report.groups:
        writer.writerow([*(cell(read(group)) for read in COLUMNS.values()), *about])
    return text.getvalue()


def _end(estimate: Estimate | LogScore | Skill | None, which: int) -> float | None:
    return None if estimate is None or estimate.interval is None else estimate.interval[which]


def _left_out(reason: Reason) -> Callable[[Group], int]:
    return lambda group: sum(out.questions for out in group.left_out if out.reason == reason)


COLUMNS: dict[str, Callable[[Group], Any]] = {
    "name": lambda group: group.name,
    "forecasters": lambda group: group.forecasters,
    "questions": lambda group: group.questions,
    "families": lambda group: group.families,
    "updates": lambda group: group.updates,
    "coverage": lambda group: group.coverage,
    "brier_mean": lambda group: group.brier.mean,
    "brier_lower": lambda group: _end(group.brier, 0),
    "brier_upper": lambda group: _end(group.brier, 1),
    "brier_original_mean": lambda group: group.brier_original.mean,
    "log_mean": lambda group: group.log.mean,
    "log_lower": lambda group: _end(group.log, 0),
    "log_upper": lambda group: _end(group.log, 1),
    "log_infinite": lambda group: group.log.infinite,
    "skill_mean": lambda group: group.skill and group.skill.mean,
    "skill_lower": lambda group: _end(group.skill, 0),
    "skill_upper": lambda group: _end(group.skill, 1),
    "skill_questions": lambda group: group.skill and group.skill.questions,
    "crowd_skill_mean": lambda group: group.crowd_skill and group.crowd_skill.mean,
    "crowd_skill_lower": lambda group: _end(group.crowd_skill, 0),
    "crowd_skill_upper": lambda group: _end(group.crowd_skill, 1),
    "miscalibration": lambda group: group.decomposition.miscalibration,
    "miscalibration_expected": lambda group: group.decomposition.miscalibration_expected,
    "miscalibration_p_value": lambda group: group.decomposition.p_value,
    "discrimination": lambda group: group.decomposition.discrimination,
    "uncertainty": lambda group: group.decomposition.uncertainty,
    "luck_expected": lambda group: group.luck.expected,
    "luck_realised": lambda group: group.luck.realised,
    "luck_difference": lambda group: group.luck.difference.mean,
    "luck_lower": lambda group: _end(group.luck.difference, 0),
    "luck_upper": lambda group: _end(group.luck.difference, 1),
    "luck_p_value": lambda group: group.luck.p_value,
    "recalibration_intercept": lambda group: group.recalibration.intercept,
    "recalibration_slope": lambda group: group.recalibration.slope,
    "recalibration_p_value": lambda group: group.recalibration.p_value,
    "spiegelhalter_z": lambda group: group.spiegelhalter.z,
    "spiegelhalter_p_value": lambda group: group.spiegelhalter.p_value,
    "calibration_in_the_large_z": lambda group: group.calibration_in_the_large.z,
    "calibration_in_the_large_p_value": lambda group: group.calibration_in_the_large.p_value,
    "auc": lambda group: group.auc,
    "sharpness": lambda group: group.sharpness,
    "movement_questions": lambda group: group.movement and group.movement.questions,
    "movement_families": lambda group: group.movement and group.movement.families,
    "movement_revised": lambda group: group.movement and group.movement.revised,
    "movement_excess": lambda group: group.movement and group.movement.excess.mean,
    "movement_lower": lambda group: group.movement and _end(group.movement.excess, 0),
    "movement_upper": lambda group: group.movement and _end(group.movement.excess, 1),
    "movement_p_value": lambda group: group.movement and group.movement.p_value,
    "movement": lambda group: group.movement and group.movement.kind,
    "evidence": lambda group: group.evidence,
    "moved_updates": lambda group: group.moved and group.moved.updates,
    "moved_points": lambda group: group.moved and group.moved.points,
    "moved_promised": lambda group: group.moved and group.moved.promised,
    "moved_per_question": lambda group: group.moved and group.moved.per_question.mean,
    "moved_lower": lambda group: group.moved and _end(group.moved.per_question, 0),
    "moved_upper": lambda group: group.moved and _end(group.moved.per_question, 1),
    "certain_questions": lambda group: group.certainty.questions,
    "certain_wrong": lambda group: group.certainty.wrong,
    "verdict": lambda group: group.verdict.kind,
    "verdict_rest": lambda group: group.verdict.rest,
    "verdict_sentence": lambda group: " ".join(findings(group)),
    **{f"left_out_{reason}": _left_out(reason) for reason in get_args(Reason)},
}
CHOICE: dict[str, Callable[[Choice], Any]] = {
    "cohort": lambda choice: choice.cohort,
    "tags": lambda choice: ";".join(choice.tags),
    "since": lambda choice: choice.since and iso(choice.since),
    "until": lambda choice: choice.until and iso(choice.until),
    "lead": lambda choice: choice.lead,
}
ABOUT: dict[str, Callable[[Metadata], Any]] = {
    "engine_version": lambda about: about.engine_version,
    "protocol": lambda about: about.protocol,
    "by": lambda about: about.by,
    **CHOICE,
    "as_of": lambda about: iso(about.as_of),
    "input_sha256": lambda about: about.input_sha256,
}


def cell(value: Any) -> str:
    """Return a value as CSV holds it: blank for None, a text safe from spreadsheets."""
    if value is None:
        return ""
    if isinstance(value, str):
        return inert(value)
    return repr(float(value)) if isinstance(value, float) else str(value)
