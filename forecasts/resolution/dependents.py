"""Effects of an outcome on other questions: branches of a conditional, members of a group.

A branch whose condition does not hold is annulled with the act that resolves its parent. Such an
annulment has the parent as its source (``source_of``), which no member can write; so it is undone
when the parent is corrected or withdrawn, and a person's annulment is not.

Rejected: annulling by a later run (for a while the branch would be open, and could be forecast).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col

from forecasts.access.visibility import is_visible, reading_everything
from forecasts.common.errors import Refused, Remedy
from forecasts.ledger.models import Condition, Question, Resolution, ResolutionState
from forecasts.questions.conditions import Branch, branches, condition_of
from forecasts.questions.groups import group_of
from forecasts.questions.standing import QuestionState, in_batches
from forecasts.values.dependence import contradicted, holds, implied

ANNULLED = "annulled"
FOLLOWS = "condition:"  # begins the source of an outcome that follows from a condition


@dataclass(frozen=True)
class Step:
    """A row to write on a branch: it confirms or withdraws this outcome."""

    state: QuestionState
    then: ResolutionState
    outcome: str
    known_at: datetime | None
    note: str
    source: str = ""


def source_of(parent: QuestionState) -> str:
    """Return the source of an outcome that follows from a condition on this question."""
    return f"{FOLLOWS}{parent.slug}"


def branches_to_settle(session: Session, parents: Collection[int], *, now: datetime) -> list[Step]:
    """Return the steps after which the visible branches of these questions are right; see there.

    Those that are right already need none.
    """
    found = []
    for some in in_batches(list(parents)):
        for branch in branches(session, col(Condition.parent_id).in_(some), now=now):
            if (step := _step(session, branch)) is not None:
                found.append(step)
    return found


def is_dead(branch: Branch) -> bool:
    """Return whether the parent has an outcome under which the branch is not asked."""
    told = branch.parent.resolution
    return told is not None and not holds(branch.outcome, branch.parent.text, told.outcome)


def _step(session: Session, branch: Branch) -> Step | None:
    state, current, told = branch.state, branch.state.resolution, branch.parent.resolution
    source = source_of(branch.parent)
    if told is not None and is_dead(branch):
        if current is not None and current.outcome == ANNULLED:
            return None
        note = f"{branch.parent.slug} resolved {told.outcome}; this was asked for {branch.outcome}."
        confirmed = ResolutionState.confirmed
        return Step(state, confirmed, ANNULLED, told.known_at, note, source)
    if current is None or (current.outcome, current.source) != (ANNULLED, source):
        return None
    said = "has no outcome any longer" if told is None else f"resolved {told.outcome} after all"
    note = f"{branch.parent.slug} {said}."
    before = None
    if current.supersedes_id is not None:
        before = session.get_one(Resolution, current.supersedes_id)
    if before is None or before.state == ResolutionState.withdrawn:
        withdrawn = ResolutionState.withdrawn
        return Step(state, withdrawn, ANNULLED, current.known_at, note)
    confirmed = ResolutionState.confirmed
    return Step(state, confirmed, before.outcome, before.known_at, note, before.source)


def require_condition(session: Session, question: Question, *, now: datetime) -> None:
    """Refuse to decide the outcome of a branch whose condition does not hold."""
    with reading_everything(session):
        branch = condition_of(session, question, now=now)
    if branch is None or not is_dead(branch):
        return
    parent = branch.parent
    if is_visible(session, parent.question):
        raise Refused(
            f"{question.slug!r} is asked only if {parent.slug!r} is {branch.outcome}, which it is "
            "not.",
            remedy=Remedy("If that is wrong, correct it: {}", "resolve", parent.slug, "OUTCOME"),
        )
    raise Refused(f"The condition of {question.slug!r} does not hold.")


def contradiction(session: Session, question: Question, outcome: str, *, now: datetime) -> str:
    """Return the reason why its group forbids this outcome of a question; blank if it does not.

    As far as the reader may see the group.
    """
    group = group_of(session, question, now=now)
    if group is None:
        return ""
    place = group.place_of(question.id)
    at = contradicted(group.kind, group.outcomes, place, outcome)
    if at is None:
        return ""
    other = group.members[at].state.slug
    return f"the group {group.slug!r} is {group.kind}, and {other!r} is {group.outcomes[at]}"


def require_group_allows(
    session: Session, question: Question, outcome: str, *, now: datetime
) -> None:
    """Refuse an outcome that contradicts another member's in the question's group."""
    if reason := contradiction(session, question, outcome, now=now):
        raise Refused(
            f"{question.slug!r} cannot be {outcome}: {reason}.",
            remedy="Withdraw or correct that outcome first, or change the kind of the group.",
        )


def decided(
    session: Session, question: Question, outcome: str, *, now: datetime
) -> list[tuple[QuestionState, str]]:
    """Return the members of its group that an outcome of the question decides, with theirs.

    Only those without an outcome that the reader may see.
    """
    with reading_everything(session):
        group = group_of(session, question, now=now)
    if group is None:
        return []
    follows = implied(group.kind, group.outcomes, group.place_of(question.id), outcome)
    found = [(group.members[place].state, said) for place, said in sorted(follows.items())]
    return [
        (state, said)
        for state, said in found
        if state.resolution is None and is_visible(session, state.question)
    ]
