"""The events that an article is about, one kind per table of ``events.toml``.

A kind is found by its words in the title and the first paragraphs; the names in the text fill the
blanks of its question, so that the title needs no article beside it. Sentence by sentence, an
oblique headline ("Guns silent, but for how long?") and a long lead yield nothing.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from forecasts.reading.drafting.deadlines import Deadline, find_deadlines
from forecasts.reading.drafting.intervals import MONTHS, long_date
from forecasts.reading.drafting.people import NAME, WORD, find_people
from forecasts.reading.drafting.periods import find_periods
from forecasts.reading.typography import plain_punctuation

_SHORT = {"NAME": NAME, "GAP": r"[^;\"]{0,120}?", "SOME": r"(?:[a-z-]+ ){0,4}"}
_BLANK = re.compile(r"\{(\w+)\}")
_NUMBERED = re.compile(r"\d|[Ww]ithin")
_POST = re.compile(
    rf"\b(?:to become|to elect|to be) (?P<post>the next [a-z -]+? of (?:the )?{NAME})"
    rf"|\bto (?P<verb>lead|head|run) (?P<body>the {NAME})"
)
_LIST = re.compile(
    r"\b(?:[Tt]hey|[Tt]he (?:two|three|four|five|six|other \w+)) are"
    r" (?P<names>[^.;]*,[^.;]* and [^.;]*)\."
)
_OF = re.compile(rf" (?:of|from) {WORD}(?=,| and|$)|,? who [^,]*(?=,|$)|, (?:an?|the) [^,]*(?=,|$)")
_ITEM = re.compile(
    rf"(?:^|, |\band )(?:the )?(?:[a-z]+ )*?"
    rf"(?:(?!(?:who|which)\b)[A-Z][a-z]+(?:ese|ian|ean|an) [a-z]+ )?(?P<name>{NAME})"
)
_MONTH = rf"(?:{'|'.join(month[:3] for month in MONTHS)})[a-z]*\.?"
_ENDS = re.compile(r"\bends\b")  # "starts on 4 July and ends on 26 July"
_VAGUE = re.compile(r"\b(?:next|this|later) ")  # "next week": another sentence may say which day
_DAY = re.compile(rf"\b\d{{1,2}}(?:st|nd|rd|th)? {_MONTH}|{_MONTH} \d{{1,2}}\b")
_ARTICLE = re.compile(r"^(?:The|A|An) |^\w+-(?:division|tier|seeded|placed) ")
_POSSESSIVE = re.compile(r"\bthe (?=(?:[A-Z]\w+ )*[A-Z]\w+'s )")
_OF_TITLE = "(?#title)"  # a pattern of titles alone
# Blanks by the kind of words that fill them, and groups of patterns that fill no blank.
_PEOPLE, _NOUNS = {"person", "head", "player"}, {"asset", "figure", "disease"}
_SIDES = {"who", "other"}  # people, clubs or countries
_UNASKED = {"of", "gap"}
LEAD = 3  # sentences of the first paragraphs
_READ, _LONGEST = 120, 500  # sentences of an article, and characters of each
_SOON = timedelta(days=2 * 366)  # a later day is rather a bond's or a plan's than the event's
_MOST = 2  # events of an article
# Points of a kind's words in the title, in a sentence of the lead, and at most in all others.
_IN_TITLE, _IN_LEAD, _BELOW = 3, 2, 3
# Points that an event needs: as the first, if no kind's words are in the lead, as the second.
_FIRST, _MENTIONED, _SECOND = 2, 1, 4


@dataclass(frozen=True, slots=True)
class Event:
    """A question without its date, the date if the text has one, and options if any."""

    question: str
    last_day: date | None
    options: tuple[str, ...] = ()

    def by(self, day: date) -> str:
        """Return the question with a deadline."""
        return f"{self.question} by {long_date(day)}?"


def _pattern(words: str) -> re.Pattern[str]:
    for short, long in _SHORT.items():
        words = words.replace(short, long)
    return re.compile(words.replace(" ", r"\s+"))


def _either_case(words: str) -> re.Pattern[str]:
    return re.compile(words, re.IGNORECASE)


@dataclass(frozen=True, slots=True, eq=False)
class _Kind:
    cue: re.Pattern[str]
    when: tuple[re.Pattern[str], ...]
    find: tuple[re.Pattern[str], ...]
    ask: tuple[str, ...]
    must: re.Pattern[str] | None = None
    unless: re.Pattern[str] | None = None
    move: Mapping[str, re.Pattern[str]] = field(default_factory=dict)
    weight: float = 1


@cache
def _kinds() -> tuple[_Kind, ...]:
    rules = tomllib.loads(Path(__file__).with_name("events.toml").read_text(encoding="utf-8"))
    blanks = {name: tuple(map(_pattern, known)) for name, known in rules["blanks"].items()}
    return tuple(_read(one, blanks) for one in rules["kind"])


def _read(rule: Mapping[str, Any], blanks: Mapping[str, tuple[re.Pattern[str], ...]]) -> _Kind:
    """Return a kind with its own patterns and those of its questions' blanks."""
    needed = {name for ask in rule["ask"] for name in _BLANK.findall(ask)}
    shared = (pattern for name in blanks if name in needed for pattern in blanks[name])
    return _Kind(
        _pattern(rule["cue"]),
        tuple(map(_either_case, rule["when"])),
        (*map(_pattern, rule.get("find", ())), *shared),
        tuple(rule["ask"]),
        _either_case(rule["must"]) if "must" in rule else None,
        _either_case(rule["unless"]) if "unless" in rule else None,
        {name: re.compile(rf"\b(?:{words})\b") for name, words in rule.get("move", {}).items()},
        rule.get("weight", 1),
    )


