"""Shares of groups whose members stand or fall together, with an interval for so few groups."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import numpy as np

FEW = 10  # groups, below which a share says little


@dataclass(frozen=True)
class Share:
    """The mean share of ``groups``, None without any, with its 95% interval."""

    groups: int = 0
    mean: float | None = None
    interval: tuple[float, float] | None = None


def share(groups: Iterable[Collection[bool]]) -> Share:
    """Return the mean of the groups' own shares, with Wilson's interval for so many groups.

    >>> share([[True], [True, False]]).mean
    0.75
    """
    rates = [sum(group) / len(group) for group in groups]
    if not rates:
        return Share()
    from scoring.calibration import wilson  # it loads pandas, and runs import this

    mean = sum(rates) / len(rates)
    low, high = wilson(np.array([mean]), np.array([float(len(rates))]))
    return Share(len(rates), mean, (float(low[0]), float(high[0])))
