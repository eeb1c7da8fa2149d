"""Computing and storing the scores of confirmed resolutions; they can be rebuilt at any time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import delete, insert
from sqlmodel import Session, col, select

import scoring
from forecasts.access.visibility import reading_everything
from forecasts.ledger.models import Member, Question, Resolution, Score
from forecasts.questions.standing import in_batches, listing
from forecasts.scores.frames import rows as rows_of
from forecasts.scores.frames import scoring_frames
from forecasts.scores.stored_scores import CRPS, STORED_PROTOCOLS


def store(session: Session, resolutions: Sequence[Resolution]) -> int:
    """Return the number of scores written for these resolutions: per forecaster and protocol.

    Each must be its question's current resolution; its stored scores are replaced. Scores of
    superseded resolutions are kept.
    """
    by_question = {resolution.question_id: resolution.id for resolution in resolutions}
    handles = dict(session.exec(select(Member.handle, Member.id)).all())
    return sum(
        _store(session, {id_: by_question[id_] for id_ in batch}, handles)
        for batch in in_batches(list(by_question))
    )


def _store(
    session: Session, by_question: Mapping[int, int | None], handles: Mapping[str, int | None]
) -> int:
    slugs = dict(
        session.exec(
            select(Question.slug, Question.id).where(col(Question.id).in_(list(by_question)))
        ).all()
    )
    # All forecasts are scored, whatever the confirming member may see.
    with reading_everything(session):
        questions, forecasts = scoring_frames(session, questions=list(slugs))
    table = scoring.score(questions, forecasts, (*STORED_PROTOCOLS, CRPS))
    rows = [
        {
            "resolution_id": by_question[slugs[row.question_id]],  # type: ignore[index]
            "member_id": handles[row.forecaster],
            "protocol": row.protocol,
            "engine_version": scoring.__version__,
            "score": row.score,
            "coverage": row.coverage,
            "updates": row.updates,
        }
        for row in rows_of(table)
    ]
    connection = session.connection()
    connection.execute(
        delete(Score).where(col(Score.resolution_id).in_(list(by_question.values())))
    )
    if rows:
        connection.execute(insert(Score), rows)
    return len(rows)


@dataclass(frozen=True)
class Rebuilt:
    """Numbers of scores and resolutions rebuilt, and the release that computed them."""

    scores: int
    resolutions: int
    engine: str


def rebuild(session: Session) -> Rebuilt:
    """Return the number of scores written, after recomputing those of every current resolution.

    Scores of superseded resolutions are kept.
    """
    epoch = datetime(1970, 1, 1, tzinfo=UTC)  # any time will do: the status is not read
    current = [
        state.resolution for state in listing(session, now=epoch) if state.resolution is not None
    ]
    return Rebuilt(store(session, current), len(current), scoring.__version__)
