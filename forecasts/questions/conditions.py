"""Conditionals: a question asked once for each outcome of another, its parent.

"If the summit happens, will tariffs fall?" has two branches, of which one is annulled when the
parent resolves (``resolution.branches``); the other is scored. All are in the parent's family.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from typing import Any

from sqlmodel import Session, col, or_, select

from forecasts.access.visibility import question_visible
from forecasts.common.errors import BadInput, Refused
from forecasts.common.limits import ENTRIES, too_much
from forecasts.common.text import cut
from forecasts.ledger.append import written
from forecasts.ledger.models import (
    Condition,
    Member,
    Question,
    QuestionText,
    QuestionType,
    Visibility,
)
from forecasts.questions.passages import Passage
from forecasts.questions.registry import register
from forecasts.questions.revisions import FAMILY_GIVEN, append_wording, reworded
from forecasts.questions.standing import QuestionState, by_id, current_state
from forecasts.values.dependence import overlap, read_condition

_LONGEST = 200  # characters of the parent's title in a branch's


@dataclass(frozen=True)
class Branch:
    """A question with the outcome of its parent under which it is asked."""

    state: QuestionState
    parent: QuestionState
    outcome: str


def branch_title(parent: str, outcome: str, title: str) -> str:
    """Return the title of a branch.

    >>> branch_title("Will the summit happen?", "yes", "Will tariffs fall?")
    'If “Will the summit happen?” is yes: Will tariffs fall?'
    """
    return f"If “{cut(parent, _LONGEST)}” is {outcome}: {title}"


def child_title(branch: Branch) -> str:
    """Return the title of a branch without its condition."""
    return branch.state.text.title.rpartition(f"” is {branch.outcome}: ")[2]


def pairs(found: Sequence[Branch]) -> list[tuple[Branch, Branch]]:
    """Return the branches for yes and for no that ask the same of the same parent, in order."""
    both: dict[tuple[int, str], dict[str, list[Branch]]] = {}
    for one in found:
        if one.parent.text.type == QuestionType.binary:
            asked = both.setdefault((one.parent.id, child_title(one)), {"yes": [], "no": []})
            asked[one.outcome].append(one)
    return [
        pair for asked in both.values() for pair in zip(asked["yes"], asked["no"], strict=False)
    ]


def register_conditional(
    session: Session,
    parent: Question,
    text: QuestionText,
    outcomes: Sequence[str] | None = None,
    *,
    member: Member,
    now: datetime,
    sources: Sequence[Passage] = (),
) -> list[Branch]:
    """Return the branches, which are written: ``text`` once for each outcome of the parent.

    ``outcomes``: as in ``values.dependence.read_condition``; by default yes and no, or each option.
    A parent without a family gets one, named after itself. Each branch is registered as by
    ``register``, with its errors. BadInput for outcomes that the parent cannot have, or that
    overlap. Refused if the parent has its outcome, or if a member would see a branch, which names
    the parent, but not the parent.
    """
    state = current_state(session, parent, now=now)
    if state.resolution is not None:
        raise Refused(
            f"{state.slug!r} is resolved: {state.resolution.outcome}.",
            remedy="Ask the question without a condition.",
        )
    if not _is_as_restricted(text, state):
        raise Refused(
            f"Members who may not see {state.slug!r} would see a question that names it.",
            remedy="Show it to the same team, or to its author alone.",
        )
    conditions = _read(state.text, outcomes)
    family = _ensure_family(session, state, member, now)
    for outcome in conditions:
        title = branch_title(state.text.title, outcome, text.title)
        own = reworded(text, title=title, family=family)
        question = register(session, own, member=member, now=now, sources=sources)
        row = Condition(
            question_id=question.id,
            parent_id=parent.id,
            outcome=outcome,
            member_id=member.id,
            recorded_at=now,
        )
        written(session, row)
    found = branches_of(session, parent, now=now)
    return found[-len(conditions) :]


def branches_of(session: Session, parent: Question, *, now: datetime) -> list[Branch]:
    """Return the questions asked under an outcome of this one, the oldest first."""
    return branches(session, Condition.parent_id == parent.id, now=now)


def condition_of(session: Session, question: Question, *, now: datetime) -> Branch | None:
    """Return the question with its condition; None if it has none that the reader may see."""
    found = branches(session, Condition.question_id == question.id, now=now)
    return found[0] if found else None


def around(session: Session, question: Question, *, now: datetime) -> list[Branch]:
    """Return the question's branches, and itself as a branch of another, the oldest first."""
    own = or_(col(Condition.question_id) == question.id, col(Condition.parent_id) == question.id)
    return branches(session, own, now=now)


def branches(session: Session, where: Any = True, *, now: datetime) -> list[Branch]:
    """Return the branches that the reader may see with their parents, the oldest first.

    ``where``: an SQL condition on the ``Condition``.
    """
    rows = condition_rows(session, where)
    ids = {id_ for row in rows for id_ in (row.question_id, row.parent_id)}
    states = by_id(session, sorted(ids), now=now) if ids else {}
    return [Branch(states[row.question_id], states[row.parent_id], row.outcome) for row in rows]


def condition_rows(session: Session, where: Any = True) -> Sequence[Condition]:
    """Return the conditions whose questions the reader may both see, the oldest first."""
    return session.exec(
        select(Condition)
        .where(
            where,
            question_visible(session, Condition.question_id),
            question_visible(session, Condition.parent_id),
        )
        .order_by(col(Condition.id))
    ).all()


def _read(parent: QuestionText, outcomes: Sequence[str] | None) -> list[str]:
    if outcomes is None:
        if parent.is_quantitative:
            raise BadInput(
                "The outcomes of a number or a date are given as ranges.",
                remedy="Give them, such as ..10 and 10.. (the end of a range does not belong to "
                "it).",
            )
        outcomes = ["yes", "no"] if parent.type == QuestionType.binary else parent.options or []
    if len(outcomes) > ENTRIES:
        raise too_much("One conditional", f"{len(outcomes):,} branches", f"{ENTRIES}", "Split it.")
    conditions = [read_condition(one, parent) for one in outcomes]
    if not conditions:
        raise BadInput("A conditional needs an outcome.", remedy="Give one or more.")
    for one, other in combinations(conditions, 2):
        if overlap(one, other, parent):
            raise BadInput(
                f"{one} and {other} overlap.", remedy="Give outcomes that exclude others."
            )
    return conditions


def _is_as_restricted(text: QuestionText, parent: QuestionState) -> bool:
    """Return whether everyone who sees the wording sees the parent."""
    if parent.text.visibility == Visibility.everyone:
        return True
    same_team = parent.text.visibility == Visibility.team and text.team_id == parent.text.team_id
    own = text.visibility == Visibility.author
    return own or (same_team and text.visibility == Visibility.team)


def _ensure_family(session: Session, state: QuestionState, member: Member, now: datetime) -> str:
    """Return the question's family; one that has none gets one, by a wording that is written.

    Without the right to change the question, since it says nothing else of it.
    """
    if not state.text.family:
        own = reworded(state.text, family=state.slug)
        append_wording(session, state.text, own, member=member, now=now, reason=FAMILY_GIVEN)
    return state.text.family or state.slug
