"""The sentences of a text, as positions.

A paragraph ends at an empty line, or at a line break that is not mere wrapping. Within a
paragraph, a sentence ends at a full stop, question mark, exclamation mark or ellipsis, including
closing quotation marks and brackets, if the next word can begin a sentence. A stop after an
abbreviation or an initial, or within a number, does not end a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from forecasts.reading.typography import alternatives

_BREAK = re.compile(r"\n\s*")
# From the first of several stops alone: the time would else grow with the square of their number.
_STOP = re.compile(r"(?<![.!?…])[.!?…]++[\"'”’»)\]]*+(?=\s+[\"'“‘«(\[]*[^\W_a-z])")

# Before a name or a number: a stop after these does not end a sentence.
_TITLES = re.compile(
    alternatives(
        "mr mrs ms dr prof gen lt col sgt capt cmdr maj brig adm sen rep gov pres hon rev fr st "
        "mt ft no nos art sec vs cf fig vol pp approx ca jan feb mar apr jun jul aug sept oct "
        "nov dec"
    )
)
# These end a sentence if the next word commonly begins one.
_SHORT_FORMS = re.compile(alternatives("inc corp co ltd plc llc jr sr etc"))
_OPENERS = re.compile(
    alternatives(
        "a after although an and as at before but by despite during each even few for from he "
        "her his however if in it its last many meanwhile most no none on once one only other "
        "others our she since so some that the their then there these they this those though to "
        "under until we what when where while who with you yet"
    )
)
_INITIALS = re.compile(r"(?:[a-z]\.)+[a-z]")
_WORD_BEFORE = re.compile(r"[\w.]+$")
_WORD_AFTER = re.compile(r"\s+[\"'“‘«(\[]*([\w]+)")


def find_sentences(text: str) -> list[tuple[int, int]]:
    """Return (start, end) of each sentence of ``text``, in order, without surrounding space."""
    spans = (span for start, end in _paragraphs(text) for span in _split(text, start, end))
    return [(start, end) for start, end in spans if end > start]


def _paragraphs(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for line_break in _BREAK.finditer(text):
        if not _is_wrapped(text, start, line_break):
            yield start, line_break.start()
            start = line_break.end()
    yield start, len(text)


def _is_wrapped(text: str, start: int, line_break: re.Match[str]) -> bool:
    """Return whether a line break only wraps a full line."""
    if line_break.group().count("\n") > 1:
        return False
    line = text[text.rfind("\n", start, line_break.start()) + 1 : line_break.start()]
    follows = text[line_break.end() : line_break.end() + 1]
    if line.rstrip().endswith((".", "!", "?", "…", ":", '"', "'", "”", "’")):
        return False
    return follows.islower() or 55 <= len(line) <= 100


def _split(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    for stop in _STOP.finditer(text, start, end):
        if not _is_abbreviation(text, start, stop):
            yield _trimmed(text, start, stop.end())
            start = stop.end()
    yield _trimmed(text, start, end)


def _is_abbreviation(text: str, start: int, stop: re.Match[str]) -> bool:
    if stop.group() != ".":
        return False
    before = _WORD_BEFORE.search(text, max(start, stop.start() - 20), stop.start())
    after = _WORD_AFTER.match(text, stop.end())
    if before is None:
        return False
    word = before.group().lower()
    if _TITLES.fullmatch(word):
        return True
    opens = after is not None and _OPENERS.fullmatch(after.group(1).lower()) is not None
    if len(word) == 1 and before.group().isupper():
        return word == "i" or not opens
    return not opens and (_SHORT_FORMS.fullmatch(word) or _INITIALS.fullmatch(word)) is not None


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    start = end - len(text[start:end].lstrip())
    return start, start + len(text[start:end].rstrip())
