"""Revisions: reword a question, move its close, end it early, take that back.

Each is a new row, the whole wording with what has changed in it; the earlier ones stay readable.
A close that a resolution implies is written by ``resolutions`` in the same way.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from forecasts.access import roles, visibility
from forecasts.access.roles import Action
from forecasts.common.errors import Refused
from forecasts.common.times import to_minute
from forecasts.ledger.models import (
    Member,
    Question,
    QuestionRevision,
    QuestionText,
    Resolution,
    ResolutionState,
)
from forecasts.questions.registry import question_text, require_can_ask, revision_row
from forecasts.questions.standing import QuestionState, current_state

CLOSED = "closed early"

REOPENED = "early close taken back"

OUTCOME_KNOWN = "the outcome became known"

_FIELDS = tuple(QuestionText.model_fields)

# What a score is worked out from: it stays as it is once the question is resolved.
DECIDES_SCORES = (
    "type",
    "options",
    "ordered",
    "lower_bound",
    "upper_bound",
    "open_time",
    "scheduled_close_time",
    "actual_close_time",
    "spot_time",
)


@dataclass(frozen=True)
class Change:
    """One field in which two wordings differ; None and '' where it was, or is, blank."""

    field: str
    before: Any
    after: Any

    @property
    def name(self) -> str:
        """The field's name for a person."""
        return self.field.removesuffix("_id").replace("_", " ")

    def said(self, time: Callable[[datetime], str] = to_minute) -> tuple[str, str]:
        """Return what stood there before and what does now, for a person."""
        before, after = (_said(value, time) for value in (self.before, self.after))
        return before, after


def _said(value: Any, time: Callable[[datetime], str]) -> str:
    if isinstance(value, datetime):
        return time(value)
    if isinstance(value, list):
        return ", ".join(value) or "blank"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"no. {value}"  # a team; its name stands where it says who sees the question
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value or "blank")


def changes(before: QuestionText, after: QuestionText) -> list[Change]:
    """Return the fields in which the two wordings differ, in the order of the model."""
    pairs = ((name, getattr(before, name), getattr(after, name)) for name in _FIELDS)
    return [Change(name, old, new) for name, old, new in pairs if (old or None) != (new or None)]


def history(session: Session, question: Question) -> list[QuestionRevision]:
    """Return every wording of the question, the first one first."""
    visibility.require_visible(session, question)
    return list(
        session.exec(
            select(QuestionRevision)
            .where(QuestionRevision.question_id == question.id)
            .order_by(col(QuestionRevision.number))
        )
    )


def reworded(text: QuestionText, **fields: Any) -> QuestionText:
    """Return ``text`` with these fields instead, validated, written nowhere; BadInput if invalid.

    The type and the options' order are fixed, since forecasts are aligned with them; options may
    be added before the last one, which an earlier forecast is read from in their place. Refused
    otherwise.
    """
    new = question_text(**({name: getattr(text, name) for name in _FIELDS} | fields))
    before, after = text.options or [], new.options or []
    added = len(after) - len(before)
    rest = after[: len(before) - 1] + after[-1:] if before else after
    if new.type != text.type or added < 0 or rest != before:
        raise Refused(
            "The type of a question is fixed, and its options may only be added to, before the "
            "last one (which stands for all that were not there yet).",
            remedy="Register a new question and annul this one.",
        )
    return new


def revise(
    session: Session,
    question: Question,
    *,
    member: Member,
    now: datetime,
    reason: str = "",
    **fields: Any,
) -> QuestionRevision:
    """Return the new wording: the newest one with these fields instead; it is written.

    Refused when nothing changes, when the scheduled close would lie in the past, and once the
    question is resolved for whatever its scores are worked out from. BadInput or Refused as
    ``reworded`` says.
    It takes its author or a resolver, and to let a team see it a forecaster of that team.
    """
    roles.require(session, member, Action.revise, question, now=now)
    state = current_state(session, question, now=now)
    new = reworded(state.text, **fields)
    changed = [change.field for change in changes(state.text, new)]
    if "visibility" in changed or "team_id" in changed:
        require_can_ask(session, new, member=member, now=now)
    if not changed:
        raise Refused(f"{state.slug!r} says just that already; nothing was changed.")
    fixed = [name.replace("_", " ") for name in DECIDES_SCORES if name in changed]
    if fixed and state.resolution is not None:
        raise Refused(
            f"{state.slug!r} is resolved, and its scores are worked out from its "
            f"{' and '.join(fixed)}.",
            remedy="Correct the resolution, or annul the question and register another.",
        )
    if "scheduled_close_time" in changed and new.scheduled_close_time <= now:
        raise Refused(
            f"The scheduled close {to_minute(new.scheduled_close_time)} has passed already: it is "
            f"{to_minute(now)}.",
            remedy=f"To end forecasting before its time: forecasts close {state.slug}.",
        )
    return append_wording(session, state.text, new, member=member, now=now, reason=reason.strip())


