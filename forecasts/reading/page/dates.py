"""Times of publication, as pages print them at the head of an article.

English forms such as "2 days ago", "yesterday", "Jul 22, 2025" and "22/07/2025 14:05 GMT", often
without a space after the publisher ("Example Times2 days ago") or the name of an icon ("clock3
hours ago"). Times are returned in UTC; midnight means that only the day is known. A clock time
without a zone is therefore dropped: a guess could be wrong by hours.

``dateparser`` reads such phrases in isolation, but does not tell whether a line *is* one, and
reads "The Sun" or "May" as dates.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import NamedTuple

from forecasts.common.times import add_months

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
NUMBERS = {
    "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
    "eight": 8, "nine": 9, "ten": 10, "a couple of": 2, "a few": 3, "several": 3,
}  # fmt: skip
# The largest count that pages print before they change to the next unit. In "France 242 days ago"
# (the channel is France 24), "42 days" is too many, so it means 2 days.
LENGTHS = {
    "s": timedelta(seconds=1), "min": timedelta(minutes=1), "h": timedelta(hours=1),
    "d": timedelta(days=1), "w": timedelta(weeks=1),
}  # fmt: skip
LARGEST_COUNT = {"s": 59, "min": 59, "h": 23, "d": 30, "w": 12, "mo": 23, "y": 99}
ZONES = {
    "utc": 0, "gmt": 0, "z": 0, "bst": 1, "cet": 1, "cest": 2, "eet": 2, "eest": 3, "msk": 3,
    "gst": 4, "pkt": 5, "ist": 5.5, "ict": 7, "wib": 7, "hkt": 8, "sgt": 8, "jst": 9, "kst": 9,
    "aest": 10, "aedt": 11, "nzst": 12, "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7,
    "mdt": -6, "pst": -8, "pdt": -7,
}  # fmt: skip


class Timestamp(NamedTuple):
    """A time in a line, with the text before and after it."""

    before: str
    when: datetime
    after: str


_COUNT = rf"(?P<count>\d{{1,4}}|(?i:{'|'.join(sorted(NUMBERS, key=len, reverse=True))}))"
_UNIT = (
    r"(?P<unit>(?i:seconds?|secs?|minutes?|mins?|hours?|hrs?|days?|weeks?|wks?|months?|mos?|years?"
    r"|yrs?|[smhdwy]))\.?"
)
_CLOCK = (
    r"(?P<clock>\d{1,2}[:.h]\d{2}(?::\d{2}(?:\.\d+)?)?\s*(?:[ap]\.?m\.?)?|\d{1,2}\s*[ap]\.?m\.?)"
    r"(?:\s*\(?(?P<zone>Z|[A-Z]{2,4}(?:[+-]\d{1,2}(?::?\d{2})?)?|[+-]\d{2}:?\d{2})\)?(?![A-Za-z]))?"
)
_AFTER_DAY = rf"(?:\s*(?:T|,|\||at|·|•|-|–|—)?\s*(?i:{_CLOCK}))?"
_CLOCK_FIRST = _CLOCK.replace("<clock>", "<clock1>").replace("<zone>", "<zone1>")
_BEFORE_DAY = rf"(?:(?i:{_CLOCK_FIRST})\s*[,|·•–-]?\s*(?:on\s+)?)?"
_WEEKDAY = r"(?:(?i:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?i:day)?\.?,?\s+)?"
# With a capital: "maymay 5" is not a date, but "NHKMay 5" is a name and a date.
_MONTH = (
    r"(?P<month>(?:J[Aa][Nn]|F[Ee][Bb]|M[Aa][Rr]|A[Pp][Rr]|M[Aa][Yy]|J[Uu][Nn]|J[Uu][Ll]|A[Uu][Gg]"
    r"|S[Ee][Pp]|O[Cc][Tt]|N[Oo][Vv]|D[Ee][Cc])(?i:uary|ruary|ch|il|e|y|ust|t|tember|ober|ember)?)\.?"
)
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>(?:19|20)\d{2})"

_AGO = re.compile(rf"{_COUNT}[\s-]*{_UNIT}\s+(?i:ago)\b")
_SHORT = re.compile(r"(?<![\w.])(?P<count>\d{1,3})\s?(?P<unit>hrs?|mo|wk|[mhdw])(?!\w)")
_WORD = re.compile(
    r"(?P<word>(?i:just now|moments ago|earlier today|this morning|today|yesterday|last night"
    r"|last week|last month|last year))\b"
    rf"(?:,?\s*(?:at\s+)?(?i:{_CLOCK}))?"
)
_ABSOLUTE = [
    re.compile(rf"{_BEFORE_DAY}{_WEEKDAY}{pattern}{_AFTER_DAY}")
    for pattern in (
        rf"(?<!\d){_YEAR}(?P<mark>[-/.])(?P<mm>\d{{1,2}})(?P=mark){_DAY}(?!\d)",
        rf"{_MONTH}\s+{_DAY}(?:,?\s*{_YEAR})(?!\d)",
        rf"(?<!\d){_DAY}\s+(?:of\s+)?{_MONTH},?\s+{_YEAR}(?!\d)",
        rf"{_MONTH}\s+{_DAY}(?!\w|,?\s*\d{{4}})",
        rf"(?<!\d){_DAY}\s+{_MONTH}(?!\w|,?\s*\d{{4}})",
        r"(?<!\d)(?P<a>\d{1,2})(?P<mark>[-/.])(?P<b>\d{1,2})(?P=mark)(?P<yy>(?:20)?\d{2})(?!\d)",
    )
]
_ONLY_WEEKDAY = re.compile(
    r"^(?:on\s+|last\s+)?(?P<weekday>mon|tues|wednes|thurs|fri|satur|sun)day$", re.IGNORECASE
)


def find_timestamp(line: str, captured_at: datetime) -> Timestamp | None:
    """Return the first time in ``line`` that can be a time of publication.

    Relative times count from ``captured_at``, which must be aware. If a date is ambiguous (05/07)
    or has no year, the latest reading up to ``captured_at`` is taken. Days more than one after the
    capture are ignored.
    """
    if len(line) > 300:
        return None
    base = captured_at.astimezone(UTC)
    for match, when in _readings(line, base):
        if when is not None and when.date() <= base.date() + timedelta(days=1):
            before = line[: match.start()] + _digits_of_name(match)
            return Timestamp(before.strip(), when, line[match.end() :].strip())
    return None


def _readings(line: str, base: datetime) -> Iterator[tuple[re.Match[str], datetime | None]]:
    for match in _AGO.finditer(line):
        count = match["count"].removeprefix(_digits_of_name(match))
        yield match, _ago(count, match["unit"], base)
    for pattern in _ABSOLUTE:
        for match in pattern.finditer(line):
            yield match, _absolute(match, base)
    for match in _WORD.finditer(line):
        # "USA Today" is a newspaper: after a word, only lower case means the day.
        if line[match.start()].islower() or not re.search(r"\w\s*$", line[: match.start()]):
            yield match, _word(match, base)
    for match in _SHORT.finditer(line):
        rest = line[match.end() :].strip()
        if not re.match(r"\w", rest) and re.search(r"(?:^|[•·|—–,-])\s*$", line[: match.start()]):
            yield match, _ago(match["count"], match["unit"], base)
    if only := _ONLY_WEEKDAY.match(line.strip()):
        back = (base.weekday() - WEEKDAYS.index(only["weekday"][:3].lower())) % 7
        yield only, _midnight(base.date() - timedelta(days=back))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _unit(word: str) -> str:
    word = word.lower()
    if word.startswith("mo"):
        return "mo"
    return "min" if word.startswith("m") else word[0]


def _digits_of_name(match: re.Match[str]) -> str:
    """Return the leading digits of a count that belong to the name before it."""
    count = match.groupdict().get("count") or ""
    if not count.isdigit() or not match.string[: match.start()].strip():
        return ""
    for start in range(len(count)):
        if count[start] != "0" and int(count[start:]) <= LARGEST_COUNT[_unit(match["unit"])]:
            return count[:start]
    return ""


def _ago(count: str, unit: str, base: datetime) -> datetime | None:
    number = int(count) if count.isdigit() else NUMBERS[count.lower()]
    kind = _unit(unit)
    try:
        if kind in ("mo", "y"):
            return _midnight(add_months(base.date(), -number * (12 if kind == "y" else 1)))
        back = number * LENGTHS[kind]
        if kind in ("d", "w"):
            return _midnight(base.date() - back)
        if base.time() == time():  # only the day of capture is known: count hours from its end
            return _midnight((base + timedelta(hours=23, minutes=59) - back).date())
        return (base - back).replace(second=0, microsecond=0)
    except (OverflowError, ValueError):
        return None


def _word(match: re.Match[str], base: datetime) -> datetime | None:
    word = match["word"].lower()
    if word in ("just now", "moments ago"):
        return base.replace(second=0, microsecond=0)
    if word in ("last month", "last year"):
        return _midnight(add_months(base.date(), -1 if word == "last month" else -12))
    back = {"yesterday": 1, "last night": 1, "last week": 7}.get(word, 0)
    return _at(base.date() - timedelta(days=back), match)


def _absolute(match: re.Match[str], base: datetime) -> datetime | None:
    found = match.groupdict()
    if found.get("yy"):
        year = int(found["yy"]) + (2000 if len(found["yy"]) == 2 else 0)
        a, b = int(found["a"]), int(found["b"])
        readings = [(year, b, a), (year, a, b)]
    else:
        month = found.get("mm") or MONTHS.index(found["month"][:3].lower()) + 1
        years = [found["year"]] if found.get("year") else [base.year, base.year - 1]
        readings = [(int(year), int(month), int(found["day"])) for year in years]
    days: list[date] = []
    for reading in readings:
        with suppress(ValueError):  # there may be no such day
            days.append(date(*reading))
    days = [day for day in days if day <= base.date() + timedelta(days=1)]
    return _at(max(days), match) if days else None


def _at(day: date, match: re.Match[str]) -> datetime:
    """Return the instant on ``day`` if a clock time and a zone are printed, else the day."""
    found = match.groupdict()
    clock = found.get("clock") or found.get("clock1")
    offset = _offset(found.get("zone") or found.get("zone1"))
    if clock is None or offset is None:
        return _midnight(day)
    digits = re.findall(r"\d+", clock)
    hour, minute = int(digits[0]), int(digits[1]) if len(digits) > 1 else 0
    if half := re.search(r"([ap])\.?m", clock, re.IGNORECASE):
        hour = hour % 12 + (12 if half[1].lower() == "p" else 0)
    try:
        return datetime.combine(day, time(hour, minute), timezone(offset)).astimezone(UTC)
    except ValueError:
        return _midnight(day)


def read_iso(text: str | None) -> datetime | None:
    """Return an ISO 8601 time in UTC, or only its day if it has no zone; None if it is invalid."""
    try:
        moment = datetime.fromisoformat((text or "").strip())
    except ValueError:
        return None
    return _midnight(moment.date()) if moment.tzinfo is None else moment.astimezone(UTC)


def _offset(zone: str | None) -> timedelta | None:
    if zone is None:
        return None
    match = re.fullmatch(r"(?:UTC|GMT)?([+-])(\d{1,2}):?(\d{2})?", zone.upper())
    if match:
        hours = int(match[2]) + int(match[3] or 0) / 60
        return timedelta(hours=-hours if match[1] == "-" else hours) if hours < 24 else None
    hours_east = ZONES.get(zone.lower())
    return None if hours_east is None else timedelta(hours=hours_east)
