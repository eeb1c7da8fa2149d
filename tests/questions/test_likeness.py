"""Titles that may ask the same question in other words.

``title_pairs.csv``: pairs made by hand, asked on 1 October 2026: the same question in two
platforms' words, and near misses.
"""

from __future__ import annotations

import csv
from datetime import date
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from forecasts.questions.likeness import Title, alike

PAIRS = Path(__file__).parent / "title_pairs.csv"
ASKED = date(2026, 10, 1)


def test_most_of_the_same_questions_are_alike_and_no_near_miss_is() -> None:
    rows = list(csv.DictReader(PAIRS.read_text(encoding="utf-8").splitlines()))
    ones, others = ([Title(row[side], ASKED) for row in rows] for side in ("one", "other"))
    found = {one for one, other, _ in alike(ones, others) if one == other}
    same = {place for place, row in enumerate(rows) if row["same"] == "yes"}
    assert (len(rows), len(same)) == (60, 30)
    assert found <= same
    assert len(found) >= 25


@pytest.mark.parametrize(
    ("one", "other", "may_equal"),
    [
        ("Will it exceed 5%?", "Will it exceed 5.5%?", False),
        ("Will it exceed 5,000?", "Will it exceed 50,000?", False),
        ("Will it win in Q3 2026?", "Will it win in Q4 2026?", False),
        ("Will two ports open?", "Will 3 ports open?", False),
        ("Will GPT-6 be released?", "Will GPT-6.5 be released?", False),
        ("Will the 2026 cup be held?", "Will the cup be held?", False),
        ("Will it exceed $150k?", "Will it exceed $150,000?", True),
        ("Will it exceed 1.5 million?", "Will it exceed 1,500,000?", True),
        ("Will two ports open?", "Will 2 ports open?", True),
        ("Will the port open in 2026?", "Will the port open before January 1, 2027?", True),
    ],
)
def test_another_number_makes_another_question(one: str, other: str, may_equal: bool) -> None:
    assert Title(one, ASKED).may_equal(Title(other, ASKED)) is may_equal


def test_a_title_without_words_is_like_no_other() -> None:
    ones, others = ([Title(text, ASKED) for text in texts] for texts in (["", "?"], ["", "Will"]))
    assert list(alike(ones, others)) == []


def test_only_titles_within_the_range_are_compared() -> None:
    titles = [Title(f"Will the {name} quay open?", ASKED) for name in ("", "old", "old", "")]
    within = np.array([[0, 2], [0, 2], [2, 4], [2, 4]])
    found = [(one, other) for one, other, _ in alike(titles, titles, within)]
    assert set(found) == {*product((0, 1), (0, 1)), *product((2, 3), (2, 3))}
