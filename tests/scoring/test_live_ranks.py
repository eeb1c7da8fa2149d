"""A hot question is swept in windows of time; live forecasts are carried from one to the next."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring import Protocol, ranks, score
from tests.examples import examples
from tests.scoring import slow_reference
from tests.scoring.strategies import Ledger, ledgers

pytestmark = pytest.mark.slow

MEDIANS = [
    ("brier", "scheduled_average", "crowd_median", 1.0),
    ("log", "live_average", "crowd_median", 1.0),
    ("brier", "daily", "crowd_median", 1.0),
    ("brier", "scheduled_average", "daily_median", 1.0),
]


@pytest.mark.parametrize("window", [1, 3, 8])
def test_scores_do_not_depend_on_the_windows(window: int) -> None:
    @settings(max_examples=examples(60))
    @given(ledgers(types=("binary",), zero=True), st.sampled_from(MEDIANS))
    def check(ledger: Ledger, choice: tuple[str, str, str, float]) -> None:
        asked, made = ledger
        frames = slow_reference.question_frame(asked), slow_reference.forecast_frame(asked, made)
        protocol = Protocol("mine", *choice)
        whole = score(*frames, protocol)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ranks, "WINDOW", window)
            patch.setattr(ranks, "MOST_WINDOWS", 1_000)
            found = score(*frames, protocol)
        pd.testing.assert_frame_equal(found, whole, rtol=1e-12, atol=1e-12)

    check()


def crowded(forecasts: int, people: int, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return one question with that many forecasts, some of them withdrawals and many ties."""
    random = np.random.default_rng(seed)
    times = pd.to_datetime(["2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z"])
    question = pd.DataFrame(
        {
            "question_id": [1],
            "open_time": times[:1],
            "scheduled_close_time": times[1:],
            "resolution": ["yes"],
        }
    )
    p = np.where(random.random(forecasts) < 0.1, np.nan, random.random(forecasts).round(2))
    made = times[0] + pd.to_timedelta(random.integers(0, 59 * 86_400, forecasts), unit="s")
    frame = pd.DataFrame(
        {
            "question_id": 1,
            "forecaster": random.integers(0, people, forecasts),
            "made_at": made,
            "probability": p,
        }
    )
    return question, frame


@pytest.mark.parametrize("people", [20, 300, 10**9])
@pytest.mark.parametrize("protocol", ["crowd_median", "gjo_accuracy"])
def test_a_crowded_question_scores_the_same_in_windows(
    monkeypatch: pytest.MonkeyPatch, protocol: str, people: int
) -> None:
    frames = crowded(3_000, people, seed=people)
    whole = score(*frames, protocol)
    monkeypatch.setattr(ranks, "WINDOW", 100)
    pd.testing.assert_frame_equal(score(*frames, protocol), whole, rtol=1e-12, atol=1e-12)
