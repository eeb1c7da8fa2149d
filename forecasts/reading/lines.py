"""The shape of a line: its words, and whether it could be a sentence or a title.

Scraped text has lost its HTML, so lines are classified by their form and their neighbours.
"""

from __future__ import annotations

import re

LONG = 300  # characters; credits, buttons and the lines of a head are shorter
TITLE_LENGTH = 100  # characters of a title made from the first sentence
PROSE_WORDS = 25  # a line with this many words is prose even without a full stop

_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]{1,2}|[^\s\u3040-\u30ff\u3400-\u9fff]+")
_END = re.compile(r"[.!?…。！？]['\"’”»)\]]*(?:\s*[■□◼◆●∎])?$")
_TRAILS_OFF = re.compile(r"(?:…|\.\.\.)['\"’”)\]]*$")
_OPEN_END = re.compile(r"[:;,—–-]['\"’”]*$")
_SENTENCE_BREAK = re.compile(r"(?<=[a-z\d)'\"’”%][.!?])['\"’”]* (?=[A-Z\"'“‘])")


def words(line: str) -> list[str]:
    """Return the words of a line: runs with at least one letter or digit.

    Chinese and Japanese have no spaces between words; two characters count as a word.
    """
    return [word for word in _WORD.findall(line) if any(map(str.isalnum, word))]


def fold(line: str) -> str:
    """Return the letters and digits of a line, case-folded, to compare lines by."""
    return "".join(filter(str.isalnum, line.casefold()))


def sentences(line: str) -> list[str]:
    """Return the sentences of a line, split at full stops followed by capitals."""
    return _SENTENCE_BREAK.split(line)


def ends_as_sentence(line: str) -> bool:
    """Return whether a line ends with a full stop, a question mark or an exclamation mark."""
    return _END.search(line) is not None


def trails_off(line: str) -> bool:
    """Return whether a line ends with an ellipsis, as teasers do."""
    return _TRAILS_OFF.search(line) is not None


def is_prose(line: str) -> bool:
    """Return whether a line is at least one sentence, judged by its end and its length."""
    count = len(words(line))
    if ends_as_sentence(line):
        return count >= 2 or len(line) > 40
    return count >= PROSE_WORDS or (count >= 8 and _OPEN_END.search(line) is not None)


def is_heading_like(line: str) -> bool:
    """Return whether a line could be a title: short, without a full stop at the end."""
    return (
        1 <= len(words(line)) <= 30
        and len(line) <= LONG
        and not line.rstrip("'\"’”)").endswith((".", "…", ":", ",", ";", "|"))
    )


def first_sentence(text: str) -> str:
    """Return the first sentence of a text as a title, cut at a word if it is too long."""
    sentence = re.split(r"(?<=[.!?])['\"’”)]* (?=[A-Z\"'“‘])", text, maxsplit=1)[0]
    if len(sentence) > TITLE_LENGTH:
        return sentence[:TITLE_LENGTH].rsplit(" ", 1)[0].rstrip(",;:– ") + "…"
    return sentence.rstrip(".") or sentence
