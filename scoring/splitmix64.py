"""The mixing function of SplitMix64, which makes random numbers from any numbers that differ.

Steele, Lea & Flood (2014), Fast splittable pseudorandom number generators,
doi:10.1145/2660193.2660195.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint64]

# The difference between the states of two successive numbers.
STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def mixed(state: Words) -> Words:
    """Return the outputs of SplitMix64 at these states, which are overwritten."""
    state ^= state >> np.uint64(30)
    state *= _MIX[0]
    state ^= state >> np.uint64(27)
    state *= _MIX[1]
    state ^= state >> np.uint64(31)
    return state
