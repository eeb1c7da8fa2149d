"""Typographic variants for pattern matching, and patterns built from lists of words."""

from __future__ import annotations

# One character replaces one, so positions in the result are positions in the original.
_PLAIN = str.maketrans(
    {
        **dict.fromkeys("‘’‛", "'"),
        **dict.fromkeys("“”„", '"'),
        **dict.fromkeys("–‑‒−", "-"),
        **dict.fromkeys("\u00a0\u202f\u2009", " "),
    }
)


def alternatives(words: str) -> str:
    """Return a pattern that matches any of the space-separated words."""
    return "|".join(words.split())


def plain_punctuation(text: str) -> str:
    """Return ``text`` with ASCII quotation marks, dashes and spaces, at the same positions."""
    return text if text.isascii() else text.translate(_PLAIN)  # seldom needed, and slow
