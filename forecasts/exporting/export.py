"""Exports of the ledger, as far as the member may see it, and what they leave out."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from sqlmodel import Session, col, func, select

from forecasts.access.kinds import accounts
from forecasts.access.roles import member_rights
from forecasts.access.visibility import forecast_visible, question_visible, reading_everything
from forecasts.folder.archive import pack
from forecasts.folder.cells import cell_text
from forecasts.folder.folder import write_folder
from forecasts.folder.frames import FORECAST_COLUMNS, Frames, complete
from forecasts.ledger.current import is_current_outcome
from forecasts.ledger.models import (
    Appointment,
    Comment,
    Forecast,
    Member,
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
from forecasts.questions.revisions import OF_OUTCOMES
from forecasts.resolution.assignments import NONE
from forecasts.scores import forecast_columns
from forecasts.scores.ledger_frames import ledger_frames, table_batches


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
    with reading(session, member, now):
        return ledger_frames(session, questions=questions), (
            left_out(session) if questions is None else []
        )


def write_export(
    session: Session,
    folder: Path,
    *,
    member: Member | None,
    now: datetime,
    overwrite: bool = False,
    tell: Callable[..., None] = lambda **_: None,
) -> tuple[list[Path], list[str]]:
    """Return the files of the ledger folder, which are written, and its omissions.

    The same as ``exported``, but rows go from the database to the files in batches, so that a
    ledger of any size needs little memory. ``tell`` is called with the total of forecasts, and with
    those completed. Refused if the folder is not empty, unless ``overwrite``.
    """
    with reading(session, member, now):
        visible = select(func.count(col(Forecast.id))).where(forecast_visible(session))
        tell(total=session.exec(visible).one())
        forecasts = _told(forecast_batches(session), tell)
        further = table_batches(session) | {"forecasts": forecasts}
        nothing = complete(pd.DataFrame(), pd.DataFrame())
        files = write_folder(nothing, folder, overwrite=overwrite, further=further)
        return files, left_out(session)


def _told(batches: Iterator[pa.RecordBatch], tell: Callable[..., None]) -> Iterator[pa.RecordBatch]:
    completed = 0
    for batch in batches:
        yield batch
        completed += len(batch)
        tell(completed=completed)


def forecast_batches(
    session: Session, questions: Sequence[str] | None = None
) -> Iterator[pa.RecordBatch]:
    """Yield the forecasts that the session's reader may see, from a cursor of the database.

    Columns of ``forecasts.csv``: ids are dictionaries (a dictionary for each batch), times
    timestamp[us, UTC], the probability a double, and JSON is text; null is blank. Ordered by the
    row ids of question and forecaster, then time and the order made.
    """
    for columns in forecast_columns.batches(session, questions):
        texts = {name: _json_texts(columns[name]) for name in _JSON}
        yield pa.RecordBatch.from_pydict({**columns, **texts})


_JSON = [name for name, kind in FORECAST_COLUMNS.items() if kind == "json"]


def _json_texts(values: list[Any]) -> pa.Array:
    if not any(values):
        return pa.nulls(len(values), pa.large_string())
    texts = [None if value is None else cell_text(value) for value in values]
    return pa.array(texts, pa.large_string())


def reading(session: Session, member: Member | None, now: datetime) -> AbstractContextManager[None]:
    """Return the block in which the session reads for the member's export."""
    everything = member_rights(session, member, now=now).unrestricted
    return reading_everything(session) if everything else nullcontext()


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
    is_later = col(QuestionRevision.reason).not_in(OF_OUTCOMES)
    wordings = count(QuestionRevision.id, is_later, of_revision)
    passages = count(QuestionSource.id, of_source)
    resolutions = count(Resolution.id, of_resolution)
    runs_seen = col(ResolverRun.resolver_id).in_(select(Resolver.id).where(of_resolver))
    restricted = (col(QuestionRevision.visibility) != Visibility.everyone) | col(
        QuestionRevision.crowd_hidden
    )
    roles = count(Membership.id, col(Membership.role) != Role.forecaster) + count(Appointment.id)
    # Not IN: SQLite would first make a table of all visible forecasts.
    of_forecast = select(Forecast.id).where(
        col(Forecast.id) == col(ModelUse.forecast_id), forecast_visible(session)
    )
    is_claim = col(Forecast.claimed_at).is_not(None)
    counts = {
        ("earlier wording", "earlier wordings"): wordings
        - count(Question.id, question_visible(session)),
        ("further passage", "further passages"): passages
        - count(func.distinct(QuestionSource.question_id), of_source),
        (
            "earlier resolution, proposal, rejection or withdrawal",
            "earlier resolutions, proposals, rejections and withdrawals",
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
            ModelUse.id, of_forecast.exists()
        ),
        ("member marked as bot or service", "members marked as bots or services"): len(
            accounts(session, bots_only=True)
        ),
        ("origin on another platform", "origins on other platforms"): count(
            QuestionOrigin.id, question_visible(session, QuestionOrigin.question_id)
        ),
        ("score printed by a platform", "scores printed by platforms"): count(
            PrintedScore.id, question_visible(session, PrintedScore.question_id)
        ),
    }
    return [f"{n:,} {one if n == 1 else many}" for (one, many), n in counts.items() if n]
