"""A command's outputs, checked before its work, and the progress of the work."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import typer
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from forecasts.cli.printing import messages, print_note
from forecasts.common.errors import BadInput
from forecasts.folder.drafts import drafted_file

_SECONDS_BETWEEN_LINES = 30


def require_file(output: Path | None) -> None:
    """Raise BadInput if no file can be written there. None is standard output."""
    if output is None:
        return
    # Unlike methods of Path, these functions are false for a path that cannot be looked at.
    if os.path.isdir(output):
        raise BadInput(f"{str(output)!r} is a folder.", remedy="Name a file in it.")
    if os.path.exists(output) and not os.path.isfile(output):
        raise BadInput(
            f"{str(output)!r} is not a file.", remedy="Name a file, or leave out --output to print."
        )
    folder = output.parent
    if not os.path.isdir(folder):
        raise BadInput(
            f"There is no folder {str(folder)!r} for the file {output.name!r}.",
            remedy="Make the folder first, or name another file.",
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        raise BadInput(
            f"You may not write to the folder {str(folder)!r}.", remedy="Name another file."
        )


def require_folder(folder: Path) -> None:
    """Raise BadInput if the folder cannot be made or written to."""
    there = folder.absolute()
    while not os.path.lexists(there):
        there = there.parent
    if not os.path.isdir(there):
        raise BadInput(f"{str(there)!r} is not a folder.", remedy="Name a new folder elsewhere.")
    if not os.access(there, os.W_OK | os.X_OK):
        raise BadInput(
            f"You may not write to the folder {str(there)!r}.",
            remedy="Name a folder that you may write to.",
        )


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text("" if task.speed is None else f"{task.speed:,.0f} a second")


Show = Callable[..., None]  # show(done, of, step), each of them optional


@contextmanager
def progress_bar(
    step: str, unit: str, *, total: int | None = None, shown: bool = True, rate: bool = False
) -> Iterator[Show]:
    """Yield a function that shows progress on standard error, if that is a terminal.

    It takes the units done, their number, and the step's name; None is as before. ``total``: the
    number of units, if it is already known. ``rate``: show the units a second and the time left as
    well, and where there is no terminal a line now and then.
    """
    console = messages()
    if rate and not console.is_terminal:
        yield _lines(unit)
        return
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        *((_Rate(), TimeRemainingColumn(), TextColumn("left")) if rate else ()),
        console=console,
        disable=not (shown and console.is_terminal),
        transient=True,
        redirect_stdout=sys.stdout.isatty(),
    ) as progress:
        task = progress.add_task(step, total=total)

        def show(
            done: float | None = None, of: float | None = None, step: str | None = None
        ) -> None:
            progress.update(task, completed=done, total=of, description=step)

        yield show


def _lines(unit: str) -> Show:
    """Return a function that prints the progress every half a minute."""
    start = shown = time.monotonic()
    before = 0

    def show(done: int, of: int, _step: str | None = None) -> None:
        nonlocal start, shown, before
        now = time.monotonic()
        if done < before:  # of the next step
            start = now
        before = done
        if done and now - shown >= _SECONDS_BETWEEN_LINES:
            shown, rate = now, done / (now - start)
            print_note(
                f"{done:,} of {of:,} {unit}, {rate:,.0f} a second, {(of - done) / rate:,.0f} s left"
            )

    return show


@contextmanager
def stoppable(stopped: str) -> Iterator[None]:
    """End the block on Ctrl-C or SIGTERM: print this sentence and exit with 130."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        print_note(stopped)
        raise typer.Exit(130) from None
    finally:
        signal.signal(signal.SIGTERM, before)


def emit(content: str | bytes | Iterable[str], output: Path | None) -> None:
    """Write a command's result to ``output`` (whole or not at all) or to standard output.

    A large result can come in pieces.
    """
    pieces = [content] if isinstance(content, (str, bytes)) else content
    data = (piece.encode() if isinstance(piece, str) else piece for piece in pieces)
    if output is None:
        for piece in data:
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
        return

    try:
        with drafted_file(output) as file:
            file.writelines(data)
    except OSError as error:
        raise BadInput(
            f"{str(output)!r} cannot be written: {error.strerror or error}.",
            remedy="Name a file that you may write to, on a disk with free space.",
        ) from None
