"""Quantile forecasts as piecewise-linear distributions.

A distribution runs from the question's lower bound through the stated quantiles to its upper bound;
the probability outside the bounds is stated as mass, `below` and `above`.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from scoring.arrays import Flags, Floats
from scoring.input_columns import has_type, parse_json, quantities
from scoring.rules import SUM_TOLERANCE

NUMBER = "must be a finite number"
DATE = "must be a date, or a time with an offset"


def distributions(
    values: npt.NDArray[np.object_],
    dates: Flags,
    lower: Floats,
    upper: Floats,
    refuse: Callable[[Flags, str], None],
) -> Floats:
    """Return forecasts as knots (n, 2, m): levels and values, from bound to bound.

    ``values`` are objects of level: value, or such objects in JSON; ``dates`` flags those whose
    values are dates. ``refuse`` is called with the invalid forecasts, each one at most once, and
    the rule that they break.
    """
    refused = np.zeros(len(values), dtype=np.bool_)

    def note(bad: Flags, rule: str) -> None:
        refuse(bad & ~refused, rule)
        refused[bad] = True

    objects = parse_json(values)
    known = has_type(objects, dict)
    note(~known, "must be an object of level: value, or that object in JSON")
    objects[~known] = {}
    # The entries of all objects in order: the object's index, the key, the value.
    row = np.arange(len(objects)).repeat(np.fromiter(map(len, objects), np.intp, len(objects)))
    keys = np.fromiter(chain.from_iterable(objects), dtype=object, count=len(row))
    entries: chain[Any] = chain.from_iterable(map(dict.values, objects))
    stated = np.fromiter(entries, dtype=object, count=len(row))

    masses = np.zeros((2, len(values)))
    for mass, name in zip(masses, ("below", "above"), strict=True):
        here = keys == name
        mass[row[here]] = quantities(stated[here], np.zeros(len(row[here]), dtype=np.bool_))
    below, above = masses
    note(np.isnan(below + above), NUMBER)
    inside = (below >= 0) & (above >= 0) & (below + above <= 1 + SUM_TOLERANCE)
    note(~inside, "below and above must lie within 0..1, and so must their sum")

    quantile = (keys != "below") & (keys != "above")
    row, keys, stated = row[quantile], keys[quantile], stated[quantile]
    names, distinct = pd.factorize(keys)
    level = quantities(np.asarray(distinct, dtype=object), np.zeros(len(distinct), np.bool_))[names]
    at = quantities(stated, dates[row])

    def broken(entries: Flags | npt.NDArray[np.intp]) -> Flags:
        return np.bincount(row[entries], minlength=len(values)) > 0

    note(broken(np.isnan(level)), NUMBER)
    note(broken(np.isnan(at) & ~dates[row]), NUMBER)
    note(broken(np.isnan(at)), DATE)

    order = np.lexsort((at, level, row))
    level, at = level[order], at[order]
    low, high = below[row] - SUM_TOLERANCE, 1 - above[row] + SUM_TOLERANCE
    rule = "a level must lie within 0..1, and between below and 1 − above"
    note(broken((level < low) | (level > high)), rule)
    rule = "a value must lie within the question's bounds"
    note(broken((at < lower[row]) | (at > upper[row])), rule)
    falls = (row[1:] == row[:-1]) & ((at[1:] < at[:-1]) | (level[1:] <= level[:-1]))
    rule = "levels must differ, and values must not fall as levels rise"
    note(broken(np.flatnonzero(falls)), rule)

    sizes = np.bincount(row, minlength=len(values))
    place = np.arange(1, len(row) + 1) - (np.cumsum(sizes) - sizes)[row]
    # Repeating the last knot adds segments of width 0, which change nothing.
    knots = np.empty((len(values), 2, int(sizes.max(initial=0)) + 2))
    knots[:, 0, :], knots[:, 1, :] = (1 - above)[:, None], upper[:, None]
    knots[:, 0, 0], knots[:, 1, 0] = below, lower
    knots[row, 0, place], knots[row, 1, place] = level, at
    knots[refused] = np.nan
    return knots
