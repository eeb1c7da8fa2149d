"""The linter for questions: the faults of a wording, each with the words that mend it.

``lint`` reads the fields of a question as their author types them, and ``mended`` applies a fix to
one of them. Both are pure. The rules, their sentences and the events with their usual edge cases
are data: ``lint.toml``. A finding never forbids anything: it is shown beside the form, by the
command ``lint-question`` and by the API.

Faults are what makes two readers settle a question differently; ``advice`` is what most questions
do without: a time zone for days, the edge cases of an event, an option for the rest.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Literal

from forecasts.common.vocabulary import QuestionType
from forecasts.reading.drafting.deadlines import Deadline, find_deadlines, find_overdue
from forecasts.reading.drafting.intervals import MONTHS, long_date
from forecasts.reading.drafting.periods import find_periods
from forecasts.reading.drafting.sentences import find_sentences
from forecasts.reading.typography import plain_punctuation

RULES: Mapping[str, Any] = tomllib.loads(
    Path(__file__).with_name("lint.toml").read_text(encoding="utf-8")
)
Field = Literal["title", "resolution_criteria", "fine_print", "background"]
_SAID: tuple[Field, ...] = ("title", "resolution_criteria", "fine_print")
BLANK = "[…]"


@dataclass(frozen=True, slots=True)
class Written:
    """A question as its author has typed it so far; any field may be blank."""

    title: str
    resolution_criteria: str = ""
    fine_print: str = ""
    background: str = ""
    type: QuestionType = QuestionType.binary
    options: Sequence[str] = ()
    unit: str = ""
    lower_bound: str = ""
    upper_bound: str = ""
    open_time: datetime | None = None
    scheduled_close_time: datetime | None = None

    @property
    def said(self) -> str:
        """The fields that decide the outcome, one a paragraph."""
        return "\n\n".join(filter(None, (getattr(self, name) for name in _SAID)))


@dataclass(frozen=True, slots=True)
class Fix:
    """A change of a field: ``old`` becomes ``new``; without ``old``, ``new`` is added."""

    field: Field
    new: str
    old: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault or advice: its rule, the words it is about, their place, and a fix if there is one.

    Without words, something is missing; ``start`` is None then.
    """

    code: str
    level: Literal["fault", "advice"]
    field: Field
    words: str
    start: int | None
    why: str
    fix: Fix | None = None


def lint(question: Written, *, now: datetime) -> list[Finding]:
    """Return the findings on a question, faults first, in the order of the rules."""
    case = _Case(question, now)
    found = [one for check in _CHECKS for one in check(case)]
    found.sort(key=lambda one: one.level == "advice")
    return list({(one.code, one.words.casefold()): one for one in reversed(found)}.values())[::-1]


def mended(text: str, fix: Fix) -> str:
    """Return the text of the fix's field with the fix applied.

    >>> mended("Yes if it rains.", Fix("resolution_criteria", "Otherwise No."))
    'Yes if it rains. Otherwise No.'
    """
    if not fix.old:
        return f"{text.rstrip()} {fix.new}".strip()
    edge = r"(?:(?<!\w)|(?!\w))"  # not within a word: "he" is not in "the"
    found = re.search(f"{edge}{re.escape(fix.old)}{edge}", text)
    if found is None:
        return text
    before, after = text[: found.start()], text[found.end() :]
    if not fix.new and (not before or before[-1].isspace()):
        after = after.lstrip(" ")  # no doubled blank where words were removed
    return f"{before}{fix.new}{after}"


MOST = 4_000  # characters of a text that are judged: some patterns take quadratic time


