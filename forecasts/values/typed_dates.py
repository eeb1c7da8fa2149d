"""Dates as people type them, and the deadline that a title names.

Days are read by the deadline grammar of the drafts (``reading.drafting.deadlines``): "next
friday", "in 3 weeks", "end of March", "before Christmas", "this fall". Its words for months and
weekdays begin with a capital; here they may be typed in lower case or cut short. Only the forms
that no article has are read here: "3w", "3 days ago", "end of year", "EOY", "now".

A draft is confirmed by a person, who sees its day; nobody confirms what is typed. So words that
careful readers understand in two ways are asked about (``Doubtful``): "by 2030" and "by the
weekend" (before it, or by its end), a weekday that is today, "this fall" in December, "next
March" in January, "3/4/2027".
Words that name no day, "before the summer recess", a day that does not exist and one that has
passed are refused with the reason. With "by", weeks, months and quarters are included.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache

from forecasts.common.errors import BadInput
from forecasts.common.times import add_months, iso, read_time, utc
from forecasts.common.vocabulary import QuestionType
from forecasts.reading.drafting.deadlines import Deadline, find_deadlines, find_overdue
from forecasts.reading.drafting.intervals import (
    MONTHS,
    SEASONS,
    WEEKDAYS,
    Interval,
    calendar_unit,
    long_date,
    whole_months,
)
from forecasts.reading.drafting.periods import find_periods
from forecasts.values.date_spellings import (
    DAY,
    HOLIDAY,
    MONTH,
    NTH,
    SEASON,
    SHORT_DAYS,
    SHORT_MONTHS,
    WEEKDAY,
    Spelled,
    spelled_out,
)
from forecasts.values.outcomes import NOT_SCORED, read_outcome
from forecasts.values.outline import HasOutline

EXAMPLES = "2027-03-31, 31 March, in 3 weeks, end of March, before Christmas, tomorrow"

_DAY_OF_MONTH = re.compile(rf"(?:by |before )?(?:{DAY})")
_NEAR = {"yesterday": -1, "today": 0, "tonight": 0, "tomorrow": 1}
_UNITS = {"d": "day", "w": "week", "m": "month", "mo": "month", "y": "year"}
_LENGTH = re.compile(
    r"(?:\+|in )?\+?(?P<number>\d{1,4}) ?(?P<unit>d|w|mo?|y|day|week|month|year)s?(?P<ago> ago)?"
)
_LAST = re.compile(rf"last (?P<unit>week|month|year|{WEEKDAY})")
_TIME_OF_DAY = re.compile(
    r"(?P<day>.+?)(?:,? at|,)? (?P<hour>\d{1,2}):(?P<minute>\d\d)(?P<zone> ?(?:utc|z))?",
    re.IGNORECASE,
)
_LIMIT = re.compile(r"(?:by|before|until|till|through|within|ahead|prior|no|not|on)\b", re.I)
_BEFORE_HERE = re.compile(r"(?i)\b(?:before|ahead of|prior to)(?: the)? $")
_ENDS_BEFORE = re.compile(r"(?i)before|ahead|prior")
_NOT_HERE = re.compile(
    r"(?i)\b(?:after|since|than(?: on)?|not|instead of|(?:days?|weeks?|months?|years?) before)"
    r"(?: the)? $"
)
_UNTIL_HERE = re.compile(r"(?i)\b(?:by|before|until|till)(?: the)? $")
_ISO = re.compile(r"\d{4}-?\d")
_TWO_WAYS = re.compile(
    r"(?<![\w/.,-])(0?[1-9]|1[0-2])([/.-])(0?[1-9]|1[0-2])\2([12]\d{3}|\d\d)(?![\w/%-]|\.\d)"
)
_A_MONTH, _A_YEAR = rf"(?P<month>{MONTH})\b", r"(?:,? (?:of |in )?(?P<year>[12]\d{3}))?"
_DAYS = (
    re.compile(rf"(?<![\w.,-])(?P<day>\d{{1,2}}){NTH}?(?: of)? {_A_MONTH}{_A_YEAR}(?!\w)"),
    re.compile(rf"\b{_A_MONTH} (?:the )?(?P<day>\d{{1,2}}){NTH}?{_A_YEAR}(?![\w%]|[.,:]\d)"),
)
_THIS_SEASON = re.compile(
    r"(?i)(?<!after )(?<!since )(?<!before )\b(?:(?:by|in|during|until) )?"
    rf"this (?P<season>{SEASON})\b"
)
# The last days of the astronomical seasons, by the month in which those of meteorology begin.
_SEASONS_END = {3: (6, 20), 6: (9, 21), 9: (12, 20), 12: (3, 19)}
# "by noon on Tuesday", "the 1st": one that is today may be the next one.
_AFTERWORDS = "(?: at the latest| or (?:earlier|sooner))?"
_TODAY = re.compile(
    rf"(?i)(?P<lead>(?:[^,]*? )?)(?:(?:(?:this|the) coming|this) )?(?:(?:{WEEKDAY})"
    rf"(?: (?:morning|afternoon|evening|night))?|the \d{{1,2}}{NTH}){_AFTERWORDS}"
)
_NEXT = re.compile(rf"\b[Nn]ext (?P<name>{MONTH}|{SEASON}|{HOLIDAY})\b(?! \d)")
_NEXT_DAY = re.compile(rf"(?i)(?P<lead>(?:.*? )?)next (?:{WEEKDAY}|weekend)\b")
_UP_TO = re.compile(
    r"(?i)(?:by|until|till|up to|up until) (?P<rest>(?:the )?(?:[12]\d{3}(?:s|-\d\d)?"
    rf"|next (?:year|decade)|(?:the|this) weekend|(?:this |next )?(?:{SEASON})"
    rf"(?:,?(?: of)? (?:[12]\d{{3}}|next year))?)){_AFTERWORDS}"
)
# Words after a period that begin another part of the sentence; others continue a name.
_STOPS = re.compile(
    r"(?i)(?:a|about|according|after|again|against|all|also|amid|an|and|any|are|as|at|be|because|been"
    r"|before|between|both|but|by|can|compared|could|day|despite|did|do|does|due|during|either"
    r"|even|ever|every|except|fewer|following|for|from|had|has|have|he|her|his|how|i|if|in"
    r"|including|instead|into|is|it|its|least|less|may|might|more|most|must|my|neither|no|nor"
    r"|not|of|on|once|only|or|our|over|per|plus|shall|she|should|since|so|some|still|than|that"
    r"|the|their|then|there|these|they|this|those|through|to|under|unless|until|up|upon|via|was"
    r"|we|were|what|when|where|whether|which|while|who|will|with|within|without|would|yet|you)"
)
_EVENTS = re.compile(
    r"(?i)(?:break|budget|ceremony|championship|conference|congress|election|exam|game|holiday|market"
    r"|meeting|olympic|party|playoff|primary|recess|referendum|sale|season|semester|session"
    r"|summit|term|tour|tournament|vacation|vote|window)s?"
)
_GOES_ON = re.compile(r"(?:'s)?\s+(?P<word>[^\W\d_][\w'-]*)")
_UNIT = rf"(?:day|week|weekend|fortnight|month|quarter|year|decade|{SEASON})"
_TIME = (
    rf"(?:{WEEKDAY}|(?:\d{{1,2}}{NTH}?(?: of)? )?(?:{MONTH})|{SEASON}|{HOLIDAY}|[QH][1-4]|today"
    rf"|tonight|tomorrow|{_UNIT}s?|(?:19|20|21)\d\d|\d{{1,2}}{NTH}|'\d\d|a half"
    r"|\d{1,4}(?:[./-]\d{1,4}){2})\b"
)
# Words beside a deadline that make another day of it: "Friday|, the 18th", "Friday| after next".
_AFTER = re.compile(
    r"(?i)(?:[ ,;:(/-]+(?:(?:and|or|to|that is|i\.e|of|in|on|the|before|after|from|following"
    rf"|(?:in|within) \w+(?= {_UNIT}s?\b))\b[ .,]*)*{_TIME}"
    r"|,? (?:(?:after|or) )?(?:early |late )?(?:last|next|each|every|previous|following)"
    rf"(?= {_UNIT}\b|[?.!,;:)]|$)"
    rf"|,? \w+ {_UNIT}s? (?:later|earlier|after|before)\b"
    r"| or (?:later|after|two|more|less)\b|,? (?:plus|minus|give or take|[+±-]) ?\w+"
    r"|,? \d{1,2}(?=\?)"
    r"|,? the (?:first|second|third|[a-z]+th)(?=[?.!,;:)]|$))"
)
# After these no such words are another part of the title: "by the 15th this year".
_UNREAD = re.compile(
    rf"(?i)\b(?:by|before|until|till)(?: the)? "
    rf"(?:(?!(?:19|20|21)\d\d|a half){_TIME}|(?P<short>{'|'.join([*SHORT_DAYS, *SHORT_MONTHS])})\b)"
)
_HYDROGEN = re.compile(r"[QH][1-4]")  # only after "in" or "by" a quarter or a half
_EITHER = re.compile(
    r"(?i)(?P<lead>(?:by|before|until|till) )(?P<one>.+?),? or (?P<other>(?!earlier|sooner).+)"
)
_UNTIL = re.compile(r"(?i)(?:by|before|until|till|through|within|ahead|prior|no|not)\b")
_RANGE = re.compile(r",? (?:and|or|to|until|through) | [-–] ")

# "The week| of the vote", "by the Friday| after it": not the coming one.
_NARROWED = re.compile(
    rf"(?i).*\bthe (?:end of the |[a-z]+ )?(?:{_UNIT}|{WEEKDAY})\|"
    r" (?:of(?! course\b)|after|before|following|in which|when|from)\b"
)
_BEFORE = re.compile(
    rf"(?i)(?:\b(?:{_UNIT}|{WEEKDAY})s? (?:of|after|from|following|to)(?: the)? "
    rf"|\b(?:by|on)(?: the)? (?:\w+(?:st|nd|rd|th)|final) (?:{_UNIT}|{WEEKDAY})s? "
    rf"|(?P<noun>(?<!\bany )\b(?:{_UNIT}|{WEEKDAY})s? )|\bwithin (?:an?|one) "
    r"|\b(?:by|before|until|till|up to|ahead of|prior to|within)(?: the)? "
    r"|\b(?:(?:end|eve) of(?: the)?|(?:first|second|third|fourth)(?: of)?"
    r"|(?:this|that|same) (?:day|time)) |(?P<which>\bnext )"
    rf"|/ ?(?:\d{{1,2}}{NTH}? )?)$"
)
# "Before the vote| in March", "until they meet| on Monday", "within a day of the vote| on Monday".
_BEFORE_EVENT = re.compile(
    r"(?i)\b(?:(?P<before>before|until|till|ahead of|prior to)"
    r"|after|since|following|within [\w-]+ \w+ (?:of|from)) "
    r"(?:(?!(?:and|or|but|all)\b)[^\W\d][\w'-]* ){1,6}$"
)
_COUNTED = re.compile(r"(?i)(?:before|ahead|prior|after|of)\b")
_NAMED_DAY = re.compile(
    r"\b(?:(?i:by|on|before|until|till|after|this|next)|the) (?:[A-Z][a-z]+ ){1,3}$"
)
# The fiscal year differs by country, and these say more than one day, or none.
_VAGUE = re.compile(
    r"(?i)\b(?:fiscal|financial|or so|or thereabouts)\b|\d{4}[-/]\d\d\b"
    rf"|\b(?:mid|early|late|end)(?: of)?[ -](?:{MONTH}) (?:the )?\d{{1,2}}(?!\d)"
)
_EVENT_OF_MONTH = re.compile(rf"(?i)\bthe (?:upcoming |coming )?(?:{MONTH})(?: \d{{4}})? [a-z]")
# A day, or a length counted from now: a noun after it is another's.
_EXACT = re.compile(
    rf"(?i)\b\d{{1,2}}{NTH}?\b|\b(?:{WEEKDAY}|today|tonight|tomorrow|days?"
    r"|weeks|months|years|time|from now)\b"
)
_WITH_WEEKDAY = re.compile(rf"\b(?P<name>{WEEKDAY}),? (?:the )?(?=\d{{1,2}}|(?:{MONTH}) )")
_REACH = 60  # characters read beside a deadline
_HOUR = re.compile(
    r"(?i),?(?:(?: at)? (?:\d{1,2}[:h]\d\d|\d{1,2}(?:[:.]\d\d)? ?[ap]\.?m\b\.?|noon|midnight)"
    r"| at [1-9]\d?(?:\.\d\d)?\b(?![.,]?\d| ?%))"
    r"(?: (?-i:[A-Z]{2,4})\b)?"
)
_GONE = re.compile(
    rf"(?i)\b(?:(?:by|on|in|until|before) )?(?:yesterday"
    rf"|last (?:night|week|month|year|{WEEKDAY}|{MONTH}|{SEASON}))\b"
)
_LAST_SECOND = time(23, 59, 59)
# Characters of a date, and of a title with one; the grammar takes long with thousands.
_LONGEST, LONGEST_TITLE = 100, 1_000
_LEAP_YEAR, _FEBRUARY = 2028, 2
_LEAP = 8  # years at most between two 29 Februaries


@dataclass(frozen=True)
class NamedDate:
    """A deadline that a title names, ``phrase == title[start:end]``, and its last second."""

    moment: datetime
    phrase: str
    start: int
    end: int


class Doubtful(BadInput):
    """Words for a day that have two meanings.

    ``phrase``: the words; ``readings``: two clear ways to write them, each with the time it means.
    """

    def __init__(self, phrase: str, *readings: tuple[str, datetime]) -> None:
        self.phrase, self.readings = phrase, readings
        first, second = (words for words, _ in readings)
        super().__init__(
            f"{phrase!r} could mean {first!r} or {second!r}.", remedy="Write the one you mean."
        )


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
    weekday, is the latest one, not the next. BadInput repeats the text and gives examples, or the
    reason; Doubtful names two meanings, unless a date is ``past``.
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
    words = _spelled(typed, today, past=past)
    at = _LAST_SECOND if end_of_day else time()
    problem = _wrong_day(words, None, today, is_field=True) or (
        None if past else _doubt_in_field(words, today)
    )
    if problem is not None:
        raise problem.error(typed, here, at)
    try:
        if (day := _day(words, today, past=past, first=not end_of_day)) is not None:
            return _moment(day, here, at)
        if match := _TIME_OF_DAY.fullmatch(words):
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

    For titles that nobody types here: words with two meanings have the usual one. ``passed``: one
    that has passed instead, None without one. Of several, the last one with a limiting word
    ("by", "before", "until") counts, or else the last one.
    """
    here = zone or UTC
    today = utc(now).astimezone(here).date()
    spelled = spelled_out(title, today)
    limit = _last_limit(spelled.text, today, passed=passed)
    return None if limit is None else _named_date(spelled, limit, here)


