"""Calendar periods in a text: phrases and their first and last days.

``find_periods`` finds a day, a weekend, a month, a season, a year, or a number of weeks from now.
``RULES`` is the whole vocabulary, each form with an example. The words around a period ("early",
"by the end of", "before") are read by ``deadlines``.

Conventions where usage varies:

- Weeks run from Monday to Sunday. "Friday" is the next one, including today; "next Friday" is
  the one in next week.
- Seasons are those of meteorology in the northern hemisphere: spring is March to May, summer June
  to August, fall September to November, winter December to February. They end with a month, as
  the other periods do.
- A month or a day without a year is the next one that has not ended. "This fall" is the one that
  has not ended, if it begins this year or within half a year.
- A decade runs from its 0 to its 9 ("this decade" ends with 2029), a century ends with its 00.
- "Next month" is the next calendar month, "the next month" is one month from now.
- An indefinite length ("in the coming weeks", "within days") is not a period.
- 05/06/2026 is not a day, because its order of day and month is ambiguous.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from forecasts.common.times import add_months
from forecasts.reading.intervals import (
    HOLIDAYS,
    MONTHS,
    NUMBERS,
    ORDINALS,
    SEASONS,
    WEEKDAYS,
    Interval,
    calendar_unit,
    first_unfinished,
    holiday,
    month_number,
    nth_weekday,
    one_day,
    whole_months,
    whole_years,
)


@dataclass(frozen=True, slots=True)
class Rule:
    """A form of period: an example, its pattern, and its interval relative to a day.

    ``needs``: the form is a time by itself ('', or 'ahead' if it always lies in the future: "within
    the next week"), after a preposition, or only after a limiting word ("the end of", "by").
    """

    example: str
    pattern: re.Pattern[str]
    interval: Callable[[re.Match[str], date], Interval]
    needs: Literal["", "ahead", "preposition", "limit"] = ""


@dataclass(frozen=True, slots=True)
class Period:
    """A period, ``text[start:end]``, with its interval and the rule that matched."""

    start: int
    end: int
    interval: Interval
    rule: Rule


def find_periods(text: str, anchor: date) -> list[Period]:
    """Return the periods in ``text`` relative to ``anchor``, in order and without overlap.

    Of two that overlap, the one that begins first is kept, then the longer. Days that do not
    exist (31 June) and years outside the range of ``date`` are left out.
    """
    found = []
    for rule in RULES:
        for match in rule.pattern.finditer(text):
            try:
                interval = rule.interval(match, anchor)
            except (ValueError, OverflowError):
                continue
            found.append(Period(match.start(), match.end(), interval, rule))
    found.sort(key=lambda period: (period.start, -period.end))
    kept: list[Period] = []
    for period in found:
        if not kept or period.start >= kept[-1].end:
            kept.append(period)
    return kept


# ---- the meanings
#
# Each turns a match and an anchor day into an interval, with ValueError for a day that does not
# exist (31 June). The groups of a match are "day", "month", "year", "weekday", "which" (this or
# next), "unit", "number" and similar.

JUST_OVER = timedelta(days=60)  # in December, "12 November" does not mean next year's


def _word(match: re.Match[str], name: str) -> str:
    """Return a group in lower case, '' if the form lacks it."""
    return (match.groupdict().get(name) or "").lower()


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
    return one_day(date.fromisoformat(match[0]))


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
    month, day = month_number(match["month"]), int(match["day"])
    first = int(_word(match, "from_day") or day)

    def days(year: int) -> Interval:
        return Interval(date(year, month, first), date(year, month, day), "day")

    return _in_year(days, match, anchor, JUST_OVER)


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
    return one_day(start + timedelta(days=_number(match) * _DAYS_IN[_word(match, "unit")]))


def weekday_of_month(match: re.Match[str], anchor: date) -> Interval:
    """Return the day of "the first Sunday of October"."""
    month, day = month_number(match["month"]), WEEKDAYS.index(match["weekday"])
    nth = ORDINALS.get(match["nth"], -1)

    def nth_day(year: int) -> Interval:
        return one_day(nth_weekday(whole_months(year, month), day, nth))

    return _in_year(nth_day, match, anchor, JUST_OVER)


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
        unit = {"w": "week", "m": "month", "q": "quarter"}.get(_word(match, "short"), "year")
        last = calendar_unit(_word(match, "unit") or unit, anchor).last
    return Interval(last, last, "end")


def calendar_month(match: re.Match[str], anchor: date) -> Interval:
    """Return the month of "March", "next March", "March 2027"."""
    month = month_number(match["month"])
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


def feast(match: re.Match[str], anchor: date) -> Interval:
    """Return the day of "Christmas", "next Easter", "the new year"."""
    name = "New Year" if match["name"] == "new year" else match["name"]
    return _in_year(lambda year: one_day(holiday(name, year)), match, anchor)


_DAYS_IN = {"day": 1, "week": 7, "fortnight": 14}
_MONTHS_IN = {"month": 1, "quarter": 3, "year": 12, "decade": 120}


def _number(match: re.Match[str]) -> int:
    words = " ".join((_word(match, "number") or "one").split())
    return NUMBERS.get(words) or int(words)


def from_now(match: re.Match[str], anchor: date) -> Interval:
    """Return the days from today until that many weeks, months or years have passed."""
    number = _number(match)
    unit = _word(match, "unit") or _word(match, "one_unit")
    if unit in _MONTHS_IN:
        last = add_months(anchor, number * _MONTHS_IN[unit])
    elif unit in _DAYS_IN:
        last = anchor + timedelta(days=number * _DAYS_IN[unit])
    else:
        last = anchor + timedelta(days=-(-number // 24))  # hours, rounded up to days
    return Interval(anchor, last, "length")


# ---- the vocabulary
#
# Month and weekday names need their capital: "may" and "march" are verbs too.

_MONTH = rf"(?P<month>{'|'.join(MONTHS)})"
_SHORT = r"(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\b\.?"
_DATE_MONTH = rf"(?P<month>{'|'.join(MONTHS)}|{_SHORT})"
_WEEKDAY = rf"(?P<weekday>{'|'.join(WEEKDAYS)})"
_SEASON = rf"(?P<season>(?i:{'|'.join(SEASONS)}))"
_YEAR = r"(?:,?(?: of)? (?P<year>[12]\d{3}|(?i:this|next) year))"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_FROM_DAY = r"(?P<from_day>\d{1,2})(?:st|nd|rd|th)?(?:-| - | to | and | or | through )"
_WHICH = r"(?P<which>(?i:this coming|the coming|this|next))"
_WEEK_OF = rf"(?:the )?week (?:of|beginning|starting|commencing)(?: {_WEEKDAY},?)?(?: the)?"
_UNIT = r"(?P<unit>week|weekend|month|quarter|year|decade|century)"
_NUMBER = rf"(?:\d{{1,3}}|{'|'.join(sorted(NUMBERS, key=len, reverse=True))})"
COUNT = rf"(?:{_NUMBER}(?: to |-to-| or |-))?(?P<number>{_NUMBER})"
_LENGTH = r"(?P<unit>hour|day|week|fortnight|month|quarter|year|decade)(?:'s|s?'|s)?"
_ABOUT = (
    r"(?:(?:about|around|roughly|approximately|exactly|some|less than|fewer than|under|no more than"
    r"|at most|as little as|just|only|up to|another) )?"
)
# "Within three months of the ruling" counts from an unknown day.
_FROM_ELSEWHERE = r"(?! (?:of|after|before|ago|earlier|later|following|since|in a row)\b)"
_NOT_A_NAME = r"(?<!Black\s)(?<!Super\s)(?<!Good\s)(?<!Bloody\s)(?<!Easter\s)(?<!Cyber\s)(?<!Ash\s)"
_NEWSPAPER = r"(?! (?:Times|Telegraph|Mirror|Mail|Herald|Post|Express|World)\b)"


def _form(form: str) -> re.Pattern[str]:
    """Compile a form: a space matches any white space, and both ends are word boundaries."""
    return re.compile(rf"(?<![\w.,:/$€£])(?<!\d-){form}(?![\w%]|[.,:/]\d|-\d)".replace(" ", r"\s+"))


RULES = tuple(
    Rule(example, _form(form), *rest)
    for example, form, *rest in (
        # ---- days
        ("2026-07-27", r"\d{4}-\d\d-\d\d", iso_day),
        ("27/07/2026; 7/27/2026; 27.7.2026",
         r"(?P<a>\d{1,2})(?P<dot>[/.])(?P<b>\d{1,2})(?P=dot)(?P<year>\d{4})", numeric_day),
        ("Sunday, 27 July 2026; the 27th of July; 14 to 15 May; March 3 next year",
         rf"(?:{_WEEKDAY},? )?(?:the )?(?:{_FROM_DAY})?{_DAY}(?: of)? {_DATE_MONTH}{_YEAR}?",
         day_of_year),
        ("Sunday, July 27, 2026; July 27-28",
         rf"(?:{_WEEKDAY},? )?{_DATE_MONTH} (?:the )?(?:{_FROM_DAY})?{_DAY}{_YEAR}?",
         day_of_year),
        ("the week beginning 4 August",
         rf"{_WEEK_OF} {_DAY}(?: of)? {_DATE_MONTH}{_YEAR}?", week_from_day),
        ("the week of August 4", rf"{_WEEK_OF} {_DATE_MONTH} {_DAY}{_YEAR}?", week_from_day),
        ("the 27th; the 27th of next month",
         r"the (?P<day>\d{1,2})(?:st|nd|rd|th)(?: of (?P<which>this|next) month"
         r"|(?=[.,;:!?)]|$| (?:and|but|at|when|to|for|by|unless|if)\b))",
         day_of_month, "preposition"),
        ("Friday; next Friday; Friday evening; Friday of next week; Friday week",
         rf"{_NOT_A_NAME}(?:{_WHICH} )?{_WEEKDAY}{_NEWSPAPER}"
         r"(?: (?:morning|afternoon|evening|night))?"
         r"(?:(?:,?(?: of)? (?P<week>this|next) week)|(?P<later> week\b))?(?! (?:of )?last\b)",
         weekday),
        ("a week on Saturday; a fortnight today; two weeks from Friday; a week tomorrow",
         rf"(?i:{COUNT} (?P<unit>week|fortnight)s?)(?: (?:on|from))?"
         rf" (?:{_WEEKDAY}|(?P<near>today|tomorrow))", weeks_from_day),
        ("midweek", r"(?i:mid-?week)", weekday, "preposition"),
        ("the first Sunday of October; the last Friday in March 2027",
         r"(?:the )?(?P<nth>first|second|third|fourth|last) "
         rf"{_WEEKDAY} (?:of|in),? {_MONTH}{_YEAR}?", weekday_of_month),
        ("tomorrow; the day after tomorrow",
         r"(?i:the day after tomorrow|tomorrow(?: morning| afternoon| evening| night)?)",
         near_day, "ahead"),
        ("today; this evening", r"(?i:today|tonight|this (?:morning|afternoon|evening))",
         near_day),
        # ---- weeks to centuries of the calendar
        ("this week; next month; next year",
         rf"(?<!the\s)(?i:(?P<which>this|next) {_UNIT})", this_or_next),
        ("the coming weekend", r"(?i:(?:this|the) coming (?P<unit>weekend))", this_or_next),
        ("the weekend", r"(?i:the (?P<unit>weekend))", this_or_next, "preposition"),
        ("the year", rf"(?i:the (?:current )?{_UNIT})", this_or_next, "limit"),
        ("year-end; the month's end; the turn of the year",
         r"(?i:(?:the )?(?P<unit>year|month|quarter|decade|century|week(?='s))(?:'s )?[ -]?end"
         r"|the turn of the year)", last_day, "preposition"),
        ("end of year; the end of the month; EOQ",
         r"(?i:(?:the )?end of (?:the )?(?P<unit>week|month|quarter|year|decade|century)"
         r"|EO(?P<short>[WMQY]))", last_day),
        ("before the year is out",
         r"(?i:before the (?P<unit>week|month|year|decade) (?:is (?:out|over|up)|ends|closes))",
         last_day, "ahead"),
        # ---- months, seasons, parts of a year
        ("March 2027; September next year", rf"{_DATE_MONTH}{_YEAR}", calendar_month),
        ("next March", rf"{_WHICH} {_MONTH}", calendar_month),
        ("the November election",
         rf"the (?:upcoming |coming )?{_MONTH}{_YEAR}? [a-z][a-z-]+", last_day, "limit"),
        ("March", rf"{_MONTH}(?! \d)", calendar_month, "preposition"),
        ("this fall; next spring; the coming winter", rf"{_WHICH} {_SEASON}", season),
        ("summer 2026; the winter of 2026", rf"(?:the )?{_SEASON}{_YEAR}", season),
        ("the fall (but not: the fall of the government)",
         rf"(?:the )?{_SEASON}(?! (?:of|in|to|from|back|apart|short|below|again)\b)",
         season, "preposition"),
        ("the third quarter of the year; the second half of 2027",
         r"(?i:(?:the )?(?P<nth>first|second|third|fourth|last|final) (?P<part>quarter|half)"
         rf"(?: of the year|{_YEAR}))", part_of_year),
        ("the third quarter (but not the first half, which may be of a match)",
         r"(?i:(?:the )?(?P<nth>first|second|third|fourth) (?P<part>quarter))(?! of\b)",
         part_of_year, "preposition"),
        ("Q3 2026; H1 2027", rf"(?:(?P<part>[QH])(?P<nth>[1-4])){_YEAR}?", part_of_year),
        # ---- years and longer
        ("2027; fiscal 2027",
         r"(?i:(?:the )?(?:fiscal|financial)(?: year)? )?(?P<year>[12]\d{3})",
         years, "preposition"),
        ("2026-27; 2026/27",
         r"(?P<year>[12]\d{3})[-/](?P<last>\d\d(?:\d\d)?)", years, "preposition"),
        ("the 2030s", r"(?:the )?(?P<year>[12]\d{2}0)(?P<decade>'?s)", years, "preposition"),
        ("mid-century", r"(?i:mid-?century|the middle of the century)",
         mid_century, "preposition"),
        ("Christmas; next Easter; the new year",
         rf"(?:(?:{_WHICH}|(?<!in\s)the) )?(?P<name>{'|'.join(HOLIDAYS)}|new year){_YEAR}?",
         feast, "preposition"),
        # ---- lengths, counted from now
        ("in three months; within 48 hours; in six to eight weeks; inside a year",
         rf"(?i:(?:within|inside|in) {_ABOUT}{COUNT}[ -]{_LENGTH}){_FROM_ELSEWHERE}",
         from_now),
        ("in three weeks' time; a year from now",
         rf"(?i:(?:(?:with)?in )?{_ABOUT}{COUNT}[ -]{_LENGTH} (?:time|from (?:now|today)|hence))",
         from_now, "ahead"),
        ("for another six weeks; for two more years",
         r"(?i:for (?:at least )?(?=another |a further |[\w-]+ more )(?:another |a further )?"
         rf"(?:{COUNT} )?(?:more )?{_LENGTH})", from_now),
        ("has six weeks to appeal; given the firm a year to sell",
         r"(?i:(?:has|have|(?:given|gives?|allows?)(?: [\w'-]+){0,4}?)"
         rf" {_ABOUT}{COUNT} {_LENGTH}(?= (?:in which )?to [a-z]))",
         from_now, "ahead"),
        ("this time next year", r"this time next (?P<unit>week|month|year)", from_now),
        ("over the next six weeks; within the coming decade",
         r"(?i:(?:in|within|over|during|for|through(?:out)?) (?:the )?(?:next|coming) "
         rf"(?:{COUNT} {_LENGTH}|(?P<one_unit>week|fortnight|month|quarter|year|decade)))",
         from_now, "ahead"),
    )
)  # fmt: skip
