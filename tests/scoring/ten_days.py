"""A binary question of ten days that came true, and forecasts on it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

START = pd.Timestamp("2026-01-01", tz="UTC")
DAY = pd.Timedelta(days=1)


def question(**fields: object) -> pd.DataFrame:
    """Return the question, open for the first ten days of 2026, with other fields if given."""
    usual = {
        "question_id": "q",
        "open_time": START,
        "scheduled_close_time": START + 10 * DAY,
        "resolution": "yes",
    }
    return pd.DataFrame([usual | fields])


def said(*rows: tuple[str, float, Any]) -> pd.DataFrame:
    """Return forecasts, given as forecaster, day, and probability (None: a withdrawal) or list."""
    several = any(isinstance(p, list) for _, _, p in rows)
    return pd.DataFrame(
        {
            "question_id": "q",
            "forecaster": [who for who, _, _ in rows],
            "made_at": [START + when * DAY for _, when, _ in rows],
            "probabilities" if several else "probability": [
                np.nan if p is None else p for _, _, p in rows
            ],
        }
    )


def by_ana(*rows: tuple[float, Any]) -> pd.DataFrame:
    """Return one forecaster's forecasts, given as day and probability, or list of them."""
    return said(*(("ana", when, p) for when, p in rows))
