"""Scores of a folder of parts, by any number of workers, into a folder of results.

    FOLDER/results.json               protocols, version of ``scoring``, and each file's input, rows
                                      and hash; without a digest until all parts are scored
    FOLDER/scores/part-00000.parquet  the columns of ``scoring.score``, for the questions of a part

A file of scores says in its own metadata which input, protocols and version it was made from, and
gets its name only when it is whole. So a run that was cut off, by whatever, goes on where it was:
a file that says what is wanted stays, any other is made again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError, Executor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet

import scoring
from forecasts.common.errors import BadInput, LedgerError, Problem, Refused
from forecasts.parts.chunks import Chunk, chunks, problem_place
from forecasts.parts.execution import Processes, finished, is_lost

if TYPE_CHECKING:
    from forecasts.parts.folder import Parts

RESULTS = "results.json"
FORMAT, VERSION = "forecast-ledger-scores", 1
# The metadata of a file of scores.
_MADE_FROM = b"forecast-ledger"
_IDS = ("question_id", "forecaster")
_NAME = pa.dictionary(pa.int32(), pa.string())
_SCHEMA = pa.schema(
    {
        "question_id": _NAME,
        "forecaster": _NAME,
        "protocol": _NAME,
        "score": pa.float64(),
        "coverage": pa.float64(),
        "updates": pa.int64(),
    }
)


@dataclass(frozen=True)
class Task:
    """One part to score: its files and their hashes, and the file to write.

    ``made_from`` is that file's metadata: input, protocols, version of ``scoring``.
    """

    part: int
    forecasts: int
    inputs: Mapping[Path, str]
    output: Path
    made_from: Mapping[str, Any]


@dataclass(frozen=True)
class PartScores:
    """The scores of one part: rows and SHA-256 of their file; whether it was there already."""

    rows: int
    sha256: str
    kept: bool


@dataclass(frozen=True)
class Scores:
    """The scores of a folder of parts: how many rows, and how many parts were there already.

    ``digest`` is the same for the same parts and protocols, whichever workers made the scores; it
    is None if a part failed. ``failed``: the error of each part that did.
    """

    rows: int
    kept: int
    digest: str | None
    failed: Mapping[str, LedgerError]


def score_parts(
    parts: Parts,
    output: Path,
    protocols: Sequence[str] = ("brier",),
    *,
    executor: Executor | None = None,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Scores:
    """Return a summary of the scores of all parts, which are written to a folder of results.

    ``executor``: any of ``concurrent.futures``, see ``execution``; by default a process for each
    core. Its workers must reach both folders by the same paths. A part that fails does not stop the
    others. ``progress`` is called with the forecasts scored so far, and with all of them. What the
    folder holds for these parts stays; Refused if it holds anything but scores.
    """
    if executor is None:
        with processes() as executor:
            return score_parts(parts, output, protocols, executor=executor, progress=progress)
    output = output.resolve()
    tasks = _tasks(parts, output, sorted(set(protocols)))
    made_from = {key: tasks[0].made_from[key] for key in ("protocols", "scoring")}
    head = {"format": FORMAT, "version": VERSION, **made_from, "parts": parts.count}
    _prepare(output)
    _write_results(output, head)
    done: dict[int, PartScores] = {}
    failed: dict[int, LedgerError] = {}
    total, so_far = parts.rows("forecasts"), 0
    progress(0, total)
    with closing(finished(score_part, tasks, executor)) as ended:
        for task, future in ended:
            try:
                done[task.part] = future.result()
            except Exception as error:
                failed[task.part] = explained(error)
            so_far += task.forecasts
            progress(so_far, total)
    names = {task.part: f"scores/{task.output.name}" for task in tasks}
    files = {
        names[part]: {
            "input": tasks[part].made_from["input"], "rows": one.rows, "sha256": one.sha256
        }
        for part, one in sorted(done.items())
    }  # fmt: skip
    digest = None if failed else _digest(files)
    _write_results(output, head | ({} if failed else {"digest": digest}) | {"files": files})
    for other in (output / "scores").iterdir():
        if f"scores/{other.name}" not in files:  # of other parts, or left by a worker that died
            other.unlink(missing_ok=True)
    return Scores(
        rows=sum(one.rows for one in done.values()),
        kept=sum(one.kept for one in done.values()),
        digest=digest,
        failed={f"part-{part:05d}": failed[part] for part in sorted(failed)},
    )


def table(parts: Parts, protocols: Sequence[str] = ("brier",)) -> pd.DataFrame:
    """Return the scores of all parts in memory, sorted as ``scoring.score`` sorts them.

    BadInput lists the invalid values of the first part that has some.
    """
    found = [
        scored(chunk, protocols, task.part).astype(dict.fromkeys(_IDS, "str"))
        for task in _tasks(parts, parts.folder, protocols)
        for chunk in chunks(*task.inputs)
    ]
    return pd.concat(found).sort_values(["protocol", *_IDS], ignore_index=True)


def processes(workers: int | None = None) -> Processes:
    """Return an executor of so many processes on this machine, by default one a core."""
    return Processes(workers, preload=[__name__])


def score_part(task: Task) -> PartScores:
    """Return one part's scores, whose file is written unless it is there.

    BadInput names the question and the rule of each invalid value, or the file that has changed.
    """
    if (version := task.made_from["scoring"]) != scoring.__version__:
        raise BadInput(
            f"This worker has version {scoring.__version__} of forecast-ledger, not {version}.",
            remedy="Install the same version for all workers.",
        )
    rows = _rows_kept(task)
    if rows is not None:
        return PartScores(rows, _sha256(task.output), kept=True)
    for path, sha256 in task.inputs.items():
        if _sha256(path) != sha256:
            raise BadInput(
                f"{path} was changed after its parts were made.",
                remedy="Make the parts again with: forecasts partition",
            )
    draft = task.output.with_name(f".{task.output.name}.{uuid4().hex}")
    metadata = {_MADE_FROM: json.dumps(task.made_from)}
    rows = 0
    try:
        with pyarrow.parquet.ParquetWriter(
            draft,
            _SCHEMA.with_metadata(metadata),
            compression="zstd",
            use_dictionary=[*_IDS, "protocol", "updates"],
            write_statistics=False,  # they take as long as the rest, and select nothing
        ) as writer:
            for chunk in chunks(*task.inputs):
                table = _table(scored(chunk, task.made_from["protocols"], task.part))
                writer.write_table(table)
                rows += len(table)
        sha256 = _sha256(draft)
        draft.replace(task.output)
    finally:
        draft.unlink(missing_ok=True)
    return PartScores(rows, sha256, kept=False)


def scored(chunk: Chunk, protocols: Sequence[str], part: int) -> pd.DataFrame:
    """Return ``scoring.score`` of a chunk. BadInput lists invalid values by file and question."""
    try:
        return scoring.score(chunk.questions, chunk.forecasts, protocols)
    except scoring.InputError as error:
        problems = []
        for one in error.problems:
            file = f"{one.frame}/part-{part:05d}.parquet" if one.frame else ""
            place = [file, *problem_place(chunk, one.frame, one.row), one.column]
            shown = "" if one.value is None else str(one.value)
            problems.append(Problem(", ".join(filter(None, place)), shown, one.rule))
        raise BadInput(
            f"Part {part} breaks the rules in {len(problems):,} "
            f"place{'s' if len(problems) > 1 else ''}; it has no scores.",
            problems=problems,
            remedy="Correct the ledger, and make the parts again with: forecasts partition",
        ) from None


def _tasks(parts: Parts, output: Path, protocols: Sequence[str]) -> list[Task]:
    from forecasts.parts.folder import part_file

    folder = parts.folder.resolve()
    tasks = []
    for part in range(parts.count):
        names = [part_file(table, part) for table in ("questions", "forecasts")]
        tasks.append(
            Task(
                part,
                parts.rows("forecasts", part),
                {folder / name: parts.files[name].sha256 for name in names},
                output / part_file("scores", part),
                {
                    "input": parts.digest(part),
                    "protocols": list(protocols),
                    "scoring": scoring.__version__,
                },
            )
        )
    return tasks


def _prepare(output: Path) -> None:
    """Make the folder of results. Refused if there is something else."""
    try:
        if os.path.lexists(output):
            others = not output.is_dir() or {each.name for each in output.iterdir()}
            if others and not _is_results(output):
                raise Refused(
                    f"There is something at {str(output)!r}.",
                    remedy="Name a new folder, or one of earlier scores.",
                )
        (output / "scores").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(
            f"The folder {str(output)!r} cannot be written: {error.strerror or error}."
        ) from None


def _is_results(folder: Path) -> bool:
    try:
        found = json.loads((folder / RESULTS).read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and found.get("format") == FORMAT


def _write_results(folder: Path, document: Mapping[str, Any]) -> None:
    draft = folder / f".{RESULTS}"
    draft.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    draft.replace(folder / RESULTS)


def _digest(files: Mapping[str, Mapping[str, Any]]) -> str:
    listed = "".join(f"{name} {one['sha256']}\n" for name, one in files.items())
    return hashlib.sha256(listed.encode()).hexdigest()


def _rows_kept(task: Task) -> int | None:
    """Return the rows of the part's file of scores if it is there, made from the same."""
    try:
        metadata = pyarrow.parquet.read_metadata(task.output)
    except (OSError, pa.ArrowException):
        return None
    said = (metadata.metadata or {}).get(_MADE_FROM)
    return metadata.num_rows if said == json.dumps(task.made_from).encode() else None


