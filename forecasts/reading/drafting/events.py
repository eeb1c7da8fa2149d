"""Events that are the subject of an article, one per row: a question for each kind.

A row has a pattern of a sentence, and a question whose blanks the sentence's names fill, so that a
title needs no article beside it.
"""

# ruff: noqa: E501  (a pattern is easier to read in one line)
from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from forecasts.reading.drafting.deadlines import find_deadlines
from forecasts.reading.drafting.intervals import long_date
from forecasts.reading.drafting.periods import find_periods
from forecasts.reading.typography import plain_punctuation

_WORD = r"[A-Z][\w&'-]*(?:\.[A-Z]\.)?"
_NO_NAME = (
    r"(?!(?:He|She|It|They|We|The|An?|In|On|At|But|And|If|Two|Three|His|Her|Its|Their|This|Last|Both"
    r"|Some|Most|One|No|Not|Neither|When|While|After|Before|With|For|By|Monday|Tuesday|Wednesday"
    r"|Thursday|Friday|Saturday|Sunday)\b)"
)
_NAME = rf"{_NO_NAME}{_WORD}(?: (?:(?:of|the|and the|de|van|von) )?{_WORD}){{0,4}}"
_ROLE = r"(?:[Tt]he )?(?:[A-Za-z-]+ ){0,3}?"
_HEAD = r"(?:President|Prime Minister|Chancellor|leader)"
_WHO = rf"(?P<who>{_NAME})"
_OTHER = rf"(?P<other>{_NAME})"
_GAP = r"[^;\"]{0,120}?"
_ELECTION = (
    rf"(?:(?:presidential|parliamentary|general|mayoral|local|{_WORD}) ){{0,2}}"
    rf"(?:election|run-off|primary|nomination)(?: (?:in|for|to become) (?:[a-z]+ ){{0,3}}{_NAME})?"
)
_MEDICINE = r"(?:[\w-]+ ){0,3}(?:vaccine|drug|pill|treatment|therapy|medicine|test|implant)"
_ROWS = tuple(
    (re.compile(pattern), question)
    for pattern, question in (
        (
            rf"\b(?:approve|recommend) {_WHO}, (?:an?|the) {_MEDICINE}\b",
            "Will {who} be approved",
        ),
        (
            rf"\btrial of (?:[a-z-]+ ){{0,3}}{_WHO}\b(?={_GAP}\b(?:verdict|deliberat|jury))",
            "Will {who} be found guilty",
        ),
        (
            rf"^(?:The )?(?P<who>(?:{_WORD} )*(?:Court|Tribunal)(?: of (?:the )?{_NAME})?) {_GAP}"
            r"\bwhether (?P<what>[^,;]{5,90}?(?:is|are|was|were|violates?|breaks?|may|can) [^,;]{3,60}?)(?=,|;|\.$)",
            "Will the {who} rule that {what}",
        ),
        (
            rf"^{_ROLE}{_WHO} (?:leads|is ahead|has (?:drawn level|pulled ahead|a lead)|widened|holds)"
            rf"\b{_GAP}\b(?:the|Sunday's) (?P<what>{_ELECTION})",
            "Will {who} win the {what}",
        ),
        (
            rf"^(?:[A-Z][a-z]+ (?:seeds?|champions?) )?{_ROLE}{_WHO} (?={_GAP}(?<!-)\b(?P<round>(?:quarter-|semi-)?final)s?\b)"
            rf"{_GAP}\b(?:meet|face|play)s? (?:defending champion |[a-z]+ ){{0,2}}{_OTHER}",
            "Will {who} beat {other} in the {round}",
        ),
        (
            rf"^{_ROLE}(?P<who>{_WORD} and {_WORD}|{_NAME})(?:, [^,]+,)? (?:(?:received|leads|won|has)\b{_GAP} and )?"
            rf"(?:(?:is|are) the (?:clear )?favou?rites?|must (?:beat|defeat) {_NAME}\b{_GAP})"
            r" to win (?P<what>[^,.;]{4,60}?)(?=,| on | at | by |\.)",
            "Will {who} win {what}",
        ),
        (
            r"\b(?:postponed|delayed|moved|set|scheduled|cleared|prepared|approved)"
            rf" (?P<of>the launch of )?(?:its|the|their) (?P<who>(?:[a-z-]+ )?{_NAME}(?: [a-z]+){{0,2}}?)"
            rf"(?(of) (?:to|for|until)\b|\b{_GAP}\b(?:launch|lift-?off)\b)",
            "Will the {who} be launched",
        ),
        (
            rf"\b{_HEAD} {_WHO} (?:of {_WORD} )?and (?:[A-Z]\w+ ){{0,2}}?{_HEAD} {_OTHER}\b{_GAP}"
            r"\b(?:meet|talks|summit)",
            "Will {who} and {other} meet",
        ),
        (
            rf"^The (?P<who>president|prime minister|chancellor)\b{_GAP}\b(?:meet|meeting|talks"
            rf"|negotiations|summit) with (?:[A-Z][a-z]+ (?:leader|president) )?{_OTHER}",
            "Will {who} and {other} meet",
        ),
        (
            rf"^(?:The )?(?P<who>(?:[A-Z]\w+ )?Bank of {_NAME}) (?:meets|decides)\b{_GAP}\b(?:rise|increase) in (?P<what>its (?:[a-z]+ )?rate)\b",
            "Will the {who} raise {what}",
        ),
        (
            rf"^{_ROLE}{_WHO}, (?:the |an? )?[a-z]+(?:'s)? (?:choice|pick|nominee|candidate) (?:to|for)\b",
            "Will {who} be confirmed",
        ),
        (
            rf"^{_WHO} (?:raised|made|launched|increased) (?:its|an?|the) (?:[a-z]+ )?(?:offer|bid) for (?:the )?(?:[a-z]+ )*{_OTHER}",
            "Will {who} take over {other}",
        ),
        (
            rf"^Shareholders (?:of|in) (?:the )?(?:[a-z]+ )*{_OTHER} (?:will )?vote\b{_GAP}\b(?:offer|bid)\b{_GAP} (?:from|by) {_WHO}",
            "Will {who} take over {other}",
        ),
    )
)
_POST = re.compile(
    rf"\b(?:to become|to elect|to be) (?P<post>the next [a-z -]+? of (?:the )?{_NAME})"
    rf"|\bto (?P<verb>lead|head|run) (?P<body>the {_NAME})"
)
_LIST = re.compile(
    r"\b(?:[Tt]hey|[Tt]he (?:two|three|four|five|six|other \w+)) are (?P<names>[^.;]*,[^.;]* and [^.;]*)\."
)
_OF = re.compile(
    rf" (?:of|from) {_WORD}(?=,| and|$)|,? who [^,]*(?=,|$)|, (?:an?|the) [^,]*(?=,|$)"
)
_ITEM = re.compile(
    rf"(?:^|, |\band )(?:the )?(?:[a-z]+ )*?(?:(?!(?:who|which)\b)[A-Z][a-z]+(?:ese|ian|ean|an) [a-z]+ )?(?P<name>{_NAME})"
)
_NUMBERED = re.compile(r"\d|[Ww]ithin")


