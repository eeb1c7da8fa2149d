"""Checks of a command's outputs, made before its work."""

from __future__ import annotations

import os
from pathlib import Path

from forecasts.common.errors import BadInput


def require_file(output: Path | None) -> None:
    """Raise BadInput if no file can be written there. None is standard output."""
    if output is None:
        return
    # Unlike methods of Path, these functions are false for a path that cannot be looked at.
    if os.path.isdir(output):
        raise BadInput(f"{str(output)!r} is a folder.", remedy="Name a file in it.")
    if os.path.exists(output) and not os.path.isfile(output):
        raise BadInput(
            f"{str(output)!r} is not a file.",
            remedy="Name a file, or leave out --output to print.",
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
