"""Shared shocks: the tipping correlation, and blocks of time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import scoring
from scoring import compare
from scoring.e_processes import bets_needed, possibly_best
from scoring.shared_shocks import overlap_sum, spans_of, tipping_correlation
from tests.examples import examples
from tests.scoring.ten_days import START
from tests.scoring.test_comparison import TWO, table


def asked(*days: tuple[float, float]) -> pd.DataFrame:
    opened, closed = (pd.to_timedelta(pd.Series(each), "D") for each in zip(*days, strict=True))
    return pd.DataFrame(
        {
            "question_id": range(len(days)),
            "open_time": START + opened,
            "scheduled_close_time": START + closed,
        }
    )


def tipping(*rows: pd.DataFrame, groups: dict[str, Any] = TWO, **given: Any) -> float | None:
    """Return the tipping correlation of the first pair."""
    return compare(pd.concat(rows, ignore_index=True), groups, **given).pairs[0].tipping


spans = st.tuples(st.integers(0, 30), st.integers(1, 20), st.integers(1, 5))


@given(st.lists(spans, min_size=1, max_size=12))
def test_the_sweep_is_the_sum_over_all_pairs_written_out(rows: list[tuple[int, int, int]]) -> None:
    opened, length, weight = (np.array(each, dtype=float) for each in zip(*rows, strict=True))
    closed = opened + length
    total = 0.0
    for i in range(len(rows)):
        for j in range(len(rows)):
            overlap = max(0.0, min(closed[i], closed[j]) - max(opened[i], opened[j]))
            total += weight[i] * weight[j] * overlap / math.sqrt(length[i] * length[j])
    assert overlap_sum(weight, opened, closed) == pytest.approx(total)


def test_at_the_tipping_correlation_the_adjusted_p_value_is_half_a_percent() -> None:
    d = np.random.default_rng(2).normal(0.05, 0.1, 60)
    days = [(n % 7, n % 7 + 10 + n % 5) for n in range(60)]
    [pair] = compare(table(d), TWO, questions=asked(*days)).pairs
    opened, closed = (np.array(each, dtype=float) for each in zip(*days, strict=True))
    # Sixty families of one size: each has a sixtieth of the variance of the sum.
    more = overlap_sum(np.ones(60), opened, closed) / 60 - 1
    error = pair.error * math.sqrt(1 + pair.tipping * more)
    assert 2 * stats.t.sf(d.mean() / error, 59) == pytest.approx(0.005)


def test_only_a_claim_tips() -> None:
    questions = asked(*[(0, 10)] * 60)
    random = np.random.default_rng(0)
    assert tipping(table(random.normal(0, 0.1, 60)), questions=questions) is None
    claim = table(random.normal(0.1, 0.1, 60))
    assert tipping(claim, questions=questions) > 0
    # One with a p-value of 0.005 to 0.05 tips at once.
    weak = table(np.tile([0.18, -0.1], 30))
    assert tipping(weak, questions=questions) == 0
    # Without times, or without two families open at once, nothing is said.
    assert tipping(claim) is None
    assert tipping(claim, questions=asked(*[(10 * n, 10 * n + 10) for n in range(60)])) is None


def test_a_family_with_more_than_a_fifth_is_named_and_left_out_beside() -> None:
    d = np.concatenate([np.full(30, 0.5), np.random.default_rng(0).normal(0, 0.1, 60)])
    families = dict.fromkeys(range(30), "election")
    [pair] = compare(table(d), TWO, families).pairs
    [rest] = compare(table(d).iloc[30:], TWO).pairs
    assert (pair.dominant.family, pair.dominant.share) == ("election", 1 / 3)
    assert pair.dominant.difference == rest.difference
    assert pair.dominant.interval == pytest.approx(rest.interval)
    assert pair.dominant.p_value == pytest.approx(rest.p_value)
    assert pair.effective_families == pytest.approx(90**2 / (30**2 + 60))
    assert compare(table(d), TWO).pairs[0].dominant is None


def time_blocks(*days: tuple[float, float]) -> pd.DataFrame:
    ids, opened, closes = (column for _, column in asked(*days).items())
    return scoring.time_blocks(ids, opened, closes)


def blocks(*days: tuple[float, float]) -> list[int]:
    return time_blocks(*days).sort_values("family")["block"].tolist()


def test_a_block_ends_at_the_first_close_among_questions_opened_since_the_last_block() -> None:
    assert blocks((0, 10), (0, 10), (5, 15), (10, 20), (12, 40), (20, 30)) == [0, 0, -1, 1, -1, 2]


@settings(max_examples=examples(30))
@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)), min_size=1, max_size=20))
def test_blocks_do_not_overlap_and_later_families_change_none(rows: list[tuple[int, int]]) -> None:
    days = sorted(((a, a + length) for a, length in rows), key=lambda each: each[1])
    found = blocks(*days)
    ends = [
        max(b for (_, b), n in zip(days, found, strict=True) if n == k)
        for k in range(max(found) + 1)
    ]
    for (opened, _), number in zip(days, found, strict=True):
        assert number < 1 or opened >= ends[number - 1]
    # As known at any moment: the families that had closed by then.
    for moment in {b for _, b in days}:
        past = [each for each in days if each[1] <= moment]
        assert blocks(*past) == found[: len(past)]


def test_within_a_block_nothing_compounds() -> None:
    steps = scoring.by_block([0.5, 0.1, 0.2], [0, 1, 2], time_blocks((0, 10), (0, 10), (10, 20)))
    assert steps["difference"].tolist() == pytest.approx([0.3, 0.2])
    assert steps["families"].tolist() == [2, 1]
    assert steps["scheduled_close"].tolist() == [START + pd.Timedelta(days=n) for n in (10, 20)]


@pytest.mark.parametrize("difference", [0.01, -0.05, 0.9])
def test_the_bets_that_it_takes_are_those_after_which_it_is_reached(difference: float) -> None:
    needed = bets_needed(difference)
    assert scoring.e_process([difference] * (needed + 5)).reached == needed
    assert bets_needed(0.0) is None


def test_a_group_that_others_beat_leaves_the_set_of_the_best_and_does_not_return() -> None:
    out = {("a", "b"): np.array([0.0, 5.0, 0.0]), ("b", "a"): np.array([0.0, -5.0, 0.0])}
    assert possibly_best(out, "ab") == {"a": False, "b": True}
    assert possibly_best({}, ["alone"]) == {"alone": True}


def test_the_test_by_time_clusters_families_that_close_in_one_period() -> None:
    rng = np.random.default_rng(5)
    questions = asked(*((3 * n, 3 * n + 30) for n in range(120)))
    shared = rng.normal(0, 0.05, 12).repeat(10)
    rows = table(0.02 + shared)
    [pair] = compare(rows, TWO, questions=questions).pairs
    assert pair.periods == 12
    assert pair.p_by_time > 2 * pair.p_value
    expected = stats.ttest_1samp(0.02 + shared[::10], 0).pvalue
    assert pair.p_by_time == pytest.approx(expected)
    [without] = compare(rows, TWO).pairs
    [one] = compare(rows, TWO, questions=asked(*[(0, 180)] * 120)).pairs
    assert [without.p_by_time, one.p_by_time, one.periods] == [None, None, None]


def test_among_more_pairs_a_claim_tips_sooner() -> None:
    random, questions = np.random.default_rng(0), asked(*[(0, 10)] * 60)
    first = table(random.normal(0.1, 0.1, 60))
    more = [table(random.normal(0, 0.1, 60), side, "greens") for side in TWO]
    among = tipping(first, *more, groups=TWO | {"greens": ["cid"]}, questions=questions)
    assert among < tipping(first, questions=questions)


def test_a_family_is_open_from_its_first_opening_to_its_last_close() -> None:
    found = spans_of(asked((0, 10), (5, 20), (30, 40)), {0: "x", 1: "x"})
    assert sorted(found.closed - found.opened) == [10, 20]
    assert tipping_correlation(pd.Series([0, 1, 2]), found, 0.1) is None
