"""Reading the scores stored with a resolution. Does not load the scoring engine, nor pandas."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, case, func, true
from sqlmodel import Session, col, select

from forecasts.access.visibility import question_visible
from forecasts.ledger.current import close_time, is_current_outcome, is_newest_wording
from forecasts.ledger.models import (
    Member,
    Question,
    QuestionRevision,
    QuestionType,
    Resolution,
    Score,
)
from forecasts.questions.standing import QuestionState, listing

BRIER = "brier"
CRPS = "crps"
# Stored with a resolution: these for probabilities, and CRPS for numbers and dates. The engine
# skips questions that a rule does not apply to.
STORED_PROTOCOLS = (BRIER, "brier_final", "brier_original")
MAIN_PROTOCOLS = (BRIER, CRPS)


def main_protocol(type: QuestionType) -> str:
    """Return the protocol shown first for a question type: brier or crps."""
    return CRPS if QuestionType(type).is_quantitative else BRIER


@dataclass(frozen=True)
class Compared:
    """The result of comparing stored scores with history.

    ``altered``: a clause for each that differs, the first few. ``outdated``: the
    number that differ and were computed by an earlier release.
    """

    scores: int
    resolutions: int
    of: int
    altered: tuple[str, ...]
    outdated: int


@dataclass(frozen=True)
class ForecasterScore:
    """One forecaster's scores on one resolution; 0 is best, coverage is a share.

    Probabilities have ``brier`` and ``final`` (None without a live forecast at the close), both in
    0..1, and ``original`` in 0..2. Numbers and dates have ``crps``, in 0..1 of the question's
    range. Scores that do not apply to the question type are None.
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
        """``brier`` or ``crps``, by question type: 0..1, 0 is best."""
        score = self.crps if self.brier is None else self.brier
        assert score is not None
        return score


def resolution_scores(session: Session, resolution: Resolution) -> list[tuple[Score, str]]:
    """Return the stored scores of a resolution with their forecasters, best first."""
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


def score_table(session: Session, resolution: Resolution) -> list[ForecasterScore]:
    """Return the stored scores of a resolution, one row per forecaster, best first."""
    by_forecaster: dict[str, dict[str, Score]] = {}
    for stored, handle in resolution_scores(session, resolution):
        by_forecaster.setdefault(handle, {})[stored.protocol] = stored
    scored = []
    for handle, by in by_forecaster.items():
        main = by[BRIER] if BRIER in by else by[CRPS]
        score = {protocol: one.score for protocol, one in by.items()}
        scored.append(
            ForecasterScore(
                forecaster=handle,
                brier=score.get(BRIER),
                original=score.get("brier_original"),
                final=score.get("brier_final"),
                crps=score.get(CRPS),
                coverage=main.coverage,
                updates=main.updates,
            )
        )
    return sorted(scored, key=lambda row: (row.score, row.forecaster))


def member_scores(
    session: Session,
    member: Member,
    *,
    limit: int | None = None,
    since: datetime | None = None,
    question: int | None = None,
) -> list[tuple[QuestionState, Score]]:
    """Return the member's main scores on current resolutions, the latest known first.

    The order is that of ``QuestionState.outcome_at``. ``since`` keeps those recorded later,
    ``limit`` the first, ``question`` the one with this id. The ``protocol`` of a score is brier or
    crps.
    """
    rows = session.exec(
        select(Score, Question.slug)
        .join(Resolution, col(Resolution.id) == col(Score.resolution_id))
        .join(Question, col(Question.id) == col(Resolution.question_id))
        .join(QuestionRevision, col(QuestionRevision.question_id) == col(Question.id))
        .where(
            Score.member_id == member.id,
            col(Score.protocol).in_(MAIN_PROTOCOLS),
            is_current_outcome(),
            is_newest_wording(),
            question_visible(session),
            true() if since is None else col(Resolution.recorded_at) > since,
            true() if question is None else col(Question.id) == question,
        )
        .order_by(
            _outcome_at().desc(), col(Resolution.recorded_at).desc(), col(Resolution.id).desc()
        )
        .limit(limit)
    ).all()
    # The status of a resolved question does not depend on the time.
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    states = {s.slug: s for s in listing(session, now=epoch, only=[slug for _, slug in rows])}
    return [(states[slug], score) for score, slug in rows]


def _outcome_at() -> ColumnElement[datetime]:
    """Return ``QuestionState.outcome_at`` as a column, of a newest wording and its resolution."""
    recorded_at, closed = col(Resolution.recorded_at), close_time()
    earlier = case((closed < recorded_at, closed), else_=recorded_at)
    return func.coalesce(col(Resolution.known_at), col(Resolution.resolved_at), earlier)
