"""The median of the forecasters' current values, kept up to date as they change."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections.abc import Hashable


class RunningMedian:
    """The median of one current value per forecaster; a change costs one search of a sorted list.

    >>> crowd = RunningMedian()
    >>> for forecaster, value in (("alice", 0.2), ("bob", 0.6), ("alice", 0.4)):
    ...     crowd.update(forecaster, value)
    >>> crowd.median(), len(crowd)
    (0.5, 2)
    """

    def __init__(self) -> None:
        self._current: dict[Hashable, float] = {}
        self._sorted: list[float] = []
        self._pools: dict[Hashable, dict[Hashable, float]] = {}

    def __len__(self) -> int:
        return len(self._sorted)

    def update(self, forecaster: Hashable, value: float, pool: Hashable = None) -> None:
        """Replace the forecaster's value; NaN removes it.

        The values of a ``pool`` count once, as their mean.
        """
        if pool is not None:
            said = self._pools.setdefault(pool, {})
            said.pop(forecaster, None)
            if not math.isnan(value):
                said[forecaster] = value
            forecaster = ("pool", pool)
            value = math.fsum(said.values()) / len(said) if said else math.nan
        if forecaster in self._current:
            del self._sorted[bisect_left(self._sorted, self._current.pop(forecaster))]
        if not math.isnan(value):
            self._current[forecaster] = value
            insort(self._sorted, value)

    def median(self) -> float:
        """Return the median; NaN if no forecaster has a value."""
        n = len(self._sorted)
        return (self._sorted[(n - 1) // 2] + self._sorted[n // 2]) / 2 if n else math.nan
