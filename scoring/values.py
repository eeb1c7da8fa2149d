"""What each forecast says: a probability, a vector of them, or quantiles.

A row fills the one column that its question's type calls for. With all three empty it is a
withdrawal, and reads NaN here.
"""

from __future__ import annotations

import json
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from scoring.columns import Flags, Floats, blank, listed, quantity
from scoring.errors import Problems
from scoring.rules import SUM_TOLERANCE

Rows = npt.NDArray[np.intp] | None

OUT_OF_RANGE = "a probability must be finite and lie within 0..1"


class Values:
    """The three value columns of a forecasts frame; each method reads one of them.

    ``rows`` are the positions of the forecasts wanted, None for all of them.
    """

    def __init__(self, frame: pd.DataFrame, problems: Problems) -> None:
        names = [n for n in ("probability", "probabilities", "quantiles") if n in frame.columns]
        self.columns = {name: frame[name] for name in names}
        self.n = len(frame)
        self.problems = problems

    def _refuse(self, name: str, rows: npt.NDArray[np.intp], rule: str) -> None:
        bad = np.zeros(self.n, dtype=np.bool_)
        bad[rows] = True
        self.problems.add_where("forecasts", name, bad, self.columns[name], rule)

    def _refuse_others(self, name: str, rows: Rows, kind: str) -> None:
        for other, column in self.columns.items():
            if other != name:
                filled = ~blank(column)
                wrong = np.flatnonzero(filled) if rows is None else rows[filled[rows]]
                rule = f"a forecast on a {kind} question is given as {name}"
                self._refuse(other, wrong, rule)

    def probability(self, rows: Rows) -> Floats:
        """Return the probabilities of "yes", (n,)."""
        self._refuse_others("probability", rows, "binary")
        if "probability" not in self.columns:
            return np.full(self.n if rows is None else len(rows), np.nan)
        column = self.columns["probability"]
        if isinstance(column.dtype, np.dtype) and column.dtype.kind in "fiu":
            p = column.to_numpy(dtype=np.float64)
            p = p if rows is None else p[rows]
            unread = np.zeros(0, dtype=np.intp)
        else:
            own = column if rows is None else column.iloc[rows]
            read = pd.to_numeric(own.astype(object), errors="coerce")
            p = read.to_numpy(dtype=np.float64, na_value=np.nan)
            unread = np.flatnonzero(np.isnan(p) & ~blank(own))
        if len(unread) or _least(p) < 0 or _most(p) > 1:
            wrong = np.union1d(np.flatnonzero((p < 0) | (p > 1)), unread)
            self._refuse("probability", wrong if rows is None else rows[wrong], OUT_OF_RANGE)
        return p

    def probabilities(self, rows: Rows, options: int, outcome: Floats) -> Floats:
        """Return vectors of probabilities, (n, options), NaN for an option that is null.

        ``outcome`` is the option that came true, NaN where there is none yet.
        """
        self._refuse_others("probabilities", rows, "multiple-choice")
        at = np.arange(self.n) if rows is None else rows
        p = np.full((len(at), options), np.nan)
        if "probabilities" not in self.columns:
            return p
        column = self.columns["probabilities"]
        given = np.flatnonzero(~blank(column)[at])
        lists = _lists(column.to_numpy(dtype=object)[at[given]])
        lengths = np.fromiter(map(len, lists), np.intp, len(lists))
        fits = lengths == options
        self._refuse(
            "probabilities", at[given[~fits]], f"must be a list of {options} numbers, one an option"
        )
        given = given[fits]
        try:
            kept = chain.from_iterable(lists[i] for i in np.flatnonzero(fits))
            vectors = np.array(list(kept), dtype=np.float64).reshape(-1, options)
        except (TypeError, ValueError):
            wrong = [i for i, keep in enumerate(fits) if keep and not _numeric(lists[i])]
            bad = at[np.flatnonzero(~blank(column)[at])[wrong]]
            self._refuse("probabilities", bad, "must be a list of numbers and nulls")
            return p
        outside = ((vectors < 0) | (vectors > 1)).any(axis=1)
        self._refuse("probabilities", at[given[outside]], OUT_OF_RANGE)
        off = ~outside & (np.abs(np.nansum(vectors, axis=1) - 1) > SUM_TOLERANCE)
        rule = "the probabilities of one forecast must sum to 1 within 1e-9"
        self._refuse("probabilities", at[given[off]], rule)
        known = ~np.isnan(outcome[given])
        option = np.where(known, outcome[given], 0).astype(np.intp)
        lacking = np.isnan(vectors[np.arange(len(given)), option]) & np.isnan(vectors[:, -1])
        rule = "lacks the option that came true, and the last one, which is read in its place"
        self._refuse("probabilities", at[given[known & lacking & ~off]], rule)
        p[given] = vectors
        return p

    def quantiles(self, rows: Rows, dates: Flags, lower: Floats, upper: Floats) -> Floats:
        """Return distributions as knots, (n, 2, m), between the bounds of their questions."""
        self._refuse_others("quantiles", rows, "numeric or date")
        at = np.arange(self.n) if rows is None else rows
        curves: dict[int, Floats] = {}
        if "quantiles" in self.columns:
            column = self.columns["quantiles"]
            values = column.to_numpy(dtype=object)
            for i in np.flatnonzero(~blank(column)[at]):
                try:
                    curves[int(i)] = _distribution(
                        values[at[i]], bool(dates[i]), float(lower[i]), float(upper[i])
                    )
                except ValueError as wrong:
                    self._refuse("quantiles", at[i : i + 1], str(wrong))
        most = max((curve.shape[1] for curve in curves.values()), default=2)
        p = np.full((len(at), 2, most), np.nan)
        for place, curve in curves.items():
            # Repeating the last knot adds pieces of no width, which change nothing.
            p[place] = np.pad(curve, ((0, 0), (0, most - curve.shape[1])), mode="edge")
        return p


