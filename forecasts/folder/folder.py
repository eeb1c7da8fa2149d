"""A ledger folder, a ledger in plain files: read with every rule checked, written exactly.

The format is a fixed interchange with other tools; ``datapackage.json`` describes it. A folder is
read whole or not at all: the problems of all its files are raised together.
"""

from __future__ import annotations

import json
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from itertools import chain, islice
from pathlib import Path
from typing import Any

import pandas as pd

from forecasts.common import limits
from forecasts.common.errors import BadInput, Problem
from forecasts.common.text import counted
from forecasts.folder.archive import open_archive, unpack
from forecasts.folder.cells import require_sound
from forecasts.folder.drafts import drafted
from forecasts.folder.frames import (
    ARTICLE_COLUMNS,
    EVIDENCE_COLUMNS,
    FORECAST_COLUMNS,
    LINK_COLUMNS,
    QUESTION_COLUMNS,
    TEAM_COLUMNS,
    Frames,
)
from forecasts.folder.rules import check_folder, require_values
from forecasts.folder.tables import Table, batch_texts, empty_table, read_table, write_csv
from forecasts.values.outcomes import NOT_SCORED

# Each file with its columns, and those that are required.
FILES: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "questions": (QUESTION_COLUMNS, ("question_id", "open_time", "scheduled_close_time")),
    "forecasts": (FORECAST_COLUMNS, ("question_id", "forecaster", "made_at")),
    "teams": (TEAM_COLUMNS, ("team", "forecaster")),
    "evidence": (EVIDENCE_COLUMNS, ("evidence_id",)),
    "articles": (ARTICLE_COLUMNS, ("url",)),
    "links": (LINK_COLUMNS, ("question_id", "other_id", "kind")),
}
_ENDINGS = (".csv", ".parquet")
# The time columns in which a day is enough, since no score depends on them.
_DAYS = {("evidence", "published_at"), ("articles", "published_at"), ("articles", "captured_at")}


def is_ledger_folder(path: Path) -> bool:
    """Return whether a folder or a ZIP archive has a ledger's questions or forecasts."""
    names: Iterable[str] = ()
    if os.path.isdir(path):
        names = (entry.name for entry in path.iterdir())
    elif zipfile.is_zipfile(path):
        with suppress(zipfile.BadZipFile), open_archive(path) as archive:
            names = [entry.rpartition("/")[2] for entry in archive.namelist()]
    tables = {f"{name}{ending}" for name in ("questions", "forecasts") for ending in _ENDINGS}
    return not tables.isdisjoint(names)


def read_folder(
    folder: Path,
    *,
    warn: Callable[[str], None] = lambda _: None,
    most_bytes: int = limits.FILE_BYTES,
) -> Frames:
    """Return the ledger in the folder, or in a ZIP archive of one, unpacked to ``most_bytes``.

    BadInput lists every bad cell by file, line, column, value and rule. ``warn`` is called with a
    sentence on unknown columns, which are left out, and on outcomes that were known before the end
    of scoring.
    """
    # ``Path.is_file`` raises for a name that no file can have; this does not.
    if os.path.isfile(folder):
        return _read_archive(folder, warn, most_bytes)
    if not os.path.isdir(folder):
        raise BadInput(
            f"There is no folder {str(folder)!r}.",
            remedy="Name a folder with questions.csv and forecasts.csv.",
        )
    tables = {name: _table(folder, name, warn) for name in FILES}
    frames: dict[str, Any] = {name: table.frame for name, table in tables.items()}
    check_folder(tables, frames)
    require_sound(
        f"The ledger folder {folder.name!r} breaks its rules",
        chain.from_iterable(table.problems for table in tables.values()),
    )
    _warn_of_late_ends(frames["questions"], warn)
    bare = {name: Table(table.path) for name, table in tables.items()}  # for line numbers
    return Frames(**frames, place=lambda name, row: bare[name].place(row), provisional={})


def _read_archive(archive: Path, warn: Callable[[str], None], most_bytes: int) -> Frames:
    """Return the ledger in a ZIP archive."""
    if not zipfile.is_zipfile(archive):
        raise BadInput(
            f"{archive.name} is a file, not a ledger folder.",
            remedy="Name the folder with questions.csv and forecasts.csv, or a ZIP of it.",
        )
    with tempfile.TemporaryDirectory(prefix="ledger-folder-") as aside:
        frames = read_folder(unpack(archive, Path(aside), most_bytes=most_bytes), warn=warn)
        for name in FILES:
            if len(getattr(frames, name)):
                frames.place(name, 0)  # the line numbers are read as long as the file is there
    return frames


