"""Bulk actions: change several questions, or withdraw from them, all or nothing.

Each question is changed by the verb for one question, so the same rules apply. Questions that
already have the wanted value are left unchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlmodel import Session

from forecasts.access import teams
from forecasts.common.errors import BadInput
from forecasts.common.limits import too_much
from forecasts.ledger.models import Member
from forecasts.questions.revisions import revise
from forecasts.questions.standing import QuestionState, listing
from forecasts.updates.updates import current_forecasts, withdraw

MAX_QUESTIONS = 200  # of one action, since other writers wait meanwhile


class BulkAction(StrEnum):
    """An action on several questions; the labels of a menu."""

    tag = "add a tag"
    untag = "remove a tag"
    family = "set the family"
    show = "set the audience"
    withdraw = "withdraw my forecasts"


def affected_questions(
    session: Session,
    action: BulkAction,
    argument: str,
    slugs: Sequence[str],
    *,
    member: Member | None,
    now: datetime,
) -> list[QuestionState]:
    """Return the questions that the action would change; nothing is written.

    ``argument``: the tag, the family (blank for none), or the audience. BadInput for more than
    ``MAX_QUESTIONS`` and for a blank tag.
    """
    if len(set(slugs)) > MAX_QUESTIONS:
        number = f"{len(set(slugs)):,} questions"
        raise too_much("One action", number, f"{MAX_QUESTIONS}", "Split it into several actions.")
    found = listing(session, now=now, only=slugs)
    if action is BulkAction.withdraw:
        current = {} if member is None else current_forecasts(session, member, at=now)
        return [state for state in found if state.id in current and state.accepts_forecasts(now)]
    fields = _new_fields(session, action, argument)
    return [
        state
        for state in found
        if any(getattr(state.text, name) != value for name, value in fields(state).items())
    ]


def apply_action(
    session: Session,
    action: BulkAction,
    argument: str,
    slugs: Sequence[str],
    *,
    member: Member,
    now: datetime,
) -> int:
    """Return the number of questions changed, which are written; one refusal refuses all.

    Errors as in ``revise`` and ``withdraw``.
    """
    affected = affected_questions(session, action, argument, slugs, member=member, now=now)
    if action is BulkAction.withdraw:
        for state in affected:
            withdraw(session, state.question, member=member, now=now, origin="app")
        return len(affected)
    fields = _new_fields(session, action, argument)
    for state in affected:
        revise(session, state.question, member=member, now=now, **fields(state))
    return len(affected)


def _new_fields(
    session: Session, action: BulkAction, argument: str
) -> Callable[[QuestionState], dict[str, Any]]:
    """Return a function from a question to the fields that the action sets."""
    argument = " ".join(argument.split())
    if action is BulkAction.family:
        return lambda _: {"family": argument}
    if action is BulkAction.show:
        audience = teams.visibility_fields(session, argument)
        return lambda _: audience
    if not argument or "," in argument:
        raise BadInput(f"{argument!r} is not a tag.", remedy="Write one tag, without a comma.")

    def tags(state: QuestionState) -> dict[str, Any]:
        others = [tag for tag in state.text.tags or [] if tag != argument]
        if action is BulkAction.untag:
            return {"tags": others or None}
        had = argument in (state.text.tags or [])
        return {"tags": state.text.tags if had else [*others, argument]}

    return tags
