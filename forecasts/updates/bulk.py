"""Bulk actions: change several questions, or withdraw from them, all or nothing.

Each question is changed by the verb for one question, so the same rules apply. Questions that
already have the wanted value are left unchanged.
"""

from __future__ import annotations

from collections.abc import Sequence
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
    return [state for state, _ in _changes(session, action, argument, slugs, member, now)]


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
    changes = _changes(session, action, argument, slugs, member, now)
    for state, fields in changes:
        if action is BulkAction.withdraw:
            withdraw(session, state.question, member=member, now=now, origin="app")
        else:
            revise(session, state.question, member=member, now=now, **fields)
    return len(changes)


def _changes(
    session: Session,
    action: BulkAction,
    argument: str,
    slugs: Sequence[str],
    member: Member | None,
    now: datetime,
) -> list[tuple[QuestionState, dict[str, Any]]]:
    """Return the questions that the action changes, each with the fields that it sets."""
    if len(set(slugs)) > MAX_QUESTIONS:
        number = f"{len(set(slugs)):,} questions"
        raise too_much("One action", number, f"{MAX_QUESTIONS}", "Split it into several actions.")
    found = listing(session, now=now, only=slugs)
    if action is BulkAction.withdraw:
        current = {} if member is None else current_forecasts(session, member, at=now)
        return [(one, {}) for one in found if one.id in current and one.accepts_forecasts(now)]
    argument = " ".join(argument.split())
    if action in (BulkAction.tag, BulkAction.untag) and (not argument or "," in argument):
        raise BadInput(f"{argument!r} is not a tag.", remedy="Write one tag, without a comma.")
    audience = teams.visibility_fields(session, argument if action is BulkAction.show else None)
    changed = []
    for state in found:
        tags = state.text.tags or []
        others: list[str] = [tag for tag in tags if tag != argument]
        fields: dict[str, Any] = {
            BulkAction.family: {"family": argument},
            BulkAction.show: audience,
            BulkAction.untag: {"tags": others or None},
            BulkAction.tag: {"tags": tags if argument in tags else [*others, argument]},
        }[action]
        if any(getattr(state.text, name) != value for name, value in fields.items()):
            changed.append((state, fields))
    return changed
