"""Processes that a program has started: all of them end with it, wherever they went.

A group of processes (``killpg``) can be left by whoever wants (``setsid``, as a daemon does). So
those are looked for too who descend from the program, and those who carry its ``mark`` in their
environment, which stays when whoever started them is gone; only who has got rid of both escapes.
Without /proc only the group is ended.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

MARK = "FORECASTS_COMMAND"
_ROUNDS = 20  # of looking for what was started while the others were ended


def end(leader: int, mark: str) -> None:
    """Kill the process that leads a group, and all that it has started."""
    for _ in range(_ROUNDS):
        # Before anything is killed: who has lost its parent is nobody's descendant any more.
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
        if pid != leader and (parent == leader or _carries(pid, mark)):
            found.add(pid)
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def _alive() -> Iterator[tuple[int, int]]:
    """Yield each process that has not ended, with its parent."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            if state not in "ZX":
                yield int(folder.name), int(parent)


def _carries(pid: int, mark: bytes) -> bool:
    try:
        return mark in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:  # it has ended, or is somebody else's
        return False
