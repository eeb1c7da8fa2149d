"""Fields for days and times as people type them, in the reader's zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import streamlit as st

from app.markdown_text import as_text
from app.times import day, zone, zone_name
from forecasts.common.errors import BadInput
from forecasts.questions.typed_dates import read_date


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
        try:
            return read_date(
                self.typed, now=now, zone=zone(), end_of_day=self.end_of_day, past=self.past
            )
        except BadInput as error:
            raise BadInput(f"{self.label}: {error.message}", remedy=error.remedy) from None

    def day(self, now: datetime) -> date | None:
        """Return the day on the reader's clock, None if blank; BadInput names the field."""
        moment = self.moment(now)
        return None if moment is None else moment.astimezone(zone()).date()


def date_field(
    label: str,
    value: date | None = None,
    *,
    key: str,
    help: str | None = None,
    placeholder: str = "31 March, next friday",
    past: bool = False,
) -> TypedDate:
    """Show a field for a day."""
    typed = st.text_input(
        label,
        value="" if value is None else value.isoformat(),
        key=key,
        placeholder=placeholder,
        help=help,
    )
    return TypedDate(label, typed or "", past)


def time_field(label: str, *, key: str, help: str) -> TypedDate:
    """Show a field for a time that has passed, blank at first."""
    label = f"{label} ({as_text(zone_name())})"
    typed = st.text_input(label, key=key, placeholder="4 Jan 18:30, yesterday", help=help)
    return TypedDate(label, typed, past=True, end_of_day=False)


def require_future(moment: datetime, now: datetime) -> datetime:
    """Return the end of forecasting; BadInput if it has passed."""
    if moment <= now:
        raise BadInput(f"{day(moment)} has passed.", remedy="Type a later day.")
    return moment
