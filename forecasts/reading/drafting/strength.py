"""The strength of a draft: how sure the grammar is of it, and why.

A draft is strong if a stranger could take its question as it is, without the sentence. It is weak
if the question has a gap or no deadline, if a pronoun was read from another sentence, or if nothing
in it is named: "the mayor" could be any. A court, a council or a ministry is a named body if the
question names its matter: "ban diesel cars". The page folds weak drafts.
"""

from __future__ import annotations

import re
from enum import StrEnum
from textwrap import shorten

from forecasts.reading.drafting.intervals import MONTHS, WEEKDAYS
from forecasts.reading.drafting.pronouns import UNNAMED, in_full
from forecasts.reading.drafting.question_wording import Wording


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
_BY = re.compile(r" (?:by|until|from) (?=[\dA-Z])")
_THE = re.compile(r"\bthe [a-z-]+")
_THIS = re.compile(r"(?:this|these|that|those|such)\b", re.IGNORECASE)
# Of a title alone, without its sentence.
_BY_DAY = r"(?: (?:by|until|from) (?:\d{1,2} )?(?:[A-Z][a-z]+ )?\d{4})"
_END = rf"(?={_BY_DAY}|\?| (?:if|unless)\b)"
_ASIDE = re.compile(
    r",? (?:after|since|because|amid|despite|although|while|for the first time|in a (?:test|dispute"
    rf"|reversal|move|bid|vote|row)|before)\b[^?]*?{_END}"
    r"|, (?:an?|the|which|who|when|where|whose|more|less|worth|with|up|down|against|mostly) [^?]*?"
    rf"{_END}"
    rf"|, [^,?]{{2,40}} (?:said|says|announced)\b[^,?]*?{_END}"
)
_AFTER_DAY = re.compile(rf"({_BY_DAY}) (?!(?:if|unless|whether)\b)[^?]+(?=\?)")
# Finite verbs, which follow "Will …" only after one of the words that begin a clause.
_LEFT_OVER_VERB = re.compile(
    r"\b(?:is|are|was|were|has|have(?! to)|had|will|would|could|said|says|agrees|goes|races|begins"
    r"|ends|takes|makes|lost|won|expects|plans|gave|want|asked|told|warned)\b"
)
_CLAUSE_WORD = re.compile(
    r"\b(?:that|which|who|whom|whose|if|unless|whether|when|where|before|after|once|until|what|how)\b"
)
_NOT_NAMED, _NAMELESS = "something is not named", "the subject has no name"
_TWO_STATEMENTS = "the title runs two statements together"
_FAULTS = tuple(
    (re.compile(pattern), fault)
    for pattern, fault in (
        (r"^Will (?:is|are|was|otherwise|for|to|of|in|on|and|but|so)\b", "no clear subject"),
        (r"\b(?:of it|them|him|himself|so|one|the following|this time|as well|again)"
         r"(?= (?:by|until|if) |\?|,| and )", _NOT_NAMED),
        (r"^Will (?:the )?(?:both|two|all|many|some|few|other|new|first|second|next|any\w*|either"
         r"|there be a) ", _NAMELESS),
        (r"^Will (?:the|an?) (?:club|team|company|city|port|bank|mayor|president|minister|party"
         r"|party's leader|front|airport|study|group|new [a-z]+|state|union|report|window|price|law"
         r"|bill|finals?|organisers|election|budget|sale|merger|deal|plan) [a-z]",
         _NAMELESS),
        (r"^Will [A-Z][a-z-]+ [a-z]*[^\Ws]s [a-z]", _NAMELESS),
        (r"\b(?:and|or|the|an?|of|to|in|at|for|with|from|on|follow|put|set|take|get|come|vote)"
         r" (?:by|until) \d", "the wording is cut off"),
        (r"^Will an? (?!second|bill|law|winter|referendum|government|truce|court|vote)[a-z]",
         _NAMELESS),
        (r", \d\d? per ?cent|\bas (?:[A-Z][a-z]+|[a-z]+s?) \w+s ", _TWO_STATEMENTS),
        (r"^Will [^?]*? (?:begin|start|publish (?:its|the)\b[^?]*|make (?:its|their|a)"
         r" (?:choice|decision|announcement)|end its\b[^?]*|meet next) (?:by|on) \d",
         "asks only about a scheduled date"),
        (r"^Will [\w' ]+ (?:met|faced|said|told|gave|took) ", _TWO_STATEMENTS),
        (r"\b(?:phone|model|car|tablet|console|film|probe|capsule|rocket|telescope|vaccine|drug|jet"
         r"|game|album|book) take place", "the wording is cut off"),
        (r"\ba\.m\. |\bp\.m\. |, [A-Z][a-z]+ to [a-z]+|\band \w+s on\b", _TWO_STATEMENTS),
        (rf"\b(?:by|in|from|on) (?:(?:\d+ )?(?:{'|'.join(MONTHS)})|\d{{4}})\b[^?]*"
         r" (?:by|on|until) \d", "the title has two dates"),
    )
)  # fmt: skip
# Words that begin a sentence, with a capital that the title keeps.
_NO_NAME = re.compile(
    r"(?<=^Will )(?:Former|Midfielder|Goalkeeper|Defender|Striker|Researchers|Engineers|Otherwise"
    r"|Director|Coach|Captain|Author|Actor|Singer|Maker|Aircraft|Carmaker|Chipmaker|Astronauts)\b"
)
_SHORTEST = 4  # words
_ABOUT_A_NAME = re.compile(
    r"Will (?:(?:the|President|Prime Minister|Chancellor) )?(?!(?:City|United)\b)[A-Z][\w.'’-]+"
    r"(?: [A-Z(][\w.'’-]+| (?:of|and|the) (?=[A-Z]))* (?!be (?![a-z]+ed )"
    r"|(?:start|begin|attend|play|miss|win|face|try|look|return)\b)[a-z]"
)


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
    matter = _BY.split(wording.predicate)[0]
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


def without_asides(question: str) -> str:
    """Return a title without the clauses that only tell its sentence's story."""
    question = _NO_NAME.sub(lambda one: one[0].lower(), question)
    short = _AFTER_DAY.sub(r"\1", _ASIDE.sub("", question))
    return short if len(short.split()) >= _SHORTEST else question


def find_fault(question: str, *, is_named: bool = False) -> str:
    """Return why a title cannot be read alone, or ''. ``is_named``: its subject is known to be."""
    for pattern, fault in _FAULTS:
        if pattern.search(question) and not (is_named and fault in (_NOT_NAMED, _NAMELESS)):
            return fault
    verb = _LEFT_OVER_VERB.search(question)
    is_clause = verb is None or _CLAUSE_WORD.search(question[: verb.start()])
    return "" if is_clause else _TWO_STATEMENTS


def is_about_a_name(question: str) -> bool:
    """Return whether a title is about something named, and says more than "win"."""
    return _ABOUT_A_NAME.match(question) is not None and len(question.split()) > _SHORTEST + 1


def names_someone(question: str) -> bool:
    """Return whether a title has a name after its first word."""
    return _NAME.search(_DATES.sub("", question)) is not None