def last_moment(typed: str, title: str, *, now: datetime, zone: tzinfo | None = None) -> datetime:
    """Return the end of forecasting as typed, or if that is blank, as the title names it."""
    if typed.strip():
        return read_date(typed, now=now, zone=zone)
    try:
        named = typed_deadline(title, now=now, zone=zone)
    except BadInput as error:
        error.advice = f"{error.remedy} Or give the day as closes."
        raise
    if named is None:
        raise BadInput("The title names no last day of forecasting.", remedy="Give it as closes.")
    return named.moment


def typed_deadline(title: str, *, now: datetime, zone: tzinfo | None = None) -> NamedDate | None:
    """Return the deadline that a typed title names, None without one.

    Doubtful if it has two meanings; BadInput if it has passed, or names no day that exists.
    """
    here = zone or UTC
    spelled, found = _read_title(title, utc(now).astimezone(here).date())
    if isinstance(found, _Problem):
        raise found.error(spelled.as_typed(found.start, found.end), here, _LAST_SECOND)
    return None if found is None else _named_date(spelled, found, here)


def words_after_day(title: str, *, now: datetime, zone: tzinfo | None = None) -> str | None:
    """Return a typed title after its deadline, clear or not, and its hour; None without one."""
    spelled, found = _read_title(title, utc(now).astimezone(zone or UTC).date())
    if found is None:
        return None
    hour = _HOUR.match(spelled.text, found.end)
    return title[spelled.places[hour.end() if hour else found.end] :]