class _Case:
    """A question with the readings that several rules need."""

    def __init__(self, question: Written, now: datetime) -> None:
        self.question, self.now = question, now
        closes = question.scheduled_close_time
        # An old question is read as on the days before it closed.
        before = now if closes is None or closes > now else closes - timedelta(days=31)
        self.opened = (question.open_time or before).astimezone(UTC)
        self.closes = None if closes is None else closes.astimezone(UTC)
        self.texts: dict[Field, str] = {
            name: plain_punctuation(str(getattr(question, name))[:MOST]) for name in _SAID
        }
        self.definitions: dict[str, bool] = {}  # by words: whether they are defined
        self.said = "\n\n".join(filter(None, self.texts.values()))
        self.limits = {
            name: _deadlines(_settling(text), self.opened.date())
            for name, text in self.texts.items()
        }

    @property
    def deadline(self) -> str:
        """The close, as a sentence names it."""
        if self.closes is None:
            return BLANK
        last = self.closes - timedelta(minutes=1) if not self.closes.hour else self.closes
        return f"{last:%H:%M} UTC on {long_date(last.date())}"

    def finding(
        self,
        code: str,
        field: Field = "resolution_criteria",
        words: str = "",
        start: int | None = None,
        fix: Fix | None = None,
        **named: str,
    ) -> Finding:
        """Return a finding; its rule's sentence to add is the fix if there is no other."""
        rule = RULES[code]
        named = {
            "words": words, "deadline": self.deadline, "opened": long_date(self.opened.date())
        } | named  # fmt: skip
        if fix is None and "add" in rule:
            first = words[:1].upper() + words[1:]
            fix = Fix("resolution_criteria", rule["add"].format(**named | {"words": first}))
        level = rule.get("level", "fault")
        return Finding(code, level, field, words, start, rule["why"].format(**named), fix)


def _settling(text: str) -> str:
    """Return the text with spaces for the days that only limit its source."""
    ends, kept = _pattern("source_ends", "unless"), text
    for start, end in _sentences(text):
        sentence = text[start:end]
        if re.match(r"(?i)(?:if|should)\b", sentence) and ends.search(sentence):
            kept = kept[:start] + " " * (end - start) + kept[end:]
    return re.sub(r"(?i)\bpublished by \d\d? \w+ \d{4}", lambda one: " " * len(one[0]), kept)


def _deadlines(text: str, opened: date) -> list[Deadline]:
    """Return the deadlines of a text, those before it was written too."""
    both = [*find_deadlines(text, anchor=opened), *find_overdue(text, anchor=opened)]
    return sorted(both, key=lambda one: one.start)


@cache
def _pattern(code: str, key: str = "pattern") -> re.Pattern[str]:
    """Return a rule's pattern: white space is any, and the words of ``pattern`` begin whole."""
    raw = re.sub(r"\s*\n\s*\|?\s*|\s\|\s", "|", str(RULES[code][key]).strip())
    raw = raw.replace("{verbs}", RULES[code].get("verbs", "")).replace(" ", r"\s+")
    before = r"(?<!\w)" if code in _WORDS else ""
    after = r"(?!\w)" if code in _WORDS and code != "vague_threshold" else ""
    whole = rf"{before}(?:{raw}){after}" if key == "pattern" else raw
    return re.compile(whole, re.IGNORECASE)


_WORDS = ("vague_threshold", "relative_words", "unnamed", "unnamed_person", "time_zone")
_AROUND = 60  # characters beside a match in which its exceptions are looked for
_MANY_NUMBERS = re.compile(
    r"how many|number of|percent|per cent|%|[$€£¥]|how much|\bpoints?\b|\brate\b|\bcount\b|million"
    r"|billion|USD|EUR|degrees|tonnes?|index",
    re.IGNORECASE,
)


def _defined(case: _Case, words: str) -> bool:
    """Return whether a sentence of the question defines the words, in quotation marks."""
    if words not in case.definitions:
        stem = re.escape(words[: max(4, len(words) - 2)]).replace(r"\ ", r"\s+")
        quoted = rf"[\"']\s?(?:\w+ ){{0,3}}{stem}[^\"']{{0,40}}[\"']"
        case.definitions[words] = re.search(quoted, case.said, re.IGNORECASE) is not None
    return case.definitions[words]


def _matches(case: _Case, code: str) -> Iterator[tuple[Field, re.Match[str]]]:
    """Yield the places where a rule's pattern matches without an exception beside it."""
    unless = _pattern(code, "unless") if "unless" in RULES[code] else None
    for field, text in case.texts.items():
        for match in _pattern(code).finditer(text):
            around = range(max(0, match.start() - _AROUND), match.end() + _AROUND)
            excepted = unless is not None and any(
                one.start() < match.end() and match.start() < one.end()
                for one in unless.finditer(text, around.start, min(around.stop, len(text)))
            )
            if not excepted and not _defined(case, match[0].strip()):
                yield field, match


