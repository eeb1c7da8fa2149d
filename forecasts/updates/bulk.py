"""The same act on several questions at once: all of them, or none.

Each is done by the verb that does it on one, so what it takes on one it takes on each. Questions
that say already what they are told to say are left as they are.
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

MAX_QUESTIONS = 200  # questions of one act: others wait meanwhile


class BulkAction(StrEnum):
    """What can be done to several questions."""

    tag = "add a tag"
    untag = "take a tag away"
    family = "put them into a family"
    show = "say who may see them"
    withdraw = "withdraw my forecasts"


def affected_questions(
    session: Session,
    act: BulkAction,
    what: str,
    slugs: Sequence[str],
    *,
    member: Member | None,
    now: datetime,
) -> list[QuestionState]:
    """Return those of the questions that the act would change, as they stand; nothing is written.

    ``what``: the tag, the family (blank: none), or who may see them. BadInput for too many
    questions at once, and for a tag that is blank.
    """
    if len(set(slugs)) > MAX_QUESTIONS:
        raise too_much(
            "One act", f"{len(set(slugs)):,} questions", f"{MAX_QUESTIONS}", "Do it in parts."
        )
    found = listing(session, now=now, only=slugs)
    if act is BulkAction.withdraw:
        standing = {} if member is None else current_forecasts(session, member, at=now)
        return [one for one in found if one.id in standing and one.accepts_forecasts(now)]
    fields = _fields(session, act, what)
    return [
        one
        for one in found
        if any(getattr(one.text, name) != value for name, value in fields(one).items())
    ]


def apply_action(
    session: Session,
    act: BulkAction,
    what: str,
    slugs: Sequence[str],
    *,
    member: Member,
    now: datetime,
) -> int:
    """Return how many questions were changed, which is written. Whatever refuses one refuses all.

    Errors are those of ``revise`` and ``withdraw``.
    """
    changed = affected_questions(session, act, what, slugs, member=member, now=now)
    fields = None if act is BulkAction.withdraw else _fields(session, act, what)
    for one in changed:
        if fields is None:
            withdraw(session, one.question, member=member, now=now, origin="app")
        else:
            revise(session, one.question, member=member, now=now, **fields(one))
    return len(changed)


def _fields(
    session: Session, act: BulkAction, what: str
) -> Callable[[QuestionState], dict[str, Any]]:
    """Return what tells the fields that a question shall have."""
    what = " ".join(what.split())
    if act is BulkAction.family:
        return lambda _: {"family": what}
    if act is BulkAction.show:
        audience = teams.visibility_fields(session, what)
        return lambda _: audience
    if not what or "," in what:
        raise BadInput(f"{what!r} is no tag.", remedy="Write one tag, without a comma.")
    if act is BulkAction.tag:
        return lambda one: {"tags": [*(one.text.tags or []), *({what} - {*(one.text.tags or [])})]}
    return lambda one: {"tags": [t for t in one.text.tags or [] if t != what] or None}
