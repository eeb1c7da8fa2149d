"""Forecasts with those that they replaced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from forecasts.ledger.models import Forecast


@dataclass(frozen=True)
class Move:
    """A forecast, and the same member's current forecast just before it (None without one)."""

    forecast: Forecast
    handle: str
    before: Forecast | None


def moves(rows: Sequence[tuple[Forecast, str]]) -> list[Move]:
    """Return the rows of ``updates.history`` in order, each with the forecast it replaced."""
    last: dict[int, Forecast] = {}
    found = []
    for forecast, handle in rows:
        before = last.get(forecast.member_id)
        found.append(Move(forecast, handle, None if before and before.withdrawn else before))
        last[forecast.member_id] = forecast
    return found
