"""The rules of a ledger folder beyond the type of each cell; faults are noted in its tables."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Hashable, Mapping
from functools import lru_cache, partial
from typing import Any

import numpy as np
import pandas as pd

from forecasts.common.errors import BadInput, LedgerError
from forecasts.common.vocabulary import DIGEST_ADDRESS, EvidenceKind, QuestionType, Stance
from forecasts.folder.cells import READERS
from forecasts.folder.dependence import check_dependence
from forecasts.folder.frames import rows
from forecasts.folder.tables import Table
from forecasts.reading.article import CapturedArticle, content_hash
from forecasts.values.outcomes import NOT_SCORED, bounds_fault, figure_to_float, read_outcome
from forecasts.values.outline import Outline
from forecasts.values.value import Value, check_value

# Notes the column, the value and the rule of a cell in one row.
Wrong = Callable[[str, Any, str], None]


def check_folder(tables: dict[str, Table], frames: dict[str, pd.DataFrame]) -> None:
    """Note in the tables every rule that the frames break, and fill in the frames' defaults."""
    _check_questions(tables["questions"], frames["questions"])
    _check_forecasts(tables["forecasts"], frames["forecasts"], frames["questions"])
    _check_evidence(tables, frames)
    _check_articles(tables["articles"], frames["articles"])
    _check_teams(tables["teams"], frames["teams"])
    check_dependence(tables, frames)
    for name in ("forecasts", "teams"):
        _check_handles(tables[name], frames[name])


def _check_questions(table: Table, questions: pd.DataFrame) -> None:
    ids, opens, closes = (
        questions[name] for name in ("question_id", "open_time", "scheduled_close_time")
    )
    table.require(ids, "required for every question")
    again = ids.duplicated() & (ids.str.strip() != "")
    table.wrong_where(again, ids, "unique; this is the second row with it")
    table.require(opens)
    table.require(closes)
    table.wrong_where(closes <= opens, closes, "after open_time")
    ends = questions["actual_close_time"]
    table.wrong_where(ends > closes, ends, "not after scheduled_close_time")
    outcomes: list[str] = []
    for row, item in enumerate(rows(questions)):
        wrong = partial(table.wrong, row)
        _check_type(wrong, item, options_noted=row in table.noted["options"])
        if item.earlier_closes is not None:
            _check_closes(wrong, item.earlier_closes)
        outcomes.append(_outcome(wrong, item))
    questions["resolution"] = pd.Series(outcomes, dtype=str)
    questions["type"] = questions["type"].where(questions["type"] != "", "binary")
    untitled = questions["title"] == ""
    questions["title"] = questions["title"].where(~untitled, questions["question_id"])


def _check_type(wrong: Wrong, item: Any, *, options_noted: bool) -> None:
    """Check a question's type, the options or bounds of that type, and its tags."""
    kind = item.type or "binary"
    if kind not in set(QuestionType):
        wrong("type", kind, "one of " + ", ".join(QuestionType))
        return
    rule = _options_fault(kind, item.options)
    if rule:
        if item.options is not None or not options_noted:
            wrong("options", item.options, rule)
        return
    if QuestionType(kind).is_quantitative:
        bounds = []
        for name in ("lower_bound", "upper_bound"):
            try:
                bounds.append(figure_to_float(getattr(item, name), kind))
            except (ValueError, LedgerError):
                wrong(name, getattr(item, name), f"a {'number' if kind == 'numeric' else kind}")
                return
        if fault := bounds_fault(*bounds):
            wrong("upper_bound", item.upper_bound, f"{fault}.")
            return
    if item.tags is not None and not _are_texts(item.tags):
        wrong("tags", item.tags, "a JSON list of texts")


