"""Rows set aside by part: temporary files of Arrow batches, in the order of the input."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from forecasts.parts.partition.sources import Batch

# Where each row came from: the number of its source, and its row there, from 0.
SOURCE, ROW = "source of row", "row of source"
_FAST = pa.ipc.IpcWriteOptions(compression="lz4")


@dataclass
class Spill:
    """The temporary files, one a table and part. ``rows``: the number of forecasts."""

    folder: Path
    parts: int
    rows: int = 0
    _bytes: dict[int, int] = field(default_factory=dict)

    def add(self, table: str, batch: Batch, source: int, base: int) -> None:
        """Append a batch of a source to the files of its parts; ``base``: the rows before it."""
        if not len(batch.rows):
            return
        part = batch.hashes % np.uint32(self.parts)
        if self.parts <= 1 << 16:
            part = part.astype(np.uint16)  # sorted by counting
        order = np.argsort(part, kind="stable")
        ends = np.cumsum(np.bincount(part, minlength=self.parts)).tolist()
        rows = batch.rows.take(pa.array(order))
        rows = rows.append_column(SOURCE, pa.array(np.full(len(order), source, dtype=np.int32)))
        rows = rows.append_column(ROW, pa.array(base + order))
        start = 0
        for number, end in enumerate(ends):
            if end > start:
                own = rows.slice(start, end - start)
                self._append(self._path(table, number), own)
                self._bytes[number] = self._bytes.get(number, 0) + own.nbytes
            start = end
        if table == "forecasts":
            self.rows += len(rows)

    def bytes_of(self, part: int) -> int:
        """Return the size in memory of a part's rows."""
        return self._bytes.get(part, 0)

    def read(self, table: str, part: int) -> Iterator[Any]:
        """Yield the batches of a part, with ``SOURCE`` and ``ROW``."""
        path = self._path(table, part)
        if not path.exists():
            return
        with pa.OSFile(str(path)) as file:
            size = file.size()
            while file.tell() < size:
                with pa.ipc.open_stream(file) as stream:
                    yield stream.read_all()

    def remove(self, part: int) -> None:
        """Delete the files of a part."""
        for table in ("questions", "forecasts"):
            self._path(table, part).unlink(missing_ok=True)

    def _path(self, table: str, part: int) -> Path:
        return self.folder / f"{table}-{part}"

    @staticmethod
    def _append(path: Path, rows: Any) -> None:
        # A stream each time: no more files are open than one, however many parts there are.
        with path.open("ab") as file, pa.ipc.new_stream(file, rows.schema, options=_FAST) as sink:
            sink.write(rows)
