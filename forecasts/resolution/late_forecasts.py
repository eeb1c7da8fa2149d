"""Forecasts made once the outcome was known: they do not count, and a correction says how many.

Apart from the confirmation, which loads pandas for its scores: views of questions need only these.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, func, select

from forecasts.access.visibility import forecast_visible
from forecasts.common.text import count
from forecasts.ledger.models import Forecast, Question
from forecasts.questions.standing import QuestionState
from forecasts.values.outcomes import NOT_SCORED


@dataclass(frozen=True)
class LateForecasts:
    """The forecasts that an outcome's time leaves out: their number, and that of their members."""

    forecasts: int
    members: int

    @property
    def sentence(self) -> str:
        """The numbers in words, empty for none."""
        if not self.forecasts:
            return ""
        made = count(self.forecasts, "forecast")
        by = count(self.members, "member")
        ends = "counts" if self.forecasts == 1 else "count"
        return f"{made} by {by} no longer {ends}: made after the outcome was known."


def late_forecasts(
    session: Session, state: QuestionState, outcome: str, known_at: datetime
) -> LateForecasts:
    """Return the forecasts that count in that state, and would not if the outcome was known then.

    Those that the session's reader may see. None for an outcome that is not scored.
    """
    if outcome.strip().lower() in NOT_SCORED:
        return LateForecasts(0, 0)
    return made_between(session, state.question, known_at, state.text.close_time)


def made_between(
    session: Session, question: Question, since: datetime, until: datetime
) -> LateForecasts:
    """Return the visible forecasts made from ``since`` until just before ``until``."""
    if since >= until:
        return LateForecasts(0, 0)
    counts = select(func.count(col(Forecast.id)), func.count(col(Forecast.member_id).distinct()))
    found = session.exec(
        counts.where(
            Forecast.question_id == question.id,
            col(Forecast.made_at) >= since,
            col(Forecast.made_at) < until,
            ~col(Forecast.withdrawn),
            forecast_visible(session, question),
        )
    ).one()
    return LateForecasts(*found)
