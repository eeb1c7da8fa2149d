"""One file of a ledger folder, read with every bad cell named and written exactly.

Arrow reads the CSV: it guesses no types, refuses a row of the wrong length, and converts numbers
to the nearest float, so that a round trip changes no bit.
"""

from __future__ import annotations

import csv
import json
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from forecasts.common import limits
from forecasts.common.errors import BadInput, Problem
from forecasts.exchange.folder.cells import READERS

_NEEDS_QUOTES = re.compile(r"""[",\r\n]|^\s|\s$""")
_MIB = 1 << 20
_INT32_MAX = (1 << 31) - 1  # the longest block and field
# An article is one cell, and can be longer than the reader's default limit of 128 KiB.
csv.field_size_limit(_INT32_MAX)


@dataclass
class Table:
    """The cells of one file as text, with the problems noted so far.

    ``noted``: the rows with a problem, by column. ``ragged``: the rows with more or fewer cells
    than the header, as they are in the file; in ``cells`` they are cut or padded with blanks.
    """

    path: Path
    cells: pd.DataFrame
    problems: list[Problem] = field(default_factory=list)
    ragged: dict[int, list[str]] = field(default_factory=dict)
    noted: defaultdict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    _lines: list[int] | None = None

    def __post_init__(self) -> None:
        wide = self.cells.shape[1]
        self.problems += [
            Problem(
                f"{self.path.name}, line {self._line(row)}",
                _short(",".join(cells)),
                f"{wide} cells, like the header; this has {len(cells)}",
            )
            for row, cells in self.ragged.items()
        ]

    def __len__(self) -> int:
        return len(self.cells)

    def wrong(self, row: int, column: str, value: Any, rule: str) -> None:
        """Note that the cell in that row breaks a rule; row 0 is the first below the header.

        Ragged rows are skipped, since their cells cannot be matched with columns.
        """
        self.noted[column].add(row)
        if row in self.ragged:
            return
        self.problems.append(Problem(f"{self.place(row)}, column {column}", str(value), rule))

    def wrong_where(self, mask: Any, column: pd.Series[Any], rule: str) -> None:
        """Note that the cells of the column break a rule where the mask is true."""
        for row in np.flatnonzero(mask).tolist():
            self.wrong(row, str(column.name), column.iloc[row], rule)

    def place(self, row: int) -> str:
        """Return the file with the row's line, or its number in Parquet."""
        where = f"row {row + 1}" if self.path.suffix == ".parquet" else f"line {self._line(row)}"
        return f"{self.path.name}, {where}"

    def _line(self, row: int) -> int:
        """Return the line in which a row begins; texts may contain line breaks."""
        if self._lines is None:
            with self.path.open(encoding="utf-8-sig", newline="") as file:
                reader = csv.reader(file)
                begins, self._lines = 1, []
                for cells in reader:
                    if cells:
                        self._lines.append(begins)
                    begins = reader.line_num + 1
        return self._lines[row + 1]

    def column(self, name: str, kind: str) -> pd.Series[Any]:
        """Return the column parsed as its kind (see ``frames.Frames``), noting bad cells.

        Its text is not kept, since a table can be as large as memory allows.
        """

        def wrong(row: int, value: Any, rule: str) -> None:
            self.wrong(row, name, value, rule)

        if name in self.cells:
            return READERS[kind](wrong, self.cells.pop(name))
        return READERS[kind](wrong, pd.Series([""] * len(self), dtype=str))


def read_table(path: Path) -> Table:
    """Return the file's cells as text.

    BadInput if it is not a plain file or not a table in UTF-8, or exceeds ``common.limits``.
    """
    try:
        limits.require_file(path, limits.FILE_BYTES)
        if path.suffix == ".parquet":
            return _limited(Table(path, _read_parquet(path)))
        frame, ragged = _read_csv(path)
        return _limited(Table(path, frame, ragged=ragged))
    except MemoryError:  # Arrow's is one of its own errors too
        raise
    except (pa.ArrowException, UnicodeDecodeError, csv.Error) as error:
        if path.suffix != ".parquet":
            _require_utf8(path)
        reason = " ".join(str(error).split())
        raise BadInput(
            f"{path.name} cannot be read: {reason}.",
            problems=[Problem(path.name, "", reason)],
            remedy="It must be UTF-8 CSV with a header, or Parquet with the same columns.",
        ) from None
    except OSError as error:
        raise BadInput(f"{path.name} cannot be read: {error.strerror or error}.") from None


# The columns that become indexed names.
_NAMES = ("question_id", "forecaster", "team", "evidence_id", "url", "article_url")


