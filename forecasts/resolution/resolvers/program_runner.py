"""Run a program, and end every process that it has started when it ends or is to end.

Started as a script by the kind ``command``: program_runner.py PARENT PROGRAM ARGUMENT…, with the
program's standard streams. It exits with the program's code, 128 more than a signal's number.

On Linux it is a *subreaper*: a process that loses its parent becomes its child, however it has left
its group or session, so that none is missed. SIGTERM ends it and the program; the system sends
that if the run is killed. Elsewhere only the program's process group ends. Rejected: a mark in the
environment, which a process can drop, and a control group, which needs rights.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_SET_PARENT_DEATH_SIGNAL, _SET_CHILD_SUBREAPER = 1, 36  # of prctl(2)
_CANNOT_START = 126


def main(parent: int, command: list[str]) -> int:
    """Return the exit code of the command, after all its processes have ended."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1)
    if not end_with(parent, signal.SIGTERM):
        return 128 + signal.SIGTERM
    leader = 0
    try:
        program = subprocess.Popen(command, start_new_session=True)  # noqa: S603 - the operator's
        leader = program.pid
        for stream in (0, 1, 2):  # the program alone has them: they close when it closes them
            os.close(stream)
        code = program.wait()
        return code if code >= 0 else 128 - code
    except OSError as error:
        print(f"it cannot be started: {error.strerror or error}", file=sys.stderr)
        return _CANNOT_START
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        _end(leader)


def end_with(parent: int, by: signal.Signals) -> bool:
    """Let Linux send this process a signal when its parent ends; False if it has ended already.

    The end of the parent's thread that started this process counts too.
    """
    if sys.platform != "linux":
        return True
    ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, by)
    return os.getppid() == parent


def _end(leader: int) -> None:
    """Kill the process group, and on Linux all descendants, until none is left."""
    if leader:
        _kill(-leader)
    while sys.platform == "linux":
        # Their own children become ours when they have ended; the next round finds those.
        for pid in _children(os.getpid()):
            _kill(pid)
        try:
            os.wait()
        except ChildProcessError:
            return


def _kill(pid: int) -> None:
    with suppress(OSError):  # it has ended
        os.kill(pid, signal.SIGKILL)


def _children(parent: int) -> Iterator[int]:
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(fields[1]) == parent:
                yield int(folder.name)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
