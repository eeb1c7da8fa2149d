"""Cells that hold Python literals, such as ``[0.2, None, 0.8]``, read without running anything."""

from __future__ import annotations

import ast
import json
import math
import re
from typing import Any

from forecasts.common import limits
from forecasts.common.text import unstorable_character
from forecasts.folder.tables import Table

CHARACTERS = 100_000  # of a cell; a list of 201 numbers has 5,000
_LONG = f"a list of at most {limits.ENTRIES:,} entries and {CHARACTERS:,} characters"
_FAULTS = (ValueError, SyntaxError, TypeError, MemoryError, RecursionError)
_ID = re.compile(r"(\d{1,18})(?:\.0)?")


def literal(table: Table, row: int, column: str, text: str) -> Any:
    """Return the value of a cell, None if it is blank; a bad cell is noted and None too."""
    if not text.strip():
        return None
    if len(text) > CHARACTERS:
        table.wrong(row, column, text, f"{_LONG}; this has {len(text):,} characters")
        return None
    try:
        value = ast.literal_eval(text.strip())
    except _FAULTS:
        table.wrong(row, column, text, "a list as Python writes it, as in ['a', 'b']")
        return None
    if isinstance(value, list | tuple | dict) and len(value) > limits.ENTRIES:
        table.wrong(row, column, text, _LONG)
        return None
    return value


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


def numbers(table: Table, row: int, column: str, text: str) -> list[float]:
    """Return a cell's list of numbers, NaN for None; empty if it is blank, or bad: then noted."""
    if not text.strip():
        return []
    if len(text) > CHARACTERS or text.count(",") > limits.ENTRIES:
        table.wrong(row, column, text, _LONG)
        return []
    # The JSON reader is ten times as fast as Python's, and reads the same numbers.
    plain = text.strip().replace("None", "null").replace("nan", "null").rstrip(")]").lstrip("([")
    try:
        found = json.loads(f"[{plain.rstrip().removesuffix(',')}]")
    except _FAULTS:
        found = []
    is_list = text.strip()[0] in "([" and text.strip()[-1] in ")]"
    if not is_list or not found or not all(map(_is_number, found)):
        table.wrong(row, column, text, "a list of numbers, as in [0.2, None, 0.8]")
        return []
    return [math.nan if one is None else float(one) for one in found]


def _is_number(value: Any) -> bool:
    if value is None:
        return True
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < math.inf


def whole_number(text: str) -> str:
    """Return an id without the '.0' that a spreadsheet or pandas gives it; '' if it is not one.

    >>> whole_number("3672"), whole_number("3672.0"), whole_number("rain-2026")
    ('3672', '3672', '')
    """
    found = _ID.fullmatch(text.strip())
    return "" if found is None else found[1]
