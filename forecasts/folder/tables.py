"""One file of a ledger folder, read with every bad cell named and written exactly.

Arrow reads the CSV: it guesses no types, and refuses a row of the wrong length. Numbers are
converted to the nearest float, so that a round trip changes no bit.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from forecasts.common import limits
from forecasts.common.errors import BadInput, Problem
from forecasts.common.text import cut
from forecasts.folder.cells import READERS, BadCell, cell_text

_TEXT, _TIME = pa.large_string(), pa.timestamp("us", "UTC")
_COMMA, _QUOTE, _LINE, _BLANK = (pa.scalar(text, _TEXT) for text in (",", '"', "\n", ""))
# Python's white space, which Arrow's regular expressions know only in part.
_SPACE = (
    r"[\s\x0b\x1c-\x1f\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}"
    r"\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}]"
)
_NEEDS_QUOTES = rf'[",\r\n]|^{_SPACE}|{_SPACE}$'


@dataclass
class Table:
    """One file, its columns parsed, with the problems noted so far.

    ``header``: the names of the file's columns. ``noted``: the rows with a problem, by column.
    ``ragged``: the rows with more or fewer cells than the header, as they are in the file; in
    ``frame`` they are cut or padded with blanks. ``separator``: the character between columns.
    ``placed`` returns the location of a row that is elsewhere.
    """

    path: Path
    header: Sequence[str] = ()
    frame: pd.DataFrame = field(default_factory=pd.DataFrame)
    ragged: Mapping[int, list[str]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    noted: defaultdict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    separator: str = ","
    placed: Callable[[int], str] | None = None
    _lines: list[int] | None = None

    def __post_init__(self) -> None:
        wide = len(self.header)
        self.problems += [
            BadCell(
                f"{self.path.name}, line {self._line(row)}",
                cut(self.separator.join(cells), 60),
                f"a row of {wide} cells, like the header; this has {len(cells)}",
                row,
            )
            for row, cells in self.ragged.items()
        ]

    def wrong(self, row: int, column: str, value: Any, rule: str) -> None:
        """Note that the cell in that row breaks a rule; row 0 is the first below the header.

        Ragged rows are skipped, since their cells cannot be matched with columns.
        """
        self.noted[column].add(row)
        if row in self.ragged:
            return
        at = self.header.index(column) if column in self.header else 0
        place = f"{self.place(row)}, column {column}"
        shown = "" if pd.api.types.is_scalar(value) and pd.isna(value) else str(value)
        self.problems.append(BadCell(place, shown, rule, row, at))

    def wrong_where(self, mask: Any, column: pd.Series[Any], rule: str) -> None:
        """Note that the cells of the column break a rule where the mask is true."""
        for row in np.flatnonzero(mask).tolist():
            self.wrong(row, str(column.name), column.iloc[row], rule)

    def require(self, column: pd.Series[Any], rule: str = "required") -> None:
        """Note the blank cells of the column, except those noted already."""
        blank = column.str.strip() == "" if column.dtype == "str" else column.isna()
        for row in np.flatnonzero(blank).tolist():
            if row not in self.noted[str(column.name)]:
                self.wrong(row, str(column.name), "", rule)

    def by_line(self) -> list[Problem]:
        """Return the problems in the order of the lines, and of the columns in a line."""
        return sorted(
            self.problems,
            key=lambda one: (one.row, one.column) if isinstance(one, BadCell) else (0, 0),
        )

    def place(self, row: int) -> str:
        """Return the file with the row's line, or its number in Parquet."""
        if self.placed is not None:
            return self.placed(row)
        name, is_parquet = self._file
        where = f"row {row + 1}" if is_parquet else f"line {self._line(row)}"
        return f"{name}, {where}"

    @cached_property
    def _file(self) -> tuple[str, bool]:
        """The file's name, and whether it is Parquet; once, as every forecast has a place."""
        return self.path.name, self.path.suffix == ".parquet"

    def _line(self, row: int) -> int:
        """Return the line in which a row begins; texts may contain line breaks."""
        if self._lines is None:
            with self.path.open(encoding="utf-8-sig", newline="") as file:
                reader = csv.reader(file, delimiter=self.separator)
                begins, self._lines = 1, []
                for cells in reader:
                    if cells:
                        self._lines.append(begins)
                    begins = reader.line_num + 1
        return self._lines[row + 1]


