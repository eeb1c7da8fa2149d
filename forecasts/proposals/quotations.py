"""Quotations: a passage that a model gives counts only if its source has it, letter by letter."""

from __future__ import annotations

import re

from forecasts.reading.text_quotes import TextQuote, quote_at

LEAST = 10  # characters of a passage: a single word is in every text


def find_quotation(text: str, quotation: str) -> TextQuote | None:
    r"""Return the passage as ``text`` has it, None if it has none with the same letters.

    Only the white space between words may differ.

    >>> find_quotation("The talks\nwill end in May.", "talks will end").quote
    'talks\nwill end'
    >>> find_quotation("The talks will end in May.", "the talks will end") is None
    True
    """
    words = quotation.split()
    if sum(map(len, words)) < LEAST:
        return None
    found = re.search(r"\s+".join(map(re.escape, words)), text)
    return None if found is None else quote_at(text, *found.span())
