"""Turns and quotas: how much of the server one member may take from the others.

A member has one request answered at a time, whichever of their tokens sends it; the others wait,
some of them, and more are refused. Nothing of a request's body is read before its turn. So each
member is in the queue of all once, and waits for at most one request of each other one. Requests
that read the whole ledger have a queue of their own: nobody waits for them but those who send one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from threading import Lock
from time import monotonic

from forecasts.api.problems import TooMany

MOST_REMEMBERED = 10_000  # members or tokens whose use is counted
WAITING = 30  # requests of a member that wait for their turn
SLOTS = 4  # requests answered at once
SLOTS_OF_READERS = 1  # of those that read the whole ledger
SLOTS_OF_STRANGERS = 2  # tokens looked up at once


class Quota:
    """Counts the use of each member, or token: ``most`` in so many seconds, filled up evenly.

    As long as something is left, one more request is accepted, however much it then takes.
    ``what`` and ``otherwise``: the refusal, and what helps besides waiting.
    """

    def __init__(self, most: float, seconds: float, what: str, otherwise: str) -> None:
        self._most, self._seconds = float(most), seconds
        self._what, self._otherwise = what.format(f"{most:,}"), otherwise
        self._left: dict[object, tuple[float, float]] = {}
        self._lock = Lock()

    def require(self, key: object) -> None:
        """Refuse, with TooMany, a request for which nothing is left."""
        if (left := self._now(key)) < 1:
            seconds = max(1, round((1 - left) * self._seconds / self._most))
            raise TooMany(self._what, self._otherwise, seconds=seconds)

    def take(self, key: object, amount: float) -> None:
        """Count an amount."""
        with self._lock:
            left = self._now(key) - amount
            self._left.pop(key, None)
            self._left[key] = left, monotonic()  # the last used is the last in order
            if len(self._left) > MOST_REMEMBERED:
                del self._left[next(iter(self._left))]

    def _now(self, key: object) -> float:
        left, since = self._left.get(key, (self._most, 0.0))
        return min(self._most, left + (monotonic() - since) * self._most / self._seconds)


class Turns:
    """A queue: so many requests at once, one of each member, and their share of a processor."""

    def __init__(self, slots: int, processor: Quota) -> None:
        self.processor = processor
        self._slots = asyncio.Semaphore(slots)  # in the order in which they come
        self._of: dict[int, tuple[asyncio.Lock, list[None]]] = {}

    @asynccontextmanager
    async def own(self, member: int) -> AsyncIterator[asyncio.Semaphore]:
        """Yield the slots once no other request of the member is being answered.

        TooMany if ``WAITING`` of them wait, or if they have used too much of a processor.
        """
        self.processor.require(member)
        lock, waiting = self._of.setdefault(member, (asyncio.Lock(), []))
        if len(waiting) > WAITING:
            raise TooMany(
                f"{WAITING} requests of yours wait for their turn already.",
                "send one after the other",
                seconds=5,
            )
        waiting.append(None)
        try:
            async with lock:
                yield self._slots
        finally:
            waiting.pop()
            if not waiting:
                del self._of[member]
