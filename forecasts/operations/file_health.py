"""Health checks of an SQLite file: its pages, its permissions, its journal and the space around."""

from __future__ import annotations

import os
import shlex
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Engine, text

from forecasts.common.errors import Remedy
from forecasts.common.limits import format_bytes
from forecasts.ledger import moved
from forecasts.ledger.database import reading
from forecasts.ledger.sqlite_file import why_read_only
from forecasts.ledger.urls import place, sqlite_path
from forecasts.operations.finding import Finding

_LEAST_FREE = 100_000_000  # bytes
LONGEST_JOURNAL = 100_000_000  # bytes; SQLite merges it into the file at 4 MB if it can


def check_file(engine: Engine) -> Iterator[Finding]:
    """Yield the findings about the ledger's file; after damage, none may be relied on."""
    there, file = moved.moved_to(engine), place(engine)
    yield Finding(
        "connection",
        f"The ledger is the file {file}{there and f', which was moved to {there}'}.",
        there and moved.remedy(file),
    )
    with reading(engine) as session:
        connection = session.connection()
        version = connection.scalar(text("SELECT sqlite_version()"))
        faults = list(connection.scalars(text("PRAGMA quick_check")))
    yield Finding("server", f"SQLite {version} reads and writes it.")
    if faults != ["ok"]:
        remedy = "Keep the file as it is, and restore a backup."
        yield Finding("file", f"The file is damaged: {faults[0]}.", remedy)
        return
    yield Finding("file", "The file is intact.")
    path = sqlite_path(engine)
    if path is not None:
        yield from check_around(path)


def check_around(path: Path) -> Iterator[Finding]:
    """Yield the findings about a file that need not open it: space, permissions and journal."""
    yield _space(path)
    yield _permissions(path)
    yield _journal(path)


def _permissions(path: Path) -> Finding:
    if blocked := why_read_only(path):
        return Finding(
            "permissions",
            f"The ledger can only be read: you may not write to {blocked}.",
            "If it should be written to, give this user permission to write to the file and its "
            "folder. For reading, nothing needs to be done.",
        )
    everyones = [str(one) for one in (path, path.parent) if _is_everyones(one)]
    if not everyones:
        return Finding("permissions", "Only you and your group may write to the file.")
    return Finding(
        "permissions",
        f"Every user of this machine may write to {' and '.join(everyones)}.",
        f"Run: chmod o-w {shlex.join(everyones)}",
    )


def _is_everyones(path: Path) -> bool:
    """Return whether every user may write to the file, or replace files in the folder."""
    mode = path.stat().st_mode
    return os.name == "posix" and bool(mode & stat.S_IWOTH) and not mode & stat.S_ISVTX


def _space(path: Path) -> Finding:
    free = shutil.disk_usage(path.parent).free
    needed = max(_LEAST_FREE, path.stat().st_size)
    result = f"{format_bytes(free)} are free where the ledger is"
    if free >= needed:
        return Finding("space", f"{result}.")
    return Finding(
        "space",
        f"{result}, less than a migration or a backup beside it may need.",
        Remedy(
            f"Free at least {format_bytes(needed - free)}, or move the ledger: {{}}",
            "move",
            to="FILE",
        ),
    )


def _journal(path: Path) -> Finding:
    journal = path.with_name(f"{path.name}-wal")
    size = journal.stat().st_size if journal.exists() else 0
    result = f"The journal beside the file has {format_bytes(size)}"
    if size <= LONGEST_JOURNAL:
        return Finding("journal", f"{result}.")
    return Finding(
        "journal",
        f"{result}: something has been reading for so long that it cannot be merged.",
        "Close programs that have the ledger open, such as a database browser, and check again.",
    )
