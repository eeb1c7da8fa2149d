"""The offer to undo the last update, in sight for a while after the message that it is saved."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import streamlit as st

from app import session
from app.components.keyboard import focus_on
from app.markdown_text import as_text, shortened
from app.session import act, form_key, page_state
from forecasts.questions.standing import QuestionState
from forecasts.updates.undo import undo
from forecasts.updates.updates import Saved
from forecasts.values.value import format_value, value_of

_SHOWN_FOR = timedelta(minutes=2)
_CHANGE, _TITLE = 80, 60  # characters shown
_KEPT = "Nothing is erased: both stay in the history, and the score counts the time between."


@dataclass(frozen=True)
class _Update:
    """An update that can be undone: its form before the save, its number, its words."""

    key: str
    slug: str
    number: int
    words: str
    undoing: str
    at: datetime


@dataclass
class _Last:
    """The last update of one browser session; None if it changed nothing, or is undone."""

    update: _Update | None = None


def offer_undo(key: str, state: QuestionState, saved: Saved) -> None:
    """Offer to undo the forecast that the form of ``key`` has saved."""
    last, text, made, before = page_state(_Last), state.text, saved.forecast, saved.before
    if before is not None and value_of(before) == value_of(made):
        last.update = None
        return
    old, new = (
        "" if one is None or one.withdrawn else shortened(format_value(one, text.options), _CHANGE)
        for one in (before, made)
    )
    change = " → ".join(part for part in (old, new or "withdrawn") if part)
    words = f"{change} on “{shortened(text.title, _TITLE)}”"
    undoing = f"Enters {old} again, as a new update." if old else "Withdraws the forecast."
    last.update = _Update(key, state.slug, made.id, words, undoing, made.made_at)


def undo_offer(form: str) -> None:
    """Show the last update of the last minutes with a button that undoes it.

    ``form``: the name of the page's forms, which then begin with the former value.
    """
    with st.container(key="undo-place"):  # always, so that cards keep their places on the page
        last = page_state(_Last).update
        if last is None or session.now() - last.at >= _SHOWN_FOR:
            return
        if form_key(last.key.rpartition("#")[0]) == last.key:
            return  # it was refused
        with st.container(key="undo", horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(as_text(last.words), width="stretch")
            key = f"undo-{last.number}-go"
            if st.button("Undo", key=key, help=f"{last.undoing} {_KEPT}"):
                _undo(form, last)


def _undo(form: str, last: _Update) -> None:
    """Undo the update; the cursor goes to the question's field."""
    with act(form_key(f"{form}-{last.slug}")) as doing:
        undo(doing.ledger, last.number, origin="app", **doing.by)
        doing.say(f"Undone: {last.words}.")
        focus_on(f"act-forecast-{last.slug}")
        page_state(_Last).update = None
    page_state(_Last).update = last  # it was refused
