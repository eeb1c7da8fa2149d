"""Bulk actions: change several questions, or withdraw from them, all or nothing.

Questions that already have the wanted value are left unchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlmodel import Session

from forecasts.access import teams
from forecasts.common.errors import BadInput
from forecasts.ledger.models import Member, QuestionText
from forecasts.questions import revisions
from forecasts.questions.revisions import CRITERIA, Edit, Revised
from forecasts.questions.standing import QuestionState, listing
from forecasts.updates.updates import current_forecasts, withdraw


class BulkAction(StrEnum):
    """An action on several questions; the labels of a menu."""

    tag = "add a tag"
    untag = "remove a tag"
    family = "set the family"
    show = "set the audience"
    criteria = "set the criteria"
    rewrite = "replace the criteria"
    team = "set the team"
    withdraw = "withdraw my forecasts"


def affected_questions(
    session: Session,
    action: BulkAction,
    argument: str,
    slugs: Sequence[str],
    *,
    member: Member | None,
    now: datetime,
) -> list[Revised]:
    """Return the questions that the action would change, before and after; nothing is written.

    ``argument``: the tag, the family or the team (blank for none), the criteria, or the audience.
    Criteria are set where a question has none, and replaced only by the action of that name.
    Errors as in ``apply_action`` for the member, so that none comes after the preview.
    """
    if action is BulkAction.withdraw:
        current = _forecast(session, slugs, member, now)
        return [Revised(state, state.text, state.text) for state in current]
    edit = _edit(session, action, argument)
    return revisions.to_revise(session, slugs, edit, member=member, now=now)


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

    Errors as in ``revise_all`` and ``withdraw``.
    """
    if action is not BulkAction.withdraw:
        edit = _edit(session, action, argument)
        return len(revisions.revise_all(session, slugs, edit, member=member, now=now))
    current = _forecast(session, slugs, member, now)
    for state in current:
        withdraw(session, state.question, member=member, now=now, origin="app")
    return len(current)


def _forecast(
    session: Session, slugs: Sequence[str], member: Member | None, now: datetime
) -> list[QuestionState]:
    """Return the questions on which the member has a current forecast that can be withdrawn."""
    current = {} if member is None else current_forecasts(session, member, at=now)
    found = listing(session, now=now, only=slugs)
    return [one for one in found if one.id in current and one.accepts_forecasts(now)]


def _edit(session: Session, action: BulkAction, argument: str) -> Edit:
    """Return the edit of a question's wording; BadInput for a tag that is not one."""
    words = " ".join(argument.split())
    if action in (BulkAction.tag, BulkAction.untag) and (not words or "," in words):
        raise BadInput(f"{words!r} is not a tag.", remedy="Write one tag, without a comma.")
    if action is BulkAction.criteria:
        return revisions.keeping_criteria({CRITERIA: argument.strip()})
    same: dict[BulkAction, Callable[[], dict[str, Any]]] = {
        BulkAction.family: lambda: {"family": words},
        BulkAction.rewrite: lambda: {CRITERIA: argument.strip()},
        BulkAction.show: lambda: teams.visibility_fields(session, words),
        BulkAction.team: lambda: teams.team_fields(session, words),
    }
    if action in same:
        fields = same[action]()
        return lambda _: fields

    def with_tags(text: QuestionText) -> dict[str, Any]:
        tags = text.tags or []
        others = [tag for tag in tags if tag != words]
        if action is BulkAction.untag:
            return {"tags": others or None}
        return {"tags": tags if words in tags else [*others, words]}

    return with_tags
