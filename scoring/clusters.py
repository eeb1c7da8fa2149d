"""Clusters of questions, and means that know that what lies within one hangs together."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from scoring.arrays import Floats


class MeanAndError(NamedTuple):
    """A mean, its standard error, and how many clusters these rest on.

    The error is NaN for fewer than two clusters.
    """

    value: float
    error: float
    clusters: int


def mean_and_error(values: Floats, cluster: npt.ArrayLike) -> MeanAndError:
    """Return the mean of one value or more, with its standard error clustered.

    With e_g the sum over cluster g, of G, of the deviations from the mean, the error is
    √(G/(G−1) Σ e_g²) / n; a t of G − 1 degrees of freedom goes with it.
    Liang & Zeger (1986), doi:10.1093/biomet/73.1.13.

    >>> mean_and_error(np.array([1.0, 2.0, 3.0, 6.0]), ["x", "x", "y", "z"])
    MeanAndError(value=3.0, error=1.299..., clusters=3)
    """
    code = np.unique(np.asarray(cluster), return_inverse=True)[1]
    mean = float(np.mean(values))
    sums = np.bincount(code, values - mean)
    count = len(sums)
    if count < 2:
        return MeanAndError(mean, float("nan"), count)
    error = float(np.sqrt(count / (count - 1) * (sums @ sums))) / len(values)
    return MeanAndError(mean, error, count)


Families = Mapping[Hashable, Hashable] | pd.Series


def families_of(question: pd.Series, families: Families | None) -> npt.NDArray[np.intp]:
    """Return a number for the family of each row's question.

    ``families`` gives the family of a question id; a question for which it has none, or a blank
    one, is a family by itself.
    """
    own = pd.factorize(question)[0]
    if families is None:
        return own
    given = families if isinstance(families, pd.Series) else pd.Series(dict(families), dtype=object)
    family = question.map(given).astype(object)
    named = (family.notna() & (family != "")).to_numpy(dtype=np.bool_)
    code, names = pd.factorize(family.where(named))
    return np.where(named, code, own + len(names))