@dataclass(frozen=True)
class _Problem:
    """Words of a title without one clear day: two days by their words, or why.

    ``reason``: with {} for the words.
    """

    start: int
    end: int
    ways: tuple[tuple[str, date], ...] = ()
    reason: str = "{} does not name one clear day."
    remedy: str = "Give the last day of forecasting."

    def error(self, phrase: str, zone: tzinfo, at: time) -> BadInput:
        if self.ways:
            ways = ((words, _moment(day, zone, at)) for words, day in self.ways)
            return Doubtful(phrase, *ways)
        phrase = " ".join(phrase.split())
        return BadInput(self.reason.format(repr(phrase)), remedy=self.remedy)


@lru_cache(maxsize=64)  # a line is read for its day, and for each number that may stand after it
def _read_title(title: str, today: date) -> tuple[Spelled, Deadline | _Problem | None]:
    """Return a typed title in the grammar's words, with its deadline or the problem with it."""
    spelled = spelled_out(title, today)
    return spelled, _typed_limit(spelled.text, today)


def _typed_limit(title: str, today: date) -> Deadline | _Problem | None:
    """Return the deadline of a typed title, or the problem with it."""
    if len(title) > LONGEST_TITLE:
        return _Problem(0, 0, reason="The question is too long to look for its last day in it.")
    found = _limits(title, today, passed=False)
    limit, over = _chief(found), _last_limit(title, today, passed=True)
    if problem := _wrong_day(title, limit or over, today) or _season_over(title, today):
        return problem
    if over and (
        limit is None
        or (
            _LIMIT.match(over.phrase)
            and (limit.start < over.start or not _LIMIT.match(limit.phrase))
        )
    ):
        if _TODAY.fullmatch(over.phrase) and _ENDS_BEFORE.match(over.phrase):
            # "before Monday", on a Monday
            return replace(over, last_day=_again(over.phrase, today))
        return _beside(title, over, today) or _over(over, today)
    read = {place for one in found for place in range(one.start, one.end)}
    for unread in _UNREAD.finditer(title):
        if (limit or not unread["short"]) and not {unread.start(), unread.end() - 1} <= read:
            return _Problem(*unread.span())
    if limit is None:
        gone = _GONE.search(title)
        return gone and _passed(gone)
    other = _other_weekday(title, limit) or _beside(title, limit, today)
    return other or _doubt(limit, today) or _two_days(title, limit, found, today) or limit


