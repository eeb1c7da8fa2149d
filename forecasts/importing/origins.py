"""The origins of imported questions: each question's id and address on its platform."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlmodel import Session, col, select

from forecasts.folder.frames import rows
from forecasts.ledger.append import append
from forecasts.ledger.models import QuestionOrigin
from forecasts.platforms.record import PlatformRecord
from forecasts.questions.standing import in_batches


def write_origins(
    session: Session,
    record: PlatformRecord,
    ids: Mapping[str, int],
    others: Collection[int],
    now: datetime,
) -> None:
    """Write the origins that the ledger does not have yet.

    Not those of ``others``, since everyone would see on them an address that an importer made up.
    """
    there = {0, *others}  # and no origin of a question that the record does not have
    for some in in_batches(list(ids.values())):
        of_these = select(QuestionOrigin.question_id).where(
            QuestionOrigin.platform == record.platform, col(QuestionOrigin.question_id).in_(some)
        )
        there.update(session.exec(of_these))
    new = [row for row in rows(record.origins) if ids.get(row.question_id, 0) not in there]
    if new:
        append(
            session,
            "question_origin",
            {
                "question_id": [ids[row.question_id] for row in new],
                "platform": [record.platform] * len(new),
                "platform_id": [row.platform_id for row in new],
                "url": [row.url for row in new],
                "recorded_at": [now] * len(new),
            },
        )