def read_table(
    path: Path, kinds: Mapping[str, str], separator: str = ",", *, last_can_lack: str | None = None
) -> Table:
    """Return the file, its columns parsed as their kinds (see ``frames.Frames``).

    Bad cells are noted. If the last column has the name ``last_can_lack``, rows may lack its cell.
    BadInput if it is not a plain file or not a table in UTF-8, or exceeds ``common.limits``.
    """
    try:
        limits.require_file(path, limits.FILE_BYTES)
        if path.suffix == ".parquet":
            return _parsed(path, read_parquet(path), kinds)
        cells, ragged = read_csv(path, separator, last_can_lack)
        return _parsed(path, cells, kinds, ragged, separator)
    except MemoryError:  # Arrow's is one of its own errors too
        raise
    except (pa.ArrowException, UnicodeDecodeError, csv.Error) as error:
        if path.suffix != ".parquet":
            require_utf8(path)
        reason = " ".join(str(error).split())
        raise BadInput(
            f"{path.name} cannot be read: {reason}.",
            problems=[Problem(path.name, "", reason)],
            remedy="It must be UTF-8 CSV with a header, or Parquet with the same columns.",
        ) from None
    except OSError as error:
        raise BadInput(f"{path.name} cannot be read: {error.strerror or error}.") from None


def empty_table(path: Path, kinds: Mapping[str, str]) -> Table:
    """Return the table of a file that does not exist."""
    return _parsed(path, pd.DataFrame(columns=list(kinds), dtype=str), kinds)


def _parsed(
    path: Path,
    cells: pd.DataFrame,
    kinds: Mapping[str, str],
    ragged: Mapping[int, list[str]] | None = None,
    separator: str = ",",
) -> Table:
    require_rows(path, len(cells))
    table = Table(path, list(map(str, cells)), ragged=ragged or {}, separator=separator)
    _note_overlong(table, cells)
    blank = pd.Series([""] * len(cells), dtype=str)
    columns = {}
    for name, kind in kinds.items():

        def wrong(row: int, value: Any, rule: str, column: str = name) -> None:
            table.wrong(row, column, value, rule)

        # The texts of a column take no memory any more once it is parsed.
        columns[name] = READERS[kind](wrong, cells.pop(name) if name in cells else blank)
    table.frame = pd.DataFrame(columns)
    return table


# The columns that become indexed names.
_NAMES = (
    *("question_id", "other_id", "forecaster", "team", "evidence_id", "url", "article_url"),
    *("group", "group_title", "group_label"),
)


def _note_overlong(table: Table, cells: pd.DataFrame) -> None:
    """Note every cell that is too long, or that a ledger cannot store."""
    for name in map(str, cells):
        most = limits.NAME_BYTES if name in _NAMES else limits.TEXT_BYTES
        texts = pa.array(cells[name], pa.large_string())
        sizes = pc.binary_length(texts).to_numpy(zero_copy_only=False)
        for row in np.flatnonzero(sizes > most).tolist():
            size = limits.format_bytes(int(sizes[row]))
            rule = f"at most {limits.format_bytes(most)}; this has {size}"
            table.wrong(row, name, cells[name].iloc[row], rule)
        nul = pc.match_substring(texts, "\0").to_numpy(zero_copy_only=False)
        for row in np.flatnonzero(nul).tolist():
            rule = "without NUL (U+0000), which a ledger cannot store"
            table.wrong(row, name, cells[name].iloc[row], rule)


def batch_texts(batch: Any, kinds: Mapping[str, str]) -> dict[str, Any]:
    """Return the columns of a frame, or of a record batch of forecasts, as their exact texts."""
    if isinstance(batch, pd.DataFrame):
        return {name: cell_texts(batch[name], kind) for name, kind in kinds.items()}
    texts = dict(zip(batch.schema.names, batch.columns, strict=True))
    # In full precision, as Python writes them; Arrow writes some in other forms.
    numbers = [None if p is None else repr(p) for p in texts["probability"].to_pylist()]
    return texts | {"made_at": iso_texts(texts["made_at"]), "probability": pa.array(numbers, _TEXT)}


def cell_texts(column: pd.Series[Any], kind: str) -> list[str]:
    """Return the column as the exact texts of a ledger folder, blank for missing values."""
    if kind == "time":
        return time_texts(column)
    if column.dtype == "str":
        texts: list[str] = column.fillna("").tolist()
        return texts
    return [cell_text(value) for value in column]


def time_texts(column: pd.Series[Any]) -> list[str]:
    """Return times as ISO 8601 in UTC with Z, and a fraction only if there is one."""
    texts: list[str] = iso_texts(pa.array(column, _TIME)).fill_null("").to_pylist()
    return texts


def iso_texts(times: Any) -> Any:
    """Return an Arrow array of times as ``time_texts``, null for missing ones."""
    # Arrow takes 15 times as long to write times with a zone.
    naive = times.cast(_TIME).cast(pa.timestamp("us")).cast(_TEXT)  # always six digits
    exact = pc.binary_replace_slice(naive, 10, 11, "T")
    return pc.if_else(
        pc.ends_with(exact, ".000000"),
        pc.binary_replace_slice(exact, 19, 26, "Z"),
        pc.binary_replace_slice(exact, 26, 26, "Z"),
    )


