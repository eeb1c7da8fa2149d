"""The current state of questions: newest wording, current resolution, status.

A question's status is derived from its rows, never stored. The SQL conditions for the newest
wording, an outcome and a superseded resolution are in ``ledger.current``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import bindparam
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, func, select
from sqlmodel.sql.expression import Select

from forecasts.access import visibility
from forecasts.common.text import count
from forecasts.ledger.current import (
    close_time,
    has_outcome,
    is_current_resolution,
    is_newest_wording,
    is_open_proposal,
)
from forecasts.ledger.facts import known
from forecasts.ledger.models import Member, Question, QuestionRevision, Resolution, ResolutionState
from forecasts.values.outcomes import NOT_SCORED

T = TypeVar("T")

BATCH = 10_000  # values in one statement; SQLite takes up to 32,766, PostgreSQL 65,535


class Status(StrEnum):
    """The stage of a question between registration and score. A proposal does not change it."""

    upcoming = "upcoming"
    open = "open"
    awaiting = "awaiting resolution"
    resolved = "resolved"
    annulled = "annulled"
    ambiguous = "ambiguous"


@dataclass(frozen=True)
class QuestionState:
    """A question with its newest wording, its current resolution (if any) and its status.

    ``withdrawal``: the row that withdrew its outcome, if it has got none since. ``proposals``: how
    many proposed outcomes await a decision.
    """

    question: Question
    text: QuestionRevision
    resolution: Resolution | None
    status: Status
    withdrawal: Resolution | None = None
    proposals: int = 0

    @property
    def id(self) -> int:
        """The question's row id."""
        return self.question.id

    @property
    def slug(self) -> str:
        """The question's name in commands, links and folders."""
        return self.question.slug

    @property
    def stage(self) -> str:
        """The status with the open proposals beside it: ``open, 1 proposal``."""
        return with_proposals(self.status, self.proposals)

    @property
    def outcome_at(self) -> datetime | None:
        """When the outcome became known.

        If an import does not say, it is the close, or the time of the import if that is earlier. It
        is for display: nothing that is stored or scored depends on it.
        """
        row = self.resolution
        if row is None:
            return None
        return row.stated_at or min(self.text.close_time, row.recorded_at)

    @property
    def ends(self) -> list[datetime]:
        """The times after which its outcome may be known: its close, and those of its outcome."""
        row = self.resolution
        known = () if row is None else (row.known_at, row.resolved_at)
        return [self.text.close_time, *(time for time in known if time is not None)]

    def accepts_forecasts(self, now: datetime) -> bool:
        """Return whether the question is open at ``now``."""
        return self.resolution is None and self.text.open_time <= now < self.text.close_time


def with_proposals(status: str, proposals: int) -> str:
    """Return a status with the number of open proposals beside it."""
    return f"{status}, {count(proposals, 'proposal')}" if proposals else status


def current_state(session: Session, question: Question, *, now: datetime) -> QuestionState:
    """Return the current state of one question; NotFound if the reader may not see it."""
    visibility.require_visible(session, question)
    rows = known(
        session,
        ("question state", question.id),
        lambda session: session.exec(_one(), params={"question_id": question.id}).all(),
    )
    return _state(question, rows[0][0], _split(row for _, row in rows), now)


def listing(
    session: Session, *, now: datetime, only: Sequence[str] | None = None
) -> list[QuestionState]:
    """Return the visible questions, soonest close first; ``only`` limits them to these slugs.

    It takes one statement for the wordings and one for the resolutions (with ``only``, for each
    batch of slugs), however many questions there are.
    """
    if only is None:
        return _states(session, session.exec(_newest(session)).all(), None, now)
    found = _few(session, Question.slug, only, now)
    return sorted(found, key=lambda state: (state.text.scheduled_close_time, state.id))


def by_id(session: Session, ids: Sequence[int], *, now: datetime) -> dict[int, QuestionState]:
    """Return the questions with these ids, in that order, without those the reader may not see."""
    found = {state.id: state for state in _few(session, Question.id, ids, now)}
    return {id_: found[id_] for id_ in ids if id_ in found}


def unresolved(session: Session, *, now: datetime) -> list[QuestionState]:
    """Return the questions without an outcome, soonest close first.

    The cost does not depend on the number of resolved questions.
    """
    without_outcome = col(Resolution.state) != ResolutionState.confirmed
    current = select(Resolution).where(without_outcome, is_current_resolution())
    resolutions = _split(session.exec(current).all())
    rows = session.exec(_newest(session, ~has_outcome(Question.id)))
    return [_state(question, text, resolutions, now) for question, text in rows]


def last_registered(session: Session, member: Member, *, now: datetime) -> QuestionState | None:
    """Return the member's most recently registered question; None before the first."""
    newest = session.exec(
        select(Question)
        .where(Question.member_id == member.id)
        .order_by(col(Question.recorded_at).desc(), col(Question.id).desc())
    ).first()
    return None if newest is None else current_state(session, newest, now=now)


