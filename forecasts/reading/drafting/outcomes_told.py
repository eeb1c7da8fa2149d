"""Articles that tell an outcome: of a draft, which would leak it, and of an open question.

A live report or a text with several updates can say "The council will vote on the bypass" and
"The council voted for the bypass". A sentence tells the outcome if its verb is the question's in
the past, with the same subject before it and, if the question has an object, a word of it after.

For an open question (``answer_told``) more is asked, since the sentence may be about an earlier
or a lesser event, or of another: the whole subject at the beginning of a clause, most words of the
object with no noun after them, no number that could be compared, and nothing that doubts, denies or
looks back. It misses more than it finds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence, Set
from functools import lru_cache
from typing import NamedTuple

from forecasts.reading.drafting.question_wording import Wording
from forecasts.reading.drafting.verb_forms import past_forms
from forecasts.reading.typography import plain_punctuation

_REPEATED = re.compile(r"\b(?:again|another|further|more|next|second|third|new)\b")
_LONG_AGO = re.compile(
    r"\b(?:in|since) (?:1\d|20)\d\d\b|\b(?:last|previous|earlier) \w+|\bago\b|\bhad\b|\bfirst\b"
    r"|\b(?:if|unless|whether|would|will|could|might|may|to)\b",
    re.IGNORECASE,
)
_MOST = 2 / 3  # of the words of a question's object
_LONGEST = 500  # characters of a sentence
_BEFORE_OBJECT = 3  # words, such as "its main"
_VERBS = 12  # words of a title that may be its verb
_ASKED = re.compile(r"Will (?:the |an? )?(?P<event>[^?]+)\?$")
_COMPARED = re.compile(
    r"\d(?!\d{3}\b)[\d.,]*\s*(?:%|percent|points?\b|million|billion|trillion)|[$€£]"
    r"|\b(?:above|below|over|under|at least|at most|more|less|fewer|exceed|least|between|not)\b",
    re.IGNORECASE,
)
_PERIODS = "week|month|year|spring|summer|autumn|fall|winter"
_WHEN = re.compile(
    r"\s(?:before|until)\s|\s(?:by|in|during|on|within|this|next|at) (?=(?:(?:the )?(?:end|start"
    r"|middle) of |early |late |mid-?)?(?:\d|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec|Q\d"
    rf"|{_PERIODS}))"
)
# Before the subject, and between it and its verb: anything else would make it part of another one.
_CLAUSE = (
    r"(?:^|[,;:)…] |\bthat )(?:(?:on \w+day|today|yesterday|president|prime minister|minister"
    r"|former|m[rs]s?\.?|the|an?) )*"
)
_BETWEEN = r"(?:(?:late )?on \w+day|today|yesterday|has|have|was|were|been|also|finally|\w+ly)"
# After the verb, or its object: the event ends here, rather than in another noun.
_ENDS = re.compile(
    r"\s*(?:$|(?:on|at|after|as|by|for|from|in|of|to|with|against|amid|despite|following|late"
    r"|early|today|yesterday|this|overnight|itself|when|while|who|which|since)\b)"
)
# Words within the clause that doubt, deny or look ahead; in the sentence, that look back.
_UNSURE = re.compile(
    r"\b(?:if|unless|whether|would|will|could|might|may|should|must|not|never|no|nor|neither"
    r"|almost|nearly|had|reportedly|expected|likely|plans?|planned|hopes?|hoped|wants?|wanted"
    r"|calls?|called for|urges?|urged|ahead of|before|until|to be)\b|n't\b",
    re.IGNORECASE,
)
_UNTRUE = re.compile(
    r"\b(?:denied|denies|false|fake|hoax|untrue|rumou?rs?|allegedly|alleged|claimed|claims"
    r"|earlier|previously|ago|last (?:" + _PERIODS + r")|anniversary|game|film|novel|drill"
    r"|exercise|simulation|imagined?|fiction)\b|\?",
    re.IGNORECASE,
)
_YEAR = re.compile(r"\b(?:1\d|20)\d\d\b")
_JOINS = re.compile(r"\b(?:of|for|on|to|against|with|from|in|about|between|over)\b", re.IGNORECASE)
_PASSIVE = re.compile(r"be (?:[a-z]+ly )?([a-z]+)\b")
_DATE = re.compile(r"\b(?:by|until|from) (?:\d{1,2} )?(?:[A-Z][a-z]+ )?\d{4}\b")
_OBJECT = re.compile(r"\b(?!(?:the|its|and|for|was|has|will|with|from|that|this)\b)\w{3,}")
_CONTENT = re.compile(r"\b(?!(?:will|with|from|that|this|have|been|into|over|until|after)\b)\w{4,}")


def find_told(wording: Wording, sentence: str, others: Sequence[str], headline: str = "") -> str:
    """Return the one of ``others``, or the headline, that seems to tell the outcome, or ''.

    ``others`` are the sentences of the text. A headline tells it in the present tense ("Council
    votes for bypass").
    """
    subject, predicate = wording.subject, plain_punctuation(wording.predicate)
    nouns = re.findall(r"[\w-]{3,}", plain_punctuation(subject))
    if not nouns or not predicate or _REPEATED.search(predicate):
        return ""
    passive = _PASSIVE.match(predicate)
    verb, _, rest = predicate.partition(" ")
    forms = past_forms(verb)
    if passive:
        forms, rest = (passive[1],), predicate[passive.end() :]
    objects = _content(_DATE.sub("", rest))
    told = _telling(nouns[-1], forms)  # once, since ``others`` are many
    for other in others:
        if other != sentence and _tells(plain_punctuation(other), told, objects):
            return other
    told = _telling(nouns[-1], (*forms, f"{verb}s", f"{verb}es"))
    return headline if _tells(plain_punctuation(headline), told, objects) else ""


class _Event(NamedTuple):
    """An event that a question may ask about.

    ``happened``: a pattern of its subject, then its verb in the past, then the ``rest`` of the
    clause. ``objects``: the beginnings of the words of its object; ``numbers`` and ``joins``: its
    numbers and prepositions.
    """

    happened: re.Pattern[str]
    objects: frozenset[str]
    numbers: frozenset[str]
    joins: frozenset[str]


def answer_told(title: str, sentences: Iterable[str]) -> str:
    """Return the first sentence that seems to say that the event of a question happened, or ''.

    >>> answer_told("Will Olm approve the bypass?", ["It rained.", "Olm approved the bypass."])
    'Olm approved the bypass.'
    >>> answer_told("Will Olm approve the bypass?", ["Olm may have approved the bypass."])
    ''
    """
    title = plain_punctuation(title)
    events, years = _events(title), set(_YEAR.findall(title))
    if not events:
        return ""
    return next((one for one in sentences if _has_happened(one, events, years)), "")


@lru_cache(maxsize=256)
def _events(title: str) -> tuple[_Event, ...]:
    """Return the event of a question, for each word that may be its verb.

    No more is known of its grammar: the past form of a noun ("bypassed") is in no sentence.
    """
    asked = _ASKED.match(title)
    if asked is None or _COMPARED.search(asked["event"]) or _REPEATED.search(asked["event"]):
        return ()
    words, found = _WHEN.split(asked["event"])[0].split(), []
    for place in range(1, min(len(words), _VERBS)):
        subject, (verb, *others) = " ".join(words[:place]), words[place:]
        forms = past_forms(verb)
        if verb == "be" and others:
            forms, others = (others[0],), others[1:]
        verbs = "|".join(map(re.escape, forms))
        pattern = re.compile(
            rf"{_CLAUSE}{re.escape(subject)}(?: {_BETWEEN})* (?:{verbs})\b"
            r"(?P<rest>(?:(?! (?:and|but)\b)[^,;:.])*)",
            re.IGNORECASE,
        )
        rest = " ".join(others)
        kinds = _content(rest, _OBJECT), re.findall(r"\d+", rest), _JOINS.findall(rest)
        found.append(_Event(pattern, *map(frozenset, kinds)))
    return tuple(found)


def _has_happened(sentence: str, events: Sequence[_Event], years: Set[str]) -> bool:
    if len(sentence) > _LONGEST:
        return False
    words = plain_punctuation(sentence)
    if _UNTRUE.search(words) or not years >= set(_YEAR.findall(words)):
        return False
    for event in events:
        found = event.happened.search(words)
        if found is not None and not _UNSURE.search(words[: found.end()]):
            return _is_object(found["rest"], event)
    return False


def _is_object(rest: str, event: _Event) -> bool:
    """Return whether the words after a verb are the object of the event, and of nothing larger."""
    if not event.objects:
        return _ENDS.match(rest) is not None
    said = [one for one in _OBJECT.finditer(rest) if one[0][:6].lower() in event.objects]
    kinds = {one[0][:6].lower() for one in said}
    if len(kinds) < _MOST * len(event.objects) or not event.numbers.issubset(
        re.findall(r"\d+", rest)
    ):
        return False
    before = rest[: said[0].start()]
    return (
        len(before.split()) <= _BEFORE_OBJECT
        and event.joins.issuperset(_JOINS.findall(before))
        and _ENDS.match(rest[said[-1].end() :]) is not None
    )


def _telling(noun: str, forms: Sequence[str]) -> re.Pattern[str]:
    """Return a pattern of the noun, then one of the verb forms; the rest follows it."""
    verbs = "|".join(map(re.escape, forms))
    return re.compile(
        rf"\b{re.escape(noun)}\b[^.;]{{0,40}}?\b(?:{verbs})\b(?P<rest>.*)", re.I | re.S
    )


def _tells(words: str, told: re.Pattern[str], objects: set[str]) -> bool:
    """Return whether the pattern, then one of the objects occur."""
    found = told.search(words)
    if found is None or _LONG_AGO.search(words[: found.start("rest")]):
        return False
    return not objects or not objects.isdisjoint(_content(found["rest"]))


def _content(words: str, kinds: re.Pattern[str] = _CONTENT) -> set[str]:
    """Return the beginnings of the words of these kinds."""
    return {word[:6].lower() for word in kinds.findall(words)}
