"""Files and folders of this user alone: ledgers, backups, what a member exports, proofs.

They are created with that permission, so that no moment is without it. An existing one keeps its
permissions, which someone may have chosen; ``forecasts check`` names files that others may read.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


def create_private(path: Path, content: bytes = b"") -> None:
    """Create a file that only this user may read, unless there is one."""
    with suppress(FileExistsError):
        opened = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with open(opened, "wb") as file:
            file.write(content)


def create_private_folder(path: Path) -> None:
    """Create a folder that only this user may open, unless there is one; its parents as usual."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir(mode=0o700, exist_ok=True)


def readable_by_all(paths: Iterable[Path]) -> list[Path]:
    """Return the files that every user of this machine may read, and reach through its folders."""

    def allows(path: Path, bit: int) -> bool:
        return bool(path.stat().st_mode & bit)

    there = [one.resolve() for one in paths if os.name == "posix" and one.exists()]
    return [
        one
        for one in there
        if allows(one, stat.S_IROTH) and all(allows(up, stat.S_IXOTH) for up in one.parents)
    ]
