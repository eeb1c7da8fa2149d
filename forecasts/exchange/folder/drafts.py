"""Folders that are written aside first, so that a failure leaves no half-written file."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from forecasts.common.errors import BadInput, Refused


def require_empty(folder: Path, *, overwrite: bool = False) -> None:
    """Raise Refused if the folder has files, unless ``overwrite``; BadInput if it is unreadable."""
    try:
        has_files = not overwrite and folder.exists() and any(folder.iterdir())
    except OSError as error:
        raise _unwritable(folder, error) from error
    if has_files:
        raise Refused(
            f"The folder {str(folder)!r} is not empty.",
            remedy="Name a new one, or add --overwrite to replace what it holds.",
        )


@contextmanager
def drafted(folder: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Yield an empty folder; when the block ends, its files are moved into ``folder`` one by one.

    A folder in it replaces the one of its name whole. If that is interrupted, an overwritten folder
    can hold files of both exports and must be written again. Refused if the folder is not empty,
    unless ``overwrite``; BadInput if the disk refuses.
    """
    try:
        require_empty(folder, overwrite=overwrite)
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(
            prefix=f".{folder.name}-", dir=folder.parent, ignore_cleanup_errors=True
        ) as aside:
            draft = Path(aside)
            yield draft
            folder.mkdir(exist_ok=True)
            for file in sorted(draft.iterdir()):
                target = folder / file.name
                if file.is_dir() and target.exists():
                    os.replace(target, draft / f"{file.name}.before")
                os.replace(file, target)
    except OSError as error:
        raise _unwritable(folder, error) from error


def _unwritable(folder: Path, error: OSError) -> BadInput:
    return BadInput(
        f"The folder {str(folder)!r} cannot be written: {error.strerror or error}.",
        remedy="Name a folder that you may write to.",
    )
