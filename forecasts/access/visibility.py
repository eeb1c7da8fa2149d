"""Visibility: what the reader of a session may see.

A session reads for one member (``read_as``), or for the ledger itself, as a scheduled run does.
Each verb that reads adds ``question_visible`` or ``forecast_visible`` to its statement. Anything
hidden from the reader does not exist for them: the error is NotFound, never Forbidden.

A discarded question does not exist for anyone, the ledger itself included.

A hidden crowd is a method, not a secret: it is hidden from admins and in an unshared ledger too.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, and_, or_
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from forecasts.access.roles import Rights, member_rights, question_not_found
from forecasts.ledger.current import close_time, has_outcome, is_newest_wording, newest_owners
from forecasts.ledger.facts import known
from forecasts.ledger.models import (
    BotOwner,
    Citation,
    Comment,
    CurrentForecast,
    Discard,
    Evidence,
    Forecast,
    Member,
    Question,
    QuestionRevision,
    QuestionText,
    Role,
    Team,
    Visibility,
)

_READER = "reader"

# Built once: building a statement with aliases takes longer than running it.
_TEXT, _AUTHORED, _OWN = aliased(QuestionRevision), aliased(Question), aliased(Forecast)
_RESTRICTED = (
    select(_TEXT.question_id)
    .join(_AUTHORED, col(_AUTHORED.id) == col(_TEXT.question_id))
    .where(col(_TEXT.visibility) != Visibility.everyone, is_newest_wording(_TEXT))
)
_DISCARDED = select(Discard.question_id)
_HIDDEN_CROWDS = select(_TEXT.question_id).where(
    col(_TEXT.crowd_hidden), is_newest_wording(_TEXT), ~has_outcome(_TEXT.question_id)
)


@dataclass(frozen=True)
class _Reader:
    """The rights of the member a session reads for, and the time it reads at."""

    rights: Rights
    now: datetime

    @cached_property
    def hidden_questions(self) -> Any:
        """The statement for the ids of questions that the reader may not see."""
        return _RESTRICTED.where(
            col(_AUTHORED.member_id).is_distinct_from(self.rights.member_id),
            or_(
                col(_TEXT.visibility) == Visibility.author,
                col(_TEXT.team_id).not_in(list(self.rights.teams)),
            ),
        )

    @cached_property
    def hidden_crowds(self) -> Any:
        """The statement for the ids of questions whose crowd is hidden from the reader."""
        own = select(_OWN.id).where(
            col(_OWN.question_id) == col(_TEXT.question_id),
            col(_OWN.member_id) == self.rights.member_id,
        )
        return _HIDDEN_CROWDS.where(close_time(_TEXT) > self.now, ~own.exists())

    def hidden_crowd(self, question: Question) -> Any:
        """Return the statement for the question's id if its crowd is hidden."""
        return self.hidden_crowds.where(col(_TEXT.question_id) == question.id)


def read_as(session: Session, member: Member | None, *, now: datetime) -> None:
    """Make the session read for that member; None for someone who is not a member."""
    session.info[_READER] = _Reader(member_rights(session, member, now=now), now)


def reading_everything(session: Session) -> AbstractContextManager[None]:
    """Let the session read for the ledger itself in a block, to compute from all rows."""
    return _reading_for(session, None)


def reading_publicly(session: Session, *, now: datetime) -> AbstractContextManager[None]:
    """Let the session read for a stranger in a block: only what everyone may see.

    The owner of a ledger of their own is a stranger here too.
    """
    return _reading_for(session, _Reader(Rights(None, False, Role.viewer, {}), now))


@contextmanager
def _reading_for(session: Session, reader: _Reader | None) -> Iterator[None]:
    before = _reader(session)
    session.info[_READER] = reader
    try:
        yield
    finally:
        session.info[_READER] = before


def _reader(session: Session) -> _Reader | None:
    reader: _Reader | None = session.info.get(_READER)
    return reader


def reader_rights(session: Session) -> Rights | None:
    """Return the rights of the session's reader; None if it reads for the ledger itself."""
    reader = _reader(session)
    return None if reader is None else reader.rights


def reader_id(session: Session) -> int:
    """Return the id of the session's reader; 0 for a non-member, -1 for the ledger itself."""
    reader = _reader(session)
    return -1 if reader is None else reader.rights.member_id or 0


def question_visible(session: Session, question_id: Any = None) -> ColumnElement[bool]:
    """Return the SQL condition: the session's reader may see the question.

    ``question_id``: the column with its id, by default that of ``Question``.
    """
    reader = _reader(session)
    column = Question.id if question_id is None else question_id
    if reader is None or reader.rights.unrestricted:
        return _is_kept(column)
    return and_(_is_kept(column), col(column).not_in(reader.hidden_questions))


