"""What a ledger holds beyond what a ledger folder has a place for."""

from __future__ import annotations

from typing import Any

from sqlmodel import Session, col, func, select

from forecasts.models import (
    Member,
    MemberKind,
    Question,
    QuestionRevision,
    QuestionSource,
    Resolution,
    ResolutionState,
    Resolver,
    ResolverRun,
)
from forecasts.questions import overtaken
from forecasts.revisions import KNOWN


def left_out(session: Session) -> list[str]:
    """Return what an export of the whole ledger leaves behind: how many of each, and what.

    Who recorded something and when is left behind of everything, and is not counted here; scores
    are made anew from what is exported.
    """
    standing = (col(Resolution.state) == ResolutionState.confirmed) & ~overtaken()
    tables = [
        (
            _count(session, QuestionRevision.id, col(QuestionRevision.reason) != KNOWN)
            - _count(session, Question.id),
            ("earlier wording", "earlier wordings"),
        ),
        (
            _count(session, QuestionSource.id)
            - _count(session, func.distinct(QuestionSource.question_id)),
            ("further passage", "further passages"),
        ),
        (
            _count(session, Resolution.id) - _count(session, Resolution.id, standing),
            (
                "earlier resolution, proposal or rejection",
                "earlier resolutions, proposals and rejections",
            ),
        ),
        (_count(session, Resolver.id), ("resolver", "resolvers")),
        (_count(session, ResolverRun.id), ("run of a resolver", "runs of resolvers")),
        (
            _count(session, Member.id, col(Member.kind) != MemberKind.human),
            ("mark of a member as bot or service", "marks of members as bots or services"),
        ),
    ]
    return [f"{count:,} {one if count == 1 else many}" for count, (one, many) in tables if count]


def _count(session: Session, what: Any, *where: Any) -> int:
    return session.exec(select(func.count(what)).where(*where)).one()
