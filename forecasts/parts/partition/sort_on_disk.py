"""One part of a partition that is too large to be sorted in memory, such as one hot question.

DuckDB sorts its rows under a limit of memory, and they are checked and written a block at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from forecasts.parts.chunks import IDS
from forecasts.parts.files import part_file
from forecasts.parts.folder import PartFile, write_table
from forecasts.parts.partition.sort_in_memory import (
    Fault,
    add_faults,
    sorted_questions,
    with_dictionaries,
)
from forecasts.parts.partition.sources import require_memory
from forecasts.parts.partition.spill import PLACE, Spill
from forecasts.parts.tables import arrow_table, schema_of

BLOCK = 1 << 20
SOURCE = "source of row"


class _Block:
    """The places of the rows of a block, which carry them."""

    def __init__(self, rows: Any) -> None:
        self.sources, self.rows = rows[SOURCE], rows[PLACE]

    def fault(self, row: int, column: str, value: Any, rule: str) -> Fault:
        return Fault(self.sources[row].as_py(), self.rows[row].as_py(), column, value, rule)


def write_large(
    spill: Spill, folder: Path, part: int, connection: Any
) -> tuple[dict[str, PartFile], list[Fault]]:
    """Return the files of a part, written from the rows that were set aside, or its faults."""
    questions, places, faults = sorted_questions(spill, part)
    add_faults(faults, questions, places, schema_of("forecasts").empty_table(), places)
    if faults:
        return {}, faults
    blocks = _checked(_sorted(spill, part, connection), questions, faults)
    files = write_table(folder, part_file("forecasts", part), blocks)
    spill.remove(part)
    asked = [arrow_table(questions, "questions")]
    files |= write_table(folder, part_file("questions", part), asked)
    return ({}, faults) if faults else (files, [])


def _sorted(spill: Spill, part: int, connection: Any) -> Iterator[Any]:
    """Yield the rows in order, in tables with the source and row of each."""
    schema = schema_of("forecasts")
    for name in IDS:
        schema = schema.set(schema.get_field_index(name), pa.field(name, pa.string()))
    schema = schema.append(pa.field(SOURCE, pa.int32())).append(pa.field(PLACE, pa.int64()))
    batches = (
        batch
        for rows, source, base in spill.read("forecasts", part)
        for batch in _located(rows, schema, source, base).to_batches()
    )
    rows = pa.RecordBatchReader.from_batches(schema, batches)
    connection.register("rows_of_part", rows)
    order = f'question_id, forecaster, made_at, "{SOURCE}", "{PLACE}"'
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


def _located(rows: Any, schema: Any, source: int, base: int) -> Any:
    columns = {name: rows[name] for name in rows.column_names if name != PLACE}
    columns[SOURCE] = pa.array(np.full(len(rows), source, dtype=np.int32))
    columns[PLACE] = pa.array(rows[PLACE].to_numpy().astype(np.int64) + base)
    blank = {name: pa.nulls(len(rows), schema.field(name).type) for name in schema.names}
    return pa.table(blank | columns).cast(schema)


def _checked(blocks: Iterator[Any], questions: pd.DataFrame, faults: list[Fault]) -> Iterator[Any]:
    """Yield the blocks, their ids as dictionaries, and add their faults; the first ends it."""
    for rows in blocks:
        block = _Block(rows)
        forecasts = with_dictionaries(rows.drop_columns([SOURCE, PLACE]).combine_chunks())
        named = forecasts["question_id"].combine_chunks().dictionary.to_pylist()
        own = questions[questions["question_id"].isin(named)]
        add_faults(faults, own, block, forecasts, block)  # questions have no more faults
        if faults:
            return
        yield forecasts
