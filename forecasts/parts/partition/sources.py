"""The input of a partition: the files of a ledger, read by DuckDB in batches.

DuckDB decodes CSV and Parquet on all cores, in the order of the file, under a limit of memory.
Texts are read as in a ledger folder (``folder.cells``), so the same cells are refused.
"""

from __future__ import annotations

import csv
import glob
import hashlib
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from forecasts.common.errors import BadInput, Problem, Remedy
from forecasts.common.json_text import json_text
from forecasts.folder.cells import READERS
from forecasts.folder.folder import FILES
from forecasts.folder.frames import FRAME_COLUMNS, row_number
from forecasts.folder.rules import require_values
from forecasts.folder.tables import csv_header, parquet_header, require_utf8
from forecasts.parts.files import parts_of
from forecasts.parts.folder import WHOLE, open_parts
from forecasts.parts.manifest import is_parts

ENDINGS = (".csv", ".parquet")
# The JSON that ``scoring`` checks; the rest is checked here.
_CHECKED_LATER = ("probabilities", "quantiles")
# DuckDB's types of times with a zone, and of a column without any.
_WITH_ZONE = ("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ_NS", '"NULL"')
_SAMPLE = 1 << 20
_COLUMNS_SHOWN = 8
# Notes the row of a batch, its column and value, and the rule that the cell breaks.
Wrong = Callable[[int, str, Any, str], None]
Hashes = npt.NDArray[np.uint32]


@dataclass(frozen=True)
class Batch:
    """Some rows, typed as in a part, and the first 32 bits of the MD5 of each question's id."""

    rows: Any
    hashes: Hashes


@dataclass(frozen=True)
class File:
    """One file of the input."""

    path: Path
    table: str

    @cached_property
    def size(self) -> int:
        """The number of rows: exact for Parquet, from the length of its first lines for CSV."""
        if self.path.suffix == ".parquet":
            return int(pyarrow.parquet.read_metadata(self.path).num_rows)
        with self.path.open("rb") as file:
            sample = file.read(_SAMPLE)
        lines = sample.count(b"\n")
        return round(os.path.getsize(self.path) * lines / max(1, len(sample)))

    def batches(self, connection: Any, rows: int, wrong: Wrong) -> Iterator[Batch]:
        """Yield the file in batches of about so many rows. BadInput if it cannot be read."""
        import duckdb

        try:
            relation = self._relation()
            every = connection.sql(f"SELECT * FROM {relation}")  # noqa: S608
            found = zip(every.columns, map(str, every.types), strict=True)
            given = {name: kind for name, kind in found if name in FRAME_COLUMNS[self.table]}
            columns = [f'{self._selected(name, kind)} AS "{name}"' for name, kind in given.items()]
            if "question_id" in given:
                columns.append("(md5_number(question_id::VARCHAR) & 4294967295)::UINTEGER AS md5")
            query = f"SELECT {', '.join(columns)} FROM {relation}"  # noqa: S608
            with connection.sql(query).to_arrow_reader(rows) as reader:
                for batch in reader:
                    yield self._typed(batch, wrong)
        except (duckdb.Error, pa.ArrowException, OSError) as error:
            require_memory(error)
            raise self._unreadable(error) from None

    def places(self, rows: Sequence[int]) -> dict[int, str]:
        """Return the places of these rows; row 0 is the first."""
        if self.path.suffix == ".parquet":
            return {row: f"{self.path.name}, row {row + 1}" for row in rows}
        lines = _lines(self.path, rows)
        return {row: f"{self.path.name}, line {lines[row]}" for row in rows}

    def _relation(self) -> str:
        name = re.sub(r"([*?\[])", r"[\1]", str(self.path)).replace("'", "''")
        # Folders named like a=b would add columns.
        if self.path.suffix == ".parquet":
            return f"read_parquet('{name}', hive_partitioning=false)"
        # The header may have blank names, and names that differ in case alone.
        header = list(enumerate(csv_header(self.path)))
        columns = ", ".join(f"'c{place}': 'VARCHAR'" for place, _ in header)
        known = FRAME_COLUMNS[self.table]
        named = ", ".join(f'c{place} AS "{column}"' for place, column in header if column in known)
        return (
            f"(SELECT {named} FROM read_csv('{name}', header=true, auto_detect=false, "  # noqa: S608
            f"delim=',', quote='\"', escape='\"', nullstr='', max_line_size=10000000, "
            f"hive_partitioning=false, columns={{{columns}}}))"
        )

    def _selected(self, name: str, kind: str) -> str:
        """Return the SQL of a column, of this type in the file."""
        meant = FRAME_COLUMNS[self.table][name]
        nested = kind.endswith("[]") or kind.startswith(("STRUCT", "MAP", "JSON"))
        cells = f'"{name}"'
        if meant == "json" and nested:
            return f"to_json({cells})::VARCHAR"
        if kind == "VARCHAR" or (meant == "flag" and kind == "BOOLEAN"):
            return cells
        if meant == "time" and kind not in _WITH_ZONE:
            rule = "times with a zone (timestamp, UTC), or texts with an offset or Z"
            problem = Problem(f"{self.path.name}, column {name}", kind, rule)
            raise BadInput(f"{self.path.name} has times without a zone.", problems=[problem])
        if meant == "time":
            return f"{cells}::TIMESTAMPTZ"
        if meant == "number":
            return f"nullif({cells}::DOUBLE + 0.0, 'NaN')"  # and -0.0 is 0.0
        return f"{cells}::VARCHAR"

    def _typed(self, batch: Any, wrong: Wrong) -> Batch:
        kinds = FRAME_COLUMNS[self.table]
        columns = {}
        for name in batch.schema.names:
            if name == "md5":
                continue
            column = batch.column(name)
            if column.null_count == len(column) and name not in FILES[self.table][1]:
                continue
            columns[name] = _read_cells(name, kinds[name], column, wrong)
        hashes = np.zeros(len(batch), dtype=np.uint32)
        if "md5" in batch.schema.names:
            # DuckDB takes the first byte for the lowest.
            low = batch.column("md5").fill_null(0).to_numpy()
            hashes = low.byteswap()
        return Batch(pa.RecordBatch.from_pydict(columns), hashes)

    def _unreadable(self, error: Exception) -> BadInput:
        if self.path.suffix == ".csv":
            require_utf8(self.path)
        lines = [" ".join(line.split()) for line in str(error).splitlines() if line.strip()]
        reason = lines[0] if lines else type(error).__name__
        if line := re.search(r"Line: (\d+)", reason):
            row = int(line[1]) - 2  # it counts rows, the header as the first
            counts = re.search(r"Number of Columns: (\d+) Found: (\d+)", " ".join(lines))
            rule = f"{counts[1]} cells, like the header" if counts else "a valid row of CSV"
            actual = f"{counts[2]} cells" if counts else ""
            problem = Problem(self.places([row])[row], actual, rule)
        elif "invalid state" in reason:
            problem = Problem(self.path.name, "", "lines that all end alike, in LF or in CRLF")
        else:
            problem = Problem(self.path.name, "", reason)
        return BadInput(
            f"{self.path.name} cannot be read.",
            problems=[problem],
            remedy="It must be UTF-8 CSV with a header, or Parquet with the same columns.",
        )


