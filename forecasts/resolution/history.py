"""Answers: how a question came to its outcome, step by step, and what each step scored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from forecasts.access.members import handles
from forecasts.common.times import to_minute
from forecasts.ledger.models import (
    Dispute,
    Exhibit,
    Question,
    QuestionType,
    Resolution,
    ResolutionState,
)
from forecasts.questions.finality import ProvisionalOutcome
from forecasts.questions.registry import newest_wording
from forecasts.resolution import disputes
from forecasts.resolution.kept_evidence import shown_for
from forecasts.resolution.resolutions import history
from forecasts.scores.scores import protocol_of, table


@dataclass(frozen=True)
class Rescored:
    """One forecaster's score (0–1, 0 is best) on a superseded resolution and as it is now.

    ``protocol``: brier, or crps on a number or a day. None: no score; ``difference`` is now less
    before, so that below 0 the correction helped.
    """

    forecaster: str
    protocol: str
    before: float | None
    now: float | None

    @property
    def difference(self) -> float | None:
        """What the corrections since have changed; None where there is no score on one side."""
        return None if self.before is None or self.now is None else self.now - self.before


@dataclass(frozen=True)
class Step:
    """One row of a question's resolution history, with who took it and what it corrected.

    ``corrects``: the earlier confirmed row that this one supersedes. ``superseded``: whether a
    later one has superseded this one; ``rescored`` then holds its scores beside those that stand.
    ``shown``: what a resolver was shown when it found that. ``disputes``: who disputed it, and who
    settled that.
    """

    row: Resolution
    who: str
    corrects: Resolution | None
    superseded: bool
    rescored: tuple[Rescored, ...]
    shown: tuple[Exhibit, ...] = ()
    disputes: tuple[tuple[Dispute, str], ...] = ()


def correction(
    earlier: Resolution, row: Resolution, time: Callable[[datetime], str] = to_minute
) -> str:
    """Return what a correction changed, for a person: 'yes → no', and the times if they differ."""
    said = [f"{earlier.outcome} → {row.outcome}"] if earlier.outcome != row.outcome else []
    if earlier.known_at != row.known_at:
        before, after = (
            "unknown" if known is None else time(known)
            for known in (earlier.known_at, row.known_at)
        )
        said.append(f"known at {before} → {after}")
    return ", ".join(said)


def say_provisional(open_: ProvisionalOutcome, time: Callable[[datetime], str] = to_minute) -> str:
    """Return why scores are not final yet, for a person."""
    if open_.dispute is not None:
        since = time(open_.dispute.recorded_at)
        return f"Its scores are provisional: it was disputed {since}, and waits for a decision."
    return f"Its scores are provisional until {time(open_.until)}: so long it can be disputed."


def steps(session: Session, question: Question) -> list[Step]:
    """Return how the question got its outcome, the newest step first."""
    rows = history(session, question)
    by_id = {row.id: row for row in rows}
    superseded = {row.supersedes_id for row in rows} - {None}
    standing = next(
        (
            row
            for row in rows
            if row.state == ResolutionState.confirmed and row.id not in superseded
        ),
        None,
    )
    named, type = handles(session), newest_wording(session, question).type
    shown, told = shown_for(session, question), disputes.history(session, question)
    return [
        Step(
            row,
            who="a resolver" if row.member_id is None else named[row.member_id],
            corrects=by_id.get(row.supersedes_id),
            superseded=row.id in superseded,
            rescored=_rescored(session, row, standing, type) if row.id in superseded else (),
            shown=tuple(shown.get(row.id or 0, ())),
            disputes=tuple((one, named[one.member_id]) for one in told.get(row.id or 0, ())),
        )
        for row in reversed(rows)
    ]


def _rescored(
    session: Session, row: Resolution, standing: Resolution | None, type: QuestionType
) -> tuple[Rescored, ...]:
    before = {scored.forecaster: scored.score for scored in table(session, row)}
    now = {} if standing is None else {s.forecaster: s.score for s in table(session, standing)}
    return tuple(
        Rescored(forecaster, protocol_of(type), before.get(forecaster), now.get(forecaster))
        for forecaster in sorted(before | now)
    )
