"""All that ties questions: groups, conditionals, links, and forecasts that contradict each other.

Each is shown as far as the session's reader may see its questions.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import Field
from sqlmodel import Session

from forecasts.access.members import handles
from forecasts.access.visibility import reader_id
from forecasts.common import text
from forecasts.ledger import models
from forecasts.ledger.models import GroupKind, LinkKind, LinkStrength, Member
from forecasts.questions import conditions, groups, links
from forecasts.questions.revisions import ended
from forecasts.questions.standing import QuestionState, listing
from forecasts.updates.updates import current_forecasts
from forecasts.views.forecasts import Value
from forecasts.views.view import Next, View

if TYPE_CHECKING:  # it loads NumPy and SciPy
    from forecasts.updates.coherence import Move as MoveOf


LATE = "made too late to count in reports"


class Place(View):
    """The group that a question is in."""

    id: str
    title: str
    kind: GroupKind
    label: str = Field(description="of the question in the group")


class Condition(View):
    """The outcome of another question, under which one is asked."""

    question: str
    title: str = Field(description="of that question")
    outcome: str


class Link(View):
    """A member's judgement that one question tells something about another."""

    question: str
    kind: LinkKind
    other: str
    strength: LinkStrength
    reason: str
    member: str
    recorded_at: datetime
    late: bool = Field(description="true: certain, but made too late to count in reports")


class Ties(View):
    """All that ties a question to others."""

    group: Place | None
    condition: Condition | None = Field(description="if it is asked under one")
    branches: list[str] = Field(description="the questions asked under its outcomes")
    links: list[Link] = Field(description="from and to the question, oldest first")

    def lines(self) -> list[str]:
        """Return the ties in words, one a line."""
        said = []
        if self.group is not None:
            own = self.group
            said.append(f"Group {own.id} ({own.kind}): {own.title} As: {own.label}")
        if self.condition is not None:
            given = self.condition
            said.append(f"Asked only if {given.question} is {given.outcome}: {given.title}")
        if self.branches:
            said.append(f"Asked under its outcomes: {', '.join(self.branches)}")
        for one in self.links:
            reason = f": {one.reason}" if one.reason else ""
            words = f"{one.question} {in_words(one.kind)} {one.other}"
            late = f"; {LATE}" if one.late else ""
            said.append(f"Link: {words} ({one.strength}, {one.member}{late}){reason}")
        return said


class TiedQuestion(View):
    """A question of a group or a conditional, with your current forecast."""

    question: str
    title: str
    options: list[str] | None
    close_time: datetime
    outcome: str | None
    forecast: Value | None


class GroupMember(TiedQuestion):
    """A question of a group."""

    label: str = Field(description="of the question in the group")


class QuestionGroup(View):
    """A group of questions."""

    id: str
    title: str
    kind: GroupKind
    members: list[GroupMember] = Field(description="those that you may see, in order")


class QuestionGroups(View):
    """A page of groups."""

    groups: list[QuestionGroup]
    next: Next


class Branch(TiedQuestion):
    """A question asked under an outcome of another."""

    condition: str = Field(description="that outcome")


class Implied(View):
    """The probabilities that follow from your forecasts on a question and its conditional."""

    title: str = Field(description="of the conditional, without its condition")
    both: dict[str, float] = Field(
        description="by outcome of the parent: the probability of it and a yes"
    )
    total: float | None = Field(
        description="the probability of a yes; null unless the outcomes are all of the parent's"
    )


class Conditional(View):
    """A question with those that are asked under its outcomes."""

    parent: TiedQuestion
    branches: list[Branch] = Field(description="oldest first")
    implied: list[Implied] = Field(description="the implications of your forecasts on them")


class Move(View):
    """The probability of an outcome as you said it, and as it fits your other forecasts."""

    question: str
    title: str
    outcome: str = Field(description="yes, an option, or a range of a number or a date")
    said: float
    coherent: float


class Contradiction(View):
    """Forecasts of yours that contradict each other."""

    moves: list[Move]


class Contradictions(View):
    """The sets of your current forecasts that contradict each other."""

    contradictions: list[Contradiction]


