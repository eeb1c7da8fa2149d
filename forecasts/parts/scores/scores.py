"""Scores of a folder of parts, by any number of workers, into a folder of results.

    FOLDER/results.json               protocols, version of ``scoring``, and each file's input, rows
                                      and digest; their digest when all parts are scored
    FOLDER/scores/part-00000.parquet  the columns of ``scoring.score``, for the questions of a part

A file of scores names the input, protocols and version in its own metadata, and gets its name only
when it is complete. So an interrupted run continues: such files are kept, others are made again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

import scoring
from forecasts.common.errors import LedgerError, Refused
from forecasts.parts.chunks import IDS, chunks
from forecasts.parts.execution import explained, finished
from forecasts.parts.files import part_file, write_json
from forecasts.parts.folder import Parts, unwritable
from forecasts.parts.manifest import MANIFEST
from forecasts.parts.scores.part_scores import PartScores, Task, score_part, scored
from forecasts.parts.unfinished import lock

RESULTS = "results.json"
FORMAT, VERSION = "forecast-ledger-scores", 1


@dataclass(frozen=True)
class Scores:
    """The scores of a folder of parts: the number of rows, and of parts kept from an earlier run.

    ``digest`` is that of the scores (module ``digest``), which does not depend on the workers or
    on the files' encoding; it is None if a part failed. ``failed``: the error of each part that
    did.
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
    executor: Executor,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Scores:
    """Return a summary of the scores of all parts, which are written to a folder of results.

    ``executor``: any of ``concurrent.futures``, see ``execution``. Its workers must reach both
    folders by the same paths. A part that fails does not stop the
    others. ``progress`` is called with the forecasts scored so far, and with all of them. Scores
    that the folder already has of the same parts are kept; Refused if it holds anything else.
    """
    output = output.resolve()
    tasks = tasks_of(parts, output, sorted(set(protocols)))
    made_from = {key: tasks[0].made_from[key] for key in ("protocols", "scoring")}
    head = {"format": FORMAT, "version": VERSION, **made_from, "parts": parts.count}
    head["parts_folder"] = str(parts.folder.resolve())
    with _writing_to(output, made_from["protocols"]), alone(output):
        write_json(output / RESULTS, head)
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
                "input": tasks[part].made_from["input"], "rows": one.rows, "digest": one.digest
            }
            for part, one in sorted(done.items())
        }  # fmt: skip
        digest = None if failed else _digest(files)
        document = head | ({} if failed else {"digest": digest}) | {"files": files}
        write_json(output / RESULTS, document)
        for other in (output / "scores").glob("*part-*.parquet*"):
            if f"scores/{other.name}" not in files:  # of other parts, or of a worker that died
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
        scored(chunk, task).astype(dict.fromkeys(IDS, "str"))
        for task in tasks_of(parts, parts.folder, protocols)
        for chunk in chunks(*task.inputs)
    ]
    return pd.concat(found).sort_values(["protocol", *IDS], ignore_index=True)


def parts_scored(folder: Path) -> str | None:
    """Return the folder of parts that this folder of scores was made from; None for other folders.

    It is the path at that time, empty in scores of earlier versions.
    """
    found = _results(folder)
    return None if found is None else str(found.get("parts_folder", ""))


def tasks_of(parts: Parts, output: Path, protocols: Sequence[str]) -> list[Task]:
    """Return the work on each part."""
    folder = parts.folder.resolve()
    listed = (folder / MANIFEST).stat().st_mtime_ns
    tasks = []
    for part in range(parts.count):
        names = [part_file(table, part) for table in ("questions", "forecasts")]
        tasks.append(
            Task(
                part,
                parts.count,
                parts.rows("forecasts", part),
                {folder / name: parts.files[name].sha256 for name in names},
                listed,
                output / part_file("scores", part),
                {
                    "input": parts.digest(part),
                    "protocols": list(protocols),
                    "scoring": scoring.__version__,
                },
            )
        )
    return tasks


@contextmanager
def _writing_to(output: Path, protocols: Sequence[str]) -> Iterator[None]:
    """Make the folder of results for the block. BadInput if it cannot be written.

    Refused if it has other content, or scores by other protocols.
    """
    try:
        found = _results(output)
        there = None if found is None else list(found.get("protocols", []))
        if there is not None and there != protocols:
            raise Refused(
                f"{str(output)!r} has scores by {', '.join(there)}.",
                remedy="Name another folder, or the same protocols.",
            )
        is_new = not os.path.lexists(output) or (output.is_dir() and not any(output.iterdir()))
        if there is None and not is_new:
            raise Refused(
                f"{str(output)!r} is neither an empty folder nor one of earlier scores.",
                remedy="Name a new folder, or a folder of scores to continue.",
            )
        (output / "scores").mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise unwritable(output, error) from None


@contextmanager
def alone(output: Path) -> Iterator[None]:
    """Keep other commands from writing to the folder. Refused while one does."""
    try:
        held = lock(output)
    except BlockingIOError:
        raise Refused(
            f"Another command is writing scores to {str(output)!r} now.",
            remedy="Wait until it has ended, or name another folder.",
        ) from None
    try:
        yield
    finally:
        if held is not None:
            os.close(held)


def _results(folder: Path) -> dict[str, Any] | None:
    try:
        found = json.loads((folder / RESULTS).read_bytes())
    except (OSError, ValueError):
        return None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        return None
    return found


def _digest(files: Mapping[str, Mapping[str, Any]]) -> str:
    listed = "".join(f"{name} {one['digest']}\n" for name, one in files.items())
    return hashlib.sha256(listed.encode()).hexdigest()
