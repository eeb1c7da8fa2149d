"""Quotes are found again at their place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasts.reading.text_quotes import CONTEXT, TextQuote, excerpt, locate, quote_at


def test_the_surroundings_tell_equal_quotes_apart() -> None:
    text = "He will go. She said: he will go. They left."
    found = quote_at(text, 22, 33)
    assert text[22:33] == "he will go."
    assert locate(text, TextQuote("will go.", "She said: he ", " They")) == 25
    assert locate(text, TextQuote("will go.", "He ", " She")) == 3
    assert (found.prefix, found.suffix) == ("He will go. She said: ", " They left.")


def test_a_quote_is_found_in_a_text_that_changed_around_it() -> None:
    assert locate("Updated: he will go.", TextQuote("he will go", "She said: ", ".")) == 9


def test_a_quote_missing_from_the_text_is_not_found() -> None:
    assert locate("He went.", TextQuote("he will go")) is None
    assert locate("He went.", TextQuote()) is None


@pytest.mark.slow
@given(st.text(alphabet="ab \n", max_size=60), st.data())
def test_any_passage_is_found_again_or_one_that_reads_the_same(
    text: str, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    quote = quote_at(text, start, end)
    assert quote.quote == text[start:end]
    assert len(quote.prefix) <= CONTEXT >= len(quote.suffix)
    found = locate(text, quote)
    if start == end:
        assert found is None
    else:
        assert found is not None
        assert text[found:].startswith(text[start:end])
        assert quote_at(text, found, found + end - start) == quote


def test_a_sentence_is_shown_in_its_paragraph() -> None:
    text = "One.\n\nTwo. Three. Four.\n\nFive."
    assert excerpt(text, 11, 17) == ("Two. Three. Four.", 5)
    assert excerpt(text, 0, 4) == ("One.", 0)
    assert excerpt(text, 25, 30) == ("Five.", 0)


def test_a_long_paragraph_is_cut_at_words_on_both_sides() -> None:
    text = "word " * 50 + "Here it is." + " word" * 50
    shown, place = excerpt(text, 250, 261, limit=12)
    assert shown == "… word word Here it is. word word …"
    assert shown[place:].startswith("Here it is.")


@given(st.text(alphabet="ab \n", max_size=60), st.integers(0, 60), st.integers(0, 60))
def test_the_shown_text_is_the_passage_and_little_more(text: str, a: int, b: int) -> None:
    start, end = sorted((min(a, len(text)), min(b, len(text))))
    shown, place = excerpt(text, start, end, limit=5)
    assert shown[place : place + end - start] == text[start:end]
    assert len(shown) <= end - start + 2 * (5 + len("… "))
