"""Dates and times from form fields, as UTC times."""

from __future__ import annotations

from datetime import UTC, date, datetime

from forecasts.common.times import read_time


def as_utc(picked: datetime) -> datetime:
    """Return the time of a field labelled UTC as an aware time."""
    return picked.replace(tzinfo=UTC)


def end_of_day(day: date) -> datetime:
    """Return the last second of a day, when forecasting on its last day ends."""
    return read_time(day.isoformat(), end_of_day=True)
