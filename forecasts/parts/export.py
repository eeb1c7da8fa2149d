"""Exports of a ledger's database as a folder of parts, in memory that does not grow with it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pandas as pd
from sqlmodel import Session, col, func, select

from forecasts.access.visibility import forecast_visible
from forecasts.exporting.export import forecast_batches, left_out, reading
from forecasts.ledger.models import Forecast, Member
from forecasts.parts.folder import WHOLE, Parts
from forecasts.parts.partition.sources import Rows
from forecasts.parts.partition.splitting import Tell, partition_rows
from forecasts.parts.tables import arrow_table
from forecasts.scores.ledger_frames import table_batches


def export_parts(
    session: Session,
    folder: Path,
    *,
    member: Member | None,
    now: datetime,
    parts: int | None = None,
    tell: Tell = lambda *_: None,
) -> tuple[Parts, list[str]]:
    """Return the folder of parts, which is written, and its omissions.

    It has what ``exporting.export.exported`` returns. Refused if the folder has content.
    """
    with reading(session, member, now):
        tables = table_batches(session)
        questions = (
            batch
            for frame in tables["questions"]
            for batch in arrow_table(frame, "questions").to_batches()
        )
        visible = select(func.count(col(Forecast.id))).where(forecast_visible(session))
        sources = [
            Rows("questions", questions),
            Rows("forecasts", forecast_batches(session), session.exec(visible).one()),
        ]
        nothing = pd.DataFrame()
        whole = {table: pd.concat([nothing, *tables[table]], ignore_index=True) for table in WHOLE}
        made = partition_rows(sources, whole, folder, parts=parts, tell=tell)
        return made, left_out(session)
