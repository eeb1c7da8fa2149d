"""The tables of a folder of parts: their Arrow schemas, as frames, and written as Parquet."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from forecasts.folder.cells import cell_text
from forecasts.folder.frames import FRAME_COLUMNS, typed
from forecasts.parts.chunks import IDS, pruned

ROW_GROUP = 1 << 18
_NEVER_BLANK = (*IDS, "made_at")  # of forecasts
_ARROW = {
    "text": pa.string(),
    "json": pa.string(),
    "time": pa.timestamp("us", "UTC"),
    "number": pa.float64(),
    "flag": pa.bool_(),
}


def schema_of(table: str) -> Any:
    """Return the Arrow schema of a table's files."""
    return pa.schema(
        [
            (name, pa.dictionary(pa.int32(), pa.string()) if name in IDS else _ARROW[kind])
            for name, kind in FRAME_COLUMNS[table].items()
        ]
    )


def write_parquet(path: Path, table: str, contents: Iterable[Any]) -> int:
    """Write Arrow tables that follow each other to a file, and return the number of rows.

    Columns that they lack are blank.
    """
    path.parent.mkdir(exist_ok=True)
    schema, rows = _schema_of_file(table), 0
    plain = [name for name, kind in FRAME_COLUMNS[table].items() if kind in ("time", "number")]
    with pyarrow.parquet.ParquetWriter(
        path,
        schema,
        compression="zstd",
        use_dictionary=[name for name in schema.names if name not in plain],
        # Smallest and fastest to read: the first bytes of all values together, then the second.
        column_encoding=dict.fromkeys(plain, "BYTE_STREAM_SPLIT"),
        max_rows_per_page=ROW_GROUP,  # so that only their size limits pages
    ) as file:
        for content in contents:
            every = complete(content, schema)
            for start in range(0, len(every), ROW_GROUP):
                group = pruned(every.slice(start, ROW_GROUP)).cast(schema)
                file.write_table(group, row_group_size=ROW_GROUP)
            rows += len(every)
    return rows


def _schema_of_file(table: str) -> Any:
    """Return the schema of a table's files. It tells readers which columns have no blanks."""
    filled = _NEVER_BLANK if table == "forecasts" else ()
    return pa.schema([each.with_nullable(each.name not in filled) for each in schema_of(table)])


def complete(content: Any, schema: Any) -> Any:
    """Return an Arrow table with the columns of a schema. Missing ones are blank."""
    for name in schema.names:
        if name not in content.column_names:
            content = content.append_column(name, pa.nulls(len(content), schema.field(name).type))
    return content.select(schema.names)


def arrow_table(frame: pd.DataFrame, table: str) -> Any:
    """Return a frame typed as in ``Frames``, or with JSON as text, as an Arrow table."""
    columns = {
        name: _arrow(frame[name], kind) if name in frame else pa.nulls(len(frame), _ARROW[kind])
        for name, kind in FRAME_COLUMNS[table].items()
    }
    return pa.table(columns)


def _arrow(column: pd.Series[Any], kind: str) -> Any:
    if kind == "json":
        return pa.array([_json(value) for value in column], pa.string())
    if isinstance(column.dtype, pd.CategoricalDtype):
        codes = pa.array(column.cat.codes.to_numpy().astype(np.int32))
        texts = pa.array(column.cat.categories.astype(str), pa.string())
        return pa.DictionaryArray.from_arrays(codes, texts)
    if kind == "text":
        texts = pa.array(column, from_pandas=True).cast(pa.string())
        return pc.if_else(pc.equal(texts, ""), None, texts)
    return pa.array(column, _ARROW[kind], from_pandas=True)


def _json(value: Any) -> str | None:
    text = value if isinstance(value, str) else cell_text(value)
    return text or None


def typed_table(content: Any, table: str) -> pd.DataFrame:
    """Return an Arrow table of that kind as a frame, typed as in ``Frames``."""
    kinds = FRAME_COLUMNS[table]
    return pd.DataFrame({name: _typed(content[name], kinds[name]) for name in content.column_names})


def json_cells(column: Any) -> pd.Series[Any]:
    """Return the values of a column of JSON texts, None where blank. Equal cells share one."""
    texts = column.to_pylist()
    known = {text: json.loads(text) for text in set(texts) - {None}}
    return pd.Series([known.get(text) for text in texts], dtype=object)


def _typed(column: Any, kind: str) -> pd.Series[Any]:
    if kind == "json":
        return json_cells(column)
    if kind == "text":
        if pa.types.is_dictionary(column.type):
            column = column.cast(pa.string())
        return pd.Series(column.fill_null("").to_pandas(), dtype=str)
    if kind == "flag":
        column = column.fill_null(False)
    return typed(column.to_pandas(), kind)
