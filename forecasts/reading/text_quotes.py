"""Quotes from an article: the TextQuoteSelector of the W3C Web Annotation model.

A quote is kept with the text around it, so that it can be found again after changes elsewhere in
the article and told apart from the same words in another place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from forecasts.reading.article import PARAGRAPH

CONTEXT = 32  # characters kept on each side


@dataclass(frozen=True, slots=True)
class TextQuote:
    """An exact quote with the text before and after it; empty for a whole article."""

    quote: str = ""
    prefix: str = ""
    suffix: str = ""


def quote_at(text: str, start: int, end: int) -> TextQuote:
    """Return ``text[start:end]`` with up to ``CONTEXT`` characters on each side."""
    prefix, suffix = text[max(0, start - CONTEXT) : start], text[end : end + CONTEXT]
    return TextQuote(text[start:end], prefix, suffix)


def excerpt(text: str, start: int, end: int, limit: int = 300) -> tuple[str, int]:
    """Return ``text[start:end]`` within its paragraph, and its position in the excerpt.

    Each side has at most ``limit`` characters; a longer one is cut at a word and marked with an
    ellipsis.
    """
    first, last = text.rfind(PARAGRAPH, 0, start), text.find(PARAGRAPH, end)
    before = text[0 if first < 0 else first + len(PARAGRAPH) : start]
    after = text[end : len(text) if last < 0 else last]
    if len(before) > limit:
        before = f"… {before[-limit:].partition(' ')[2]}"
    if len(after) > limit:
        after = f"{after[:limit].rpartition(' ')[0]} …"
    return before + text[start:end] + after, len(before)


def locate(text: str, wanted: TextQuote) -> int | None:
    """Return the position of a quote in ``text``, None if it is no longer there.

    Of several places, the first whose surroundings agree best with prefix and suffix is chosen.
    """

    def agreement(start: int) -> int:
        end = start + len(wanted.quote)
        before = text[max(0, start - len(wanted.prefix)) : start]
        after = text[end : end + len(wanted.suffix)]
        return _common(before[::-1], wanted.prefix[::-1]) + _common(after, wanted.suffix)

    places = re.finditer(f"(?={re.escape(wanted.quote)})", text) if wanted.quote else ()
    return max((place.start() for place in places), key=agreement, default=None)


def _common(a: str, b: str) -> int:
    """Return the length of the common prefix of two strings."""
    return next(
        (n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b))
    )
