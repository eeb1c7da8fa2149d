"""Rows sorted into batches: in each part's file one after another, read back across all parts.

A batch has the rows of some groups: all rows of a forecaster, of a team's members, or on the
questions with a tag. A row that several batches need is in each of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.ipc

Places = npt.NDArray[np.integer]
SUFFIX, _NUMBERS = ".arrow", b"batches"
MOST_BYTES = (1 << 31) - 1  # of the texts in a chunk of Arrow's type ``string``


@dataclass(frozen=True)
class Spread:
    """The batches of each key: those from ``first[key]`` to ``first[key + 1]`` of ``batch``."""

    first: Places
    batch: Places

    @classmethod
    def of_pairs(
        cls, keys: Sequence[int] | Places, batches: Sequence[int] | Places, many: int
    ) -> Spread:
        """Return the spread of pairs of a key, below ``many``, and a batch, without repeats."""
        batch, key = np.asarray(batches, dtype=np.intp), np.asarray(keys, dtype=np.intp)
        width = int(batch.max(initial=0)) + 1
        both = np.unique(key * width + batch)
        return cls(np.searchsorted(both // width, np.arange(many + 1)), both % width)

    def rows(self, keys: Places) -> tuple[Places, Places]:
        """Return the rows, positions in ``keys``, once for each of their batches, and the batch."""
        many = self.first[keys + 1] - self.first[keys]
        row = np.repeat(np.arange(len(keys)), many)
        number = np.arange(len(row)) - np.repeat(np.cumsum(many) - many, many)
        return row, self.batch[self.first[keys][row] + number]


def packed(sizes: Mapping[str, int], room: int) -> list[tuple[str, ...]]:
    """Return the names in batches, each of ``room`` in sum at most; a larger name is a batch alone.

    >>> packed({"ana": 3, "ben": 5, "cem": 9, "dan": 1}, 8)
    [('ana', 'ben'), ('cem',), ('dan',)]
    """
    batches: list[list[str]] = []
    left = 0
    for name, size in sizes.items():
        if not batches or size > left:
            batches.append([])
            left = room
        batches[-1].append(name)
        left -= size
    return [tuple(names) for names in batches]


def write(path: Path, table: Any, batch: Places) -> None:
    """Write an Arrow table; ``batch`` has the number of each row's batch."""
    order = np.argsort(batch, kind="stable")
    numbers, starts = np.unique(batch[order], return_index=True)
    # All rows at once: from a table in chunks, batch by batch takes longer than all the rest.
    if table.nbytes > MOST_BYTES:
        table = table.cast(_with_large_texts(table.schema))
    table = table.take(pa.array(order)).combine_chunks()
    table = table.replace_schema_metadata({_NUMBERS: numbers.astype("<i8").tobytes()})
    path.parent.mkdir(exist_ok=True)
    draft = path.with_suffix(".draft")
    options = pyarrow.ipc.IpcWriteOptions(compression="zstd")
    with (
        pa.OSFile(str(draft), "wb") as sink,
        pyarrow.ipc.new_file(sink, table.schema, options=options) as writer,
    ):
        for start, end in pairwise([*starts, len(order)]):
            writer.write_table(table.slice(start, end - start))
    draft.replace(path)


def _with_large_texts(schema: Any) -> Any:
    return pa.schema(
        [one.with_type(pa.large_string()) if one.type == pa.string() else one for one in schema]
    )


def read(folder: Path, batch: int) -> Iterator[Any]:
    """Yield the rows of a batch as Arrow tables, one from each file that has some."""
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        with pa.OSFile(str(path)) as source, pyarrow.ipc.open_file(source) as file:
            numbers = np.frombuffer(file.schema.metadata[_NUMBERS], "<i8")
            for at in np.flatnonzero(numbers == batch).tolist():
                yield pa.Table.from_batches([file.get_batch(at)]).replace_schema_metadata()
