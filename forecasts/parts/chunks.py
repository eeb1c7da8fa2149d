"""A part's questions and forecasts in chunks of whole questions, of bounded size.

They are read with as few copies as Arrow and pandas allow, since scoring a part takes hardly longer
than reading it. Only a question with more forecasts than a chunk makes a larger one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from scoring.input_frames import FORECAST_COLUMNS, QUESTION_COLUMNS

CHUNK_ROWS = 1 << 20
_OFTEN_BLANK = ("probabilities", "quantiles", "rationale", "evidence", "account", "undated")
# The columns that are read as categoricals: few different texts in many rows.
IDS = ("question_id", "forecaster")


class Chunk(NamedTuple):
    """Questions and their forecasts as ``scoring.score`` takes them, in order.

    ``questions_before`` and ``forecasts_before`` count the part's rows before the chunk.
    """

    questions: pd.DataFrame
    forecasts: pd.DataFrame
    questions_before: int
    forecasts_before: int


def chunks(questions: Path, forecasts: Path, *, rows: int = CHUNK_ROWS) -> Iterator[Chunk]:
    """Yield all of a part's questions, with their forecasts, from its two files.

    Both must be in order of the question. ``rows``: the most forecasts that are read at once. There
    is at least one chunk.
    """
    asked = _questions(questions)
    ids = asked["question_id"]
    question = forecast = 0
    for table, last in tables(forecasts, rows):
        end = len(asked)
        if not last:
            newest = table["question_id"][-1].as_py()
            end = bisect_right(ids, newest, lo=question, key=lambda each: each.as_py() or "")
        yield Chunk(
            _question_frame(asked.slice(question, end - question)),
            forecast_frame(table),
            question,
            forecast,
        )
        question, forecast = end, forecast + len(table)


def tables(
    path: Path, rows: int, columns: Sequence[str] = FORECAST_COLUMNS
) -> Iterator[tuple[Any, bool]]:
    """Yield the forecasts in tables of whole questions, and whether each is the last one.

    ``rows``: the most that are read at once; ``columns``: those to read, if the file has them.
    """
    with pyarrow.parquet.ParquetFile(path, read_dictionary=IDS) as file:
        names = [name for name in file.schema_arrow.names if name in columns]
        held = file.schema_arrow.empty_table().select(names)
        groups = range(file.num_row_groups)
        several = max(1, rows // max(1, file.metadata.row_group(0).num_rows)) if groups else 1
        for start in groups[::several]:
            some = groups[start : start + several]
            table = file.read_row_groups(some, columns=names, use_threads=False)
            if len(held):
                table = pa.concat_tables([held, table])
            table = table.unify_dictionaries()
            cut = _start_of_last(table["question_id"])
            held = pruned(table.slice(cut))
            if cut:
                yield table.slice(0, cut), False
        yield held, True


def _start_of_last(question: Any) -> int:
    """Return the row at which the last question's forecasts begin."""
    codes = _codes(question)
    others = np.flatnonzero(codes != codes[-1]) if len(codes) else codes
    return int(others[-1]) + 1 if len(others) else 0


def pruned(table: Any) -> Any:
    """Return the table with dictionaries of its own ids only, so that they do not grow."""
    for name in set(IDS) & set(table.column_names):
        place = table.schema.get_field_index(name)
        ids = table[name].cast(pa.string()).dictionary_encode()
        field = table.schema.field(place).with_type(ids.type)
        table = table.set_column(place, field, ids)
    return table


def _codes(column: Any) -> Any:
    """Return the positions in the one dictionary of a column, -1 where it is null."""
    indices = pa.chunked_array([chunk.indices for chunk in column.chunks], pa.int32())
    return (indices.fill_null(-1) if indices.null_count else indices).to_numpy()


def forecast_frame(table: Any) -> pd.DataFrame:
    """Return an Arrow table of forecasts as ``Parts.forecasts`` does."""
    columns: dict[str, Any] = {}
    for name in table.column_names:
        column = table[name]
        if name in _OFTEN_BLANK and column.null_count == len(column):
            continue
        if pa.types.is_dictionary(column.type) and len(table):
            ids = _texts(column.chunk(0).dictionary)
            columns[name] = pd.Categorical.from_codes(_codes(column), ids)
        elif name in ("rationale", "account"):
            columns[name] = column.fill_null("").to_pandas()
        elif pa.types.is_boolean(column.type):
            columns[name] = column.fill_null(False).to_numpy()
        elif name in _OFTEN_BLANK:  # JSON
            cells = column.combine_chunks().to_numpy(zero_copy_only=False)
            columns[name] = pd.Series(cells, dtype=object)
        elif pa.types.is_floating(column.type):
            columns[name] = column.fill_null(np.nan).to_numpy()  # twice as fast as to_pandas
        else:
            columns[name] = column.to_pandas()
    return pd.DataFrame(columns, copy=False)


def _questions(path: Path) -> Any:
    with pyarrow.parquet.ParquetFile(path) as file:
        names = [name for name in file.schema_arrow.names if name in QUESTION_COLUMNS]
        table = file.read(columns=names, use_threads=False)
    ids = table["question_id"].cast(pa.string())
    table = table.set_column(names.index("question_id"), "question_id", ids)
    blank = [name for name in names[1:] if table[name].null_count == len(table)]
    return table.drop_columns([name for name in blank if not name.endswith("_time")])


def _question_frame(table: Any) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pandas(use_threads=False)
    ids = _texts(table["question_id"].combine_chunks())
    if ids.is_unique and not ids.hasnans:
        # Categories are never copied or compared as texts.
        codes = np.arange(len(ids), dtype=np.int32)
        frame["question_id"] = pd.Categorical.from_codes(codes, ids)
    return frame


def _texts(array: Any) -> pd.Index:
    texts: pd.Index = pd.Index(array.to_pandas(), dtype="str")
    return texts


def problem_place(chunk: Chunk, frame: str, row: int | None) -> Sequence[str]:
    """Return the row of the part's file, from 1, and the question of an invalid value."""
    if row is None or frame not in ("questions", "forecasts"):
        return []
    table = chunk.questions if frame == "questions" else chunk.forecasts
    before = chunk.questions_before if frame == "questions" else chunk.forecasts_before
    return [f"row {before + row + 1:,}", f"question {table['question_id'].iloc[row]}"]
