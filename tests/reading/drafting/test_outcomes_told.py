"""Sentences that tell the outcome of an open question, and such that only seem to.

``answers_told.tsv`` has sentences of our own. Parts ``a`` and ``b`` are plain; part ``c`` misled
the first rules. The rules were written with all of them in view.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from forecasts.reading.drafting.outcomes_told import answer_told

with Path(__file__).with_name("answers_told.tsv").open(encoding="utf-8", newline="") as file:
    ROWS = list(csv.DictReader(file, delimiter="\t"))
NOT_FOUND = {"Will the city of Olm host the games of 2032?"}  # who is chosen to host has not hosted


@pytest.mark.parametrize("row", ROWS)
def test_an_outcome_that_is_told_is_found_and_no_other(row: dict[str, str]) -> None:
    expected = row["told"] == "yes" and row["question"] not in NOT_FOUND
    assert bool(answer_told(row["question"], ["It rained.", row["passage"]])) == expected


def test_another_form_of_question_is_left_alone() -> None:
    for question in ("When will Olm vote?", "Who won the cup?", "Will the bypass"):
        assert answer_told(question, ["Olm voted on Monday.", "Halden won the cup."]) == ""


def test_a_text_without_full_stops_tells_nothing_and_takes_no_time() -> None:
    title = f"Will {' '.join(f'word{number}' for number in range(300))}?"
    assert answer_told(title, ["word1 " * 200_000]) == ""
    assert answer_told("Will Olm win the cup?", [f"Olm won the cup on {'Monday ' * 100}"]) == ""