@dataclass(frozen=True, slots=True)
class Event:
    """A question without its date, the date if the sentence has one, and options if any."""

    question: str
    last_day: date | None
    options: tuple[str, ...] = ()

    def by(self, day: date) -> str:
        """Return the question with a deadline."""
        return f"{self.question} by {long_date(day)}?"


def find_event(sentence: str, text: str, *, published_at: date) -> Event | None:
    """Return the first row's event in ``sentence``, or None.

    ``text`` names "the president" of the sentence.
    """
    words = plain_punctuation(sentence)
    for pattern, question in _ROWS:
        found = pattern.search(words)
        if found is None or found["who"].endswith("'s"):
            continue
        names = found.groupdict()
        if names["who"].islower():
            holder = re.search(rf"\b(?i:{names['who']}) ({_WORD}(?: {_WORD})?)", text)
            if holder is None:
                continue
            names["who"] = holder[1]
        asked, last = question.format(**names), "other" if "other" in names else "who"
        return Event(asked, first_day(sentence, found.end(last), published_at))
    return None


def find_choice(sentence: str, text: str, *, published_at: date) -> Event | None:
    """Return "Which of A, B and C will lead …" if ``text`` lists those who can, or None."""
    post, listed = _POST.search(plain_punctuation(sentence)), _LIST.search(plain_punctuation(text))
    if post is None or listed is None:
        return None
    said = _OF.sub("", listed["names"])
    names = [re.sub(r"^[Tt]he ", "", one["name"]) for one in _ITEM.finditer(said)]
    if not 2 < len(names) <= 8:
        return None
    act = f"become {post['post']}" if post["post"] else f"{post['verb']} {post['body']}"
    asked = f"Which of {', '.join(names[:-1])} and {names[-1]} will {act}"
    return Event(asked, first_day(sentence, post.end(), published_at), (*names, "Other"))


def calendar_days(words: str, published_at: date) -> list[tuple[int, int, date]]:
    """Return the spans and last days of periods to come, whatever the verbs around them.

    Only those with a number: "has postponed the launch to 21 April", not "on Friday".
    """
    return [
        (one.start, one.end, one.interval.last)
        for one in find_periods(words, published_at)
        if one.interval.last > published_at and _NUMBERED.search(words, one.start, one.end)
    ]


def first_day(sentence: str, end: int, published_at: date) -> date | None:
    """Return the first day to come after the event, or else the first of the sentence."""
    limits = [(one.start, one.last_day) for one in find_deadlines(sentence, anchor=published_at)]
    days = calendar_days(plain_punctuation(sentence), published_at)
    limits += [(start, last_day) for start, _, last_day in days]
    last = re.compile(r"\bends\b").search(sentence, end)  # "starts on 4 July and ends on 26 July"
    end = last.end() if last else end
    after = [limit for limit in sorted(limits) if limit[0] >= end - 1]
    return next((day for _, day in after or sorted(limits)), None)
