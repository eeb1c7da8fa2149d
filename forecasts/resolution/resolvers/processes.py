"""End a program with all the processes that it has started.

A process can leave its group (``setsid``, as daemons do), which ``killpg`` then misses. So the
program's descendants are killed too, and processes with its ``mark`` in their environment, which
stays when a parent has ended. Only a process without either escapes. Without /proc only the group
is killed.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

MARK = "FORECASTS_COMMAND"
_ROUNDS = 20  # to find processes started while others were killed


def end(leader: int, mark: str) -> None:
    """Kill the leader of a process group, and all the processes it has started."""
    for _ in range(_ROUNDS):
        # Before any is killed: an orphan can no longer be found as a descendant.
        started = _started(leader, f"{MARK}={mark}".encode())
        with suppress(ProcessLookupError):
            os.killpg(leader, signal.SIGKILL)
        for pid in started:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if not started:
            return


def _started(leader: int, mark: bytes) -> set[int]:
    parents, found = dict(_alive()), set()
    for pid, parent in parents.items():
        if pid != leader and (parent == leader or _has_mark(pid, mark)):
            found.add(pid)
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def _alive() -> Iterator[tuple[int, int]]:
    """Yield the id of each running process with its parent's."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            if state not in "ZX":
                yield int(folder.name), int(parent)


def _has_mark(pid: int, mark: bytes) -> bool:
    try:
        return mark in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:  # it has ended, or belongs to another user
        return False
