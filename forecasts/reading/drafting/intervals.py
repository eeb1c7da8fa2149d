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
SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}


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


HOLIDAYS: dict[str, Callable[[int], date]] = {
    "New Year's Day": lambda year: date(year, 1, 1),
    "New Year's Eve": lambda year: date(year, 12, 31),
    "New Year": lambda year: date(year, 1, 1),
    "Valentine's Day": lambda year: date(year, 2, 14),
    "St Patrick's Day": lambda year: date(year, 3, 17),
    "Good Friday": lambda year: _easter(year) - timedelta(days=2),
    "Easter Monday": lambda year: _easter(year) + timedelta(days=1),
    "Easter": _easter,
    "May Day": lambda year: date(year, 5, 1),
    "Memorial Day": lambda year: nth_weekday(whole_months(year, 5), 0, -1),
    "Juneteenth": lambda year: date(year, 6, 19),
    "Fourth of July": lambda year: date(year, 7, 4),
    "Labor Day": lambda year: nth_weekday(whole_months(year, 9), 0, 1),
    "Halloween": lambda year: date(year, 10, 31),
    "Bonfire Night": lambda year: date(year, 11, 5),
    "Election Day": lambda year: nth_weekday(whole_months(year, 11), 0, 1) + timedelta(1),
    "Veterans Day": lambda year: date(year, 11, 11),
    "Remembrance Sunday": lambda year: nth_weekday(whole_months(year, 11), 6, 2),
    "Thanksgiving": lambda year: nth_weekday(whole_months(year, 11), 3, 4),
    "Christmas Eve": lambda year: date(year, 12, 24),
    "Christmas": lambda year: date(year, 12, 25),
    "Boxing Day": lambda year: date(year, 12, 26),
}
