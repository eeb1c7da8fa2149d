"""Titles that may ask the same question in other words."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from forecasts.questions.similar_titles import LEAST, Title, similar_pairs
from tests.questions.title_pairs import NEAR_MISSES, SAME

ASKED = date(2026, 10, 1)


def proposed(pairs: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
    """Return the pairs that would be proposed, among the titles of all pairs."""
    ones, others = [list(side) for side in zip(*SAME, *NEAR_MISSES, strict=True)]
    within = np.tile([0, len(others)], (len(ones), 1))
    similar = {(ones[a], others[b]) for a, b, _ in similar_pairs(ones, others, within)}
    return [
        pair
        for pair in pairs
        if pair in similar and Title(pair[0], ASKED).may_equal(Title(pair[1], ASKED))
    ]


def test_no_near_miss_is_proposed() -> None:
    assert proposed(NEAR_MISSES) == []


def test_most_of_the_same_questions_are_proposed() -> None:
    assert len(proposed(SAME)) >= 25  # of 30


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Will it exceed 5%?", "Will it exceed 5.5%?"),
        ("Will it exceed 5,000?", "Will it exceed 50,000?"),
        ("Will it win in Q3 2026?", "Will it win in Q4 2026?"),
        ("Will two ports open?", "Will 3 ports open?"),
        ("Will GPT-6 be released?", "Will GPT-6.5 be released?"),
        ("Will the 2026 cup be held?", "Will the cup be held?"),
    ],
)
def test_numbers_that_differ_make_another_question(one: str, other: str) -> None:
    assert not Title(one, ASKED).may_equal(Title(other, ASKED))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Will it exceed $150k?", "Will it exceed $150,000?"),
        ("Will it exceed 1.5 million?", "Will it exceed 1,500,000?"),
        ("Will two ports open?", "Will 2 ports open?"),
        ("Will the port open in 2026?", "Will the port open before January 1, 2027?"),
    ],
)
def test_a_number_is_the_same_however_it_is_written(one: str, other: str) -> None:
    assert Title(one, ASKED).may_equal(Title(other, ASKED))


def test_a_title_without_words_resembles_nothing() -> None:
    assert list(similar_pairs(["", "?"], ["", "Will it?"], np.array([[0, 2], [0, 2]]))) == []


def test_blocks_do_not_change_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    ones, others = [list(side) for side in zip(*SAME, strict=True)]
    within = np.column_stack([np.arange(30) // 3 * 3, np.arange(30) // 3 * 3 + 3])
    whole = list(similar_pairs(ones, others, within))
    monkeypatch.setattr("forecasts.questions.similar_titles._BLOCK", 7)
    assert list(similar_pairs(ones, others, within)) == whole
    assert all(cosine >= LEAST for _, _, cosine in whole)
