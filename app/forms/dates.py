"""Fields for days, and the UTC times of their values."""

from __future__ import annotations

from datetime import UTC, date, datetime

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from forecasts.common.times import read_time


def day_field(
    place: DeltaGenerator, label: str, value: date | None, *, key: str, help: str | None = None
) -> date | None:
    """Show a field for any day; by default, Streamlit offers ten years only."""
    return place.date_input(
        label,
        value=value,
        min_value=date.min,
        max_value=date.max,
        key=key,
        format="YYYY-MM-DD",
        help=help,
    )


def time_field(
    label: str, *, earliest: datetime, latest: datetime, key: str, help: str
) -> datetime | None:
    """Show a field for a time in UTC, blank at first."""
    picked: datetime | None = st.datetime_input(
        label,
        value=None,
        min_value=earliest,
        max_value=latest,
        step=60,
        format="YYYY-MM-DD",
        key=key,
        help=help,
    )
    return None if picked is None else picked.replace(tzinfo=UTC)


def end_of_day(day: date) -> datetime:
    """Return the last second of a day, when forecasting on its last day ends."""
    return read_time(day.isoformat(), end_of_day=True)
