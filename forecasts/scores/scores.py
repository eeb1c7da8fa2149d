"""Computing and storing the scores of confirmed resolutions; they can be rebuilt at any time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete
from sqlmodel import Session, col, select

import scoring
from forecasts.access.visibility import reading_everything
from forecasts.ledger.append import write_rows
from forecasts.ledger.models import Member, Question, Resolution, Score
from forecasts.questions.standing import in_batches, listing
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
    chosen = select(Question.slug, Question.id).where(col(Question.id).in_(list(by_question)))
    slugs = dict(session.exec(chosen).all())
    # All forecasts are scored, whatever the confirming member may see.
    with reading_everything(session):
        questions, forecasts = scoring_frames(session, questions=list(slugs))
    table = scoring.score(questions, forecasts, (*STORED_PROTOCOLS, CRPS))
    ids = {slug: by_question[id_] for slug, id_ in slugs.items()}
    columns: dict[str, list[Any]] = {
        "resolution_id": [ids[slug] for slug in table["question_id"].tolist()],
        "member_id": [handles[handle] for handle in table["forecaster"].tolist()],
        "engine_version": [scoring.__version__] * len(table),
        **{name: table[name].tolist() for name in ("protocol", "score", "coverage", "updates")},
    }
    connection = session.connection()
    replaced = col(Score.resolution_id).in_(list(by_question.values()))
    connection.execute(delete(Score).where(replaced))
    if len(table):
        write_rows(connection, "score", columns)
    return len(table)


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
    states = listing(session, now=epoch)
    current = [state.resolution for state in states if state.resolution is not None]
    return Rebuilt(store(session, current), len(current), scoring.__version__)
