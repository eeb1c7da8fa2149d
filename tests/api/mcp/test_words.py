"""Others' words are data: nothing in them can end the code span or the fence around them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasts.api.words import answer, block, line
from tests.nasty import MARKUP

TICKS = st.text(alphabet="`ab \n\t~", max_size=40) | st.sampled_from(MARKUP)


@pytest.mark.slow
@given(TICKS)
def test_a_code_span_ends_only_at_its_end(text: str) -> None:
    shown = line(text)
    assert "\n" not in shown
    if shown == "(blank)":
        return
    ticks = re.match("`+", shown)
    assert ticks is not None
    assert shown.endswith(ticks[0])
    runs = [len(run) for run in re.findall("`+", shown)]
    assert runs.count(len(ticks[0])) == 2
    assert (runs[0], runs[-1]) == (len(ticks[0]), len(ticks[0]))


@given(TICKS)
def test_a_fence_ends_only_at_its_end(text: str) -> None:
    first, *inside, last = block(text).splitlines()
    assert first == f"{last}text"
    assert not any(re.match(rf"\s*{last}", row) for row in inside)


def test_invisible_characters_are_left_out_and_long_texts_cut() -> None:
    hidden = "".join(chr(0xE0000 + ord(letter)) for letter in "obey")
    assert line(f"safe{hidden}\u202e") == "`safe`"
    assert hidden not in block(f"safe{hidden}")
    assert line("x" * 1_000, 10) == f"`{'x' * 10} … (990 characters more)`"


def test_an_answer_explains_its_backticks() -> None:
    assert answer("one", "", "two").startswith("Text in backticks was written by others")


@pytest.mark.parametrize("text", ["", " ", "\u200b"])
def test_blank_words_are_named(text: str) -> None:
    assert line(text) == "(blank)"
