"""Text without invisible control characters, and CSV cells without formulas."""

from __future__ import annotations

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasts.common.text import on_one_line, printable, unstorable_character, without_formulas
from tests import nasty

ACTS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b\ufeff\ud800-\udfff]"
)
SIGNS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def begins_a_formula(cell: str) -> bool:
    return cell.lstrip(" \t\r\n\xa0\u200b\ufeff\x00\x0b\x0c").startswith(SIGNS)


@pytest.mark.parametrize("word", [*nasty.WORDS, *nasty.UNSTORABLE])
def test_no_word_keeps_a_sign_that_acts_unseen(word: str) -> None:
    assert not ACTS.search(printable(word))
    assert not set("\n\t") & set(on_one_line(word))
    printable(word).encode()


@pytest.mark.parametrize("word", [*nasty.MARKUP, *nasty.HARMLESS])
def test_visible_questions_are_shown(word: str) -> None:
    assert printable(word) == word


@pytest.mark.parametrize("word", nasty.WORDS)
def test_no_cell_becomes_a_formula_with_any_separator(word: str) -> None:
    line = io.StringIO()
    csv.writer(line).writerow([without_formulas(word), "next"])
    for sign in ",;\t":
        for row in csv.reader(io.StringIO(line.getvalue(), newline=""), delimiter=sign):
            assert not any(map(begins_a_formula, row))
    # Nothing is lost.
    assert without_formulas(word).replace("'", "") == printable(word).replace("'", "")


@given(st.text(st.sampled_from(" \t\r\n;=+-@＝a'\u00a0\ufeff")))
def test_no_part_of_any_cell_begins_a_formula(word: str) -> None:
    assert not any(map(begins_a_formula, re.split("[;\t\r\n]", without_formulas(word))))


@pytest.mark.parametrize("word", nasty.UNSTORABLE)
def test_a_value_that_is_not_text_is_named(word: str) -> None:
    assert re.search(r"U\+(0000|D800)", unstorable_character(word))


@given(st.text())
def test_any_other_text_can_be_stored(word: str) -> None:
    assert unstorable_character(word.replace("\0", "")) == ""
