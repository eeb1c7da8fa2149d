"""The current rows of append-only tables: the SQL conditions that every reader shares.

A changed row is a new row. These functions say which one counts: the newest wording of a question,
the resolution that nothing supersedes, the newest row of a membership or an appointment.
"""

from __future__ import annotations

import operator
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, any_, case, or_
from sqlalchemy.orm import aliased
from sqlmodel import Session, SQLModel, col, func, select
from sqlmodel.sql.expression import SelectOfScalar

from forecasts.ledger.models import (
    Appointment,
    BotOwner,
    CurrentForecast,
    Forecast,
    Membership,
    Question,
    QuestionRevision,
    Resolution,
    ResolutionState,
)

Row = TypeVar("Row", bound=SQLModel)

# Statements are built once where possible: building one takes longer than running it.


def in_order(session: Session, table: type[Row], *conditions: Any) -> list[Row]:
    """Return the rows of the table that meet the conditions, in the order written."""
    model: Any = table
    return list(session.exec(select(table).where(*conditions).order_by(model.id)))


def newest_wording(session: Session, question_id: int | None) -> QuestionRevision:
    """Return the question's newest wording."""
    return session.exec(
        select(QuestionRevision)
        .where(QuestionRevision.question_id == question_id)
        .order_by(col(QuestionRevision.number).desc())
        .limit(1)
    ).one()


@cache
def is_newest_wording(wording: Any = QuestionRevision) -> ColumnElement[bool]:
    """Return the SQL condition: this ``QuestionRevision`` (or alias) is its question's newest."""
    later = aliased(QuestionRevision)
    newest = select(func.max(later.number)).where(
        col(later.question_id) == col(wording.question_id)
    )
    return col(wording.number) == newest.correlate(wording).scalar_subquery()


def close_time(wording: Any = QuestionRevision) -> ColumnElement[datetime]:
    """Return the time at which the question of a wording closes or closed, as a column."""
    return func.coalesce(wording.actual_close_time, wording.scheduled_close_time)


def has_outcome(question_id: Any) -> ColumnElement[bool]:
    """Return the SQL condition: the question of that column has an outcome.

    A correction replaces an outcome with another one; a withdrawal leaves none.
    """
    confirmed, later = aliased(Resolution), aliased(Resolution)
    return (
        select(confirmed.id)
        .where(
            col(confirmed.question_id) == col(question_id),
            col(confirmed.state) == ResolutionState.confirmed,
            ~select(later.id).where(col(later.supersedes_id) == col(confirmed.id)).exists(),
        )
        .exists()
    )


def is_current_resolution() -> ColumnElement[bool]:
    """Return the SQL condition: a current outcome, an open proposal or a current withdrawal."""
    return (col(Resolution.state) != ResolutionState.rejected) & ~is_superseded()


def is_current_outcome() -> ColumnElement[bool]:
    """Return the SQL condition: the ``Resolution`` is confirmed, and nothing supersedes it."""
    return (col(Resolution.state) == ResolutionState.confirmed) & ~is_superseded()


def is_open_proposal() -> ColumnElement[bool]:
    """Return the SQL condition: the ``Resolution`` is a proposal that needs a decision."""
    return (col(Resolution.state) == ResolutionState.proposed) & ~is_superseded()


@cache
def is_superseded() -> ColumnElement[bool]:
    """Return the SQL condition: a later row corrects, withdraws or decides this ``Resolution``."""
    correction, decision, later = (aliased(Resolution) for _ in range(3))
    return or_(  # one subquery each, since each has its own index
        select(correction.id).where(col(correction.supersedes_id) == col(Resolution.id)).exists(),
        select(decision.id).where(col(decision.proposal_id) == col(Resolution.id)).exists(),
        # A question resolved after a proposal leaves nothing to decide.
        select(later.id)
        .where(
            col(later.question_id) == col(Resolution.question_id),
            col(later.state) == ResolutionState.confirmed,
            col(later.id) > col(Resolution.id),
        )
        .exists(),
    )


def last_forecast(column: Any, member_id: int, now: datetime | None = None) -> Any:
    """Return a column of the member's last row, as of ``now``, on a statement's ``Question``."""
    own: list[Any] = [Forecast.question_id == Question.id, Forecast.member_id == member_id]
    if now is not None:
        own.append(col(Forecast.made_at) <= now)
    return (
        select(column)
        .where(*own)
        .order_by(col(Forecast.made_at).desc(), col(Forecast.id).desc())
        .limit(1)
        .correlate(Question)
        .scalar_subquery()
    )


def forecast_at(at: Any, *, before: bool = False) -> ColumnElement[int]:
    """Return the id of the last forecast up to a time, on a statement's ``CurrentForecast``.

    It is that of its member on its question, as a column; null before the first. ``at``: a time, or
    a column of times; with ``before``, a forecast made just then is too late. Of the past, only the
    one place is read at which the index has it.
    """
    earlier, held = aliased(Forecast), CurrentForecast
    in_time = operator.lt if before else operator.le
    past = (
        select(earlier.id)
        .where(
            col(earlier.question_id) == held.question_id,
            col(earlier.member_id) == held.member_id,
            in_time(col(earlier.made_at), at),
        )
        .order_by(col(earlier.made_at).desc(), col(earlier.id).desc())
        .limit(1)
        .correlate_except(earlier)
        .scalar_subquery()
    )
    return case((in_time(col(held.made_at), at), col(held.forecast_id)), else_=past)


def is_among(session: Session, ids: SelectOfScalar[int]) -> ColumnElement[bool]:
    """Return the SQL condition: the ``Forecast`` has one of these few ids."""
    if session.get_bind().dialect.name == "sqlite":
        return col(Forecast.id).in_(ids)
    # A server would read all forecasts: it expects many more of these than there are.
    return col(Forecast.id) == any_(func.array(ids.scalar_subquery()))


def newest_memberships() -> SelectOfScalar[int]:
    """Return the statement for the id of each membership's newest row.

    Without memberships that were taken back: their newest row ends when it began.
    """
    newest, ended = func.max(Membership.id), col(Membership.left_at) == col(Membership.joined_at)
    return (
        select(newest)
        .group_by(col(Membership.team_id), col(Membership.member_id), col(Membership.joined_at))
        .having(newest > func.coalesce(func.max(case((ended, col(Membership.id)))), 0))
    )


def newest_appointments() -> SelectOfScalar[int]:
    """Return the statement for the id of each member's newest appointment."""
    return select(func.max(Appointment.id)).group_by(col(Appointment.member_id))


def newest_owners() -> SelectOfScalar[int]:
    """Return the statement for the id of each bot's newest owner row."""
    return select(func.max(BotOwner.id)).group_by(col(BotOwner.bot_id))