def _is_kept(question_id: Any) -> ColumnElement[bool]:
    """Return the SQL condition: the question of that column was not discarded."""
    return col(question_id).not_in(_DISCARDED)


def forecast_visible(
    session: Session,
    question: Question | None = None,
    *,
    made: type[Forecast | CurrentForecast] = Forecast,
) -> ColumnElement[bool]:
    """Return the SQL condition: the session's reader may see the ``Forecast``, or ``made``.

    Members see their own forecasts, and others' on the questions they may see. A hidden crowd
    appears once the reader has forecast, and once the question has closed or is resolved.

    ``question``: the only question whose forecasts are read. Without it, the database searches the
    whole ledger for hidden crowds.
    """
    reader = _reader(session)
    visible = question_visible(session, made.question_id)
    if reader is None:
        return visible
    crowds = reader.hidden_crowds if question is None else reader.hidden_crowd(question)
    own = col(made.member_id).is_not_distinct_from(reader.rights.member_id)
    return and_(visible, or_(own, col(made.question_id).not_in(crowds)))


def comment_visible(session: Session, question: Question | None = None) -> ColumnElement[bool]:
    """Return the SQL condition: the session's reader may see the ``Comment``.

    A private one is visible to its author and to the owner of a bot. While a crowd is hidden, so
    are others' comments. ``question``: as in ``forecast_visible``.
    """
    reader = _reader(session)
    visible = question_visible(session, Comment.question_id)
    if reader is None:
        return visible
    crowds = reader.hidden_crowds if question is None else reader.hidden_crowd(question)
    member = reader.rights.member_id
    bots = select(BotOwner.bot_id).where(
        BotOwner.owner_id == member, col(BotOwner.id).in_(newest_owners())
    )
    own = col(Comment.member_id).is_not_distinct_from(member)
    open_ = col(Comment.private).is_(False)
    return and_(
        visible,
        or_(own, col(Comment.question_id).not_in(crowds)),
        or_(own, open_, col(Comment.member_id).in_(bots)),
    )


def evidence_visible(session: Session) -> ColumnElement[bool]:
    """Return the SQL condition: the session's reader may see the ``Evidence``.

    Evidence is hidden if only hidden forecasts cite it.
    """
    cited = select(Citation.id).where(Citation.evidence_id == Evidence.id)
    citing = cited.join(Forecast, col(Forecast.id) == col(Citation.forecast_id))
    return or_(~cited.exists(), citing.where(forecast_visible(session)).exists())


def is_visible(session: Session, question: Question) -> bool:
    """Return whether the session's reader may see the question."""
    id_ = question.id
    if known(session, ("discarded", id_), lambda s: _is_discarded(s, id_)):
        return False
    reader = _reader(session)
    if reader is None or reader.rights.unrestricted:
        return True
    found = select(Question.id).where(Question.id == id_, question_visible(session))
    return session.exec(found).first() is not None


def _is_discarded(session: Session, question_id: int) -> bool:
    return session.exec(_DISCARDED.where(Discard.question_id == question_id)).first() is not None


def require_visible(session: Session, question: Question) -> None:
    """Refuse, with NotFound, a question that the session's reader may not see."""
    if not is_visible(session, question):
        raise question_not_found(question.slug)


def crowd_is_hidden(session: Session, question: Question | None = None) -> bool:
    """Return whether others' forecasts on the question are hidden from the session's reader.

    Without a question: on any.
    """
    reader = _reader(session)
    if reader is None:
        return False
    hidden = reader.hidden_crowds if question is None else reader.hidden_crowd(question)
    return session.exec(hidden.limit(1)).first() is not None


def audience_label(session: Session, text: QuestionText) -> str:
    """Return the audience of a restricted question in words; '' for everyone."""
    if text.visibility == Visibility.author:
        return "its author"
    if text.visibility == Visibility.team and text.team_id is not None:
        return f"{session.get_one(Team, text.team_id).name} and its author"
    return ""


def forecaster_handles(session: Session) -> list[str]:
    """Return the handles of all members with a visible forecast, in alphabetical order."""
    # LIMIT 1 stops at each member's first forecast; without it a server may read all of them.
    one = select(Forecast.id).where(Forecast.member_id == Member.id, forecast_visible(session))
    has_one = one.limit(1).correlate(Member).scalar_subquery().is_not(None)
    return list(session.exec(select(Member.handle).where(has_one).order_by(Member.handle)))
