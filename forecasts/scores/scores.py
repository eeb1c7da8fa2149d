"""Scores of confirmed resolutions: stored with them, and rebuildable from the ledger alone.

The engine and its frames are imported when something is scored, not when a score is read: they
bring NumPy and pandas, which take longer to load than a question takes to show.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, true
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from forecasts.access.visibility import question_visible, reading_everything
from forecasts.ledger.models import Member, Question, QuestionType, Resolution, Score
from forecasts.questions.standing import QuestionState, in_batches, listing

if TYPE_CHECKING:
    import pandas as pd

# Stored with a resolution: these for probabilities, and CRPS for numbers and days. The engine
# passes over the questions that a rule does not apply to.
STORED_PROTOCOLS = ("brier", "brier_final", "brier_original")
CRPS = "crps"


def score_frames(
    questions: pd.DataFrame, forecasts: pd.DataFrame, protocols: Sequence[str]
) -> pd.DataFrame:
    """Return the scores under each protocol, sorted by protocol, question_id, forecaster.

    Columns: question_id, forecaster, protocol, score, coverage, updates.
    """
    import scoring

    return scoring.score(questions, forecasts, protocols)


def load() -> None:
    """Load the engine: it takes a second the first time, in which others could write."""
    from importlib import import_module

    for name in ("scoring", "forecasts.scores.frames"):
        import_module(name)


def store(session: Session, resolutions: Sequence[Resolution]) -> int:
    """Return how many scores were written for these resolutions, one a forecaster and protocol.

    Each must be the one that stands for its question; what was stored for it before is replaced.
    Scores of superseded resolutions stay.
    """
    by_question = {resolution.question_id: resolution.id for resolution in resolutions}
    handles = dict(session.exec(select(Member.handle, Member.id)).all())
    return sum(
        _store(session, {id_: by_question[id_] for id_ in some}, handles)
        for some in in_batches(list(by_question))
    )


def _store(
    session: Session, by_question: Mapping[int, int | None], handles: Mapping[str, int | None]
) -> int:
    import scoring
    from forecasts.scores.frames import rows as rows_of
    from forecasts.scores.frames import scoring_frames

    slugs = dict(
        session.exec(
            select(Question.slug, Question.id).where(col(Question.id).in_(list(by_question)))
        ).all()
    )
    # Everybody's forecasts are scored, whoever confirms and whatever they may see.
    with reading_everything(session):
        questions, forecasts = scoring_frames(session, questions=list(slugs))
    table = score_frames(questions, forecasts, (*STORED_PROTOCOLS, CRPS))
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
    """How many scores of how many resolutions were made anew, and by which release of scoring."""

    scores: int
    resolutions: int
    engine: str


def rebuild(session: Session) -> Rebuilt:
    """Return what was written: the scores of every standing resolution are made anew.

    Scores of superseded resolutions stay as they were.
    """
    import scoring

    epoch = datetime(1970, 1, 1, tzinfo=UTC)  # the status is not read, so the moment is no matter
    standing = [
        state.resolution for state in listing(session, now=epoch) if state.resolution is not None
    ]
    return Rebuilt(store(session, standing), len(standing), scoring.__version__)


def of_question(session: Session, resolution: Resolution) -> list[tuple[Score, str]]:
    """Return the stored scores of a resolution with their forecasters, the best first."""
    return [
        (score, handle)
        for score, handle in session.exec(
            select(Score, Member.handle)
            .join(Member, col(Member.id) == col(Score.member_id))
            .join(Resolution, col(Resolution.id) == col(Score.resolution_id))
            .where(
                Score.resolution_id == resolution.id,
                question_visible(session, Resolution.question_id),
            )
            .order_by(col(Score.protocol), col(Score.score), col(Member.handle))
        )
    ]


@dataclass(frozen=True)
class Scored:
    """What one forecaster earned on one resolution; 0 is best, coverage is a share.

    Of probabilities ``brier`` and ``final`` (None: nothing stood at the close), both in 0..1, and
    ``original`` in 0..2. Of numbers and days ``crps`` alone, in 0..1 of the question's range. What
    the question's type does not have is None.
    """

    forecaster: str
    brier: float | None
    original: float | None
    final: float | None
    crps: float | None
    coverage: float
    updates: int

    @property
    def score(self) -> float:
        """The one that the question's type has, of ``brier`` and ``crps``: 0..1, 0 is best."""
        score = self.crps if self.brier is None else self.brier
        assert score is not None
        return score


def table(session: Session, resolution: Resolution) -> list[Scored]:
    """Return one row a forecaster of the resolution's stored scores, the best first."""
    by_forecaster: dict[str, dict[str, Score]] = {}
    for score, handle in of_question(session, resolution):
        by_forecaster.setdefault(handle, {})[score.protocol] = score
    scored = [_scored(handle, by) for handle, by in by_forecaster.items()]
    return sorted(scored, key=lambda row: (row.score, row.forecaster))


def _scored(handle: str, by: Mapping[str, Score]) -> Scored:
    def score(protocol: str) -> float | None:
        return by[protocol].score if protocol in by else None

    main = by["brier"] if "brier" in by else by[CRPS]
    return Scored(
        forecaster=handle,
        brier=score("brier"),
        original=score("brier_original"),
        final=score("brier_final"),
        crps=score(CRPS),
        coverage=main.coverage,
        updates=main.updates,
    )


def protocol_of(type: QuestionType) -> str:
    """Return under which protocol a question of that type is read first: brier or crps."""
    return CRPS if QuestionType(type).is_quantitative else "brier"


def earned(
    session: Session, member: Member, *, limit: int, since: datetime | None = None
) -> list[tuple[QuestionState, Score]]:
    """Return the member's scores on the resolutions that stand, the latest recorded first.

    ``since``: of those alone that were recorded later.
    The ``protocol`` of each says what it is: brier, or crps on a number or a day.
    """
    later = aliased(Resolution)
    superseded = select(later.id).where(col(later.supersedes_id) == col(Resolution.id)).exists()
    rows = session.exec(
        select(Score, Question.slug)
        .join(Resolution, col(Resolution.id) == col(Score.resolution_id))
        .join(Question, col(Question.id) == col(Resolution.question_id))
        .where(
            Score.member_id == member.id,
            col(Score.protocol).in_(["brier", CRPS]),
            ~superseded,
            question_visible(session),
            true() if since is None else col(Resolution.recorded_at) > since,
        )
        .order_by(col(Resolution.recorded_at).desc(), col(Resolution.id).desc())
        .limit(limit)
    ).all()
    # The status of a resolved question does not depend on the moment.
    moment = datetime(1970, 1, 1, tzinfo=UTC)
    state = {s.slug: s for s in listing(session, now=moment, only=[slug for _, slug in rows])}
    return [(state[slug], score) for score, slug in rows]
