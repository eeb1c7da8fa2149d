"""Fields for days and times as people type them, in the reader's zone.

Outside a form they show the date as it is read, before it is saved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime

import streamlit as st

from app import session
from app.markdown_text import as_text
from app.times import day, local_day, when, zone, zone_name
from forecasts.common.errors import BadInput
from forecasts.values.typed_dates import iso_date, read_date


@dataclass(frozen=True)
class TypedDate:
    """The text of a field for a day or a time; it is read when the form is submitted.

    ``past``: a day without a year is the latest one. ``end_of_day``: a day means its last second.
    """

    label: str
    typed: str
    past: bool = False
    end_of_day: bool = True

    def moment(self, now: datetime) -> datetime | None:
        """Return the time in UTC, None if blank; BadInput names the field."""
        if not self.typed.strip():
            return None
        with self._named():
            return read_date(
                self.typed, now=now, zone=zone(), end_of_day=self.end_of_day, past=self.past
            )

    def iso(self, now: datetime) -> str | None:
        """Return the date in ISO 8601, None if blank; BadInput names the field."""
        if not self.typed.strip():
            return None
        first = not self.end_of_day
        with self._named():
            return iso_date(self.typed, now=now, zone=zone(), past=self.past, first=first)

    def show_reading(self, shown: Callable[[datetime], str]) -> None:
        """Show the date as it is read, in the form ``shown``, or why it cannot be.

        Nothing while the field is blank.
        """
        try:
            moment = self.moment(session.now())
        except BadInput as error:
            st.caption(f"**Cannot be saved:** {as_text(error.message)}")
            return
        if moment is not None:
            st.caption(f"Read as **{as_text(shown(moment))}**")

    def day(self, now: datetime) -> date | None:
        """Return the day on the reader's clock, None if blank; BadInput names the field."""
        moment = self.moment(now)
        return None if moment is None else local_day(moment)

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Name the field in a BadInput."""
        try:
            yield
        except BadInput as error:
            raise BadInput(f"{self.label}: {error.message}", remedy=error.advice) from None


def date_field(
    label: str,
    value: date | None = None,
    *,
    key: str,
    help: str | None = None,
    placeholder: str = "31 March, next friday",
    past: bool = False,
    first: bool = False,
    live: bool = False,
) -> TypedDate:
    """Show a field for a day.

    ``first``: a period means its first day, not its last. ``live``: outside a form, with its
    reading.
    """
    typed = st.text_input(
        label,
        value="" if value is None else value.isoformat(),
        key=key,
        placeholder=placeholder,
        help=help,
        live=live,
    )
    date_ = TypedDate(label, typed or "", past, end_of_day=not first)
    if live:
        date_.show_reading(day)
    return date_


def time_field(label: str, *, key: str, help: str) -> TypedDate:
    """Show a field for a time that has passed, blank at first, with its reading."""
    label = f"{label} ({as_text(zone_name())})"
    typed = st.text_input(
        label, key=key, placeholder="4 Jan 18:30, yesterday", help=help, live=True
    )
    time = TypedDate(label, typed or "", past=True, end_of_day=False)
    time.show_reading(when)
    return time


def require_future(moment: datetime, now: datetime) -> datetime:
    """Return the end of forecasting; BadInput if it has passed."""
    if moment <= now:
        raise BadInput(f"{day(moment)} has passed.", remedy="Type a later day.")
    return moment


def future_date(typed: str, now: datetime) -> datetime:
    """Return the typed end of forecasting; BadInput if it is not a date or has passed."""
    return require_future(read_date(typed, now=now, zone=zone()), now)
