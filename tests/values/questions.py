"""A question of each type, as its values and outcomes depend on it."""

from __future__ import annotations

from typing import Any

from forecasts.ledger.models import Forecast, QuestionText
from forecasts.questions.registry import question_text
from tests.conftest import day


def text(**fields: object) -> QuestionText:
    return question_text(title="?", open_time=day(0), scheduled_close_time=day(1), **fields)


def standing(at: float = 0, **value: Any) -> Forecast:
    """Return a forecast made on that day."""
    moment = day(at)
    return Forecast(question_id=1, member_id=1, made_at=moment, recorded_at=moment, **value)


RAIN = text()
CITIES = text(type="multiple_choice", options=["Busan", "Beijing, China", "Other"])
PRICE = text(type="numeric", lower_bound="0", upper_bound="200")
DEPTH = text(type="numeric", lower_bound="0", upper_bound="30")
WHEN = text(type="date", lower_bound="2026-01-01", upper_bound="2027-01-01")