def _passed(day: re.Match[str]) -> _Problem:
    return _Problem(*day.span(), (), "{} has passed.", "Write a later day.")


def _two_days(
    title: str, limit: Deadline, found: Sequence[Deadline], today: date
) -> _Problem | None:
    """Return the problem of a title that names two days alike: "said by May … by June".

    A day whose verb is in the past is one of them, "signed on 5 June", unless it comes before
    "by": "Will the treaty signed on 5 June be ratified by May?".
    """
    if match := _EITHER.fullmatch(limit.phrase):
        either = [
            one
            for words in (match["one"], match["other"])
            if (one := _last_limit(match["lead"] + words, today, passed=False))
        ]
        if len({one.last_day for one in either}) > 1:
            return _Problem(limit.start, limit.end, tuple((e.phrase, e.last_day) for e in either))
    is_limiting = bool(_LIMIT.match(limit.phrase))
    alike = [one for one in found if bool(_LIMIT.match(one.phrase)) == is_limiting]
    read = [(one.start, one.end) for one in (*alike, limit)]
    for day in find_periods(title, today):
        is_apart = not any(start <= day.start < end for start, end in read)
        is_after = day.start > limit.end or not _UNTIL.match(limit.phrase)
        first, last, unit = day.interval
        if not (is_apart and is_after and unit == "day" and first >= today):
            continue
        if _NOT_HERE.search(title, 0, day.start) is None:
            alike.append(Deadline(day.start, day.end, f"on {long_date(last)}", last))
    others = [one for one in alike if one.last_day != limit.last_day]
    if not others:
        return None
    pair = sorted((others[-1], limit), key=lambda one: one.start)
    ways = tuple((one.phrase, one.last_day) for one in pair)
    return _Problem(pair[0].start, pair[1].end, ways)


