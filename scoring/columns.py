"""Single columns of a frame as arrays: ids, times, numbers, flags, lists.

Every function notes what it cannot read in a `Problems` and goes on.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from scoring import threads
from scoring.errors import Problems

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]

NO_TIME = int(np.iinfo(np.int64).min)
TIME_RULE = "must be a time with an offset (2026-01-31T12:00:00Z); a naive time is refused"
WITH_OFFSET = r"[Tt ].*(?:[Zz]|[+-]\d{2}(?::?\d{2})?)$"


def codes(column: pd.Series) -> tuple[Codes, pd.Index]:
    """Return each row's position (−1: missing) in a list of distinct ids in order, and that list.

    The list may hold ids that no row has.
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        categories = column.cat.categories
        rank, ordered = pd.factorize(categories, sort=True)
        rank, places = np.append(rank, -1).astype(np.int32), column.cat.codes.to_numpy()
        ids = pd.CategoricalIndex(ordered, dtype=column.dtype)
        return _filled(len(column), lambda part: rank[places[part]]), ids
    values = _integers(column)
    if values is not None:
        least, most = int(values.min()), int(values.max())
        if most - least < 4 * len(values) + 65_536:
            # Ids in a small range need no hashing: all that the range holds are listed.
            listed = pd.RangeIndex(least, most + 1).astype(column.dtype)
            return _filled(len(values), lambda part: values[part] - least), listed
    where, distinct = pd.factorize(column, sort=True)
    return where.astype(np.int32), pd.Index(distinct)


def positions(column: pd.Series, ids: pd.Index) -> Codes:
    """Return each row's position in ``ids``, which are in order; −1 where it is not there."""
    values = _integers(column)
    if values is not None and len(ids) and ids.dtype.kind in "iu":
        least, most = int(ids[0]), int(ids[-1])
        if most - least < 4 * len(values) + 65_536:
            # What is outside the range of the ids is read at its edges, where nothing is.
            table = np.full(most - least + 3, -1, dtype=np.int32)
            table[ids.to_numpy().astype(np.int64) - (least - 1)] = np.arange(len(ids))

            def look(part: slice) -> Codes:
                return table.take(values[part] - (least - 1), mode="clip")

            return _filled(len(values), look)
    of, distinct = codes(column)
    place = np.append(_plain(ids).get_indexer(_plain(distinct)), -1).astype(np.int32)
    if np.array_equal(place[:-1], np.arange(len(place) - 1)):
        return of
    return place[of]


def _integers(column: pd.Series) -> Ints | None:
    """Return a column of integers as it is or a little wider, None for any other column."""
    if not isinstance(column.dtype, np.dtype) or column.dtype.kind not in "iu" or not len(column):
        return None
    values = column.to_numpy()
    if column.dtype == np.uint64 and values.max() >= 2**62:
        return None
    return values.astype(np.int64, copy=False)


def _filled(rows: int, work: Callable[[slice], npt.NDArray[np.integer]]) -> Codes:
    """Return the codes that the work finds for each part of the rows."""
    found = np.empty(rows, dtype=np.int32)

    def fill(part: slice) -> None:
        found[part] = work(part)

    threads.each(fill, threads.parts(rows))
    return found


def _plain(ids: pd.Index) -> pd.Index:
    return ids.astype(ids.categories.dtype) if isinstance(ids, pd.CategoricalIndex) else ids


def blank(column: pd.Series) -> Flags:
    """Return where nothing stands: a missing value, or a text of nothing but spaces."""
    empty = column.isna().to_numpy(dtype=np.bool_, copy=True)
    if column.dtype.kind == "O" or isinstance(column.dtype, pd.StringDtype):
        of, distinct = pd.factorize(column.map(lambda v: not str(v).strip()), sort=False)
        spaces = np.append(np.asarray(distinct, dtype=np.bool_), False)
        empty |= spaces[of]
    return empty


