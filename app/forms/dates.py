"""Fields for days and times as people type them, in the reader's zone.

Outside a form they show the date as it is read, before it is saved.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

import streamlit as st

from app import session
from app.markdown_text import as_text
from app.times import day, local_day, when, zone, zone_name
from forecasts.common.errors import BadInput, LedgerError
from forecasts.reading.drafting.intervals import long_date
from forecasts.values.typed_dates import Doubtful, iso_date, read_date

Read = TypeVar("Read")
NO_READING = "&nbsp;"  # a plain space is left out by Streamlit


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
        return self._read(read_date, now=now, end_of_day=self.end_of_day)

    def iso(self, now: datetime) -> str | None:
        """Return the date in ISO 8601, None if blank; BadInput names the field."""
        return self._read(iso_date, now=now, first=not self.end_of_day)

    def as_read(self, shown: Callable[[datetime], str]) -> str:
        """Return the date as it is read, in the form ``shown``; '' while the field is blank."""
        moment = self.moment(session.now())
        return "" if moment is None else shown(moment)

    def day(self, now: datetime) -> date | None:
        """Return the day on the reader's clock, None if blank; BadInput names the field."""
        moment = self.moment(now)
        return None if moment is None else local_day(moment)

    def _read(self, read: Callable[..., Read], **how: Any) -> Read | None:
        if not self.typed.strip():
            return None
        try:
            return read(self.typed, zone=zone(), past=self.past, **how)
        except Doubtful:
            raise
        except BadInput as error:
            raise BadInput(f"{self.label}: {error.message}", remedy=error.advice) from None


def date_field(
    label: str,
    value: date | None = None,
    *,
    key: str,
    help: str | None = None,
    placeholder: str = "31 March, in 3 weeks",
    past: bool = False,
    first: bool = False,
    live: bool = False,
    timed: bool = False,
) -> TypedDate:
    """Show a field for a day, or ``timed`` for a time.

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
        show_reading(lambda: date_.as_read(when if timed else day), field=key)
    return date_


def time_field(label: str, **how: Any) -> TypedDate:
    """Show a field for a time that has passed, blank at first, with its reading.

    ``how``: as in ``date_field``.
    """
    how |= {"placeholder": "4 Jan 18:30, yesterday", "past": True, "first": True, "live": True}
    return date_field(f"{label} ({as_text(zone_name())})", timed=True, **how)


def show_reading(read: Callable[[], str], *, field: str = "") -> None:
    """Show a typed value as it is read, or why it cannot be.

    The line is there before anything is typed, so that it moves no button below it. ``field``: the
    key of a date's field, into which a choice between two meanings is put.
    """
    try:
        shown = read()
        st.caption(f"Read as **{as_text(shown)}**" if shown else NO_READING)
    except LedgerError as error:
        if field and isinstance(error, Doubtful):
            choose_meaning(error, field)
            return
        st.caption(f"**Cannot be saved:** {as_text(error.message)}")


def choose_meaning(
    doubt: Doubtful, field: str, *, chosen: Callable[[str, str], None] | None = None
) -> None:
    """Ask for the meaning of a date, with a button for each, which puts it into the field.

    ``chosen``: then told the words that were asked about, and the day in ISO 8601.
    """
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(f"Which is meant by **{as_text(doubt.phrase)}**?", width="content")
        for place, (words, moment) in enumerate(doubt.readings):
            meant, named = local_day(moment), long_date(local_day(moment)) in words
            label = as_text(words if named else f"{words} ({day(moment)})")
            key = f"{field}-meaning-{place}"
            args = (field, doubt.phrase, meant.isoformat(), chosen)
            st.button(label, key=key, on_click=_choose, args=args, width="content")


def _choose(field: str, phrase: str, meant: str, chosen: Callable[[str, str], None] | None) -> None:
    st.session_state[field] = meant
    if chosen is not None:
        chosen(phrase, meant)


def require_future(moment: datetime, now: datetime) -> datetime:
    """Return the end of forecasting; BadInput if it has passed."""
    if moment <= now:
        raise BadInput(f"{day(moment)} has passed.", remedy="Type a later day.")
    return moment


def future_date(typed: str, now: datetime) -> datetime:
    """Return the typed end of forecasting; BadInput if it is not a date or has passed."""
    return require_future(read_date(typed, now=now, zone=zone()), now)
