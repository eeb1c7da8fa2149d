"""Sums without cancellation: numbers split into two parts, the first of which sums exactly."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from scoring.arrays import Floats

Pairs = npt.NDArray[np.complex128]


def split(value: Floats, out: Pairs | None = None) -> Pairs:
    """Return finite numbers as pairs of parts, in ``out`` if given.

    The first parts are multiples of a common unit, chosen so that their sums are exact in double
    precision; the second parts hold the remainders, whose rounding errors are smaller by the same
    factor. Adding a number and subtracting it again therefore leaves nothing, and the difference of
    two large running sums is as accurate as a direct sum. A pair is stored as a complex number, so
    one running sum and one lookup serve both parts.
    """
    most = len(value) * max(float(value.max(initial=0.0)), -float(value.min(initial=0.0)))
    # Adding and subtracting a number this large rounds to multiples of its last digit.
    large = 1.5 * 2.0 ** (math.frexp(most)[1] + 1)
    pairs = np.empty(len(value), dtype=np.complex128) if out is None else out
    exact, rest = pairs.real, pairs.imag
    np.add(value, large, out=exact)
    np.subtract(exact, large, out=exact)
    np.subtract(value, exact, out=rest)
    return pairs


def merge(pairs: Pairs) -> Floats:
    """Return the numbers that the pairs represent."""
    return np.asarray(pairs.real + pairs.imag)