def _wrong_day(
    title: str, limit: Deadline | None, today: date, *, is_field: bool = False
) -> _Problem | None:
    """Return a day in figures that could be either of two, or one that does not exist.

    Beside a ``limit``, other figures are part of a name, "Python 3.12.10". All of a field is a
    date, which may have passed.
    """
    for match in _TWO_WAYS.finditer(title):
        a, b, year = (int(match[group]) for group in (1, 3, 4))
        year += 2000 if year < 100 else 0
        if a != b and _limits_at(title, match, limit):
            before = _BEFORE_HERE.search(title, 0, match.start())
            lead, sooner = ("before ", timedelta(days=1)) if before else ("", timedelta(0))
            days = (date(year, b, a), date(year, a, b))
            if not is_field and max(days) < today:
                return _passed(match)
            ways = tuple((lead + long_date(day), day - sooner) for day in days)
            return _Problem((before or match).start(), match.end(), ways)
    for form in _DAYS:
        for match in form.finditer(title):
            named, month = match["year"] or "", MONTHS.index(match["month"]) + 1
            longest, day = monthrange(int(named or _LEAP_YEAR), month)[1], int(match["day"])
            # "Will 40 march on Friday?"
            is_day = day in range(1, 32) or is_field
            is_day |= limit is not None and limit.start <= match.start() < limit.end
            if is_day and not 0 < day <= longest and _limits_at(title, match, limit):
                year = int(named or today.year + (month < today.month))
                longest = monthrange(year, month)[1]
                there = f"{match['month']} {year if named or month == _FEBRUARY else ''}".strip()
                reason = f"There is no {{}}: {there} has {longest} days."
                last = f"Write {longest} {there}, or another day."
                return _Problem(match.start(), match.end(), (), reason, last)
    return None


