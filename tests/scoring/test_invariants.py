"""What may not change a score: the order of rows and options, the opposite question, repeats."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring import PROTOCOLS, score
from tests.examples import examples
from tests.scoring.slow_reference import frames
from tests.scoring.strategies import HOUR, Ledger, ledgers

pytestmark = pytest.mark.slow

EVERYTHING = sorted(set(PROTOCOLS) - {"crps"})


def scores(ledger: Ledger, protocols: list[str] = EVERYTHING) -> pd.DataFrame:
    return score(*frames(ledger), protocols).drop(columns="updates")


def assert_same_scores(one: Ledger, other: Ledger) -> None:
    found = (scores(each)["score"] for each in (one, other))
    np.testing.assert_allclose(*found, rtol=1e-9, atol=1e-9)


@settings(max_examples=examples(16))
@given(ledgers(types=("binary", "multiple_choice", "numeric")), st.integers(0, 2**32 - 1))
def test_the_order_of_the_rows_does_not_matter(ledger: Ledger, seed: int) -> None:
    asked, made = ledger
    # Of two rows at one instant the later counts, so only other rows may be moved.
    alone = {(row["question_id"], row["forecaster"], row["time"]): row for row in made}
    rows = list(alone.values())
    order = np.random.default_rng(seed).permutation(len(rows))
    shuffled = asked[::-1], [rows[place] for place in order]
    some = ["brier", "skill", "gjo_accuracy", "crps"]
    expected = scores((asked, rows), some)
    pd.testing.assert_frame_equal(scores(shuffled, some), expected, rtol=0, atol=1e-11)


def in_other_order(ledger: Ledger) -> Ledger:
    """The options reversed except for the last, which stands for missing ones."""

    def turned(values: list[Any]) -> list[Any]:
        return [*values[-2::-1], values[-1]]

    asked, made = ledger
    changed = []
    for q in asked:
        place = turned(list(range(len(q["options"]))))
        outcome = None if q["outcome"] is None else place.index(q["outcome"])
        changed.append(q | {"options": turned(q["options"]), "outcome": outcome})
    return changed, [row | {"p": None if row["p"] is None else turned(row["p"])} for row in made]


@settings(max_examples=examples(16))
@given(ledgers(types=("multiple_choice",)))
def test_the_order_of_unordered_options_does_not_matter(ledger: Ledger) -> None:
    for question in ledger[0]:
        question["ordered"] = False
    assert_same_scores(in_other_order(ledger), ledger)


@settings(max_examples=examples(16))
@given(ledgers(types=("binary",)))
def test_asking_for_the_opposite_changes_no_score(ledger: Ledger) -> None:
    asked, made = ledger
    opposite = [q | {"outcome": None if q["outcome"] is None else 1 - q["outcome"]} for q in asked]
    rows = [row | {"p": None if row["p"] is None else 1 - row["p"]} for row in made]
    assert_same_scores((opposite, rows), ledger)


@settings(max_examples=examples(16))
@given(ledgers(), st.data())
def test_saying_the_same_again_changes_no_score(ledger: Ledger, data: st.DataObject) -> None:
    asked, made = ledger
    if not made:
        return
    place = data.draw(st.integers(0, len(made) - 1))
    row = made[place]
    path = ("question_id", "forecaster")
    times = [other["time"] for other in made if all(other[name] == row[name] for name in path)]
    until = min((time for time in times if time > row["time"]), default=row["time"] + 50 * HOUR)
    again = row | {"time": data.draw(st.integers(row["time"], until - 1))}
    if times.count(row["time"]) > 1:
        return
    more = [*made[: place + 1], again, *made[place + 1 :]]
    pd.testing.assert_frame_equal(scores((asked, more)), scores(ledger), rtol=1e-9, atol=1e-9)
