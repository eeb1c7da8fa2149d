"""The current standing of questions: newest wording, current resolution, status."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Subquery, Text, bindparam, cast, or_
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, func, select
from sqlmodel.sql.expression import Select

from forecasts.access import visibility
from forecasts.ledger.following import known
from forecasts.ledger.models import (
    Member,
    Question,
    QuestionRevision,
    QuestionText,
    Resolution,
    ResolutionState,
)
from forecasts.questions.outcomes import NOT_SCORED

T = TypeVar("T")


# So many values one statement may name; SQLite takes 32,766, PostgreSQL 65,535.
_MOST_NAMED = 10_000


class Status(StrEnum):
    """Where a question stands on its way from the article to the score."""

    upcoming = "upcoming"
    open = "open"
    awaiting = "awaiting resolution"
    proposed = "resolution proposed"
    resolved = "resolved"
    annulled = "annulled"
    ambiguous = "ambiguous"


@dataclass(frozen=True)
class QuestionState:
    """A question as it stands: its identity, newest wording, resolution if any, and status."""

    question: Question
    text: QuestionRevision
    resolution: Resolution | None
    status: Status

    @property
    def id(self) -> int:
        """The question's row id."""
        assert self.question.id is not None
        return self.question.id

    @property
    def slug(self) -> str:
        """The question's name in commands, links and folders."""
        return self.question.slug

    def accepts_forecasts(self, now: datetime) -> bool:
        """Return whether a forecast may be made now; a proposal alone does not end that."""
        return self.resolution is None and self.text.open_time <= now < self.text.close_time


def current_state(session: Session, question: Question, *, now: datetime) -> QuestionState:
    """Return the question with its newest wording, standing resolution and status."""
    visibility.require_visible(session, question)
    rows = known(
        session,
        ("stands", question.id),
        lambda session: session.exec(_as_one_stands(), params={"question_id": question.id}).all(),
    )
    confirmed, proposed = _sorted_out(row for _, row in rows)
    return _stands(question, rows[0][0], confirmed, proposed, now)


def last_registered(session: Session, member: Member, *, now: datetime) -> QuestionState | None:
    """Return the question that the member registered last; None before the first."""
    newest = session.exec(
        select(Question)
        .where(Question.member_id == member.id)
        .order_by(col(Question.recorded_at).desc(), col(Question.id).desc())
    ).first()
    return None if newest is None else current_state(session, newest, now=now)


def listing(
    session: Session, *, now: datetime, only: Sequence[str] | None = None
) -> list[QuestionState]:
    """Return the questions as they stand, soonest close first; ``only`` those slugs.

    One statement for the wordings and one for the resolutions, however many questions; with
    ``only``, as many times over as it takes to name them all.
    """
    if only is None:
        return _listed(session, None, now)
    found = [state for some in in_batches(only) for state in _listed(session, some, now)]
    return sorted(found, key=lambda state: (state.text.scheduled_close_time, state.id))


def unresolved(session: Session, *, now: datetime) -> list[QuestionState]:
    """Return the questions without an outcome that stands as they are, soonest close first.

    As many statements, and as many rows, however many are resolved.
    """
    proposed = _with_proposal(session)
    rows = session.exec(_as_worded(session).where(~has_outcome(Question.id))).all()
    return [_stands(question, text, {}, proposed, now) for question, text in rows]


def _with_proposal(session: Session) -> set[int]:
    """Return the questions that wait for an answer to an outcome that was proposed."""
    waits = (col(Resolution.state) == ResolutionState.proposed) & ~superseded()
    return set(session.exec(select(Resolution.question_id).where(waits)))


@dataclass(frozen=True)
class Outline:
    """What tells where a question without an outcome belongs; the rest is read where it is shown.

    ``proposed``: an outcome is.
    """

    id: int
    team_id: int | None
    open_time: datetime
    close_time: datetime
    proposed: bool

    def accepts_forecasts(self, now: datetime) -> bool:
        """Return whether a forecast may be made now; a proposal alone does not end that."""
        return self.open_time <= now < self.close_time

    def awaits(self, now: datetime) -> bool:
        """Return whether somebody has to say how it came out: it closed, or an outcome waits."""
        return self.proposed or now >= max(self.open_time, self.close_time)


