"""Pairing of groups: the difference on each question, and each forecaster's contribution."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from scoring import InputError, compare, paired, paired_people
from tests.examples import examples
from tests.scoring import slow_reference as slow
from tests.scoring import ten_days
from tests.scoring.slow_reference import frames
from tests.scoring.strategies import Ledger, Row, ledgers

pytestmark = pytest.mark.slow

TEAMS = {"a": "reds", "b": "blues", "c": "reds", "d": "greens"}  # e is in no team


def slow_pair(question: Row, rows: list[Row], a: str, b: str, lead: float | None) -> Row:
    """The difference of two teams on one question, and each member's deviation, tick by tick."""
    paths = {
        who: slow.live_segments(question, [row for row in rows if row["forecaster"] == who])
        for who in TEAMS
    }
    timing, whole = "scheduled_average", question["scheduled"] - question["open"]
    if lead is not None:
        timing, whole = f"lead({lead})", 1
    difference, shared = 0.0, 0.0
    deviation, time = dict.fromkeys(TEAMS, 0.0), dict.fromkeys(TEAMS, 0.0)
    for tick in slow.clock(question, timing, paths):
        scores = {
            who: slow.rule("brier", p, question) for who, p in tick["said"].items() if p is not None
        }
        mine = {who: score for who, score in scores.items() if TEAMS[who] == a}
        other = {who: score for who, score in scores.items() if TEAMS[who] == b}
        if not mine or not other:
            continue
        share = tick["width"] / whole
        means = [sum(side.values()) / len(side) for side in (mine, other)]
        difference += (means[0] - means[1]) * share
        shared += share
        for side, mean, sign in ((mine, means[0], 1), (other, means[1], -1)):
            for who, score in side.items():
                deviation[who] += sign * (score - mean) / len(side) * share
                time[who] += share / len(side)
    return {"difference": difference, "shared": shared, "deviation": deviation, "time": time}


@settings(max_examples=examples(30))
@given(
    ledgers(types=("binary", "multiple_choice", "numeric")), st.sampled_from([None, None, 1.0, 3.0])
)
def test_a_difference_is_the_mean_over_the_time_that_both_are_live_or_that_at_a_lead(
    ledger: Ledger, lead: float | None
) -> None:
    asked, made = ledger
    table = paired(*frames(ledger), TEAMS, lead)
    people = paired_people(*frames(ledger), TEAMS, lead)
    found = table.set_index(["a", "b", "question_id"])
    parts = people.set_index(["a", "b", "question_id", "forecaster"])
    expected = 0
    for (a, b), question in itertools.product(
        itertools.combinations(sorted(set(TEAMS.values())), 2), asked
    ):
        if question["type"] == "numeric" or question["outcome"] is None:
            continue
        if question["close"] <= question["open"]:
            continue
        rows = [row for row in made if row["question_id"] == question["question_id"]]
        slowly = slow_pair(question, rows, a, b, lead)
        if slowly["shared"] <= 1e-12:
            continue
        expected += 1
        row = found.loc[(a, b, question["question_id"])]
        assert_allclose(row["difference"], slowly["difference"], atol=1e-11)
        assert_allclose(row["shared"], slowly["shared"], atol=1e-11)
        for who, time in slowly["time"].items():
            if time > 1e-9:
                part = parts.loc[(a, b, question["question_id"], who)]
                assert part["side"] == TEAMS[who]
                assert_allclose(part["deviation"], slowly["deviation"][who], atol=1e-11)
                assert_allclose(part["part"], time / slowly["shared"] / 2, atol=1e-6)
    assert len(table) == expected


@pytest.mark.parametrize("said", [(0.2, 0.4), (0.9, 0.5), ([0.2, 0.3, 0.5], [0.4, 0.4, 0.2])])
def test_the_moments_between_equals_are_those_of_an_outcome_halfway(said: tuple[Any, Any]) -> None:
    several = isinstance(said[0], list)
    forecasts = ten_days.said(*zip("ab", (4, 4), said, strict=True))
    kind = {"type": "multiple_choice", "options": list("xyz")} if several else {}
    found = []
    for outcome in "xyz" if several else ("no", "yes"):
        asked = ten_days.question(resolution=outcome, **kind)
        found.append(paired(asked, forecasts, {"a": "a", "b": "b"}).iloc[0])
    own, other = (np.array(p if several else [1 - p, p]) for p in said)
    halfway, each = (own + other) / 2, np.array([row["difference"] for row in found])
    assert halfway @ each == pytest.approx(0, abs=1e-12)
    for row in found:
        assert row["variance"] == pytest.approx(halfway @ each**2)
        assert row["third"] == pytest.approx(halfway @ each**3)


@settings(max_examples=examples(25))
@given(ledgers())
def test_a_pair_turned_round_differs_by_exactly_the_opposite(ledger: Ledger) -> None:
    there = paired(*frames(ledger), {"a": "x", "c": "x", "b": "y"})
    back = paired(*frames(ledger), {"a": "y", "c": "y", "b": "x"})
    assert (there["difference"] == -back["difference"]).all()
    assert (there["question_id"] == back["question_id"]).all()


def test_equal_forecasters_do_not_differ_by_rounding() -> None:
    questions = pd.concat([ten_days.question(question_id=number) for number in range(50)])
    questions["resolution"] = ["yes", "no"] * 25
    p = np.random.default_rng(1).random(50)
    rows = [ten_days.said(*((who, 0, p[n]) for who in "abcd")) for n in range(50)]
    forecasts = pd.concat(rows).assign(question_id=np.repeat(range(50), 4))
    table = paired(questions, forecasts, {"a": "x", "b": "x", "c": "x", "d": "y"})
    assert (table["difference"] == 0).all()
    [pair] = compare(table, {"x": ["a"], "y": ["d"]}).pairs
    assert (pair.p_value, pair.interval, pair.better) == (1.0, (0.0, 0.0), None)


def test_a_group_needs_a_name_and_a_forecaster_one_group() -> None:
    asked, made = slow.question_frame([]), slow.forecast_frame([], [])
    with pytest.raises(InputError, match="at least two groups"):
        paired(asked, made, {"a": "reds"})
    with pytest.raises(InputError, match="in one group only"):
        paired(asked, made, pd.Series(["reds", "blues"], index=["a", "a"]))


def test_groups_that_nobody_forecast_for_have_an_empty_table() -> None:
    asked = slow.question_frame([])
    made = slow.forecast_frame([], [])
    assert list(paired(asked, made, TEAMS).columns) == [
        "a", "b", "question_id", "difference", "shared", "variance", "third"
    ]  # fmt: skip
    assert paired_people(asked, made, TEAMS).empty
