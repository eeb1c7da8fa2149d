"""Members, teams and roles: who acts, what they may do, and what they may see.

A ledger is somebody's own until it has an admin: whoever can open it may do everything in it, under
any name. Whoever restricts something in it first (makes a team, or a question that not everyone may
see) becomes its admin (``begin_sharing``), and from then on roles hold.

- A ledger's admin may do everything, and sees every question.
- On a question of a team a member has the role that they have in it now.
- Everywhere else they have the role that they were appointed to in the whole ledger; without an
  appointment they are forecasters, or viewers where that is all that they are in their teams.
- An author who may forecast may also reword and resolve their own question.

``require`` is called by each verb that writes, with who acts. Each verb that reads asks ``visible``
or ``shown`` for the condition that its one statement takes; whom that is for, the session knows
(``read_as``). A session that reads for nobody reads for the ledger itself, as a scheduled run does.
What a member may not see is not there for them: NotFound, never Forbidden.

A hidden crowd is a method and no secret: it is hidden from admins too, and in a ledger of one's
own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, true
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from forecasts.access.roles import Rights, member_rights, question_not_found
from forecasts.ledger.models import (
    Citation,
    Evidence,
    Forecast,
    Member,
    Question,
    QuestionRevision,
    QuestionText,
    Resolution,
    ResolutionState,
    Team,
    Visibility,
)

_READER = "reader"


def audience_label(session: Session, text: QuestionText) -> str:
    """Return who alone may see a question that says so, for a person; '' for everyone."""
    if text.visibility == Visibility.author:
        return "its author"
    if text.visibility == Visibility.team and text.team_id is not None:
        return f"{session.get_one(Team, text.team_id).name} and its author"
    return ""


# Made once: what a statement needs of aliases costs more to make than to run.
_TEXT, _LATER, _ASKED, _OWN, _ANSWER = (
    aliased(QuestionRevision),
    aliased(QuestionRevision),
    aliased(Question),
    aliased(Forecast),
    aliased(Resolution),
)

_IS_NEWEST = col(_TEXT.number) == (
    select(func.max(_LATER.number))
    .where(col(_LATER.question_id) == col(_TEXT.question_id))
    .scalar_subquery()
)

_RESTRICTED = (
    select(_TEXT.question_id)
    .join(_ASKED, col(_ASKED.id) == col(_TEXT.question_id))
    .where(col(_TEXT.visibility) != Visibility.everyone, _IS_NEWEST)
)

_HIDDEN_CROWDS = select(_TEXT.question_id).where(
    col(_TEXT.crowd_hidden),
    _IS_NEWEST,
    ~select(_ANSWER.id)
    .where(
        col(_ANSWER.question_id) == col(_TEXT.question_id),
        col(_ANSWER.state) == ResolutionState.confirmed,
    )
    .exists(),
)


@dataclass(frozen=True)
class _Reader:
    """For whom a session reads, and as of when."""

    rights: Rights
    now: datetime

    @cached_property
    def kept(self) -> Any:
        """The statement for the ids of the questions that are kept from the reader."""
        return _RESTRICTED.where(
            col(_ASKED.member_id).is_distinct_from(self.rights.member_id),
            or_(
                col(_TEXT.visibility) == Visibility.author,
                col(_TEXT.team_id).not_in(list(self.rights.teams)),
            ),
        )

    @cached_property
    def hidden_crowds(self) -> Any:
        """The statement for the ids of the questions whose crowd is hidden from the reader."""
        closes = func.coalesce(_TEXT.actual_close_time, _TEXT.scheduled_close_time)
        own = select(_OWN.id).where(
            col(_OWN.question_id) == col(_TEXT.question_id),
            col(_OWN.member_id) == self.rights.member_id,
        )
        return _HIDDEN_CROWDS.where(closes > self.now, ~own.exists())

    @cached_property
    def shown(self) -> ColumnElement[bool]:
        """Return the condition that the reader may see the ``Forecast``."""
        return self._seen(self.hidden_crowds)

    def shown_on(self, question: Question) -> ColumnElement[bool]:
        """Return the same condition for forecasts on that question only."""
        return self._seen(self.hidden_crowd(question))

    def hidden_crowd(self, question: Question) -> Any:
        """Return the statement for the question's id where its crowd is hidden."""
        return self.hidden_crowds.where(col(_TEXT.question_id) == question.id)

    def _seen(self, hidden: Any) -> ColumnElement[bool]:
        others = col(Forecast.question_id).not_in(hidden)
        own = col(Forecast.member_id).is_not_distinct_from(self.rights.member_id)
        seen = or_(own, others)
        if self.rights.unrestricted:
            return seen
        return and_(col(Forecast.question_id).not_in(self.kept), seen)


