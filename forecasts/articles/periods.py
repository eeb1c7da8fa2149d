"""Words for a stretch of the calendar, and the first and last day of it.

``find_periods`` finds them in a text: a day, a weekend, a month, a season, a year, so many weeks
from now. ``RULES`` is the whole vocabulary, one form each with an example. What stands around a
period ("early", "by the end of", "before") is the business of ``deadlines``.

Conventions, where usage is divided:

- Weeks run from Monday to Sunday. "Friday" is the next one, today included; "next Friday" is
  the one in next week.
- Seasons are the northern, meteorological ones: spring is March to May, summer June to August,
  fall September to November, winter December to February. Weather services report by them, and
  they end with a month, as the other periods do.
- A month or a day without a year is the next one that is not over. "This fall" is the one that
  is not over, if it begins this year or within half a year.
- A decade runs from its 0 to its 9 ("this decade" ends with 2029), a century ends with its 00.
- "Next month" is the month of that name, "the next month" is one month from now.
- A length that is not stated ("in the coming weeks", "within days") is no period.
- 05/06/2026 is no day: half of its readers would write down the other one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from forecasts.articles.intervals import (
    HOLIDAYS,
    MONTHS,
    ORDINALS,
    SEASONS,
    WEEKDAYS,
    Interval,
    add_months,
    calendar_unit,
    first_not_over,
    nth_weekday,
    one_day,
    whole_months,
    whole_years,
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One form: an example, its pattern, the interval it means when read on a day.

    ``stands``: it is a time when it stands "alone", or when "held" by a preposition, or only
    when "limited", by a part of it or a preposition like "by". ``ahead``: it can only lie in the
    future ("within the next week"); any other may be told of the past ("on Friday").
    """

    example: str
    pattern: re.Pattern[str]
    interval: Callable[[re.Match[str], date], Interval]
    stands: Literal["alone", "held", "limited"] = "alone"
    ahead: bool = False


@dataclass(frozen=True, slots=True)
class Period:
    """``text[start:end]`` names ``interval``; ``rule`` says how it was read."""

    start: int
    end: int
    interval: Interval
    rule: Rule


