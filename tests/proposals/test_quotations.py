"""A quotation is in its source letter by letter, or it does not count."""

from __future__ import annotations

import random
import re

from hypothesis import given
from hypothesis import strategies as st

from forecasts.proposals.quotations import LEAST, find_quotation

TEXT = st.text(alphabet=st.sampled_from("abcdeé日 \n\t.,“”\u200b\u202e"), min_size=1, max_size=200)


def folded(text: str) -> str:
    return " ".join(text.split())


@given(text=TEXT, start=st.integers(0, 200), length=st.integers(0, 200))
def test_a_passage_of_the_source_is_found_whatever_its_white_space(
    text: str, start: int, length: int
) -> None:
    passage = text[start : start + length]
    found = find_quotation(text, re.sub(r"\s+", "\n  ", passage))
    if sum(map(len, passage.split())) < LEAST:
        assert found is None
    else:
        assert found is not None
        assert folded(found.quote) == folded(passage)


@given(text=TEXT, quotation=TEXT)
def test_what_is_found_is_in_the_source_with_the_same_letters(text: str, quotation: str) -> None:
    found = find_quotation(text, quotation)
    if found is not None:
        assert found.prefix + found.quote + found.suffix in text
        assert folded(found.quote) == folded(quotation)
    else:
        assert folded(quotation) not in folded(text) or sum(map(len, quotation.split())) < LEAST


def test_one_changed_letter_is_enough_to_be_dropped() -> None:
    text = "The council will decide by the end of March 2026 whether the ferry is replaced."
    chance = random.Random(37)
    for _ in range(500):
        place = chance.randrange(len(text))
        if text[place] == " ":
            continue
        other = chance.choice("xq#ΟоΑ0")  # with Greek and Cyrillic letters that look alike
        assert find_quotation(text, text[:place] + other + text[place + 1 :]) is None
