"""Drafts that would leak: the same article already tells the outcome.

A live report or a text with several updates can say "The council will vote on the bypass" and
"The council voted for the bypass". A sentence tells the outcome if its verb is the question's in
the past, with the same subject before it and, if the question has an object, a word of it after.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from forecasts.reading.drafting.question_wording import Wording
from forecasts.reading.drafting.verb_forms import past_forms
from forecasts.reading.typography import plain_punctuation

_REPEATED = re.compile(r"\b(?:again|another|further|more|next|second|third|new)\b")
_LONG_AGO = re.compile(
    r"\b(?:in|since) (?:1\d|20)\d\d\b|\b(?:last|previous|earlier) \w+|\bago\b|\bhad\b|\bfirst\b"
    r"|\b(?:if|unless|whether|would|will|could|might|may|to)\b",
    re.IGNORECASE,
)
_PASSIVE = re.compile(r"be (?:[a-z]+ly )?([a-z]+)\b")
_DATE = re.compile(r"\b(?:by|until|from) (?:\d{1,2} )?(?:[A-Z][a-z]+ )?\d{4}\b")
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


def _content(words: str) -> set[str]:
    """Return the beginnings of the longer words."""
    return {word[:6].lower() for word in _CONTENT.findall(words)}
