"""Answers of an API as the platform's files, which the reader of its exports reads."""

from __future__ import annotations

import csv
import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from forecasts.platforms.formats import Reader
from forecasts.platforms.record import Choices, PlatformRecord
from forecasts.platforms.source import Source


def read_rows(
    reader: Reader,
    rows: Mapping[str, Iterable[Mapping[str, Any]]],
    choices: Choices,
    columns: Mapping[str, Sequence[str]] = {},
) -> PlatformRecord:
    """Return the record of files with these rows, by their names: CSVs with these columns, or JSON.

    The files are gone by then, so a place in a CSV is a question instead of a line.
    """
    with tempfile.TemporaryDirectory(prefix="pull-") as folder:
        files = {name: Path(folder, name) for name in rows}
        for name, path in files.items():
            with path.open("w", encoding="utf-8", errors="replace", newline="") as file:
                if name in columns:
                    writer = csv.DictWriter(file, columns[name])
                    writer.writeheader()
                    writer.writerows(rows[name])
                else:
                    file.writelines(json.dumps(one) + "\n" for one in rows[name])
        record = reader.read(Source("the account", files), choices)
    if not columns:
        return record
    frames = record.frames

    def place(table: str, row: int) -> str:
        return f"{table}, {getattr(frames, table).iloc[row].iloc[0]}"

    return replace(record, frames=replace(frames, place=place))
