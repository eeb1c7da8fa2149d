"""Times as a reader sees them: in the zone of their settings, or else their browser's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from app.markdown_text import closing
from app.session import my_preferences
from forecasts.common import times
from forecasts.ledger.models import QuestionText


def zone() -> tzinfo:
    """Return the reader's time zone; UTC if neither the settings nor the browser name one."""
    name = my_preferences().time_zone or st.context.timezone
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError):  # a browser may know a zone that we do not
        return UTC


def zone_name() -> str:
    """Return the name of the reader's time zone, such as Europe/Paris."""
    return str(zone())


def when(moment: datetime) -> str:
    """Return a time in the reader's zone: '30 Nov 2025, 18:59 EST'."""
    local = times.in_zone(moment, zone())
    return f"{local:%-d %b %Y, %H:%M} {times.zone_label(local)}"


def local_day(moment: datetime) -> date:
    """Return the reader's day of a time; a time that means a whole day in UTC is that day."""
    return times.local_day(moment, zone())


def day(moment: datetime | date) -> str:
    """Return a day: '30 Nov 2025'. That of a time is the reader's, unless it means a whole day."""
    return f"{local_day(moment) if isinstance(moment, datetime) else moment:%-d %b %Y}"


def closing_on(text: QuestionText, now: datetime, show: Callable[[datetime], str] = day) -> str:
    """Return ``closing`` with the day that it counts to: 'closes in 12 days · 30 Nov 2025'.

    ``show``: how to show that day; ``when`` for its time too.
    """
    at = text.open_time if now < text.open_time else text.close_time
    return f"{closing(text, now)} · {show(at)}"


def published(moment: datetime | None) -> str:
    """Return an article's publication day, or time if known; '' if neither is."""
    if moment is None:
        return ""
    return day(moment) if len(times.iso_day_or_time(moment)) == 10 else when(moment)
