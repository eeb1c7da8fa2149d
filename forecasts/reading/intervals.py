"""Calendar arithmetic: the first and last days of weeks, months, quarters, decades, holidays."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable
from datetime import date, timedelta
from typing import NamedTuple

from forecasts.common.times import add_months


class Interval(NamedTuple):
    """The first and the last day of a period, and its unit: day, week, month and so on."""

    first: date
    last: date
    unit: str


MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4}
_COUNTED = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen twenty"
)
NUMBERS = {name: number for number, name in enumerate(_COUNTED.split(), 1)} | {
    "a": 1, "an": 1, "a couple of": 2, "dozen": 12, "twenty-one": 21, "twenty-four": 24,
    "twenty-five": 25, "twenty-eight": 28, "thirty": 30, "thirty-six": 36, "forty": 40,
    "forty-five": 45, "forty-eight": 48, "fifty": 50, "sixty": 60, "seventy-two": 72,
    "ninety": 90, "hundred": 100,
}  # fmt: skip
SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}


def month_number(name: str) -> int:
    """Return the number of a month by its first three letters, in any case."""
    return [month[:3].lower() for month in MONTHS].index(name[:3].lower()) + 1


def whole_months(year: int, month: int, count: int = 1, unit: str = "month") -> Interval:
    """Return the interval of ``count`` months from ``month`` of ``year`` on."""
    first = date(year, month, 1)
    final = add_months(first, count - 1)
    return Interval(first, final.replace(day=monthrange(final.year, final.month)[1]), unit)


def whole_years(first: int, last: int, unit: str = "year") -> Interval:
    """Return the interval from the first day of one year to the last day of another."""
    return Interval(date(first, 1, 1), date(last, 12, 31), unit)


def long_date(day: date) -> str:
    """Return a day as "31 December 2028", in English for any locale."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def one_day(day: date) -> Interval:
    """Return the interval of one day."""
    return Interval(day, day, "day")


def nth_weekday(interval: Interval, weekday: int, nth: int) -> date:
    """Return the interval's nth such weekday (Monday is 0), or its last for nth = -1."""
    if nth < 0:
        return interval.last - timedelta(days=(interval.last.weekday() - weekday) % 7)
    to_first = (weekday - interval.first.weekday()) % 7
    return interval.first + timedelta(days=to_first, weeks=nth - 1)


def calendar_unit(unit: str, anchor: date, ahead: int = 0) -> Interval:
    """Return the week, weekend, month, quarter, year, decade or century of ``anchor``.

    ``ahead`` = 1 gives the next one.
    """
    if unit in ("week", "weekend"):
        monday = anchor + timedelta(weeks=ahead, days=-anchor.weekday())
        first = monday + timedelta(days=5) if unit == "weekend" else monday
        return Interval(first, monday + timedelta(days=6), unit)
    if unit == "month":
        there = add_months(anchor.replace(day=1), ahead)
        return whole_months(there.year, there.month)
    if unit == "quarter":
        there = add_months(date(anchor.year, (anchor.month - 1) // 3 * 3 + 1, 1), 3 * ahead)
        return whole_months(there.year, there.month, 3, unit)
    # A decade begins with its year 0, a century with its year 1.
    length, begin = {"decade": (10, 0), "century": (100, 1)}.get(unit, (1, 0))
    first_year = ((anchor.year - begin) // length + ahead) * length + begin
    return whole_years(first_year, first_year + length - 1, unit)


def first_unfinished(of_year: Callable[[int], Interval], anchor: date) -> Interval:
    """Return the first yearly interval that ends on ``anchor`` or later.

    Years without such a day are skipped: 29 February can be eight years away.
    """
    for year in range(max(anchor.year - 1, 1), anchor.year + 9):
        try:
            interval = of_year(year)
        except ValueError:
            continue
        if interval.last >= anchor:
            return interval
    raise ValueError("there is no such day")


def _easter(year: int) -> date:
    """Return Easter Sunday by the Gregorian computus (Meeus, Astronomical Algorithms, ch. 8)."""
    a, (b, c) = year % 19, divmod(year, 100)
    (d, e), (i, k) = divmod(b, 4), divmod(c, 4)
    h = (19 * a + b - d - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    moon = (32 + 2 * e + 2 * i - h - k) % 7
    month, day = divmod(h + moon - 7 * ((a + 11 * h + 22 * moon) // 451) + 114, 31)
    return date(year, month, day + 1)


_FIXED = {
    "New Year's Day": (1, 1), "New Year's Eve": (12, 31), "New Year": (1, 1),
    "Valentine's Day": (2, 14), "St Patrick's Day": (3, 17), "May Day": (5, 1),
    "Juneteenth": (6, 19), "Fourth of July": (7, 4), "Halloween": (10, 31),
    "Bonfire Night": (11, 5), "Veterans Day": (11, 11), "Christmas Eve": (12, 24),
    "Christmas": (12, 25), "Boxing Day": (12, 26),
}  # fmt: skip
# By month, day of the week and place among them; Election Day is the day after its Monday.
_MOVING = {
    "Memorial Day": (5, 0, -1), "Labor Day": (9, 0, 1), "Election Day": (11, 0, 1),
    "Remembrance Sunday": (11, 6, 2), "Thanksgiving": (11, 3, 4),
}  # fmt: skip
_FROM_EASTER = {"Good Friday": -2, "Easter Monday": 1, "Easter": 0}
HOLIDAYS = (*_FIXED, *_MOVING, *_FROM_EASTER)


def holiday(name: str, year: int) -> date:
    """Return the day of one of ``HOLIDAYS``."""
    if name in _FIXED:
        return date(year, *_FIXED[name])
    if name in _FROM_EASTER:
        return _easter(year) + timedelta(days=_FROM_EASTER[name])
    month, weekday, nth = _MOVING[name]
    found = nth_weekday(whole_months(year, month), weekday, nth)
    return found + timedelta(days=name == "Election Day")
