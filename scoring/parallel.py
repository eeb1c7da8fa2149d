"""Threads for NumPy work, which releases the interpreter lock while it sorts and adds."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

Item = TypeVar("Item")
Result = TypeVar("Result")

# Workers on one machine set this to 1, since their threads would wait for each other.
_MOST_THREADS: ContextVar[int] = ContextVar("_MOST_THREADS", default=4)
# Fewer rows than this are done before a second thread has started.
PART_ROWS = 1 << 19


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


def parts(rows: int) -> list[slice]:
    """Return slices that partition that many rows; a single one if they are few."""
    return [slice(start, start + PART_ROWS) for start in range(0, max(rows, 1), PART_ROWS)]


def extent(values: npt.NDArray[Any]) -> tuple[Any, Any]:
    """Return the minimum and the maximum of the values that are not NaN, NaN if all are."""
    found = map_threads(
        lambda part: (np.fmin.reduce(values[part]), np.fmax.reduce(values[part])),
        parts(len(values)),
    )
    least, most = zip(*found, strict=True)
    return np.fmin.reduce(least), np.fmax.reduce(most)


def take(values: npt.NDArray[Any], places: npt.NDArray[np.intp]) -> npt.NDArray[Any]:
    """Return ``values.take(places)`` along the first axis, in threads: it waits for memory."""
    if len(places) <= PART_ROWS:
        return values.take(places, axis=0)
    found = np.empty((len(places), *values.shape[1:]), dtype=values.dtype)

    def copy(part: slice) -> None:
        values.take(places[part], axis=0, out=found[part], mode="clip")

    map_threads(copy, parts(len(places)))
    return found
