"""A command's outputs, checked before its work, and the progress of the work."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

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

from forecasts.cli.console import messages
from forecasts.common.errors import BadInput
from forecasts.folder.drafts import drafted_file


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


@contextmanager
def progress_bar(
    description: str, unit: str, *, total: int | None = None, shown: bool = True, rate: bool = False
) -> Iterator[Callable[..., None]]:
    """Yield a function that updates a progress bar on standard error, if that is a terminal.

    It takes the arguments of ``rich.progress.Progress.update``, such as completed and total.
    ``total``: the number of units, if it is already known. ``rate``: show the units a second and
    the time left as well.
    """

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text("" if task.speed is None else f"{task.speed:,.0f} a second")

    console = messages()
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        *((Rate(), TimeRemainingColumn(), TextColumn("left")) if rate else ()),
        console=console,
        disable=not (shown and console.is_terminal),
        transient=True,
        redirect_stdout=sys.stdout.isatty(),
    ) as progress:
        task = progress.add_task(description, total=total)
        yield lambda **changes: progress.update(task, **changes)


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
