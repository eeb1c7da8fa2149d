"""Reading single columns of the input frames: ids, times, numbers, flags, lists."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from datetime import date, datetime
from operator import attrgetter
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from scoring.arrays import Codes, Flags, Floats, Ints, Places
from scoring.errors import Problems

NO_TIME = int(np.iinfo(np.int64).min)
NUMBERS = (float, int, np.floating, np.integer)
YEAR_1, YEAR_10000 = -62_135_596_800_000_000, 253_402_300_800_000_000
TIME_RULE = "must be a time with an offset (2026-01-31T12:00:00Z); a naive time is refused"
WITH_OFFSET = r"[Tt ].*(?:[Zz]|[+-]\d{2}(?::?\d{2})?)$"


class Table:
    """An input frame, whose unreadable values are added to ``problems``.

    ``known`` are the columns that are read; each may occur only once.
    """

    def __init__(self, name: str, frame: Any, known: Sequence[str], problems: Problems) -> None:
        self.name, self.problems = name, problems
        self.frame: pd.DataFrame = frame
        if not isinstance(frame, pd.DataFrame):
            problems.add(name, "", None, type(frame).__name__, "must be a pandas DataFrame")
            return
        for twice in frame.columns[frame.columns.duplicated()].unique():
            if twice in known:
                problems.add(name, twice, None, None, "the column occurs more than once")

    def __len__(self) -> int:
        return len(self.frame)

    def __contains__(self, column: str) -> bool:
        return column in self.frame.columns

    def column(self, name: str) -> pd.Series:
        """Return a column, all blank if the frame does not have it."""
        return self.frame[name] if name in self else pd.Series(np.full(len(self), None))

    def refuse(self, column: str, bad: Flags | Places, rule: str) -> None:
        """Note the values in the ``bad`` rows, flags or positions, which all break the rule."""
        self.problems.add_where(self.name, column, bad, self.frame.get(column), rule)

    def refuse_blank(self, column: str, bad: Flags, rule: str) -> None:
        """Note the ``bad`` rows, which lack a value."""
        self.problems.add_where(self.name, column, bad, None, rule)

    def require(self, column: str) -> bool:
        """Return whether the frame has the column, and note it if rows lack it."""
        if len(self) and column not in self:
            self.problems.add(self.name, column, None, None, "the column is required")
        return column in self

    def times(self, name: str, *, required: bool = False) -> Ints:
        """Return a column of times as microseconds since 1970 in UTC, NO_TIME if blank."""
        if not (self.require(name) if required else name in self):
            return np.full(len(self), NO_TIME, dtype=np.int64)
        column = self.frame[name]
        if isinstance(column.dtype, pd.ArrowDtype):
            column = column.astype(object)
        known = isinstance(column.dtype, pd.DatetimeTZDtype)
        instants = _microseconds(column) if known else _instants(column)
        if len(self) and (instants.min() < YEAR_1 or instants.max() >= YEAR_10000):
            far = (instants != NO_TIME) & ((instants < YEAR_1) | (instants >= YEAR_10000))
            # Out-of-range timestamps cannot be shown as such: pandas fails to format them.
            shown = column.map(str, na_action="ignore") if far.any() else column
            rule = "must lie within the years 1 to 9999"
            self.problems.add_where(self.name, name, far, shown, rule)
            none = instants == NO_TIME
            unread = none & ~is_blank(column)
            self.problems.add_where(self.name, name, unread, column, TIME_RULE)
            if required:
                self.refuse_blank(name, none & ~unread, "a time is required")
        return instants

    def flags(self, name: str) -> Flags:
        """Return a column of booleans; blank is false."""
        column = self.column(name)
        if column.dtype == np.bool_:
            return column.to_numpy()
        meanings = {"true": 1, "1": 1, "1.0": 1, "false": 0, "0": 0, "0.0": 0, "": 0}
        at, distinct = pd.factorize(column.astype(object))
        meant = np.array([meanings.get(str(v).strip().lower(), -1) for v in distinct] + [0])[at]
        self.refuse(name, meant < 0, "must be true or false")
        return np.asarray(meant == 1)


def encode_ids(column: pd.Series) -> tuple[Codes, pd.Index]:
    """Return each row's position in a sorted list of distinct ids (−1: missing), and that list.

    The list of a categorical, or of integers, may contain ids that no row has.
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        categories, places = column.cat.categories, column.cat.codes.to_numpy()
        if categories.is_monotonic_increasing:
            ids = pd.CategoricalIndex(categories, dtype=column.dtype)
            return places.astype(np.int32, copy=False), ids
        rank, ordered = pd.factorize(categories, sort=True)
        rank = np.append(rank, -1).astype(np.int32)
        ids = pd.CategoricalIndex(ordered, dtype=column.dtype)
        return np.asarray(rank.take(places), dtype=np.int32), ids
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iu" and len(column):
        values = column.to_numpy()
        least, most = int(values.min()), int(values.max())
        if most - least < 4 * len(values):  # the whole range can be listed, without hashing
            listed = pd.Index(np.arange(least, most + 1).astype(values.dtype))
            return (values - least).astype(np.int32), listed
    where, distinct = pd.factorize(column, sort=True)
    return where.astype(np.int32), pd.Index(distinct)


def missing_ids(at: Codes, ids: pd.Index) -> Flags:
    """Return which rows have no id, given the result of `encode_ids`: missing, or only spaces."""
    missing = at < 0
    listed = _plain(ids)
    if listed.dtype.kind in "biuf":
        return missing
    names = listed if isinstance(listed.dtype, pd.StringDtype) else listed.astype(object)
    empty = np.flatnonzero(is_blank(names.to_series()))
    return missing | np.isin(at, empty) if len(empty) else missing


