"""Forecasts made under an earlier wording of their question."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from forecasts.ledger.models import (
    Forecast,
    Question,
    QuestionRevision,
)
from forecasts.questions.registry import newest_wording
from forecasts.updates import updates
from forecasts.updates.values import format_value


def format_forecast(forecast: Forecast, wordings: Sequence[QuestionRevision]) -> str:
    """Return a forecast's value for a person, under the options that there were at the time.

    Options are only ever added, so the length of a vector tells which wording it answers.
    """
    lists = {len(text.options or []): text.options for text in wordings}
    return format_value(forecast, lists.get(len(forecast.probabilities or [])))


def members_lacking_options(session: Session, question: Question, *, at: datetime) -> list[str]:
    """Return the handles of those whose standing forecast is older than an option, sorted.

    Until they update, a new option has of them what they gave the last one (scoring contract,
    section 5).
    """
    newest = newest_wording(session, question).options or []
    standing: dict[str, Forecast] = {}
    for forecast, handle in updates.history(session, question):
        if forecast.made_at <= at:
            standing[handle] = forecast
    return sorted(
        handle
        for handle, forecast in standing.items()
        if not forecast.withdrawn and lacks_options(forecast, newest)
    )


def lacks_options(forecast: Forecast, options: Sequence[str] | None) -> bool:
    """Return whether a forecast says nothing of some option, which was added after it."""
    vector = forecast.probabilities
    return vector is not None and (len(vector) < len(options or []) or None in vector)
