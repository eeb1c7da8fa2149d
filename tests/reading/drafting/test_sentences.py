"""Sentences: their ends, and stops that do not end them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasts.reading.drafting.sentences import find_sentences


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in find_sentences(text)]


@pytest.mark.parametrize(
    "parts",
    [
        ["It rained.", "It stopped!", "Why?", "Nobody knew…", "So be it."],
        ["Mr. and Mrs. Bell met Gen. Ito.", "They left."],
        ["J. K. Moor and George W. Hill won.", "No. 10 lost 2.5 million."],
        ["The U.S. Senate met.", "He flew to the U.S.", "The plane was late."],
        ["Acme Inc. shares fell.", "They sold Acme Inc.", "The buyer paid."],
        ["She left at 5 p.m. Friday.", "He left at 6 p.m.", "The bar closed."],
        ['"It is over," he said.', '"Go home."', "They went."],
        ["“It is over,” he said.", "“Go home.”", "They went."],
        ["\"It was a long winter.'", "Nobody laughed."],
        ["It rained" + "." * 1_000_000 + "b.", "It stopped" + "?!" * 500_000, "So be it."],
        ["It closed on Aug. 3 (a Sunday).", "(It was hot.)", "Version 4.12 came."],
    ],
)
def test_a_paragraph_falls_into_its_sentences(parts: list[str]) -> None:
    assert sentences(" ".join(parts)) == parts


def test_a_heading_without_a_stop_is_a_sentence_of_its_own() -> None:
    assert sentences("A quiet town\n\nIt sleeps.") == ["A quiet town", "It sleeps."]
    assert sentences("A quiet town\nIt sleeps.") == ["A quiet town", "It sleeps."]


def test_a_wrapped_line_goes_on() -> None:
    text = (
        "The council of the small harbour town has decided that it is\nOslo that pays. It\nwaits."
    )
    assert sentences(text) == [
        "The council of the small harbour town has decided that it is\nOslo that pays.",
        "It\nwaits.",
    ]


def test_sentences_keep_their_place_despite_white_space() -> None:
    assert find_sentences("  It rains.\n\n  It pours. ") == [(2, 11), (15, 24)]
    assert find_sentences(" \n ") == []


@given(st.one_of(st.text(), st.text(alphabet="Ab.!?…\"'”’ \n")))
def test_no_character_but_white_space_is_lost(text: str) -> None:
    end = 0
    for start, stop in find_sentences(text):
        assert not text[end:start].strip()
        assert start < stop
        end = stop
    assert not text[end:].strip()
