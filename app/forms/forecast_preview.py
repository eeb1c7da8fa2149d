"""A typed forecast as it is read: its density, its expected scores, or what is wrong with it."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, tzinfo
from typing import TypedDict

import streamlit as st

from app import session
from app.markdown_text import as_text
from app.times import zone
from app.views.documents import chart, folded
from forecasts.common.errors import LedgerError
from forecasts.ledger.models import Forecast, QuestionText, QuestionType
from forecasts.updates import previews
from forecasts.updates.typed_values import read_typed
from forecasts.values.value import Value, format_odds, format_probability, format_value, value_of
from forecasts.views import question_charts


class Clock(TypedDict):
    """The keywords for dates as people type them: counted from now, in the reader's zone."""

    now: datetime
    zone: tzinfo


def read_field(written: str, current: Forecast | None, text: QuestionText) -> Value:
    """Return the value typed into a field that started as ``current``, as ``read_typed`` does."""
    return read_typed(written, current, text, **clock())


def clock() -> Clock:
    """Return the clock of dates that are typed now."""
    return {"now": session.now(), "zone": zone()}


def density(written: str, text: QuestionText) -> None:
    """Show the density that the quantiles imply, as a chart with a table."""
    with suppress(LedgerError):
        shown = question_charts.density(
            previews.implied_density(text, read_field(written, None, text)), text
        )
        chart(shown.charts[0], f"{shown.alt}.", height=150)
        folded("As a table", shown.table)


def preview(
    key: str, written: str, text: QuestionText, current: Forecast | None, *, quick: bool
) -> None:
    """Show the value as read with its expected scores, or the error that would prevent saving.

    A list shows nothing for an unchanged value.
    """
    if not written.strip():
        return
    try:
        value = read_field(written, current, text)
    except LedgerError as error:
        # A click on Save shows the same error itself.
        if not st.session_state.get(f"{key}-save"):
            st.caption(f"**Cannot be saved:** {as_text(error.message)}")
        return
    if quick and current is not None and value == value_of(current):
        return
    words = previews.format_expected_scores(text, current, value)
    if value.probability is not None:
        odds = format_odds(value.probability)
        shown = format_probability(value.probability) + (f", odds {odds}" if odds else "")
        words = f"{shown}. {words}"
    elif text.type == QuestionType.date:
        words = f"{format_value(value)}. {words}"
    st.caption(as_text(words))
