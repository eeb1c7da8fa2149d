"""Resolver kind ``deadline``: no, unless another outcome was confirmed by the deadline.

Silence is not evidence, so a question has this rule only if someone sets it. It applies after the
deadline and ``wait_days`` more, for late news, and not while a proposal is open.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field

from forecasts.common.errors import BadInput
from forecasts.common.times import to_minute
from forecasts.common.vocabulary import QuestionType
from forecasts.resolution.resolvers import protocol
from forecasts.resolution.resolvers.protocol import Asked, Fetch, Finding, Kind


class Settings(protocol.Settings):
    """The outcome if nothing happened, and the time to wait for late news."""

    outcome: str = Field(default="no", min_length=1, description="the outcome if nothing happened")
    wait_days: protocol.Days = Field(default=0, description="days to wait after the deadline")
    by: Literal["close", "resolve"] = Field(
        default="close", description="the deadline: the scheduled close, or the scheduled resolve"
    )


def fits(asked: Asked, settings: Settings) -> None:
    """Refuse a deadline or an outcome that the question does not have."""
    if settings.by == "resolve" and asked.scheduled_resolve_time is None:
        raise BadInput(f"{asked.slug!r} has no scheduled resolve time.")
    possible = {"yes", "no"} if asked.type == QuestionType.binary else set(asked.options)
    if settings.outcome not in possible:
        raise BadInput(
            f"{settings.outcome!r} is not an outcome of {asked.slug!r}.",
            remedy=f"Possible are: {', '.join(sorted(possible))}."
            if possible
            else "Numbers and dates have no default outcome: use another kind.",
        )


def not_before(asked: Asked, settings: Settings) -> datetime:
    """Return the deadline with the days to wait for late news."""
    return _end(asked, settings) + timedelta(days=settings.wait_days)


def _end(asked: Asked, settings: Settings) -> datetime:
    if settings.by == "resolve" and asked.scheduled_resolve_time is not None:
        return asked.scheduled_resolve_time
    return asked.scheduled_close_time


def look(asked: Asked, settings: Settings, now: datetime, fetch: Fetch) -> Finding | None:
    """Return the outcome after the deadline; None before it, and while a proposal is open."""
    end = _end(asked, settings)
    if now < not_before(asked, settings) or asked.proposed:
        return None
    note = f"nothing else was confirmed by {to_minute(end)}"
    return Finding(settings.outcome, min(end, asked.scheduled_close_time), note=note)


KIND = Kind(Settings, look, fallback=True, reads=False, fits=fits, not_before=not_before)