def in_words(kind: LinkKind) -> str:
    """Return the verb of a link: equivalent is an adjective."""
    return "is equivalent to" if kind == LinkKind.equivalent else str(kind)


def if_late(session: Session, slugs: Collection[str], *, now: datetime) -> str:
    """Return a sentence on questions whose family was just changed, or that were told apart.

    It names those for which that was too late, since their outcome may be known; blank for none.
    """
    late = ended(session, listing(session, now=now, only=sorted(slugs)), now=now)
    if not late:
        return ""
    whose = "their outcomes" if len(late) > 1 else "its outcome"
    return f"Reports do not count this for {text.in_words(late)}: {whose} may already be known."


def ties(session: Session, state: QuestionState, *, now: datetime) -> Ties:
    """Return all that ties a question to others."""
    group = groups.group_of(session, state.question, now=now)
    condition = conditions.condition_of(session, state.question, now=now)
    place = None
    if group is not None:
        label = group.members[group.place_of(state.id)].label
        place = Place(id=group.slug, title=group.title, kind=group.kind, label=label)
    return Ties(
        group=place,
        condition=None
        if condition is None
        else Condition(
            question=condition.parent.slug,
            title=condition.parent.text.title,
            outcome=condition.outcome,
        ),
        branches=[
            one.state.slug for one in conditions.branches_of(session, state.question, now=now)
        ],
        links=[_link(session, one) for one in links.links_of(session, state.question, now=now)],
    )


def _link(session: Session, one: links.Link) -> Link:
    by = handles(session)[one.row.member_id]
    ends = {"question": one.one.slug, "other": one.other.slug}
    return Link.of(one.row, member=by, late=one.is_late, **ends)


def link(session: Session, row: models.QuestionLink) -> Link:
    """Return a link that was just made, or removed, between questions that its author sees."""
    [found] = links.with_questions(session, [row], now=row.recorded_at)
    return _link(session, found)


def group(session: Session, found: groups.Group, *, now: datetime) -> QuestionGroup:
    """Return a group with the reader's forecasts."""
    [shown] = groups_of(session, [found], now=now)
    return shown


def groups_of(
    session: Session, found: Sequence[groups.Group], *, now: datetime
) -> list[QuestionGroup]:
    """Return groups with the reader's forecasts."""
    mine = _mine(session, now)
    return [
        QuestionGroup(
            id=each.slug,
            title=each.title,
            kind=each.kind,
            members=[
                GroupMember(**_tied(one.state, mine), label=one.label) for one in each.members
            ],
        )
        for each in found
    ]


def conditional(
    session: Session,
    parent: QuestionState,
    found: Sequence[conditions.Branch],
    *,
    now: datetime,
) -> Conditional:
    """Return a question and its branches with the reader's forecasts."""
    mine = _mine(session, now)
    follows = []
    if found and parent.id in mine:
        from forecasts.updates.conditionals import implied_by  # which loads NumPy and SciPy

        follows = implied_by(parent, found, mine)
    return Conditional(
        parent=TiedQuestion(**_tied(parent, mine)),
        branches=[Branch(**_tied(one.state, mine), condition=one.outcome) for one in found],
        implied=[Implied.of(one) for one in follows],
    )


def _mine(session: Session, now: datetime) -> Mapping[int, models.Forecast]:
    member = session.get(Member, reader_id(session))
    return {} if member is None else current_forecasts(session, member, at=now)


def _tied(state: QuestionState, mine: Mapping[int, models.Forecast]) -> dict[str, Any]:
    return {
        "question": state.slug,
        "title": state.text.title,
        "options": state.text.options,
        "close_time": state.text.close_time,
        "outcome": None if state.resolution is None else state.resolution.outcome,
        "forecast": mine.get(state.id),
    }


def contradictions(sets: Sequence[Sequence[MoveOf]]) -> Contradictions:
    """Return sets of forecasts that contradict each other."""
    return Contradictions(
        contradictions=[
            Contradiction(
                moves=[
                    Move.of(one, question=one.question.slug, title=one.question.title)
                    for one in moves
                ]
            )
            for moves in sets
        ]
    )
