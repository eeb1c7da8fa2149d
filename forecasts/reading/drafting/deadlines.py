"""Deadlines in a text: the last day on which an announced event can happen.

A small grammar reads a calendar period (``periods``), then to its left a part of the period
("early", "the end of", "the first half of") and a preposition ("by", "until", "before"). The
result is the last day of the interval: "by the end of 2028" gives 31 December 2028, "in July"
gives 31 July, "before 2027" gives 31 December 2026.

These are not deadlines:

- a day before the text's publication; a day without a year counts as past for two months after
  it, then as next year's;
- a time with a past-tense verb ("met on Friday"), or with "last", "since", "after", "every";
- a length that is not counted from now ("for three months", "within a week of the ruling", "the
  first time in ten years") or has no number ("in the coming weeks");
- a year, a month or a season that is part of a name ("the 2026 World Cup").

Conventions: "by", "until" and "through" include the named day or period; "before" ends on the day
before it, except in "before the end of March". "Early" and "mid" end after about a third and a
half: early 2026 on 31 March, mid-2026 on 30 June, early August on the 10th, mid-August on the
15th, early next week on Tuesday. "Late" ends with the period. "From" and "starting" begin on the
first day of the period; whether it came so is known by its last day.

Rejected: ``dateparser`` returns None for "by the end of 2028", "this fall" and "within three
months", and its search finds dates in names and numbers. No other parser reads them either.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta

from forecasts.common.times import add_months
from forecasts.reading.drafting.intervals import ORDINALS, Interval, long_date, one_day
from forecasts.reading.drafting.period_meanings import from_now
from forecasts.reading.drafting.periods import COUNT, Period, find_periods
from forecasts.reading.drafting.tense import is_in_the_past
from forecasts.reading.typography import plain_punctuation


@dataclass(frozen=True, slots=True)
class Deadline:
    """A deadline in a text, ``phrase == text[start:end]``, and its last day.

    ``since`` is the period at whose beginning something starts ("from 1 August", "starting in
    May"), as a title says it: "1 August 2026", "May 2027"; '' for other deadlines.
    """

    start: int
    end: int
    phrase: str
    last_day: date
    since: str = ""


# ---- a part of a period


# The months or days after which the early part and the middle of a unit end.
_EARLY = {
    "year": (3, 0), "decade": (48, 0), "century": (400, 0), "season": (1, 0), "quarter": (1, 0),
    "month": (0, 10), "week": (0, 2),
}  # fmt: skip
_MIDDLE = {"year": (6, 0), "decade": (72, 0), "century": (600, 0), "month": (0, 15), "week": (0, 3)}


def _after(first: date, months: int, days: int) -> date:
    return add_months(first, months) + timedelta(days=days - 1)


def _early(whole: Interval, _: re.Match[str]) -> Interval:
    if whole.unit not in _EARLY:
        return whole
    return Interval(whole.first, _after(whole.first, *_EARLY[whole.unit]), whole.unit)


def _mid(whole: Interval, _: re.Match[str]) -> Interval:
    last = whole.first + (whole.last - whole.first) // 2
    if whole.unit in _MIDDLE:
        last = _after(whole.first, *_MIDDLE[whole.unit])
    return Interval(last, last, whole.unit)


def _whole(whole: Interval, _: re.Match[str]) -> Interval:
    return whole


def _end(whole: Interval, _: re.Match[str]) -> Interval:
    if whole.unit in ("day", "length"):
        raise ValueError("the talks end on Friday, or in a week: a verb")
    return Interval(whole.last, whole.last, "end")


def _start(whole: Interval, _: re.Match[str]) -> Interval:
    return one_day(whole.first)


def _half(whole: Interval, match: re.Match[str]) -> Interval:
    middle = _mid(whole, match).last
    if match["nth"].lower() == "first":
        return Interval(whole.first, middle, "part")
    return Interval(middle + timedelta(days=1), whole.last, "part")


def _first_n(whole: Interval, match: re.Match[str]) -> Interval:
    if match["nth"].lower() != "first":
        return whole
    first, last = whole.first, from_now(match, whole.first).last - timedelta(days=1)
    return Interval(first, min(last, whole.last), "part")


def _nth_week(whole: Interval, match: re.Match[str]) -> Interval:
    if match["nth"].lower() == "last":
        return Interval(whole.last - timedelta(days=6), whole.last, "week")
    first = whole.first + timedelta(weeks=ORDINALS[match["nth"].lower()] - 1)
    return Interval(first, first + timedelta(days=6), "week")


_PARTS: tuple[tuple[re.Pattern[str], Callable[[Interval, re.Match[str]], Interval]], ...] = tuple(
    (re.compile(rf"(?<!\w)(?:the )?(?:{form})$".replace(" ", r"\s+"), re.IGNORECASE), part)
    for form, part in (
        (r"early(?: in | on |[ -])", _early),
        (r"(?:mid[- ]?|middle of |midpoint of |midway through |halfway through )", _mid),
        (r"(?:very )?(?:end|close) of |end[- ]", _end),
        (r"(?:very )?(?:start|beginning|turn) of ", _start),
        (r"(?:later?|sometime|some time|some point|any time)(?: in | on |[ -])", _whole),
        (r"(?:rest|remainder|course|whole|duration|latter part) of ", _whole),
        (r"(?:latter|back) half of ", _whole),
        (r"(?:final|last|closing|dying) (?:few )?(?:days|weeks|months|years) (?:of|in) ", _whole),
        (rf"(?P<nth>first|last|final) {COUNT} (?P<unit>day|week|month|year)s (?:of|in) ", _first_n),
        (r"(?P<nth>first|second) half of ", _half),
        (r"(?P<nth>first|second|third|last) week (?:of|in) ", _nth_week),
    )
)  # fmt: skip


def _read_parts(left: str, interval: Interval) -> tuple[int, Interval]:
    """Return the start of the parts at the end of ``left``, and the interval that remains."""
    for form, part in _PARTS:
        if match := form.search(left):
            try:
                interval = part(interval, match)
            except (ValueError, OverflowError):
                break
            # Parts can be nested: "the end of the first quarter of 2027".
            return _read_parts(left[: match.start()], interval)
    return len(left), interval


# ---- the preposition

# There may be an hour between the preposition and the day: "by noon on Friday".
_HOUR = (
    r"(?P<hour>(?:midnight|noon|midday|\d\d?(?:[:.]\d\d)?(?: ?[ap]\.?m\.?)?)"
    r"(?: [A-Z]{2,4})?,?(?: on)? )?"
)

# The first match counts. The group "lead" is the start of the phrase, if it is not the whole form.
_PREPOSITIONS = tuple(
    (kind, re.compile(rf"(?<![\w'])(?:{form}) {_HOUR}$".replace(" ", r"\s+"), re.IGNORECASE))
    for kind, form in (
        ("limit", r"(?:(?:on|at|by|in) or )before|(?:by )?(?:no|not) later than|within"),
        ("limit", r"(?:by|until|till|through)(?: at least| to)?|up (?:to|until)"),
        ("limit", r"as late as|on or about"),
        ("limit", r"(?:scheduled|planned|slated|expected|due|likely) (?P<lead>for|on|in|at)"),
        ("limit", r"(?:set|booked|called|timed|fixed|tipped|earmarked|targeted) (?P<lead>for)"),
        ("limit", r"(?:ready|in time|on track|plans?|date|deadline|pencill?ed in) (?P<lead>for)"),
        (
            "limit",
            r"(?:postponed|delayed|deferred|moved|rescheduled|extended|adjourned|put off|put back"
            r"|pushed back|brought forward)(?: by [\w-]+ [\w-]+,?)? (?P<lead>to|into)",
        ),
        ("open", r"last|past|previous|after|since|following|every|each|alternate"),
        ("open", r"earlier(?: in| on)?|back (?:in|on)|(?:late|early) last|than(?: in| on)?"),
        ("open", r"not before|(?:no|not) (?:earlier|sooner) than"),
        ("open", r"(?:days?|weeks?|months?|years?) (?:from|before|to)"),
        ("before", r"before|ahead of|prior to"),
        ("from", r"from|as of|(?:starting|beginning|effective)(?: on| in| from)?"),
        ("in", r"in|on|at|during|over|come|around|about|between|into|throughout"),
        ("in", r"as (?:early|soon) as"),
    )
)


def _preposition(left: str) -> tuple[str, int]:
    """Return the kind of preposition at the end of ``left`` ('' if none), and its start."""
    for kind, form in _PREPOSITIONS:
        if match := form.search(left):
            if kind == "before" and match["hour"]:
                kind = "limit"  # "before noon on Friday" is on Friday
            return kind, match.start("lead" if "lead" in form.groupindex else 0)
    return "", len(left)


# ---- the whole phrase

_RANGE = re.compile(r"\s*(?:[-/]|,?\s+(?:to|and|or|through|until)\s+)", re.IGNORECASE)
_AFTERWORDS = re.compile(r"\s+(?:or\s+(?:thereabouts|so|earlier|sooner)|at\s+the\s+latest)\b")
_NOT_A_LIMIT = re.compile(r"\s+(?:at\s+the\s+(?:very\s+)?(?:earliest|soonest)|onwards?|ago)\b")
# "The worst in ten years", "the third time in a week": records look back.
_RECORD = re.compile(
    r"\b(?:(?:the|its|their|his|her|our|a|'s) (?:most|least|only|\w+est)|first|second|third|fourth"
    r"|fifth|times?|record|once|twice|worst|biggest|largest|highest|lowest)\b[^,.;:]{0,40}$",
    re.IGNORECASE,
)
# "Saturday's crash": an unplanned event.
_HAPPENED = re.compile(
    r"'s (?:[\w-]+ ){0,2}(?:crash|attack|blaze|fire|shooting|stabbing|bombing|blast|explosion"
    r"|collapse|quake|earthquake|landslide|killing|murder|death|riot|raid|robbery|accident|collision|outage"
    r"|incident|defeat|loss|win|victory|draw|remarks|comments|statement|announcement)s?\b"
)
_CLEARLY_AHEAD = re.compile(r"\b(?:later|next|(?:the|this)\s+coming)\b", re.IGNORECASE)
# With any verb, "this fall" in summer and "May 2027" lie in the future.
_NOT_YET = re.compile(r"\bthis\b|\d{4}", re.IGNORECASE)
_NOUN_FOLLOWS = re.compile(
    r"\s(?!(?:on|onwards?|in|at|and|or|but|if|unless|when|after|because|for|with|as|under|to|by)\b)[a-z]"
)
_REACH = 60  # characters read to the left of a period; no part and preposition are longer


@dataclass(frozen=True, slots=True)
class _Time:
    """A period with its parts, which start at ``body``, and its preposition."""

    start: int
    body: int
    end: int
    last_day: date
    is_deadline: bool
    since: str


def find_deadlines(text: str, *, anchor: date) -> list[Deadline]:
    """Return the deadlines in ``text``, published on ``anchor``, in the order of the text.

    They do not overlap, and every ``last_day`` is ``anchor`` or later. ``text`` can be a sentence
    or a whole article, because tense is judged within a sentence.
    """
    return [limit for limit in _limits(text, anchor) if limit.last_day >= anchor]


def find_overdue(text: str, *, anchor: date) -> list[Deadline]:
    """Return the deadlines in ``text`` that had passed before ``anchor``."""
    return [limit for limit in _limits(text, anchor) if limit.last_day < anchor]


def _limits(text: str, anchor: date) -> list[Deadline]:
    words = plain_punctuation(text)
    times: list[_Time] = []
    for period in find_periods(words, anchor):
        floor = times[-1].end if times else 0
        time = _read(words, max(floor, period.start - _REACH), period, anchor)
        is_range = times and _RANGE.fullmatch(words, floor, time.body)
        if is_range and period.interval.unit != "length":
            last_day = time.last_day
            if timedelta(0) < times[-1].last_day - last_day < timedelta(days=7):
                last_day += timedelta(days=7)  # "from Friday to Monday", read on a Tuesday
            times[-1] = replace(times[-1], end=time.end, last_day=last_day, since="")
        else:
            times.append(time)
    return [
        Deadline(time.start, time.end, text[time.start : time.end], time.last_day, time.since)
        for time in times
        if time.is_deadline
    ]


def _read(words: str, floor: int, period: Period, anchor: date) -> _Time:
    left = words[floor : period.start]
    part_start, interval = _read_parts(left, period.interval)
    kind, preposition_start = _preposition(left[:part_start])
    has_part = part_start < len(left)
    start, body, end = floor + preposition_start, floor + part_start, period.end
    # "Friday's vote" is on Friday; "next year's budget" is a deadline only after a preposition.
    attribute = words.startswith("'s", end) and interval.unit not in ("day", "end")
    ends_before = kind == "before" and interval.unit != "end" and not attribute
    last_day = interval.first - timedelta(days=1) if ends_before else interval.last
    limits = kind in ("limit", "before")
    requires = period.rule.requires
    is_complete = (
        has_part or limits or requires == "nothing" or (requires == "preposition" and kind != "")
    )
    certain = (
        limits
        or period.rule.ahead
        or _CLEARLY_AHEAD.search(words, start, end) is not None
        or (interval.first > anchor and _NOT_YET.search(words, start, end) is not None)
    )
    looks_back = (
        kind == "open"
        or _NOT_A_LIMIT.match(words, end) is not None
        or _HAPPENED.match(words, end) is not None
        or (interval.unit == "length" and not certain and _RECORD.search(left) is not None)
        or (not certain and is_in_the_past(words, start, end))
    )
    if afterwords := _AFTERWORDS.match(words, end):
        end = afterwords.end()
    # "Stay away from the autumn auction": the time belongs to a noun.
    is_noun = (
        kind == "from" and _NOUN_FOLLOWS.match(words, end) and left[:preposition_start].strip()
    )
    is_deadline = is_complete and not (looks_back or is_noun or (attribute and not kind))
    is_span = interval.unit == "day" and interval.first != interval.last
    since = _name(interval) if kind == "from" and not is_span else ""
    return _Time(start, body, end, last_day, is_deadline, since)


def _name(interval: Interval) -> str:
    """Return the name of a period's beginning: "2035", "May 2027", "1 August 2026"."""
    first, last, unit = interval
    if unit == "year" and first.year == last.year:
        return str(first.year)
    day = long_date(first)
    return day.partition(" ")[2] if unit == "month" else day
