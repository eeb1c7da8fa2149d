"""Threads for NumPy work, which releases the interpreter lock while it sorts and adds."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

# Workers on one machine set this to 1, since their threads would wait for each other.
_MOST_THREADS: ContextVar[int] = ContextVar("_MOST_THREADS", default=4)


def map_threads(work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """Return the results of ``work`` on each item, in the order of the items."""
    todo = list(items)
    threads = min(os.cpu_count() or 1, _MOST_THREADS.get(), len(todo))
    if threads < 2:
        return [work(item) for item in todo]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, todo))


@contextmanager
def limited(threads: int) -> Iterator[None]:
    """Return a context in which each call uses at most this many threads."""
    token = _MOST_THREADS.set(threads)
    try:
        yield
    finally:
        _MOST_THREADS.reset(token)
