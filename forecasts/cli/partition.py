"""The command that divides a ledger of any size into parts: partition."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option
from typer.core import TyperCommand

from forecasts.cli.bulk_scores import refuse_wrong_folder, showing_progress, stoppable
from forecasts.cli.console import print_line, print_note
from forecasts.cli.root import app
from forecasts.common.errors import BadInput, command, in_words
from forecasts.common.limits import read_bytes
from forecasts.common.text import count
from forecasts.parts.files import AGAIN
from forecasts.parts.folder import Parts, files_that_differ, open_parts
from forecasts.parts.partition.partition import partition as make
from forecasts.parts.partition.sources import find_files

Count = Annotated[
    int | None,
    Option(
        "--parts",
        metavar="N",
        min=1,
        help="Number of parts. [default: one for each 3 million forecasts, at least one per core]",
        show_default=False,
    ),
]

_NAMES_SHOWN = 20


@app.command(cls=TyperCommand)
def partition(
    paths: Annotated[
        list[Path],
        Argument(
            metavar="PATH",
            help="Ledger folders, folders of parts, or CSV and Parquet files of questions and "
            "forecasts, which are recognised by their columns.",
        ),
    ],
    into: Annotated[
        Path | None, Option("--into", metavar="FOLDER", help="The new folder of parts.")
    ] = None,
    check: Annotated[
        bool,
        Option("--check", help="Only check that the files of a folder of parts match parts.json."),
    ] = False,
    parts: Count = None,
    memory: Annotated[
        str | None,
        Option(
            metavar="SIZE",
            help="Memory to use, such as 500MB or 2GB. [default: half of the free memory, at "
            "most 1GB]",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Divide a ledger of any size into parts, for bulk scoring.

    Each part holds whole questions, in order. If a row breaks a rule, it is named by file and line,
    and nothing is written.
    """
    for path in paths:
        refuse_wrong_folder(path)
    if check:
        if into is not None or parts is not None or memory is not None:
            raise BadInput(
                "--check writes nothing.", remedy="Leave out --into, --parts and --memory."
            )
        _check(paths)
        return
    if into is None:
        raise BadInput(
            "The parts need a new folder.", remedy="Name one that does not exist yet: --into PARTS"
        )

    most = None if memory is None else read_bytes(memory, "--memory")
    files = find_files(paths, warn=lambda text: print_note(f"Warning: {text}"))
    with showing_steps() as tell:
        made, is_new = make(files, into, parts=parts, memory=most, tell=tell)
    if not is_new:
        print_note(f"{into} was made from the same input before; nothing was changed.")
    print_made(made)


def _check(folders: Sequence[Path]) -> None:
    """Print whether the files of each folder of parts match parts.json; exit with 1 if not.

    BadInput if one is not a folder of parts.
    """
    broken = False
    for parts in [open_parts(folder) for folder in folders]:
        with stoppable("Stopped."), showing_progress("Checking") as progress:
            differ = files_that_differ(parts, progress=progress)
        files = f"{len(parts.files):,} files"
        if not differ:
            print_line(f"{parts.folder}: all {files} match parts.json")
            continue
        broken = True
        print_note(f"{parts.folder}: {len(differ):,} of {files} changed or missing:")
        for name in differ[:_NAMES_SHOWN]:
            print_note(f"  {name}")
        if len(differ) > _NAMES_SHOWN:
            print_note(f"  … and {len(differ) - _NAMES_SHOWN:,} more.")
        print_note(in_words(AGAIN))
    if broken:
        raise typer.Exit(1)


@contextmanager
def showing_steps() -> Iterator[Callable[[str, int, int], None]]:
    """Yield a function that shows a step and its progress; Ctrl-C says that nothing was written.

    It takes the step's name, and the forecasts done and in all.
    """
    with stoppable("Stopped. Nothing was written."), ExitStack() as shown:
        bars: dict[str, Callable[[int, int], None]] = {}

        def tell(step: str, done: int, of: int) -> None:
            if step not in bars:
                shown.close()
                bars[step] = shown.enter_context(showing_progress(step, of))
            bars[step](done, of)

        yield tell


def print_made(made: Parts) -> None:
    """Print the size of a folder of parts and the next command; say if nothing is to be scored."""
    questions = count(made.rows("questions"), "question")
    forecasts = count(made.rows("forecasts"), "forecast")
    print_line(f"{made.folder}: {forecasts} on {questions} in {count(made.count, 'part')}")
    scored = command("score", str(made.folder), output="SCORES")
    print_line(f"Score them with: {scored}")
    outcomes = (made.questions(part, ["resolution"])["resolution"] for part in range(made.count))
    if all(each.eq("").all() for each in outcomes):
        print_note(
            "No question has an outcome, so there will be no scores. In files, outcomes belong in "
            "the column resolution of the questions."
        )
