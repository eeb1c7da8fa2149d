"""The cells of one column as values, and values as the exact texts of cells."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from forecasts.common import limits
from forecasts.common.errors import BadInput, Problem
from forecasts.common.json_text import no_constant
from forecasts.common.text import count, cut, unstorable_character
from forecasts.folder.frames import TIME_DTYPE


@dataclass(frozen=True)
class BadCell(Problem):
    """A cell or field that breaks a rule of its file.

    ``rule`` completes "must be": "a number from 0 to 1", "not after open_time". It can also begin
    with "required", or be a whole sentence, with its full stop. ``row`` and ``column``: of the cell
    in its table, to put problems in order.
    """

    row: int = field(default=0, compare=False)
    column: int = field(default=0, compare=False)

    def __str__(self) -> str:
        value = repr(cut(self.value, _SHOWN))
        if self.rule.endswith("."):
            return f"{self.place}: {value} cannot be used. {self.rule[:1].upper()}{self.rule[1:]}"
        must = "must not be" if self.rule.startswith("not ") else "must be"
        must = "is" if self.rule.startswith("required") else must
        rule = f"{must} {self.rule.removeprefix('not ')}."
        return (
            f"{self.place}: {value} {rule}"
            if self.value.strip()
            else f"{self.place} is blank; it {rule}"
        )


def require_sound(
    subject: str, problems: Iterable[Problem], *, remedy: str = "", then: str = "nothing was read"
) -> None:
    """Raise BadInput with the problems, each once, if there are any."""
    if distinct := list(dict.fromkeys(problems)):
        sentence = f"{subject} in {count(len(distinct), 'place')}; {then}."
        raise BadInput(sentence, problems=distinct, remedy=remedy)


_SHOWN = 200  # characters of a value; a cell can hold a whole article
# Notes the row and value of a bad cell, and the rule that it breaks.
Wrong = Callable[[int, Any, str], None]

_TIME = r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?(Z|z|[+-]\d{2}(:?\d{2})?)"
_DAY = r"\d{4}-\d{2}-\d{2}"
_NAIVE = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}([.,]\d+)?)?)?")
_BEYOND_MICROSECONDS = r"([.,]\d{6})\d+"
_FIRST_YEAR, _LAST_YEAR = 1, 9999
_FLAGS = {"true": True, "false": False, "": False, "1": True, "0": False}


def _flags(wrong: Wrong, cells: pd.Series[str]) -> pd.Series[Any]:
    texts = [text.strip().lower() for text in cells]
    for row, text in enumerate(texts):
        if text not in _FLAGS:
            wrong(row, cells.iloc[row], "true, false or blank")
    return pd.Series([_FLAGS.get(text, False) for text in texts], dtype=bool)


def _filled(cells: pd.Series[str]) -> list[tuple[int, str]]:
    """Return the cells that are not blank, each with its row."""
    return [(row, text) for row, text in enumerate(cells.tolist()) if text.strip()]


def _numbers(wrong: Wrong, cells: pd.Series[str]) -> pd.Series[Any]:
    values = np.full(len(cells), np.nan)
    for row, text in _filled(cells):
        try:
            values[row] = float(text)
        except ValueError:
            wrong(row, text, "a number")
        else:
            if not math.isfinite(values[row]):
                wrong(row, text, "a finite number")
    return pd.Series(values, dtype=np.float64)


def _times(wrong: Wrong, cells: pd.Series[str], *, days: bool = False) -> pd.Series[Any]:
    texts = cells.str.strip()
    readable = texts.where(texts.str.fullmatch(f"{_TIME}|{_DAY}" if days else _TIME))
    exact = readable.str.replace(_BEYOND_MICROSECONDS, r"\1", regex=True)
    found = pd.to_datetime(exact, format="ISO8601", utc=True, errors="coerce").astype(TIME_DTYPE)
    # An offset can lead beyond Python's calendar, which pandas accepts.
    beyond = ~found.dt.year.fillna(_FIRST_YEAR).between(_FIRST_YEAR, _LAST_YEAR)
    for row in np.flatnonzero((texts != "") & (found.isna() | beyond)).tolist():
        if beyond.iloc[row]:
            rule = f"a time in the years 1 to {_LAST_YEAR} in UTC"
        elif _NAIVE.fullmatch(texts.iloc[row]):
            rule = "a time with an offset or Z (naive times are refused)"
        else:
            rule = "an ISO 8601 time with an offset or Z, as in 2025-10-30T14:00:00Z"
        wrong(row, cells.iloc[row], rule)
    return found.mask(beyond)


def _json(wrong: Wrong, cells: pd.Series[str]) -> pd.Series[Any]:
    values = np.full(len(cells), None, dtype=object)
    for row, text in _filled(cells):
        try:
            values[row] = json.loads(text, parse_constant=no_constant)
        except (ValueError, RecursionError):  # a number of thousands of digits is a ValueError
            wrong(row, text, "JSON")
            continue
        if rule := _exceeded(values[row], limits.DEPTH):
            wrong(row, text, rule)
            values[row] = None
        elif values[row] is None:
            wrong(row, text, "blank, not null, if there is no value")
    return pd.Series(values, dtype=object)


def _exceeded(value: Any, depth: int) -> str:
    """Return the limit that a JSON value exceeds; blank if none."""
    if isinstance(value, str) and (character := unstorable_character(value)):
        return f"without {character}, which a ledger cannot store"
    if not isinstance(value, list | dict):
        return ""
    if not depth:
        return f"at most {limits.DEPTH} nested lists or objects"
    if len(value) > limits.ENTRIES:
        return f"at most {limits.ENTRIES:,} entries; this has {len(value):,}"
    inside = [*value, *value.values()] if isinstance(value, dict) else value
    return next((rule for item in inside if (rule := _exceeded(item, depth - 1))), "")


def cell_text(value: Any) -> str:
    """Return a value as the exact text of its cell, blank for a missing one."""
    if isinstance(value, np.ndarray):
        # Arrow turns a null among numbers into NaN.
        value = [
            None if isinstance(item, float) and math.isnan(item) else item
            for item in value.tolist()
        ]
    if isinstance(value, list | dict):
        return _ENCODER.encode(value)
    if value is None or value is pd.NaT or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    return repr(float(value)) if isinstance(value, float) else str(value)


# Made once: json.dumps makes one for each value.
_ENCODER = json.JSONEncoder(
    ensure_ascii=False,
    default=lambda item: item.tolist() if isinstance(item, np.ndarray) else str(item),
)

READERS: dict[str, Callable[[Wrong, pd.Series[str]], pd.Series[Any]]] = {
    "text": lambda _wrong, cells: cells,
    "flag": _flags,
    "number": _numbers,
    "time": _times,
    "day": partial(_times, days=True),
    "json": _json,
}
