"""A report's groups as CSV: one row a group, numbers in full precision."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any, get_args

from forecasts.reports.report import Group, Metadata, Reason, Report
from forecasts.times import iso

# A spreadsheet takes a text that begins so for a formula, and runs it.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


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
    "brier_lower": lambda group: group.brier.interval and group.brier.interval[0],
    "brier_upper": lambda group: group.brier.interval and group.brier.interval[1],
    "brier_original_mean": lambda group: group.brier_original.mean,
    "log_mean": lambda group: group.log.mean,
    "log_infinite": lambda group: group.log.infinite,
    "miscalibration": lambda group: group.decomposition.miscalibration,
    "discrimination": lambda group: group.decomposition.discrimination,
    "uncertainty": lambda group: group.decomposition.uncertainty,
    "recalibration_intercept": lambda group: group.recalibration.intercept,
    "recalibration_slope": lambda group: group.recalibration.slope,
    "recalibration_p_value": lambda group: group.recalibration.p_value,
    "spiegelhalter_z": lambda group: group.spiegelhalter.z,
    "spiegelhalter_p_value": lambda group: group.spiegelhalter.p_value,
    "calibration_in_the_large_z": lambda group: group.calibration_in_the_large.z,
    "calibration_in_the_large_p_value": lambda group: group.calibration_in_the_large.p_value,
    "auc": lambda group: group.auc,
    "verdict": lambda group: group.verdict.kind,
    "verdict_sentence": lambda group: group.verdict.sentence,
    **{f"left_out_{reason}": _left_out(reason) for reason in get_args(Reason)},
}
ABOUT: dict[str, Callable[[Metadata], Any]] = {
    "engine_version": lambda about: about.engine_version,
    "protocol": lambda about: about.protocol,
    "by": lambda about: about.by,
    "cohort": lambda about: about.cohort,
    "as_of": lambda about: iso(about.as_of),
    "input_sha256": lambda about: about.input_sha256,
}


def cell(value: Any) -> str:
    """Return a value as CSV holds it: blank for None, a text safe from spreadsheets."""
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    return repr(float(value)) if isinstance(value, float) else str(value)