def _limits_at(title: str, figures: re.Match[str], limit: Deadline | None) -> bool:
    """Return whether figures of a title may be its deadline, beside the one that was found."""
    start, end = figures.span()
    if _NOT_HERE.search(title, 0, start):
        return False
    if limit is None or _UNTIL_HERE.search(title, 0, start):
        return True
    between = title[limit.end : start] + title[end : limit.start]  # one is blank, or both
    return not between.strip(" ,")


def _season_over(title: str, today: date) -> _Problem | None:
    """Return the problem of "this fall" from the end of November on, None without one."""
    match = _THIS_SEASON.search(title)
    if match is None:
        return None
    name = match["season"].lower()
    start = SEASONS[name]
    last_winter = start == 12 and today.month < 4
    year = today.year - last_winter
    last = whole_months(year, start, 3).last
    astronomical = date(year + (start == 12), *_SEASONS_END[start])
    if today < last or (last_winter and today > astronomical):
        return None
    if today > astronomical:
        reason = f"{{}} is over: it ended on {long_date(last)}."
        return _Problem(*match.span(), (), reason, f"Write {name} {year + 1}, or the last day.")
    later = last if today == last else whole_months(year + 1, start, 3).last
    ways = sorted({astronomical, later})
    return _Problem(*match.span(), tuple((f"by {long_date(day)}", day) for day in ways))


def _over(limit: Deadline, today: date) -> _Problem:
    ends_before = _ENDS_BEFORE.match(limit.phrase)
    later = limit.last_day + timedelta(days=1 if ends_before else 0)
    while later <= today:
        later = add_months(later, 12)
    remedy = f"Write {'before ' if ends_before else ''}{long_date(later)}, or another later day."
    return _Problem(
        limit.start,
        limit.end,
        reason=f"{{}} has passed: {long_date(limit.last_day)}.",
        remedy="Write a later day." if re.search(r"\d{4}|today", limit.phrase) else remedy,
    )


def _again(phrase: str, today: date) -> date:
    """Return the day of "before Monday" or "on the 1st" as it will be read tomorrow."""
    tomorrow = today + timedelta(days=1)
    found = (find_deadlines(f"{lead}{phrase}?", anchor=tomorrow) for lead in ("", "by "))
    return next(limits[-1].last_day for limits in found if limits)


