"""Processes that update forecasts side by side; often some are killed, or lose their server."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import wait
from typing import Any

import pytest

from benchmarks.writing import COMPLAINT, Writer, start

SIDE_BY_SIDE = 3
_MANY = 1_000_000  # updates: more than a writer can make
_PATIENCE = 120  # seconds: the machine may be busy


class Writers:
    """Writers at work, and the updates that were acknowledged to them.

    ``refused``: their errors. Random moments come from ``random``, so that a run can be repeated.
    """

    def __init__(self, url: str, seed: int) -> None:
        self.random = random.Random(seed)
        self.acknowledged: Counter[str] = Counter()
        self.refused: list[str] = []
        self._url, self._next = url, 0
        self._working = [self._started() for _ in range(SIDE_BY_SIDE)]

    def _started(self) -> Writer:
        writer = start("updates", self._url, self._next, _MANY)
        self._next += 1
        writer.go()
        return writer

    def _hear(self, line: str) -> None:
        if line.startswith(COMPLAINT):
            self.refused.append(line)
        else:
            self.acknowledged[line] += 1

    def listen(self, seconds: float) -> None:
        """Take their reports for that long."""
        until = time.perf_counter() + seconds
        pipes = [writer.pipe for writer in self._working]
        while (left := until - time.perf_counter()) > 0:
            for pipe in wait(pipes, left):
                self._hear(pipe.recv())  # type: ignore[union-attr]

    def listen_for(self, many: int) -> None:
        """Take their reports until so many more updates were acknowledged."""
        enough, until = self.acknowledged.total() + many, time.monotonic() + _PATIENCE
        while self.acknowledged.total() < enough:
            assert time.monotonic() < until, f"no update for {_PATIENCE} s: {self.refused[-1:]}"
            self.listen(0.01)

    def kill(self) -> None:
        """Kill one of them, and start another in its place."""
        place = self.random.randrange(SIDE_BY_SIDE)
        self._end(self._working[place])
        self._working[place] = self._started()

    def _end(self, writer: Writer) -> None:
        writer.process.kill()
        for line in writer.heard():
            self._hear(line)
        writer.process.join()

    @contextmanager
    def halted(self) -> Iterator[None]:
        """Let none of them go on in the block, wherever each is."""
        pids = [writer.process.pid or 0 for writer in self._working]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)

    def hear_all(self) -> None:
        """Take the reports that are in the pipes."""
        pipes = [writer.pipe for writer in self._working]
        while ready := wait(pipes, 0):
            for pipe in ready:
                self._hear(pipe.recv())  # type: ignore[union-attr]

    def end(self) -> None:
        """Kill them all."""
        for writer in self._working:
            self._end(writer)


@contextmanager
def writing_to(url: str, seed: int = 1) -> Iterator[Writers]:
    """Yield writers at work on a furnished ledger; they are killed when the block ends."""
    writers = Writers(url, seed)
    try:
        yield writers
    finally:
        writers.end()


def often(few: int, many: int) -> Any:
    """Return the parametrization of a test that lets something happen so many ``times``."""
    return pytest.mark.parametrize("times", [few, pytest.param(many, marks=pytest.mark.nightly)])