def close(
    session: Session, question: Question, *, at: datetime, member: Member, now: datetime
) -> QuestionRevision:
    """Return the wording in which forecasting has ended ``at`` that time, before its schedule.

    Refused for a time that is none before the schedule, and once the question is resolved.
    """
    roles.require(session, member, Action.revise, question, now=now)
    state = current_state(session, question, now=now)
    _require_unresolved(state)
    text = state.text
    if not text.open_time < at <= now or at >= text.scheduled_close_time:
        raise Refused(
            f"{to_minute(at)} is no early close: that lies after the open time "
            f"{to_minute(text.open_time)}, before the scheduled close "
            f"{to_minute(text.scheduled_close_time)}, and not ahead of now, {to_minute(now)}."
        )
    if text.actual_close_time == at:
        raise Refused(f"{state.slug!r} closed at {to_minute(at)} already; nothing was changed.")
    new = reworded(text, actual_close_time=at)
    return append_wording(session, text, new, member=member, now=now, reason=CLOSED)


def reopen(
    session: Session, question: Question, *, member: Member, now: datetime
) -> QuestionRevision:
    """Return the wording in which the question closes by its schedule again.

    Refused where it has not been closed early, and once it is resolved.
    """
    roles.require(session, member, Action.revise, question, now=now)
    state = current_state(session, question, now=now)
    _require_unresolved(state)
    if state.text.actual_close_time is None:
        raise Refused(f"{state.slug!r} has not been closed early; nothing was changed.")
    new = reworded(state.text, actual_close_time=None)
    return append_wording(session, state.text, new, member=member, now=now, reason=REOPENED)


def edits(rows: Sequence[QuestionRevision]) -> list[tuple[QuestionRevision, QuestionRevision]]:
    """Return the pairs of wordings, one after the other, between which somebody changed something.

    That a question closed when its outcome became known is the doing of its resolution.
    """
    return [
        (before, after)
        for before, after in itertools.pairwise(rows)
        if after.reason != OUTCOME_KNOWN
        or [change.field for change in changes(before, after)] != ["actual_close_time"]
    ]


def _require_unresolved(state: QuestionState) -> None:
    if state.resolution is not None:
        raise Refused(
            f"{state.slug!r} is resolved: it closed when its outcome became known.",
            remedy="To move that, correct the resolution with another time.",
        )


def append_wording(
    session: Session,
    current: QuestionRevision,
    text: QuestionText,
    *,
    member: Member,
    now: datetime,
    reason: str,
) -> QuestionRevision:
    """Return the wording that follows ``current``, written as it is given.

    What ``revise``, imports and resolutions share. Refused where somebody was faster.
    """
    row = revision_row(
        current.question_id, current.number + 1, text, member=member, now=now, reason=reason
    )
    session.add(row)
    try:
        session.flush()
    except IntegrityError:
        raise Refused(
            "Somebody else changed the question at the same moment.",
            remedy="Look at it again, and make your change if it is still needed.",
        ) from None
    return row


def close_by_hand(session: Session, question: Question) -> datetime | None:
    """Return the early close that no resolution has caused, None where there is none.

    That is the last one set by hand, or as an import brought it. A wording that was written
    together with a resolution, and closes when that one's outcome was known, is its doing.
    """
    known = {
        (row.recorded_at, row.known_at)
        for row in session.exec(
            select(Resolution).where(
                Resolution.question_id == question.id,
                Resolution.state == ResolutionState.confirmed,
            )
        )
    }
    before = close = None
    for revision in history(session, question):
        after = revision.actual_close_time
        implied = revision.reason != CLOSED and (revision.recorded_at, after) in known
        if after != before and not implied:
            close = after
        before = after
    return close