def outlines(session: Session) -> list[Outline]:
    """Return what ``unresolved`` does in outline, in a tenth of the time."""
    proposed = _with_proposal(session)
    text = QuestionRevision
    rows = session.exec(
        select(
            col(text.question_id),
            col(text.team_id),
            col(text.open_time),
            func.coalesce(col(text.actual_close_time), col(text.scheduled_close_time)),
        )
        .where(
            is_newest_wording(),
            ~has_outcome(text.question_id),
            visibility.question_visible(session, text.question_id),
        )
        .order_by(col(text.scheduled_close_time), col(text.question_id))
    )
    return [Outline(*row, proposed=row[0] in proposed) for row in rows]


def by_id(session: Session, ids: Sequence[int], *, now: datetime) -> dict[int, QuestionState]:
    """Return by number the questions as they stand, in the order of ``ids``, which are few.

    Those that the session's reader may not see are not among them.
    """
    found: dict[int, QuestionState] = {}
    for some in in_batches(ids):
        rows = session.exec(_few_as_worded(session).where(col(Question.id).in_(some))).all()
        confirmed, proposed = _standing_resolutions(session, [question.id for question, _ in rows])
        for question, text in rows:
            found[text.question_id] = _stands(question, text, confirmed, proposed, now)
    return {id_: found[id_] for id_ in ids if id_ in found}


def has_outcome(question_id: Any) -> ColumnElement[bool]:
    """Return the condition that the question of that column has an outcome.

    A correction leaves it another one, so that any that was confirmed will do.
    """
    return (
        select(Resolution.id)
        .where(
            col(Resolution.question_id) == col(question_id),
            Resolution.state == ResolutionState.confirmed,
        )
        .exists()
    )


def tags(session: Session) -> list[str]:
    """Return the tags that the questions bear as they are worded now, in alphabetical order."""
    newest = _newest()
    rows = session.exec(
        # As text: most questions bear the same, and to read each of them takes longest.
        select(cast(col(QuestionRevision.tags), Text))
        .distinct()
        .join(
            newest,
            (newest.c.question_id == col(QuestionRevision.question_id))
            & (newest.c.number == col(QuestionRevision.number)),
        )
        .where(visibility.question_visible(session, QuestionRevision.question_id))
    )
    return sorted({tag for own in rows for tag in json.loads(own or "[]") or []})


@cache
def is_newest_wording() -> ColumnElement[bool]:
    """Return the condition that a ``QuestionRevision`` is the wording that holds now."""
    later = aliased(QuestionRevision)
    newest = select(func.max(later.number)).where(
        col(later.question_id) == col(QuestionRevision.question_id)
    )
    return col(QuestionRevision.number) == newest.correlate(QuestionRevision).scalar_subquery()


@cache
def _newest() -> Subquery:
    """Return the number of each question's wording that holds now."""
    return (
        select(col(QuestionRevision.question_id), func.max(QuestionRevision.number).label("number"))
        .group_by(col(QuestionRevision.question_id))
        .subquery()
    )


