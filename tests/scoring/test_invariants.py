"""Invariances and sums that hold for any questions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring import PROTOCOLS, Protocol, attribution, score
from tests.examples import examples
from tests.scoring.slow_reference import frames
from tests.scoring.strategies import HOUR, TIMES, Ledger, ledgers

pytestmark = pytest.mark.slow

PEERS = Protocol("peers", "brier", "scheduled_average", "peers")
EVERYTHING = sorted(set(PROTOCOLS) - {"crps"})


def scores(ledger: Ledger, protocol: str | Protocol | list[str]) -> pd.DataFrame:
    return score(*frames(ledger), protocol)


def assert_same_scores(one: Ledger, other: Ledger) -> None:
    found = (scores(each, EVERYTHING)["score"] for each in (one, other))
    np.testing.assert_allclose(*found, rtol=1e-9, atol=1e-9)


@settings(max_examples=examples(24))
@given(ledgers())
def test_the_peers_advantages_of_a_question_sum_to_zero(ledger: Ledger) -> None:
    total = scores(ledger, PEERS).groupby("question_id")["score"].sum()
    np.testing.assert_allclose(total, 0, atol=1e-12)


def later(ledger: Ledger, by: int) -> Ledger:
    asked, made = ledger
    moved = [q | {name: q[name] + by for name in TIMES} for q in asked]
    return moved, [row | {"time": row["time"] + by} for row in made]


@settings(max_examples=examples(16))
@given(ledgers(), st.integers(-20_000, 20_000))
def test_moving_everything_by_whole_days_changes_nothing(ledger: Ledger, days: int) -> None:
    # Whole days, because the daily protocols count calendar days.
    pd.testing.assert_frame_equal(
        scores(later(ledger, days * 24 * HOUR), EVERYTHING),
        scores(ledger, EVERYTHING),
        check_exact=True,
    )


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
def test_listing_unordered_options_in_another_order_changes_no_score(ledger: Ledger) -> None:
    for question in ledger[0]:
        question["ordered"] = False
    assert_same_scores(in_other_order(ledger), ledger)


@settings(max_examples=examples(16))
@given(ledgers(types=("binary",)))
def test_asking_for_the_opposite_changes_no_score(ledger: Ledger) -> None:
    asked, made = ledger
    opposite = [q | {"outcome": None if q["outcome"] is None else 1 - q["outcome"]} for q in asked]
    rows = [row | {"p": None if row["p"] is None else 1 - row["p"]} for row in made]
    np.testing.assert_allclose(
        scores((opposite, rows), EVERYTHING)["score"],
        scores(ledger, EVERYTHING)["score"],
        rtol=1e-9,
        atol=1e-9,
    )


@settings(max_examples=examples(16))
@given(ledgers(), st.data())
def test_saying_the_same_again_changes_nothing(ledger: Ledger, data: st.DataObject) -> None:
    asked, made = ledger
    if not made:
        return
    place = data.draw(st.integers(0, len(made) - 1))
    row = made[place]
    same = [
        other["time"]
        for other in made
        if other["question_id"] == row["question_id"] and other["forecaster"] == row["forecaster"]
    ]
    until = min((time for time in same if time > row["time"]), default=row["time"] + 50 * HOUR)
    again = row | {"time": data.draw(st.integers(row["time"], until - 1))}
    if same.count(row["time"]) > 1:
        return
    more = [*made[: place + 1], again, *made[place + 1 :]]
    before, after = scores(ledger, EVERYTHING), scores((asked, more), EVERYTHING)
    pd.testing.assert_frame_equal(
        before.drop(columns="updates"), after.drop(columns="updates"), rtol=1e-9, atol=1e-9
    )


@settings(max_examples=examples(24))
@given(ledgers())
def test_attribution_adds_up_to_the_scheduled_average(ledger: Ledger) -> None:
    protocol = Protocol("whole", "brier", "scheduled_average")
    earned = attribution(*frames(ledger), protocol)
    opening = (earned["score"] * earned["remaining"]).where(earned["points"].isna(), 0.0)
    total = (opening - earned["points"].fillna(0)).groupby(
        [earned["question_id"], earned["forecaster"]]
    )
    found = scores(ledger, protocol).set_index(["question_id", "forecaster"])["score"]
    pd.testing.assert_series_equal(
        total.sum(), found, check_names=False, check_index_type=False, rtol=0, atol=1e-12
    )
    both = earned["promised"] + earned["surprise"]
    np.testing.assert_allclose(both, earned["points"], rtol=0, atol=1e-12)
