"""Times that a file gives without their zone, and the days between which forecasts count."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from forecasts.common.text import counted
from forecasts.folder.frames import TIME_DTYPE
from forecasts.folder.tables import Table
from forecasts.platforms.sheet_cells import day_first

_TIME = re.compile(
    r"(\d{4}-\d{2}-\d{2})"
    r"(?:[T ](\d{1,2}):(\d{2})(?::(\d{1,2})(?:\.(\d{1,6}))?)?(?: ?([Zz]|[+-]\d{2}(?::?\d{2})?))?)?",
    re.ASCII,
)
FORM = (
    "a day as in 2025-10-30 or 30.10.2025, or a time as in 2025-10-30 14:00:00, with or without an "
    "offset"
)
_YEARS = "a time in the years 1 to 9999 in UTC"
_SERIAL = re.compile(r"[2-6]\d{4}([.]\d+)?")  # a day of 1954 to 2091 as a spreadsheet counts them
_DAY, _SECOND = pd.Timedelta(days=1), pd.Timedelta(seconds=1)
# Times beyond these have no day before or after them in every zone.
_EARLIEST, _LATEST = (pd.Timestamp(day, tz="UTC") for day in ("0001-01-03", "9999-12-29"))


def local_times(
    table: Table, texts: pd.Series[Any], zone: ZoneInfo, *, end_of_day: bool = False
) -> pd.Series[Any]:
    """Return a column of texts as times; a text without an offset is in the zone.

    A day with dots is day first, as nobody writes months so: 15.03.2025.
    A day is read as its first second, or with ``end_of_day`` as its last. Hours and seconds may
    have one digit. If the clocks repeat an hour, the first one is meant.
    """
    read = {text: _read(day_first(text.strip()), end_of_day) for text in texts.unique()}
    local = {text: at for text, at in read.items() if isinstance(at, datetime) and not at.tzinfo}
    zoned = _in_utc(pd.Series(list(local.values()), dtype="datetime64[us]"), zone)
    beyond = ~zoned.dt.year.between(1, 9999)
    read |= dict(zip(local, zoned.astype(object).mask(beyond, _YEARS), strict=True))
    for row, text in enumerate(texts):
        if isinstance(rule := read[text], str):
            table.wrong(row, str(texts.name), text, rule)
    moments = [None if isinstance(at := read[text], str) else at for text in texts]
    return pd.Series(moments, dtype=TIME_DTYPE)


def _read(text: str, end_of_day: bool) -> Any:
    """Return the time in a text, aware if it has an offset; or the rule that it breaks."""
    if not text:
        return None
    parts = _TIME.fullmatch(text)
    if parts is None:
        if _SERIAL.fullmatch(text):
            meant = date(1899, 12, 30) + timedelta(days=int(text[:5]))
            return f"{FORM}; a spreadsheet's number for {meant}, perhaps"
        return FORM
    day, hour, minute, second, fraction, offset = parts.groups()
    try:
        date.fromisoformat(day)
    except ValueError:
        return "There is no such day."
    if hour is None:  # the end is by the clock: in the zone a day can have 23 or 25 hours
        return datetime.fromisoformat(f"{day}T23:59:59" if end_of_day else day)
    clock = f"{hour:0>2}:{minute}:{second or '0':0>2}.{fraction or '0':0<6}"
    try:
        at = datetime.fromisoformat(f"{day}T{clock}{(offset or '').upper()}")
    except ValueError:
        return "There is no such time."
    try:
        return at if at.tzinfo is None else at.astimezone(UTC)
    except OverflowError:
        return _YEARS


def day_later(moments: pd.Series[Any], zone: ZoneInfo) -> Any:
    """Return the times a day later by the zone's clock; for a day's first second, its last."""
    local = _local(moments.mask(moments > _LATEST, _LATEST), zone)
    later = local + _DAY
    return _in_utc(later.mask(local == local.dt.normalize(), later - _SECOND), zone)


def day_earlier(moments: pd.Series[Any], zone: ZoneInfo) -> Any:
    """Return the times a day earlier by the zone's clock; for a day's last second, its first."""
    earlier = _local(moments.mask(moments < _EARLIEST, _EARLIEST), zone) - _DAY
    return _in_utc(earlier.mask(end_days(moments, zone), earlier + _SECOND), zone)


def end_days(moments: pd.Series[Any], zone: ZoneInfo) -> Any:
    """Return whether each time is the last second of a day in the zone."""
    following = _local(moments, zone) + _SECOND
    return following == following.dt.normalize()


def _local(moments: pd.Series[Any], zone: ZoneInfo) -> Any:
    return moments.dt.tz_convert(zone).dt.tz_localize(None)


def _in_utc(local: pd.Series[Any], zone: ZoneInfo) -> Any:
    """Return a zone's times; of an hour that its clock repeats, the first one is meant."""
    first = np.ones(len(local), dtype=bool)
    moments = local.dt.tz_localize(zone, ambiguous=first, nonexistent="shift_forward")
    return moments.dt.tz_convert("UTC").astype(TIME_DTYPE)


def windows(
    opened: pd.Series[Any], due: pd.Series[Any], resolved: pd.Series[Any], zone: ZoneInfo
) -> tuple[dict[str, pd.Series[Any]], int]:
    """Return the times between which forecasts count, and the number of unusable due times.

    A platform keeps a question open until it is resolved. So it closes when it is due or when it is
    resolved, whichever is later. If it is resolved before it is due, that is its actual close. A
    question that would close before it opens closes a day after it opens (``day_later``).
    """
    closes = due.where(~(resolved > due), resolved).fillna(resolved)
    unusable = ~(closes > opened)
    scheduled = closes.where(~unusable, day_later(opened, zone))
    actual = resolved.where((resolved > opened) & (resolved < scheduled))
    columns = {
        "open_time": opened,
        "scheduled_close_time": scheduled,
        "actual_close_time": actual,
    }
    return columns, int(unusable.sum())


def window_note(unusable: int) -> str:
    """Return a sentence on the questions whose close ``windows`` moved; '' if there are none."""
    due = "{n} question{s} {was} due before the day they were asked; each closes a day after it "
    return counted(unusable, due + "was asked.")
