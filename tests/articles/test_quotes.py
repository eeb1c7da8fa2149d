"""Quotes: they are found again where they stood."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from forecasts.articles.quotes import CONTEXT, context, locate


def test_the_surroundings_tell_equal_quotes_apart() -> None:
    text = "He will go. She said: he will go. They left."
    prefix, suffix = context(text, 22, 33)
    assert text[22:33] == "he will go."
    assert locate(text, "will go.", "She said: he ", " They") == 25
    assert locate(text, "will go.", "He ", " She") == 3
    assert (prefix, suffix) == ("He will go. She said: ", " They left.")


def test_a_quote_is_found_in_a_text_that_changed_around_it() -> None:
    assert locate("Updated: he will go.", "he will go", "She said: ", ".") == 9


def test_a_quote_that_no_longer_stands_there_is_not_found() -> None:
    assert locate("He went.", "he will go", "", "") is None
    assert locate("He went.", "", "", "") is None


@given(st.text(alphabet="ab \n", max_size=60), st.data())
def test_any_passage_is_found_again_or_one_that_reads_the_same(
    text: str, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    prefix, suffix = context(text, start, end)
    assert len(prefix) <= CONTEXT >= len(suffix)
    found = locate(text, text[start:end], prefix, suffix)
    if start == end:
        assert found is None
    else:
        assert found is not None
        assert text[found:].startswith(text[start:end])
        assert context(text, found, found + end - start) == (prefix, suffix)