def positions(column: pd.Series, ids: pd.Index) -> Codes:
    """Return each row's position in the sorted ``ids``; −1 if it is not there."""
    code, distinct = encode_ids(column)
    known, own = _plain(ids), _plain(distinct)
    if own.equals(known):
        return code
    place = np.append(known.get_indexer(own), -1).astype(np.int32)
    return place.take(code)


def _plain(ids: pd.Index) -> pd.Index:
    # Much faster than astype.
    return ids.categories.take(ids.codes) if isinstance(ids, pd.CategoricalIndex) else ids


def distinct_values(column: pd.Series) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.object_]]:
    """Return each row's position among the distinct values (−1: missing), and these."""
    known = isinstance(column.dtype, pd.StringDtype)
    at, distinct = pd.factorize(column if known else column.astype(object))
    return at, np.asarray(distinct, dtype=object)


def is_blank(column: pd.Series) -> Flags:
    """Return which values are blank: missing, or a text of spaces."""
    empty = column.isna().to_numpy(dtype=np.bool_, copy=True)
    if isinstance(column.dtype, pd.StringDtype):
        return empty | column.str.strip().eq("").to_numpy(dtype=np.bool_, na_value=False)
    if column.dtype.kind == "O":
        values = column.to_numpy(dtype=object)
        text = has_type(values, str)
        empty[text] = pd.Series(values[text], dtype="str").str.strip().eq("").to_numpy()
    return empty


def has_type(values: npt.NDArray[np.object_], *kinds: type) -> Flags:
    """Return which values have one of these types; booleans do not count as numbers."""
    each = np.fromiter(map(type, values), dtype=object, count=len(values))
    code, distinct = pd.factorize(each)
    meant = [issubclass(kind, kinds) and kind is not bool for kind in distinct]
    return np.array(meant, dtype=np.bool_)[code]


def _microseconds(column: pd.Series) -> Ints:
    """Return aware datetimes as microseconds, NO_TIME if missing."""
    unit = column.dt.unit
    found = column.to_numpy(dtype=f"datetime64[{unit}]")
    if unit in ("s", "ms"):
        # Clip times that overflow 64 bits of microseconds to years that are out of range as well.
        found = np.clip(found, *np.array([-1970, 8031], "datetime64[Y]").astype(found.dtype))
    return found.astype("datetime64[us]", copy=False).view(np.int64)


def _instants(column: pd.Series) -> Ints:
    """Return texts and datetimes as microseconds, NO_TIME if they have no offset."""
    if column.dtype.kind not in "OU" and not isinstance(column.dtype, pd.StringDtype):
        return np.full(len(column), NO_TIME, dtype=np.int64)
    code, distinct = pd.factorize(column.astype(object))
    values = np.asarray(distinct, dtype=object)
    text = has_type(values, str)
    written = pd.Series(values[text], dtype="str").str.strip()
    values[text] = written.astype(object)
    usable = np.zeros(len(values), dtype=np.bool_)
    usable[text] = written.str.contains(WITH_OFFSET, regex=True).to_numpy(dtype=np.bool_)
    moment = has_type(values, datetime)
    usable[moment] = pd.notna(np.array(list(map(attrgetter("tzinfo"), values[moment])), object))
    read = np.full(len(values) + 1, NO_TIME, dtype=np.int64)
    if usable.any():
        given = pd.Series(values[usable])
        parsed = pd.to_datetime(given, utc=True, format="ISO8601", errors="coerce")
        read[:-1][usable] = parsed.dt.as_unit("us").astype("int64").to_numpy()
    return read[code]


def quantities(values: npt.NDArray[np.object_], dates: Flags | bool = False) -> Floats:
    """Return numbers, and dates as seconds since 1970; NaN for anything else.

    A date without a time is midnight UTC, and a time needs an offset. ``dates`` flags the dates.
    """
    read, dates = np.full(len(values), np.nan), np.full(len(values), dates)
    plain = ~dates & has_type(values, *NUMBERS, str)
    read[plain] = pd.to_numeric(pd.Series(values[plain], dtype=object), errors="coerce")
    read[np.isinf(read)] = np.nan
    dated = dates & has_type(values, str, date)
    code, distinct = pd.factorize(values[dated])
    read[dated] = np.array([*map(_seconds, distinct), np.nan])[code]
    return read


def _seconds(value: str | date) -> float:
    """Return a date or time as seconds since 1970, NaN if it is neither or has no offset."""
    if isinstance(value, str):
        text = value.strip()
        for read in (date.fromisoformat, datetime.fromisoformat):
            with suppress(ValueError):
                return _seconds(read(text))
        return np.nan
    if isinstance(value, datetime):
        return np.nan if value.tzinfo is None else float(value.timestamp())
    return float(pd.Timestamp(value, tz="UTC").timestamp())


def parse_json(values: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
    """Return the values with JSON texts parsed, None for a text that is not JSON."""
    found, text = values.copy(), has_type(values, str)
    read = [from_json(each) for each in values[text]]
    found[text] = np.fromiter(read, dtype=object, count=len(read))
    return found


def from_json(text: str) -> Any:
    """Return a parsed JSON text, None if it is not JSON."""
    with suppress(ValueError, RecursionError):
        return json.loads(text)
    return None
