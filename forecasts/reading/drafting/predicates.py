"""The verb phrase of a question, with the close date in place of the deadline.

"lift the ban by the end of 2028, two officials said" becomes "lift the ban by 31 December 2028":
only the first clause, without its source, and with the date before a condition ("by 1 August 2025
unless a deal is struck").
"""

from __future__ import annotations

import re

from forecasts.reading.drafting.deadlines import Deadline
from forecasts.reading.drafting.intervals import long_date
from forecasts.reading.drafting.subjects import OPENING
from forecasts.reading.typography import alternatives, plain_punctuation


def by_date(deadline: Deadline | None, preposition: str = "by") -> str:
    """Return " by 31 December 2028", " from 1 May 2027", or '' without a deadline."""
    if deadline and deadline.since:
        return f" from {deadline.since}"
    return f" {preposition} {long_date(deadline.last_day)}" if deadline else ""


def one_line(text: str) -> str:
    """Return ``text`` with single spaces, and none at the ends."""
    return re.sub(r"\s+", " ", text).strip()


_CONNECTED = alternatives(
    "according which who whose where as but while although though amid despite citing said says "
    "so because he she they it"
)
_SAID = alternatives(
    "said say says announced announces warned warn warns believe believes predict predicts "
    "predicted insisted confirmed added think thinks suggested suggests indicated reported "
    "estimate estimates estimated argue argues argued claim claims claimed forecast show shows "
    "showed"
)
# Another clause or the source follows.
_NEXT_CLAUSE = re.compile(
    rf"""
    [;"(] | \s--?\s | :\s | \s?—
  | ,?\s+(?:and|but)\s+(?=[^,;]*\b(?:will|would|could|may|might|must|should|can|is|are
                           |was|were|has|have|had|said|plans?|intends?|hopes?|wants?|expects?)\b)
  | ,\s+and\s+(?=\w+ed\b)
  | \s(?:was|were)\s(?:probably|widely|meant|intended|seen|read|dismissed)\b
  | \s(?:is|are)\s(?:put\sat\s|about\s)?(?:\d[\d.]*\s?(?:%|per)|even\b)
  | ,\s+(?:{_CONNECTED}|a\s+move|[a-z]+ing)\b
  | ,?\s+with\s+[^,]*?\b[a-z]+ing\b
  | ,\s+(?!(?:and|or|but)\b)[^,]*?\b(?:[a-z]+ed|is|are|was|were|has|had|will|would)\b
  | ,\s+[^,]{{2,60}}\s(?:{_SAID}|told\b[^,]*)\b(?:\s+(?:on\s+)?\w+day)?[^,]{{0,40}}$
    """,
    re.VERBOSE,
)
# The date goes before these: "by 1 August 2025 unless a deal is struck".
_AFTER_DATE = re.compile(
    r"\s+(?:on )?(?:if|unless|provided|before|after|as|because|despite|amid|whether|when)\b"
)
_SHOULD = re.compile(r"^[Ss]hould ")  # "Should the talks fail, …"
_IS_CONDITION = re.compile(r"should|if|unless|once|when|as soon as", re.IGNORECASE)
_TIME_CLAUSE = re.compile(r"\s+(?:when|once|as soon as)\s[^,]*$")
_OTHER_TIME = re.compile(
    r",?\s+(?:(?:later )?this|next) (?:week|month|year|weekend),?\s*$|\s+soon\s*$"
    r"|\s+(?:an?|\w+) (?:day|week|month|year)s? later,?\s*$"
    r"|\s+(?:with)?in (?:a few |the coming )?(?:hours|days|weeks|months)\s*$"
    r"|\s+before (?:the|its|a) deadline\s*$"
    r"|\s+(?:on|in|at) the (?:night|evening|morning|afternoon|day|week) of\s*$"
)
_TO = re.compile(r"\bto\s+$")
_AND_TO = re.compile(r"\b(and|or) to (?=[a-z])")
_LASTS = re.compile(
    r"(?:until|till|through|up (?:to|until))\b"
    r"|for (?:the (?:next|coming)|another|a further|[\w ]+ more)\b|from\b.* (?:to|until|through) ",
    re.IGNORECASE,
)
_LASTING = re.compile(r"(?:stay|remain|continue|last|keep)\b")
# Prepositions whose object was cut off.
_LEFT_OVER = re.compile(
    r"(?:,|(?<!sworn)\s(?:and|or|to|at|in|on|for|from|of|by|effective|starting|the))+\s*$"
)


def verb_phrase(
    sentence: str, start: int, verb: str, deadline: Deadline | None, *, lasting: bool
) -> str:
    """Return ``verb`` and the clause from ``start`` on, with the close date as the deadline."""
    rest, condition, at = sentence[start:], "", "by"
    if deadline and deadline.end > start:
        rest, after = sentence[start : deadline.start], sentence[deadline.end :]
        if plain_punctuation(after).startswith("'s"):
            # The day belongs to a noun: "miss Saturday's match" is "miss the match on 26 July".
            rest, after, at = f"{rest}the{after[2:]}", "", "on"
        rest = _LEFT_OVER.sub("", _OTHER_TIME.sub("", _TIME_CLAUSE.sub("", rest)))
        if _AFTER_DATE.match(after):
            condition = _first_clause(after)
        elif not after.lstrip().startswith(","):
            rest += after
    if _TO.search(sentence[:start]):  # "hopes to visit Brega and to meet Holm"
        rest = _AND_TO.sub(r"\1 ", rest)
    phrase = _OTHER_TIME.sub("", _first_clause(f"{verb} {rest}"))
    if deadline and deadline.end <= start and (later := _AFTER_DATE.search(phrase)):
        phrase, condition = phrase[: later.start()], phrase[later.start() :].strip()
    lasts = deadline and (_LASTS.match(deadline.phrase) or _LASTING.match(phrase)) and lasting
    phrase = phrase.rstrip(" ,")
    return one_line(f"{phrase}{by_date(deadline, 'until' if lasts else at)} {condition}")


def _first_clause(text: str) -> str:
    """Return the text before the next clause, without the stop."""
    clause = _NEXT_CLAUSE.search(plain_punctuation(text))
    return one_line(text[: clause.start()] if clause else text).rstrip(".,!…'’\"” ")


def noun_phrase(sentence: str, start: int, deadline: Deadline | None) -> str:
    """Return the noun phrase from ``start`` to the deadline or the next clause."""
    end = deadline.start if deadline and deadline.start >= start else len(sentence)
    return _LEFT_OVER.sub("", _first_clause(sentence[start:end]))


def condition(sentence: str, cue_start: int, deadline: Deadline | None) -> str:
    """Return " if the dam fails" if the sentence begins with it, or ''.

    A deadline in it is replaced by the close date.
    """
    opening = OPENING.match(plain_punctuation(sentence), 0, cue_start)
    if opening is None or not _IS_CONDITION.match(opening["opener"]):
        return ""
    start, end = opening.start("opener"), opening.end()
    words = sentence[start:end]
    if deadline and deadline.end <= end:
        before = sentence[start : deadline.start].rstrip()
        words = before + by_date(deadline) + sentence[deadline.end : end]
    words = _SHOULD.sub("if ", one_line(words).rstrip(" ,"))
    return f" {words[0].lower()}{words[1:]}"
