"""An exact quote and where it stands: the TextQuoteSelector of the W3C Web Annotation model.

A quote is kept with the words around it, so that it is found again in a text that has changed
elsewhere, and told apart from the same words in another place.
"""

from __future__ import annotations

from forecasts.articles.article import PARAGRAPH

CONTEXT = 32  # characters kept on each side


def context(text: str, start: int, end: int) -> tuple[str, str]:
    """Return the prefix and the suffix of ``text[start:end]``, of up to ``CONTEXT`` characters."""
    return text[max(0, start - CONTEXT) : start], text[end : end + CONTEXT]


def excerpt(text: str, start: int, end: int, most: int = 300) -> tuple[str, int]:
    """Return ``text[start:end]`` among its neighbours, and where it begins in what is returned.

    The neighbours are those of its paragraph (or paragraphs), cut at a word and marked with an
    ellipsis where one side of it has more than ``most`` characters.
    """
    first, last = text.rfind(PARAGRAPH, 0, start), text.find(PARAGRAPH, end)
    before = text[0 if first < 0 else first + len(PARAGRAPH) : start]
    after = text[end : len(text) if last < 0 else last]
    if len(before) > most:
        before = f"… {before[-most:].partition(' ')[2]}"
    if len(after) > most:
        after = f"{after[:most].rpartition(' ')[0]} …"
    return before + text[start:end] + after, len(before)


def locate(text: str, quote: str, prefix: str, suffix: str) -> int | None:
    """Return where ``quote`` begins in ``text``, None where it no longer stands there.

    Of several places the one whose surroundings agree best with prefix and suffix is meant, and
    the first of those that agree equally well.
    """
    best: tuple[int, int] | None = None
    start = text.find(quote) if quote else -1
    while start >= 0:
        before = text[max(0, start - len(prefix)) : start]
        end = start + len(quote)
        after = text[end : end + len(suffix)]
        agreement = _common(before[::-1], prefix[::-1]) + _common(after, suffix)
        if best is None or agreement > best[0]:
            best = agreement, start
        start = text.find(quote, start + 1)
    return None if best is None else best[1]


def _common(a: str, b: str) -> int:
    """Return how many characters two strings share from their beginning."""
    return next(
        (n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b))
    )
