"""All questions that hang together with some, by their groups, conditions and links."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlmodel import Session, col, or_, select

from forecasts.common.vocabulary import GroupKind, LinkStrength
from forecasts.ledger.models import Condition, GroupPlace, QuestionLink
from forecasts.questions.conditions import Branch, branches
from forecasts.questions.groups import Group, groups_with
from forecasts.questions.links import Link, links
from forecasts.questions.standing import QuestionState, by_id, rows_with

if TYPE_CHECKING:  # it loads NumPy and SciPy
    from forecasts.values.worlds import Ties


@dataclass(frozen=True)
class Tied:
    """Questions that hang together, by id, and all that ties them, as the reader sees it.

    ``orphans``: those of the questions whose parents are hidden from the reader.
    """

    states: Mapping[int, QuestionState]
    groups: tuple[Group, ...]
    branches: tuple[Branch, ...]
    links: tuple[Link, ...]
    orphans: frozenset[int] = frozenset()

    @property
    def ties(self) -> Ties:
        """The outcomes that the questions can have together, by all that is certain."""
        from forecasts.values.worlds import Ties  # which loads NumPy and SciPy

        sure = (one for one in self.links if one.row.strength == LinkStrength.certain)
        return Ties(
            {state.slug: state.text for state in self.states.values()},
            [(group.kind, [one.state.slug for one in group.members]) for group in self.groups],
            {
                **{self.states[id_].slug: ("", "") for id_ in self.orphans},  # of no question here
                **{one.state.slug: (one.parent.slug, one.outcome) for one in self.branches},
            },
            [(one.one.slug, one.other.slug, one.row.kind) for one in sure],
        )


def tied(session: Session, questions: Iterable[int], *, now: datetime) -> Tied:
    """Return the questions with these ids, all that hang together with them, and their ties.

    Over the ties that contradict a forecast or could, of any strength; members of an independent
    group do not hang together.
    """
    ahead, reached, states = set(questions), set[int](), dict[int, QuestionState]()
    groups: dict[int, Group] = {}
    found_branches: dict[int, Branch] = {}
    found_links: dict[int, Link] = {}
    while ahead:
        reached |= ahead
        if unread := ahead - states.keys():
            states |= by_id(session, sorted(unread), now=now)
        grouped = {one.state.id for group in groups.values() for one in group.members}
        if apart := (ahead & states.keys()) - grouped:
            for group in groups_with(session, sorted(apart), now=now):
                groups[group.id] = group
                if group.kind != GroupKind.independent:
                    states = {one.state.id: one.state for one in group.members} | states
        own = or_(col(Condition.question_id).in_(ahead), col(Condition.parent_id).in_(ahead))
        found_branches |= {one.state.id: one for one in branches(session, own, now=now)}
        at_end = or_(
            col(QuestionLink.question_id).in_(ahead), col(QuestionLink.other_id).in_(ahead)
        )
        found_links |= {one.row.id: one for one in links(session, at_end, now=now)}
        ends = {
            *(
                one.state.id
                for g in groups.values()
                if g.kind != GroupKind.independent
                for one in g.members
            ),
            *(id_ for one in found_branches.values() for id_ in (one.state.id, one.parent.id)),
            *(id_ for one in found_links.values() for id_ in (one.one.id, one.other.id)),
        }
        ahead = ends - reached
    asked = rows_with(session, select(Condition.question_id), Condition.question_id, sorted(states))
    return Tied(
        states,
        tuple(groups.values()),
        tuple(found_branches.values()),
        tuple(found_links.values()),
        frozenset(asked) - found_branches.keys(),
    )


def ever_tied(session: Session, questions: Iterable[int]) -> set[int]:
    """Return those of these questions that were ever in a group, a conditional or a link."""
    columns = (
        *(GroupPlace.question_id, Condition.question_id, Condition.parent_id),
        *(QuestionLink.question_id, QuestionLink.other_id),
    )
    every = {id_ for column in columns for id_ in session.exec(select(column).distinct())}
    return every.intersection(questions)
