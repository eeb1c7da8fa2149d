"""The ledger folder: a ledger in plain files, read with every rule checked, written exactly.

The format is the interchange with other tools and is fixed; ``datapackage.json`` describes it.
Nothing is half-read: all problems of all files are collected and raised together.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import tempfile
import weakref
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from forecasts.articles.article import CapturedArticle, content_hash
from forecasts.common.errors import BadInput, LedgerError, Problem, Refused
from forecasts.exchange.folder.archive import unzip
from forecasts.exchange.folder.tables import Table, read_table, write_csv, written
from forecasts.ledger.models import DIGEST_ADDRESS, EvidenceKind, QuestionText, QuestionType, Stance
from forecasts.questions.outcomes import NOT_SCORED, figure_to_float, read_outcome
from forecasts.scores.frames import (
    ARTICLE_COLUMNS,
    EVIDENCE_COLUMNS,
    FORECAST_COLUMNS,
    QUESTION_COLUMNS,
    TEAM_COLUMNS,
    Frames,
    rows,
)
from forecasts.updates.values import Value, check_value

# File, its columns, and which of them may not be missing.
FILES: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "questions": (QUESTION_COLUMNS, ("question_id", "open_time", "scheduled_close_time")),
    "forecasts": (FORECAST_COLUMNS, ("question_id", "forecaster", "made_at")),
    "teams": (TEAM_COLUMNS, ("team", "forecaster")),
    "evidence": (EVIDENCE_COLUMNS, ("evidence_id",)),
    "articles": (ARTICLE_COLUMNS, ("url",)),
}
# Here a day is enough: nothing is scored by it.
_DAYS = {("evidence", "published_at"), ("articles", "published_at"), ("articles", "captured_at")}


def read_folder(folder: Path, *, warn: Callable[[str], None] = lambda _: None) -> Frames:
    """Return the ledger that the folder holds.

    BadInput lists every bad cell by file, line, column, value and rule. ``warn`` is told of columns
    that the format does not have, which are left out, and of outcomes that were known before the
    close while scoring goes on to it.
    """
    # Not by the methods of a path, which raise for a name that no file can have.
    if os.path.isfile(folder):
        return _read_archive(folder, warn)
    if not os.path.isdir(folder):
        raise BadInput(
            f"There is no folder {str(folder)!r}.",
            remedy="Name a folder that holds questions.csv and forecasts.csv.",
        )
    tables = {name: _table(folder, name, warn) for name in FILES}
    frames = {
        name: pd.DataFrame(
            {
                column: table.column(column, "day" if (name, column) in _DAYS else kind)
                for column, kind in FILES[name][0].items()
            }
        )
        for name, table in tables.items()
    }
    _check_questions(tables["questions"], frames["questions"])
    _check_forecasts(tables["forecasts"], frames["forecasts"], frames["questions"])
    _check_evidence(tables, frames)
    _check_articles(tables["articles"], frames["articles"])
    _check_teams(tables["teams"], frames["teams"])
    for name in ("forecasts", "teams"):
        _check_handles(tables[name], frames[name])
    problems = [problem for table in tables.values() for problem in table.problems]
    if problems:
        raise BadInput(
            f"The ledger folder {folder.name!r} breaks its rules in "
            f"{len(problems)} place{'s' if len(problems) > 1 else ''}; nothing was taken from it.",
            problems=problems,
        )
    _warn_of_late_ends(frames["questions"], warn)
    # Without the cells, which the frames have: only the lines are counted, once something is wrong.
    bare = {name: Table(table.path, pd.DataFrame()) for name, table in tables.items()}
    return Frames(**frames, place=lambda name, row: bare[name].place(row), provisional={})


def _read_archive(archive: Path, warn: Callable[[str], None]) -> Frames:
    """Return the ledger in the ZIP archive of a folder.

    What was unpacked stays as long as the frames: they count its lines, once something is wrong.
    """
    if not zipfile.is_zipfile(archive):
        raise BadInput(
            f"{archive.name} is a file, and no ledger folder.",
            remedy="Name the folder that holds questions.csv and forecasts.csv, or a ZIP of it.",
        )
    unpacked = Path(tempfile.mkdtemp(prefix="ledger-folder-"))
    try:
        frames = read_folder(unzip(archive, unpacked), warn=warn)
    except BaseException:
        shutil.rmtree(unpacked, ignore_errors=True)
        raise
    weakref.finalize(frames, shutil.rmtree, unpacked, ignore_errors=True)
    return frames


def _table(folder: Path, name: str, warn: Callable[[str], None]) -> Table:
    columns, required = FILES[name]
    paths = (folder / f"{name}.csv", folder / f"{name}.parquet")
    if all(map(os.path.lexists, paths)):
        raise BadInput(
            f"The folder {folder.name!r} has both {paths[0].name} and {paths[1].name}.",
            remedy="Leave the one that holds.",
        )
    for path in paths:
        if os.path.lexists(path):
            if path.is_symlink() and not path.resolve().is_relative_to(folder.resolve()):
                raise BadInput(
                    f"{path.name} is a link that leads out of the folder {folder.name!r}.",
                    remedy="Put the file itself there.",
                )
            table = read_table(path)
            missing = [column for column in required if column not in table.cells]
            if missing:
                raise BadInput(
                    f"{path.name} has no column {missing[0]}.",
                    problems=[Problem(path.name, column, "required column") for column in missing],
                )
            unknown = [str(column) for column in table.cells if column not in columns]
            if unknown:
                warn(
                    f"{path.name}: left out, as the format has no such column: "
                    + ", ".join(unknown)
                )
            return table
    if name in ("questions", "forecasts"):
        raise BadInput(
            f"The folder {folder.name!r} has no {name}.csv.",
            remedy="A ledger folder needs questions.csv and forecasts.csv.",
        )
    return Table(folder / f"{name}.csv", pd.DataFrame(columns=list(columns), dtype=str))


def _check_questions(table: Table, questions: pd.DataFrame) -> None:
    seen: set[str] = set()
    outcomes: list[str] = []
    for row, item in enumerate(rows(questions)):
        wrong = _Wrong(table, row)
        if not item.question_id.strip():
            wrong("question_id", item.question_id, "every question has an id")
        elif item.question_id in seen:
            wrong("question_id", item.question_id, "unique; it stands here a second time")
        seen.add(item.question_id)
        for name in ("open_time", "scheduled_close_time"):
            if pd.isna(getattr(item, name)) and not table.texts(name)[row].strip():
                wrong(name, "", "required")
        if item.scheduled_close_time <= item.open_time:
            wrong("scheduled_close_time", item.scheduled_close_time, "after open_time")
        if item.actual_close_time > item.scheduled_close_time:
            wrong("actual_close_time", item.actual_close_time, "not after scheduled_close_time")
        _check_kind(wrong, item)
        outcomes.append(_outcome(wrong, item))
    questions["resolution"] = pd.Series(outcomes, dtype=str)
    questions["type"] = questions["type"].where(questions["type"] != "", "binary")
    untitled = questions["title"] == ""
    questions["title"] = questions["title"].where(~untitled, questions["question_id"])


def _warn_of_late_ends(questions: pd.DataFrame, warn: Callable[[str], None]) -> None:
    late = (
        ~questions["resolution"].isin(["", *NOT_SCORED])
        & questions["actual_close_time"].isna()
        & (questions["known_at"] < questions["scheduled_close_time"])
    )
    count = int(late.sum())
    if count:
        were, have = ("question was", "has") if count == 1 else ("questions were", "have")
        warn(
            f"{count:,} {were} known before the scheduled close but {have} no actual_close_time: "
            "forecasts after the outcome was known count. Fill actual_close_time to end scoring "
            "there."
        )


class _Wrong:
    """Says of one row what is wrong with it."""

    def __init__(self, table: Table, row: int) -> None:
        self.table, self.row = table, row

    def __call__(self, column: str, value: Any, rule: str) -> None:
        self.table.wrong(self.row, column, value, rule)


def _check_kind(wrong: _Wrong, item: Any) -> None:
    kind = item.type or "binary"
    if kind not in set(QuestionType):
        wrong("type", kind, "one of " + ", ".join(QuestionType))
        return
    options = item.options
    if kind == QuestionType.multiple_choice:
        if options is None and wrong.table.texts("options")[wrong.row].strip():
            return  # not even JSON, which has been said
        if not _are_texts(options):
            wrong("options", options, "a JSON list of texts for a multiple_choice question")
            return
        if len(options) < 2 or len(set(options)) < len(options):
            wrong("options", options, "at least two options, each once")
            return
        if any(option.strip().casefold() in NOT_SCORED for option in options):
            rule = f"options called neither {' nor '.join(NOT_SCORED)}: any question can be that"
            wrong("options", options, rule)
            return
    elif options is not None:
        wrong("options", options, "blank, except for a multiple_choice question")
        return
    if kind in (QuestionType.numeric, QuestionType.date):
        for name in ("lower_bound", "upper_bound"):
            try:
                figure_to_float(getattr(item, name), kind)
            except (ValueError, LedgerError):
                wrong(name, getattr(item, name), f"a {'number' if kind == 'numeric' else kind}")
                return
    if item.tags is not None and not _are_texts(item.tags):
        wrong("tags", item.tags, "a JSON list of texts")


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _outcome(wrong: _Wrong, item: Any) -> str:
    """Return the resolution in the one form that the ledger keeps; blank where there is none."""
    kind = item.type or "binary"
    if not item.resolution.strip() or kind not in set(QuestionType):
        return ""
    options = item.options if _are_texts(item.options) else []
    if kind == QuestionType.multiple_choice and not options:
        return ""  # that the options are none has been said
    try:
        return read_outcome(item.resolution, _outline(kind, options))
    except LedgerError as error:
        wrong("resolution", item.resolution, error.remedy)
        return ""


def _outline(kind: str, options: list[str] | None) -> QuestionText:
    """Return as much of a question as decides which values and outcomes it takes."""
    if not options:
        return _bare_outline(kind)  # most are alike, and there may be thousands
    return QuestionText.model_construct(title="", type=QuestionType(kind), options=options)


@cache
def _bare_outline(kind: str) -> QuestionText:
    return QuestionText.model_construct(title="", type=QuestionType(kind), options=[])


def _check_forecasts(table: Table, forecasts: pd.DataFrame, questions: pd.DataFrame) -> None:
    outlines = {
        slug: (kind, options)
        for slug, kind, options in zip(
            *(questions[name].tolist() for name in ("question_id", "type", "options")), strict=True
        )
        # What is wrong with the options has been said; whether a vector fits them nobody knows.
        if kind in set(QuestionType)
        and (kind != QuestionType.multiple_choice or _are_texts(options))
    }
    for row in np.flatnonzero((forecasts["forecaster"] == "").to_numpy()):
        table.wrong(int(row), "forecaster", "", "every forecast has a forecaster")
    blank_times = forecasts["made_at"].isna().to_numpy()
    for row in np.flatnonzero(blank_times):
        if not table.texts("made_at")[row].strip():
            table.wrong(int(row), "made_at", "", "required")
    place, slugs = pd.factorize(forecasts["question_id"])
    known = slugs.isin(questions["question_id"])[place]
    for row in np.flatnonzero(~known):
        table.wrong(
            int(row), "question_id", forecasts["question_id"].iloc[row], "a question of this folder"
        )
    forecasts["probability"] += 0.0  # -0.0 is 0.0
    p = forecasts["probability"].to_numpy()
    for row in np.flatnonzero((p < 0) | (p > 1)):
        table.wrong(int(row), "probability", p[row], "0..1")
    has_p = np.isfinite(p)
    binary = np.array([outlines.get(slug, ("", None))[0] == "binary" for slug in slugs], dtype=bool)
    has_vector = forecasts["probabilities"].notna().to_numpy()
    has_quantiles = forecasts["quantiles"].notna().to_numpy()
    # Binary rows with a probability are the many, and are done; the rest one by one.
    rest = (has_vector | has_quantiles | (has_p & ~binary[place])) & known
    for row in np.flatnonzero(rest):
        slug = forecasts["question_id"].iloc[row]
        if slug in outlines:
            _check_row(_Wrong(table, int(row)), forecasts.iloc[row], outlines[slug])


def _check_row(wrong: _Wrong, row: pd.Series[Any], outline: tuple[str, list[str] | None]) -> None:
    kind, options = outline
    column = {"binary": "probability", "multiple_choice": "probabilities"}.get(kind, "quantiles")
    given = [
        name
        for name in ("probability", "probabilities", "quantiles")
        if row[name] is not None and not (isinstance(row[name], float) and math.isnan(row[name]))
    ]
    for name in given:
        if name != column:
            wrong(name, row[name], f"blank: a {kind} question takes {column}")
    if given != [column]:
        return
    value = row[column]
    if column == "probabilities" and not isinstance(value, list):
        wrong(column, value, "a JSON list")
        return
    if column == "quantiles" and not isinstance(value, dict):
        wrong(column, value, "a JSON object of level to value")
        return
    try:
        check_value(Value(**{column: value}), _outline(kind, options))
    except LedgerError as error:
        wrong(column, json.dumps(value), error.message)


def _check_evidence(tables: dict[str, Table], frames: dict[str, pd.DataFrame]) -> None:
    table, evidence = tables["evidence"], frames["evidence"]
    seen: set[str] = set()
    for row, item in enumerate(rows(evidence)):
        if not item.evidence_id or item.evidence_id in seen:
            table.wrong(row, "evidence_id", item.evidence_id, "given and unique")
        seen.add(item.evidence_id)
        if item.kind and item.kind not in set(EvidenceKind):
            table.wrong(row, "kind", item.kind, "one of " + ", ".join(EvidenceKind))
    evidence["kind"] = evidence["kind"].where(evidence["kind"] != "", "other")
    # Without the file, the ledger that the folder is imported into may know what is cited.
    known = seen if table.path.exists() else None
    forecasts = frames["forecasts"]["evidence"]
    for place in np.flatnonzero(forecasts.notna().to_numpy()):
        _check_citations(_Wrong(tables["forecasts"], int(place)), forecasts.iloc[place], known)


def _check_citations(wrong: _Wrong, cited: Any, known: set[str] | None) -> None:
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
        wrong("evidence", cited, "each evidence once a forecast")


def _check_articles(table: Table, articles: pd.DataFrame) -> None:
    for row, item in enumerate(rows(articles)):
        if item.url.startswith(DIGEST_ADDRESS) and item.text.strip():
            digest = content_hash(CapturedArticle(item.title, None, None, None, None, item.text))
            if item.url != DIGEST_ADDRESS + digest:
                table.wrong(row, "url", item.url, f"{DIGEST_ADDRESS}{digest}, as its text has it")


def _check_handles(table: Table, frame: pd.DataFrame) -> None:
    handles = frame["forecaster"]
    bad = [h for h in handles.unique() if h and (h != h.strip() or not h.isprintable())]
    for row in np.flatnonzero(handles.isin(bad).to_numpy()):
        table.wrong(
            int(row),
            "forecaster",
            handles.iloc[row],
            "printable, with no white space before or after it",
        )


def _check_teams(table: Table, teams: pd.DataFrame) -> None:
    for row, item in enumerate(rows(teams)):
        for name in ("team", "forecaster"):
            if not getattr(item, name).strip():
                table.wrong(row, name, "", "required")
        if item.left_at <= item.joined_at:
            table.wrong(row, "left_at", item.left_at, "after joined_at")


def write_folder(frames: Frames, folder: Path, *, overwrite: bool = False) -> list[Path]:
    """Return the files of the ledger folder, which are put there once all have been written.

    They take their places one after the other: stopped in the middle of that, a folder that is
    overwritten can hold files of both ledgers, and is to be written again. Refused when the folder
    holds something already, unless ``overwrite``; BadInput where the disk does not take it.
    """
    try:
        return _write_all(frames, folder, overwrite=overwrite)
    except OSError as error:
        raise BadInput(
            f"The folder {str(folder)!r} cannot be written: {error.strerror or error}.",
            remedy="Name a folder that you may write to.",
        ) from error


def _write_all(frames: Frames, folder: Path, *, overwrite: bool) -> list[Path]:
    if folder.exists() and any(folder.iterdir()) and not overwrite:
        raise Refused(
            f"The folder {str(folder)!r} is not empty.",
            remedy="Name a new one, or add --overwrite to replace the ledger in it.",
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        names = []
        for name, (columns, _) in FILES.items():
            frame: pd.DataFrame = getattr(frames, name)
            if name not in ("questions", "forecasts") and frame.empty:
                continue
            write_csv(
                draft / f"{name}.csv",
                {column: written(frame[column], kind) for column, kind in columns.items()},
            )
            names.append(name)
        package = json.dumps(_datapackage(names), indent=2, ensure_ascii=False)
        (draft / "datapackage.json").write_text(package + "\n", encoding="utf-8")
        folder.mkdir(exist_ok=True)
        for stale in FILES:
            if stale not in names:
                (folder / f"{stale}.csv").unlink(missing_ok=True)
            (folder / f"{stale}.parquet").unlink(missing_ok=True)
        files = sorted(draft.iterdir())
        for file in files:
            os.replace(file, folder / file.name)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return [folder / file.name for file in files]


_FIELD_TYPES = {
    "text": {"type": "string"},
    "time": {"type": "datetime", "format": "any"},
    "number": {"type": "number"},
    "flag": {"type": "boolean"},
    "json": {"type": "string"},
}


def _datapackage(names: list[str]) -> dict[str, Any]:
    """Return the Frictionless Tabular Data Package that describes the files."""
    return {
        "profile": "tabular-data-package",
        "name": "forecast-ledger",
        "resources": [
            {
                "profile": "tabular-data-resource",
                "name": name,
                "path": f"{name}.csv",
                "encoding": "utf-8",
                "schema": {
                    "fields": [
                        {"name": column, **_FIELD_TYPES[kind]}
                        for column, kind in FILES[name][0].items()
                    ],
                    "missingValues": [""],
                },
            }
            for name in names
        ],
    }
