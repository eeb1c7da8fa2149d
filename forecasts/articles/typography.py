"""Text made plain for patterns, and patterns made of words."""

from __future__ import annotations

# Every character keeps its place, so that a position in the plain text is one in the text.
_PLAIN = str.maketrans(
    {
        **dict.fromkeys("‘’‛", "'"),
        **dict.fromkeys("“”„", '"'),
        **dict.fromkeys("–‑‒−", "-"),
        **dict.fromkeys("\u00a0\u202f\u2009", " "),
    }
)


def any_of(words: str) -> str:
    """Return a pattern for any of the words, which are parted by spaces."""
    return "|".join(words.split())


def plain(text: str) -> str:
    """Return ``text`` with one sign for each quotation mark, dash and space; positions stay."""
    return text.translate(_PLAIN)
