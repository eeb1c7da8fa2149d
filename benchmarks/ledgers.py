"""Synthetic ledgers of any size, reproducible."""

from __future__ import annotations

import numpy as np
import pandas as pd

START = 1_735_689_600_000_000  # 2025-01-01T00:00:00Z, in microseconds
DAY = 86_400_000_000


def times(microseconds: np.ndarray) -> pd.Series:
    return pd.Series(microseconds.astype("datetime64[us]")).dt.tz_localize("UTC")


def tournament(
    forecasts: int, questions: int, *, ordered: bool = False, categorical: bool = False
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return questions of 20 to 300 days and forecasts by twenty forecasters on each.

    Some forecasts are made before the question opens, some after it closed early.
    """
    random = np.random.default_rng(1)
    opened = START + random.integers(0, 180 * 86_400, questions) * 1_000_000
    length = random.integers(20, 300, questions) * DAY
    asked = pd.DataFrame(
        {
            "question_id": np.arange(questions),
            "open_time": times(opened),
            "scheduled_close_time": times(opened + length),
            "actual_close_time": times(
                opened + (length * random.uniform(0.5, 1, questions)).astype(np.int64)
            ),
            "resolution": random.integers(0, 2, questions),
        }
    )
    question = random.integers(0, questions, forecasts)
    made = opened[question] + (random.uniform(-0.01, 1.01, forecasts) * length[question]).astype(
        np.int64
    )
    frame = pd.DataFrame(
        {
            "question_id": question,
            "forecaster": random.integers(0, 20, forecasts) + question % 50 * 10,
            "made_at": times(made),
            "probability": random.random(forecasts),
        }
    )
    if ordered:
        frame = frame.sort_values(["question_id", "forecaster", "made_at"], ignore_index=True)
    if categorical:
        frame = frame.astype({"question_id": "category", "forecaster": "category"})
    return asked, frame


def crowded_question(forecasts: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return one question with ten rows per forecaster, 3% of them withdrawals."""
    random = np.random.default_rng(2)
    length = 200 * DAY
    asked = pd.DataFrame(
        {
            "question_id": [1],
            "open_time": times(np.array([START])),
            "scheduled_close_time": times(np.array([START + length])),
            "resolution": ["yes"],
        }
    )
    chance = random.uniform(0.01, 0.99, forecasts)
    frame = pd.DataFrame(
        {
            "question_id": 1,
            "forecaster": random.integers(0, max(forecasts // 10, 1), forecasts),
            "made_at": times(START + random.integers(0, length, forecasts)),
            "probability": np.where(random.random(forecasts) < 0.03, np.nan, chance),
        }
    )
    return asked, frame
