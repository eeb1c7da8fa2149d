"""Forecasts made under an earlier wording of their question."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from forecasts.ledger.models import Forecast, Question
from forecasts.questions.registry import newest_wording
from forecasts.updates import updates
from forecasts.updates.values import value_of


def members_lacking_options(session: Session, question: Question, *, at: datetime) -> list[str]:
    """Return the handles of members whose current forecast is older than an option, sorted.

    Until they update, a new option counts with the probability of their last option (scoring
    contract, section 5).
    """
    options = newest_wording(session, question).options
    current: dict[str, Forecast] = {}
    for forecast, handle in updates.history(session, question):
        if forecast.made_at <= at:
            current[handle] = forecast
    return sorted(
        handle
        for handle, forecast in current.items()
        if None in (value_of(forecast).over(options).probabilities or ())
    )