def in_batches(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """Yield the distinct ``values`` in parts that one statement can name."""
    distinct = list(dict.fromkeys(values))
    for start in range(0, len(distinct), _MOST_NAMED):
        yield distinct[start : start + _MOST_NAMED]


def _as_worded(session: Session) -> Select[Question, QuestionRevision]:
    """Return the statement for the questions that are seen, as they are worded now, in order."""
    newest = _newest()
    return _in_order(
        select(Question, QuestionRevision)
        .where(visibility.question_visible(session))
        .join(newest, newest.c.question_id == col(Question.id))
        .join(
            QuestionRevision,
            (col(QuestionRevision.question_id) == newest.c.question_id)
            & (col(QuestionRevision.number) == newest.c.number),
        )
    )


def _few_as_worded(session: Session) -> Select[Question, QuestionRevision]:
    """Return the same, to be narrowed down to a few: it looks at no other's wordings."""
    return _in_order(
        select(Question, QuestionRevision)
        .join(QuestionRevision, col(QuestionRevision.question_id) == col(Question.id))
        .where(is_newest_wording(), visibility.question_visible(session))
    )


def _in_order(
    questions: Select[Question, QuestionRevision],
) -> Select[Question, QuestionRevision]:
    return questions.order_by(col(QuestionRevision.scheduled_close_time), col(Question.id))


def _listed(session: Session, only: Sequence[str] | None, now: datetime) -> list[QuestionState]:
    if only is None:
        statement = _as_worded(session)
    else:
        statement = _few_as_worded(session).where(col(Question.slug).in_(only))
    rows = session.exec(statement).all()
    ids = None if only is None else [question.id for question, _ in rows]
    confirmed, proposed = _standing_resolutions(session, ids)
    return [_stands(question, text, confirmed, proposed, now) for question, text in rows]


def _stands(
    question: Question,
    text: QuestionRevision,
    confirmed: Mapping[int, Resolution],
    proposed: Collection[int],
    now: datetime,
) -> QuestionState:
    resolution = confirmed.get(text.question_id)
    waits = text.question_id in proposed
    return QuestionState(
        question, text, resolution, _status(text, resolution, proposed=waits, now=now)
    )


@cache
def superseded() -> ColumnElement[bool]:
    """Return the condition that a later row has decided, superseded or overtaken this one.

    Each way by itself, since each has an index of its own.
    """
    superseding, deciding, later = (aliased(Resolution) for _ in range(3))
    return or_(
        select(superseding.id).where(col(superseding.supersedes_id) == col(Resolution.id)).exists(),
        select(deciding.id).where(col(deciding.proposal_id) == col(Resolution.id)).exists(),
        # A question that was resolved after something was proposed has overtaken the proposal.
        select(later.id)
        .where(
            col(later.question_id) == col(Resolution.question_id),
            col(later.state) == ResolutionState.confirmed,
            col(later.id) > col(Resolution.id),
        )
        .exists(),
    )


def _standing_resolutions(
    session: Session, ids: Sequence[int | None] | None
) -> tuple[dict[int, Resolution], set[int]]:
    """Return the confirmed row that stands for each question, and who has an open proposal."""
    statement = select(Resolution).where(_is_standing())
    if ids is not None:
        statement = statement.where(col(Resolution.question_id).in_(ids))
    rows = session.exec(statement).all()
    return _sorted_out(rows)


@cache
def _is_standing() -> ColumnElement[bool]:
    decides = col(Resolution.state) != ResolutionState.rejected
    return decides & ~superseded()


@cache
def _as_one_stands() -> Select[QuestionRevision, Resolution]:
    """Return the statement for a question's newest wording, with each resolution that stands."""
    later = aliased(QuestionRevision)
    newest = select(func.max(later.number)).where(later.question_id == bindparam("question_id"))
    belongs = col(Resolution.question_id) == col(QuestionRevision.question_id)
    return (
        select(QuestionRevision, Resolution)
        .outerjoin(Resolution, belongs & _is_standing())
        .where(
            QuestionRevision.question_id == bindparam("question_id"),
            QuestionRevision.number == newest.scalar_subquery(),
        )
    )


def _sorted_out(rows: Iterable[Resolution | None]) -> tuple[dict[int, Resolution], set[int]]:
    confirmed: dict[int, Resolution] = {}
    proposed: set[int] = set()
    for row in rows:
        if row is None:
            continue
        if row.state == ResolutionState.confirmed:
            confirmed[row.question_id] = row
        else:
            proposed.add(row.question_id)
    return confirmed, proposed


def _status(
    text: QuestionText, resolution: Resolution | None, *, proposed: bool, now: datetime
) -> Status:
    if resolution is not None:
        return Status(resolution.outcome) if resolution.outcome in NOT_SCORED else Status.resolved
    if proposed:
        return Status.proposed
    if now < text.open_time:
        return Status.upcoming
    return Status.open if now < text.close_time else Status.awaiting