def times(
    frame: pd.DataFrame, name: str, problems: Problems, of: str, *, required: bool = False
) -> Ints:
    """Return a column of times as microseconds since 1970 in UTC, NO_TIME where blank."""
    n = len(frame)
    if name not in frame.columns:
        if required and n:
            problems.add(of, name, None, None, "the column is required")
        return np.full(n, NO_TIME, dtype=np.int64)
    column = frame[name]
    if isinstance(column.dtype, pd.ArrowDtype):
        column = column.astype(object)
    known = isinstance(column.dtype, pd.DatetimeTZDtype)
    instants = _microseconds(column) if known else _instants(column)
    if n and instants.min() == NO_TIME:
        none = instants == NO_TIME
        unread = none & ~blank(column)
        problems.add_where(of, name, unread, column, TIME_RULE)
        if required:
            problems.add_where(of, name, none & ~unread, None, "a time is required")
    return instants


def _microseconds(column: pd.Series) -> Ints:
    """Return aware datetimes as microseconds, NO_TIME for none."""
    if column.dt.unit != "us":
        column = column.dt.as_unit("us")
    return column.to_numpy(dtype="datetime64[us]").view(np.int64)


def _instants(column: pd.Series) -> Ints:
    """Return texts and datetimes as microseconds, NO_TIME for whatever has no offset."""
    none = np.full(len(column), NO_TIME, dtype=np.int64)
    if column.dtype.kind not in "OU" and not isinstance(column.dtype, pd.StringDtype):
        return none
    of, distinct = pd.factorize(column.astype(object))
    values = pd.Series(distinct, dtype=object)
    texts = values.map(lambda value: isinstance(value, str)).to_numpy(dtype=np.bool_)
    aware = values.map(lambda v: isinstance(v, datetime) and v.tzinfo is not None)
    usable = aware.to_numpy(dtype=np.bool_, copy=True)
    if texts.any():
        written = values[texts].astype("str").str.strip()
        usable[texts] = written.str.contains(WITH_OFFSET, regex=True).to_numpy(dtype=np.bool_)
        values[texts] = written.astype(object)
    read = np.full(len(values) + 1, NO_TIME, dtype=np.int64)
    if usable.any():
        parsed = pd.to_datetime(values[usable], utc=True, format="ISO8601", errors="coerce")
        read[:-1][usable] = parsed.dt.as_unit("us").astype("int64").to_numpy()
    return read[of]


def quantity(value: object, *, as_date: bool) -> float:
    """Return a number, or a date as seconds since 1970 (a plain date is midnight UTC).

    Raises ValueError, with the rule, for anything else.
    """
    if as_date:
        if isinstance(value, str):
            value = _date(value.strip())
        if isinstance(value, datetime):
            if value.tzinfo is None:
                raise ValueError(TIME_RULE)
            return float(value.timestamp())
        if isinstance(value, date):
            return float(pd.Timestamp(value, tz="UTC").timestamp())
        raise ValueError("must be a date")
    number = np.nan
    if isinstance(value, int | float | str | np.number) and not isinstance(value, bool):
        with suppress(ValueError):
            number = float(value)
    if not np.isfinite(number):
        raise ValueError("must be a finite number")
    return number


def _date(text: str) -> date | None:
    """Return a date or a time of day from ISO 8601, None if it is neither."""
    with suppress(ValueError):
        return date.fromisoformat(text)
    with suppress(ValueError):
        return datetime.fromisoformat(text)
    return None


def flags(frame: pd.DataFrame, name: str, problems: Problems, of: str) -> Flags:
    """Return a column of true and false; blank is false."""
    if name not in frame.columns:
        return np.zeros(len(frame), dtype=np.bool_)
    column = frame[name]
    if column.dtype == np.bool_:
        return column.to_numpy()
    meanings = {"true": 1, "1": 1, "1.0": 1, "false": 0, "0": 0, "0.0": 0, "": 0}
    at, distinct = pd.factorize(column.astype(object))
    meant = np.array([meanings.get(str(v).strip().lower(), -1) for v in distinct] + [0])[at]
    problems.add_where(of, name, meant < 0, column, "must be true or false")
    return np.asarray(meant == 1)


def listed(value: object) -> list[Any] | None:
    """Return a list, whether it came as one or as JSON; None if it is neither."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return None
    if isinstance(value, list | tuple | np.ndarray):
        return list(value)
    return None