def find_periods(text: str, anchor: date) -> list[Period]:
    """Return the periods in ``text`` as read on ``anchor``: in order, none inside another.

    Of two that overlap the one that begins first is kept, then the longer. Days that do not
    exist (31 June) and years that a date cannot hold are left out.
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


# ---- what the parts of a match mean


def _word(match: re.Match[str], name: str) -> str:
    """Return a named part in lower case, empty where the form lacks it."""
    return (match.groupdict().get(name) or "").lower()


def _year(match: re.Match[str], anchor: date) -> int | None:
    words = _word(match, "year")
    if not words:
        return None
    return int(words) if words.isdecimal() else anchor.year + words.startswith("next")


def _month(match: re.Match[str]) -> int:
    return next(n for n, name in enumerate(MONTHS, 1) if name[:3] == match["month"][:3])


def _in_year(of_year: Callable[[int], Interval], match: re.Match[str], anchor: date) -> Interval:
    year = _year(match, anchor)
    if year is not None:
        return of_year(year)
    coming = first_not_over(of_year, anchor)
    # "Next March", said in January, is not the one two months away.
    if _word(match, "which") == "next" and coming.first.year == anchor.year:
        return of_year(anchor.year + 1)
    return coming


def _iso_day(match: re.Match[str], anchor: date) -> Interval:
    return one_day(date(int(match["year"]), int(match["a"]), int(match["b"])))


def _numeric_day(match: re.Match[str], anchor: date) -> Interval:
    a, b, year = int(match["a"]), int(match["b"]), int(match["year"])
    if a > 12 or a == b:
        return one_day(date(year, b, a))
    return one_day(date(year, a, b if b > 12 else 0))  # day 0: either order could be meant


def _day_of_year(match: re.Match[str], anchor: date) -> Interval:
    month, day = _month(match), int(match["day"])
    from_day = int(_word(match, "from_day") or day)
    return _in_year(
        lambda year: Interval(date(year, month, from_day), date(year, month, day), "day"),
        match,
        anchor,
    )


def _day_of_month(match: re.Match[str], anchor: date) -> Interval:
    first_of_month = add_months(anchor.replace(day=1), _word(match, "which") == "next")
    for ahead in range(12):
        there = add_months(first_of_month, ahead)
        month = whole_months(there.year, there.month, 1, "month")
        day = month.first + timedelta(days=int(match["day"]) - 1)
        if anchor <= day <= month.last:
            return one_day(day)
    raise ValueError("there is no such day")


def _weekday(match: re.Match[str], anchor: date) -> Interval:
    weekday = timedelta(days=WEEKDAYS.index(match["weekday"]))
    if "next" in (_word(match, "which"), _word(match, "week")):
        return one_day(calendar_unit("week", anchor, 1).first + weekday)
    coming = anchor + (weekday - timedelta(days=anchor.weekday())) % timedelta(days=7)
    return one_day(coming + timedelta(weeks=bool(_word(match, "later"))))


def _nth_weekday(match: re.Match[str], anchor: date) -> Interval:
    month, weekday = _month(match), WEEKDAYS.index(match["weekday"])
    nth = ORDINALS.get(match["nth"], -1)
    return _in_year(
        lambda year: one_day(nth_weekday(whole_months(year, month, 1, "month"), weekday, nth)),
        match,
        anchor,
    )


def _near_day(match: re.Match[str], anchor: date) -> Interval:
    words = match.group().lower()
    ahead = 2 if "after" in words else 1 if "tomorrow" in words else 0
    return one_day(anchor + timedelta(days=ahead))


def _this_or_next(match: re.Match[str], anchor: date) -> Interval:
    return calendar_unit(_word(match, "unit"), anchor, _word(match, "which") == "next")


def _end_of_unit(match: re.Match[str], anchor: date) -> Interval:
    last = calendar_unit(_word(match, "unit"), anchor).last
    return Interval(last, last, "end")


def _calendar_month(match: re.Match[str], anchor: date) -> Interval:
    month = _month(match)
    return _in_year(lambda year: whole_months(year, month, 1, "month"), match, anchor)


def _season(match: re.Match[str], anchor: date) -> Interval:
    start, which, year = (
        SEASONS[_word(match, "season")],
        _word(match, "which"),
        _year(match, anchor),
    )
    if which == "next" and start == 12:
        return whole_months(anchor.year, 12, 3, "season")  # one that has begun is "this winter"
    season = _in_year(lambda year: whole_months(year, start, 3, "season"), match, anchor)
    if year is None and which == "this" and season.first.year > anchor.year:
        half_a_year = timedelta(days=184)
        if season.first - anchor > half_a_year:
            raise ValueError("this year's is over, and next year's is not meant")
    return season


def _part_of_year(match: re.Match[str], anchor: date) -> Interval:
    months = 6 if _word(match, "part").startswith("h") else 3
    ordinal = _word(match, "nth")
    nth = ORDINALS[ordinal] if ordinal in ORDINALS else int(ordinal)
    start = (nth - 1) * months + 1
    return _in_year(lambda year: whole_months(year, start, months, "quarter"), match, anchor)


def _bare_year(match: re.Match[str], anchor: date) -> Interval:
    return whole_years(int(match["year"]), int(match["year"]))


def _two_years(match: re.Match[str], anchor: date) -> Interval:
    first, last = int(match["year"]), int(match["last"])
    return whole_years(first, last if last > 99 else first // 100 * 100 + last)


def _decade(match: re.Match[str], anchor: date) -> Interval:
    return whole_years(int(match["year"]), int(match["year"]) + 9, "decade")


def _mid_century(match: re.Match[str], anchor: date) -> Interval:
    middle = anchor.year // 100 * 100 + 50
    return whole_years(middle, middle)


def _holiday(match: re.Match[str], anchor: date) -> Interval:
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
}  # fmt: skip
_DAYS = {"day": 1, "week": 7, "fortnight": 14}
_MONTHS = {"month": 1, "quarter": 3, "year": 12, "decade": 120}


def _from_now(match: re.Match[str], anchor: date) -> Interval:
    words = _word(match, "number") or "one"
    number = NUMBERS[words] if words in NUMBERS else int(words)
    unit = _word(match, "unit") or _word(match, "one_unit")
    if unit in _MONTHS:
        last = add_months(anchor, number * _MONTHS[unit])
    elif unit in _DAYS:
        last = anchor + timedelta(days=number * _DAYS[unit])
    else:
        last = anchor + timedelta(days=-(-number // 24))  # hours: the day they run into
    return Interval(anchor, last, "length")


# ---- the vocabulary
#
# Month and weekday names count only with their capital: "may" and "march" are verbs, too.

_MONTH = rf"(?P<month>{'|'.join(MONTHS)})"
_SHORT = r"(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\b\.?"
_DATE_MONTH = rf"(?P<month>{'|'.join(MONTHS)}|{_SHORT})"
_WEEKDAY = rf"(?P<weekday>{'|'.join(WEEKDAYS)})"
_SEASON = rf"(?P<season>(?i:{'|'.join(SEASONS)}))"
_YEAR = r"(?:,?(?: of)? (?P<year>[12]\d{3}|(?i:this|next) year))"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_FROM_DAY = r"(?P<from_day>\d{1,2})(?:st|nd|rd|th)?(?:-| - | to | and | or | through )"
_WHICH = r"(?P<which>(?i:this coming|the coming|this|next))"
_UNIT = r"(?P<unit>week|weekend|month|quarter|year|decade|century)"
_NUMBER = rf"(?:\d{{1,3}}|{'|'.join(sorted(NUMBERS, key=len, reverse=True))})"
_COUNT = rf"(?:{_NUMBER}(?: to |-to-| or |-))?(?P<number>{_NUMBER})"
_LENGTH = r"(?P<unit>hour|day|week|fortnight|month|quarter|year|decade)(?:s?'|s)?"
_ABOUT = (
    r"(?:(?:about|around|roughly|approximately|less than|fewer than|under|no more than|at most"
    r"|as little as|just|only|up to|another) )?"
)
# "Within three months of the ruling" counts from a day that the words do not give.
_FROM_ELSEWHERE = r"(?! (?:of|after|before|ago|earlier|later|following|since|in a row)\b)"
_NOT_A_NAME = r"(?<!Black\s)(?<!Super\s)(?<!Good\s)(?<!Bloody\s)(?<!Easter\s)(?<!Cyber\s)(?<!Ash\s)"
_NEWSPAPER = r"(?! (?:Times|Telegraph|Mirror|Mail|Herald|Post|Express|World)\b)"


def _form(form: str) -> re.Pattern[str]:
    """Compile a form: a space is any white space, and it begins and ends with whole words."""
    return re.compile(rf"(?<![\w.,:/$€£])(?<!\d-){form}(?![\w%]|[.,:/]\d|-\d)".replace(" ", r"\s+"))


RULES = (
    # ---- days
    Rule("2026-07-27", _form(r"(?P<year>\d{4})-(?P<a>\d\d)-(?P<b>\d\d)"), _iso_day),
    Rule(
        "27/07/2026; 7/27/2026; 27.7.2026",
        _form(r"(?P<a>\d{1,2})(?P<dot>[/.])(?P<b>\d{1,2})(?P=dot)(?P<year>\d{4})"),
        _numeric_day,
    ),
    Rule(
        "Sunday, 27 July 2026; the 27th of July; 14 to 15 May; March 3 next year",
        _form(rf"(?:{_WEEKDAY},? )?(?:the )?(?:{_FROM_DAY})?{_DAY}(?: of)? {_DATE_MONTH}{_YEAR}?"),
        _day_of_year,
    ),
    Rule(
        "Sunday, July 27, 2026; July 27-28",
        _form(rf"(?:{_WEEKDAY},? )?{_DATE_MONTH} (?:the )?(?:{_FROM_DAY})?{_DAY}{_YEAR}?"),
        _day_of_year,
    ),
    Rule(
        "the 27th; the 27th of next month",
        _form(
            r"the (?P<day>\d{1,2})(?:st|nd|rd|th)(?: of (?P<which>this|next) month"
            r"|(?=[.,;:!?)]|$| (?:and|but|at|when|to|for|by|unless|if)\b))"
        ),
        _day_of_month,
        stands="held",
    ),
    Rule(
        "Friday; next Friday; Friday evening; Friday of next week; Friday week",
        _form(
            rf"{_NOT_A_NAME}(?:{_WHICH} )?{_WEEKDAY}{_NEWSPAPER}"
            r"(?: (?:morning|afternoon|evening|night))?"
            r"(?:(?:,?(?: of)? (?P<week>this|next) week)|(?P<later> week\b))?(?! (?:of )?last\b)"
        ),
        _weekday,
    ),
    Rule(
        "the first Sunday of October; the last Friday in March 2027",
        _form(
            r"(?:the )?(?P<nth>first|second|third|fourth|last) "
            rf"{_WEEKDAY} (?:of|in),? {_MONTH}{_YEAR}?"
        ),
        _nth_weekday,
    ),
    Rule(
        "tomorrow; the day after tomorrow",
        _form(r"(?i:the day after tomorrow|tomorrow(?: morning| afternoon| evening| night)?)"),
        _near_day,
        ahead=True,
    ),
    Rule(
        "today; this evening",
        _form(r"(?i:today|tonight|this (?:morning|afternoon|evening))"),
        _near_day,
    ),
    # ---- weeks to centuries of the calendar
    Rule(
        "this week; next month; next year",
        _form(rf"(?<!the\s)(?i:(?P<which>this|next) {_UNIT})"),
        _this_or_next,
    ),
    Rule("the coming weekend", _form(r"(?i:(?:this|the) coming (?P<unit>weekend))"), _this_or_next),
    Rule("the year", _form(rf"(?i:the (?:current )?{_UNIT})"), _this_or_next, stands="limited"),
    Rule(
        "year-end; the month's end",
        _form(r"(?i:(?:the )?(?P<unit>year|month|quarter|decade|century)(?:'s )?[ -]?end)"),
        _end_of_unit,
        stands="held",
    ),
    Rule(
        "before the year is out",
        _form(
            r"(?i:before the (?P<unit>week|month|year|decade) (?:is (?:out|over|up)|ends|closes))"
        ),
        _end_of_unit,
        ahead=True,
    ),
    # ---- months, seasons, parts of a year
    Rule("March 2027; September next year", _form(rf"{_DATE_MONTH}{_YEAR}"), _calendar_month),
    Rule("next March", _form(rf"{_WHICH} {_MONTH}"), _calendar_month),
    Rule("March", _form(rf"{_MONTH}(?! \d)"), _calendar_month, stands="held"),
    Rule("this fall; next spring; the coming winter", _form(rf"{_WHICH} {_SEASON}"), _season),
    Rule("summer 2026; the winter of 2026", _form(rf"(?:the )?{_SEASON}{_YEAR}"), _season),
    Rule(
        "the fall (but not: the fall of the government)",
        _form(rf"(?:the )?{_SEASON}(?! (?:of|in|to|from|back|apart|short|below|again)\b)"),
        _season,
        stands="held",
    ),
    Rule(
        "the third quarter of the year; the second half of 2027",
        _form(
            r"(?i:(?:the )?(?P<nth>first|second|third|fourth) (?P<part>quarter|half)"
            rf"(?: of the year|{_YEAR}))"
        ),
        _part_of_year,
    ),
    Rule(
        "the third quarter (but not the first half, which may be of a match)",
        _form(r"(?i:(?:the )?(?P<nth>first|second|third|fourth) (?P<part>quarter))(?! of\b)"),
        _part_of_year,
        stands="held",
    ),
    Rule(
        "Q3 2026; H1 2027",
        _form(rf"(?:(?P<part>[QH])(?P<nth>[1-4])){_YEAR}?"),
        _part_of_year,
    ),
    # ---- years and longer
    Rule("2027", _form(r"(?P<year>[12]\d{3})"), _bare_year, stands="held"),
    Rule(
        "2026-27; 2026/27",
        _form(r"(?P<year>[12]\d{3})[-/](?P<last>\d\d(?:\d\d)?)"),
        _two_years,
        stands="held",
    ),
    Rule("the 2030s", _form(r"(?:the )?(?P<year>[12]\d{2}0)'?s"), _decade, stands="held"),
    Rule(
        "mid-century",
        _form(r"(?i:mid-?century|the middle of the century)"),
        _mid_century,
        stands="held",
    ),
    Rule(
        "Christmas; next Easter; the new year",
        _form(rf"(?:(?:{_WHICH}|(?<!in\s)the) )?(?P<name>{'|'.join(HOLIDAYS)}|new year){_YEAR}?"),
        _holiday,
        stands="held",
    ),
    # ---- lengths, counted from now
    Rule(
        "in three months; within 48 hours; in six to eight weeks",
        _form(rf"(?i:(?:with)?in {_ABOUT}{_COUNT}[ -]{_LENGTH}){_FROM_ELSEWHERE}"),
        _from_now,
    ),
    Rule(
        "in three weeks' time; a year from now",
        _form(rf"(?i:(?:(?:with)?in )?{_ABOUT}{_COUNT}[ -]{_LENGTH} (?:time|from (?:now|today)))"),
        _from_now,
        ahead=True,
    ),
    Rule("this time next year", _form(r"this time next (?P<unit>week|month|year)"), _from_now),
    Rule(
        "over the next six weeks; within the coming decade",
        _form(
            r"(?i:(?:in|within|over|during|for|through(?:out)?) (?:the )?(?:next|coming) "
            rf"(?:{_COUNT} {_LENGTH}|(?P<one_unit>week|fortnight|month|quarter|year|decade)))"
        ),
        _from_now,
        ahead=True,
    ),
)
