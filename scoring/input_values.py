"""The value of each forecast: a probability, a vector of probabilities, or quantiles.

A row fills the one column that its question's type requires. With all three empty it is a
withdrawal, which is NaN here.

Quantiles are read as a piecewise-linear distribution, from the question's lower bound through the
stated quantiles to its upper bound; the probability outside the bounds is stated as mass, `below`
and `above`.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from scoring.arrays import Flags, Floats
from scoring.errors import Problems
from scoring.input_columns import NUMBERS, has_type, is_blank, parse_json, quantities
from scoring.rules import SUM_TOLERANCE

Rows = npt.NDArray[np.intp] | slice

VALUE_COLUMNS = ("probability", "probabilities", "quantiles")
OUT_OF_RANGE = "a probability must be finite and lie within 0..1"


class Values:
    """The three value columns of a forecasts frame, one method for each.

    ``rows`` are the positions of the forecasts to read.
    """

    def __init__(self, frame: pd.DataFrame, problems: Problems) -> None:
        self.columns = {name: frame[name] for name in VALUE_COLUMNS if name in frame.columns}
        self.places = np.arange(len(frame))
        self.problems = problems

    def _refuse(self, name: str, rows: npt.NDArray[np.intp], rule: str) -> None:
        self.problems.add_where("forecasts", name, rows, self.columns[name], rule)

    def _refuse_others(self, name: str, rows: Rows, kind: str) -> None:
        for other, column in self.columns.items():
            if other != name:
                rule = f"a forecast on a {kind} question needs {name} instead"
                self._refuse(other, self.places[rows][~is_blank(column)[rows]], rule)

    def probability(self, rows: Rows) -> Floats:
        """Return the probabilities of "yes", (n,)."""
        self._refuse_others("probability", rows, "binary")
        if "probability" not in self.columns:
            return np.full(len(self.places[rows]), np.nan)
        column = self.columns["probability"]
        if isinstance(column.dtype, np.dtype) and column.dtype.kind in "fiu":
            p = column.to_numpy(dtype=np.float64)[rows]
            unread = np.zeros(0, dtype=np.intp)
        else:
            own = column.iloc[rows]
            read = pd.to_numeric(own.astype(object), errors="coerce")
            p = read.to_numpy(dtype=np.float64, na_value=np.nan)
            unread = np.flatnonzero((np.isnan(p) & ~is_blank(own)) | _truths(own))
        wrong = np.union1d(np.flatnonzero((p < 0) | (p > 1)), unread)
        self._refuse("probability", self.places[rows][wrong], OUT_OF_RANGE)
        return p

    def probabilities(self, rows: Rows, options: int, outcome: Floats) -> Floats:
        """Return vectors of probabilities, (n, options), NaN for an option that is null.

        ``outcome`` is the index of the option that came true, NaN if unresolved.
        """
        self._refuse_others("probabilities", rows, "multiple-choice")
        at = self.places[rows]
        p = np.full((len(at), options), np.nan)
        if "probabilities" not in self.columns:
            return p
        column = self.columns["probabilities"]
        given = np.flatnonzero(~is_blank(column)[at])
        lists = parse_json(column.to_numpy(dtype=object)[at[given]])
        fits = has_type(lists, list, tuple, np.ndarray)
        fits[fits] = np.fromiter(map(len, lists[fits]), np.intp) == options
        rule = f"must be a list of {options} numbers, one per option"
        self._refuse("probabilities", at[given[~fits]], rule)
        given, lists = given[fits], lists[fits]
        flat = np.fromiter(chain.from_iterable(lists), dtype=object, count=len(given) * options)
        number = has_type(flat, *NUMBERS, type(None)).reshape(-1, options).all(axis=1)
        self._refuse("probabilities", at[given[~number]], "must be a list of numbers and nulls")
        given = given[number]
        entries = flat.reshape(-1, options)[number]
        vectors = entries.astype(np.float64)
        invalid = np.isnan(vectors)
        invalid[invalid] = ~has_type(entries[invalid], type(None))
        outside = (invalid | (vectors < 0) | (vectors > 1)).any(axis=1)
        rule = f"{OUT_OF_RANGE}; an option that did not exist yet is null"
        self._refuse("probabilities", at[given[outside]], rule)
        off = ~outside & (np.abs(np.nansum(vectors, axis=1) - 1) > SUM_TOLERANCE)
        rule = "the probabilities of one forecast must sum to 1 within 1e-9"
        self._refuse("probabilities", at[given[off]], rule)
        known = ~np.isnan(outcome[given])
        option = np.where(known, outcome[given], 0).astype(np.intp)
        lacking = np.isnan(vectors[np.arange(len(given)), option]) & np.isnan(vectors[:, -1])
        rule = "lacks both the option that came true and the last option, which would stand for it"
        self._refuse("probabilities", at[given[known & lacking & ~off & ~outside]], rule)
        p[given] = vectors
        return p

    def quantiles(self, rows: Rows, dates: Flags, lower: Floats, upper: Floats) -> Floats:
        """Return distributions as knots, (n, 2, m), between the bounds of their questions."""
        self._refuse_others("quantiles", rows, "numeric or date")
        at = self.places[rows]
        if "quantiles" not in self.columns:
            return np.full((len(at), 2, 2), np.nan)
        column = self.columns["quantiles"]
        given = np.flatnonzero(~is_blank(column)[at])
        curves = distributions(
            column.to_numpy(dtype=object)[at[given]],
            dates[given],
            lower[given],
            upper[given],
            lambda bad, rule: self._refuse("quantiles", at[given[bad]], rule),
        )
        p = np.full((len(at), *curves.shape[1:]), np.nan)
        p[given] = curves
        return p


def _truths(column: pd.Series) -> Flags:
    """Return where a column holds booleans, which pandas would read as 1 and 0."""
    values = column.to_numpy(dtype=object)
    return ~has_type(values, object) | has_type(values, np.bool_)


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
