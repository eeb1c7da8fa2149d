"""The forms that change a question: a new wording, an early close, and reopening."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app import session
from app.forms.dates import TypedDate, date_field, time_field
from app.forms.question import detail_fields, typed_details
from app.markdown_text import as_text, shortened
from app.session import act, form_key, shown_errors
from app.times import local_day, when
from app.views.question_history import wording_changes
from forecasts.common.errors import Refused
from forecasts.ledger.models import QuestionRevision, QuestionType
from forecasts.questions import revisions
from forecasts.questions.revisions import Change
from forecasts.questions.standing import QuestionState

_TEXTS = ("resolution_criteria", "fine_print", "background")


def wording_form(state: QuestionState) -> None:
    """Show the form that rewords the question, with a preview of the changes."""
    text = state.text
    # One form per wording, so that nobody overwrites a newer wording unseen.
    key = form_key(f"revise-{state.slug}-{text.number}")
    with st.form(key):
        fields, days = _words(key, text), {}
        if state.resolution is None:
            days = _days(key, text)
            if text.type == QuestionType.multiple_choice:
                fields |= _options(key, text)
        reason = st.text_input(
            "Why",
            key=f"{key}-reason",
            placeholder="Your reason (optional)",
            help="Kept with the new wording, for members who forecast the earlier one.",
        )
        previewed = st.form_submit_button("Preview changes", key=f"{key}-look")
    with shown_errors():
        fields |= {name: typed.moment(session.now()) for name, typed in days.items()}
        changed = revisions.changes(text, revisions.reworded(text, **fields))
        if not changed and previewed:
            st.info("No changes: the fields match the current wording.")
        if changed and _confirmed(key, changed):
            with act(key) as doing:
                new = revisions.revise(
                    doing.ledger, state.question, reason=reason, **doing.by, **fields
                )
                doing.say(f"Saved wording {new.number} of “{shortened(new.title, 60)}”.")


def _words(key: str, text: QuestionRevision) -> dict[str, Any]:
    """Show the fields of the question's text; return them under their names in the ledger.

    A text of which only surrounding blanks differ is as before.
    """
    title = st.text_area("Question", value=text.title, key=f"{key}-title", height=80)
    detail_fields(key, None, text)
    typed = {"title": " ".join(title.split()), **typed_details(key).words()}
    kept = {name: str(getattr(text, name)) for name in _TEXTS}
    return typed | {name: old for name, old in kept.items() if typed[name] == old.strip()}


def _days(key: str, text: QuestionRevision) -> dict[str, TypedDate]:
    """Show the last days; return only changed ones, to keep exact times behind the others."""
    changed: dict[str, TypedDate] = {}
    for column, label, name, help_text in zip(
        st.columns(2),
        ("Last day of forecasting", "Resolve by"),
        ("scheduled_close_time", "scheduled_resolve_time"),
        (
            "If you change it, forecasting ends at the end of the new day.",
            "When the outcome should be known. Optional.",
        ),
        strict=True,
    ):
        time = getattr(text, name)
        before = None if time is None else local_day(time)
        with column:
            typed = date_field(label, before, key=f"{key}-{name}", help=help_text)
        if typed.typed.strip() != ("" if before is None else before.isoformat()):
            changed[name] = typed
    return changed


def _options(key: str, text: QuestionRevision) -> dict[str, Any]:
    """Show the field for added options; return the new options."""
    options = text.options or []
    lines = st.text_area(
        "Options to add, one per line",
        key=f"{key}-options",
        height=80,
        help=f"Added before the last option, “{as_text(options[-1])}”. Earlier forecasts count "
        "with its probability.",
    )
    added = [line.strip() for line in lines.splitlines() if line.strip()]
    return {"options": [*options[:-1], *added, *options[-1:]]} if added else {}


def _confirmed(key: str, changed: list[Change]) -> bool:
    """Show the changes; return whether to save them."""
    with st.container(border=True, gap="small"):
        st.markdown("**Changes**")
        wording_changes(changed)
        st.caption("The earlier wording remains readable, and forecasts made on it remain active.")
        return st.button("Save new wording", type="primary", key=f"{key}-save")


@st.fragment
def close_form(state: QuestionState) -> None:
    """Show the form that ends forecasting early."""
    text = state.text
    key = form_key(f"close-{state.slug}")
    at = time_field(
        "Closed at",
        key=f"{key}-at",
        help="Later forecasts do not count. Blank: now.",
    )
    with st.form(key, border=False):
        st.caption("If the outcome is known, resolve the question instead. That closes it too.")
        sure = st.checkbox("Yes, end forecasting", key=f"{key}-sure")
        submitted = st.form_submit_button("Close question", key=f"{key}-go")
    if submitted:
        with act(key) as doing:
            if not sure:
                raise Refused("The question was not closed.", remedy="Tick the box to confirm.")
            ended = at.moment(doing.now) or doing.now
            closed = revisions.close(doing.ledger, state.question, at=ended, **doing.by)
            doing.say(f"Closed at {when(closed.close_time)}: “{shortened(text.title, 60)}”.")


def reopen_form(state: QuestionState) -> None:
    """Show the form that undoes an early close."""
    key = form_key(f"reopen-{state.slug}")
    with st.form(key, border=False):
        st.caption(
            f"Closed early, {when(state.text.close_time)}. Reopened, it closes as scheduled, "
            f"{when(state.text.scheduled_close_time)}."
        )
        submitted = st.form_submit_button("Reopen", key=f"{key}-go")
    if submitted:
        with act(key) as doing:
            text = revisions.reopen(doing.ledger, state.question, **doing.by)
            doing.say(f"Reopened: “{shortened(text.title, 60)}” closes {when(text.close_time)}.")
