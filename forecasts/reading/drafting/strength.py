"""The strength of a draft: how sure the grammar is of it, and why.

A draft is strong if a stranger could take its question as it is, without the sentence. It is weak
if the question has a gap or no deadline, if a pronoun was read from another sentence, or if nothing
in it is named: "the mayor" could be any. A court, a council or a ministry is a named body if the
question names its matter: "ban diesel cars". The page folds weak drafts.

A draft would leak if the same article already tells its outcome. A live report or a text with
several updates can say "The council will vote on the bypass" and "The council voted for the
bypass". A sentence tells the outcome if its verb is the question's in the past, with the same
subject before it and, if the question has an object, a word of it after.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from textwrap import shorten

from forecasts.reading.drafting.kinds import BY_DATE
from forecasts.reading.drafting.question_wording import Wording
from forecasts.reading.drafting.subjects import UNNAMED, in_full
from forecasts.reading.drafting.verbs import past_forms
from forecasts.reading.intervals import MONTHS, WEEKDAYS
from forecasts.reading.lines import plain_punctuation


class Strength(StrEnum):
    """How sure the grammar is of a draft."""

    strong = "strong"
    weak = "weak"


_DATES = re.compile(rf"\b(?:{'|'.join((*MONTHS, *WEEKDAYS))})\b")
# After the first word, which has a capital in any question.
_NAME = re.compile(r"(?<=\s)[\"'“‘(]?[A-Z][\w.&-]")
# "the levy" with nothing that says which: the subject, or last, as in "rule on the levy by 5 May".
_ANY_SUBJECT = re.compile(r"the [a-z-]+(?: [a-z-]+)?")
_ANY_OBJECT = re.compile(r"\bthe [a-z-]+(?= (?:by|until|from) [\dA-Z]|\?)")
_BODY = re.compile(
    r"(?:(?:an?|the) )?(?:(?!(?:the|of|in|for|to|and|tennis|food|squash) )[a-z-]+ ){0,2}?"
    r"(?:court|tribunal|council|parliament|senate|congress|assembly|committee|commission|ministry"
    r"|government|cabinet|central bank|regulator)"
)
_MATTER = 3  # words: "ban diesel cars", not "vote" or "rule soon"
_ANY_MATTER = re.compile(r"\ban? [a-z-]+$")  # "hold a vote", "elect a successor"
_THE = re.compile(r"\bthe [a-z-]+")
_THIS = re.compile(r"(?i)(?:this|these|that|those|such)\b")


def judge(wording: Wording, sentence: str) -> tuple[Strength, str]:
    """Return the strength of a sentence's draft, and the reason for it in a few words."""
    cue, deadline = wording.outlook.cue, wording.outlook.deadline
    words = deadline.phrase if deadline and cue.kind == "date" else wording.outlook.match.group()
    said = f"“{shorten(words, 40, placeholder=' …')}”"
    if not wording.question:
        return Strength.weak, "no clear subject or verb"
    if UNNAMED in wording.question:
        return Strength.weak, "someone or something is not named"
    if wording.left_out:
        return Strength.weak, f"leaves out “{wording.left_out}”"
    if not _names(sentence, wording.subject):
        return Strength.weak, f"“{wording.subject}” is from a sentence before"
    if _THIS.match(wording.subject):
        return Strength.weak, f"“{wording.subject}” is not named"
    if deadline is None:
        return Strength.weak, f"{said} gives no deadline"
    if cue.kind == "date" and not wording.predicate.startswith("take place"):
        return Strength.weak, "a date without a clear verb"
    is_body = _is_body_with_a_matter(wording)
    if not is_body and not _NAME.search(_DATES.sub("", wording.question)):
        return Strength.weak, "no person, place or body is named"
    is_any = None if is_body else _ANY_SUBJECT.fullmatch(wording.subject)
    is_any = is_any or _ANY_OBJECT.search(wording.question)
    if is_any:
        return Strength.weak, f"“{is_any[0]}” could be any"
    return Strength.strong, f"{said}, with a deadline"


def _is_body_with_a_matter(wording: Wording) -> bool:
    """Return whether a court, council or other body does more than a bare verb says."""
    matter = BY_DATE.split(wording.predicate)[0]
    is_clear = len(matter.split()) >= _MATTER and not _ANY_MATTER.search(matter)
    return is_clear and _BODY.fullmatch(wording.subject) is not None


def _names(sentence: str, subject: str) -> bool:
    """Return whether the sentence has the subject, if in short, and not only a pronoun for it."""
    words = re.findall(r"\w+", subject.lower())
    if words and words[0] in ("any", "anybody", "anything", "either", "there"):
        return True
    if any(in_full(short, subject) == subject for short in _THE.findall(sentence.lower())):
        return True
    return set(words) - {"s", "a", "an", "the"} <= set(re.findall(r"\w+", sentence.lower()))


# ---- the outcome, told in the same article

_REPEATED = re.compile(r"\b(?:again|another|further|more|next|second|third|new)\b")
_LONG_AGO = re.compile(
    r"(?i)\b(?:in|since) (?:1\d|20)\d\d\b|\b(?:last|previous|earlier) \w+|\bago\b|\bhad\b|\bfirst\b"
    r"|\b(?:if|unless|whether|would|will|could|might|may|to)\b"
)
_PASSIVE = re.compile(r"be (?:[a-z]+ly )?([a-z]+)\b")
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
    objects = _content(BY_DATE.sub("", rest))
    for other in others:
        if other != sentence and _tells(plain_punctuation(other), nouns[-1], forms, objects):
            return other
    forms = (*forms, f"{verb}s", f"{verb}es")
    return headline if _tells(plain_punctuation(headline), nouns[-1], forms, objects) else ""


def _tells(words: str, noun: str, forms: Sequence[str], objects: set[str]) -> bool:
    """Return whether the noun, then one of the verb forms, then one of the objects occur."""
    verbs = "|".join(map(re.escape, forms))
    found = re.search(
        rf"\b{re.escape(noun)}\b[^.;]{{0,40}}?\b(?:{verbs})\b(?P<rest>.*)", words, re.I | re.S
    )
    if found is None or _LONG_AGO.search(words[: found.start("rest")]):
        return False
    return not objects or not objects.isdisjoint(_content(found["rest"]))


def _content(words: str) -> set[str]:
    """Return the beginnings of the longer words."""
    return {word[:6].lower() for word in _CONTENT.findall(words)}
