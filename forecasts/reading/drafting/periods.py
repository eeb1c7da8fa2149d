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
from datetime import date
from typing import Literal

from forecasts.reading.drafting import period_meanings as means
from forecasts.reading.drafting.intervals import HOLIDAYS, MONTHS, SEASONS, WEEKDAYS, Interval


@dataclass(frozen=True, slots=True)
class Rule:
    """A form of period: an example, its pattern, and its interval relative to a day.

    ``requires``: the form is a time by itself, after a preposition, or only after a limiting word
    ("the end of", "by"). ``ahead``: it always lies in the future ("within the next week").
    """

    example: str
    pattern: re.Pattern[str]
    interval: Callable[[re.Match[str], date], Interval]
    requires: Literal["nothing", "preposition", "limit"] = "nothing"
    ahead: bool = False


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
_NUMBER = rf"(?:\d{{1,3}}|{'|'.join(sorted(means.NUMBERS, key=len, reverse=True))})"
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
        ("2026-07-27", r"(?P<year>\d{4})-(?P<a>\d\d)-(?P<b>\d\d)", means.iso_day),
        ("27/07/2026; 7/27/2026; 27.7.2026",
         r"(?P<a>\d{1,2})(?P<dot>[/.])(?P<b>\d{1,2})(?P=dot)(?P<year>\d{4})", means.numeric_day),
        ("Sunday, 27 July 2026; the 27th of July; 14 to 15 May; March 3 next year",
         rf"(?:{_WEEKDAY},? )?(?:the )?(?:{_FROM_DAY})?{_DAY}(?: of)? {_DATE_MONTH}{_YEAR}?",
         means.day_of_year),
        ("Sunday, July 27, 2026; July 27-28",
         rf"(?:{_WEEKDAY},? )?{_DATE_MONTH} (?:the )?(?:{_FROM_DAY})?{_DAY}{_YEAR}?",
         means.day_of_year),
        ("the week beginning 4 August",
         rf"{_WEEK_OF} {_DAY}(?: of)? {_DATE_MONTH}{_YEAR}?", means.week_from_day),
        ("the week of August 4", rf"{_WEEK_OF} {_DATE_MONTH} {_DAY}{_YEAR}?", means.week_from_day),
        ("the 27th; the 27th of next month",
         r"the (?P<day>\d{1,2})(?:st|nd|rd|th)(?: of (?P<which>this|next) month"
         r"|(?=[.,;:!?)]|$| (?:and|but|at|when|to|for|by|unless|if)\b))",
         means.day_of_month, "preposition"),
        ("Friday; next Friday; Friday evening; Friday of next week; Friday week",
         rf"{_NOT_A_NAME}(?:{_WHICH} )?{_WEEKDAY}{_NEWSPAPER}"
         r"(?: (?:morning|afternoon|evening|night))?"
         r"(?:(?:,?(?: of)? (?P<week>this|next) week)|(?P<later> week\b))?(?! (?:of )?last\b)",
         means.weekday),
        ("a week on Saturday; a fortnight today; two weeks from Friday; a week tomorrow",
         rf"(?i:{COUNT} (?P<unit>week|fortnight)s?)(?: (?:on|from))?"
         rf" (?:{_WEEKDAY}|(?P<near>today|tomorrow))", means.weeks_from_day),
        ("midweek", r"(?i:mid-?week)", means.weekday, "preposition"),
        ("the first Sunday of October; the last Friday in March 2027",
         r"(?:the )?(?P<nth>first|second|third|fourth|last) "
         rf"{_WEEKDAY} (?:of|in),? {_MONTH}{_YEAR}?", means.weekday_of_month),
        ("tomorrow; the day after tomorrow",
         r"(?i:the day after tomorrow|tomorrow(?: morning| afternoon| evening| night)?)",
         means.near_day, "nothing", True),
        ("today; this evening", r"(?i:today|tonight|this (?:morning|afternoon|evening))",
         means.near_day),
        # ---- weeks to centuries of the calendar
        ("this week; next month; next year",
         rf"(?<!the\s)(?i:(?P<which>this|next) {_UNIT})", means.this_or_next),
        ("the coming weekend", r"(?i:(?:this|the) coming (?P<unit>weekend))", means.this_or_next),
        ("the weekend", r"(?i:the (?P<unit>weekend))", means.this_or_next, "preposition"),
        ("the year", rf"(?i:the (?:current )?{_UNIT})", means.this_or_next, "limit"),
        ("year-end; the month's end; the turn of the year",
         r"(?i:(?:the )?(?P<unit>year|month|quarter|decade|century|week(?='s))(?:'s )?[ -]?end"
         r"|the turn of the year)", means.last_day, "preposition"),
        ("before the year is out",
         r"(?i:before the (?P<unit>week|month|year|decade) (?:is (?:out|over|up)|ends|closes))",
         means.last_day, "nothing", True),
        # ---- months, seasons, parts of a year
        ("March 2027; September next year", rf"{_DATE_MONTH}{_YEAR}", means.calendar_month),
        ("next March", rf"{_WHICH} {_MONTH}", means.calendar_month),
        ("the November election",
         rf"the (?:upcoming |coming )?{_MONTH}{_YEAR}? [a-z][a-z-]+", means.last_day, "limit"),
        ("March", rf"{_MONTH}(?! \d)", means.calendar_month, "preposition"),
        ("this fall; next spring; the coming winter", rf"{_WHICH} {_SEASON}", means.season),
        ("summer 2026; the winter of 2026", rf"(?:the )?{_SEASON}{_YEAR}", means.season),
        ("the fall (but not: the fall of the government)",
         rf"(?:the )?{_SEASON}(?! (?:of|in|to|from|by|back|apart|short|below|under|again)\b)",
         means.season, "preposition"),
        ("the third quarter of the year; the second half of 2027",
         r"(?i:(?:the )?(?P<nth>first|second|third|fourth|last|final) (?P<part>quarter|half)"
         rf"(?: of the year|{_YEAR}))", means.part_of_year),
        ("the third quarter (but not the first half, which may be of a match)",
         r"(?i:(?:the )?(?P<nth>first|second|third|fourth) (?P<part>quarter))(?! of\b)",
         means.part_of_year, "preposition"),
        ("Q3 2026; H1 2027", rf"(?:(?P<part>[QH])(?P<nth>[1-4])){_YEAR}?", means.part_of_year),
        # ---- years and longer
        ("2027; fiscal 2027",
         r"(?i:(?:the )?(?:fiscal|financial)(?: year)? )?(?P<year>[12]\d{3})",
         means.years, "preposition"),
        ("2026-27; 2026/27",
         r"(?P<year>[12]\d{3})[-/](?P<last>\d\d(?:\d\d)?)", means.years, "preposition"),
        ("the 2030s", r"(?:the )?(?P<year>[12]\d{2}0)(?P<decade>'?s)", means.years, "preposition"),
        ("mid-century", r"(?i:mid-?century|the middle of the century)",
         means.mid_century, "preposition"),
        ("Christmas; next Easter; the new year",
         rf"(?:(?:{_WHICH}|(?<!in\s)the) )?(?P<name>{'|'.join(HOLIDAYS)}|new year){_YEAR}?",
         means.holiday, "preposition"),
        # ---- lengths, counted from now
        ("in three months; within 48 hours; in six to eight weeks; inside a year",
         rf"(?i:(?:within|inside|in) {_ABOUT}{COUNT}[ -]{_LENGTH}){_FROM_ELSEWHERE}",
         means.from_now),
        ("in three weeks' time; a year from now",
         rf"(?i:(?:(?:with)?in )?{_ABOUT}{COUNT}[ -]{_LENGTH} (?:time|from (?:now|today)|hence))",
         means.from_now, "nothing", True),
        ("for another six weeks; for two more years",
         r"(?i:for (?:at least )?(?=another |a further |[\w-]+ more )(?:another |a further )?"
         rf"(?:{COUNT} )?(?:more )?{_LENGTH})", means.from_now),
        ("has six weeks to appeal; given the firm a year to sell",
         r"(?i:(?:has|have|(?:given|gives?|allows?)(?: [\w'-]+){0,4}?)"
         rf" {_ABOUT}{COUNT} {_LENGTH}(?= (?:in which )?to [a-z]))",
         means.from_now, "nothing", True),
        ("this time next year", r"this time next (?P<unit>week|month|year)", means.from_now),
        ("over the next six weeks; within the coming decade",
         r"(?i:(?:in|within|over|during|for|through(?:out)?) (?:the )?(?:next|coming) "
         rf"(?:{COUNT} {_LENGTH}|(?P<one_unit>week|fortnight|month|quarter|year|decade)))",
         means.from_now, "nothing", True),
    )
)  # fmt: skip
