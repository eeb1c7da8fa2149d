"""Sums that lose nothing: numbers kept as pairs, of which any sum of some is exact in one part."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from scoring.arrays import Floats

Pairs = npt.NDArray[np.complex128]


def split(value: Floats, out: Pairs | None = None) -> Pairs:
    """Return finite numbers as pairs, in ``out`` if it is given.

    The first parts are multiples of one number, so large that no sum of them needs more digits
    than a float has; the second parts hold the rest, and what their sums round is that much
    smaller. So what is added and later taken away again leaves nothing behind, and the difference
    of two large running sums is as good as the small sum that it stands for. A pair is a complex
    number: one running sum and one look-up serve both parts.
    """
    most = len(value) * max(float(value.max(initial=0.0)), -float(value.min(initial=0.0)))
    # Adding and taking away a number this large rounds to multiples of its last digit.
    large = 1.5 * 2.0 ** (math.frexp(most)[1] + 1)
    pairs = np.empty(len(value), dtype=np.complex128) if out is None else out
    exact, rest = pairs.real, pairs.imag
    np.add(value, large, out=exact)
    np.subtract(exact, large, out=exact)
    np.subtract(value, exact, out=rest)
    return pairs


def merge(pairs: Pairs) -> Floats:
    """Return the numbers that pairs stand for."""
    return np.asarray(pairs.real + pairs.imag)