def _read_cells(name: str, kind: str, column: Any, wrong: Wrong) -> Any:
    """Return a column typed as in a part; texts are read by the rules of a ledger folder."""
    if not pa.types.is_string(column.type) or kind == "text" or name in _CHECKED_LATER:
        return column
    texts = pd.Series(column.fill_null("").to_pandas(), dtype=str)
    read = READERS[kind](lambda row, value, rule: wrong(row, name, value, rule), texts)
    if kind == "json":
        return column
    return pa.array(read, from_pandas=True)


@dataclass(frozen=True)
class Rows:
    """Rows of a ledger's database: batches typed as in a part, their ids texts or dictionaries."""

    table: str
    content: Iterable[Any]
    size: int = 0

    def batches(self, connection: Any, rows: int, wrong: Wrong) -> Iterator[Batch]:
        """Yield the rows in the batches they come in."""
        for batch in self.content:
            ids = batch.column("question_id")
            if not pa.types.is_dictionary(ids.type):
                ids = ids.dictionary_encode()
            texts = [text or "" for text in ids.dictionary.to_pylist()]
            hashes = parts_of(texts, 1 << 32).astype(np.uint32)
            yield Batch(batch, hashes[ids.indices.to_numpy()])

    def places(self, rows: Sequence[int]) -> dict[int, str]:
        """Return the places of these rows; row 0 is the first."""
        return {row: row_number(self.table, row) for row in rows}


Source = File | Rows


def require_memory(error: Exception) -> None:
    """Raise BadInput if DuckDB reached its memory limit."""
    if "Out of Memory" in str(error):
        raise BadInput(
            "DuckDB needs more memory for this input than it is allowed.",
            remedy=(
                Remedy("Allow more, such as {},", "", memory="2GB"),
                "or close other programs.",
            ),
        ) from None


