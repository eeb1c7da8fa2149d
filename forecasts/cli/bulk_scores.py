"""Scores of a folder of parts: by workers into a folder, or as one table if there are few."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeGuard

import pandas as pd
import typer

from forecasts.cli.options import option
from forecasts.cli.outputs import progress_bar, stoppable
from forecasts.cli.printing import print_error, print_line, print_note
from forecasts.common.errors import BadInput, LedgerError, command
from forecasts.common.text import count
from forecasts.parts.execution import Processes, cluster
from forecasts.parts.folder import Parts, open_parts
from forecasts.parts.manifest import MANIFEST, is_parts
from forecasts.parts.scores.scores import parts_scored, score_parts, table

Workers = Annotated[
    int | None, option("N", "Number of processes for the parts. [default: one per core]", min=1)
]
Scheduler = Annotated[
    str | None, option("ADDRESS", "Use the workers of this Dask cluster instead.")
]
# The module that scores a part.
SCORES = "forecasts.parts.scores.part_scores"
# Making a table takes several times its memory.
MOST_IN_A_TABLE = 5_000_000
NAMES_SHOWN = 5  # of parts that failed with the same error


def parts_in(folder: Path | None) -> Parts | None:
    """Return the folder of parts, None for others. BadInput as in ``refuse_wrong_folder``.

    A folder that does not exist is refused too.
    """
    if folder is None:
        return None
    if not os.path.lexists(folder):
        raise BadInput(
            f"There is no folder {str(folder)!r}.",
            remedy="Name a ledger folder or a folder of parts.",
        )

    refuse_wrong_folder(folder)
    return open_parts(folder) if is_parts(folder) else None


def parts_to_share(folder: Path | None, workers: int | None, scheduler: str | None) -> Parts | None:
    """Return the folder of parts, None for others, which --workers and --scheduler refuse."""
    parts = parts_in(folder)
    if parts is None and (workers or scheduler):
        raise needs_parts(folder)
    return parts


@contextmanager
def sharing(
    doing: str, total: int, preload: str, workers: int | None, scheduler: str | None, **how: str
) -> Iterator[dict[str, Any]]:
    """Yield the executor, as in ``engine``, and a function that shows progress in forecasts."""
    with (
        engine(workers, scheduler, preload, **how) as executor,
        progress_bar(doing, "forecasts", total=total, rate=True) as progress,
    ):
        yield {"executor": executor, "progress": progress}


def refuse_wrong_folder(folder: Path) -> None:
    """Raise BadInput for a folder of scores or a path inside parts; it names the folder to use."""
    whole = folder.resolve().parent
    if folder.name in ("questions", "forecasts", MANIFEST) and is_parts(whole):
        raise BadInput(f"{str(folder)!r} is inside a folder of parts; use {str(whole)!r}.")
    of = parts_scored(folder)
    if of is not None:
        named = f": {of!r}" if of else ""
        raise BadInput(
            f"{str(folder)!r} is a folder of scores; use the parts that it was made from{named}."
        )


def is_folder(output: Path | None, format_: str | None) -> TypeGuard[Path]:
    """Return whether the scores of parts are written as a folder rather than as one file."""
    if output is None or format_ is not None:
        return False
    return output.is_dir() or output.suffix.lower() not in (".csv", ".json", ".parquet")


def needs_parts(folder: Path | None) -> BadInput:
    """Return the error for --workers or --scheduler without a folder of parts."""
    if folder is None:
        return BadInput(
            "Workers share a folder of parts, not a database.",
            remedy="Make one first: forecasts export PARTS --parquet",
        )
    return BadInput(
        f"{str(folder)!r} is not a folder of parts, so workers cannot share it.",
        remedy=f"Make one first: {command('partition', str(folder), into='PARTS')}",
    )


def needs_folder() -> BadInput:
    """Return the error for --workers or --scheduler without a folder for the scores."""
    return BadInput(
        "Workers write a folder of scores, not one table.",
        remedy="Name the folder, such as --output scores",
    )


def parts_table(parts: Parts, protocols: Sequence[str]) -> pd.DataFrame:
    """Return the scores of a folder of parts as one table, in the usual order."""
    if (rows := parts.rows("forecasts")) > MOST_IN_A_TABLE:
        raise BadInput(
            f"The parts hold {rows:,} forecasts; one table of scores takes at most "
            f"{MOST_IN_A_TABLE:,}.",
            remedy="Name a folder for the scores, such as --output scores",
        )
    return table(parts, protocols)


def score_into(
    parts: Parts,
    output: Path,
    protocols: Sequence[str],
    *,
    workers: int | None,
    scheduler: str | None,
) -> None:
    """Score a folder of parts into a folder of results. Exits with 1 if parts failed."""
    start = time.monotonic()
    stopped = "Stopped. To continue, run the same command again."
    forecasts = parts.rows("forecasts")
    with sharing("Scoring", forecasts, SCORES, workers, scheduler, stopped=stopped) as how:
        found = score_parts(parts, output, protocols, **how)
    seconds, scored = time.monotonic() - start, parts.count - len(found.failed)
    kept = f" ({found.kept:,} from an earlier run)" if found.kept else ""
    print_line(
        f"{found.rows:,} scores of {forecasts:,} forecasts in {count(scored, 'part')}{kept}, in "
        f"{seconds:,.1f} s: {output}"
    )
    if found.digest is not None:
        print_line(f"digest {found.digest}")
        if found.rows:
            report = command("report", str(parts.folder), by="forecaster")
            print_note(f"Report on the parts with: {report}")
        else:
            print_note(
                "There are no scores. A forecast is scored if its question has an outcome (in the "
                "column resolution, not annulled) and if it was active while the question was open."
            )
        return
    print_note(f"{count(len(found.failed), 'part')} failed:")
    for names, error in _by_error(found.failed):
        shown = ", ".join(names[:NAMES_SHOWN])
        more = len(names) - NAMES_SHOWN
        print_note(f"{shown} and {more:,} more:" if more > 0 else f"{shown}:")
        print_error(error)
    print_note(f"Then score the parts again with --output {output}. Finished parts are kept.")
    raise typer.Exit(1)


def _by_error(failed: Mapping[str, LedgerError]) -> list[tuple[list[str], LedgerError]]:
    """Return each different error with the names of its parts."""
    alike: dict[str, tuple[list[str], LedgerError]] = {}
    for name, error in failed.items():
        alike.setdefault(f"{error} {getattr(error, 'problems', ())}", ([], error))[0].append(name)
    return list(alike.values())


@contextmanager
def engine(
    workers: int | None,
    scheduler: str | None,
    preload: str,
    *,
    stopped: str = "Stopped. Nothing was written.",
) -> Iterator[Executor]:
    """Yield an executor of this many processes, or of the Dask cluster at this address.

    ``preload``: the module that processes import first. Ctrl-C and SIGTERM print ``stopped`` and
    exit with 130. BadInput if both workers and a scheduler are given.
    """
    if workers is not None and scheduler is not None:
        raise BadInput(
            "--workers is for processes on this machine, --scheduler for a cluster.",
            remedy="Use one of them.",
        )
    with stoppable(stopped):
        made: AbstractContextManager[Executor]
        if scheduler is not None:
            made = cluster(scheduler, no_workers=partial(_ask_for_a_worker, scheduler))
        else:
            made = Processes(workers, preload=[preload])
        with made as executor:
            yield executor


def _ask_for_a_worker(scheduler: str) -> None:
    start = f"dask worker {shlex.quote(scheduler)} --nthreads 1"
    print_note(f"Waiting for a worker: the cluster has none. Start one with: {start}")
