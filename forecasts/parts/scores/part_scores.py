"""The scores of one part, made by a worker of any kind.

A worker imports this module alone, so it starts without the database or the commands.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet

import scoring
from forecasts.common.errors import BadInput, Problem
from forecasts.parts.chunks import CHUNK_ROWS, IDS, Chunk, chunks, problem_place
from forecasts.parts.files import AGAIN, changed, file_sha256, part_file, require_own
from forecasts.parts.scores.digest import Digest

# The metadata of a file of scores.
_MADE_FROM, _DIGEST = b"forecast-ledger", b"forecast-ledger-digest"
_NAMES = (*IDS, "protocol")
_NAME = pa.dictionary(pa.int32(), pa.string())
_COLUMNS = {
    "question_id": _NAME,
    "forecaster": _NAME,
    "protocol": _NAME,
    "score": pa.float64(),
    "coverage": pa.float64(),
    "updates": pa.int64(),
}
_SCHEMA = pa.schema([pa.field(name, kind, nullable=False) for name, kind in _COLUMNS.items()])
# The columns with few different values.
_REPEATED = [*_NAMES, "updates"]


@dataclass(frozen=True)
class Task:
    """One of ``parts`` parts to score: its files and their hashes, and the file to write.

    ``listed``: when their manifest was written, in nanoseconds since 1970. ``made_from`` is the
    metadata of the file to write: input, protocols, version of ``scoring``.
    """

    part: int
    parts: int
    forecasts: int
    inputs: Mapping[Path, str]
    listed: int
    output: Path
    made_from: Mapping[str, Any]


@dataclass(frozen=True)
class PartScores:
    """The scores of one part: their rows and digest; whether their file was there already."""

    rows: int
    digest: str
    kept: bool


def score_part(task: Task) -> PartScores:
    """Return one part's scores, whose file is written unless it is there.

    BadInput names the question and the rule of each invalid value, or the file that has changed.
    """
    if (version := task.made_from["scoring"]) != scoring.__version__:
        raise BadInput(
            f"This worker has version {scoring.__version__} of forecast-ledger, not {version}.",
            remedy="Install the same version on all workers.",
        )
    for path, sha256 in task.inputs.items():
        # Hashing a file takes a tenth of the time, so a file older than the manifest is trusted.
        if path.stat().st_mtime_ns >= task.listed and file_sha256(path) != sha256:
            raise changed(path)
    if (kept := _kept(task)) is not None:
        return kept
    draft = task.output.with_name(f".{task.output.name}.{uuid4().hex}")
    metadata = {_MADE_FROM: json.dumps(task.made_from)}
    rows, digest = 0, Digest()
    try:
        with pyarrow.parquet.ParquetWriter(
            draft,
            _SCHEMA.with_metadata(metadata),
            # Zstandard hardly makes scores smaller, and takes longer than writing them.
            compression={"score": "none", "coverage": "none"} | dict.fromkeys(_REPEATED, "zstd"),
            use_dictionary=_REPEATED,
            write_statistics=False,  # they take as long as the rest, and select nothing
            max_rows_per_page=CHUNK_ROWS,  # so that only their size limits pages
        ) as writer:
            for chunk in chunks(*task.inputs):
                table = _table(scored(chunk, task), task.made_from["protocols"])
                writer.write_table(table)
                digest.add(table)
                rows += len(table)
            writer.add_key_value_metadata({_DIGEST: digest.hexdigest()})
        draft.replace(task.output)
    finally:
        draft.unlink(missing_ok=True)
    return PartScores(rows, digest.hexdigest(), kept=False)


def scored(chunk: Chunk, task: Task) -> pd.DataFrame:
    """Return ``scoring.score`` of a chunk. BadInput lists invalid values by file and question."""
    require_own(chunk.questions["question_id"].dropna().tolist(), task.part, task.parts)
    try:
        return scoring.score(chunk.questions, chunk.forecasts, task.made_from["protocols"])
    except scoring.InputError as error:
        problems = []
        for one in error.problems:
            file = part_file(one.frame, task.part) if one.frame else ""
            place = [file, *problem_place(chunk, one.frame, one.row), one.column]
            shown = "" if one.value is None else str(one.value)
            problems.append(Problem(", ".join(filter(None, place)), shown, one.rule))
        raise BadInput(
            f"Part {task.part} breaks the rules of a ledger in {len(problems):,} "
            f"place{'s' if len(problems) > 1 else ''}, so it was not scored.",
            problems=problems,
            remedy=("Correct the input.", AGAIN),
        ) from None


def _kept(task: Task) -> PartScores | None:
    """Return the part's scores if their file exists, from the same input and undamaged."""
    try:
        with pyarrow.parquet.ParquetFile(task.output, read_dictionary=_NAMES) as file:
            said = file.metadata.metadata or {}
            if said.get(_MADE_FROM) != json.dumps(task.made_from).encode():
                return None
            found = Digest()
            for batch in file.iter_batches():
                found.add(pa.table(batch))
            if said.get(_DIGEST) != found.hexdigest().encode():
                return None
            return PartScores(file.metadata.num_rows, found.hexdigest(), kept=True)
    except (OSError, pa.ArrowException, UnicodeDecodeError):
        return None


def _table(frame: pd.DataFrame, protocols: Sequence[str]) -> Any:
    columns = {name: frame[name] for name in ("score", "coverage", "updates")}
    arrays = {name: pa.array(column.to_numpy()) for name, column in columns.items()}
    for name in IDS:
        column = frame[name].astype("category").cat
        arrays[name] = _names(column.codes.to_numpy(), column.categories)
    at = np.zeros(len(frame), dtype=np.intp)
    if len(protocols) > 1:
        at = pd.Index(protocols).get_indexer(pd.Index(frame["protocol"]))
    arrays["protocol"] = _names(at, protocols)
    return pa.table([arrays[name] for name in _SCHEMA.names], schema=_SCHEMA)


def _names(codes: npt.NDArray[Any], texts: Sequence[str] | pd.Index) -> Any:
    names = pa.array(texts, pa.string())
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), names)
