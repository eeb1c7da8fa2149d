"""InputError and its list of problems, and checks of single arguments."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from scoring.arrays import Flags, Floats, Places

# The most problems collected: nobody reads further.
MOST_PROBLEMS = 1000


@dataclass(frozen=True)
class Problem:
    """A value that breaks a rule, and its location.

    ``frame`` is ``"questions"`` or ``"forecasts"``, or empty for an argument of a function on
    arrays (``column`` is then the argument's name). ``row`` counts from 0 in the order of the
    input; None refers to the whole column.
    """

    frame: str
    column: str
    row: int | None
    value: Any
    rule: str

    def __str__(self) -> str:
        place = f"{self.frame} {self.column}".strip()
        at = "" if self.row is None else f", row {self.row}"
        value = "" if self.value is None else f": {self.value!r}"
        return f"{place}{at}{value} — {self.rule}"


class InputError(ValueError):
    """The input breaks at least one rule; nothing was computed.

    ``problems`` lists them (at most 1,000), each with frame, column, row, value and rule. The
    message shows the first five.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        shown = [str(problem) for problem in self.problems[:5]]
        if len(self.problems) > 5:
            shown.append(f"and {len(self.problems) - 5} more")
        super().__init__("; ".join(shown))


class Problems:
    """Problems collected while both frames are read, to be reported together."""

    def __init__(self) -> None:
        self.found: list[Problem] = []

    def add(self, frame: str, column: str, row: int | None, value: Any, rule: str) -> None:
        """Add one invalid value."""
        if len(self.found) < MOST_PROBLEMS:
            if isinstance(value, np.generic):
                value = value.item()
            self.found.append(Problem(frame, column, row, value, rule))

    def add_where(
        self, frame: str, column: str, bad: Flags | Places, values: Any, rule: str
    ) -> None:
        """Add the values of the ``bad`` rows, flags or positions, all breaking the same rule.

        ``values`` is the input column, or None if there is no value to show.
        """
        rows = np.flatnonzero(bad) if bad.dtype == np.bool_ else bad
        shown = values.iloc if isinstance(values, pd.Series) else values
        for row in rows[: MOST_PROBLEMS - len(self.found)].tolist():
            self.add(frame, column, row, None if shown is None else shown[row], rule)

    def raise_any(self) -> None:
        """Raise InputError if any problem was added."""
        if self.found:
            raise InputError(sorted(self.found, key=lambda each: each.frame, reverse=True))


def float_array(column: str, values: npt.ArrayLike) -> Floats:
    """Return an array argument as floats. Raises InputError if it cannot be converted."""
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        rule = "must be numbers, in rows of equal length"
        raise InputError([Problem("", column, None, values, rule)]) from error


def require(column: str, value: object, holds: object, rule: str, frame: str = "") -> None:
    """Raise InputError about an argument, or a column of a frame, unless the rule holds."""
    if not holds:
        raise InputError([Problem(frame, column, None, value, rule)])


def require_number(column: str, value: object, fits: Callable[[float], bool], rule: str) -> None:
    """Raise InputError unless an argument is one number that fits; NaN and booleans never do."""
    # NumPy's booleans are not Real; Python's are.
    number = float(value) if not isinstance(value, bool) and isinstance(value, Real) else math.nan
    require(column, value, fits(number), rule)


def float_vector(column: str, values: npt.ArrayLike) -> Floats:
    """Return a one-dimensional array argument as floats. Raises InputError."""
    vector = float_array(column, values)
    require(column, vector.shape, vector.ndim == 1, "must be one-dimensional")
    return vector


def broadcast(column: str, values: Floats, shape: tuple[int, ...], rule: str) -> Floats:
    """Return an array argument broadcast to a shape.

    Raises InputError, showing the actual shape, if it does not fit.
    """
    try:
        return np.broadcast_to(values, shape)
    except ValueError as error:
        raise InputError([Problem("", column, None, values.shape, rule)]) from error


def refuse_where(column: str, bad: npt.ArrayLike, values: npt.NDArray[Any], rule: str) -> None:
    """Raise InputError with the positions of an array argument where ``bad`` holds."""
    wrong = np.atleast_1d(bad)
    if wrong.any():
        problems = Problems()
        rows = np.asarray(wrong.reshape(len(wrong), -1).any(axis=1))
        problems.add_where("", column, rows, np.atleast_1d(values), rule)
        problems.raise_any()
