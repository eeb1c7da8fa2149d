"""The scores that a platform printed, beside which the ledger's own are shown."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import numpy as np
import pandas as pd
from sqlmodel import Session, col, select

from forecasts.folder.frames import rows
from forecasts.ledger.append import append
from forecasts.ledger.models import Member, PrintedScore
from forecasts.platforms.record import PlatformRecord
from forecasts.questions.standing import in_batches


def new_printed_scores(
    session: Session, record: PlatformRecord, known: Mapping[str, int], member: Member
) -> pd.DataFrame:
    """Return the rows of ``record.printed`` that the ledger does not have and never had.

    An older export does not bring back a score that the platform has changed since.
    ``known``: the ids of questions that the ledger has. Scores of accounts without a forecast in
    the record are left out, unless they are the member's.
    """
    every = record.printed
    who = {*record.frames.forecasts["forecaster"].unique(), member.handle}
    is_theirs = every["forecaster"].isin(list(who)) & np.isfinite(every["score"])
    is_here = every["question_id"].isin(record.frames.questions["question_id"])
    printed: pd.DataFrame = every[is_theirs & is_here]
    printed = printed.drop_duplicates(["question_id", "forecaster", "name"], keep="last")
    members = _ids(session, printed)
    stored: set[tuple[int, int, str, float, float | None]] = set()
    ids = [known[slug] for slug in printed["question_id"].unique() if slug in known]
    for some in in_batches(ids):
        of_these = select(PrintedScore).where(
            PrintedScore.platform == record.platform, col(PrintedScore.question_id).in_(some)
        )
        for row in session.exec(of_these):
            stored.add((row.question_id, row.member_id, row.name, row.score, row.coverage))
    if not stored:
        return printed
    is_new = [
        (
            known.get(row.question_id, 0),
            members.get(row.forecaster, 0),
            row.name,
            row.score,
            _or_none(row.coverage),
        )
        not in stored
        for row in rows(printed)
    ]
    fresh: pd.DataFrame = printed[is_new]
    return fresh


def write_printed_scores(
    session: Session,
    printed: pd.DataFrame,
    platform: str,
    questions: Mapping[str, int],
    now: datetime,
) -> None:
    """Write these scores; their members and ``questions``, by their names, are in the ledger."""
    members, count = _ids(session, printed), len(printed)
    if count:
        append(
            session,
            "printed_score",
            {
                "question_id": [questions[slug] for slug in printed["question_id"]],
                "member_id": [members[handle] for handle in printed["forecaster"]],
                "platform": [platform] * count,
                "name": printed["name"].tolist(),
                "score": printed["score"].tolist(),
                "coverage": [_or_none(share) for share in printed["coverage"].tolist()],
                "recorded_at": [now] * count,
            },
        )


def _ids(session: Session, printed: pd.DataFrame) -> dict[str, int]:
    """Return the ids of the members who have a score, by handle."""
    return {
        handle: id_
        for some in in_batches([str(handle) for handle in printed["forecaster"].unique()])
        for handle, id_ in session.exec(
            select(Member.handle, Member.id).where(col(Member.handle).in_(some))
        )
    }


def _or_none(number: float) -> float | None:
    return None if number != number else number