def _doubt(limit: Deadline, today: date) -> _Problem | None:
    """Return the two meanings of a deadline's words, None if they have one."""
    phrase = limit.phrase
    if (match := _TODAY.fullmatch(phrase)) and limit.last_day == today:
        days = (today, _again(phrase, today))
        ways = tuple((f"{match['lead'] or ''}{long_date(day)}", day) for day in days)
        return _Problem(limit.start, limit.end, ways)
    if match := _NEXT_DAY.match(phrase):
        ends_before = timedelta(days=1 if _ENDS_BEFORE.match(phrase) else 0)
        days = (limit.last_day - timedelta(days=7), limit.last_day)
        ways = tuple((f"{match['lead'] or ''}{long_date(day + ends_before)}", day) for day in days)
        return _Problem(limit.start, limit.end, ways) if days[0] > today else None
    if (match := _NEXT.search(phrase)) and (doubt := _next_doubt(match, limit, today)):
        return doubt
    if (match := _UP_TO.fullmatch(phrase)) and (whole := _period(match["rest"], today)):
        rest, before = match["rest"], whole.first - timedelta(days=1)
        if before >= today:  # one that has passed is not meant
            ways = ((f"before {rest}", before), (f"by the end of {rest}", whole.last))
            return _Problem(limit.start, limit.end, ways)
    return None


def _next_doubt(match: re.Match[str], limit: Deadline, today: date) -> _Problem | None:
    """Return the two meanings of "next March" in January: this year's, or next year's."""
    years = (today.year, today.year + 1)
    names = [f"{match['name']} {year}" for year in years]
    periods = [one for name in names if (one := _period(name, today)) is not None]
    if len(periods) < len(years) or (match["name"].lower() == "winter" and today.month < 3):
        return None
    if periods[0].first <= today and limit.last_day != periods[0].last:
        return None  # "next December", in December
    lead, days = limit.phrase[: match.start()], [one.last for one in periods]
    if _ENDS_BEFORE.match(lead):
        days = [one.first - timedelta(days=1) for one in periods]
    elif re.match(r"(?i)(?:by|until|till)\b", lead) and periods[0].unit != "day":
        lead = "by the end of "
    ways = tuple((lead + name, day) for name, day in zip(names, days, strict=True))
    return _Problem(limit.start, limit.end, ways)


def _beside(title: str, limit: Deadline, today: date) -> _Problem | None:
    """Return the problem of a deadline that the words beside it make another day of.

    They are part of a name, "the summer recess", or name a day of their own, "Friday, the 18th".
    """
    start, end, phrase = limit.start, limit.end, limit.phrase
    if _VAGUE.search(phrase) or _ends_earlier(phrase, limit, today):
        return _Problem(start, end)
    if before := _BEFORE.search(title, max(0, start - _REACH), start):
        stands_alone = (before["noun"] and not _COUNTED.match(phrase)) or (
            before["which"] and phrase[0].islower()  # "will Spain be next in 2027"
        )
        if not stands_alone:
            return _Problem(before.start(), end)
    if phrase[:3] in ("in ", "on ", "at ") and (
        event := _BEFORE_EVENT.search(title, max(0, start - _REACH), start)
    ):
        day, sooner = limit.last_day, limit.last_day - timedelta(days=1)
        ways = ((f"before {long_date(day)}", sooner), (f"by {long_date(day)}", day))
        is_day = event["before"] and _EXACT.search(phrase) and sooner >= today
        return _Problem(event.start(), end, ways if is_day else ())
    if phrase.startswith(WEEKDAYS) and (
        named := _NAMED_DAY.search(title, max(0, start - _REACH), start)
    ):
        return _Problem(named.start(), end)
    if after := _AFTER.match(title, end):
        return _Problem(start, after.end())
    match = _GOES_ON.match(title, end)
    if match and _NARROWED.match(f"{phrase}|{title[end : end + _REACH]}"):
        return _Problem(start, match.end())
    if not _EVENT_OF_MONTH.search(phrase):
        if match is None or _EXACT.search(phrase) or _STOPS.fullmatch(match["word"]):
            return None
        # "The May 2027 elections", "Q4 2026 growth": the period of a name.
        if not (_EVENTS.fullmatch(match["word"]) or _LIMIT.match(phrase) or phrase[0].isupper()):
            return None
        end = match.end()
    return _Problem(start, end)


def _ends_earlier(phrase: str, limit: Deadline, today: date) -> bool:
    """Return whether the first of two days is the later one: "by March or Monday"."""
    parts = _RANGE.split(phrase, maxsplit=1)
    first = _last_limit(parts[0], today, passed=False) if len(parts) > 1 else None
    return first is not None and first.last_day > limit.last_day