_NO_STOP = re.compile(r"\b(?:No|NO|no)\.[\"']?\s+(?=[A-Z])")


def _sentences(text: str) -> list[tuple[int, int]]:
    """Return the sentences of a text; "No." ends one here, while articles count with it."""
    spans = []
    for start, end in find_sentences(text):
        stops = [one.end() for one in _NO_STOP.finditer(text, start, end)]
        spans += [*zip([start, *stops], [*stops, end], strict=True)]
    return spans


def _no_deadline(case: _Case) -> Iterator[Finding]:
    if case.question.type is QuestionType.date:
        return  # its bounds limit it
    if any(case.limits.values()):
        return
    # "The 2027 World Cup", "on 3 May 2027": a dated event ends by itself.
    for period in find_periods(case.texts["title"], case.opened.date()):
        if period.interval.last >= case.opened.date() and period.rule.requires != "limit":
            return
    yield case.finding("no_deadline", "title")


def _deadline_over(case: _Case) -> Iterator[Finding]:
    opened, closes = case.opened.date(), case.closes
    last_day = None if closes is None else (closes - timedelta(minutes=1)).date()
    for field, limits in case.limits.items():
        for one in limits:
            last = max(limit.last_day for limit in limits)
            if one.last_day < opened and (_limiting(one) or (field == "title" and last < opened)):
                fix = None
                if last_day is not None and last_day > opened:
                    fix = Fix(field, f"by {long_date(last_day)}", _as_typed(case, field, one))
                yield case.finding("deadline_over", field, one.phrase, one.start, fix)
    if closes is not None and case.question.open_time is not None and closes <= case.opened:
        yield case.finding("deadline_over", "title", long_date(closes.date()))


def _as_typed(case: _Case, field: Field, one: Deadline) -> str:
    return str(getattr(case.question, field))[one.start : one.end]


def _no_source(case: _Case) -> Iterator[Finding]:
    if not _source(case):
        event = _event(case)
        source = event["source"] if event else "reports of at least two major news agencies"
        yield case.finding("no_source", source=source)


def _source(case: _Case) -> tuple[Field, re.Match[str]] | None:
    """Return the place of the first source, other than one that replaces it."""
    ends, titled = _pattern("source_ends", "unless"), _stems(case.texts["title"])
    for field in _SAID[1:]:
        text = case.texts[field]
        spans = _sentences(text)
        for start, end in spans:
            conditional = re.match(r"(?i)(?:if|should|when)\b", text[start:end])
            replaces = conditional and ends.search(text[start:end])
            if not replaces and (found := _pattern("no_source").search(text, start, end)):
                return field, found
            for name in () if replaces else _NAME.finditer(text, start, end):
                if not set(name[0].split()) <= _NO_NAME and not _stems(name[0]) <= titled:
                    return field, name
    return None


def _vague(case: _Case) -> Iterator[Finding]:
    for field, match in _matches(case, "vague_threshold"):
        words = match[0].strip()
        follows = case.texts[field][match.end() : match.end() + _AROUND]
        if re.match(r"[^.;]*?(?:\(|, |: )(?:that is|i\.e|at least|more than|\d|by)", follows):
            continue  # "a significant rise (at least 5%)"
        fix = None
        if re.match(r"\s[$€£¥]?\d", follows):
            fix = Fix(field, "at least", str(getattr(case.question, field))[slice(*match.span())])
        yield case.finding("vague_threshold", field, words, match.start(), fix)


def _unit(case: _Case) -> Iterator[Finding]:
    title = case.texts["title"]
    numeric = case.question.type is QuestionType.numeric
    if numeric and not case.question.unit and not _MANY_NUMBERS.search(title):
        yield case.finding("ambiguous_unit", "title", "the number")
    if case.question.unit or _pattern("ambiguous_unit", "unless").search(case.said):
        return
    for match in _pattern("ambiguous_unit").finditer(title):
        if not re.search(r"\b(?:19|20)\d\d$", match[0]) and not _defined(case, match[0]):
            yield case.finding("ambiguous_unit", "title", match[0].strip(), match.start())


