"""The value of each forecast: a probability, a vector of probabilities, or quantiles.

A row fills the one column that its question's type requires. With all three empty it is a
withdrawal, which is NaN here.
"""

from __future__ import annotations

from itertools import chain

import numpy as np
import numpy.typing as npt
import pandas as pd

from scoring import parallel
from scoring.arrays import Flags, Floats
from scoring.errors import Problems
from scoring.input_columns import NUMBERS, has_type, is_blank, parse_json
from scoring.input_quantiles import distributions
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
        bad = np.zeros(len(self.places), dtype=np.bool_)
        bad[rows] = True
        self.problems.add_where("forecasts", name, bad, self.columns[name], rule)

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
        least, most = parallel.extent(p) if len(p) else (0, 1)
        if len(unread) or least < 0 or most > 1:
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
