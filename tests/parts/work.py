"""Small parts, and work that dies: functions that processes of their own can import."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from threading import get_ident
from typing import Any

import numpy as np
import pandas as pd

from forecasts.parts.execution import Processes
from forecasts.parts.files import file_sha256, part_of
from forecasts.parts.folder import (
    PartFile,
    Parts,
    open_parts,
    write_manifest,
    write_tables,
    write_whole,
)
from forecasts.parts.scores.part_scores import Task
from forecasts.parts.scores.scores import score_parts
from forecasts.parts.tables import arrow_table
from scoring import parallel

Frames = tuple[pd.DataFrame, pd.DataFrame]


def tournament(questions: int = 12, forecasts: int = 200) -> Frames:
    """Return binary questions of ten days, and forecasts of four members on them."""
    random = np.random.default_rng(5)
    opened = pd.Timestamp("2026-01-01T00:00:00Z").as_unit("us")
    ids = np.array([f"question-{number}" for number in range(questions)])
    asked = pd.DataFrame(
        {
            "question_id": ids,
            "type": "binary",
            "open_time": opened,
            "scheduled_close_time": opened + pd.Timedelta(days=10),
            "resolution": random.choice(["yes", "no"], questions),
        }
    )
    hours = pd.to_timedelta(random.integers(0, 240, forecasts), unit="h").as_unit("us")
    made = pd.DataFrame(
        {
            "question_id": random.choice(ids, forecasts),
            "forecaster": random.choice(["ana", "bo", "cy", "di"], forecasts),
            "made_at": opened + hours,
            "probability": random.random(forecasts).round(3),
        }
    )
    return asked, made


def write_part(
    folder: Path, part: int, questions: pd.DataFrame, forecasts: pd.DataFrame
) -> dict[str, PartFile]:
    """Return the files of a part for the manifest, written from rows in any order."""
    path = ["question_id", "forecaster", "made_at"]
    texts = forecasts.astype(dict.fromkeys(path[:2], "str"))
    made = arrow_table(texts.sort_values(path, kind="stable"), "forecasts")
    return write_tables(folder, part, questions.sort_values("question_id"), made)


def written(folder: Path, frames: Frames, count: int = 4, **whole: pd.DataFrame) -> Parts:
    """Return the folder of so many parts of the frames, with whole tables, which is written."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = frames[0]["resolution"].map(str, na_action="ignore")
    frames = frames[0].assign(resolution=texts.astype(object)), frames[1]
    files = {}
    for part in range(count):
        here = {each for each in frames[0]["question_id"] if part_of(each, count) == part}
        own = (frame[frame["question_id"].isin(here)].reset_index(drop=True) for frame in frames)
        files |= write_part(folder, part, *own)
    for table, frame in whole.items():
        files |= write_whole(folder, table, frame)
    write_manifest(folder, count, files)
    return open_parts(folder)


def require_listed(parts: Parts) -> None:
    """Fail unless every file of the folder matches the manifest."""
    for name, listed in parts.files.items():
        assert file_sha256(parts.folder / name) == listed.sha256, name


def square(number: int) -> int:
    return number * number


def fail_on_two(number: int) -> int:
    if number == 2:
        raise ValueError("two")
    return number


def die_on_two(number: int) -> int:
    if number == 2:
        kill_itself()
    return number


def wait_on_two(number: int) -> int:
    if number == 2:
        signal.pause()
    return number


def kill_itself() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def threads_used(number: int) -> int:
    """Return the number of threads that ``scoring`` uses for eight pieces of work."""
    return len(set(parallel.map_threads(lambda _: get_ident(), range(number))))


class Dying(Processes):
    """Processes of which one kills itself while it scores a part for the first time."""

    def __init__(self, log: Path) -> None:
        super().__init__(2)
        self.log = log

    def submit(self, fn: Callable[..., Any], /, *args: Any, **_: Any) -> Future[Any]:
        return super().submit(_dying_once, self.log, fn, *args)


def _dying_once(log: Path, call: Callable[..., Any], *args: Any) -> Any:
    """Make the call, and write its part into the log; before the first of part 1, die."""
    [task] = [each for each in args if isinstance(each, Task)]
    marker = log.with_suffix(".died")
    if task.part == 1 and not marker.exists():
        marker.touch()
        kill_itself()
    result = call(*args)
    with log.open("a") as file:
        file.write(f"{task.part}\n")
    return result


class KillingTheClient(Executor):
    """A thread that kills its process when it is given the third part."""

    def __init__(self) -> None:
        self.pool = ThreadPoolExecutor(1)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **_: Any) -> Future[Any]:
        if any(isinstance(each, Task) and each.part == 2 for each in args):
            return self.pool.submit(kill_itself)
        return self.pool.submit(fn, *args)


def client_that_is_killed(parts: Path, output: Path) -> None:
    score_parts(open_parts(parts), output, executor=KillingTheClient())


def parent_that_is_killed() -> None:
    """Start a process, print its number, and die."""
    with Processes(1) as executor:
        print(executor.submit(os.getpid).result(), flush=True)
        kill_itself()


if __name__ == "__main__":
    parent_that_is_killed()