def _check_closes(wrong: Wrong, closes: Any) -> None:
    """Check the earlier closes of a question, each by the time of the change."""
    name = "earlier_closes"
    times = [*closes, *closes.values()] if isinstance(closes, dict) else []
    if not times or not all(isinstance(time, str) and time.strip() for time in times):
        wrong(name, json.dumps(closes), "a JSON object of the time of each change to the close")
        return
    READERS["time"](lambda _, text, rule: wrong(name, text, rule), pd.Series(times, dtype=str))


def _options_fault(kind: str, options: Any) -> str:
    """Return the rule that the options of a question of this type break; blank if none."""
    if kind != QuestionType.multiple_choice:
        return "" if options is None else "blank, except for a multiple_choice question"
    if not _are_texts(options):
        return "a JSON list of texts for a multiple_choice question"
    if len(options) < 2 or len(set(options)) < len(options):
        return "at least two options, all different"
    if any(option.strip().casefold() in NOT_SCORED for option in options):
        return f"without an option named {' or '.join(NOT_SCORED)}, outcomes of any question"
    return ""


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _outcome(wrong: Wrong, item: Any) -> str:
    """Return the resolution as the ledger stores it; blank if there is none."""
    kind = item.type or "binary"
    if not item.resolution.strip() or kind not in set(QuestionType):
        return ""
    options = tuple(item.options) if _are_texts(item.options) else ()
    if kind == QuestionType.multiple_choice and not options:
        return ""  # the options are noted already
    try:
        return read_outcome(item.resolution, _outline(kind, options))
    except LedgerError as error:
        wrong("resolution", item.resolution, error.remedy)
        return ""


@lru_cache
def _outline(kind: str, options: tuple[str, ...]) -> Outline:
    """Return a question with only the fields that decide which values and outcomes it takes."""
    return Outline(type=QuestionType(kind), options=list(options))


def _check_forecasts(table: Table, forecasts: pd.DataFrame, questions: pd.DataFrame) -> None:
    outlines = {
        slug: (kind, tuple(options) if kind == QuestionType.multiple_choice else ())
        for slug, kind, options in zip(
            *(questions[name].tolist() for name in ("question_id", "type", "options")), strict=True
        )
        # Invalid options are noted already, and no forecast can be checked against them.
        if kind in set(QuestionType)
        and (kind != QuestionType.multiple_choice or _are_texts(options))
    }
    handles = forecasts["forecaster"]
    table.require(handles, "required for every forecast")
    table.require(forecasts["made_at"])
    place, slugs = pd.factorize(forecasts["question_id"])
    known = slugs.isin(questions["question_id"])[place]
    table.wrong_where(~known, forecasts["question_id"], "a question of this folder")
    forecasts["probability"] += 0.0  # -0.0 is 0.0
    p = forecasts["probability"]
    table.wrong_where((p < 0) | (p > 1), p, "from 0 to 1")
    has_p = np.isfinite(p.to_numpy())
    binary = np.array([outlines.get(slug, ("", None))[0] == "binary" for slug in slugs], dtype=bool)
    has_vector = forecasts["probabilities"].notna().to_numpy()
    has_quantiles = forecasts["quantiles"].notna().to_numpy()
    # Most rows are probabilities of binary questions, checked above; the rest one by one.
    rest = (has_vector | has_quantiles | (has_p & ~binary[place])) & known
    places = np.flatnonzero(rest)
    values = forecasts[list(_FORMS)].iloc[places].to_dict("records")
    for row, slug, given in zip(places.tolist(), slugs[place[places]], values, strict=True):
        if slug in outlines:
            _check_value(partial(table.wrong, row), given, *outlines[slug])


# A forecast has one of them; a row without any is a withdrawal.
_FORMS: dict[str, tuple[type, str]] = {
    "probability": (float, "a number"),
    "probabilities": (list, "a JSON list"),
    "quantiles": (dict, "a JSON object of level to value"),
}


