"""Exports of the ledger, as far as the member may see it, and what they leave out.

A ledger folder, the format of another platform, or a JSON document for each question, as
``forecasts show --format json`` prints it: with earlier wordings, corrected resolutions and later
reasons, which frames do not have.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from sqlmodel import Session, col, func, select

from forecasts.access.kinds import accounts
from forecasts.access.roles import member_rights
from forecasts.access.visibility import forecast_visible, question_visible, reading_everything
from forecasts.common.json_text import json_text
from forecasts.common.text import file_stems
from forecasts.folder.archive import pack
from forecasts.folder.cells import cell_text
from forecasts.folder.drafts import drafted
from forecasts.folder.folder import write_folder
from forecasts.folder.frames import FORECAST_COLUMNS, Frames, complete
from forecasts.ledger.current import is_current_outcome
from forecasts.ledger.models import (
    Appointment,
    Article,
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
    Team,
    Visibility,
)
from forecasts.platforms.formats import export_format
from forecasts.platforms.written import Written, each_counted
from forecasts.questions.revisions import OF_OUTCOMES
from forecasts.questions.standing import listing
from forecasts.resolution.assignments import NONE
from forecasts.scores import forecast_columns
from forecasts.scores.ledger_frames import ledger_frames, table_batches
from forecasts.views.questions import whole_question


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
        return ledger_frames(session, questions=questions, counted=False), (
            left_out(session) if questions is None else []
        )


def write_export(
    session: Session,
    folder: Path,
    *,
    member: Member | None,
    now: datetime,
    overwrite: bool = False,
    tell: Callable[[int, int], None] = lambda _done, _all: None,
) -> tuple[list[Path], list[str]]:
    """Return the files of the ledger folder, which are written, and its omissions.

    The same as ``exported``, but rows go from the database to the files in batches, so that a
    ledger of any size needs little memory. ``tell`` is called with the forecasts completed and
    their number. Refused if the folder is not empty, unless ``overwrite``.
    """
    with reading(session, member, now):
        visible = select(func.count(col(Forecast.id))).where(forecast_visible(session))
        forecasts = _told(forecast_batches(session), session.exec(visible).one(), tell)
        further = table_batches(session, counted=False) | {"forecasts": forecasts}
        nothing = complete(pd.DataFrame(), pd.DataFrame())
        files = write_folder(nothing, folder, overwrite=overwrite, further=further)
        return files, left_out(session)


def _told(
    batches: Iterator[pa.RecordBatch], of: int, tell: Callable[[int, int], None]
) -> Iterator[pa.RecordBatch]:
    completed = 0
    for batch in batches:
        yield batch
        completed += len(batch)
        tell(completed, of)


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

    def many(what: Any, *where: Any) -> int:
        return session.exec(select(func.count(what)).where(*where)).one()

    def seen(table: Any) -> Any:
        return question_visible(session, table.question_id)

    is_later = col(QuestionRevision.reason).not_in(OF_OUTCOMES)
    questions = many(Question.id, question_visible(session))
    with_passage = many(func.distinct(QuestionSource.question_id), seen(QuestionSource))
    current = many(Resolution.id, is_current_outcome(), seen(Resolution))
    resolutions = many(Resolution.id, seen(Resolution)) - current
    runs_seen = col(ResolverRun.resolver_id).in_(select(Resolver.id).where(seen(Resolver)))
    restricted = (col(QuestionRevision.visibility) != Visibility.everyone) | col(
        QuestionRevision.crowd_hidden
    )
    # Not IN: SQLite would first make a table of all visible forecasts.
    of_forecast = select(Forecast.id).where(
        col(Forecast.id) == col(ModelUse.forecast_id), forecast_visible(session)
    )
    is_claim = col(Forecast.claimed_at).is_not(None)
    wordings = many(QuestionRevision.id, is_later, seen(QuestionRevision)) - questions
    passages = many(QuestionSource.id, seen(QuestionSource)) - with_passage
    roles = many(Membership.id, col(Membership.role) != Role.forecaster) + many(Appointment.id)
    of_question = func.distinct(QuestionRevision.question_id)
    counts = {
        "earlier wording{s}": wordings,
        "further passage{s}": passages,
        "earlier resolution{s}, proposal{s}, rejection{s} or withdrawal{s}": resolutions,
        "resolver{s}": many(Resolver.id, seen(Resolver), Resolver.kind != NONE),
        "resolver run{s}": many(ResolverRun.id, runs_seen),
        "question{s} with limited visibility or a hidden crowd": many(
            of_question, restricted, seen(QuestionRevision)
        ),
        "member role{s}": roles,
        "forecast time{s} that imports claimed without a voucher": many(
            Forecast.id, is_claim, forecast_visible(session)
        ),
        "comment{s}": many(Comment.id, seen(Comment)),
        "model{s} behind forecasts": many(ModelUse.id, of_forecast.exists()),
        "member{s} marked as bot or service": len(accounts(session, bots_only=True)),
        "origin{s} on other platforms": many(QuestionOrigin.id, seen(QuestionOrigin)),
        "score{s} printed by platforms": many(PrintedScore.id, seen(PrintedScore)),
    }
    return each_counted(counts)


def export_as(
    session: Session,
    name: str,
    path: Path,
    *,
    member: Member | None,
    now: datetime,
    overwrite: bool = False,
) -> Written:
    """Return the files of an export in another format, which are written to ``path``.

    BadInput if there is no format with this name. Refused if ``path`` exists, unless ``overwrite``.
    """
    if name == FORMAT:
        return write_question_files(session, path, member=member, now=now, overwrite=overwrite)
    format_ = export_format(name)
    frames, _ = exported(session, member=member, now=now)
    return format_.write(frames, path, overwrite=overwrite)


@dataclass(frozen=True)
class Packed:
    """An export as one file: its name, its data, and its omissions (see ``Written``)."""

    name: str
    data: bytes
    left_out: Sequence[str]


def packed_as(session: Session, name: str, *, member: Member | None, now: datetime) -> Packed:
    """Return an export in another format: its only file, or an archive of its folder."""
    with tempfile.TemporaryDirectory(prefix="export-") as aside:
        path = Path(aside) / name
        written = export_as(session, name, path, member=member, now=now)
        if len(written.files) == 1:
            [file] = written.files
            return Packed(file.name, file.read_bytes(), written.left_out)
        return Packed(f"{name}.zip", pack(written.files, below=path), written.left_out)


def packed_folder(session: Session, *, member: Member | None, now: datetime) -> bytes:
    """Return an archive of the ledger folder that ``write_export`` writes."""
    with tempfile.TemporaryDirectory(prefix="ledger-") as aside:
        files, _ = write_export(session, Path(aside) / "ledger", member=member, now=now)
        return pack(files)


FORMAT, TITLE, FILES = "json", "Questions as JSON", "a folder with a JSON file for each question"


def write_question_files(
    session: Session, folder: Path, *, member: Member | None, now: datetime, overwrite: bool = False
) -> Written:
    """Return the files of the questions that the member may see, which are written to the folder.

    An admin and the owner of a personal ledger see everything, as in ``export.exported``. Refused
    if the folder is not empty, unless ``overwrite``.
    """
    with reading(session, member, now), drafted(folder, overwrite=overwrite) as draft:
        states = listing(session, now=now)
        names = [f"{stem}.json" for stem in file_stems([state.slug for state in states])]
        for state, name in zip(states, names, strict=True):
            text = json_text(whole_question(session, state, now=now), indent=1)
            (draft / name).write_text(text, encoding="utf-8", newline="\n")
        left_out = _left_out(session)
    return Written([folder / name for name in names], left_out)


def _left_out(session: Session) -> list[str]:
    resolvers = question_visible(session, Resolver.question_id), col(Resolver.kind) != NONE
    counts = {
        "article{s}": session.exec(select(func.count(col(Article.id)))).one(),
        "team{s}": session.exec(select(func.count(col(Team.id)))).one(),
        "resolver{s}": session.exec(select(func.count(col(Resolver.id))).where(*resolvers)).one(),
    }
    return each_counted(counts)
