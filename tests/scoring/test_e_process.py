"""E-processes: evidence that is valid at any time."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import scoring
from scoring.e_processes import BETS, ENOUGH, by_family

differences = st.lists(st.floats(-1, 1), min_size=1, max_size=30)


@given(differences)
def test_the_evidence_is_the_mean_of_the_products_written_out(values: list[float]) -> None:
    found = scoring.e_process(values)
    for n in range(1, len(values) + 1):
        b, a = (
            sum(math.prod(1 + side * bet * d for d in values[:n]) for bet in BETS) / len(BETS)
            for side in (1, -1)
        )
        logs = [log[n - 1] for log in (found.log_b, found.log_a, found.log_either)]
        assert_allclose(np.exp(logs), [b, a, (a + b) / 2], rtol=1e-9)


def test_a_reached_threshold_stays_reached() -> None:
    found = scoring.e_process([-0.5] * 20 + [0.5] * 40)
    assert found.reached < 20
    assert found.better == "a"
    assert np.exp(found.log_either[found.reached - 1]) >= ENOUGH
    assert np.exp(found.log_either[found.reached - 2]) < ENOUGH
    assert found.log_b[-1] > found.log_a[-1]


def test_ten_thousand_differences_overflow_nothing() -> None:
    found = scoring.e_process(np.full(10_000, 0.9))
    assert np.isfinite(found.log_either).all()
    assert found.better == "b"
    assert np.isfinite(scoring.e_process([-1.0] * 5000).log_b).all()


@pytest.mark.slow
def test_looking_after_every_family_seldom_finds_a_false_difference() -> None:
    random = np.random.default_rng(1)
    reached = 0
    for _ in range(1000):
        d = random.choice([-1.0, -0.3, 0.0, 0.3, 1.0], 400)
        reached += scoring.e_process(d).reached is not None
    # Ville: at most 5%, and so far below 1000 · 5% = 50 that chance plays no part.
    assert reached <= 50


def test_families_stand_in_the_order_in_which_they_were_to_be_over() -> None:
    days = pd.to_datetime(["2026-03-01", "2026-01-01", "2026-02-01", "2026-03-01"], utc=True)
    closes = pd.Series(days, index=[9, 9, 9, 9])
    found = by_family([0.1, 0.2, 0.3, 0.5], ["x", "y", "x", "w"], closes)
    assert found["family"].tolist() == ["y", "w", "x"]
    assert found["questions"].tolist() == [1, 1, 2]
    assert_allclose(found["difference"], [0.2, 0.5, 0.2])
    assert found["scheduled_close"].is_monotonic_increasing


def test_several_pairs_at_once_are_each_alone() -> None:
    rng = np.random.default_rng(4)
    days = pd.Series(pd.date_range("2026-01-01", periods=30, freq="9D", tz="UTC"))
    families = np.array([f"f{n % 12}" for n in range(30)])
    blocks = scoring.time_blocks(families, days, days + pd.Timedelta(days=20))
    pair = np.repeat([0, 1, 2], 30)[rng.random(90) < 0.6]
    at = rng.integers(0, 30, len(pair))
    difference = rng.uniform(-1, 1, len(pair))
    closes = days.take(at).reset_index(drop=True)
    together = (
        by_family(difference, families[at], closes, pair),
        scoring.by_block(difference, families[at], blocks, pair),
    )
    for one in range(3):
        own = pair == one
        alone = (
            by_family(difference[own], families[at][own], closes[own]),
            scoring.by_block(difference[own], families[at][own], blocks),
        )
        for all_, single in zip(together, alone, strict=True):
            part = all_[all_["pair"] == one].reset_index(drop=True)
            pd.testing.assert_frame_equal(part.drop(columns="pair"), single.drop(columns="pair"))


def test_without_differences_there_is_not_any_evidence() -> None:
    found = scoring.e_process([])
    assert (len(found.log_either), found.reached, found.better) == (0, None, None)