def read_as(session: Session, member: Member | None, *, now: datetime) -> None:
    """Let the session read for that member from here on; None: for somebody unknown to it."""
    session.info[_READER] = _Reader(member_rights(session, member, now=now), now)


def reader_rights(session: Session) -> Rights | None:
    """Return the rights of whom the session reads for; None where that is the ledger itself."""
    reader: _Reader | None = session.info.get(_READER)
    return None if reader is None else reader.rights


def reader_id(session: Session) -> int:
    """Return the id of the member whom the session reads for; 0: somebody unknown, -1: nobody."""
    reads: _Reader | None = session.info.get(_READER)
    return -1 if reads is None else reads.rights.member_id or 0


@contextmanager
def reading_everything(session: Session) -> Iterator[None]:
    """Let the session read for the ledger itself in this block: what a verb works out from all."""
    reader = session.info.pop(_READER, None)
    try:
        yield
    finally:
        if reader is not None:
            session.info[_READER] = reader


def question_visible(session: Session, question_id: Any = None) -> ColumnElement[bool]:
    """Return the condition that whom the session reads for may see the question.

    ``question_id``: the column that has its id; left out, that of ``Question``.
    """
    reader: _Reader | None = session.info.get(_READER)
    if reader is None or reader.rights.unrestricted:
        return true()
    return (col(Question.id) if question_id is None else col(question_id)).not_in(reader.kept)


def forecast_visible(session: Session, question: Question | None = None) -> ColumnElement[bool]:
    """Return the condition that whom the session reads for may see the ``Forecast``.

    That is one's own, and those of others on what one may see, but for a hidden crowd: that is
    shown once one has forecast, and once the question has closed or is resolved.

    ``question``: the one whose forecasts are read, where no others are; a database looks at the
    whole ledger otherwise, to tell which crowds are hidden.
    """
    reader: _Reader | None = session.info.get(_READER)
    if reader is None:
        return true()
    return reader.shown if question is None else reader.shown_on(question)


def require_visible(session: Session, question: Question) -> None:
    """Refuse, with NotFound, a question that whom the session reads for may not see."""
    if not is_visible(session, question):
        raise question_not_found(question.slug)


def is_visible(session: Session, question: Question) -> bool:
    """Return whether whom the session reads for may see the question."""
    reader: _Reader | None = session.info.get(_READER)
    if reader is None or reader.rights.unrestricted:
        return True
    found = select(Question.id).where(Question.id == question.id, question_visible(session))
    return session.exec(found).first() is not None


def evidence_visible(session: Session) -> ColumnElement[bool]:
    """Return the condition that whom the session reads for may see the ``Evidence``.

    Those of others' forecasts that are kept from them are, unless a forecast that they see cites
    the same.
    """
    if session.info.get(_READER) is None:
        return true()
    cited = select(Citation.evidence_id).join(
        Forecast, col(Forecast.id) == col(Citation.forecast_id)
    )
    seen = forecast_visible(session)
    return or_(col(Evidence.id).not_in(cited.where(~seen)), col(Evidence.id).in_(cited.where(seen)))


def crowd_is_hidden(session: Session, question: Question) -> bool:
    """Return whether others' forecasts on the question are hidden from whom the session reads."""
    reader: _Reader | None = session.info.get(_READER)
    if reader is None:
        return False
    return bool(session.exec(reader.hidden_crowd(question)).all())


def forecaster_handles(session: Session) -> list[str]:
    """Return the handles of all who have forecast, in alphabetical order."""
    # Of each the first that is found will do, however many there are. Without the limit a server
    # may take it for a join, and read all of them.
    one = (
        select(Forecast.id)
        .where(Forecast.member_id == Member.id, forecast_visible(session))
        .limit(1)
    )
    has_one = one.correlate(Member).scalar_subquery().is_not(None)
    return list(session.exec(select(Member.handle).where(has_one).order_by(Member.handle)))
