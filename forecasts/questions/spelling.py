"""Words of titles that resemble mistyped ones, so that a search with a typo still finds.

Rejected: an index of trigrams (SQLite's FTS5, PostgreSQL's pg_trgm). It needs an extension on one
database and a table kept up to date on the other, and only tells that words are similar, not which
ones. Reading 20,000 titles and comparing their words takes a third of a second, and only after a
search that found nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from difflib import get_close_matches

_WORD = re.compile(r"\w{3,}")
_MOST, _SIMILARITY = 3, 0.74  # "rian" and "rain" have 0.75


def similar_words(typed: str, titles: Iterable[str]) -> dict[str, list[str]]:
    """Return, for each typed word that no title has, the most similar words of the titles.

    Case and accents make no difference. Empty if nothing is similar.

    >>> similar_words("huwaei chips", ["Will Huawei sell chips?"])
    {'huwaei': ['Huawei']}
    """
    words_of_titles = set(_WORD.findall("\n".join(titles)))
    every = "\n".join(words_of_titles).casefold()
    known = {_plain(word): word for word in sorted(words_of_titles)}
    found = {
        word: [known[close] for close in get_close_matches(_plain(word), known, _MOST, _SIMILARITY)]
        for word in typed.split()
        if word.casefold() not in every
    }
    return {word: close for word, close in found.items() if close}


def _plain(word: str) -> str:
    parts = unicodedata.normalize("NFKD", word)
    return "".join(part for part in parts if not unicodedata.combining(part)).casefold()