@dataclass(frozen=True)
class _Article:
    """A title, its sentences in plain punctuation, and the times in each."""

    title: str
    plain: list[str]
    published_at: date

    def at(self, words: re.Pattern[str]) -> list[int]:
        """Return the numbers of the sentences with these words."""
        return [at for at, one in enumerate(self.plain) if words.search(one)]

    @cached_property
    def limits(self) -> list[list[Deadline]]:
        return [find_deadlines(one, anchor=self.published_at) for one in self.plain]

    @cached_property
    def days(self) -> list[list[tuple[int, int, date]]]:
        return [calendar_days(one, self.published_at) for one in self.plain]

    @cached_property
    def text(self) -> str:
        return " ".join((self.title, *self.plain))

    @cached_property
    def words(self) -> frozenset[str]:
        return frozenset(re.findall(r"\b[a-z]+\b", " ".join(self.plain)))

    @cached_property
    def people(self) -> list[str]:
        return find_people(self.title, self.plain)

    @cached_property
    def titled(self) -> list[str]:
        """Those of the people whose last name is in the title."""
        last = (rf"\b{re.escape(one.split()[-1])}\b" for one in self.people)
        named = (re.search(name, self.title) for name in last)
        return [one for one, found in zip(self.people, named, strict=True) if found]


def find_events(
    title: str, sentences: Sequence[str], *, published_at: date
) -> list[tuple[int, Event]]:
    """Return the events that an article is about, the likeliest first, at most two.

    ``sentences`` are those of the text in its order, without the title. Each event comes with the
    number of its sentence.
    """
    plain = [plain_punctuation(one[:_LONGEST]) for one in sentences[:_READ]]
    article = _Article(plain_punctuation(title), plain, published_at)
    scores = {kind: points for kind in _kinds() if (points := _points(kind, article))}
    first = _FIRST if any(points >= _FIRST for points in scores.values()) else _MENTIONED
    found: list[tuple[int, Event]] = []
    for kind in sorted(scores, key=lambda one: -scores[one]):
        if scores[kind] < (_SECOND if found else first) or len(found) == _MOST:
            break
        names = _fill(kind, article)
        if ask := next((ask for ask in kind.ask if _is_filled(ask, names)), ""):
            question = _POSSESSIVE.sub("", ask.format(**names))
            at, day = _day(kind, article)
            is_named = day is not None and str(day.year) in question  # "the 2038 Winter Games"
            found.append((at, Event(question, None if is_named else day)))
    return found


def _points(kind: _Kind, article: _Article) -> float:
    """Return how much of an article is about a kind: its words in the title and the lead."""
    if kind.unless and kind.unless.search(" ".join((article.title, *article.plain[:LEAD]))):
        return 0
    if kind.must and not kind.must.search(article.text):
        return 0
    cued = article.at(kind.cue)
    lead = sum(at < LEAD for at in cued)
    rest = min(_BELOW, (len(cued) - lead) / 2)
    return kind.weight * (_IN_TITLE * bool(kind.cue.search(article.title)) + _IN_LEAD * lead + rest)


def _is_filled(ask: str, names: Mapping[str, str]) -> bool:
    """Return whether each blank of a question has a name of its own."""
    filled = [names.get(blank) for blank in _BLANK.findall(ask)]
    return all(filled) and len(set(filled)) == len(filled)


