"""Words of a search: whether a text has one, in SQL and in Python.

A word of one or two characters counts at the start of words only: inside them, it is in almost
every text. In scripts without capitals, which put no space between words, it counts anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import product
from typing import Any

from sqlalchemy import ColumnElement
from sqlmodel import col, or_

_SHORT = 2  # characters
_BEFORE = " \t\n,([\"“„«'‘‚-–/"  # the start of a word


def has_one(words: Sequence[str], *columns: Any) -> ColumnElement[bool]:
    """Return the condition that one of the words occurs in one of the columns."""
    # In each case, since SQLite folds the case of ASCII letters only.
    cased = {form(word) for word in words for form in (str, str.lower, str.upper, str.title)}
    variants = sorted(cased if any(not word.isascii() for word in words) else words)
    found = []
    for word, column in product(variants, map(col, columns)):
        contains = column.icontains(word, autoescape=True)
        if _is_short(word):
            starts = (column.icontains(before + word, autoescape=True) for before in _BEFORE)
            contains &= or_(column.istartswith(word, autoescape=True), *starts)
        found.append(contains)
    return or_(*found)


def word_pattern(word: str) -> str:
    """Return the regular expression of a word in a text, to be searched for in any case."""
    start = f"(?:^|(?<=[{re.escape(_BEFORE)}]))" if _is_short(word) else ""
    return start + re.escape(word)


def _is_short(word: str) -> bool:
    return len(word) <= _SHORT and (word.isdecimal() or word.lower() != word.upper())
