"""All questions that hang together with some, by their groups, conditions and links."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from sqlmodel import Session, col, or_, select

from forecasts.access.visibility import question_visible
from forecasts.common.vocabulary import GroupKind, LinkStrength, QuestionType
from forecasts.ledger.current import close_time, is_current_outcome, is_newest_wording
from forecasts.ledger.models import (
    Condition,
    GroupPlace,
    Question,
    QuestionLink,
    QuestionRevision,
    Resolution,
)
from forecasts.questions.conditions import condition_rows
from forecasts.questions.groups import GroupRow, group_rows, has_member
from forecasts.questions.links import link_rows
from forecasts.questions.standing import in_batches, rows_with

if TYPE_CHECKING:  # it loads NumPy and SciPy
    from forecasts.values.worlds import Ties


@dataclass(frozen=True)
class TiedQuestion:
    """A question as far as its ties need it (a ``HasOutline``), with its outcome if it has one.

    An offer on two hundred questions is made while one types: their states take too long to read.
    """

    id: int
    slug: str
    title: str
    type: QuestionType
    options: Sequence[str] | None
    lower_bound: str | None
    upper_bound: str | None
    unit: str | None
    open_time: datetime
    close_time: datetime
    outcome: str | None

    @property
    def is_quantitative(self) -> bool:
        """Whether the answer is a number or a date, forecast by quantiles."""
        return self.type.is_quantitative

    def accepts_forecasts(self, now: datetime) -> bool:
        """Return whether the question is open at ``now``."""
        return self.outcome is None and self.open_time <= now < self.close_time


@dataclass(frozen=True)
class Tied:
    """Questions that hang together, by id, and all that ties them, as the reader sees it.

    ``orphans``: those of the questions whose parents are hidden from the reader.
    """

    questions: Mapping[int, TiedQuestion]
    groups: tuple[GroupRow, ...]
    conditions: tuple[Condition, ...]
    links: tuple[QuestionLink, ...]
    orphans: frozenset[int] = frozenset()

    @property
    def ties(self) -> Ties:
        """The outcomes that the questions can have together, by all that is certain."""
        from forecasts.values.worlds import Ties  # which loads NumPy and SciPy

        slug = {id_: one.slug for id_, one in self.questions.items()}
        sure = (one for one in self.links if one.strength == LinkStrength.certain)
        return Ties(
            {one.slug: one for one in self.questions.values()},
            [(one.kind, [slug[id_] for _, id_ in one.places]) for one in self.groups],
            {
                **{slug[id_]: ("", "") for id_ in self.orphans},  # of no question here
                **{
                    slug[one.question_id]: (slug[one.parent_id], one.outcome)
                    for one in self.conditions
                },
            },
            [(slug[one.question_id], slug[one.other_id], one.kind) for one in sure],
        )


def tied(
    session: Session,
    questions: Iterable[int],
    kinds: Mapping[int, GroupKind] = MappingProxyType({}),
) -> Tied:
    """Return the questions with these ids, all that hang together with them, and their ties.

    Over the ties that contradict a forecast or could, of any strength; members of an independent
    group do not hang together. ``kinds``: of some groups, by id, instead of their newest ones.
    """
    ahead, reached, grouped = set(questions), set[int](), set[int]()
    groups: dict[int, GroupRow] = {}
    conditions: dict[int, Condition] = {}
    links: dict[int, QuestionLink] = {}
    while ahead:
        for some in in_batches(sorted(ahead - grouped)):
            for row in group_rows(session, has_member(some)):
                group = row._replace(kind=kinds.get(row.id, row.kind))
                members = {id_ for _, id_ in group.places}
                grouped |= members
                if group.kind != GroupKind.independent:
                    groups[group.id] = group
                    ahead |= members - reached
        reached |= ahead
        ends = set[int]()
        for some in in_batches(sorted(ahead)):
            parents = _at_either(Condition.question_id, Condition.parent_id, some)
            for one in condition_rows(session, parents):
                conditions[one.question_id] = one
                ends |= {one.question_id, one.parent_id}
            linked = _at_either(QuestionLink.question_id, QuestionLink.other_id, some)
            for link in link_rows(session, linked):
                links[link.id] = link
                ends |= {link.question_id, link.other_id}
        ahead = ends - reached
    found = _outlines(session, reached)
    asked = rows_with(session, select(Condition.question_id), Condition.question_id, sorted(found))
    return Tied(
        found,
        tuple(groups.values()),
        tuple(conditions.values()),
        tuple(links.values()),
        frozenset(asked) - conditions.keys(),
    )


def _at_either(one: Any, other: Any, ids: Iterable[int]) -> Any:
    return or_(col(one).in_(ids), col(other).in_(ids))


def _outlines(session: Session, ids: Iterable[int]) -> dict[int, TiedQuestion]:
    """Return the questions with these ids that the reader may see."""
    text = QuestionRevision
    columns: tuple[Any, ...] = (
        *(Question.id, Question.slug, text.title, text.type, text.options),
        *(text.lower_bound, text.upper_bound, text.unit, text.open_time, close_time(text)),
        Resolution.outcome,
    )
    every = (
        select(*columns)
        .join(text, col(text.question_id) == col(Question.id))
        .outerjoin(
            Resolution, (col(Resolution.question_id) == col(Question.id)) & is_current_outcome()
        )
        .where(is_newest_wording(), question_visible(session))
        .order_by(col(Question.id))
    )
    rows = rows_with(session, every, Question.id, sorted(ids))
    return {
        id_: TiedQuestion(id_, slug, title, QuestionType(type_), *rest)
        for id_, slug, title, type_, *rest in rows
    }


def ever_tied(session: Session, questions: Iterable[int]) -> set[int]:
    """Return those of these questions that were ever in a group, a conditional or a link."""
    columns = (
        *(GroupPlace.question_id, Condition.question_id, Condition.parent_id),
        *(QuestionLink.question_id, QuestionLink.other_id),
    )
    every = {id_ for column in columns for id_ in session.exec(select(column).distinct())}
    return every.intersection(questions)
