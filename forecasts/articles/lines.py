"""The shape of a line: its words, whether it is a sentence, whether it could be a title.

A scraped page has lost its HTML, so a line is judged by itself and by its neighbours.
"""

from __future__ import annotations

import re

LONG = 300  # no credit, no button and no line of a head is longer, in characters
TITLE_LENGTH = 100  # of a title made from the first sentence, in characters
PROSE_WORDS = 25  # a line of so many words is prose even if it does not end like a sentence

_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]{1,2}|[^\s\u3040-\u30ff\u3400-\u9fff]+")
_END = re.compile(r"[.!?…。！？]['\"’”»)\]]*(?:\s*[■□◼◆●∎])?$")
_TRAILS_OFF = re.compile(r"(?:…|\.\.\.)['\"’”)\]]*$")
_OPEN_END = re.compile(r"[:;,—–-]['\"’”]*$")
_SENTENCE_BREAK = re.compile(r"(?<=[a-z\d)'\"’”%][.!?])['\"’”]* (?=[A-Z\"'“‘])")


def words(line: str) -> list[str]:
    """Return the words of a line: runs that hold a letter or a digit.

    Chinese and Japanese put no space between words; two signs count as one.
    """
    return [word for word in _WORD.findall(line) if any(sign.isalnum() for sign in word)]


def key(line: str) -> str:
    """Return the letters and digits of a line, folded: what makes two lines the same."""
    return "".join(sign for sign in line.casefold() if sign.isalnum())


def sentences(line: str) -> list[str]:
    """Return the sentences of a line, as far as full stops and capitals show them."""
    return _SENTENCE_BREAK.split(line)


def ends_as_sentence(line: str) -> bool:
    """Return whether a line ends with a full stop, question or exclamation mark."""
    return _END.search(line) is not None


def trails_off(line: str) -> bool:
    """Return whether a line was cut short, as teasers are."""
    return _TRAILS_OFF.search(line) is not None


def is_prose(line: str) -> bool:
    """Return whether a line is a sentence or more, judged by its end and its length."""
    count = len(words(line))
    if ends_as_sentence(line):
        return count >= 2 or len(line) > 40
    return count >= PROSE_WORDS or (count >= 8 and _OPEN_END.search(line) is not None)


def is_heading_like(line: str) -> bool:
    """Return whether a line could be a title: short, and not ending with a full stop."""
    return (
        1 <= len(words(line)) <= 30
        and len(line) <= LONG
        and not line.rstrip("'\"’”)").endswith((".", "…", ":", ",", ";", "|"))
    )


def first_sentence(text: str) -> str:
    """Return the first sentence of a text as a title, shortened at a word."""
    sentence = re.split(r"(?<=[.!?])['\"’”)]* (?=[A-Z\"'“‘])", text, maxsplit=1)[0]
    if len(sentence) > TITLE_LENGTH:
        return sentence[:TITLE_LENGTH].rsplit(" ", 1)[0].rstrip(",;:– ") + "…"
    return sentence.rstrip(".") or sentence
