"""The numbers of the forecasts and citations on a question, by which a page of them is read."""

from __future__ import annotations

from sqlmodel import Session, col, select

from forecasts.access.visibility import forecast_visible
from forecasts.ledger.models import Citation, Forecast, Question

_OLDEST_FIRST = (col(Forecast.made_at), col(Forecast.id))


def forecast_numbers(session: Session, question: Question) -> list[int]:
    """Return the numbers of the visible forecasts on the question, oldest first."""
    found = session.exec(
        select(Forecast.id)
        .where(Forecast.question_id == question.id, forecast_visible(session, question))
        .order_by(*_OLDEST_FIRST)
    )
    return list(found)


def citation_numbers(session: Session, question: Question) -> dict[int, int]:
    """Return the forecast of each visible citation on the question, the oldest forecast first."""
    found = session.exec(
        select(Citation.id, Citation.forecast_id)
        .join(Forecast, col(Forecast.id) == col(Citation.forecast_id))
        .where(Forecast.question_id == question.id, forecast_visible(session, question))
        .order_by(*_OLDEST_FIRST, col(Citation.id))
    )
    return dict(found.all())
