"""Dates as people type them, and the deadline that a title names.

Days are read by the deadline grammar of the drafts (``reading.drafting.deadlines``): "next
friday", "in 3 weeks", "end of March", "before Christmas", "this fall". Its words for months and
weekdays begin with a capital; here they may be typed in lower case or cut short. Only the forms
that no article has are read here: "3w", "3 days ago", "end of year", "EOY", "now".
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from forecasts.common.errors import BadInput
from forecasts.common.times import add_months, iso, read_time, utc
from forecasts.common.vocabulary import QuestionType
from forecasts.reading.drafting.deadlines import Deadline, find_deadlines, find_overdue
from forecasts.reading.drafting.intervals import HOLIDAYS, MONTHS, WEEKDAYS, Interval, calendar_unit
from forecasts.reading.drafting.periods import find_periods
from forecasts.values.outcomes import NOT_SCORED, read_outcome
from forecasts.values.outline import HasOutline

EXAMPLES = "2027-03-31, 31 March, next friday, in 3 weeks, end of March, before Christmas, tomorrow"

_SHORT_DAYS = {name[:3].lower(): name for name in WEEKDAYS} | {
    "tues": "Tuesday", "weds": "Wednesday", "thur": "Thursday", "thurs": "Thursday",
}  # fmt: skip
_NAMES = {name.lower(): name for name in (*MONTHS, *WEEKDAYS, *HOLIDAYS)}
_SHORT_MONTHS = {name[:3].lower(): name[:3] for name in MONTHS} | {"sept": "Sept"}
_CAPITALS = re.compile(
    rf"\b(?:{'|'.join(sorted(map(re.escape, _NAMES), key=len, reverse=True))})\b", re.IGNORECASE
)
# In a title "may" and "march" are verbs, unless a word before or a number after says otherwise.
_VERBS = ("may", "march")
_OF_A_MONTH = re.compile(
    r"(?:\b(?:by|in|of|until|till|before|during|through|next|this|late|early|mid|end|\d{1,2}"
    r"(?:st|nd|rd|th)?)[ -])$",
    re.IGNORECASE,
)
_WEEKDAY = re.compile(rf"(?:{'|'.join(WEEKDAYS)})")
_DAY_OF_MONTH = re.compile(
    rf"(?:\d{{1,2}}(?:st|nd|rd|th)? (?:{'|'.join(_SHORT_MONTHS.values())})\w*"
    rf"|(?:{'|'.join(_SHORT_MONTHS.values())})\w* \d{{1,2}}(?:st|nd|rd|th)?)"
)
_NEAR = {"yesterday": -1, "today": 0, "tonight": 0, "tomorrow": 1, "tmrw": 1}
_UNITS = {"d": "day", "w": "week", "m": "month", "mo": "month", "y": "year"}
_LENGTH = re.compile(
    r"(?:\+|in )?\+?(?P<number>\d{1,4}) ?(?P<unit>d|w|mo?|y|day|week|month|year)s?(?P<ago> ago)?"
)
_LAST = re.compile(rf"last (?P<unit>week|month|year|{'|'.join(WEEKDAYS)})")
_END_OF = re.compile(
    r"(?P<lead>(?:by|before|until|till)\s+)?(?:the\s+)?(?:end\s+of\s+(?:the\s+)?"
    r"(?P<unit>day|week|month|quarter|year|decade)|eo(?P<short>[dwmqy]))\b",
    re.IGNORECASE,
)
_SHORT_UNITS = {"d": "day", "w": "week", "m": "month", "q": "quarter", "y": "year"}
_TIME_OF_DAY = re.compile(
    r"(?P<day>.+?)(?:,? at|,)? (?P<hour>\d{1,2}):(?P<minute>\d\d)(?P<zone> ?(?:utc|z))?",
    re.IGNORECASE,
)
_LIMIT = re.compile(r"(?:by|before|until|till|through|within|ahead|prior|no|not|on)\b", re.I)
_ISO = re.compile(r"\d{4}-?\d")
_TWO_WAYS = re.compile(r"(0?[1-9]|1[0-2])[/.](0?[1-9]|1[0-2])[/.](\d{4})")
_LAST_SECOND = time(23, 59, 59)
_LONGEST = 100  # characters of a date; the grammar takes long with thousands
_LEAP = 8  # years at most between two 29 Februaries


@dataclass(frozen=True)
class NamedDate:
    """A deadline that a title names, ``phrase == title[start:end]``, and its last second."""

    moment: datetime
    phrase: str
    start: int
    end: int


def read_date(
    text: str,
    *,
    now: datetime,
    zone: tzinfo | None = None,
    end_of_day: bool = True,
    past: bool = False,
) -> datetime:
    """Return the UTC time of a date as typed: its last second, or its first one.

    Of a period ("march", "last week"), that is the last second of its last day, or the first one of
    its first day. ``zone``: the zone whose days are meant, and of times without an offset; None:
    days are those of UTC, and such times are refused. ``past``: a date without a year, or a
    weekday, is the latest one, not the next. BadInput repeats what was typed and gives examples.
    """
    typed = " ".join(text.split())
    if not typed:
        raise BadInput("The date is blank.", remedy=f"Write, for example: {EXAMPLES}.")
    if len(typed) > _LONGEST:
        raise _unreadable(text)
    if typed.casefold() == "now":
        return now
    here = zone or UTC
    today = utc(now).astimezone(here).date()
    try:
        if (day := _day(typed, today, past=past, first=not end_of_day)) is not None:
            return _moment(day, here, _LAST_SECOND if end_of_day else time())
        if match := _TIME_OF_DAY.fullmatch(typed):
            there = UTC if match["zone"] else here
            day = _day(match["day"], utc(now).astimezone(there).date(), past=past)
            if day is not None:
                if not match["zone"] and zone is None:
                    raise BadInput(f"{typed!r} has no time zone.", remedy=f"Add it: {typed} UTC.")
                return _moment(day, there, time(int(match["hour"]), int(match["minute"])))
    except (ValueError, OverflowError):
        raise _unreadable(text) from None
    if zone is not None and (local := _local_time(typed, zone)) is not None:
        return local
    try:
        return read_time(typed, end_of_day=end_of_day)
    except BadInput as error:
        if "not a time" in error.message:
            raise _unreadable(text) from None
        raise


def iso_date(
    text: str, *, now: datetime, zone: tzinfo | None = None, past: bool = False, first: bool = False
) -> str:
    """Return a date as typed in ISO 8601: a day, or a time in UTC.

    ISO 8601 is kept as it is written. Of a period, that is the last day, or the ``first`` one. The
    rest, and errors, as in ``read_date``.
    """
    typed = text.strip()
    if _ISO.match(typed):
        with suppress(BadInput):
            read_time(typed)
            return typed
    moment = read_date(typed, now=now, zone=zone, past=past, end_of_day=not first)
    local = moment.astimezone(zone or UTC)
    is_day = local.time() == (time() if first else _LAST_SECOND)
    return local.date().isoformat() if is_day else iso(moment)


def read_typed_outcome(
    text: str, question: HasOutline, *, now: datetime, zone: tzinfo | None = None
) -> str:
    """Return a typed outcome for ``read_outcome``, which reads all but dates as people type them.

    "4 March" is the latest one. BadInput for a period, such as "last week", or another text that
    is not an outcome of a question of type date.
    """
    if question.type != QuestionType.date or not text.strip():
        return text
    with suppress(BadInput):
        return read_outcome(text, question)
    other = f"Other outcomes: below, above, {', '.join(NOT_SCORED)}."
    try:
        first, last = (
            iso_date(text, now=now, zone=zone, past=True, first=first) for first in (True, False)
        )
    except BadInput as error:
        raise BadInput(error.message, remedy=f"{error.remedy} {other}") from None
    if first != last:
        raise BadInput(
            f"{text.strip()!r} is more than one day: {first} to {last}.",
            remedy=f"Write the day. {other}",
        )
    return last


def deadline_in_title(
    title: str, *, now: datetime, zone: tzinfo | None = None, passed: bool = False
) -> NamedDate | None:
    """Return the deadline that the title names, None without one or if it has passed.

    ``passed``: one that has passed instead, None without one. Of several, the last one with a
    limiting word ("by", "before", "until") counts, or else the last one.
    """
    here = zone or UTC
    today = utc(now).astimezone(here).date()
    found = _limits(title, today, passed=passed)
    if not found:
        return None
    limiting = [limit for limit in found if _LIMIT.match(limit.phrase)]
    limit = (limiting or found)[-1]
    moment = _moment(limit.last_day, here, _LAST_SECOND)
    return NamedDate(moment, limit.phrase, limit.start, limit.end)


def _limits(title: str, today: date, *, passed: bool) -> list[Deadline]:
    """Return the deadlines of a title, with the short forms that articles do not have."""
    words = _with_capitals(title, verbs=True)
    words += "" if words.endswith(("?", ".", "!")) else "?"  # "Cut on 11 December" asks
    if passed:
        return find_overdue(words, anchor=today)
    found = find_deadlines(words, anchor=today)
    taken = [(limit.start, limit.end) for limit in found]
    for match in _END_OF.finditer(title):
        start, end = match.span()
        if all(end <= first or last <= start for first, last in taken):
            found.append(Deadline(start, end, title[start:end], _end_of(match, today)))
    found.sort(key=lambda limit: limit.start)
    return [
        Deadline(limit.start, limit.end, title[limit.start : limit.end], limit.last_day)
        for limit in found
    ]


def _day(typed: str, today: date, *, past: bool, first: bool = False) -> date | None:
    """Return the day that a phrase means, None if it means none; ``first``: of a period."""
    words = typed.lower().rstrip(".")
    if words in _NEAR:
        return today + timedelta(days=_NEAR[words])
    if match := _LENGTH.fullmatch(words):
        return _after(today, match)
    phrase = _full_names(typed)
    if match := _LAST.fullmatch(phrase):
        return _last(match["unit"], today, first=first)
    if match := _END_OF.fullmatch(phrase):
        return _end_of(match, today)
    return _in_direction(phrase, today, past=past, first=first)


def _named(phrase: str, today: date, *, first: bool) -> date | None:
    """Return the last day that the whole phrase names, or the first one of a period."""
    if first and (interval := _period(phrase, today)) is not None:
        return interval.first
    for form in (phrase, f"by {phrase}", f"by the {phrase}", f"in {phrase}"):
        limits = [*find_deadlines(form, anchor=today), *find_overdue(form, anchor=today)]
        if len(limits) == 1 and (limits[0].start, limits[0].end) == (0, len(form)):
            return limits[0].last_day
    return None


def _period(phrase: str, today: date) -> Interval | None:
    """Return the period that the whole phrase names; None for a length counted from now."""
    found = find_periods(phrase, today)
    if len(found) != 1 or (found[0].start, found[0].end) != (0, len(phrase)):
        return None
    return None if found[0].interval.unit == "length" else found[0].interval


def _in_direction(phrase: str, today: date, *, past: bool, first: bool) -> date | None:
    """Return the day that the phrase names, the latest or the next one if it has no year.

    As seen from earlier or later years: not each has 29 February, and Easter moves.
    """
    day = _named(phrase, today, first=first)
    if day is None:
        return None
    if _WEEKDAY.fullmatch(phrase):
        return day - timedelta(days=7) if past and day > today else day
    if past and day > today and not re.search(r"\d{4}|next|this", phrase):
        years = range(-1, -1 - _LEAP, -1)
    elif not past and day < today and _DAY_OF_MONTH.fullmatch(phrase):
        years = range(1, 1 + _LEAP)
    else:
        return day
    days = (_named(phrase, add_months(today, 12 * year), first=first) for year in years)
    return next((one for one in days if one and (one <= today) == past), day)


def _after(today: date, match: re.Match[str]) -> date:
    number = int(match["number"]) * (-1 if match["ago"] else 1)
    unit = _UNITS.get(match["unit"], match["unit"])
    if unit in ("month", "year"):
        return add_months(today, number * (12 if unit == "year" else 1))
    return today + timedelta(days=number * (7 if unit == "week" else 1))


def _last(unit: str, today: date, *, first: bool) -> date:
    """Return the day of "last Friday", or the first or last day of "last month"."""
    if unit in WEEKDAYS:
        back = (today.weekday() - WEEKDAYS.index(unit)) % 7 or 7
        return today - timedelta(days=back)
    interval = calendar_unit(unit, today, -1)
    return interval.first if first else interval.last


def _end_of(match: re.Match[str], today: date) -> date:
    unit = _SHORT_UNITS.get((match["short"] or "").lower()) or match["unit"].lower()
    return today if unit == "day" else calendar_unit(unit, today).last


def _full_names(typed: str) -> str:
    """Return a date with capitals and, for weekdays, the whole name: "fri" is "Friday"."""

    def named(match: re.Match[str]) -> str:
        word = match.group().rstrip(".").lower()
        return _SHORT_DAYS.get(word) or _SHORT_MONTHS.get(word) or match.group()

    return re.sub(r"[^\W\d_]+\.?", named, _with_capitals(typed))


def _with_capitals(text: str, *, verbs: bool = False) -> str:
    """Return the text with the names of months, weekdays and holidays as the grammar has them.

    Positions are kept. ``verbs``: in a title, where "may" and "march" are mostly verbs.
    """

    def named(match: re.Match[str]) -> str:
        word = match.group().lower()
        if verbs and word in _VERBS and not match.group()[0].isupper():
            before, after = text[: match.start()], text[match.end() :]
            if not _OF_A_MONTH.search(before) and not re.match(r" \d", after):
                return match.group()
        return _NAMES[word]

    return _CAPITALS.sub(named, text)


def _local_time(typed: str, zone: tzinfo) -> datetime | None:
    """Return the time of ISO 8601 without an offset in the zone, None for another form."""
    try:
        time_ = datetime.fromisoformat(typed)
    except ValueError:
        return None
    if time_.tzinfo is not None or len(typed) <= len("2027-03-31"):
        return None
    return time_.replace(tzinfo=zone).astimezone(UTC)


def _moment(day: date, zone: tzinfo, at: time) -> datetime:
    return datetime.combine(day, at, zone).astimezone(UTC)


def _unreadable(text: str) -> BadInput:
    shown = text.strip()[:60]
    if match := _TWO_WAYS.fullmatch(shown):
        a, b, year = match.groups()
        ways = f"{year}-{b:0>2}-{a:0>2} or {year}-{a:0>2}-{b:0>2}"
        return BadInput(f"{shown!r} could be either of two days.", remedy=f"Write {ways}.")
    return BadInput(f"{shown!r} is not a date.", remedy=f"Write, for example: {EXAMPLES}.")