@dataclass(frozen=True)
class Outline:
    """The few facts that place an unresolved question on a list; ``proposed``: has a proposal."""

    id: int
    team_id: int | None
    open_time: datetime
    close_time: datetime
    proposed: bool

    def accepts_forecasts(self, now: datetime) -> bool:
        """Return whether the question is open at ``now``; an open proposal does not close it."""
        return self.open_time <= now < self.close_time

    def awaits(self, now: datetime) -> bool:
        """Return whether someone has to resolve it: it has closed, or has a proposal."""
        return self.proposed or now >= max(self.open_time, self.close_time)


def outlines(session: Session) -> list[Outline]:
    """Return the questions of ``unresolved`` in outline, which takes a tenth of the time."""
    proposed = set(session.exec(select(Resolution.question_id).where(is_open_proposal())))
    text = QuestionRevision
    rows = session.exec(
        select(col(text.question_id), col(text.team_id), col(text.open_time), close_time(text))
        .where(
            is_newest_wording(),
            ~has_outcome(text.question_id),
            visibility.question_visible(session, text.question_id),
        )
        .order_by(col(text.scheduled_close_time), col(text.question_id))
    )
    return [Outline(*row, proposed=row[0] in proposed) for row in rows]


def in_batches(values: Iterable[T]) -> Iterator[Sequence[T]]:
    """Yield the distinct ``values`` in batches that fit into one statement."""
    distinct = list(dict.fromkeys(values))
    for start in range(0, len(distinct), BATCH):
        yield distinct[start : start + BATCH]


def rows_with(session: Session, query: Any, column: Any, values: Sequence[Any]) -> Iterator[Any]:
    """Yield the rows of a query in which the column has one of the values, in batches."""
    for some in in_batches(values):
        yield from session.exec(query.where(col(column).in_(some)))


def _newest(session: Session, *conditions: Any) -> Select[Question, QuestionRevision]:
    """Return the statement for the visible questions and their newest wordings, in order."""
    return (
        select(Question, QuestionRevision)
        .join(QuestionRevision, col(QuestionRevision.question_id) == col(Question.id))
        .where(is_newest_wording(), visibility.question_visible(session), *conditions)
        .order_by(col(QuestionRevision.scheduled_close_time), col(Question.id))
    )


def _few(session: Session, column: Any, values: Sequence[T], now: datetime) -> list[QuestionState]:
    """Return the visible questions with one of these values; no other wordings are read."""
    found: list[QuestionState] = []
    for batch in in_batches(values):
        rows = session.exec(_newest(session, col(column).in_(batch))).all()
        found += _states(session, rows, [question.id for question, _ in rows], now)
    return found


@cache
def _one() -> Select[QuestionRevision, Resolution]:
    """Return the statement for one question's newest wording and current resolutions."""
    later = aliased(QuestionRevision)
    newest = select(func.max(later.number)).where(later.question_id == bindparam("question_id"))
    same_question = col(Resolution.question_id) == col(QuestionRevision.question_id)
    return (
        select(QuestionRevision, Resolution)
        .outerjoin(Resolution, same_question & is_current_resolution())
        .where(
            QuestionRevision.question_id == bindparam("question_id"),
            QuestionRevision.number == newest.scalar_subquery(),
        )
    )


def _states(
    session: Session,
    rows: Iterable[tuple[Question, QuestionRevision]],
    ids: Sequence[int | None] | None,
    now: datetime,
) -> list[QuestionState]:
    """Return the state of each question; ``ids``: of all of them, None for the whole ledger."""
    current = select(Resolution).where(is_current_resolution())
    if ids is not None:
        current = current.where(col(Resolution.question_id).in_(ids))
    resolutions = _split(session.exec(current).all())
    return [_state(question, text, resolutions, now) for question, text in rows]


_Split = Mapping[ResolutionState, Mapping[int, list[Resolution]]]


def _split(rows: Iterable[Resolution | None]) -> _Split:
    """Return the rows by their state and their question's id."""
    found: dict[ResolutionState, dict[int, list[Resolution]]] = {one: {} for one in ResolutionState}
    for row in rows:
        if row is not None:
            found[row.state].setdefault(row.question_id, []).append(row)
    return found


def _state(
    question: Question, text: QuestionRevision, current: _Split, now: datetime
) -> QuestionState:
    states = (ResolutionState.confirmed, ResolutionState.withdrawn, ResolutionState.proposed)
    confirmed, withdrawn, proposed = (current[one].get(text.question_id, ()) for one in states)
    resolution = [None, *confirmed][-1]
    if resolution is not None:
        unscored = resolution.outcome in NOT_SCORED
        status = Status(resolution.outcome) if unscored else Status.resolved
    elif now < text.open_time:
        status = Status.upcoming
    else:
        status = Status.open if now < text.close_time else Status.awaiting
    withdrawal = [None, *withdrawn][-1]
    return QuestionState(question, text, resolution, status, withdrawal, len(proposed))
