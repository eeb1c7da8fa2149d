"""Articles that tell an outcome: of a draft, which would leak it, and of an open question.

A live report or a text with several updates can say "The council will vote on the bypass" and
"The council voted for the bypass". A sentence tells the outcome if its verb is the question's in
the past, with the same subject before it and, if the question has an object, a word of it after.

For an open question (``answer_told``) more is asked, since the sentence may be about an earlier
or a lesser event: most words of the object, no number that could be compared, and nothing that
doubts, denies or looks back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

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
_ASKED = re.compile(r"Will (?P<event>[^?]+)\?$")
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
# After a verb without an object: the sentence says no more of the event than when it was.
_ENDS = re.compile(
    r"\s*(?:$|(?:on|at|after|by|in|late|early|today|yesterday|this|overnight|itself)\b)"
)
_NO_NOUN = re.compile(r"(?:and|or|of|the|an?|in|on|at|to|for|by|with|from)", re.IGNORECASE)
# Words that doubt, deny, look ahead or look back.
_UNSURE = re.compile(
    r"\b(?:if|unless|whether|would|will|could|might|may|should|must|not|never|no|nor|neither"
    r"|denied|denies|almost|nearly|had|ago|earlier|previously|(?:in|since) (?:1\d|20)\d\d"
    rf"|last (?:{_PERIODS})|anniversary|rumou?rs?|allegedly|reportedly|expected|likely|plans?"
    r"|planned|hopes?|hoped|wants?|wanted|calls?|called for|urges?|urged|ahead of|before|until"
    r"|to be)\b|n't\b|\?",
    re.IGNORECASE,
)
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


def answer_told(title: str, sentences: Iterable[str]) -> str:
    """Return the first sentence that seems to say that the event of a question happened, or ''.

    >>> answer_told("Will Olm approve the bypass?", ["It rained.", "Olm approved the bypass."])
    'Olm approved the bypass.'
    >>> answer_told("Will Olm approve the bypass?", ["Olm may have approved the bypass."])
    ''
    """
    events = _events(plain_punctuation(title))
    return next((one for one in sentences if events and _has_happened(one, events)), "")


@lru_cache(maxsize=256)
def _events(title: str) -> tuple[tuple[re.Pattern[str], frozenset[str]], ...]:
    """Return the event of a question, for each word that may be its verb, and its object's words.

    No more is known of its grammar: the past form of a noun ("bypassed") is in no sentence.
    """
    asked = _ASKED.match(title)
    if asked is None or _COMPARED.search(asked["event"]) or _REPEATED.search(asked["event"]):
        return ()
    event, found = _WHEN.split(asked["event"])[0].split(), []
    for place in range(1, len(event)):
        noun, (verb, *others) = event[place - 1].strip("',"), event[place:]
        if len(noun) > 1 and not _NO_NOUN.fullmatch(noun):
            forms = past_forms(verb)
            if verb == "be" and others:
                forms, others = (others[0],), others[1:]
            objects = frozenset(_content(" ".join(others), _OBJECT))
            found.append((_happened(noun, forms), objects))
    return tuple(found)


def _has_happened(sentence: str, events: Sequence[tuple[re.Pattern[str], frozenset[str]]]) -> bool:
    words = plain_punctuation(sentence)
    for pattern, objects in events:
        found = pattern.search(words)
        if found is None or _UNSURE.search(words[: found.end()]):
            continue
        said = objects & _content(found["rest"], _OBJECT)
        if len(said) >= _MOST * len(objects) if objects else _ENDS.match(found["rest"]):
            return True
    return False


def _happened(noun: str, forms: Sequence[str]) -> re.Pattern[str]:
    """Return a pattern of the noun, then soon one of the verb forms, and the rest of the clause."""
    verbs = "|".join(map(re.escape, forms))
    return re.compile(
        rf"\b{re.escape(noun)}\b[^.,;:]{{0,25}}? (?:{verbs})\b"
        r"(?P<rest>(?:(?! (?:and|but)\b)[^,;:.])*)",
        re.IGNORECASE,
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
