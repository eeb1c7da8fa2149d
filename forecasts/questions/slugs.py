"""Slugs: the short names of questions in commands, links and folders."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Container

LONGEST = 60  # characters of a slug made from a title
_SLUG = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]{0,99}")
# Latin letters that Unicode does not decompose into a plain letter and a mark.
_LATIN = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"}
)
_APOSTROPHES = str.maketrans("", "", "'’ʼ")


def is_slug(text: str) -> bool:
    """Return whether ``text`` is a valid slug."""
    return _SLUG.fullmatch(text) is not None


def stem_of(title: str) -> str:
    """Return as many whole words of the title as fit into a slug; '' without Latin letters.

    >>> stem_of("Will Müller & Söhne’s Łódź plant close?")
    'will-muller-sohnes-lodz-plant-close'
    """
    folded = title.casefold().translate(_APOSTROPHES).translate(_LATIN)
    plain = unicodedata.normalize("NFKD", folded).encode("ascii", "ignore").decode()
    words = re.findall(r"[a-z0-9]+", plain)
    if not any(letter.isalpha() for letter in plain):
        return ""  # another script: its digits alone would not identify the question
    lengths = itertools.accumulate(1 + len(word) for word in words)
    fitting = [word for word, length in zip(words, lengths, strict=True) if length <= LONGEST + 1]
    return "-".join(fitting) or words[0][:LONGEST]


def free_slug(title: str, taken: Container[str]) -> str:
    """Return a slug for the title that is not ``taken``, with a number if necessary.

    A title without Latin letters gets question-1, question-2, and so on.
    """
    stem = stem_of(title)
    numbered = (f"{stem or 'question'}-{number}" for number in itertools.count(2 if stem else 1))
    return next(
        slug for slug in itertools.chain([stem] if stem else [], numbered) if slug not in taken
    )
