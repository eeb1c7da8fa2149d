"""Exports of the ledger, as far as the member may see it, and what they leave out."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlmodel import Session, col, func, select

from forecasts.access.roles import member_rights
from forecasts.access.visibility import forecast_visible, question_visible, reading_everything
from forecasts.exchange.folder.archive import pack
from forecasts.exchange.folder.folder import write_folder
from forecasts.ledger.current import is_current_outcome
from forecasts.ledger.models import (
    Appointment,
    Comment,
    Forecast,
    Member,
    MemberKind,
    Membership,
    ModelUse,
    PrintedScore,
    Question,
    QuestionOrigin,
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
from forecasts.scores.frames import Frames, ledger_frames


def exported(
    session: Session,
    *,
    member: Member | None,
    now: datetime,
    questions: Sequence[str] | None = None,
) -> tuple[Frames, list[str]]:
    """Return the part of the ledger that the member may see, and what a folder cannot hold of it.

    ``questions``: export only these slugs, with all evidence and articles; the list of omissions
    is empty then. A ledger's admin, and the owner of a personal ledger, export everything, hidden
    crowds included, so that the ledger can be rebuilt from it.
    """
    everything = member_rights(session, member, now=now).unrestricted
    with reading_everything(session) if everything else nullcontext():
        return ledger_frames(session, questions=questions), (
            left_out(session) if questions is None else []
        )


def as_zip(frames: Frames) -> bytes:
    """Return a ZIP archive of the frames' ledger folder; equal frames make equal archives."""
    with tempfile.TemporaryDirectory(prefix="ledger-") as aside:
        return pack(write_folder(frames, Path(aside) / "ledger"))


def left_out(session: Session) -> list[str]:
    """Return the omissions of an export of the whole ledger, each with its count.

    Recording members and times, which are omitted throughout, are not counted; nor are scores,
    which are computed again from the export.
    """

    def count(what: Any, *where: Any) -> int:
        return session.exec(select(func.count(what)).where(*where)).one()

    of_revision = question_visible(session, QuestionRevision.question_id)
    of_source = question_visible(session, QuestionSource.question_id)
    of_resolution = question_visible(session, Resolution.question_id)
    of_resolver = question_visible(session, Resolver.question_id)
    is_later = col(QuestionRevision.reason) != OUTCOME_KNOWN
    wordings = count(QuestionRevision.id, is_later, of_revision)
    passages = count(QuestionSource.id, of_source)
    resolutions = count(Resolution.id, of_resolution)
    runs_seen = col(ResolverRun.resolver_id).in_(select(Resolver.id).where(of_resolver))
    restricted = (col(QuestionRevision.visibility) != Visibility.everyone) | col(
        QuestionRevision.crowd_hidden
    )
    roles = count(Membership.id, col(Membership.role) != Role.forecaster) + count(Appointment.id)
    is_claim = col(Forecast.claimed_at).is_not(None)
    counts = {
        ("earlier wording", "earlier wordings"): wordings
        - count(Question.id, question_visible(session)),
        ("further passage", "further passages"): passages
        - count(func.distinct(QuestionSource.question_id), of_source),
        (
            "earlier resolution, proposal or rejection",
            "earlier resolutions, proposals and rejections",
        ): resolutions - count(Resolution.id, is_current_outcome(), of_resolution),
        ("resolver", "resolvers"): count(Resolver.id, of_resolver, Resolver.kind != NONE),
        ("resolver run", "resolver runs"): count(ResolverRun.id, runs_seen),
        (
            "question with limited visibility or a hidden crowd",
            "questions with limited visibility or a hidden crowd",
        ): count(func.distinct(QuestionRevision.question_id), restricted, of_revision),
        ("member role", "member roles"): roles,
        (
            "forecast time that an import claimed without a voucher",
            "forecast times that imports claimed without a voucher",
        ): count(Forecast.id, is_claim, forecast_visible(session)),
        ("comment", "comments"): count(Comment.id, question_visible(session, Comment.question_id)),
        ("model behind a forecast", "models behind forecasts"): count(
            ModelUse.id,
            col(ModelUse.forecast_id).in_(select(Forecast.id).where(forecast_visible(session))),
        ),
        ("member marked as bot or service", "members marked as bots or services"): count(
            Member.id, col(Member.kind) != MemberKind.human
        ),
        ("origin on another platform", "origins on other platforms"): count(
            QuestionOrigin.id, question_visible(session, QuestionOrigin.question_id)
        ),
        ("score printed by a platform", "scores printed by platforms"): count(
            PrintedScore.id, question_visible(session, PrintedScore.question_id)
        ),
    }
    return [f"{n:,} {one if n == 1 else many}" for (one, many), n in counts.items() if n]