def _table(frame: pd.DataFrame) -> Any:
    columns = {name: frame[name] for name in ("score", "coverage", "updates")}
    arrays = {name: pa.array(column.to_numpy()) for name, column in columns.items()}
    for name in (*_IDS, "protocol"):
        column = frame[name].astype("category").cat
        codes = pa.array(column.codes.to_numpy().astype(np.int32))
        texts = pa.array(column.categories.to_numpy(dtype=object), pa.string())
        arrays[name] = pa.DictionaryArray.from_arrays(codes, texts)
    return pa.table(arrays).select(_SCHEMA.names)


def explained(error: Exception) -> LedgerError:
    """Return the error of a part as a sentence with a remedy."""
    if isinstance(error, LedgerError):
        return error
    if is_lost(error) or isinstance(error, MemoryError):
        return BadInput(
            "Its worker was lost each time, perhaps for want of memory.",
            remedy="Use fewer workers at a time, or smaller parts: forecasts partition --parts N",
        )
    if isinstance(error, ModuleNotFoundError):
        return BadInput(
            f"A worker has no module {error.name!r}.",
            remedy="Install the same version of forecast-ledger for all workers.",
        )
    if isinstance(error, CancelledError):
        return BadInput("The cluster has cancelled it.", remedy="Type the same command to go on.")
    return BadInput(f"{type(error).__name__}: {error}")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