def _relative(case: _Case) -> Iterator[Finding]:
    for field, match in _matches(case, "relative_words"):
        fix, words = None, match[0].strip()
        if re.match(
            r"(?i)soon|shortly|immin|event|some|one|sooner|any|before|in due|.*(?:future|term)",
            words,
        ):
            typed = str(getattr(case.question, field))[slice(*match.span())]
            dated = case.closes is None or bool(case.limits[field])
            old = f" {typed}"
            new = "" if dated else f" by {case.deadline}"
            if old in getattr(case.question, field):
                fix = Fix(field, new, old)
        one = case.finding("relative_words", field, words, match.start(), fix)
        describes = field != "title" and re.match(r"(?i)current|recent|upcoming|forthcoming", words)
        yield replace(one, level="advice") if describes else one


def _several(case: _Case) -> Iterator[Finding]:
    title = case.texts["title"]
    verbs = "|".join(
        (RULES["several_questions"]["verbs"], "do|does|see|report|bring|give|put|back")
    )
    start = 0
    while match := _pattern("several_questions").search(title, start):
        start = match.start() + 1
        first = title[: match.start()]
        predicate = re.search(rf"(?i)\b(?:{verbs}|\w{{4,}}(?:ise|ize|ate|ify))\b", first)
        if (
            predicate is None
            and match["other"]
            and not re.match(r"(?i)\?|[,;]?\s*(?:and|or)?[a-z\s]*will", match[0])
        ):
            continue  # "Will the US and China sign …"
        typed = case.question.title[match.start() : match.end()]
        fix = Fix("title", "", typed)
        yield case.finding("several_questions", "title", typed.strip(" ,;?"), match.start(), fix)
        return


_NAME = re.compile(
    r"(?<![.?!]\s)(?<!^)(?<![\w'])[A-Z][\w'’-]+(?: (?:[A-Z][\w'’-]+|of|de|van|von))*"
)
_NO_NAME = {*MONTHS, "Yes", "No", "YES", "NO", "UTC", "GMT", "Q1", "Q2", "Q3", "Q4", "I"}
_NO_NAME |= {"CET", "CEST", "EST", "EDT", "ET", "BST", "JST", "Eastern", "Pacific", "Time", "Days"}
_NO_NAME |= {"Prime", "Minister", "President", "CEO", "Will", "If", "The", "This", "Otherwise"}
_PERSON = re.compile(r"\b[A-Z][a-zé’'-]+ (?:(?:de|van|von|al|bin) )?[A-Z][a-zé’'-]+\b")


def _named(text: str) -> bool:
    """Return whether a text has a proper name, other than of a month."""
    return any(not set(one[0].split()) <= _NO_NAME for one in _NAME.finditer(text))


def _unnamed(case: _Case) -> Iterator[Finding]:
    unless = _pattern("unnamed", "unless")
    before = ""
    for field in _SAID[:2]:
        text = case.texts[field]
        persons = _pattern("unnamed_person").finditer(text)
        for match in sorted([*_pattern("unnamed").finditer(text), *persons], key=re.Match.start):
            follows, sofar = (
                text[match.end() : match.end() + 30],
                f"{before} {text[: match.start()]}",
            )
            person = _pattern("unnamed_person").fullmatch(match[0])
            named = _PERSON.search(sofar) if person else _named(sofar)
            plural = field != "title" and match[0].casefold() == "they"
            if named or plural or (not person and " " in match[0] and unless.search(follows)):
                continue
            typed = str(getattr(case.question, field))[slice(*match.span())].strip()
            name = next(
                (
                    one[0]
                    for one in _PERSON.finditer(case.said)
                    if one[0].split()[0] not in _NO_NAME
                ),
                BLANK,
            )
            new = f"{name}'s" if typed.casefold() in ("his", "her", "their") else name
            fix = Fix(field, new, typed)
            yield case.finding("unnamed", field, typed, match.start(), fix)
            break
        before = f"{text} "


