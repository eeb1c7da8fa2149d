"""Ways to write a day that no article has, and the words of the deadline grammar for them.

"by sept", "by fri 18 dec", "25/12/26", "by 31st", "by eoy 2027" and "Q1'27" become "by September",
"by Friday 18 December", "25 December 2026", "by the 31st", "by the end of 2027" and "Q1 2027".
Words in quotation marks are a name or a speech, and name no day.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date

from forecasts.reading.drafting.intervals import HOLIDAYS, MONTHS, SEASONS, WEEKDAYS, long_date
from forecasts.reading.typography import plain_punctuation

MONTH, WEEKDAY, SEASON = "|".join(MONTHS), "|".join(WEEKDAYS), "|".join(SEASONS)
HOLIDAY = "|".join(sorted(map(re.escape, HOLIDAYS), key=len, reverse=True))
SHORT_DAYS = {name[:3].lower(): name for name in WEEKDAYS} | {
    "tues": "Tuesday", "weds": "Wednesday", "thur": "Thursday", "thurs": "Thursday",
}  # fmt: skip
SHORT_MONTHS = {name[:3].lower(): name for name in MONTHS} | {"sept": "September"}
NTH = r"(?:st|nd|rd|th)"
DAY = rf"(?:\d{{1,2}}{NTH}?(?: of)? (?:{MONTH})|(?:{MONTH}) (?:the )?\d{{1,2}}(?:{NTH}|\b))"
# Words in quotation marks; an apostrophe begins none.
QUOTED = re.compile(
    r"(?<!\w)\"[^\"]*\"(?=.{0,300}[^\W\d_])|(?<=\w )(?:\"[^\"]*\"|'[^']*[^\s']'(?!\w))"
)
_NAMES = {name.lower(): name for name in (*MONTHS, *WEEKDAYS, *HOLIDAYS)}
_DAYS, _MONTHS = "|".join(SHORT_DAYS), "|".join(name for name in SHORT_MONTHS if name != "may")
# In a title "may" and "march" are verbs, unless a word before or a number after says otherwise.
_VERBS = ("may", "march")
_OF_A_MONTH = re.compile(
    r"(?i)(?:\b(?:by|in|of|until|till|before|during|through|next|this|late|early|mid|end"
    r"|\d{1,2}(?:st|nd|rd|th)?)[ -])$"
)
_LEAD = r"(?i:by|on|until|till|before|than|from|to|ahead of|prior to|through|this|next)"
_ENDS = r"[?.!,;:)/]|$"
_UNITS = {"w": "week", "m": "month", "q": "quarter", "y": "year"}
_END_OF_DAY = (
    r"(?:(?:the )?end of (?:the )?(?:business |working )?day|eod|cob"
    r"|(?:the )?(?:end|close) of business)"
)
_A_DAY = (
    rf"(?:(?:this |next )?(?:{WEEKDAY})|\d{{1,2}}{NTH}?(?: of)? (?:{MONTH})|the \d{{1,2}}{NTH}"
    r"|today|tomorrow)"
)


@dataclass(frozen=True)
class Spelled:
    """A text in the words of the grammar, and the place of each of its characters in ``typed``."""

    typed: str
    text: str
    places: list[int]

    def as_typed(self, start: int, end: int) -> str:
        """Return the typed words behind ``text[start:end]``."""
        return self.typed[self.places[start] : self.places[end]].strip()


def spelled_out(typed: str, today: date, *, past: bool = False) -> Spelled:
    """Return the text in the words of the grammar, in time linear in its length.

    ``today``: of two days that figures could mean, "3/12/2026", one that has passed is not meant;
    ``past``: one that has yet to come is not.
    """

    def figures(match: re.Match[str]) -> str:
        return _of_figures(match, today, past)

    text, places = plain_punctuation(typed), list(range(len(typed) + 1))
    for form, spelled in (*_SPELLINGS, *((form, figures) for form in _FIGURES)):
        parts: list[str] = []
        kept: list[int] = []
        end = 0
        for match in form.finditer(text):
            new = match.expand(spelled) if isinstance(spelled, str) else spelled(match)
            parts += (text[end : match.start()], new)
            kept += places[end : match.start()] + [places[match.start()]] * len(new)
            end = match.end()
        if parts:
            text, places = "".join([*parts, text[end:]]), kept + places[end:]
    return Spelled(typed, text, places)


def _capitals(match: re.Match[str]) -> str:
    word, start, end = match.group().lower(), match.start(), match.end()
    is_verb = word in _VERBS and not match.group()[0].isupper()
    if is_verb and not re.match(r" \d", match.string[end : end + 2]):
        is_verb = not _OF_A_MONTH.search(match.string[max(0, start - 20) : start])
    else:
        is_verb = False
    return match.group() if is_verb else _NAMES[word]


def _short(match: re.Match[str]) -> str:
    name = match["name"].lower()
    return (match.groupdict().get("lead") or "") + (SHORT_DAYS.get(name) or SHORT_MONTHS[name])


def _month(match: re.Match[str]) -> str:
    day = f"{int(match['day'])} " if "day" in match.groupdict() else ""
    return f"{day}{MONTHS[int(match['month']) - 1]} {match['year']}"


def _of_figures(match: re.Match[str], today: date, past: bool) -> str:
    """Return 27/3/2027, or 27/3, as "27 March 2027", "27 March"; as typed if read in two ways."""
    a, b = int(match["a"]), int(match["b"])
    ways = [(day, month) for day, month in ((a, b), (b, a)) if 0 < month < 13 and 0 < day < 32]
    if "year" not in match.groupdict():
        # 5/27 may be May 2027.
        is_month = a < 13 and 0 <= 12 * (b - today.year % 100) + a - today.month < 24
        if len(set(ways)) != 1 or (is_month and not past):
            return match.group()
        return f"{match['lead']}{ways[0][0]} {MONTHS[ways[0][1] - 1]}"
    year = int(match["year"]) + (2000 if len(match["year"]) == 2 else 0)
    days: list[date] = []
    for day, month in ways:
        with suppress(ValueError):
            days.append(date(year, month, day))
    if ways and not days:
        return f"{match['lead'] or ''}{ways[0][0]} {MONTHS[ways[0][1] - 1]} {year}"  # no such day
    if len(set(days)) > 1:
        days = [day for day in days if (day <= today if past else day >= today)]
    meant = set(days)
    return f"{match['lead'] or ''}{long_date(*meant)}" if len(meant) == 1 else match.group()


_FIGURES = tuple(
    re.compile(form)
    for form in (
        r"(?<![\w/.,-])(?P<lead>)(?P<a>\d{1,2})([./-])(?P<b>\d{1,2})\3"
        r"(?P<year>[12]\d{3})(?![\w/%-]|\.\d)",
        rf"(?<![\w/.,-])(?P<lead>(?:\b(?:{_LEAD}|of|and|or)|(?:{WEEKDAY}),?|^) )"
        r"(?P<a>\d{1,2})([./-])(?P<b>\d{1,2})\3(?P<year>\d\d)(?![\w/%-]|\.\d)",
        r"(?P<lead>\b(?i:by|on|until|till|before|from|(?<=\d )to) )(?!24/7)"
        r"(?P<a>\d{1,2})/(?P<b>\d{1,2})(?![\w/%-]|\.\d)",
        rf"(?P<lead>\b{_LEAD} )(?P<a>\d{{1,2}})\.(?P<b>\d{{1,2}})\.(?!\d)",
    )
)
# Each form reads the results of those before it.
_SPELLINGS: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = tuple(
    (re.compile(form), spelled)
    for form, spelled in (
        (r"[\s\u200b-\u200d\u2060\ufeff]+", " "),
        (r"(?![0-9])\d", lambda match: str(int(match.group()))),
        (QUOTED.pattern, lambda match: "_" * len(match.group())),
        (rf"(?i)\b(?:{'|'.join(sorted(map(re.escape, _NAMES), key=len, reverse=True))})\b",
         _capitals),
        (r"(?i)\bx-?mas\b", "Christmas"), (r"(?i)\b(Easter|Christmas) (?:Sunday|Day)\b", r"\1"),
        (r"(?i)\bnye\b", "New Year's Eve"), (r"(?i)\btmrw\b", "tomorrow"),
        (r"(?i)\b(by|before|until|till|over|at|on) weekend\b", r"\1 the weekend"),
        (r"(?i)\b(?:the (next) )?calendar (?=(?:week|month|quarter|year)\b|20\d\d)",
         lambda match: "next " if match[1] else ""),
        (r"(?i)\bon any day (?=before )", ""),
        (r"(?i)\b(?:in|within|over|during|through(?:out)?) (?=next (?:week|month|quarter|year)\b)",
         ""),
        # ---- months and days
        (rf"(?i)\b(\d{{1,2}})-({MONTH}|{_MONTHS})-(?:20)?(\d\d)\b", r"\1 \2 20\3"),
        (rf"(?P<lead>\d{NTH}?(?: of)? )(?i:(?P<name>{_MONTHS}))\b\.?", _short),
        (rf"\b(?i:(?P<name>{_MONTHS}))\b\.?(?= '?\d| next year| this year)", _short),
        (r"(?P<lead>(?i:\b(?:by|in|of|until|till|before|during|through|next|this|late|early|mid|end"
         rf"|to|or|from)[ -]))(?i:(?P<name>{_MONTHS}))\b\.?(?={_ENDS}| [a-z])", _short),
        (rf"\b(?i:(?P<name>{_DAYS}))\b\.?(?=,? (?:the )?{DAY}|,? \d+([-./])\d+\2)", _short),
        (rf"\b(?P<lead>(?:{_LEAD}|(?i:noon|midnight|\d?[ap]m)) )(?i:(?P<name>{_DAYS}))\b\.?"
         rf"(?={_ENDS}| (?:\d|the \d|at|and|or|to|in|if|unless|when|after|before|with|for|of|by"
         r"|this|last|week|next|morning|evening|night|afternoon)\b)",
         _short),
        (r"(?<![\w/.,-])(?P<year>\d{4})([-/.])(?P<month>0[1-9]|1[0-2])\2(?P<day>\d\d)(?![\dT])",
         _month),
        (r"(?<![\w/.,-])(?P<year>20\d\d)[-/](?P<month>0[1-9]|1[0-2])(?![\w/%-]|\.\d)", _month),
        (r"(?<![\w/.,-])(?P<month>0?[1-9]|1[0-2])/(?P<year>20\d\d)(?![\w/%-]|\.\d)", _month),
        (rf"(?i)\b({_LEAD}) (\d{{1,2}}{NTH})(?={_ENDS}| (?:at|of (?:this|next|the) month)\b)",
         r"\1 the \2"),
        (rf"(?i)\bthe (\d{{1,2}}{NTH}) of the month\b", r"the \1 of this month"),
        (rf"\b({WEEKDAY})(?: - | ?\()({DAY}(?:,? \d{{4}})?)\)?", r"\1 \2"),
        (rf"\b(?:{WEEKDAY}) (?=\d{{1,2}}{NTH}? (?:to|-|until|and|or) (?:{WEEKDAY}) {DAY})", ""),
        # ---- quarters and halves, and years
        (r"\bq(?=[1-4]\b)", "Q"), (r"(?i)\b(in|by|before|of) h(?=[12]\b)", r"\1 H"),
        (r"(?i)\b([1-4])([qh]) ?'?(?:20)?(\d\d)\b", lambda m: f"{m[2].upper()}{m[1]} 20{m[3]}"),
        (r"(?i)\b(20\d\d)[ -]?([qh][1-4])\b", lambda m: f"{m[2].upper()} {m[1]}"),
        (rf"(?i)\b(Q[1-4]|H[12]|{MONTH}|{SEASON}|{HOLIDAY}|{DAY}) ?'(?:20)?(\d\d)\b", r"\1 20\2"),
        (rf"(?i)\bw/?c (?={DAY})", "the week beginning "),
        (r"(?i)\b(?:the )?(?:year[- ]?end|end of (?:the )?year|eoy)(?: of)? ?(?:'|20)(\d\d)\b",
         r"the end of 20\1"),
        (r"(?i)\b(?:the )?(?<!new )(?<!fiscal )(?<!financial )year (?=(?:19|20|21)\d\d\b)", ""),
        (r"(?i)\b(20\d\d)'s (?:end|close)\b", r"the end of \1"),
        # ---- the end of a time
        (rf"(?i)\b(before )?(?:{_END_OF_DAY},?(?: on| of)?|(?:the )?(?:very )?end of) (?={_A_DAY})",
         lambda match: "by " if match[1] else ""),
        (rf"(?i)\b(before )?{_END_OF_DAY}\b", lambda m: "by today" if m[1] else "today"),
        (r"(?i)\beo([wmqy])\b", lambda match: f"the end of the {_UNITS[match[1].lower()]}"),
        (r"(?i)\b(?:the )?end of (?=(?:week|month|quarter|year|decade)\b)", "the end of the "),
    )
)  # fmt: skip
