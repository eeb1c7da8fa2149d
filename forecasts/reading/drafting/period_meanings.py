"""The meanings of period phrases: each function turns a match and an anchor day into an interval.

The groups of a match are "day", "month", "year", "weekday", "which" (this or next), "unit",
"number" and similar. Raises ValueError for a day that does not exist (31 June).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

from forecasts.common.times import add_months
from forecasts.reading.drafting.intervals import (
    HOLIDAYS,
    MONTHS,
    ORDINALS,
    SEASONS,
    WEEKDAYS,
    Interval,
    calendar_unit,
    first_unfinished,
    nth_weekday,
    one_day,
    whole_months,
    whole_years,
)

JUST_OVER = timedelta(days=60)  # in December, "12 November" does not mean next year's


def _word(match: re.Match[str], name: str) -> str:
    """Return a group in lower case, '' if the form lacks it."""
    return (match.groupdict().get(name) or "").lower()


def _month(match: re.Match[str]) -> int:
    return next(n for n, name in enumerate(MONTHS, 1) if name[:3] == match["month"][:3])


def _in_year(
    of_year: Callable[[int], Interval],
    match: re.Match[str],
    anchor: date,
    just_over: timedelta = timedelta(0),
) -> Interval:
    if year := _word(match, "year"):
        return of_year(int(year) if year.isdecimal() else anchor.year + year.startswith("next"))
    coming = first_unfinished(of_year, anchor - min(just_over, anchor - date.min))
    # In January, "next March" is not the one two months away.
    if _word(match, "which") == "next" and coming.first.year == anchor.year:
        return of_year(anchor.year + 1)
    return coming


def iso_day(match: re.Match[str], anchor: date) -> Interval:
    """Return the day of "2026-07-27"."""
    return one_day(date(int(match["year"]), int(match["a"]), int(match["b"])))


def numeric_day(match: re.Match[str], anchor: date) -> Interval:
    """Return the day of "27/07/2026". Raises ValueError for 05/06/2026, which is ambiguous."""
    a, b, year = int(match["a"]), int(match["b"]), int(match["year"])
    if a > 12 or a == b:
        return one_day(date(year, b, a))
    return one_day(date(year, a, b if b > 12 else 0))  # day 0, invalid, if ambiguous


def day_of_year(match: re.Match[str], anchor: date) -> Interval:
    """Return the days of "14 to 15 May 2026", or the one day of "15 May 2026".

    Without a year, a day up to ``JUST_OVER`` ago is in the past; an earlier one is next year's.
    """
    month, day = _month(match), int(match["day"])
    from_day = int(_word(match, "from_day") or day)
    return _in_year(
        lambda year: Interval(date(year, month, from_day), date(year, month, day), "day"),
        match,
        anchor,
        JUST_OVER,
    )


def week_from_day(match: re.Match[str], anchor: date) -> Interval:
    """Return the seven days of "the week beginning 4 August"."""
    first = day_of_year(match, anchor).first
    return Interval(first, first + timedelta(days=6), "week")


def day_of_month(match: re.Match[str], anchor: date) -> Interval:
    """Return the next day with that number: "the 27th", "the 27th of next month"."""
    first_of_month = add_months(anchor.replace(day=1), _word(match, "which") == "next")
    for ahead in range(12):
        there = add_months(first_of_month, ahead)
        month = whole_months(there.year, there.month)
        day = month.first + timedelta(days=int(match["day"]) - 1)
        if anchor <= day <= month.last:
            return one_day(day)
    raise ValueError("there is no such day")


def weekday(match: re.Match[str], anchor: date) -> Interval:
    """Return the day of "Friday", "Friday of next week", "Friday week", "midweek"."""
    from_monday = timedelta(days=WEEKDAYS.index(match.groupdict().get("weekday") or "Wednesday"))
    if "next" in (_word(match, "which"), _word(match, "week")):
        return one_day(calendar_unit("week", anchor, 1).first + from_monday)
    coming = anchor + (from_monday - timedelta(days=anchor.weekday())) % timedelta(days=7)
    return one_day(coming + timedelta(weeks=bool(_word(match, "later"))))


def weeks_from_day(match: re.Match[str], anchor: date) -> Interval:
    """Return the day of "a week on Saturday", "a fortnight today"."""
    near = _word(match, "near")
    start = anchor + timedelta(days=near == "tomorrow") if near else weekday(match, anchor).first
    return one_day(start + timedelta(days=_number(match) * _DAYS[_word(match, "unit")]))


def weekday_of_month(match: re.Match[str], anchor: date) -> Interval:
    """Return the day of "the first Sunday of October"."""
    month, day = _month(match), WEEKDAYS.index(match["weekday"])
    nth = ORDINALS.get(match["nth"], -1)
    return _in_year(
        lambda year: one_day(nth_weekday(whole_months(year, month), day, nth)),
        match,
        anchor,
        JUST_OVER,
    )


def near_day(match: re.Match[str], anchor: date) -> Interval:
    """Return the day of "today", "tomorrow", "the day after tomorrow"."""
    words = match.group().lower()
    ahead = 2 if "after" in words else 1 if "tomorrow" in words else 0
    return one_day(anchor + timedelta(days=ahead))


def this_or_next(match: re.Match[str], anchor: date) -> Interval:
    """Return the current unit or the next: "this week", "next month", "the year"."""
    return calendar_unit(_word(match, "unit"), anchor, _word(match, "which") == "next")


def last_day(match: re.Match[str], anchor: date) -> Interval:
    """Return the last day of a month or the current unit: "the May election", "year-end"."""
    if _word(match, "month"):
        last = calendar_month(match, anchor).last
    else:
        last = calendar_unit(_word(match, "unit") or "year", anchor).last
    return Interval(last, last, "end")


def calendar_month(match: re.Match[str], anchor: date) -> Interval:
    """Return the month of "March", "next March", "March 2027"."""
    month = _month(match)
    return _in_year(lambda year: whole_months(year, month), match, anchor)


def season(match: re.Match[str], anchor: date) -> Interval:
    """Return the season of "this fall", "next spring", "summer 2026"."""
    start, which = SEASONS[_word(match, "season")], _word(match, "which")
    if which == "next" and start == 12:
        return whole_months(anchor.year, 12, 3, "season")  # a current one would be "this winter"
    found = _in_year(lambda year: whole_months(year, start, 3, "season"), match, anchor)
    half_a_year = timedelta(days=184)
    if which == "this" and found.first.year > anchor.year and found.first - anchor > half_a_year:
        raise ValueError("this year's is over, and next year's is too far away")
    return found


def part_of_year(match: re.Match[str], anchor: date) -> Interval:
    """Return the quarter or half of "the third quarter", "Q3 2026", "H1"."""
    months = 6 if _word(match, "part").startswith("h") else 3
    ordinal = _word(match, "nth")
    nth = ORDINALS.get(ordinal) or (12 // months if ordinal.isalpha() else int(ordinal))
    start = (nth - 1) * months + 1
    return _in_year(lambda year: whole_months(year, start, months, "quarter"), match, anchor)


def years(match: re.Match[str], anchor: date) -> Interval:
    """Return the year of "2027", both years of "2026-27", the ten years of "the 2030s"."""
    first = int(match["year"])
    if _word(match, "decade"):
        return whole_years(first, first + 9, "decade")
    last = int(_word(match, "last") or first)
    return whole_years(first, last if last > 99 else first // 100 * 100 + last)


def mid_century(match: re.Match[str], anchor: date) -> Interval:
    """Return the middle year of the current century."""
    middle = anchor.year // 100 * 100 + 50
    return whole_years(middle, middle)


def holiday(match: re.Match[str], anchor: date) -> Interval:
    """Return the day of "Christmas", "next Easter", "the new year"."""
    name = "New Year" if match["name"] == "new year" else match["name"]
    return _in_year(lambda year: one_day(HOLIDAYS[name](year)), match, anchor)


NUMBERS = {
    word: number
    for number, words in {
        1: "a an one", 2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight",
        9: "nine", 10: "ten", 11: "eleven", 12: "twelve dozen", 14: "fourteen", 15: "fifteen",
        16: "sixteen", 18: "eighteen", 20: "twenty", 21: "twenty-one", 24: "twenty-four",
        25: "twenty-five", 28: "twenty-eight", 30: "thirty", 36: "thirty-six", 40: "forty",
        45: "forty-five", 48: "forty-eight", 50: "fifty", 60: "sixty", 72: "seventy-two",
        90: "ninety", 100: "hundred",
    }.items()
    for word in words.split()
} | {"a couple of": 2}  # fmt: skip
_DAYS = {"day": 1, "week": 7, "fortnight": 14}
_MONTHS = {"month": 1, "quarter": 3, "year": 12, "decade": 120}


def _number(match: re.Match[str]) -> int:
    words = " ".join((_word(match, "number") or "one").split())
    return NUMBERS.get(words) or int(words)


def from_now(match: re.Match[str], anchor: date) -> Interval:
    """Return the days from today until that many weeks, months or years have passed."""
    number = _number(match)
    unit = _word(match, "unit") or _word(match, "one_unit")
    if unit in _MONTHS:
        last = add_months(anchor, number * _MONTHS[unit])
    elif unit in _DAYS:
        last = anchor + timedelta(days=number * _DAYS[unit])
    else:
        last = anchor + timedelta(days=-(-number // 24))  # hours, rounded up to days
    return Interval(anchor, last, "length")
