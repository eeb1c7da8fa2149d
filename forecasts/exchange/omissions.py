"""The rows of a ledger that a ledger folder cannot hold."""

from __future__ import annotations

from typing import Any

from sqlmodel import Session, col, func, select

from forecasts.access.visibility import forecast_visible, question_visible
from forecasts.ledger.current import is_current_outcome
from forecasts.ledger.models import (
    Appointment,
    Forecast,
    Member,
    MemberKind,
    Membership,
    Question,
    QuestionRevision,
    QuestionSource,
    Resolution,
    Resolver,
    ResolverRun,
    Role,
    Visibility,
)
from forecasts.questions.revisions import OUTCOME_KNOWN
from forecasts.resolution.assignments import NONE


def left_out(session: Session) -> list[str]:
    """Return the omissions of an export of the whole ledger, each with its count.

    Recording members and times, which are omitted throughout, are not counted; nor are scores,
    which are computed again from the export.
    """
    standing = is_current_outcome()
    of_revision = question_visible(session, QuestionRevision.question_id)
    of_source = question_visible(session, QuestionSource.question_id)
    of_resolution = question_visible(session, Resolution.question_id)
    of_resolver = question_visible(session, Resolver.question_id)
    restricted = (col(QuestionRevision.visibility) != Visibility.everyone) | col(
        QuestionRevision.crowd_hidden
    )
    tables = [
        (
            _count(
                session,
                QuestionRevision.id,
                col(QuestionRevision.reason) != OUTCOME_KNOWN,
                of_revision,
            )
            - _count(session, Question.id, question_visible(session)),
            ("earlier wording", "earlier wordings"),
        ),
        (
            _count(session, QuestionSource.id, of_source)
            - _count(session, func.distinct(QuestionSource.question_id), of_source),
            ("further passage", "further passages"),
        ),
        (
            _count(session, Resolution.id, of_resolution)
            - _count(session, Resolution.id, standing, of_resolution),
            (
                "earlier resolution, proposal or rejection",
                "earlier resolutions, proposals and rejections",
            ),
        ),
        (
            _count(session, Resolver.id, of_resolver, Resolver.kind != NONE),
            ("resolver", "resolvers"),
        ),
        (
            _count(
                session,
                ResolverRun.id,
                col(ResolverRun.resolver_id).in_(select(Resolver.id).where(of_resolver)),
            ),
            ("resolver run", "resolver runs"),
        ),
        (
            _count(session, func.distinct(QuestionRevision.question_id), restricted, of_revision),
            (
                "question with limited visibility or a hidden crowd",
                "questions with limited visibility or a hidden crowd",
            ),
        ),
        (
            _count(session, Membership.id, col(Membership.role) != Role.forecaster)
            + _count(session, Appointment.id),
            ("member role", "member roles"),
        ),
        (
            _count(
                session,
                Forecast.id,
                col(Forecast.claimed_at).is_not(None),
                forecast_visible(session),
            ),
            (
                "forecast time that an import claimed without a voucher",
                "forecast times that imports claimed without a voucher",
            ),
        ),
        (
            _count(session, Member.id, col(Member.kind) != MemberKind.human),
            ("member marked as bot or service", "members marked as bots or services"),
        ),
    ]
    return [f"{count:,} {one if count == 1 else many}" for count, (one, many) in tables if count]


def _count(session: Session, what: Any, *where: Any) -> int:
    return session.exec(select(func.count(what)).where(*where)).one()