def _least(p: Floats) -> float:
    return float(np.fmin.reduce(p, initial=0.0))


def _most(p: Floats) -> float:
    return float(np.fmax.reduce(p, initial=1.0))


def _numeric(values: list[Any]) -> bool:
    return all(
        v is None or (isinstance(v, int | float | np.number) and not isinstance(v, bool))
        for v in values
    )


def _lists(values: npt.NDArray[Any]) -> list[list[Any]]:
    """Return each value as a list, empty where it is not one; JSON is parsed in one go."""
    if len(values) and all(isinstance(value, str) for value in values):
        try:
            read = json.loads(f"[{','.join(values)}]")
        except ValueError:
            read = []
        if len(read) == len(values) and all(isinstance(value, list) for value in read):
            return list(read)
    return [listed(value) or [] for value in values]


def _distribution(value: object, dates: bool, lower: float, upper: float) -> Floats:
    """Return the knots (2, m) of one forecast: levels and values, from bound to bound.

    ``below`` and ``above`` are the mass outside the bounds; every other key is a level. Raises
    ValueError with the rule that is broken.
    """
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            value = None
    if not isinstance(value, dict):
        raise ValueError("must be an object of level: value, or that object in JSON")
    below, above = (quantity(value.get(side, 0.0), as_date=False) for side in ("below", "above"))
    if not (0 <= below <= 1 and 0 <= above <= 1 and below + above <= 1):
        raise ValueError("below and above must lie within 0..1, and so must their sum")
    pairs = sorted(
        (quantity(level, as_date=False), quantity(at, as_date=dates))
        for level, at in value.items()
        if level not in ("below", "above")
    )
    levels = np.array([level for level, _ in pairs])
    at = np.array([place for _, place in pairs])
    if not ((levels >= below) & (levels <= 1 - above)).all():
        raise ValueError("a level must lie within 0..1, and between below and 1 − above")
    if not ((at >= lower) & (at <= upper)).all():
        raise ValueError("a value must lie within the question's bounds")
    if (np.diff(at) < 0).any() or (np.diff(levels) <= 0).any():
        raise ValueError("levels must differ, and values must not fall as levels rise")
    return np.stack([[below, *levels, 1 - above], [lower, *at, upper]])
