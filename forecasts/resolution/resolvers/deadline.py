"""Resolver kind ``deadline``: no, unless something was confirmed by then.

Silence is not evidence, so this rule is set for a question by somebody who means it, and is kept
apart from "unknown": it speaks once the time is up (and ``wait_days`` more, for news that is late),
and not while an outcome that was proposed waits for its decision.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field

from forecasts.common.errors import BadInput
from forecasts.common.times import to_minute
from forecasts.resolution.resolvers import protocol
from forecasts.resolution.resolvers.protocol import Asked, Fetch, Finding


class Settings(protocol.Settings):
    """What stands when nothing happened, and how long to wait for late news."""

    outcome: str = Field(default="no", min_length=1, description="what it is if nothing happened")
    wait_days: float = Field(
        default=0, ge=0, le=3650, description="wait so long after the scheduled close"
    )
    by: Literal["close", "resolve"] = Field(
        default="close", description="the deadline: the scheduled close, or the scheduled resolve"
    )


def fits(asked: Asked, settings: Settings) -> None:
    """Refuse a deadline that the question has not, and an outcome that it cannot have."""
    if settings.by == "resolve" and asked.scheduled_resolve_time is None:
        raise BadInput(f"{asked.slug!r} has no scheduled time of resolution.")
    possible = asked.possible or set()
    if settings.outcome not in possible:
        raise BadInput(
            f"{settings.outcome!r} is no outcome of {asked.slug!r}.",
            remedy=f"It can come out as: {', '.join(sorted(possible))}."
            if possible
            else "Numbers and dates have no outcome that nothing stands for.",
        )


def not_before(asked: Asked, settings: Settings) -> datetime:
    """Return when the time is up, with what is waited for late news."""
    return _end(asked, settings) + timedelta(days=settings.wait_days)


def _end(asked: Asked, settings: Settings) -> datetime:
    if settings.by == "resolve" and asked.scheduled_resolve_time is not None:
        return asked.scheduled_resolve_time
    return asked.scheduled_close_time


def look(asked: Asked, settings: Settings, now: datetime, fetch: Fetch) -> Finding | None:
    """Return the outcome that stands when the time is up; None before, and while one waits."""
    end = _end(asked, settings)
    if now < not_before(asked, settings) or asked.proposed:
        return None
    known_at = min(end, asked.scheduled_close_time)
    return Finding(
        settings.outcome, known_at, note=f"nothing else was confirmed by {to_minute(end)}"
    )