def write_csv(path: Path, batches: Iterable[Mapping[str, Any]]) -> None:
    """Write one file of a ledger folder, with line feeds and as few quotes as possible.

    ``batches``: at least one, of columns that are Arrow arrays or other collections of texts.
    Null is blank. Neither the standard library's writer nor Arrow's is used: with line feeds the
    first leaves a lone carriage return unquoted, and the file could not be read back; the second
    quotes every text.
    """
    with path.open("wb") as file:
        for place, batch in enumerate(batches):
            if not place:
                file.write((",".join(batch) + "\n").encode())
            cells = [_quoted(column) for column in batch.values()]
            ended = pc.binary_join_element_wise(cells.pop(), _LINE, _BLANK)
            lines = pc.binary_join_element_wise(*cells, ended, _COMMA)
            _, offsets, texts = lines.buffers()
            file.write(texts[: np.frombuffer(offsets, np.int64)[len(lines)]])


def _quoted(column: Any) -> Any:
    """Return the texts as an Arrow array, with those in quotes that need them."""
    if not isinstance(column, pa.Array):
        column = pa.array(list(column), _TEXT)
    if pa.types.is_dictionary(column.type):
        return _quoted(column.dictionary).take(column.indices)
    texts = column.cast(_TEXT).fill_null("")
    needed = pc.match_substring_regex(texts, _NEEDS_QUOTES)
    if not pc.any(needed).as_py():
        return texts
    doubled = pc.replace_substring(texts, '"', '""')
    quoted = pc.binary_join_element_wise(_QUOTE, doubled, _QUOTE, _BLANK)
    return pc.if_else(needed, quoted, texts)


SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
_MIB = 1 << 20
_INT32_MAX = (1 << 31) - 1  # the longest block and field
# An article is one cell, and can be longer than the reader's default limit of 128 KiB.
csv.field_size_limit(_INT32_MAX)


def read_csv(
    path: Path, separator: str = ",", last_can_lack: str | None = None
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
        header = next(csv.reader(_first_lines(path, file), delimiter=separator), [])
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


def _first_lines(path: Path, file: TextIO) -> Iterator[str]:
    """Yield lines of up to a MiB in all; BadInput if more are wanted for the header."""
    left = _MIB
    while line := file.readline(left + 1):
        left -= len(line)
        if left < 0:
            raise limits.too_much(
                path.name,
                "a longer header",
                f"{limits.format_bytes(_MIB)} of it",
                "Close its quotation marks; its first line names the columns.",
            )
        yield line


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
    return pd.DataFrame(
        {str(name): [cell_text(v) for v in frame[name]] for name in frame}, dtype=str
    )


def _require_small(path: Path) -> None:
    """Refuse a file that would unpack to more than a CSV may have, without unpacking it.

    First by its metadata; then by the size of its texts written out, which is computed from their
    dictionary encoding.
    """
    with pyarrow.parquet.ParquetFile(path) as file:
        about = file.metadata
        names = [about.schema.column(place).path for place in range(about.num_columns)]
        parts = [about.row_group(place) for place in range(about.num_row_groups)]
        # Column metadata is not read: for a damaged file that makes Arrow end the process.
        require_rows(path, about.num_rows)
        _require_bytes(path, sum(part.total_byte_size for part in parts))
    parquet_header(path)
    with pyarrow.parquet.ParquetFile(path, read_dictionary=names) as file:
        size = 0
        for batch in file.iter_batches():
            size += sum(map(_written_out, batch.columns))
            _require_bytes(path, size)
            for column in batch.columns:
                if pa.types.is_dictionary(column.type):
                    longest = pc.max(pc.binary_length(column.dictionary)).as_py() or 0
                    _require_text(path, longest)


def parquet_header(path: Path) -> list[str]:
    """Return the names of a Parquet file's columns, without reading the columns.

    BadInput if its metadata tells of too many columns, a text that is too long, or a row group that
    is too large for its rows.
    """
    with pyarrow.parquet.ParquetFile(path) as file:
        about, names = file.metadata, file.schema_arrow.names
        _require_columns(path, names)
        for part in map(about.row_group, range(about.num_row_groups)):
            cells = max(1, part.num_rows * about.num_columns)
            _require_text(path, part.total_byte_size // cells)
            most = limits.GROUP_BYTES + limits.GROUP_ROW_BYTES * part.num_rows
            if part.total_byte_size > most:
                raise limits.too_much(
                    path.name,
                    f"{limits.format_bytes(part.total_byte_size)} in {part.num_rows:,} rows",
                    limits.format_bytes(most),
                    "Shorten its texts, or write it in more row groups.",
                )
    return list(names)


def _require_text(path: Path, size: int) -> None:
    """Refuse a file with a text of ``size`` bytes or more."""
    if size > limits.TEXT_BYTES:
        raise limits.too_much(
            path.name,
            f"a text of {limits.format_bytes(size)} or more",
            f"{limits.format_bytes(limits.TEXT_BYTES)} of one",
            "Shorten it.",
        )


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
    for name in names:
        if len(name) > limits.NAME_BYTES:
            raise limits.too_much(
                f"The column {cut(name, 60)!r} of {path.name}",
                f"a name of {len(name):,} characters",
                f"{limits.NAME_BYTES:,}",
                "Rename it; close the quotation marks of the header.",
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
