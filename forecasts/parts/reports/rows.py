"""The rows of some questions of a part, or of a batch of groups, for reports and comparisons."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

import scoring
from forecasts.common.errors import BadInput
from forecasts.folder.frames import FRAME_COLUMNS, Frames
from forecasts.parts.chunks import IDS, tables
from forecasts.parts.files import AGAIN, part_file
from forecasts.parts.reports import batch_files, questions_file
from forecasts.parts.reports.plan import Plan
from forecasts.parts.tables import complete, json_cells, schema_of, typed_table
from forecasts.reports.cohort import made_when_due, taken, with_due_closes
from forecasts.reports.digest import question_digests
from forecasts.reports.rows import Rows
from forecasts.reports.scope import Scope

# The forecasts read at once.
CHUNK_ROWS = 1 << 16
_FORECASTS = [name for name in FRAME_COLUMNS["forecasts"] if name != "rationale"]
_OF_PART = pa.schema([schema_of("forecasts").field(name) for name in _FORECASTS])
# In a batch, questions and forecasters are numbers.
_OF_BATCH = pa.schema(
    [pa.field(one.name, pa.int32()) if one.name in IDS else one for one in _OF_PART]
)


class Some(NamedTuple):
    """Some questions of a part: their rows and their digests."""

    rows: Rows
    digests: list[bytes]


def questions_of(folder: Path, plan: Plan, part: int, *, alone: bool = False) -> Iterator[Some]:
    """Yield the questions of a part, some at a time, with all of their forecasts.

    After the last, the part's forecasts are written by batch. ``alone`` as in ``Rows``. BadInput
    for values against the rules.
    """
    scope = questions_file.read(folder, plan.scope, part=part)
    questions = plan.parts.questions(part, questions_file.QUESTIONS)
    left = np.ones(len(questions), dtype=np.bool_)
    found = []
    path = plan.parts.folder / part_file("forecasts", part)
    try:
        for table, last in _pieces(path):
            made = typed_table(complete(table, _OF_PART), "forecasts")
            here = left & (last | questions["question_id"].isin(made["question_id"].unique()))
            left &= ~here
            frames = replace(plan.frames, questions=questions[here], forecasts=made)
            rows, kept = _rows(frames, scope, alone=alone)
            yield Some(rows, question_digests(frames))
            found.append(_batched(table, kept, rows, plan))
    except scoring.InputError as error:
        raise BadInput(
            f"Part {part} breaks the rules of a ledger: {error}",
            remedy=("Correct the input.", AGAIN),
        ) from None
    every = pa.concat_tables([made for made, _ in found], promote_options="default")
    number = np.concatenate([batch for _, batch in found])
    batch_files.write(folder / "forecasts" / part_name(part), every, number)


def _pieces(path: Path) -> Iterator[tuple[Any, bool]]:
    """Yield a part's forecasts in tables of whole questions, and whether it is the last one."""
    for table, last in tables(path, CHUNK_ROWS, _FORECASTS):
        asked_ = table["question_id"].cast(pa.string()).dictionary_encode().combine_chunks()
        code = asked_.indices.to_numpy() if len(table) else np.zeros(0, np.int32)
        # The rows of a question lie together, so its code rises with the row.
        cuts = np.unique(np.searchsorted(code, code[::CHUNK_ROWS]))
        for start, end in pairwise([*cuts, len(table)]) if len(cuts) else [(0, 0)]:
            yield table.slice(start, end - start), last and end == len(table)


def part_name(part: int) -> str:
    """Return the name of the file of a part's rows by batch."""
    return f"part-{part:05d}{batch_files.SUFFIX}"


def _rows(frames: Frames, scope: Scope, *, alone: bool) -> tuple[Rows, Any]:
    """Return the rows of some questions of a part, and which forecasts count."""
    ids = frames.questions["question_id"]
    own = scope.questions["id"].isin(ids).to_numpy()
    scope = replace(
        scope, questions=scope.questions[own].reset_index(drop=True), reason=scope.reason[own]
    )
    place = pd.Index(scope.questions["id"]).get_indexer(frames.forecasts["question_id"])
    kept = (place >= 0) & taken(frames.forecasts, scope.choice)
    due = with_due_closes(frames.questions, scope.choice, scope.as_of)
    kept &= made_when_due(frames.questions, due, frames.forecasts, scope.choice, scope.as_of)
    number = scope.questions["question_id"].to_numpy()[place[kept]]
    made = frames.forecasts[kept].reset_index(drop=True).assign(question_id=number)
    frames = replace(frames, questions=scope.questions, forecasts=made)
    return Rows(frames, scope, alone), kept


def _batched(table: Any, kept: Any, rows: Rows, plan: Plan) -> tuple[Any, Any]:
    """Return the forecasts that the batches need, and the batch of each."""
    number = rows.frames.forecasts["question_id"].to_numpy(dtype=np.intp)
    who = plan.forecasters.get_indexer(pd.Index(rows.frames.forecasts["forecaster"]))
    row, batch = plan.spread.rows(number if plan.by_question else who)
    columns = {
        "question_id": pa.array(number[row].astype(np.int32)),
        "forecaster": pa.array(who[row].astype(np.int32)),
    }
    at = pa.array(np.flatnonzero(kept)[row])
    for name in _FORECASTS[2:]:
        if name in table.column_names:
            columns[name] = table[name].take(at)
    return pa.table(columns), batch


def rows_of_batch(folder: Path, plan: Plan, batch: int, *, alone: bool = False) -> Rows:
    """Return the rows of the groups of a batch, with all of their forecasts."""
    wanted = plan.batches[batch]
    table = complete(concatenated(folder / "forecasts", batch), _OF_BATCH)
    made = typed_table(table.drop_columns(IDS), "forecasts")
    made.insert(0, "question_id", table["question_id"].to_numpy().astype(np.int64))
    made.insert(1, "forecaster", plan.forecasters.take(table["forecaster"].to_numpy()))
    made = made.sort_values("question_id", kind="stable", ignore_index=True)
    scope = _scope(folder, plan.scope, wanted, made["question_id"])
    teams = plan.teams[plan.teams["team"].isin(wanted)].reset_index(drop=True)
    frames = replace(plan.frames, questions=scope.questions, forecasts=made, teams=teams)
    return Rows(frames, scope, alone)


def _scope(folder: Path, scope: Scope, wanted: Sequence[str], forecast: pd.Series) -> Scope:
    """Return the scope with the questions of these groups, which have forecast some of them."""
    if scope.by in ("all", "lead"):
        return questions_file.read(folder, scope)
    is_forecast = np.zeros(scope.all_questions, dtype=np.bool_)
    is_forecast[forecast.unique()] = True

    def asked(rows: Any) -> Any:
        return is_forecast[rows["question_id"].to_numpy()]

    def tagged(rows: Any) -> Any:
        of_questions = json_cells(rows["tags"])
        return asked(rows) | [not set(own or ()).isdisjoint(wanted) for own in of_questions]

    return questions_file.read(folder, scope, wanted=tagged if scope.by == "tag" else asked)


def concatenated(folder: Path, batch: int) -> Any:
    """Return the rows of a batch as one Arrow table, without columns if there are none."""
    found = list(batch_files.read(folder, batch))
    return pa.concat_tables(found, promote_options="permissive") if found else pa.table({})
