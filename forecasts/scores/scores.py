"""Computing and storing the scores of confirmed resolutions; they can be rebuilt at any time.

The chain does not cover them, since history gives them: ``compare`` finds those that differ.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isclose
from typing import Any, NamedTuple

from sqlalchemy import delete, insert
from sqlmodel import Session, SQLModel, col, func, select

import scoring
from forecasts.access.visibility import reading_everything
from forecasts.ledger.current import is_current_outcome
from forecasts.ledger.models import Forecast, Member, Question, Resolution, Score
from forecasts.questions.standing import in_batches, listing
from forecasts.scores.ledger_frames import scoring_frames
from forecasts.scores.stored_scores import CRPS, STORED_PROTOCOLS, Compared

MOST_ALTERED = 20
_Key = tuple[int, int, str]  # resolution, member, protocol

MOST_FORECASTS = 100_000  # scored at a time, so that any number of questions fits in memory


class Scored(NamedTuple):
    """A resolution to score, as much of it as ``store`` needs."""

    question_id: int
    id: int


def store(session: Session, resolutions: Sequence[Scored | Resolution]) -> int:
    """Return the number of scores written for these resolutions: per forecaster and protocol.

    Each must be its question's current resolution; its stored scores are replaced. Scores of
    superseded resolutions are kept.
    """
    by_question = {resolution.question_id: resolution.id for resolution in resolutions}
    return sum(
        _store(session, {id_: by_question[id_] for id_ in batch})
        for batch in _batches(session, list(by_question))
    )


def _batches(session: Session, questions: Sequence[int]) -> Iterator[list[int]]:
    """Yield the questions in batches whose forecasts fit in memory."""
    if len(questions) == 1:  # as a resolution is confirmed
        yield list(questions)
        return
    for some in in_batches(questions):
        of_each = select(Forecast.question_id, func.count()).group_by(col(Forecast.question_id))
        many = dict(session.exec(of_each.where(col(Forecast.question_id).in_(some))).all())
        batch: list[int] = []
        count = 0
        for id_ in some:
            if batch and count + many.get(id_, 0) > MOST_FORECASTS:
                yield batch
                batch, count = [], 0
            batch.append(id_)
            count += many.get(id_, 0)
        yield batch


def _store(session: Session, by_question: Mapping[int, int | None]) -> int:
    scores = _computed(session, by_question)
    replaced = col(Score.resolution_id).in_(list(by_question.values()))
    session.execute(delete(Score).where(replaced))
    if scores:
        session.connection().execute(insert(SQLModel.metadata.tables["score"]), scores)
    return len(scores)


def _computed(session: Session, by_question: Mapping[int, int | None]) -> list[dict[Any, Any]]:
    """Return the scores that history gives for these resolutions."""
    chosen = select(Question.slug, Question.id).where(col(Question.id).in_(list(by_question)))
    slugs = dict(session.exec(chosen).all())
    # All forecasts are scored, whatever the confirming member may see.
    with reading_everything(session):
        questions, forecasts = scoring_frames(session, questions=list(slugs))
    table = scoring.score(questions, forecasts, (*STORED_PROTOCOLS, CRPS))
    ids = {slug: by_question[id_] for slug, id_ in slugs.items()}
    handles: dict[str, int] = {}
    for some in in_batches(table["forecaster"].unique().tolist()):
        scored = select(Member.handle, Member.id).where(col(Member.handle).in_(some))
        handles |= dict(session.exec(scored).all())
    rows = table.assign(
        resolution_id=table["question_id"].map(ids),
        member_id=table["forecaster"].map(handles),
        engine_version=scoring.__version__,
    )
    return rows.drop(columns=["question_id", "forecaster"]).to_dict("records")


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


def compare(session: Session, *, sample: int | None = None) -> Compared:
    """Return how the stored scores of current resolutions compare with history.

    ``sample``: the number of resolutions, chosen at random; by default all.
    """
    every = select(Resolution.question_id, Resolution.id).where(is_current_outcome())
    current = dict(session.exec(every).all())
    chosen = sorted(current)
    if sample is not None and sample < len(chosen):
        chosen = random.sample(chosen, sample)
    altered: list[str] = []
    count = outdated = 0
    for batch in in_batches(chosen):
        by_question = {id_: current[id_] for id_ in batch}
        expected = _by_key(Score(**row) for row in _computed(session, by_question))
        of_these = col(Score.resolution_id).in_(list(by_question.values()))
        stored = _by_key(session.exec(select(Score).where(of_these)))
        count += len(stored)
        for key in sorted(expected.keys() | stored.keys()):
            if key not in stored:
                altered.append(f"{_named(session, key)} is missing")
            elif key not in expected or not _alike(stored[key], expected[key]):
                if stored[key].engine_version == scoring.__version__:
                    altered.append(f"{_named(session, key)} is not the one that history gives")
                else:
                    outdated += 1
    return Compared(count, len(chosen), len(current), tuple(altered[:MOST_ALTERED]), outdated)


def _by_key(scores: Iterable[Score]) -> dict[_Key, Score]:
    return {(one.resolution_id, one.member_id, one.protocol): one for one in scores}


def _alike(one: Score, other: Score) -> bool:
    """Return whether two scores are equal but for the last digits, which differ by machine."""
    return one.updates == other.updates and all(
        isclose(getattr(one, name), getattr(other, name), rel_tol=1e-9, abs_tol=1e-12)
        for name in ("score", "coverage")
    )


def _named(session: Session, key: _Key) -> str:
    resolution, member, protocol = key
    slug = session.exec(
        select(Question.slug)
        .join(Resolution, col(Resolution.question_id) == col(Question.id))
        .where(Resolution.id == resolution)
    ).first()
    handle = session.exec(select(Member.handle).where(Member.id == member)).first()
    return f"the {protocol} score of {handle} on {slug!r}"
