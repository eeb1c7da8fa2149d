"""The questions of a report in a file a part, from which each worker reads those it needs."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather

from forecasts.folder.frames import FRAME_COLUMNS
from forecasts.parts.folder import Parts
from forecasts.parts.tables import json_cells
from forecasts.reports.scope import Scope

_JSON = [name for name, kind in FRAME_COLUMNS["questions"].items() if kind == "json"]
_FILES = "questions"
# The columns needed to make the document.
_KEPT = [
    "question_id", "id", "type", "family", "row", "open_time", "scheduled_close_time",
    "actual_close_time",
]  # fmt: skip
# The columns that ``scope_of`` adds or changes.
_ABOUT = [
    "question_id", "family", "row", "cluster", "opened", "closed", "scheduled_close_time",
    "actual_close_time",
]  # fmt: skip
_TEXTS = (
    "background", "resolution_criteria", "fine_print", "article_url", "quote", "resolution_note",
    "resolution_source",
)  # fmt: skip
# The columns of questions that workers need, and those that decide the scope.
QUESTIONS = [name for name in FRAME_COLUMNS["questions"] if name not in _TEXTS]
OF_SCOPE = [
    "question_id", "type", "family", "tags", "resolution", "open_time", "scheduled_close_time",
    "actual_close_time", "known_at", "resolved_at", "earlier_closes",
]  # fmt: skip


def write(folder: Path, scope: Scope, parts: Parts) -> Scope:
    """Return the scope with few columns; the files have all, with the reason of each."""
    questions = scope.questions
    ids = pd.Index(questions["id"])
    (folder / _FILES).mkdir()
    for part in range(parts.count):
        own = parts.questions(part, QUESTIONS)
        place = ids.get_indexer(pd.Index(own["question_id"]))
        own, place = own[place >= 0].reset_index(drop=True), place[place >= 0]
        texts = {name: pd.Series(map(_text, own[name]), dtype="str") for name in _JSON}
        about = {name: questions[name].iloc[place].array for name in _ABOUT}
        reason = scope.reason[place].astype(str)
        made = own.assign(**texts, id=own["question_id"], **about, place=place, reason=reason)
        pyarrow.feather.write_feather(made, str(_file(folder, part)), compression="uncompressed")
    return replace(scope, questions=questions[_KEPT])


def read(
    folder: Path,
    scope: Scope,
    *,
    part: int | None = None,
    wanted: Callable[[Any], Any] = lambda rows: np.full(len(rows), True),
) -> Scope:
    """Return the scope with some questions only: those of ``part``, those that ``wanted`` marks.

    ``wanted`` gets the questions as Arrow has them. The column ``place`` is the position among all
    questions.
    """
    files = sorted((folder / _FILES).iterdir()) if part is None else [_file(folder, part)]
    found = []
    for file in files:
        rows = pyarrow.feather.read_table(str(file))
        found.append(rows.take(pa.array(np.flatnonzero(wanted(rows)))))
    table = pa.concat_tables(found, promote_options="permissive")
    del found
    # The files have the order of the parts.
    questions: pd.DataFrame = table.to_pandas(use_threads=False)
    for name in _JSON:
        questions[name] = json_cells(table[name])
    questions = questions.sort_values("question_id", ignore_index=True)
    reason = questions.pop("reason").to_numpy(dtype=object)
    return replace(scope, questions=questions, reason=reason)


def _file(folder: Path, part: int) -> Path:
    return folder / _FILES / f"part-{part:05d}.feather"


def _text(cell: Any) -> str | None:
    return None if cell is None else json.dumps(cell)
