"""The forms that change a question: another wording, an early close, and that taken back."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import streamlit as st

from app.markdown_text import as_text, reworded, shortened, when
from app.session import act, form_key, now, shown_errors
from forecasts.common.errors import Refused
from forecasts.common.times import read_time
from forecasts.ledger.models import QuestionRevision, QuestionType
from forecasts.questions import revisions
from forecasts.questions.revisions import Change
from forecasts.questions.standing import QuestionState


def wording_form(state: QuestionState) -> None:
    """Show the form in which the question is reworded; what would change is seen before it is."""
    text = state.text
    # Another form for another wording, so that nobody's is written over unseen.
    name = f"revise-{state.slug}-{text.number}"
    key = form_key(name)
    with st.form(key):
        fields = _words(key, text)
        if state.resolution is None:
            fields |= _times(key, text)
        if state.resolution is None and text.type == QuestionType.multiple_choice:
            fields |= _options(key, text)
        reason = st.text_input(
            "Why",
            key=f"{key}-reason",
            placeholder="Your reason (optional)",
            help="It is kept with the new wording, for those who forecast on the earlier one.",
        )
        looked = st.form_submit_button("See what changes", key=f"{key}-look")
    with shown_errors():
        changed = revisions.changes(text, revisions.reworded(text, **fields))
        if not changed and looked:
            st.info("Nothing changes: the fields say what the question says.")
        if changed and _wanted(key, changed):
            with act(key) as doing:
                new = revisions.revise(
                    doing.ledger,
                    state.question,
                    member=doing.member,
                    now=doing.now,
                    reason=reason or "",
                    **fields,
                )
                doing.say(f"Saved wording {new.number} of “{shortened(new.title, 60)}”.")


def _words(key: str, text: QuestionRevision) -> dict[str, Any]:
    """Show the fields of what the question says; return them under their names in the ledger."""
    title = st.text_area("Question", value=text.title, key=f"{key}-title", height=80)
    criteria = st.text_area(
        "Resolution criteria",
        value=text.resolution_criteria,
        key=f"{key}-criteria",
        height=110,
        help="Enough for a stranger to decide it.",
    )
    fine_print = st.text_area(
        "Fine print", value=text.fine_print, key=f"{key}-fine-print", height=80, help="Edge cases."
    )
    background = st.text_area(
        "Background",
        value=text.background,
        key=f"{key}-background",
        height=80,
        help="What to know before forecasting.",
    )
    left, right = st.columns(2)
    tags = left.text_input(
        "Tags",
        value=", ".join(text.tags or []),
        key=f"{key}-tags",
        help="Separated by commas.",
    )
    family = right.text_input(
        "Family",
        value=text.family,
        key=f"{key}-family",
        help="Questions whose outcomes hang together share a family; reports count them as one.",
    )
    return {
        "title": " ".join((title or "").split()),
        "resolution_criteria": _kept(criteria, text.resolution_criteria),
        "fine_print": _kept(fine_print, text.fine_print),
        "background": _kept(background, text.background),
        "tags": [tag.strip() for tag in (tags or "").split(",") if tag.strip()] or None,
        "family": (family or "").strip(),
    }


def _kept(written: str | None, before: str) -> str:
    """Return what stands in a field; blanks around it are no change."""
    stripped = (written or "").strip()
    return before if stripped == before.strip() else stripped


def _times(key: str, text: QuestionRevision) -> dict[str, Any]:
    """Show the last days; return those that were changed, since an exact time may stand behind."""
    left, right = st.columns(2)
    closes = left.date_input(
        "Last day of forecasting",
        value=text.scheduled_close_time.date(),
        min_value=date.min,
        max_value=date.max,
        key=f"{key}-closes",
        format="YYYY-MM-DD",
        help="Another day: forecasting then ends with it, at 23:59:59 UTC.",
    )
    before = None if text.scheduled_resolve_time is None else text.scheduled_resolve_time.date()
    resolves = right.date_input(
        "To be resolved by",
        value=before,
        min_value=date.min,
        max_value=date.max,
        key=f"{key}-resolves",
        format="YYYY-MM-DD",
        help="When the answer should have been looked up. May stay blank.",
    )
    fields: dict[str, Any] = {}
    if closes != text.scheduled_close_time.date():
        fields["scheduled_close_time"] = _end_of(closes)
    if resolves != before:
        fields["scheduled_resolve_time"] = _end_of(resolves)
    return fields


def _end_of(last: date | None) -> datetime | None:
    return None if last is None else read_time(last.isoformat(), end_of_day=True)


def _options(key: str, text: QuestionRevision) -> dict[str, Any]:
    """Show the field for options to add; return the options as they would be."""
    options = text.options or []
    lines = st.text_area(
        "Options to add, one a line",
        key=f"{key}-options",
        height=80,
        help=f"They come before the last one, “{as_text(options[-1])}”, from which earlier "
        "forecasts on them are read.",
    )
    added = [line.strip() for line in (lines or "").splitlines() if line.strip()]
    return {"options": [*options[:-1], *added, *options[-1:]]} if added else {}


def _wanted(key: str, changed: list[Change]) -> bool:
    """Show what would change; return whether it is to be saved."""
    with st.container(border=True, gap="small"):
        st.markdown("**This changes**")
        changes(changed)
        st.caption("The earlier wording stays readable, and forecasts made on it stand.")
        return st.button("Save the new wording", type="primary", key=f"{key}-save")


def changes(changed: list[Change]) -> None:
    """Show fields that differ between two wordings: what stood there, and what does now.

    Of a text the words that differ, where most are the same.
    """
    struck = False
    for change in changed:
        before, after = change.said(when)
        is_text = isinstance(change.before, str) and isinstance(change.after, str)
        words = reworded(before, after) if is_text else None
        struck = struck or words is not None
        st.markdown(f"*{change.name}*: {words or f'{as_text(before)} → {as_text(after)}'}")
    if struck:
        st.caption("Struck through: taken out. Bold: put in.")


def close_form(state: QuestionState) -> None:
    """Show the form in which forecasting is ended before its schedule, where that can be."""
    text = state.text
    name = f"close-{state.slug}"
    key = form_key(name)
    with st.form(key, border=False):
        at = st.datetime_input(
            "Closed at (UTC)",
            value=None,
            min_value=text.open_time,
            max_value=now(),
            step=60,
            format="YYYY-MM-DD",
            key=f"{key}-at",
            help="Forecasts made from then on do not count. Blank: now.",
        )
        st.caption(
            "Nobody can forecast from then on. Where the outcome is known, resolve the question "
            "instead: that closes it, too."
        )
        sure = st.checkbox("Yes, end forecasting on this question", key=f"{key}-sure")
        submitted = st.form_submit_button("Close the question", key=f"{key}-go")
    if submitted:
        with act(key) as doing:
            if not sure:
                raise Refused("Nothing was closed.", remedy="Tick the box to say that you mean it.")
            closed = revisions.close(
                doing.ledger,
                state.question,
                at=doing.now if at is None else as_utc(at),
                member=doing.member,
                now=doing.now,
            )
            doing.say(f"Closed at {when(closed.close_time)}: “{shortened(text.title, 60)}”.")


def reopen_form(state: QuestionState) -> None:
    """Show the form in which an early close is taken back."""
    name = f"reopen-{state.slug}"
    key = form_key(name)
    with st.form(key, border=False):
        st.caption(
            f"It was closed early, at {when(state.text.close_time)}. Taken back, it closes by its "
            f"schedule: {when(state.text.scheduled_close_time)}."
        )
        submitted = st.form_submit_button("Take the early close back", key=f"{key}-go")
    if submitted:
        with act(key) as doing:
            text = revisions.reopen(
                doing.ledger, state.question, member=doing.member, now=doing.now
            )
            doing.say(f"“{shortened(text.title, 60)}” closes {when(text.close_time)} again.")


def as_utc(picked: datetime) -> datetime:
    """Return what a field that is labelled UTC shows."""
    return picked.replace(tzinfo=UTC)