def _time_zone(case: _Case) -> Iterator[Finding]:
    zone = re.compile(str(RULES["time_zone"]["unless"]).strip())  # with its capitals
    if zone.search(case.said):
        return
    for field, text in case.texts.items():
        if match := _pattern("time_zone").search(text):
            yield case.finding("time_zone", field, match[0].strip(), match.start())
            return
    if any(case.limits.values()):
        found = case.finding("day_without_zone")
        yield replace(found, code="time_zone")


def _source_ends(case: _Case) -> Iterator[Finding]:
    source = _source(case)
    if source is not None and not _pattern("source_ends", "unless").search(case.said):
        field, found = source
        end = re.search(r"[.,;(]\s|[.,;]?$", case.texts[field][found.start() :])
        words = case.texts[field][found.start() :][: end.start() if end else None]
        one = case.finding("source_ends", field, words.strip(), found.start())
        named = _pattern("source_ends").search(case.texts[field])
        yield one if named else replace(one, level="advice")  # "official records" go on


# ---- the conditions for Yes and No

_ANSWER = re.compile(
    r"\b(?:YES|NO)\b|(?:\b(?i:resolve[sd]?|resolution|resolving|counts?|answer|settle[sd]?)\b"
    r"(?:\s+(?i:as|to|is|in|a|an|the|will|be|for))*\s*:?\s*|(?:^|[;:,.]\s*|\b(?i:and|or|is|it's|otherwise)\s+))"
    r"[\"']?(?i:yes|no)[\"']?(?=\s*(?i:if|when|unless|in case|otherwise|where|should|provided|only"
    r"|in all|for|[,.;:)]|$))"
)
_IF = re.compile(r"(?i)\b(?:if|when|unless|should|in case|provided|where|once)\b")
_OTHERWISE = re.compile(
    r"(?i)\botherwise|in (?:all|any) other cases?|anything else|any other|\belse\b|failing that"
)


def _conditions(criteria: str) -> Iterator[tuple[str, str, int]]:
    """Yield each answer with its condition and place; "otherwise" is a condition too."""
    for start, end in _sentences(criteria):
        sentence = criteria[start:end]
        answers = list(_ANSWER.finditer(sentence))
        edges = [*[one.start() for one in answers[1:]], len(sentence)]
        for answer, edge in zip(answers, edges, strict=False):
            said = "yes" if re.search(r"(?i)\byes\b", answer[0]) else "no"
            after = sentence[answer.end() : edge]
            before = sentence[: answer.start()] if answer is answers[0] else ""
            if _IF.match(after.lstrip()) or (not _IF.search(before) and _IF.search(after)):
                yield said, after[_IF.search(after).start() :], start  # type: ignore[union-attr]
            elif condition := _IF.search(before):
                yield said, before[condition.start() :], start
            elif _OTHERWISE.search(before + answer[0] + after) or not before.strip():
                yield said, "otherwise", start
            else:  # "A draw is a NO": of one case
                yield said if not re.search(r"\ban? $", before) else "", before + after, start


_EARLY = 80  # characters of a condition in which its verb stands
_NOT_HEAD = r"(?i),? and (?!not?\b)|\(|;|, (?:even|effectively|which|that is|meaning|thereby)| but "


def _denied(condition: str) -> bool:
    """Return whether a condition denies, before its first "and", bracket or exception."""
    head = re.split(_NOT_HEAD, condition)[0]
    negation = re.compile(str(RULES["opposites"]["negation"]), re.IGNORECASE)
    found = negation.search(re.sub(r", by [^,]*\d{4},", "", head))
    return found is not None and found.start() < _EARLY


def _stems(text: str) -> set[str]:
    return {word[:5] for word in re.findall(r"[a-z]{4,}", text.casefold())}


