"""The partition of unsorted forecasts, beside a bare external sort of the same by DuckDB."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from forecasts.parts.execution import cores
from forecasts.parts.partition.sources import find_files
from forecasts.parts.partition.splitting import partition

MEMORY = 10**9
PEOPLE = 5_000
BLOCK = 1 << 20
OPENS, DAY = 1_767_225_600_000_000, 86_400_000_000  # microseconds
TIME = pa.timestamp("us", "UTC")


def write_unsorted(folder: Path, forecasts: int) -> list[Path]:
    """Return files of questions and forecasts in no order, a hundred forecasts a question."""
    random = np.random.default_rng(1)
    ids = pa.array([f"question-{number:08d}" for number in range(max(forecasts // 100, 1))])
    people = pa.array([f"forecaster-{number:05d}" for number in range(PEOPLE)])
    opens = pa.array(np.full(len(ids), OPENS)).cast(TIME)
    closes = pa.array(np.full(len(ids), OPENS + 100 * DAY)).cast(TIME)
    outcomes = pa.array(np.where(random.random(len(ids)) < 0.4, "yes", "no"))
    names = ["question_id", "open_time", "scheduled_close_time", "resolution"]
    files = [folder / "questions.parquet", folder / "forecasts.parquet"]
    pq.write_table(pa.table([ids, opens, closes, outcomes], names), files[0])
    schema = pa.schema(
        [
            ("question_id", pa.string()),
            ("forecaster", pa.string()),
            ("made_at", TIME),
            ("probability", pa.float64()),
        ]
    )
    with pq.ParquetWriter(files[1], schema, compression="zstd") as writer:
        for start in range(0, forecasts, BLOCK):
            size = min(BLOCK, forecasts - start)
            block = [
                ids.take(pa.array(random.integers(0, len(ids), size))),
                people.take(pa.array(random.integers(0, PEOPLE, size))),
                pa.array(OPENS + random.integers(0, 100 * 86_400, size) * 1_000_000).cast(TIME),
                pa.array(random.integers(1, 1_000, size) / 1_000),
            ]
            writer.write_table(pa.table(block, schema=schema))
    return files


def partition_here(questions: str, forecasts: str, into: str) -> str:
    """Make the parts of two files, and return their number."""
    files = find_files([Path(questions), Path(forecasts)])
    return str(partition(files, Path(into), memory=MEMORY)[0].count)


def sort_in_duckdb(forecasts: str, into: str) -> str:
    """Sort a file into another as DuckDB does by itself, under the same limit and threads."""
    import duckdb

    settings = {"memory_limit": f"{MEMORY}B", "threads": cores(), "temp_directory": f"{into}.spill"}
    with duckdb.connect(config=settings) as connection:
        connection.execute(
            f"COPY (SELECT * FROM '{forecasts}' ORDER BY question_id, forecaster, made_at)"
            f" TO '{into}' (FORMAT parquet, COMPRESSION zstd)"
        )
    return ""


def assert_equal_rows(parts: Path, file: Path) -> None:
    """Compare the rows of all parts with those of a file, whatever their order."""
    import duckdb

    columns = "question_id, forecaster, made_at, probability"
    first, second = (
        duckdb.sql(f"SELECT count(*), sum(hash({columns})) FROM '{place}'").fetchall()
        for place in (parts / "forecasts/*.parquet", file)
    )
    if first != second:
        raise SystemExit(f"The rows of {parts} and {file} differ: {first}, {second}")
