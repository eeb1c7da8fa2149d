"""The files of an import from another platform, each read within limits."""

from __future__ import annotations

import csv
import json
import os
import re
import tempfile
import zipfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

from forecasts.common import limits
from forecasts.common.errors import BadInput
from forecasts.common.json_text import no_constant
from forecasts.folder.archive import unpack, unpack_gzip
from forecasts.folder.tables import (
    Table,
    csv_header,
    empty_table,
    read_table,
    require_utf8,
    separator_of,
)

# A JSON document takes some ten times its size in memory.
JSON_BYTES = 100_000_000
_DECODER = json.JSONDecoder(parse_constant=no_constant)
_SPACE = re.compile(r"[ \t\r\n]*")
AS_WRITTEN = "Give the file as the platform wrote it."


@dataclass(frozen=True)
class Source:
    """The plain files of an import, by their paths inside it: one file, a folder's, or a ZIP's."""

    name: str
    files: Mapping[str, Path]

    @cached_property
    def headers(self) -> Mapping[str, list[str]]:
        """The header of each CSV file by its path; blank for a file without one."""
        return {
            name: _header(path)
            for name, path in self.files.items()
            if path.suffix.lower() == ".csv"
        }

    @property
    def json_files(self) -> list[str]:
        """The paths of the JSON files."""
        endings = (".json", ".jsonl", ".ndjson")
        return [name for name, path in self.files.items() if path.suffix.lower() in endings]

    def table(
        self,
        name: str | None,
        kinds: Mapping[str, str],
        separator: str = ",",
        *,
        last_can_lack: str | None = None,
    ) -> Table:
        """Return the columns of a CSV file, parsed as these kinds; missing ones are blank.

        Bad cells are noted in the table, and further ones with ``Table.wrong``. Without a name the
        table is empty. ``last_can_lack``: see ``read_table``.
        """
        if name is None:
            return empty_table(Path(self.name), kinds)
        return read_table(self.files[name], kinds, separator, last_can_lack=last_can_lack)

    def csv_with(self, columns: Sequence[str]) -> str:
        """Return the only CSV file that has these columns; BadInput if there is not one."""
        found = [name for name, header in self.headers.items() if set(columns) <= set(header)]
        if len(found) == 1:
            return found[0]
        remedy = "Import one export at a time, as the platform wrote it."
        if len(self.headers) == 1:
            [(name, header)] = self.headers.items()
            missing = next(column for column in columns if column not in header)
            raise BadInput(f"{name} has no column {missing!r}.", remedy=remedy)
        have = f"{len(found)} files" if found else "no CSV file"
        raise BadInput(f"{self.name} has {have} with the columns of this format.", remedy=remedy)

    def start(self, name: str) -> str:
        """Return the first 4,000 characters of a file, to recognise it by."""
        with self.files[name].open("rb") as file:
            return file.read(4_000).decode("utf-8-sig", "replace")

    def starts_with(self, *sets: Sequence[str]) -> bool:
        """Return whether a JSON file begins with all the field names of one of the sets."""
        starts = map(self.start, self.json_files)
        return any(
            all(f'"{name}"' in start for name in names) for start in starts for names in sets
        )

    def records(
        self, name: str, lists: Collection[str] = (), *, most_bytes: int = JSON_BYTES
    ) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield the number and the fields of each object of a JSON file, from 1.

        The file is a list of objects, has them one after another, as JSON lines have, or is one
        object with lists of them, whose first field is one of ``lists``. They are taken one by one,
        so that they need little memory. BadInput for any other file.
        """
        number = 0
        try:
            for number, value in enumerate(_values(self.text(name, most_bytes), lists), 1):
                if not isinstance(value, dict):
                    raise ValueError("it is not an object")
                yield number, value
        except (ValueError, RecursionError) as error:
            fault = getattr(error, "msg", str(error))
            if isinstance(error, RecursionError):
                fault = "it is nested too deeply"
            raise BadInput(
                f"{name} cannot be read after record {number:,}: {fault}.", remedy=AS_WRITTEN
            ) from None

    def text(self, name: str, most_bytes: int) -> str:
        """Return the text of a file. BadInput if it is too large, or not UTF-8."""
        path = self.files[name]
        limits.require_file(path, most_bytes)
        try:
            return path.read_bytes().decode("utf-8-sig")
        except UnicodeDecodeError:
            require_utf8(path)
            raise


@contextmanager
def opened(path: Path, *, most_bytes: int = limits.FILE_BYTES) -> Iterator[Source]:
    """Yield the files at a path: a file, a folder, or a packed one.

    A ZIP or a gzip file is unpacked aside meanwhile.
    """
    # ``Path.exists`` raises for a name that no file can have; this does not.
    if not os.path.exists(path):
        raise BadInput(f"There is no file {str(path)!r}.", remedy="Check the path.")
    if path.is_dir():
        yield Source(path.name, _files(path))
        return
    limits.require_file(path, limits.FILE_BYTES)
    is_gzip = path.suffix.lower() == ".gz"
    if not is_gzip and not zipfile.is_zipfile(path):
        yield Source(path.name, {path.name: path})
        return
    with tempfile.TemporaryDirectory(prefix="platform-export-") as aside:
        unpacker = unpack_gzip if is_gzip else unpack
        plain = unpacker(path, Path(aside), most_bytes=most_bytes)
        yield Source(path.name, {plain.name: plain} if is_gzip else _files(plain))


def _files(folder: Path) -> dict[str, Path]:
    """Return the plain files below a folder; links and hidden files are left out."""
    found = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    if len(found) > limits.ARCHIVE_ENTRIES:
        raise limits.too_much(
            folder.name, f"{len(found):,} files", f"{limits.ARCHIVE_ENTRIES:,}", "Name fewer."
        )
    names = {path: path.relative_to(folder) for path in found}
    return {
        name.as_posix(): path
        for path, name in names.items()
        if not any(part.startswith(".") for part in name.parts)
    }


def _header(path: Path) -> list[str]:
    try:
        return csv_header(path, separator_of(path))
    except UnicodeDecodeError:
        require_utf8(path)
        raise
    except csv.Error as error:
        raise BadInput(f"{path.name} is not a CSV file: {error}.", remedy=AS_WRITTEN) from None


def _values(text: str, lists: Collection[str]) -> Iterator[Any]:
    """Yield the values of a list, or those that follow one another; those in an object's lists."""
    at = _after_space(text, 0)
    is_list = text[at : at + 1] == "["
    if is_list:
        at = _after_space(text, at + 1)
        if text[at : at + 1] == "]" and _after_space(text, at + 1) == len(text):
            return
    while at < len(text):
        value, at = _DECODER.raw_decode(text, at)
        is_page = isinstance(value, dict) and next(iter(value), "") in lists
        parts = [one for one in value.values() if isinstance(one, list)] if is_page else [[value]]
        yield from chain.from_iterable(parts)
        at = _after_space(text, at)
        if is_list and at < len(text):
            if text[at] == "]" and _after_space(text, at + 1) == len(text):
                return
            if text[at] != ",":
                raise ValueError("it lacks a comma")
            at = _after_space(text, at + 1)
    if is_list:
        raise ValueError("it ends in the middle")


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    assert found is not None
    return found.end()