def digest_of(files: Sequence[File]) -> str:
    """Return a hash of the files' names, sizes and modification times."""
    about = [
        (file.table, file.path.name, os.stat(file.path).st_size, os.stat(file.path).st_mtime_ns)
        for file in files
    ]
    return hashlib.sha256(json_text(about).encode()).hexdigest()


def find_files(
    paths: Sequence[Path], *, warn: Callable[[str], None] = lambda _: None
) -> list[File]:
    """Return the files that these paths name: ledger folders, folders of parts, files, or patterns.

    A file is recognised by its columns. ``warn`` is called with a sentence on unknown columns.
    BadInput unless there are questions and forecasts.
    """
    files = [_recognised(path, warn) for path in _expanded(paths)]
    number = Counter(file.table for file in files)
    for table, (_, required) in FILES.items():
        if not number[table] and table not in WHOLE:
            raise BadInput(
                f"There is no file of {table}.",
                remedy=f"Name one with the columns {', '.join(required)}.",
            )
        if number[table] > 1 and table in WHOLE:
            raise BadInput(f"There are {number[table]} files of {table}.", remedy="Name one.")
    return files


def _expanded(paths: Sequence[Path]) -> Iterator[Path]:
    """Yield the files that the paths stand for, each once."""
    seen: set[Path] = set()
    for given in paths:
        found = [given] if os.path.lexists(given) else sorted(map(Path, glob.glob(str(given))))
        if not found:
            raise BadInput(
                f"There is nothing at {str(given)!r}.",
                remedy="Name a ledger folder, or files of questions and forecasts.",
            )
        for path in found:
            for file in _files_of(path) if path.is_dir() else [path]:
                if file.resolve() not in seen:
                    seen.add(file.resolve())
                    yield file


def _files_of(folder: Path) -> list[Path]:
    if is_parts(folder):
        return [folder / name for name in sorted(open_parts(folder).files)]
    named = [folder / f"{table}{ending}" for table in FILES for ending in ENDINGS]
    found = [path for path in named if path.is_file()]
    for one, other in pairwise(found):
        if one.stem == other.stem:  # most likely the same rows, which would count twice
            raise BadInput(
                f"The folder {folder.name!r} has both {one.name} and {other.name}.",
                remedy="Keep only one of them, or name all files of the input.",
            )
    return found or sorted(path for path in folder.iterdir() if path.suffix in ENDINGS)


def _recognised(path: Path, warn: Callable[[str], None]) -> File:
    """Return the file with its table. BadInput if no table has such columns."""
    try:
        if path.suffix == ".parquet":
            header = parquet_header(path)
        elif path.suffix == ".csv":
            header = csv_header(path)
        else:
            raise BadInput(
                f"{path.name} is neither CSV nor Parquet.",
                remedy="Name files that end in .csv or .parquet; unpack a ZIP archive.",
            )
    except (OSError, UnicodeDecodeError, csv.Error, pa.ArrowException) as error:
        if path.suffix == ".csv" and isinstance(error, UnicodeDecodeError):
            require_utf8(path)
        reason = " ".join(str(error).split()).rstrip(".")
        raise BadInput(
            f"{path.name} cannot be read: {reason}.",
            remedy="If a download or copy of it was cut short, repeat it. If the file is empty, "
            "leave it out.",
        ) from None
    named = [path.stem] if path.stem in FILES else []
    for table in (*named, "forecasts", *FILES):
        columns, required = FILES[table]
        if set(required) <= set(header):
            if unknown := [name for name in header if name not in columns]:
                names = ", ".join(map(str, unknown))
                warn(f"{path.name}: left out columns that the format does not have: {names}")
            if table == "forecasts":
                require_values(path.name, header)
            return File(path, table)
    missing = [name for name in FILES[named[0]][1] if name not in header] if named else []
    raise BadInput(
        f"{path.name} has no column {' or '.join(missing)}. "
        f"It has {', '.join(map(str, header[:_COLUMNS_SHOWN]))}."
        if missing
        else f"The columns of {path.name} are not those of questions or forecasts: "
        f"{', '.join(map(str, header[:_COLUMNS_SHOWN]))}.",
        remedy="Name its columns as in docs/ledger-folder.md.",
    )


def _lines(path: Path, rows: Sequence[int]) -> dict[int, int]:
    """Return the lines of a CSV file in which these rows begin; texts may contain line breaks."""
    wanted, found = set(rows), {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        begins, row = 1, -1  # the header
        for cells in reader:
            if cells:
                if row in wanted:
                    found[row] = begins
                if row >= max(wanted):
                    break
                row += 1
            begins = reader.line_num + 1
    return found
