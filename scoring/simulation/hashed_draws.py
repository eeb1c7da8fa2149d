"""Random numbers that depend on their purpose alone, not on earlier draws.

A number is a hash of a seed and the numbers of nested things (a question, a forecaster, an update),
by the mixing function of SplitMix64. So any part of a simulation can be made alone.
"""

from __future__ import annotations

import zlib

import numpy as np
import numpy.typing as npt
from scipy import special

from scoring.arrays import Flags, Floats, Ints
from scoring.outcome_draws import STEP, Words, mixed


class Draws:
    """Random numbers of many things: each is a function of the thing's key and of a purpose.

    >>> every, last = (Draws.seeded(7).of(numbers) for numbers in (np.arange(3), np.arange(2, 3)))
    >>> bool(every.uniform("size")[2] == last.uniform("size")[0])
    True
    """

    def __init__(self, keys: Words) -> None:
        self.keys = keys

    @classmethod
    def seeded(cls, seed: int, purpose: str = "") -> Draws:
        """Return the draws of a seed and a purpose, a single key."""
        return cls(np.array([seed % 2**64], dtype=np.uint64)).of(_number(purpose))

    def of(self, number: Ints | int) -> Draws:
        """Return the draws of the things with these numbers, one for each key."""
        step = STEP * (np.atleast_1d(number).astype(np.uint64) + np.uint64(1))
        return Draws(mixed(self.keys + step))

    def uniform(self, purpose: str) -> Floats:
        """Return numbers between 0 and 1, both excluded."""
        return np.asarray(((self.of(_number(purpose)).keys >> np.uint64(11)) + 0.5) * 2.0**-53)

    def normal(self, purpose: str) -> Floats:
        """Return standard normal numbers."""
        return np.asarray(special.ndtri(self.uniform(purpose)))

    def take(self, places: npt.NDArray[np.integer] | Flags) -> Draws:
        """Return the draws of some of the things."""
        return Draws(self.keys[places])


def _number(purpose: str) -> int:
    return zlib.crc32(purpose.encode())
