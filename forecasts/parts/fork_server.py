"""The server from which ``execution.Processes`` forks its processes, where the system has one.

It imports their modules once, for all of them. A command starts it first, and imports its own
modules meanwhile; so this module imports little itself.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import forkserver, resource_tracker

ENVIRONMENT = {
    # Libraries of linear algebra start one thread per core, in every process.
    **dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    # Memory of one part is kept for the next: allocating it again takes a fifth of the time.
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(512 << 20),
}


def is_available() -> bool:
    """Return whether the system can fork processes from a server."""
    return "forkserver" in multiprocessing.get_all_start_methods()


def start(preload: Sequence[str]) -> None:
    """Start the server unless it is running, and return while it imports these modules.

    It and its processes ignore Ctrl-C. A terminal sends Ctrl-C to all of them; this process handles
    it, and ends them. The server ends with this process.
    """
    multiprocessing.get_context("forkserver").set_forkserver_preload([*preload])
    with _environment():
        resource_tracker.ensure_running()  # the server would start it, and unblock the signal
        before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        try:
            forkserver.ensure_running()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _environment() -> Iterator[None]:
    """Set the variables for the server alone: this process may still use several threads."""
    absent = ENVIRONMENT.keys() - os.environ.keys()
    os.environ.update({name: ENVIRONMENT[name] for name in absent})
    try:
        yield
    finally:
        for name in absent:
            del os.environ[name]
