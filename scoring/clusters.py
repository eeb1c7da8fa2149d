"""Clustered standard errors, and the families that questions are clustered by."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from scoring.arrays import Floats


class MeanAndError(NamedTuple):
    """A mean, its clustered standard error (NaN below two clusters), and the number of clusters."""

    value: float
    error: float
    clusters: int


def mean_and_error(values: Floats, cluster: npt.ArrayLike) -> MeanAndError:
    """Return the mean of the values (n,), n >= 1, with its clustered standard error.

    With e_g the sum of the deviations from the mean over cluster g of G, the error is
    √(G/(G−1) Σ e_g²) / n, to be used with Student's t on G − 1 degrees of freedom.
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
    """Return the family number of each row's question.

    ``families`` maps a question id to its family; a question with a blank family, or none, is its
    own family.
    """
    own = pd.factorize(question)[0]
    if families is None:
        return own
    given = families if isinstance(families, pd.Series) else pd.Series(dict(families), dtype=object)
    family = question.map(given).astype(object)
    named = (family.notna() & (family != "")).to_numpy(dtype=np.bool_)
    code, names = pd.factorize(family.where(named))
    return np.where(named, code, own + len(names))
