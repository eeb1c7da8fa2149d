"""The formats of reports and comparisons; the ``*.schema.json`` beside this file fix their JSON."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Literal, get_args

from forecasts.documents.as_csv import as_csv, value_at
from forecasts.documents.as_html import as_html
from forecasts.documents.as_json import as_json
from forecasts.documents.as_markdown import as_markdown
from forecasts.documents.as_pdf import as_pdf
from forecasts.documents.as_text import as_text
from forecasts.documents.document import Document
from forecasts.reports.comparison.comparison import Comparison
from forecasts.reports.comparison.document import comparison_document
from forecasts.reports.report import Group, Reason, Report
from forecasts.reports.report_document import report_document
from forecasts.reports.selection import CHOICE
from forecasts.reports.wording import findings

Format = Literal["text", "json", "html", "pdf", "csv", "md"]

# Each column's path in a group or a pair, after its heading where that is not the path with "_".
# An interval is two columns, lower and upper: of brier.interval, brier_lower and brier_upper.
_GROUP = """
name forecasters questions families updates coverage
imported=provenance.imported resolved_alone=provenance.resolved_alone
duplicates=provenance.duplicates
brier.mean brier.interval brier_original.mean
log.mean log.interval log.infinite
skill.mean skill.interval skill.questions
brier_skill=brier_skill.mean brier_skill.interval
crowd_brier_skill=crowd_brier_skill.mean crowd_brier_skill.interval
adjusted=adjusted.mean adjusted.interval adjusted.questions adjusted.component
crowd_skill.mean crowd_skill.interval
score_when_made=decomposition.score miscalibration=decomposition.miscalibration
discrimination=decomposition.discrimination uncertainty=decomposition.uncertainty
miscalibration.when_made miscalibration.expected miscalibration.p_value
log_score_when_made=log_decomposition.score log_miscalibration=log_decomposition.miscalibration
log_discrimination=log_decomposition.discrimination log_uncertainty=log_decomposition.uncertainty
error_average=errors.average error_p90=errors.p90 error_largest=errors.largest
error_average_expected=errors.expected_average error_p90_expected=errors.expected_p90
error_largest_expected=errors.expected_largest
luck.expected luck.realised luck_difference=luck.difference.mean luck=luck.difference.interval
luck.p_value
recalibration.intercept recalibration.slope recalibration.p_value
spiegelhalter.z spiegelhalter.p_value
calibration_in_the_large.z calibration_in_the_large.p_value
auc auc_interval sharpness
pit.questions pit.families pit.level.z pit.spread.z pit.p_value pit.waiting
movement.questions movement.families movement.revised
movement_excess=movement.excess.mean movement=movement.excess.interval movement.p_value
movement=movement.kind
staleness.questions staleness.drift
staleness_cost=staleness.cost.mean staleness=staleness.cost.interval staleness=staleness.kind
coherence.sets coherence.contradicting
coherence_cost=coherence.cost.mean coherence=coherence.cost.interval
evidence
moved.updates moved.points moved.promised
moved_per_question=moved.per_question.mean moved=moved.per_question.interval
certain_questions=certainty.questions certain_wrong=certainty.wrong
tested.questions tested.families tested.forecasts tested.undated
verdict=verdict.kind verdict.said verdict.happened verdict.rest verdict.tipping
verdict.waiting all_time=all_time.kind
"""
_PAIR = """
a b shared_questions families effective_families difference difference=interval
p_value p_adjusted detectable shared_time more_questions comparable reason better tipping
waiting p_waiting periods p_by_time
dominant.family dominant.share
difference_without=dominant.difference p_value_without=dominant.p_value
difference_imputed=imputed.difference p_adjusted_imputed=imputed.p_adjusted
better_imputed=imputed.better
coherence_difference=coherence.difference coherence_difference=coherence.interval
blocks=watched.blocks e_value=watched.e_value e_value_highest=watched.highest
e_value_by_family=watched_by_family.e_value
e_value_by_family_highest=watched_by_family.highest
sentence
"""
_OF_SIDES = ("a.rank_low a.rank_high b.rank_low b.rank_high a.unanswered a.silent b.unanswered "
             "b.silent a_adjusted=a.adjusted.mean b_adjusted=b.adjusted.mean "
             "a_coherence_cost=a.coherence.cost.mean "
             "b_coherence_cost=b.coherence.cost.mean")  # fmt: skip
_WRITERS: dict[str, Callable[[Document], str | bytes]] = {
    "html": as_html,
    "pdf": as_pdf,
    "md": as_markdown,
}


def document(made: Report | Comparison) -> Document:
    """Return the document of a report or a comparison."""
    return report_document(made) if isinstance(made, Report) else comparison_document(made)


def rendered(made: Report | Comparison, form: Format, *, width: int = 100) -> str | bytes:
    """Return a report or a comparison in a format; a text has lines of at most ``width``."""
    if form == "text":
        return as_text(document(made), width=width)
    if form == "json":
        return as_json(made)
    if form == "csv":
        return report_csv(made) if isinstance(made, Report) else comparison_csv(made)
    return _WRITERS[form](document(made))


def report_csv(report: Report) -> str:
    """Return the groups as CSV, each with the metadata of the report."""
    columns: dict[str, Any] = {
        **_columns(_GROUP),
        "verdict_sentence": lambda group: " ".join(findings(group).values()),
        **{f"left_out_{reason}": partial(_left_out, reason) for reason in get_args(Reason)},
    }
    about = ("engine_version", "protocol", "by", *CHOICE, "as_of", "input_sha256")
    return as_csv(report.groups, columns, report.metadata, about)


def comparison_csv(comparison: Comparison) -> str:
    """Return the pairs as CSV, with the ranks of both sides and the metadata of the comparison."""
    sides = {side.name: side for side in comparison.groups}
    of_sides = {
        name: lambda pair, path=path: value_at(sides[getattr(pair, path[0])], path[2:])
        for name, path in _columns(_OF_SIDES).items()
    }
    about = ("engine_version", "protocol", "of", "claims", *CHOICE, "as_of", "input_sha256")
    return as_csv(comparison.pairs, {**_columns(_PAIR), **of_sides}, comparison.metadata, about)


def _columns(written: str) -> dict[str, str]:
    """Return the columns written above: each heading with its path."""
    found: dict[str, str] = {}
    for one in written.split():
        name, _, path = one.rpartition("=")
        if path.endswith("interval"):
            start = name or path.removesuffix("interval").rstrip("._")
            found |= {f"{start}_lower": f"{path}.0", f"{start}_upper": f"{path}.1"}
        else:
            found[name or path.replace(".", "_")] = path
    return found


def _left_out(reason: Reason, group: Group) -> int:
    return sum(entry.questions for entry in group.left_out if entry.reason == reason)