def _other_weekday(title: str, limit: Deadline) -> _Problem | None:
    """Return the problem of "Monday 18 December" in a year in which that is a Friday."""
    found = [
        match["name"]
        for match in _WITH_WEEKDAY.finditer(title, limit.start, limit.end)
        if any(form.fullmatch(title, match.end(), limit.end) for form in _DAYS)
        and not re.search(r"(?i)week|days? ", title[limit.start : match.start()])
    ]
    day = limit.last_day + timedelta(days=1 if _ENDS_BEFORE.match(limit.phrase) else 0)
    real = WEEKDAYS[day.weekday()]
    if not found or found[-1] == real:
        return None
    reason = f"{long_date(day)} is a {real}, not a {found[-1]}."
    return _Problem(limit.start, limit.end, (), reason, "Write the day that you mean.")


def _named_date(spelled: Spelled, limit: Deadline, zone: tzinfo) -> NamedDate:
    moment = _moment(limit.last_day, zone, _LAST_SECOND)
    start = spelled.places[limit.start]
    phrase = spelled.as_typed(limit.start, limit.end)
    return NamedDate(moment, phrase, start, start + len(phrase))


def _last_limit(title: str, today: date, *, passed: bool) -> Deadline | None:
    """Return the last deadline with a limiting word, or else the last one; None without any."""
    return _chief(_limits(title, today, passed=passed))


def _chief(found: Sequence[Deadline]) -> Deadline | None:
    """Return the last of the deadlines with a limiting word, or else the last one."""
    limiting = [limit for limit in found if _LIMIT.match(limit.phrase)]
    return (limiting or found)[-1] if found else None


def _doubt_in_field(typed: str, today: date) -> _Problem | None:
    """Return the problem with a deadline that is all of a field's text, None without one."""
    if problem := _season_over(typed, today):
        return problem
    for lead in ("", "by ", "in "):
        limit = _last_limit(f"{lead}{typed}", today, passed=False)
        if limit is not None and (limit.start, limit.end) == (0, len(lead) + len(typed)):
            return _doubt(replace(limit, phrase=typed), today)
    return None


def _limits(title: str, today: date, *, passed: bool) -> list[Deadline]:
    """Return the deadlines of a title."""
    words = title if title.endswith(("?", ".", "!")) else f"{title}?"  # "Cut on 11 December" asks
    found = (find_overdue if passed else find_deadlines)(words, anchor=today)
    named = (replace(one, phrase=title[one.start : one.end]) for one in found)
    return [one for one in named if not _HYDROGEN.fullmatch(one.phrase)]


def _spelled(typed: str, today: date, *, past: bool) -> str:
    """Return the text of a field, in the words of the grammar."""
    return spelled_out(f"by {typed}", today, past=past).text.removeprefix("by ")


def _day(typed: str, today: date, *, past: bool, first: bool = False) -> date | None:
    """Return the day that a phrase means, None if it means none; ``first``: of a period."""
    words = typed.lower().rstrip(".")
    if words in _NEAR:
        return today + timedelta(days=_NEAR[words])
    if match := _LENGTH.fullmatch(words):
        return _after(today, match)
    if match := _LAST.fullmatch(typed):
        return _last(match["unit"], today, first=first)
    day = _in_direction(typed, today, past=past, first=first)
    if day and (problem := _other_weekday(typed, Deadline(0, len(typed), typed, day))):
        raise problem.error(typed, UTC, _LAST_SECOND)
    return day


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
    if past and day > today and not re.search(r"\d{4}|next|this", phrase):
        months = (add_months(today, -number) for number in range(1, 12 * _LEAP))
        anchors = (today - timedelta(days=6), *months)
    elif not past and day < today and _DAY_OF_MONTH.fullmatch(phrase):
        anchors = tuple(add_months(today, 12 * year) for year in range(1, 1 + _LEAP))
    else:
        return day
    days = (_named(phrase, anchor, first=first) for anchor in anchors)
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
    return BadInput(f"{shown!r} is not a date.", remedy=f"Write, for example: {EXAMPLES}.")
