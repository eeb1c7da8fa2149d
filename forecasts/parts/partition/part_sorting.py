"""Sort the rows of one part, also those larger than memory; check and write them.

A part that is too large to be sorted in memory, such as one hot question, is sorted by DuckDB under
a limit of memory, and checked and written a block at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from forecasts.common.errors import LedgerError
from forecasts.ledger.models import QuestionText, QuestionType
from forecasts.parts.chunks import IDS, forecast_frame
from forecasts.parts.files import part_file
from forecasts.parts.folder import PartFile, write_table, write_tables
from forecasts.parts.partition.sources import require_memory
from forecasts.parts.partition.spill import ROW, SOURCE, Spill
from forecasts.parts.tables import arrow_table, complete, schema_of, typed_table
from forecasts.values.outcomes import read_outcome
from scoring.errors import InputError
from scoring.input_frames import FORECAST_COLUMNS, QUESTION_COLUMNS, read_frames
from scoring.ordering import in_order

BLOCK = 1 << 20  # rows that are checked at once, of a part sorted on disk
_SOURCE_FIELDS = (pa.field(SOURCE, pa.int32()), pa.field(ROW, pa.int64()))
_WITH_SOURCE = {
    table: pa.schema([*schema_of(table), *_SOURCE_FIELDS]) for table in ("questions", "forecasts")
}


class Fault(NamedTuple):
    """A cell that breaks a rule, in a row of one of the sources."""

    source: int
    row: int
    column: str
    value: Any
    rule: str


def _fault(rows: Any, row: int, column: str, value: Any, rule: str) -> Fault:
    """Return the fault of a cell in a row that says where it came from."""
    return Fault(rows[SOURCE][row].as_py(), rows[ROW][row].as_py(), column, value, rule)


def write_sorted(spill: Spill, folder: Path, part: int) -> tuple[dict[str, PartFile], list[Fault]]:
    """Return the files of a part, written from the rows that were set aside, or its faults."""
    questions, asked, faults = _sorted_questions(spill, part)
    rows = _rows(spill, "forecasts", part)
    spill.remove(part)
    forecasts = _sorted_forecasts(rows)
    del rows
    _add_faults(faults, questions, asked, forecasts)
    return ({}, faults) if faults else (write_tables(folder, part, questions, forecasts), [])


def _add_faults(faults: list[Fault], questions: pd.DataFrame, asked: Any, forecasts: Any) -> None:
    """Add the faults that the reader of ``scoring`` finds, and names that a ledger does not take.

    ``asked``: the rows of the questions; ``forecasts``: an Arrow table whose ids are dictionaries.
    """
    faults += _handle_faults(forecasts)
    wanted = [name for name in FORECAST_COLUMNS if name in forecasts.column_names]
    try:
        read_frames(
            questions[[name for name in QUESTION_COLUMNS if name in questions]],
            forecast_frame(forecasts.select(wanted)),
        )
    except InputError as error:
        known = {fault[:3] for fault in faults}
        for each in error.problems:
            rows = asked if each.frame == "questions" else forecasts
            fault = _fault(rows, each.row or 0, each.column, each.value, each.rule)
            faults += [fault] if fault[:3] not in known else []


def _rows(spill: Spill, table: str, part: int) -> Any:
    """Return the rows of a part in the order of the input."""
    tables = list(spill.read(table, part))
    if not tables:
        return _WITH_SOURCE[table].empty_table()
    if table == "forecasts":
        tables = [_with_dictionaries(rows) for rows in tables]
    return pa.concat_tables(tables, promote_options="permissive").unify_dictionaries()


def _with_dictionaries(rows: Any) -> Any:
    """Return forecasts whose ids are dictionaries."""
    for name in IDS:
        if not pa.types.is_dictionary(rows[name].type):
            place = rows.schema.get_field_index(name)
            rows = rows.set_column(place, name, rows[name].dictionary_encode())
    return rows


def _sorted_forecasts(rows: Any) -> Any:
    """Return forecasts in the order of a part; with a column of probabilities, even if blank."""
    if "probability" not in rows.column_names:
        rows = rows.append_column("probability", pa.nulls(len(rows), pa.float64()))
    if not len(rows):
        return rows
    columns = {name: rows[name].combine_chunks() for name in rows.column_names}
    ranks = {}
    for name in IDS:
        ranks[name], columns[name] = _ranked(columns[name])
    times = columns["made_at"].cast(pa.int64()).fill_null(0).to_numpy()
    code = ranks["question_id"].astype(np.int64)
    code *= len(columns["forecaster"].dictionary) + 1
    code += ranks["forecaster"]
    order = pa.array(in_order(code, times)[0])
    del code, times, ranks
    for name in list(columns):
        columns[name] = columns[name].take(order)
    return pa.table(columns)


def _ranked(ids: Any) -> tuple[Any, Any]:
    """Return the rank of each id among the sorted ids, 0 if null, and ids that refer to these."""
    sorted_ = pc.sort_indices(ids.dictionary)
    rank = np.zeros(len(sorted_) + 1, dtype=np.int32)
    rank[sorted_.to_numpy()] = np.arange(1, len(sorted_) + 1)
    ranks = rank[ids.indices.fill_null(len(sorted_)).to_numpy()]
    codes = pa.array(ranks - 1, mask=ranks == 0 if ids.null_count else None)
    return ranks, pa.DictionaryArray.from_arrays(codes, ids.dictionary.take(sorted_))


def _handle_faults(forecasts: Any) -> list[Fault]:
    """Return a fault for each forecaster whose name a ledger does not take."""
    if not len(forecasts):
        return []
    handles = forecasts["forecaster"].combine_chunks()
    names = handles.dictionary.to_pylist()
    bad = [n for n, name in enumerate(names) if name != name.strip() or not name.isprintable()]
    rule = "printable, without white space before or after it"
    rows = [pc.index(handles.indices, code).as_py() for code in bad]
    return [
        _fault(forecasts, row, "forecaster", names[code], rule)
        for row, code in zip(rows, bad, strict=True)
    ]


def _sorted_questions(spill: Spill, part: int) -> tuple[pd.DataFrame, Any, list[Fault]]:
    """Return a part's questions in order, their rows, and the outcomes that break a rule.

    Defaults are filled in, and outcomes are as a ledger has them.
    """
    rows = _rows(spill, "questions", part)
    rows = rows.take(pc.sort_indices(rows["question_id"].combine_chunks()))
    frame = typed_table(rows.drop_columns([SOURCE, ROW]), "questions")
    ids = frame["question_id"]
    faults: list[Fault] = []
    kinds = frame["type"] if "type" in frame else pd.Series("", index=ids.index, dtype=str)
    frame["type"] = kinds.where(kinds != "", "binary")
    titles = frame.get("title", ids)
    frame["title"] = titles.where(titles != "", ids)
    if "resolution" in frame:
        outcomes = frame["resolution"].tolist()
        options = frame["options"].tolist() if "options" in frame else [None] * len(frame)
        for row, kind in enumerate(frame["type"].tolist()):
            if not outcomes[row]:
                continue
            several = options[row] if kind == QuestionType.multiple_choice else None
            try:
                outcomes[row] = _outcome(outcomes[row], kind, tuple(several or ()))
            except LedgerError as error:
                faults.append(_fault(rows, row, "resolution", outcomes[row], error.remedy))
            except (TypeError, ValueError):
                continue  # its type or options are refused by the reader of ``scoring``
        frame["resolution"] = pd.Series(outcomes, dtype=str)
    return frame, rows, faults


@lru_cache(maxsize=10_000)
def _outcome(text: str, kind: str, options: tuple[str, ...]) -> str:
    outline = QuestionText.model_construct(title="", type=QuestionType(kind), options=list(options))
    return read_outcome(text, outline)


# --- a part that is too large to be sorted in memory -------------------------------------------


def write_large(
    spill: Spill, folder: Path, part: int, connection: Any
) -> tuple[dict[str, PartFile], list[Fault]]:
    """Return the files of a part, written from the rows that were set aside, or its faults."""
    questions, asked, faults = _sorted_questions(spill, part)
    _add_faults(faults, questions, asked, _WITH_SOURCE["forecasts"].empty_table())
    if faults:
        return {}, faults
    blocks = _checked(_sorted_on_disk(spill, part, connection), questions, faults)
    files = write_table(folder, part_file("forecasts", part), blocks)
    spill.remove(part)
    content = [arrow_table(questions, "questions")]
    files |= write_table(folder, part_file("questions", part), content)
    return ({}, faults) if faults else (files, [])


def _sorted_on_disk(spill: Spill, part: int, connection: Any) -> Iterator[Any]:
    """Yield the forecasts in order, in tables."""
    schema = _WITH_SOURCE["forecasts"]
    for name in IDS:
        schema = schema.set(schema.get_field_index(name), pa.field(name, pa.string()))
    batches = (
        batch
        for rows in spill.read("forecasts", part)
        for batch in complete(rows, schema).cast(schema).to_batches()
    )
    rows = pa.RecordBatchReader.from_batches(schema, batches)
    connection.register("rows_of_part", rows)
    order = f'question_id, forecaster, made_at, "{SOURCE}", "{ROW}"'
    query = connection.sql(f"SELECT * FROM rows_of_part ORDER BY {order}")  # noqa: S608
    try:
        with query.to_arrow_reader(BLOCK) as reader:
            for batch in reader:
                yield pa.table(batch)
    except OSError as error:
        require_memory(error)
        raise
    finally:
        connection.unregister("rows_of_part")


def _checked(blocks: Iterator[Any], questions: pd.DataFrame, faults: list[Fault]) -> Iterator[Any]:
    """Yield the blocks, their ids as dictionaries, and add their faults; the first ends it."""
    for rows in blocks:
        forecasts = _with_dictionaries(rows.combine_chunks())
        named = forecasts["question_id"].combine_chunks().dictionary.to_pylist()
        own = questions[questions["question_id"].isin(named)]
        _add_faults(faults, own, None, forecasts)  # questions have no more faults
        if faults:
            return
        yield forecasts