def _contradicted(case: _Case) -> Iterator[Finding]:
    title, criteria = case.texts["title"], case.texts["resolution_criteria"]
    given = list(_conditions(criteria)) if case.question.type is QuestionType.binary else []
    yes = [one for said, one, _ in given if said == "yes" and one != "otherwise"]
    no = [one for said, one, _ in given if said == "no" and one != "otherwise"]
    rules = RULES["opposites"]
    asks_absence = re.search(rules["denial"], title, re.IGNORECASE) is not None
    denies = re.search(rules["plain_denial"], title, re.IGNORECASE) is not None
    words = ""
    if not asks_absence:
        if yes and all(map(_denied, yes)):
            words = yes[0]
        elif yes and ("yes", "otherwise") in {(said, one) for said, one, _ in given}:
            words = "otherwise"
        elif no and not yes and not any(map(_denied, no)):
            shared = _stems(title) & _stems(no[0])
            words = no[0] if len(shared) * 2 >= len(_stems(title)) else ""
    elif denies and yes and no and not any(map(_denied, yes)) and all(map(_denied, no)):
        words = yes[0] if not re.search(rules["denial"], yes[0], re.IGNORECASE) else ""
    for pair in () if words else rules["pairs"][-1:] if asks_absence else rules["pairs"]:
        for one, other in (pair, pair[::-1]):
            here, there = (re.compile(rf"\b(?:{side})\b", re.IGNORECASE) for side in (one, other))
            if here.search(title) and not there.search(title) and yes:
                against = [
                    c for c in yes if there.search(c) and not here.search(c) and not _denied(c)
                ]
                against = against if len(against) == len(yes) else []
                if pair is rules["pairs"][0]:  # "No if it is higher"
                    against += [
                        c for c in no if here.search(c) and not there.search(c) and not _denied(c)
                    ]
                words = words or "".join(against[:1])
    if words:
        swapped = re.sub(
            r"\b(yes|no)\b(?! (?:later|such|earlier|fewer|more|less))",
            lambda one: _as_case(one[0], "no" if one[0].casefold() == "yes" else "yes"),
            case.question.resolution_criteria,
            flags=re.IGNORECASE,
        )
        fix = Fix("resolution_criteria", swapped, case.question.resolution_criteria)
        start = criteria.find(words.strip())
        yield case.finding("title_contradicted", words=words.strip(" ,.;"), start=start, fix=fix)


def _as_case(like: str, word: str) -> str:
    return word.upper() if like.isupper() else word.capitalize() if like[0].isupper() else word


def _other_deadline(case: _Case) -> Iterator[Finding]:
    mine = [one for one in case.limits["title"] if _limiting(one)]
    theirs = [one for one in case.limits["resolution_criteria"] if _limiting(one)]
    if len(mine) == 1 and theirs:
        last = mine[0].last_day
        if all(abs((one.last_day - last).days) > 1 for one in theirs):
            one = theirs[0]
            fix = Fix(
                "resolution_criteria",
                f"by {long_date(last)}",
                _as_typed(case, "resolution_criteria", one),
            )
            field: Field = "resolution_criteria"
            found = case.finding(
                "other_deadline", field, one.phrase, one.start, fix, day=long_date(last)
            )
            yield replace(found, code="title_contradicted")


def _limiting(one: Deadline) -> bool:
    return re.match(r"(?i)(?:by|before|until|till|no later)\b", one.phrase) is not None


_TOLD = re.compile(
    r"(?i)\b(?:was|were|has|have|had|won|lost|announced|passed|signed|approved|resigned|reached|closed"
    r"|beat|became|took|rejected|agreed|confirmed|launched|landed|died|ended|\w{3,}ed)\b"
)


