"""Times: always aware and in UTC, with their parsing and formatting."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, date, datetime, time, tzinfo

from forecasts.common.errors import BadInput

# A time at either end of a day in UTC means that day, such as the day on which a question closes.
_WHOLE_DAY = (time(), time(23, 59, 59))
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WRITTEN_DAY = re.compile(
    r"(?i)(\d{1,2}) (jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sep(?:tember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?) (\d{4})"
)


def utc(value: datetime) -> datetime:
    """Return ``value`` in UTC. Raises BadInput for a naive time: its zone would be lost."""
    if value.utcoffset() is None:
        raise BadInput(
            f"The time {value.isoformat()} has no time zone; the ledger needs one.",
            remedy="Add an offset or Z, as in 2025-10-30T14:00:00Z.",
        )
    return value.astimezone(UTC)


def read_time(text: str, *, end_of_day: bool = False) -> datetime:
    """Return the UTC time of ``text``: ISO 8601 with an offset or Z, or a day.

    A day is ``2025-10-30`` or ``30 Oct 2025``. It means its first instant in UTC, or with
    ``end_of_day`` its last second, so that a question which closes "on 31 December" is open all
    that day. For the dates that people type, see ``values.typed_dates``.
    """
    text = text.strip()
    try:
        if parts := _WRITTEN_DAY.fullmatch(text):
            month = _MONTHS.index(parts[2][:3].casefold()) + 1
            day = date(int(parts[3]), month, int(parts[1]))
        elif len(text) == 10:
            day = date.fromisoformat(text)
        elif not re.search("[Tt ]", text):
            raise ValueError("20270501 and 2027-W20 have no time of day")
        else:
            return utc(datetime.fromisoformat(text))
        return datetime.combine(day, time(23, 59, 59) if end_of_day else time(), UTC)
    except (ValueError, OverflowError):
        if _DAY.fullmatch(text):
            raise BadInput(
                f"There is no day {text} in the calendar.", remedy="Give a calendar day."
            ) from None
        raise BadInput(
            f"{text!r} is not a time.",
            remedy="Write a day (2025-10-30) or ISO 8601 with an offset (2025-10-30T14:00:00Z).",
        ) from None


def add_months(day: date, months: int) -> date:
    """Return the same day ``months`` later, or the last day of that month if it is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def iso(value: datetime) -> str:
    """Return ``value`` as ISO 8601 in UTC with Z, with a fraction only if it has one."""
    return utc(value).isoformat().replace("+00:00", "Z")


def in_zone(value: datetime, zone: tzinfo) -> datetime:
    """Return the time in the zone; in UTC within a day of the calendar's ends, where it may fail.

    A question may close on 31 December 9999, and its readers are in every zone.
    """
    try:
        return utc(value).astimezone(zone)
    except OverflowError:
        return utc(value)


def to_minute(value: datetime, zone: tzinfo = UTC) -> str:
    """Return ``value`` to the minute, as shown to people: ``2026-11-24 19:00 UTC``."""
    local = in_zone(value, zone)
    return f"{local:%Y-%m-%d %H:%M} {zone_label(local)}"


def zone_label(local: datetime) -> str:
    """Return the short name of a time's zone, such as EST, or its offset: UTC+03."""
    name = local.tzname() or ""
    return name if name.isalpha() else f"UTC{name}"


def local_day(value: datetime, zone: tzinfo) -> date:
    """Return the day of a time in the zone; a time that means a whole day in UTC is that day."""
    whole = utc(value).time().replace(microsecond=0) in _WHOLE_DAY
    return utc(value).date() if whole else in_zone(value, zone).date()


def iso_day_or_time(value: datetime) -> str:
    """Return the day for midnight UTC (which means that only the day is known), else the time."""
    value = utc(value)
    return value.date().isoformat() if value.time() == time() else iso(value)
