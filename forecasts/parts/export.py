"""Exports of a ledger's database as a folder of parts, in memory that does not grow with it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from sqlmodel import Session, col, func, select

from forecasts.access.visibility import forecast_visible
from forecasts.exchange.export import forecast_batches, left_out, reading
from forecasts.ledger.models import Forecast, Member
from forecasts.parts.folder import WHOLE, Parts
from forecasts.parts.inputs import Rows
from forecasts.parts.partition import Tell, partition_rows
from forecasts.parts.tables import arrow_table
from forecasts.scores.frames import ledger_frames


def export_parts(
    session: Session,
    folder: Path,
    *,
    member: Member | None,
    now: datetime,
    parts: int | None = None,
    tell: Tell = lambda *_: None,
) -> tuple[Parts, list[str]]:
    """Return the folder of parts, which is written, and what it cannot hold of the ledger.

    It has what ``exchange.export.exported`` returns. Refused if the folder has content.
    """
    with reading(session, member, now):
        frames = ledger_frames(session, forecasts=False)
        visible = select(func.count(col(Forecast.id))).where(forecast_visible(session))
        questions = arrow_table(frames.questions, "questions").to_batches()
        sources = [
            Rows("questions", questions, len(frames.questions)),
            Rows("forecasts", forecast_batches(session), session.exec(visible).one()),
        ]
        whole = {table: getattr(frames, table) for table in WHOLE}
        made = partition_rows(sources, whole, folder, parts=parts, tell=tell)
        return made, left_out(session)