def _fill(kind: _Kind, article: _Article) -> dict[str, str]:
    """Return the names for the blanks of a kind's questions."""
    names: dict[str, str] = {}
    for pattern in kind.find:
        blanks = set(pattern.groupindex) - names.keys() - _UNASKED
        places = () if _OF_TITLE in pattern.pattern else article.plain
        for one in (*places, article.title) if blanks else ():
            match = pattern.search(one)
            said = {blank: _in_full(blank, match, article) for blank in blanks} if match else {}
            if said and all(said.values()):
                names |= said
                break
    people, titled = article.people, article.titled
    for blank in ("person", "head"):
        if people and (titled or blank not in names) and names.get(blank) not in titled:
            names[blank] = (titled or people)[0]
    if titled:
        names["titled"] = titled[0]
    counts = {name: len(words.findall(article.text)) for name, words in kind.move.items()}
    names["move"] = max(counts, key=counts.__getitem__) if any(counts.values()) else "change"
    return names


def _in_full(blank: str, match: re.Match[str], article: _Article) -> str:
    """Return the name for a blank in full, without an article, or '' if there is none.

    A word that only begins its sentence with a capital is not a name.
    """
    said = match[blank] or ""
    if blank == "work":
        return said.strip(",")
    if match.start(blank) == 0 and said.partition(" ")[0].lower() in article.words:
        is_noun = " " in said or blank in _NOUNS
        said = said[0].lower() + said[1:] if is_noun else ""
    name = _ARTICLE.sub("", said)
    last = name.rpartition(" ")[2]
    person = next((full for full in article.people if full.rpartition(" ")[2] == last), "")
    if blank in _PEOPLE:
        return person
    if blank == "party" and name in article.people:
        return ""
    return (person or name) if blank in _SIDES else name


def _day(kind: _Kind, article: _Article) -> tuple[int, date | None]:
    """Return the number of the event's sentence, and its day, if the text has one."""
    cued, published_at = article.at(kind.cue), article.published_at
    for start, end, last_day in calendar_days(article.title, published_at):
        if _DAY.search(article.title, start, end):
            return (cued or [0])[0], last_day
    order = []
    for words in kind.when:
        timed = article.at(words)
        timed.sort(key=lambda at: (not article.limits[at], at not in cued and at > LEAD))
        order += [(at, words) for at in timed]
    order += [(at, kind.cue) for at in (*cued, *range(min(LEAD, len(article.plain))))]
    exact = [
        day
        for at in dict.fromkeys(at for at, _ in order)
        for start, end, day in article.days[at]
        if _DAY.search(article.plain[at], start, end)
    ]
    far: tuple[int, date | None] = ((cued or [0])[0], None)
    for at, words in order:
        match, limits = words.search(article.plain[at]), article.limits[at]
        after = match.start() if match else 0
        day = _first_day(article.plain[at], after, limits, article.days[at])
        if day and published_at < day <= published_at + _SOON:
            is_vague = any(one.last_day == day and _VAGUE.search(one.phrase) for one in limits)
            return at, min((one for one in exact if is_vague and one <= day), default=day)
        if day and day > published_at and far[1] is None:
            far = at, day
    return far


def find_candidates(text: str) -> list[str]:
    """Return the names in the first list of people of a text, such as "The three are …"."""
    listed = _LIST.search(plain_punctuation(text))
    if listed is None:
        return []
    found = _ITEM.finditer(_OF.sub("", listed["names"]))
    return [re.sub(r"^[Tt]he ", "", one["name"]) for one in found]


def find_choice(sentence: str, names: Sequence[str], *, published_at: date) -> Event | None:
    """Return "Which of A, B and C will lead …" if that is their aim, or None."""
    words = plain_punctuation(sentence)
    post = _POST.search(words) if 2 < len(names) <= 8 else None
    if post is None:
        return None
    act = f"become {post['post']}" if post["post"] else f"{post['verb']} {post['body']}"
    asked = f"Which of {', '.join(names[:-1])} and {names[-1]} will {act}"
    limits, days = find_deadlines(words, anchor=published_at), calendar_days(words, published_at)
    return Event(asked, _first_day(words, post.end(), limits, days), (*names, "Other"))


def calendar_days(words: str, published_at: date) -> list[tuple[int, int, date]]:
    """Return the spans and last days of periods to come, whatever the verbs around them.

    Only those with a number: "has postponed the launch to 21 April", not "on Friday".
    """
    return [
        (one.start, one.end, one.interval.last)
        for one in find_periods(words, published_at)
        if one.interval.last > published_at and _NUMBERED.search(words, one.start, one.end)
    ]


def _first_day(
    sentence: str, end: int, limits: Sequence[Deadline], days: Sequence[tuple[int, int, date]]
) -> date | None:
    """Return the first day to come after the event, or else the first of the sentence."""
    every = sorted(
        [(one.start, one.last_day) for one in limits] + [(one[0], one[2]) for one in days]
    )
    last = _ENDS.search(sentence, end)
    end = last.end() if last else end
    after = [limit for limit in every if limit[0] >= end - 1]
    return next((day for _, day in after or every), None)
