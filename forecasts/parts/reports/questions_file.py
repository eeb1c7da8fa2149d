"""The questions of a report in one file, from which each worker reads those it needs."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.ipc

from forecasts.folder.frames import FRAME_COLUMNS
from forecasts.parts.folder import Parts
from forecasts.parts.tables import json_cells
from forecasts.reports.scope import Scope

_JSON = ("options", "tags")
_FILE = "questions.arrow"
# The columns needed to make the document.
_KEPT = [
    "question_id", "id", "type", "family", "row", "open_time", "scheduled_close_time",
    "actual_close_time",
]  # fmt: skip
# The columns that ``scope_of`` adds or changes.
_ABOUT = ["question_id", "row", "cluster", "opened", "closed"]
_TEXTS = (
    "background", "resolution_criteria", "fine_print", "article_url", "quote", "resolution_note",
    "resolution_source",
)  # fmt: skip
# The columns of questions that workers need, and those that decide the scope.
QUESTIONS = [name for name in FRAME_COLUMNS["questions"] if name not in _TEXTS]
OF_SCOPE = [
    "question_id", "type", "family", "tags", "resolution", "open_time", "scheduled_close_time",
    "actual_close_time",
]  # fmt: skip


def write(folder: Path, scope: Scope, parts: Parts) -> Scope:
    """Return the scope with few columns; the file has all, with the reason of each.

    Each record batch of the file is a part.
    """
    questions = scope.questions
    ids = pd.Index(questions["id"])
    schema = None
    with pa.OSFile(str(folder / _FILE), "wb") as sink, ExitStack() as open_files:
        for part in range(parts.count):
            own = parts.questions(part, QUESTIONS)
            place = ids.get_indexer(pd.Index(own["question_id"]))
            own, place = own[place >= 0], place[place >= 0]
            about = {name: questions[name].to_numpy()[place] for name in _ABOUT}
            texts: dict[str, Any] = {name: [_text(cell) for cell in own[name]] for name in _JSON}
            own = own.assign(
                **texts,
                id=own["question_id"],
                **about,
                place=place,
                reason=scope.reason[place].astype(str),
            )
            content = pa.RecordBatch.from_pandas(
                own.astype(dict.fromkeys(_JSON, "str")), schema, preserve_index=False
            )
            if schema is None:
                schema = content.schema
                writer = open_files.enter_context(pyarrow.ipc.new_file(sink, schema))
            writer.write_batch(content)
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
    found = []
    with pa.OSFile(str(folder / _FILE)) as source, pyarrow.ipc.open_file(source) as file:
        for number in range(file.num_record_batches) if part is None else [part]:
            rows = file.get_batch(number)
            marked = np.flatnonzero(wanted(rows))
            if len(marked):
                found.append(rows.take(pa.array(marked)))
        table = pa.Table.from_batches(found, file.schema)
    del found
    # The file has the order of the parts.
    questions: pd.DataFrame = table.to_pandas(use_threads=False)
    for name in _JSON:
        questions[name] = json_cells(table[name])
    questions = questions.sort_values("question_id", ignore_index=True)
    reason = questions.pop("reason").to_numpy(dtype=object)
    return replace(scope, questions=questions, reason=reason)


def _text(cell: Any) -> str | None:
    return None if cell is None else json.dumps(cell)