def require_values(file: str, header: Collection[str]) -> None:
    """Refuse forecasts without a column of values, with BadInput that names the file."""
    if not _FORMS.keys() & set(header):
        raise BadInput(
            f"{file} has no column probability, probabilities or quantiles, so each row would be "
            "a withdrawal.",
            remedy="Rename the column of the forecasts. If the rows are withdrawals, add a blank "
            "column probability.",
        )


def _check_value(
    wrong: Wrong, row: Mapping[Hashable, Any], kind: str, options: tuple[str, ...]
) -> None:
    column = {"binary": "probability", "multiple_choice": "probabilities"}.get(kind, "quantiles")
    given = [name for name in _FORMS if row[name] is not None and row[name] == row[name]]
    for name in given:
        if name != column:
            wrong(name, row[name], f"blank: a {kind} question takes {column}")
    if given != [column]:
        return
    value = row[column]
    form, rule = _FORMS[column]
    if not isinstance(value, form):
        wrong(column, value, rule)
        return
    try:
        check_value(Value(**{column: row[column]}), _outline(kind, options))
    except LedgerError as error:
        wrong(column, json.dumps(value), error.message)


def _check_evidence(tables: dict[str, Table], frames: dict[str, pd.DataFrame]) -> None:
    table, evidence = tables["evidence"], frames["evidence"]
    ids, kinds = evidence["evidence_id"], evidence["kind"]
    table.wrong_where((ids == "") | ids.duplicated(), ids, "given and unique")
    unknown = ~kinds.isin(["", *EvidenceKind])
    table.wrong_where(unknown, kinds, "one of " + ", ".join(EvidenceKind))
    evidence["kind"] = kinds.where(kinds != "", "other")
    # Without the file, citations can refer to evidence of the ledger that imports the folder.
    known = set(ids) if table.path.exists() else None
    forecasts = frames["forecasts"]["evidence"]
    for row in np.flatnonzero(forecasts.notna()).tolist():
        _check_citations(partial(tables["forecasts"].wrong, row), forecasts.iloc[row], known)


def _check_citations(wrong: Wrong, cited: Any, known: set[str] | None) -> None:
    if not isinstance(cited, list) or not all(isinstance(entry, dict) for entry in cited):
        wrong("evidence", cited, 'a JSON list of {"evidence_id", "stance", "share"}')
        return
    ids = [entry.get("evidence_id") for entry in cited]
    for entry in cited:
        key = entry.get("evidence_id")
        if not isinstance(key, str) or not (known is None or key in known):
            wrong("evidence", key, "an evidence_id of evidence.csv")
        if entry.get("stance", "supports") not in set(Stance):
            wrong("evidence", entry.get("stance"), "a stance: " + ", ".join(Stance))
        share = entry.get("share")
        if share is not None and not (
            isinstance(share, int | float) and not isinstance(share, bool) and 0 <= share < math.inf
        ):
            wrong("evidence", share, "a share that is 0 or more and finite")
    if len(set(map(str, ids))) < len(ids):
        wrong("evidence", cited, "a list with each evidence at most once")


def _check_articles(table: Table, articles: pd.DataFrame) -> None:
    for row, item in enumerate(rows(articles)):
        if item.url.startswith(DIGEST_ADDRESS) and item.text.strip():
            digest = content_hash(CapturedArticle(item.title, None, None, None, None, item.text))
            if item.url != DIGEST_ADDRESS + digest:
                table.wrong(row, "url", item.url, f"{DIGEST_ADDRESS}{digest}, the hash of its text")


def _check_handles(table: Table, frame: pd.DataFrame) -> None:
    handles = frame["forecaster"]
    bad = [h for h in handles.unique() if h and (h != h.strip() or not h.isprintable())]
    rule = "printable, without white space before or after it"
    table.wrong_where(handles.isin(bad), handles, rule)


def _check_teams(table: Table, teams: pd.DataFrame) -> None:
    table.require(teams["team"])
    table.require(teams["forecaster"])
    left = teams["left_at"]
    table.wrong_where(left <= teams["joined_at"], left, "after joined_at")
