"""A question of each type, as its values and outcomes depend on it."""

from __future__ import annotations

from forecasts.ledger.models import QuestionText
from forecasts.questions.registry import question_text
from tests.conftest import day


def text(**fields: object) -> QuestionText:
    return question_text(title="?", open_time=day(0), scheduled_close_time=day(1), **fields)


RAIN = text()
CITIES = text(type="multiple_choice", options=["Busan", "Beijing, China", "Other"])
PRICE = text(type="numeric", lower_bound="0", upper_bound="200")
DEPTH = text(type="numeric", lower_bound="0", upper_bound="30")
WHEN = text(type="date", lower_bound="2026-01-01", upper_bound="2027-01-01")
