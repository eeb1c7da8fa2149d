"""Scores equal those of a reference that loops over every forecaster and every moment."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import slow_reference
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import Ledger, ledgers

from scoring import PROTOCOLS, score

NAMES = sorted(slow_reference.PROTOCOLS)


def frames(ledger: Ledger) -> tuple[pd.DataFrame, pd.DataFrame]:
    asked, made = ledger
    return slow_reference.question_frame(asked), slow_reference.forecast_frame(asked, made)


def assert_same(found: pd.DataFrame, expected: pd.DataFrame, tolerance: float) -> None:
    key = ["question_id", "forecaster", "protocol", "updates"]
    assert found[key].values.tolist() == expected[key].values.tolist()
    for column in ("score", "coverage"):
        np.testing.assert_allclose(
            found[column].to_numpy(float),
            expected[column].to_numpy(float),
            rtol=tolerance,
            atol=tolerance,
        )


@pytest.mark.parametrize("protocol", NAMES)
def test_every_protocol_equals_the_slow_reference(protocol: str) -> None:
    numeric = protocol == "crps"
    types = ("numeric", "binary") if numeric else ("binary", "multiple_choice")

    @settings(max_examples=15 if numeric else 50)
    @given(ledgers(types=types, rows=8 if numeric else 40))
    def check(ledger: Ledger) -> None:
        found = score(*frames(ledger), protocol)
        # The reference's CRPS is a sum of strips; the others are exact.
        assert_same(found, slow_reference.score(*ledger, protocol), 1e-3 if numeric else 1e-9)

    check()


@settings(max_examples=40)
@given(ledgers(types=("binary", "multiple_choice"), zero=True))
def test_an_infinite_score_stays_infinite_and_two_cancel_to_none(ledger: Ledger) -> None:
    for protocol in ("log", "metaculus_baseline", "metaculus_peer", "metaculus_spot_peer"):
        assert_same(score(*frames(ledger), protocol), slow_reference.score(*ledger, protocol), 1e-9)


def test_every_named_protocol_is_compared_with_the_reference() -> None:
    assert set(PROTOCOLS) <= set(NAMES)


@settings(max_examples=50)
@given(ledgers(types=("binary", "multiple_choice", "numeric")), st.integers(0, 2**32 - 1))
def test_the_order_of_the_rows_does_not_matter(ledger: Ledger, seed: int) -> None:
    asked, made = ledger
    # Of two rows at one instant the later one counts, so only rows without such a twin may move.
    alone = {(row["question_id"], row["forecaster"], row["time"]): row for row in made}
    rows = list(alone.values())
    order = np.random.default_rng(seed).permutation(len(rows))
    for protocol in ("brier", "skill", "gjo_accuracy", "crps"):
        expected = score(*frames((asked, rows)), protocol)
        shuffled = score(*frames((asked[::-1], [rows[i] for i in order])), protocol)
        pd.testing.assert_frame_equal(shuffled, expected, rtol=0, atol=1e-11)
