"""Fields for days, and for times in the reader's zone."""

from __future__ import annotations

from datetime import UTC, date, datetime

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.markdown_text import as_text
from app.times import zone, zone_name
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
    label: str, *, earliest: datetime | None = None, latest: datetime, key: str, help: str
) -> datetime | None:
    """Show a field for a time in the reader's zone, blank at first; return it in UTC."""
    place = zone()
    picked: datetime | None = st.datetime_input(
        f"{label} ({as_text(zone_name())})",
        value=None,
        # By default, Streamlit offers ten years only.
        min_value=date.min if earliest is None else _naive(earliest),
        max_value=_naive(latest),
        step=60,
        format="YYYY-MM-DD",
        key=key,
        help=help,
    )
    return None if picked is None else picked.replace(tzinfo=place).astimezone(UTC)


def _naive(moment: datetime) -> datetime:
    """Return a time on the reader's clock."""
    return moment.astimezone(zone()).replace(tzinfo=None)


def end_of_day(day: date) -> datetime:
    """Return the last second of a day, when forecasting on its last day ends."""
    return read_time(day.isoformat(), end_of_day=True)