def _table(folder: Path, name: str, warn: Callable[[str], None]) -> Table:
    """Return the file as a table, which is empty if an optional file is missing."""
    columns, required = FILES[name]
    kinds = {column: "day" if (name, column) in _DAYS else kind for column, kind in columns.items()}
    paths = [folder / f"{name}{ending}" for ending in _ENDINGS]
    found = [path for path in paths if os.path.lexists(path)]
    if not found:
        if name in ("questions", "forecasts"):
            raise BadInput(
                f"The folder {folder.name!r} has no {name}.csv.",
                remedy="A ledger folder needs questions.csv and forecasts.csv.",
            )
        return empty_table(paths[0], kinds)
    if len(found) == 2:
        raise BadInput(
            f"The folder {folder.name!r} has both {found[0].name} and {found[1].name}.",
            remedy="Keep only one of them.",
        )
    [path] = found
    if path.is_symlink() and not path.resolve().is_relative_to(folder.resolve()):
        raise BadInput(
            f"{path.name} is a link to a file outside the folder {folder.name!r}.",
            remedy="Put the file itself there.",
        )
    table = read_table(path, kinds)
    missing = [column for column in required if column not in table.header]
    if missing:
        raise BadInput(
            f"{path.name} has no column {missing[0]}.",
            problems=[Problem(path.name, column, "required column") for column in missing],
        )
    if name == "forecasts":
        require_values(path.name, table.header)
    unknown = [column for column in table.header if column not in columns]
    if unknown:
        warn(f"{path.name}: left out columns that the format does not have: {', '.join(unknown)}")
    return table


def _warn_of_late_ends(questions: pd.DataFrame, warn: Callable[[str], None]) -> None:
    late = (
        ~questions["resolution"].isin(["", *NOT_SCORED])
        & questions["actual_close_time"].isna()
        & (questions["known_at"] < questions["scheduled_close_time"])
    )
    if sentence := counted(
        int(late.sum()),
        "{n} question{s} {has} an outcome known before the scheduled close but no "
        "actual_close_time, so forecasts made after the outcome was known count. To end scoring "
        "earlier, fill in actual_close_time.",
    ):
        warn(sentence)


def write_folder(
    frames: Frames,
    folder: Path,
    *,
    overwrite: bool = False,
    further: Mapping[str, Iterable[Any]] = {},
) -> list[Path]:
    """Return the files of the ledger folder, which are written.

    ``further``: rows that follow those of a frame, in batches, so that any number needs little
    memory: frames, or record batches of forecasts (``export.forecast_batches``). Refused if the
    folder is not empty, unless ``overwrite``; BadInput if the disk refuses. If it is interrupted,
    an overwritten folder can hold files of both ledgers (see ``drafted``).
    """
    names = []
    with drafted(folder, overwrite=overwrite) as draft:
        for name, (columns, _) in FILES.items():
            frame: pd.DataFrame = getattr(frames, name)
            batches = [frame, *islice(more := iter(further.get(name, ())), 1)]
            if name not in ("questions", "forecasts") and not any(map(len, batches)):
                continue
            texts = (batch_texts(batch, columns) for batch in chain(batches, more))
            write_csv(draft / f"{name}.csv", texts)
            names.append(name)
        package = json.dumps(_datapackage(names), indent=2, ensure_ascii=False)
        (draft / "datapackage.json").write_text(package + "\n", encoding="utf-8")
        for name in FILES:  # of the ledger that is replaced
            if name not in names:
                (folder / f"{name}.csv").unlink(missing_ok=True)
            (folder / f"{name}.parquet").unlink(missing_ok=True)
    return sorted([folder / f"{name}.csv" for name in names] + [folder / "datapackage.json"])


_FIELD_TYPES = {
    "text": {"type": "string"},
    "time": {"type": "datetime", "format": "any"},
    "number": {"type": "number"},
    "flag": {"type": "boolean"},
    "json": {"type": "string"},
}


def _datapackage(names: list[str]) -> dict[str, Any]:
    """Return the Frictionless Tabular Data Package that describes the files."""
    return {
        "profile": "tabular-data-package",
        "name": "forecast-ledger",
        "description": "Texts are exact: a spreadsheet may run one that begins with =, +, - or @ "
        "as a formula. For a spreadsheet use the reports and tables in CSV.",
        "resources": [
            {
                "profile": "tabular-data-resource",
                "name": name,
                "path": f"{name}.csv",
                "encoding": "utf-8",
                "schema": {
                    "fields": [
                        {"name": column, **_FIELD_TYPES[kind]}
                        for column, kind in FILES[name][0].items()
                    ],
                    "missingValues": [""],
                },
            }
            for name in names
        ],
    }
