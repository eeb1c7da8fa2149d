"""Pronouns in a question: whom they refer to, and which of them refer to nobody named in it.

A reader of the question has not read the article, so a pronoun is replaced: by the speaker ("the
judge said she would rule": the judge), by the subject of one of the two sentences before, or else
by ``UNNAMED``. A pronoun that refers to a noun of the question itself stays ("Will the bank cut
its dividend?").
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from forecasts.reading.drafting.intervals import MONTHS
from forecasts.reading.drafting.tense import IRREGULAR
from forecasts.reading.typography import alternatives, plain_punctuation

UNNAMED = "…"  # for the user to fill in

PRONOUN = re.compile(r"(?:he|she|it|they)(?:'d|'ll)?", re.IGNORECASE)
POSSESSIVE = re.compile(r"(his|her|its|their)\s+(?=\w)", re.IGNORECASE)
_OF_POSSESSIVE = {"his": "he", "her": "she", "its": "it", "their": "they"}
_ROLES = alternatives(
    "president minister premier chancellor judge mayor governor senator ambassador envoy coach "
    "manager director chairman chairwoman chief secretary speaker lawyer prosecutor commissioner "
    "leader candidate striker captain general admiral bishop pope king queen prince princess"
)
_ORGANISATION = re.compile(
    r"\b(?i:ministry|government|company|firm|agency|bank|club|union|party|group|court|council|army"
    r"|committee|commission|board|junta|navy|force|department|office|service|chain|retailer|airline"
    r"|\w+maker|manufacturer|regulator|authority|parliament|senate|federation|league|association"
    r"|foundation|charity|university|school|team|church|newspaper|broadcaster|operator|developer"
    r"|fund|trust|opposition|administration|band|workers|inc|corp|airlines|motors|railway|utility"
    r"|lender|insurer|startup|state|city|county|country|kingdom|organi[sz]ation)"
    r"(?= [A-Z][\w.-]+$|$)"
)
_PLURAL = re.compile(r"(?:\b[a-z][\w-]*[^\Ws]s|\b[Tt]he [A-Z]\w+s|^[A-Z][a-z]+s|police|people)$")
_AFTER_HEAD = re.compile(r"\s(?:of|for|in|at|to|on|from)\s.*")
_NAME_OF_TWO = re.compile(r"[A-Z][\w.&-]*(?: [A-Z][\w.&-]*)?")


@dataclass(frozen=True, slots=True)
class Context:
    """The text around a sentence: its words in lower case, and the sentences just before."""

    lowercase_words: Collection[str] = ()
    before: str = ""


def possessive(owner: str) -> str:
    """Return "the judge's", "the teachers'"."""
    return f"{owner}'" if re.search(r"(?:^|\s)[a-z][\w-]*s$", owner) else f"{owner}'s"


def personal(pronoun: str) -> str:
    """Return "she" for "her", and "she" for "She'll"."""
    pronoun = re.sub(r"'\w+$", "", pronoun.lower())
    return _OF_POSSESSIVE.get(pronoun, pronoun)


def fits(pronoun: str, noun: str) -> bool:
    """Return whether he, she, it or they can refer to the noun."""
    head = _AFTER_HEAD.sub("", noun)
    is_plural = _PLURAL.search(head) is not None
    is_organisation = _ORGANISATION.search(head) is not None
    if pronoun == "they":
        return is_plural or " and " in noun
    if pronoun == "it":
        is_thing = re.search(rf"\s(?!(?:{_ROLES}|boss|man|woman)$)[a-z-]+$", head) is not None
        is_name = _NAME_OF_TWO.fullmatch(noun) is not None
        return is_organisation or is_name or (is_thing and not is_plural)
    return not (is_plural or is_organisation)


# ---- the subject of a sentence before

_NAME = r"[A-Z][\w.-]+(?: (?:[A-Z][\w'.-]+|de|da|van|von|bin|al)){0,3}"
_VERB_FOLLOWS = (
    r"(?=,? (?:who\b|has|have|is|are|was|were|will|says|[a-z]+ed|[a-z]+s"
    rf"|{IRREGULAR})\b|, )"
)
_NOT_A_NAME = alternatives(
    "The A An In On At By For From With After Before When While If As But And So He She It They We "
    "I You This That These Those There His Her Its Their Our My One Some Most Many No Not Nobody "
    "Everyone Everybody Someone None Each Another Police Still Now Yesterday Today Meanwhile Then"
)
_SUBJECTS = {
    "person": re.compile(
        rf"(?:On \w+day,? |But |And )?(?P<noun>(?!(?:{_NOT_A_NAME})\s){_NAME}"
        rf"|(?:The|A) (?:[\w'-]+ ){{0,3}}?(?:{_ROLES})){_VERB_FOLLOWS}"
    ),
    "it": re.compile(rf"(?P<noun>The (?:[\w'-]+ ){{0,4}}?[\w-]+){_VERB_FOLLOWS}"),
    "they": re.compile(
        r"(?P<noun>(?:The )?(?:[\w'-]+ ){0,4}?[A-Za-z][a-z]+s)"
        r"(?= (?:have|are|were|will|would|say|said|want|plan|hope|met|[a-z]+ed)\b)"
    ),
}
_SPEAKER = re.compile(
    rf"\"\s(?:said|says|added) (?P<noun>{_NAME})|,\"?\s(?P<before>{_NAME}) (?:said|says|added)\b"
)
_SENTENCE = re.compile(r"[.!?][\"')]*\s+(?=[\"'(]?[A-Z])")
_FAR = 2  # sentences


def antecedent(pronoun: str, before: str) -> str:
    """Return the subject of the last sentences of ``before`` that the pronoun fits, or ''."""
    kind = _SUBJECTS.get(pronoun, _SUBJECTS["person"])
    for sentence in reversed(_SENTENCE.split(plain_punctuation(before).strip())[-_FAR:]):
        subject = kind.match(sentence)
        if subject is None and pronoun in ("he", "she"):
            subject = _SPEAKER.search(sentence)
        noun = subject[subject.lastgroup or 0] if subject else ""
        if noun and fits(pronoun, noun):
            is_name = kind is _SUBJECTS["person"] and not re.match(r"(?:The|A|An) ", noun)
            return noun if is_name else noun[0].lower() + noun[1:]
    return ""


# ---- a noun that a sentence before has in full

_SHORT = re.compile(r"the (?P<head>[a-z-]+(?: [a-z-]+)?)")
_CAPITAL = r"[A-Z][\w&-]*(?:\.[\w&-]+)*"
_PROPER = rf"{_CAPITAL}(?: (?:(?:and|of|the|de) )?{_CAPITAL})*"


def in_full(noun: str, before: str) -> str:
    """Return a noun as one of the two sentences ``before`` has it in full, or as it is.

    "The talks" are "the talks between Ethiopia and Eritrea", "the council" is "the council of
    Brenholt", "the parliament" is "Peru's parliament". Of several, the last one counts.
    """
    short = _SHORT.fullmatch(noun)
    if short is None:
        return noun
    head = short["head"]
    full = re.compile(
        rf"\b{head} (?P<rest>(?:between|of|on|in|for|with|over) (?:the )?{_PROPER})"
        rf"|\b(?P<owner>{_PROPER}['’]s) {head}\b"
    )
    last = None
    near = ". ".join(_SENTENCE.split(plain_punctuation(before).strip())[-_FAR:])
    for found in full.finditer(near):
        last = found
    if last is None or _MONTH.search(last[0]):
        return noun
    return f"{last['owner']} {head}" if last["owner"] else f"the {head} {last['rest']}"


_MONTH = re.compile(rf"\b(?:{'|'.join(MONTHS)}|\w+day)\b")

# ---- pronouns that a question leaves open

_ANY = re.compile(
    r"\b(?P<own>I|me|my|we|us|our|ours|you|your)\b(?!\.)"
    r"|\b(?P<subject>he|she|they)\b|\b(?P<object>him|them|it|her(?! [a-z]{3,}))\b"
    r"|\b(?P<whose>its|his|her(?= [a-z]{3,}))\b"
    r"|\b(?P<bare>this|that|these|those)(?=[?,.]|$| (?:by|from|until|if|unless|in|on)\b)",
    re.IGNORECASE,
)
_SUBORDINATE = re.compile(
    r"\b(?:if|unless|when|once|whether|that|because|until|before|after|as|while|what|how|where)\b"
)
_EMPTY_IT = re.compile(r"it (?:easier|harder|clear|(?:im)?possible|difficult|illegal)\b")
_NOUN = re.compile(
    r"\b(?:the|an?|all|its|their|his|her|any|every|more|another|(?!20\d\d\b)\d[\d,.]*)"
    rf"\s(?!(?:{'|'.join(MONTHS)})\b)\w"
)
_PERSON = re.compile(
    rf"(?:\b[A-Z][\w.'-]*|\b(?:{_ROLES}|boss|king|queen)|(?:man|woman|boy|girl|er|or|ist|ian|ent))$"
)
_WEATHER = re.compile(r"(?:rain|snow|hail|freeze|thaw)\b")


def without_open_pronouns(subject: str, predicate: str) -> str:
    """Return the predicate with ``UNNAMED`` for each pronoun that its question leaves open."""

    def closed(found: re.Match[str]) -> str:
        before = predicate[: found.start()]
        is_named = (
            not found["own"]
            and not found["bare"]
            and (
                (found["whose"] and _may_own(found["whose"], subject))
                or _EMPTY_IT.match(predicate, found.start())
                or (not found["whose"] and subject != UNNAMED and _SUBORDINATE.search(before))
                or (not found["subject"] and _NOUN.search(before))
            )
        )
        return found[0] if is_named else UNNAMED

    if subject.lower() == "it" and _WEATHER.match(predicate):
        return predicate
    return _ANY.sub(closed, predicate)


def _may_own(pronoun: str, subject: str) -> bool:
    """Return whether "its", "his" or "her" can refer to the subject."""
    if subject == UNNAMED:
        return True
    if pronoun.lower() == "its":
        return _PLURAL.search(subject) is None
    return fits("he", subject) and _PERSON.search(_AFTER_HEAD.sub("", subject)) is not None


def is_weather(pronoun: str, verb: str) -> bool:
    """Return whether "it" needs no noun: "it will rain"."""
    return pronoun == "it" and _WEATHER.match(verb) is not None


def has_pronoun(text: str) -> bool:
    """Return whether the text has any personal pronoun."""
    return re.search(r"\b(?:he|she|it|they|him|them|his|her|its|their)\b", text, re.I) is not None
