"""Split a ledger of any size into a folder of parts, in bounded memory.

Two passes. The first reads the input in its order, in batches, and sets each row aside in a
temporary file of its part. The second sorts one part after another (``part_sorting``), checks it
with the reader of ``scoring``, and writes it. The sort is stable, so rows of the same instant keep
the order of the input.

Rejected: one external sort of everything, as ``COPY … ORDER BY`` of DuckDB does. It compares texts,
which takes longer than this whole partition.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from forecasts.common import limits
from forecasts.common.errors import BadInput, Problem, Refused, Remedy
from forecasts.common.extras import missing
from forecasts.common.text import count
from forecasts.folder.cells import cell_text
from forecasts.folder.folder import FILES
from forecasts.folder.frames import FRAME_COLUMNS
from forecasts.folder.rules import check_folder
from forecasts.folder.tables import empty_table, read_table
from forecasts.parts import folder as parts_folder
from forecasts.parts.execution import cores, finished
from forecasts.parts.files import part_file
from forecasts.parts.folder import WHOLE, PartFile, Parts
from forecasts.parts.manifest import is_parts
from forecasts.parts.partition.part_sorting import Fault, write_large, write_sorted
from forecasts.parts.partition.sources import File, Source, digest_of
from forecasts.parts.partition.spill import Spill

# A part of this many forecasts is quick to sort, and small compared with a worker's memory.
PART_ROWS = 3_000_000
_LEAST_ROWS = 100_000  # of a part that is made only to give each core one
BATCH_ROWS = 1 << 18
_MOST_PROBLEMS = 100
# Bytes of memory and of temporary files that a forecast without texts needs.
_MEMORY_A_ROW, _DISK_A_ROW = 150, 40
# The memory that sorting a part takes, in sizes of its rows.
SORTING = 2.5
_LEAST_ENGINE = 250_000_000  # bytes, below which DuckDB cannot sort; the same for each thread
# The most frequent mistake in a column.
_HINTS = {
    "question_id": "Ids are compared as texts, so 7 is not 7.0.",
    "probability": "Probabilities are numbers from 0 to 1, so divide percentages by 100.",
}

# It is told the step, and its rows done and in all.
Tell = Callable[[str, int, int], None]


def partition(
    files: Sequence[File],
    into: Path,
    *,
    parts: int | None = None,
    memory: int | None = None,
    tell: Tell = lambda *_: None,
) -> tuple[Parts, bool]:
    """Return the folder of parts made from these files, and whether it was written just now.

    ``memory``: bytes that it may take. A folder that was made from the same files before is left as
    it is; another one with content is Refused. BadInput lists the cells that break a rule, at most
    about a hundred, and nothing is written.
    """
    source = digest_of(files)
    if is_parts(into):
        existing = parts_folder.open_parts(into)
        if existing.source == source and parts in (None, existing.count):
            return existing, False
        of = "the same input" if existing.source == source else "another input"
        raise Refused(
            f"The folder {str(into)!r} has {count(existing.count, 'part')} made from {of}.",
            remedy="Name a new folder, or delete that one.",
        )
    divided = [file for file in files if file.table not in WHOLE]
    whole = {file.table: file for file in files if file.table in WHOLE}
    frames = _whole_frames(whole)
    made = partition_rows(
        divided, frames, into, parts=parts, memory=memory, tell=tell, digest=source
    )
    return made, True


def number_of_parts(forecasts: int, memory: int) -> int:
    """Return how many parts so many forecasts are divided into.

    >>> number_of_parts(100_000_000, 1_000_000_000)
    34
    """
    most = max(1, min(PART_ROWS, memory // _MEMORY_A_ROW))
    each_core = min(cores(), forecasts // _LEAST_ROWS)
    return min(max(1, each_core, -(-forecasts // most)), parts_folder.MOST_PARTS)


def partition_rows(
    sources: Sequence[Source],
    whole: dict[str, pd.DataFrame],
    into: Path,
    *,
    parts: int | None = None,
    memory: int | None = None,
    tell: Tell = lambda *_: None,
    digest: str = "",
) -> Parts:
    """Return the folder of parts made from these sources; see ``partition``.

    ``whole``: the tables that are not divided; ``digest``: of the input.
    """
    memory = memory or limits.spare_memory()
    rows = sum(each.size for each in sources if each.table == "forecasts")
    number = parts or number_of_parts(rows, memory)
    if not 1 <= number <= parts_folder.MOST_PARTS:
        raise BadInput(
            f"{number:,} is not a number of parts.",
            remedy=Remedy(f"Use 1 to {parts_folder.MOST_PARTS:,}: {{}}", "", parts="N"),
        )
    with parts_folder.new_folder(into) as draft:
        _require_room(sources, rows, draft)
        with tempfile.TemporaryDirectory(prefix=".rows-", dir=draft) as temporary:
            spill = Spill(Path(temporary), number)
            _set_aside(sources, spill, memory // 2, rows, tell)
            files = _written(spill, sources, draft, memory, tell)
        for table, frame in whole.items():
            files |= parts_folder.write_whole(draft, table, frame)
        parts_folder.write_manifest(draft, number, files, source=digest)
    return parts_folder.open_parts(into)


def _require_room(sources: Sequence[Source], rows: int, folder: Path) -> None:
    given = sum(os.path.getsize(each.path) for each in sources if isinstance(each, File))
    needed, free = rows * _DISK_A_ROW + 2 * given, shutil.disk_usage(folder).free
    if needed > free:
        raise BadInput(
            f"The partition needs about {limits.format_bytes(needed)} on the disk of the new "
            f"folder; {limits.format_bytes(free)} are free.",
            remedy="Name a folder on another disk, or free some space.",
        )


def _set_aside(
    sources: Sequence[Source], spill: Spill, memory: int, expected: int, tell: Tell
) -> None:
    """Set the rows of all sources aside, each in its part. BadInput if a cell cannot be read."""
    faults: list[Fault] = []
    done = 0
    needs_engine = any(isinstance(each, File) for each in sources)
    with ExitStack() as engine:
        connection = None
        if needs_engine:
            connection = engine.enter_context(_engine(memory, spill.folder / "engine"))
        for number, source in enumerate(sources):
            base = 0

            def wrong(row: int, column: str, value: Any, rule: str) -> None:
                faults.append(Fault(number, base + row, column, value, rule))  # noqa: B023

            for batch in source.batches(connection, BATCH_ROWS, wrong):
                spill.add(source.table, batch, number, base)
                base += len(batch.rows)
                if source.table == "forecasts":
                    done += len(batch.rows)
                    tell("Reading", done, max(done, expected))
                if len(faults) >= _MOST_PROBLEMS:
                    break
    _raise_any(faults, sources)


@contextmanager
def _engine(memory: int, temporary: Path) -> Iterator[Any]:
    """Yield a connection to DuckDB under a limit of memory."""
    try:
        import duckdb
    except ImportError:
        raise missing("A partition", "bulk") from None
    settings: dict[str, Any] = {
        "memory_limit": f"{max(memory, _LEAST_ENGINE)}B",
        "threads": max(1, min(cores(), memory // _LEAST_ENGINE)),
        "temp_directory": str(temporary),
        "preserve_insertion_order": True,
    }
    with duckdb.connect(config=settings) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


def _written(
    spill: Spill, sources: Sequence[Source], draft: Path, memory: int, tell: Tell
) -> dict[str, PartFile]:
    """Return the files of all parts, which are written. BadInput lists bad cells."""
    faults: list[Fault] = []
    files: dict[str, PartFile] = {}
    done = 0
    with closing(_each_written(spill, draft, memory)) as each:
        for part, written, found in each:
            files |= written
            faults += found
            if len(faults) >= _MOST_PROBLEMS:
                break
            done += 0 if found else written[part_file("forecasts", part)].rows
            tell("Sorting", done, spill.rows)
    _raise_any(faults, sources)
    return files


def _each_written(
    spill: Spill, draft: Path, memory: int
) -> Generator[tuple[int, dict[str, PartFile], list[Fault]]]:
    """Yield each part with its files or its faults; several are sorted at once if they fit."""
    needed = {part: int(SORTING * spill.bytes_of(part)) for part in range(spill.parts)}
    fitting = [part for part in needed if needed[part] <= memory]
    if fitting:
        largest = max(needed[part] for part in fitting)
        with (
            ThreadPoolExecutor(min(cores(), memory // max(1, largest))) as pool,
            closing(finished(partial(write_sorted, spill, draft), fitting, pool)) as work,
        ):
            for part, future in work:
                yield part, *future.result()
    if len(fitting) == len(needed):
        return
    with _engine(memory, spill.folder / "engine") as connection:
        for part in sorted(needed.keys() - fitting):
            yield part, *write_large(spill, draft, part, connection)


def _raise_any(faults: Sequence[Fault], sources: Sequence[Source]) -> None:
    """Raise BadInput if there are any faults, with the file and line of each."""
    if not faults:
        return
    shown = sorted(faults, key=lambda fault: fault[:3])[:_MOST_PROBLEMS]
    problems = []
    for number, source in enumerate(sources):
        own = [fault for fault in shown if fault.source == number]
        places = source.places([fault.row for fault in own]) if own else {}
        problems += [
            Problem(
                f"{places[fault.row]}, column {fault.column}", cell_text(fault.value), fault.rule
            )
            for fault in own
        ]
    many = count(len(problems), "place")
    if len(faults) >= _MOST_PROBLEMS:
        many = f"{_MOST_PROBLEMS} places or more"
    raise BadInput(
        f"The input breaks the rules of a ledger in {many}; nothing was written.",
        problems=problems,
        remedy=" ".join(
            ["Correct the input, and run the same command again."]
            + [hint for column, hint in _HINTS.items() if any(f.column == column for f in shown)]
        ),
    )


def _whole_frames(files: dict[str, File]) -> dict[str, pd.DataFrame]:
    """Return the teams, evidence and articles, checked by the rules of a ledger folder."""
    if not files:
        return {}
    tables = {}
    for table in FILES:
        if table in files:
            tables[table] = read_table(files[table].path, FRAME_COLUMNS[table])
        else:
            tables[table] = empty_table(Path(f"{table}.csv"), FRAME_COLUMNS[table])
    frames = {name: table.frame for name, table in tables.items()}
    check_folder(tables, frames)
    if problems := [problem for table in tables.values() for problem in table.problems]:
        raise BadInput(
            "The input breaks the rules of a ledger; nothing was written.", problems=problems
        )
    return {table: frames[table] for table in files}
