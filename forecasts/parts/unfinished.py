"""Hidden folders of unfinished work, each locked by the process that fills it.

A killed process cannot remove its folder, which may hold many gigabytes. Its lock ends with it, so
the next command for the same folder of parts knows that nobody needs the files, and removes them.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from forecasts.common.errors import Refused

try:
    import fcntl
except ImportError:  # not on every system
    fcntl = None  # type: ignore[assignment]


@contextmanager
def unfinished(name: str, beside: Path, *, alone: bool = True) -> Iterator[Path]:
    """Yield a new hidden folder in ``beside`` for work on ``name``, which is removed afterwards.

    Folders that killed processes left for the same name are removed first. Refused if another
    process works on the name, unless ``alone`` is false. OSError if the disk refuses.
    """
    is_taken = not _remove_abandoned(name, beside)
    if alone and is_taken:
        raise Refused(
            f"Another command is writing {name!r} now.",
            remedy="Wait until it has ended, or name another folder.",
        )
    folder, held = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=beside)), None
    try:
        held = lock(folder)
        # Only now does it get a name that others look for, so none finds it without its lock.
        folder = folder.rename(folder.with_name(_prefix(name) + folder.name[-8:]))
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if held is not None:
            os.close(held)


def is_unfinished(path: Path, name: str) -> bool:
    """Return whether this is a folder of ``unfinished`` for this name."""
    return re.fullmatch(re.escape(_prefix(name)) + "[a-z0-9_]{8}", path.name) is not None


def lock(folder: Path) -> int | None:
    """Return the descriptor that locks the folder until it is closed; None if there are no locks.

    BlockingIOError if another process holds it.
    """
    if fcntl is not None:
        held = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(held)
            if isinstance(error, BlockingIOError):
                raise
        else:
            return held
    return None  # not on every system, nor on every file system


def _prefix(name: str) -> str:
    return f".{name}-unfinished-"


def _remove_abandoned(name: str, beside: Path) -> bool:
    """Remove the folders of processes that have ended. Return whether no other process has one."""
    are_alone = True
    for folder in [path for path in beside.iterdir() if is_unfinished(path, name)]:
        try:
            held = lock(folder)
        except BlockingIOError:
            are_alone = False
            continue
        except OSError:
            continue  # gone by now, or another user's
        if held is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(held)
    return are_alone
