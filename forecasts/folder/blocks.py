"""The cells of one file of a ledger folder as text.

Arrow reads the CSV: it guesses no types, and refuses a row of the wrong length.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from forecasts.common import limits
from forecasts.common.errors import BadInput
from forecasts.common.text import cut
from forecasts.folder.cells import cell_text

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
_MIB = 1 << 20
_INT32_MAX = (1 << 31) - 1  # the longest block and field
# An article is one cell, and can be longer than the reader's default limit of 128 KiB.
csv.field_size_limit(_INT32_MAX)


def read_csv(
    path: Path, separator: str = ",", last_can_lack: str = ""
) -> tuple[pd.DataFrame, dict[int, list[str]]]:
    """Return the cells of a CSV file, and its ragged rows (see ``tables.read_table``)."""
    header = csv_header(path, separator)
    # A single block, since a row that crosses blocks is an error.
    size = min(max(_MIB, path.stat().st_size + 1), _INT32_MAX)
    types = dict.fromkeys(header, pa.string())
    try:
        cells = pyarrow.csv.read_csv(
            path,
            pyarrow.csv.ReadOptions(block_size=size),
            # Without a handler of invalid rows, since Arrow prints a trace if one is not UTF-8.
            pyarrow.csv.ParseOptions(delimiter=separator, newlines_in_values=True),
            pyarrow.csv.ConvertOptions(column_types=types, strings_can_be_null=False),
        )
        return cells.to_pandas(), {}
    except pa.ArrowInvalid:
        padded, ragged = _read_ragged(path, header, separator)
        if not ragged:
            raise
        may_lack = len(header) - (header[-1] == last_can_lack)
        return padded, {row: cells for row, cells in ragged.items() if len(cells) != may_lack}


def separator_of(path: Path) -> str:
    """Return the character that divides the first line of a CSV file into the most columns."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        line = file.readline(_MIB)
    many = {one: len(next(csv.reader([line], delimiter=one), [])) for one in SEPARATORS}
    return max(many, key=many.__getitem__)


def csv_header(path: Path, separator: str = ",") -> list[str]:
    """Return the names of a CSV file's columns. BadInput if it is not a CSV file with a header."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        header = next(csv.reader(file, delimiter=separator), [])
    if "\0" in "".join(header):
        require_utf8(path)
    for other, name in SEPARATORS.items():
        if len(header) == 1 and other in header[0]:
            raise BadInput(
                f"The columns of {path.name} are separated by {name}: {cut(header[0], 60)!r}.",
                remedy="Save it with commas between columns and decimal points in numbers.",
            )
    _require_columns(path, header)
    return header


def _read_ragged(
    path: Path, header: list[str], separator: str
) -> tuple[pd.DataFrame, dict[int, list[str]]]:
    """Return the same as ``read_csv``, slowly; most such files are refused anyway."""
    wide = len(header)
    with path.open(encoding="utf-8-sig", newline="") as file:
        cells = [row for row in csv.reader(file, delimiter=separator) if row][1:]
    filled = [[*row, *[""] * (wide - len(row))][:wide] for row in cells]
    ragged = {number: row for number, row in enumerate(cells) if len(row) != wide}
    return pd.DataFrame(filled, columns=header, dtype=str), ragged


def read_parquet(path: Path) -> pd.DataFrame:
    """Return the cells as the same texts as in a CSV."""
    _require_small(path)
    frame = pyarrow.parquet.read_table(path).to_pandas()
    return pd.DataFrame({str(name): [cell_text(v) for v in frame[name]] for name in frame})


def _require_small(path: Path) -> None:
    """Refuse a file that would unpack to more than a CSV may have, without unpacking it.

    First by its metadata; then by the size of its texts written out, which is computed from their
    dictionary encoding.
    """
    with pyarrow.parquet.ParquetFile(path) as file:
        about = file.metadata
        names = [about.schema.column(place).path for place in range(about.num_columns)]
        _require_columns(path, file.schema_arrow.names)
        parts = [about.row_group(place) for place in range(about.num_row_groups)]
        # Column metadata is not read: for a damaged file that makes Arrow end the process.
        require_rows(path, about.num_rows)
        _require_bytes(path, sum(part.total_byte_size for part in parts))
    with pyarrow.parquet.ParquetFile(path, read_dictionary=names) as file:
        size = 0
        for batch in file.iter_batches():
            size += sum(map(_written_out, batch.columns))
            _require_bytes(path, size)


def _require_bytes(path: Path, size: int) -> None:
    if size > limits.FILE_BYTES:
        raise limits.too_much(
            path.name,
            f"{limits.format_bytes(size)} unpacked",
            limits.format_bytes(limits.FILE_BYTES),
            "Divide it.",
        )


def _written_out(array: Any) -> int:
    """Return the size in bytes of an Arrow array as CSV, repeated texts and separators included."""
    if pa.types.is_dictionary(array.type):
        lengths = pc.take(pc.binary_length(array.dictionary), array.indices)
        return len(array) + (pc.sum(lengths.cast(pa.int64())).as_py() or 0)
    if pa.types.is_map(array.type):
        return _written_out(array.keys) + _written_out(array.items)
    if pa.types.is_nested(array.type):
        parts = array.flatten()
        return sum(map(_written_out, parts if isinstance(parts, list) else [parts]))
    return len(array) + int(array.nbytes)


def require_rows(path: Path, count: int) -> None:
    """Refuse a table of too many rows."""
    if count > limits.ROWS:
        raise limits.too_much(
            path.name, f"{count:,} rows", f"{limits.ROWS:,}", "Divide the ledger."
        )


def _require_columns(path: Path, names: Sequence[str]) -> None:
    """Refuse a header without columns, with too many, or with a duplicate."""
    if len(names) > limits.COLUMNS:
        raise limits.too_much(
            path.name, f"{len(names):,} columns", f"{limits.COLUMNS}", "Leave some out."
        )
    twice = sorted({name for name in names if names.count(name) > 1})
    if not names:
        raise BadInput(
            f"{path.name} has no header.",
            remedy="Its first line names the columns. If the file is empty, leave it out.",
        )
    if twice == [""]:
        raise BadInput(
            f"The first line of {path.name} leaves {names.count('')} columns without a name: "
            f"{cut(','.join(names), 60)!r}.",
            remedy="It must name each column: remove titles above it, and columns without a name.",
        )
    if twice:
        raise BadInput(
            f"{path.name} has the column {twice[0]!r} twice.", remedy="Rename or remove one."
        )


def require_utf8(path: Path) -> None:
    """Raise BadInput naming the first line that is not UTF-8, if there is one."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if b"\x00" in line:
                fault = "has two-byte characters, as in UTF-16"
            else:
                try:
                    line.decode()
                    continue
                except UnicodeDecodeError as error:
                    fault = f"has the byte 0x{line[error.start]:02x}, as in Latin-1"
            raise BadInput(
                f"{path.name} is not UTF-8: line {number} {fault}.",
                remedy="Save it as UTF-8 (in a spreadsheet: CSV UTF-8).",
            )
