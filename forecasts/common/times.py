"""Times as the ledger keeps them: aware, in UTC; and how they are read and written."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta

from forecasts.common.errors import BadInput

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_DAYS_FROM_NOW = {"yesterday": -1, "today": 0, "tomorrow": 1}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WRITTEN = re.compile(
    r"(?i)(\d{1,2}) (jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sep(?:tember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?) (\d{4})"
)


def utc(value: datetime) -> datetime:
    """Return ``value`` in UTC; BadInput for a naive time, whose zone nobody could know later."""
    if value.tzinfo is None or value.utcoffset() is None:
        raise BadInput(
            f"The time {value.isoformat()} has no time zone, and the ledger keeps none without.",
            remedy="Add an offset or Z, as in 2025-10-30T14:00:00Z.",
        )
    return value.astimezone(UTC)


def read_time(text: str, *, end_of_day: bool = False, now: datetime | None = None) -> datetime:
    """Return the UTC time that ``text`` names: ISO 8601 with an offset or Z, or a day.

    A day can be written as the pages show it, too: 30 Oct 2025.

    With ``now`` also yesterday, today and tomorrow are days, those around it in UTC.

    A day (``2025-10-30``) is read in UTC: its first instant, or with ``end_of_day`` its last
    second, so that a question which closes "on 31 December" is open all that day.
    """
    text = text.strip()
    moment = time(23, 59, 59) if end_of_day else time()
    try:
        if now is not None and text.casefold() in _DAYS_FROM_NOW:
            away = timedelta(days=_DAYS_FROM_NOW[text.casefold()])
            return datetime.combine((utc(now) + away).date(), moment, UTC)
        if written := _WRITTEN.fullmatch(text):
            day, month, year = written.groups()
            number = _MONTHS.index(month[:3].casefold()) + 1
            return datetime.combine(date(int(year), number, int(day)), moment, UTC)
        if len(text) == 10:
            return datetime.combine(date.fromisoformat(text), moment, UTC)
        return utc(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        if _DAY.fullmatch(text):
            raise BadInput(
                f"There is no day {text} in the calendar.", remedy="Give one that there is."
            ) from None
        raise BadInput(
            f"{text!r} is not a time.",
            remedy="Write a day (2025-10-30) or ISO 8601 with an offset (2025-10-30T14:00:00Z).",
        ) from None


def iso(value: datetime) -> str:
    """Return ``value`` as ISO 8601 in UTC with Z; a fraction only where there is one."""
    return utc(value).isoformat().replace("+00:00", "Z")


def to_minute(value: datetime) -> str:
    """Return ``value`` for a person, to the minute: ``2026-11-24 19:00 UTC``."""
    return f"{utc(value):%Y-%m-%d %H:%M} UTC"


def iso_day_or_time(value: datetime) -> str:
    """Return the day alone for midnight UTC (only the day is known), else ``iso(value)``."""
    value = utc(value)
    return value.date().isoformat() if value.time() == time() else iso(value)
