"""Files and folders that are written aside first, so that a failure leaves nothing half-written.

Two commands that write the same one end one after the other, and nothing of them is mixed.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from forecasts.common.errors import BadInput, Refused, Remedy

try:
    import fcntl
except ImportError:  # Windows has no such locks
    fcntl = None  # type: ignore[assignment]


def require_empty(folder: Path, *, overwrite: bool = False) -> None:
    """Raise Refused if the folder has files, unless ``overwrite``; BadInput if it is unreadable."""
    try:
        has_files = not overwrite and folder.exists() and any(folder.iterdir())
    except OSError as error:
        raise _unwritable(folder, error) from error
    if has_files:
        raise Refused(
            f"The folder {str(folder)!r} is not empty.",
            remedy=Remedy("Name a new one, or replace what it holds: {}", "", overwrite=True),
        )


@contextmanager
def drafted(folder: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Yield an empty folder; when the block ends, its files are moved into ``folder`` one by one.

    A folder in it replaces the one of its name whole. If that is interrupted, an overwritten folder
    can hold files of both exports and must be written again. Refused if the folder is not empty,
    unless ``overwrite``, also if another command has filled it since; BadInput if the disk refuses.
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
            with _alone(folder):
                require_empty(folder, overwrite=overwrite)
                for file in sorted(draft.iterdir()):
                    target = folder / file.name
                    if file.is_dir() and target.exists():
                        os.replace(target, draft / f"{file.name}.before")
                    os.replace(file, target)
    except OSError as error:
        raise _unwritable(folder, error) from error


@contextmanager
def drafted_file(path: Path) -> Iterator[IO[bytes]]:
    """Yield an empty file; when the block ends, it becomes ``path``. OSError if the disk refuses.

    It waits while another command writes the same file. After an error nothing is left of it; what
    a killed command left is replaced by the next one.
    """
    draft = path.with_name(f".{path.name}.part")
    with _opened_alone(draft) as file:
        try:
            yield file
            file.flush()
            if os.name == "nt":
                file.close()  # Windows moves no open file
            draft.replace(path)
        except BaseException:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
            raise


def _opened_alone(draft: Path) -> IO[bytes]:
    """Return the draft, open and empty, once no other command has it."""
    while True:
        file = draft.open("ab")
        _lock(file.fileno())
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), draft.stat()):
                file.truncate(0)
                return file
        file.close()  # the other command has moved or removed it


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other commands from moving files into the folder; wait while one does."""
    opened = None
    if fcntl is not None:
        opened = os.open(folder, os.O_RDONLY)
    try:
        if opened is not None:
            _lock(opened)
        yield
    finally:
        if opened is not None:
            os.close(opened)


def _lock(opened: int) -> None:
    """Wait for the lock of an open file or folder. It ends when that is closed."""
    if fcntl is not None:
        with suppress(OSError):  # not on every file system
            fcntl.flock(opened, fcntl.LOCK_EX)


def _unwritable(folder: Path, error: OSError) -> BadInput:
    return BadInput(
        f"The folder {str(folder)!r} cannot be written: {error.strerror or error}.",
        remedy="Name a folder that you may write to.",
    )