def _known(case: _Case) -> Iterator[Finding]:
    texts = case.texts | {"background": plain_punctuation(case.question.background)}
    stems = _stems(case.texts["title"]) - {"will", "befor", "until"}
    pattern, unless = _pattern("outcome_known"), _pattern("outcome_known", "unless")
    for field, text in texts.items():
        for start, end in _sentences(text):
            sentence = text[start:end]
            found = pattern.search(sentence)
            if (
                found
                and field != "title"
                and re.match(r"(?i)(?:did|was|were|has|have|had)$", found[0])
            ):
                found = None
            if found and not unless.search(sentence[: found.start()]):
                about = field == "title" or len(stems & _stems(sentence)) >= min(2, len(stems))
                if about:
                    words = found[0].strip() if field == "title" else sentence
                    yield case.finding("outcome_known", field, words, start)
                    return
            if field == "title" or len(stems & _stems(sentence)) * 3 < 2 * len(stems):
                continue
            ahead = re.search(r"(?i)\b(?:if|whether|will|would)\b", sentence)
            if not ahead and _TOLD.search(sentence) and _is_past(case, sentence):
                yield case.finding("outcome_known", field, sentence, start)
                return


def _is_past(case: _Case, sentence: str) -> bool:
    if re.search(r"(?i)\byesterday\b|\blast \w+", sentence):
        return True
    periods = find_periods(sentence, case.opened.date())
    return any(one.interval.last < case.opened.date() for one in periods)


# The answer No, other than of one case: "a draw is a No".
_NO = re.compile(
    r"(?<!\ba )\b(?:NO|No)\b(?=[\"']?\s*(?:[.,;:)]|$|(?:if|when|in|at|below|above|or|otherwise"
    r"|unless|for|should|to|also)\b))"
    r"|\b(?i:resolve[sd]?|resolves (?:as|to)|otherwise|else) [\"']?(?i:no)\b"
)


def _never_no(case: _Case) -> Iterator[Finding]:
    question, criteria = (
        case.question,
        f"{case.texts['resolution_criteria']}\n\n{case.texts['fine_print']}",
    )
    if question.type is QuestionType.multiple_choice:
        rest = re.search(
            r"(?i)\b(?:other|none|no one|nobody|another|neither|any other|else)\b",
            " ".join(question.options),
        )
        if not rest and not re.search(r"(?i)none of|no option|annulled|other than", criteria):
            yield case.finding("options_leave_out")
        return
    if question.type is QuestionType.date:
        if not re.search(str(RULES["never_no"]["otherwise"]), criteria, re.IGNORECASE):
            fix = Fix(
                "resolution_criteria",
                "If it has not happened by the upper bound, the answer is “after the upper bound”.",
            )
            why = "The criteria do not name an answer for a date that never comes."
            yield replace(case.finding("never_no", fix=fix), why=why)
        return
    if question.type is not QuestionType.binary:
        return
    if found := _pattern("never_no").search(criteria):
        field: Field = "resolution_criteria"
        yield case.finding(
            "never_no", field, found[0].strip(), found.start(), Fix(field, "", found[0])
        )
    elif not _NO.search(criteria):
        one = case.finding("never_no")
        dated = any(case.limits.values())  # its deadline implies No, for most readers
        yield replace(one, level="advice") if dated else one


def _event(case: _Case) -> Mapping[str, Any] | None:
    """Return the kind of event that the title is about, with its usual edge cases."""
    title = case.texts["title"]
    fits = (
        one
        for one in RULES["events"]
        if re.search(rf"(?i)(?<!\w)(?:{one['pattern']})(?!\w)", title)
    )
    return next(fits, None)


def _edge_cases(case: _Case) -> Iterator[Finding]:
    event = _event(case)
    rules = f"{case.texts['resolution_criteria']} {case.texts['fine_print']}"
    if event and not re.search(rf"(?i)\b(?:{event['settled']})", rules):
        why = f"A common edge case of a {event['kind']} is not covered."
        add = str(event["add"])
        if case.question.type is not QuestionType.binary:
            add = add.replace("it resolves as No", "the question is annulled")
        yield Finding("edge_cases", "advice", "fine_print", "", None, why, Fix("fine_print", add))


def _blank(case: _Case) -> Iterator[Finding]:
    for field, text in case.texts.items():
        if (start := text.find(BLANK)) >= 0:
            yield case.finding("blank", field, BLANK, start)


_CHECKS = (
    _no_deadline, _deadline_over, _no_source, _vague, _unit, _relative, _several, _unnamed,
    _time_zone, _source_ends, _contradicted, _other_deadline, _known, _never_no, _blank,
    _edge_cases,
)  # fmt: skip
