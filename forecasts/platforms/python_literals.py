"""Cells that hold Python literals, such as ``[0.2, None, 0.8]``, read without running anything."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from forecasts.common import limits
from forecasts.common.text import unstorable_character
from forecasts.folder.tables import Table
from scoring.arrays import Floats

CHARACTERS = 100_000  # of a cell; a list of 201 numbers has 5,000
_NUMBER = r"(?:-?\d{1,30}(?:\.\d{0,30})?(?:[eE][+-]?\d{1,3})?|None|nan)"
_NUMBERS = rf"^\s*[\[(]\s*{_NUMBER}(?:\s*,\s*{_NUMBER})*\s*,?\s*[\])]\s*$"
_LONG = f"a list of at most {limits.ENTRIES:,} entries and {CHARACTERS:,} characters"
_FAULTS = (ValueError, SyntaxError, TypeError, MemoryError, RecursionError)


class NumberLists(NamedTuple):
    """Lists of numbers: the rows with one, where each begins in ``numbers``, and its length.

    None among the numbers is NaN.
    """

    rows: npt.NDArray[np.intp]
    starts: npt.NDArray[np.intp]
    lengths: npt.NDArray[np.intp]
    numbers: Floats

    def each(self) -> Iterator[Floats]:
        """Yield the lists one by one, each a copy."""
        for start, length in zip(self.starts.tolist(), self.lengths.tolist(), strict=True):
            yield self.numbers[start : start + length].copy()


def literal(table: Table, row: int, column: str, text: str) -> Any:
    """Return the value of a cell, None if it is blank; a bad cell is noted and None too."""
    if not text.strip():
        return None
    if len(text) > CHARACTERS:
        table.wrong(row, column, text, f"{_LONG}; this has {len(text):,} characters")
        return None
    try:
        value = _evaluated(text.strip())
    except _FAULTS:
        table.wrong(row, column, text, "a list as Python writes it, as in ['a', 'b']")
        return None
    if isinstance(value, list | tuple | dict) and len(value) > limits.ENTRIES:
        table.wrong(row, column, text, _LONG)
        return None
    return value


@lru_cache(maxsize=256)
def _evaluated(text: str) -> Any:
    """Return the value of a literal, not to be changed; most cells of a column repeat a few."""
    return ast.literal_eval(text)


def texts(table: Table, row: int, column: str, text: str) -> list[str]:
    """Return a cell's list of texts, empty if it is blank; a bad cell is noted and empty too."""
    value = literal(table, row, column, text)
    if value is None:
        return []
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
        table.wrong(row, column, text, "a list of texts")
        return []
    if character := unstorable_character("".join(value)):
        table.wrong(row, column, text, f"without {character}, which a ledger cannot store")
        return []
    return list(value)


def number_lists(table: Table, column: str, cells: pd.Series[str]) -> NumberLists:
    """Return the lists of a column of numbers and None; bad cells are noted.

    The index of ``cells`` has the rows of the table. Lists in the usual form are read by Arrow.
    """
    rows = cells.index.to_numpy()
    whole = pa.array(cells, pa.large_string())
    long = (
        pc.or_(
            pc.greater(pc.utf8_length(whole), CHARACTERS),
            pc.greater_equal(pc.count_substring(whole, ","), limits.ENTRIES + 1),
        )
        .to_numpy(zero_copy_only=False)
        .astype(bool)
    )
    for place in np.flatnonzero(long).tolist():
        table.wrong(int(rows[place]), column, cells.iloc[place], _LONG)
    usual = pc.match_substring_regex(whole, _NUMBERS).to_numpy(zero_copy_only=False) & ~long
    for place in np.flatnonzero(~usual & ~long).tolist():
        text = cells.iloc[place]
        table.wrong(int(rows[place]), column, text, "a list of numbers, as in [0.2, None, 0.8]")
    bare = pc.replace_substring_regex(whole.filter(pa.array(usual)), r"[\s\[\]()]", "")
    split = pc.split_pattern(pc.utf8_rtrim(bare, ","), ",")
    parts = pc.list_flatten(split)
    missing = pc.is_in(parts, pa.array(["None", "nan"], parts.type))
    numbers = pc.if_else(missing, pa.scalar(None, parts.type), parts).cast(pa.float64())
    lengths = pc.list_value_length(split).to_numpy(zero_copy_only=False).astype(np.intp)
    return NumberLists(
        rows[usual],
        np.cumsum(lengths) - lengths,
        lengths,
        numbers.fill_null(np.nan).to_numpy(zero_copy_only=False),
    )


_ID = re.compile(r"(\d{1,18})(?:\.0)?")


def whole_number(text: str) -> str:
    """Return an id without the '.0' that a spreadsheet or pandas gives it; '' if it is not one.

    >>> whole_number("3672"), whole_number("3672.0"), whole_number("rain-2026")
    ('3672', '3672', '')
    """
    found = _ID.fullmatch(text.strip())
    return "" if found is None else found[1]
