"""The commands that make a folder of parts, of any size: partition, simulate."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperCommand

from forecasts.cli.bulk_scores import Scheduler, Workers, refuse_wrong_folder, sharing
from forecasts.cli.options import argument, flag, option
from forecasts.cli.outputs import progress_bar, require_folder, stoppable
from forecasts.cli.printing import listed, print_line, print_note
from forecasts.cli.root import app
from forecasts.common.errors import BadInput, command, in_words
from forecasts.common.limits import read_bytes
from forecasts.common.text import count
from forecasts.parts import simulation
from forecasts.parts.files import AGAIN
from forecasts.parts.folder import MOST_PARTS, Parts, files_that_differ, open_parts, require_new
from forecasts.parts.partition.sources import find_files
from forecasts.parts.partition.splitting import partition as make
from scoring.simulation.bulk import BulkTournament

Count = Annotated[
    int | None,
    option(
        "N",
        "Number of parts. [default: one for each 3 million forecasts, at least one per core]",
        "--parts",
        min=1,
    ),
]

_NAMES_SHOWN = 20
_MOST = 2**40 - 1  # the limit of ``BulkTournament``
# The setting for the share of each type.
_TYPES = {"multiple_choice": "choice_share", "numeric": "numeric_share", "binary": "binary"}


@app.command(cls=TyperCommand)
def partition(
    paths: Annotated[
        list[Path],
        argument(
            "PATH",
            "Ledger folders, folders of parts, or CSV and Parquet files of questions and "
            "forecasts, which are recognised by their columns.",
        ),
    ],
    into: Annotated[Path | None, option("FOLDER", "The new folder of parts.", "--into")] = None,
    check: Annotated[
        bool, flag("--check", "Only check that the files of a folder of parts match parts.json.")
    ] = False,
    parts: Count = None,
    memory: Annotated[
        str | None,
        option(
            "SIZE", "Memory, such as 500MB or 2GB. [default: half of the free memory, at most 1GB]"
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
        with stoppable("Stopped."), progress_bar("Checking", "forecasts", rate=True) as progress:
            differ = files_that_differ(parts, progress=progress)
        files = f"{len(parts.files):,} files"
        if not differ:
            print_line(f"{parts.folder}: all {files} match parts.json")
            continue
        broken = True
        print_note(f"{parts.folder}: {len(differ):,} of {files} changed or missing:")
        print_note(*listed(differ, _NAMES_SHOWN), in_words(AGAIN))
    if broken:
        raise typer.Exit(1)


@contextmanager
def showing_steps() -> Iterator[Callable[[str, int, int], None]]:
    """Yield a function that shows a step and its progress; Ctrl-C says that nothing was written.

    It takes the step's name, and the forecasts done and in all.
    """
    with (
        stoppable("Stopped. Nothing was written."),
        progress_bar("", "forecasts", rate=True) as show,
    ):
        yield lambda step, done, of: show(done, of, step)


def print_made(made: Parts) -> None:
    """Print the size of a folder of parts and the next command; say if nothing is to be scored."""
    questions = count(made.rows("questions"), "question")
    forecasts = count(made.rows("forecasts"), "forecast")
    print_line(f"{made.folder}: {forecasts} on {questions} in {count(made.count, 'part')}")
    print_line(f"Score them with: {command('score', str(made.folder), output='SCORES')}")
    outcomes = (made.questions(part, ["resolution"])["resolution"] for part in range(made.count))
    if all(each.eq("").all() for each in outcomes):
        print_note(
            "No question has an outcome, so there will be no scores. In files, outcomes belong in "
            "the column resolution of the questions."
        )


@app.command(cls=TyperCommand)
def simulate(
    folder: Annotated[Path, argument("FOLDER", "The new folder of parts.")],
    questions: Annotated[int, option("N", "Number of questions.", min=1, max=_MOST)] = 1_000,
    forecasters: Annotated[int, option("N", "Number of forecasters.", min=1, max=_MOST)] = 200,
    updates: Annotated[
        int, option("N", "Approximate number of forecasts.", min=1, max=_MOST)
    ] = 100_000,
    teams: Annotated[int, option("N", "Number of teams; 0 for none.", min=0)] = 10,
    types: Annotated[
        str,
        option(
            "TYPE=SHARE,…",
            "Share of multiple_choice and numeric questions, such as multiple_choice=0.2; "
            "the others are binary.",
        ),
    ] = "",
    overconfident: Annotated[
        float, option("SHARE", "Share of overconfident forecasters.", min=0, max=1)
    ] = 0.0,
    seed: Annotated[int, option("N", "The same seed gives the same tournament.")] = 0,
    parts: Annotated[
        int | None,
        option(
            "N",
            "Number of parts. [default: one for each million forecasts, at least one per core]",
            min=1,
            max=MOST_PARTS,
        ),
    ] = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
) -> None:
    """Simulate a tournament of any size, as a folder of parts.

    All forecasters are calibrated, so a report on it should find no fault; --overconfident makes
    some of them overconfident. Names and titles say that they are simulated.
    """
    shares = _shares(types)
    require_folder(folder)
    require_new(folder)
    settings = BulkTournament(
        questions=questions,
        forecasters=forecasters,
        updates=updates,
        teams=min(teams, forecasters),
        seed=seed,
        overconfident=overconfident,
        **shares,
    )
    with sharing("Simulating", updates, simulation.__name__, workers, scheduler) as how:
        made = simulation.simulate(folder, settings, parts=parts, **how)
    print_line(
        f"Simulated {made.rows('forecasts'):,} forecasts (about {updates:,} asked for) on "
        f"{made.rows('questions'):,} questions by {forecasters:,} forecasters, in "
        f"{count(made.count, 'part')}."
    )
    print_line(f"Score them: {command('score', str(folder), output='SCORES')}")


def _shares(given: str) -> dict[str, float]:
    """Return the settings of the shares of types; BadInput if one is unknown or they do not add up.

    The share of binary questions may be given or left out.
    """
    shares = {}
    for one in filter(None, given.split(",")):
        name, _, share = one.partition("=")
        try:
            setting, value = _TYPES[name.strip()], float(share)
        except (KeyError, ValueError):
            raise BadInput(
                f"--types {one!r} is not a type and its share.",
                remedy=f"Use {', '.join(f'{name}=0.2' for name in _TYPES)}.",
            ) from None
        if not 0 <= value <= 1:
            raise BadInput(
                f"--types {one!r}: a share must be from 0 to 1, got {value:g}.",
                remedy=f"Use a share such as {name.strip()}=0.2.",
            )
        if setting in shares:
            raise BadInput(f"--types names {name.strip()} twice.", remedy="Name each type once.")
        shares[setting] = value
    total = sum(shares.values())
    if "binary" in shares and not math.isclose(total, 1):
        raise BadInput(
            f"The shares of --types add up to {total:g}, not 1.",
            remedy="Correct them, or leave binary out.",
        )
    if total > 1 and not math.isclose(total, 1):
        raise BadInput(
            f"The shares of --types add up to {total:g}, more than 1.",
            remedy="Lower them to 1 or less in all; the other questions are binary.",
        )
    shares.pop("binary", None)
    return shares