def _limited(table: Table) -> Table:
    """Return the table, with every overlong cell noted; BadInput for too many rows."""
    _require_rows(table.path, len(table))
    for name in table.cells:
        most = limits.NAME_BYTES if name in _NAMES else limits.TEXT_BYTES
        texts = pa.array(table.cells[name], pa.large_string())
        sizes = pc.binary_length(texts).to_numpy(zero_copy_only=False)
        if not sizes.any():
            continue
        for row in np.flatnonzero(sizes > most).tolist():
            size = limits.format_bytes(int(sizes[row]))
            rule = f"at most {limits.format_bytes(most)}; this has {size}"
            table.wrong(row, str(name), table.cells[name].iloc[row], rule)
        nul = pc.match_substring(texts, "\0").to_numpy(zero_copy_only=False)
        rule = "without NUL (U+0000), which a ledger cannot store"
        table.wrong_where(nul, table.cells[name], rule)
    return table


def _require_rows(path: Path, count: int) -> None:
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
    if not names or twice:
        raise BadInput(
            f"{path.name} has {'no header' if not names else f'the column {twice[0]!r} twice'}."
        )


def _require_utf8(path: Path) -> None:
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


def _read_csv(path: Path) -> tuple[pd.DataFrame, dict[int, list[str]]]:
    """Return the cells and the ragged rows of a ``Table``."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        header = next(csv.reader(file), [])
    if "\0" in "".join(header):
        _require_utf8(path)
    for separator, name in ((";", "semicolons"), ("\t", "tabs")):
        if len(header) == 1 and separator in header[0]:
            raise BadInput(
                f"The columns of {path.name} are separated by {name}: {_short(header[0])!r}.",
                remedy="Save it with commas between columns and decimal points in numbers.",
            )
    _require_columns(path, header)
    try:
        table = pyarrow.csv.read_csv(
            path,
            # A single block, since a row that crosses blocks is an error.
            read_options=pyarrow.csv.ReadOptions(
                block_size=min(max(_MIB, path.stat().st_size + 1), _INT32_MAX)
            ),
            # Without a handler of invalid rows, since Arrow prints a trace if one is not UTF-8.
            parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(header, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid:
        padded, ragged = _read_ragged(path, header)
        if not ragged:
            raise
        return padded, ragged
    return table.to_pandas(), {}


def _read_ragged(path: Path, header: list[str]) -> tuple[pd.DataFrame, dict[int, list[str]]]:
    """Return the same as ``_read_csv``, slowly; such a file is refused anyway."""
    wide = len(header)
    with path.open(encoding="utf-8-sig", newline="") as file:
        cells = [row for row in csv.reader(file) if row][1:]
    filled = [[*row, *[""] * (wide - len(row))][:wide] for row in cells]
    ragged = {number: row for number, row in enumerate(cells) if len(row) != wide}
    return pd.DataFrame(filled, columns=header, dtype=str), ragged


def _read_parquet(path: Path) -> pd.DataFrame:
    """Return the cells as the same texts as in a CSV."""
    _require_small(path)
    frame = pyarrow.parquet.read_table(path).to_pandas()
    return pd.DataFrame({str(name): [_cell_text(v) for v in frame[name]] for name in frame})


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
        _require_rows(path, about.num_rows)
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


def _cell_text(value: Any) -> str:
    if isinstance(value, np.ndarray):
        # Arrow turns a null among numbers into NaN.
        value = [
            None if isinstance(item, float) and math.isnan(item) else item
            for item in value.tolist()
        ]
    if isinstance(value, list | dict):
        return json.dumps(
            value,
            ensure_ascii=False,
            default=lambda item: item.tolist() if isinstance(item, np.ndarray) else str(item),
        )
    if value is None or value is pd.NaT or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    return repr(float(value)) if isinstance(value, float) else str(value)


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"


def cell_texts(column: pd.Series[Any], kind: str) -> list[str]:
    """Return the column as the exact texts of a ledger folder, blank for missing values."""
    if kind == "time":
        return time_texts(column)
    return [_cell_text(value) for value in column]


def time_texts(column: pd.Series[Any]) -> list[str]:
    """Return times as ISO 8601 in UTC with Z, and a fraction only if there is one."""
    whole = column.dt.strftime("%Y-%m-%dT%H:%M:%S").fillna("")
    micros = column.dt.microsecond.fillna(0).astype(int)
    return [
        "" if not text else f"{text}.{micro:06d}Z" if micro else f"{text}Z"
        for text, micro in zip(whole, micros, strict=True)
    ]


def write_csv(path: Path, columns: dict[str, Iterable[str]]) -> None:
    """Write one file of a ledger folder, with line feeds and as few quotes as possible.

    The standard library's writer is not used: with line feeds it leaves a lone carriage return
    unquoted, and the file could not be read back.
    """
    rows = zip(*columns.values(), strict=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(",".join(columns) + "\n")
        file.writelines(",".join(map(_quoted, row)) + "\n" for row in rows)


def _quoted(text: str) -> str:
    if _NEEDS_QUOTES.search(text) is None:
        return text
    return '"' + text.replace('"', '""') + '"'
